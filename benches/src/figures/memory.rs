//! The most memory a server ever has when one answer is 22 MB.

use super::{Bench, Both, arguments};
use crate::{
    bodies::Large,
    client::Search,
    process,
    report::{Figure, Goal, Report, Unit},
};

pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    for (large, what) in [(Large::Heavy, "22 MB in heavy events"), (Large::Many, "22 MB in usual events")] {
        let search = Search { query: large.word().to_owned(), limit: 1_000 };
        let size = bench.search(&search)? as f64;
        let mut peaks = Both::default();
        for _ in 0..bench.effort.peaks {
            for (side, program) in bench.sides() {
                let mut server = bench.start(program)?;
                server.list()?;
                server.call(&arguments(&search))?;
                peaks.of(side).push(process::peak(server.pid())? as f64 / size);
            }
        }
        let (bare, ours) = peaks.medians();
        let what = format!("peak memory, {what}");
        report.figures.push(Figure { what, unit: Unit::Answers, client: None, bare, ours, goal: Goal::AtMost(3.0) });
    }
    Ok(())
}
