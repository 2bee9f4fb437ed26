//! From nothing to the list of tools, and the memory of a server that waits.

use super::{Bench, Both, rest};
use crate::{
    process,
    report::{Figure, Goal, Report, Unit},
};
use std::time::{Duration, Instant};

/// How long a server rests before its memory is read.
const SETTLE: Duration = Duration::from_millis(200);

pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let (mut millis, mut memory) = (Both::default(), Both::default());
    for _ in 0..bench.effort.starts {
        for (side, program) in bench.sides() {
            let started = Instant::now();
            let mut server = bench.start(program)?;
            server.list()?;
            millis.of(side).push(started.elapsed().as_secs_f64() * 1e3);
            rest(SETTLE);
            memory.of(side).push(process::resident(server.pid())? as f64);
        }
    }
    let (bare, ours) = millis.medians();
    let what = "start to the answer of `tools/list`".to_owned();
    report.figures.push(Figure { what, unit: Unit::Milliseconds, client: None, bare, ours, goal: Goal::TimesBare(2.0) });
    let (bare, ours) = memory.medians();
    let goal = Goal::AtMost(f64::from(15 << 20));
    report.figures.push(Figure { what: "idle memory".to_owned(), unit: Unit::Bytes, client: None, bare, ours, goal });
    Ok(())
}
