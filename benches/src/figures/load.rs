//! Calls per second with 32 in flight.

use super::{Bench, Both, arguments};
use crate::{
    client::{self, Search},
    pipe::Server,
    report::{Figure, Goal, Report, Unit},
    statistics,
};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use std::time::Instant;

const IN_FLIGHT: usize = 32;

pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let calls = bench.effort.calls;
    for (delay_ms, calls, least) in [(0, calls * 3, 4_000.0), (50, calls, 600.0)] {
        let search = Search { query: format!("env:prod bench_delay:{delay_ms}"), limit: 10 };
        let arguments = arguments(&search);
        let mut servers = Vec::new();
        for (side, program) in bench.sides() {
            let mut server = bench.warm(program, &arguments)?;
            // Opens the connections.
            pass(&mut server, &arguments, IN_FLIGHT * 4)?;
            servers.push((side, server));
        }
        direct(bench, &search, IN_FLIGHT * 4)?;
        let (mut alone, mut rates) = (Vec::new(), Both::default());
        for _ in 0..bench.effort.rounds {
            alone.push(direct(bench, &search, calls)?);
            for (side, server) in &mut servers {
                rates.of(*side).push(pass(server, &arguments, calls)?);
            }
        }
        let (bare, ours) = rates.medians();
        let what = format!("calls per second, {IN_FLIGHT} in flight, upstream at {delay_ms} ms");
        let client = statistics::median(&alone);
        report.figures.push(Figure { what, unit: Unit::PerSecond, client, bare, ours, goal: Goal::AtLeast(least) });
    }
    report.notes.push(format!(
        "Driver, stand-in and server share the cores; with {IN_FLIGHT} calls in flight of 50 ms each, 640/s is what there can be."
    ));
    Ok(())
}

/// Calls per second of a server.
fn pass(server: &mut Server, arguments: &Value, calls: usize) -> anyhow::Result<f64> {
    let started = Instant::now();
    for _ in 0..IN_FLIGHT.min(calls) {
        server.send_call(arguments)?;
    }
    for done in 0..calls {
        server.receive()?;
        if done + IN_FLIGHT < calls {
            server.send_call(arguments)?;
        }
    }
    Ok(calls as f64 / started.elapsed().as_secs_f64())
}

/// Calls per second of the bare client.
fn direct(bench: &Bench, search: &Search, calls: usize) -> anyhow::Result<f64> {
    let started = Instant::now();
    let all = stream::iter(0..calls).map(|_| client::send(&bench.client, &bench.upstream, search)).buffer_unordered(IN_FLIGHT);
    bench.runtime.block_on(all.try_for_each(|_| std::future::ready(Ok(()))))?;
    Ok(calls as f64 / started.elapsed().as_secs_f64())
}
