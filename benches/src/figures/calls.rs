//! What a call costs: processor time and added latency.

use super::{Bench, Both, arguments, usual};
use crate::{
    process,
    report::{Figure, Goal, Report, Unit},
    statistics,
};
use std::time::Instant;

/// Calls in a row before another takes its turn, when latency is measured.
const TURN: usize = 25;

pub(super) fn processor(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let few = bench.effort.calls;
    for (what, events, calls, goal) in [("10 events (24 kB)", 10, few, 0.4), ("1,000 events (2.4 MB)", 1_000, few / 50, 12.0)] {
        let arguments = arguments(&usual(events));
        let mut millis = Both::default();
        let mut servers = Vec::new();
        for (side, program) in bench.sides() {
            servers.push((side, bench.warm(program, &arguments)?));
        }
        for _ in 0..bench.effort.rounds {
            for (side, server) in &mut servers {
                let before = process::cpu(server.pid())?;
                for _ in 0..calls {
                    server.call(&arguments)?;
                }
                let used = process::cpu(server.pid())?.saturating_sub(before);
                millis.of(*side).push(used.as_secs_f64() * 1e3 / calls as f64);
            }
        }
        let (bare, ours) = millis.medians();
        let what = format!("processor time per call, {what}");
        report.figures.push(Figure { what, unit: Unit::Milliseconds, client: None, bare, ours, goal: Goal::AtMost(goal) });
    }
    Ok(())
}

pub(super) fn latency(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let search = usual(10);
    let arguments = arguments(&search);
    let mut servers = Vec::new();
    for (side, program) in bench.sides() {
        servers.push((side, bench.warm(program, &arguments)?));
    }
    let (mut direct, mut millis) = (Vec::new(), Both::default());
    bench.search(&search)?;
    for _ in 0..bench.effort.rounds * bench.effort.calls / 5 / TURN {
        for _ in 0..TURN {
            let started = Instant::now();
            bench.search(&search)?;
            direct.push(started.elapsed().as_secs_f64() * 1e3);
        }
        for (side, server) in &mut servers {
            for _ in 0..TURN {
                let started = Instant::now();
                server.call(&arguments)?;
                millis.of(*side).push(started.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    let client = statistics::median(&direct);
    let (bare, ours) = millis.medians();
    let what = "latency of a call, 10 events".to_owned();
    report.figures.push(Figure { what, unit: Unit::Milliseconds, client, bare, ours, goal: Goal::None });
    let added = |whole: Option<f64>| Some(whole? - client?);
    let (what, goal) = ("of it added to the bare client's".to_owned(), Goal::AtMost(0.4));
    report.figures.push(Figure { what, unit: Unit::Milliseconds, client: None, bare: added(bare), ours: added(ours), goal });
    let slowest = [("client", &direct), ("bare server", &millis.bare), ("datadog-mcp", &millis.ours)];
    let slowest: Vec<String> =
        slowest.into_iter().filter_map(|(who, all)| Some(format!("{who} {:.2} ms", statistics::percentile(all, 99.0)?))).collect();
    report.notes.push(format!("Latency of the slowest 1 % of calls: {}.", slowest.join(", ")));
    Ok(())
}
