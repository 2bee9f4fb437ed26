//! What is measured, a file a kind. Contestants always take turns within a figure, so that a busy machine hits them alike.

mod answers;
mod calls;
mod load;
mod memory;
mod start;

use crate::{
    client::{self, Search},
    pipe::{Program, Server},
    report::Report,
};
use anyhow::Context;
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Who is measured, and how thoroughly.
#[derive(Debug)]
pub struct Bench {
    /// The server that does nothing.
    pub bare: Program,
    /// `datadog-mcp`, when there is one.
    pub ours: Option<Program>,
    /// Address of the stand-in.
    pub upstream: String,
    /// How often things are done.
    pub effort: Effort,
    runtime: Runtime,
    client: reqwest::Client,
    home: TempDir,
}

/// How often things are done.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Processes started for the figures of a start.
    starts: usize,
    /// Rounds of everything else.
    rounds: usize,
    /// Calls of a round with 10 events; those with 1,000 are a fiftieth.
    calls: usize,
    /// Processes started for the peak of memory.
    peaks: usize,
}

impl Effort {
    /// Figures to quote: some minutes.
    pub const FULL: Self = Self { starts: 21, rounds: 5, calls: 2_000, peaks: 3 };
    /// Enough to see that everything works: under a minute.
    pub const QUICK: Self = Self { starts: 5, rounds: 2, calls: 300, peaks: 1 };
}

/// Measures figures and adds them to the report.
type Part = fn(&Bench, &mut Report) -> anyhow::Result<()>;

/// What can be measured, by name.
const PARTS: [(&str, Part); 6] = [
    ("start", start::measure),
    ("processor", calls::processor),
    ("latency", calls::latency),
    ("load", load::measure),
    ("memory", memory::measure),
    ("tokens", answers::measure),
];

/// Names of the parts, in the order of the table.
#[must_use]
pub fn parts() -> [&'static str; PARTS.len()] {
    PARTS.map(|(name, _)| name)
}

/// A server that takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Bare,
    Ours,
}

/// A figure of both sides.
#[derive(Debug, Default)]
struct Both {
    bare: Vec<f64>,
    ours: Vec<f64>,
}

impl Both {
    fn of(&mut self, side: Side) -> &mut Vec<f64> {
        match side {
            Side::Bare => &mut self.bare,
            Side::Ours => &mut self.ours,
        }
    }

    fn medians(&self) -> (Option<f64>, Option<f64>) {
        (crate::statistics::median(&self.bare), crate::statistics::median(&self.ours))
    }
}

impl Bench {
    /// Prepares a run.
    pub fn new(bare: Program, ours: Option<Program>, upstream: String, effort: Effort) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { bare, ours, upstream, effort, runtime, client: client::build()?, home: TempDir::new()? })
    }

    /// Measures everything, or the parts whose names are given. One that fails is noted and does not end the run.
    pub fn run(&self, only: &[String]) -> Report {
        let mut report = Report { machine: machine(), ..Report::default() };
        for (name, part) in PARTS {
            if !only.is_empty() && !only.iter().any(|asked| asked == name) {
                continue;
            }
            if let Err(error) = part(self, &mut report) {
                report.failures.push(format!("{name}: {error:#}"));
            }
        }
        report
    }

    fn sides(&self) -> impl Iterator<Item = (Side, &Program)> {
        [(Side::Bare, Some(&self.bare)), (Side::Ours, self.ours.as_ref())].into_iter().filter_map(|(side, program)| Some((side, program?)))
    }

    fn start(&self, program: &Program) -> anyhow::Result<Server> {
        Server::start(program, self.home.path())
    }

    /// A server that has listed its tools and answered a few calls.
    fn warm(&self, program: &Program, arguments: &Value) -> anyhow::Result<Server> {
        let mut server = self.start(program)?;
        server.list()?;
        for _ in 0..3 {
            server.call(arguments).with_context(|| program.path.display().to_string())?;
        }
        Ok(server)
    }

    /// One search by the bare client; gives the size of the answer.
    fn search(&self, search: &Search) -> anyhow::Result<usize> {
        Ok(self.runtime.block_on(client::send(&self.client, &self.upstream, search))?.len())
    }
}

/// Arguments of `logs_search`, the same for both servers.
fn arguments(search: &Search) -> Value {
    json!({"query": search.query, "limit": search.limit})
}

/// A search of the usual events.
fn usual(limit: usize) -> Search {
    Search { query: "env:prod".to_owned(), limit }
}

/// Lets a process come to rest.
#[expect(clippy::disallowed_methods, reason = "the driver is one thread that has nothing else to do")]
fn rest(time: Duration) {
    std::thread::sleep(time);
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs_err::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("an unnamed processor", |(_, model)| model);
    let load = fs_err::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!("{cores} cores of {model}, {}, load {load} before it began", std::env::consts::OS)
}
