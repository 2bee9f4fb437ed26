//! What an agent pays for 100 events, in tokens.

use super::{Bench, arguments, usual};
use crate::{
    bodies::{Content, make},
    pipe::{self, Server},
    report::{Figure, Goal, Report, Unit},
    tokens,
};
use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

const EVENTS: usize = 100;

/// Largest budget of one answer (the design's cap): what does not fit is fetched by cursor.
const BUDGET: usize = 25_000;

/// More pages than any rendering of 100 events needs.
const PAGES: usize = 20;

pub(super) fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let body = make(Content::First(EVENTS));
    let raw = tokens::count(std::str::from_utf8(&body)?) as f64;
    let mut body: Value = serde_json::from_slice(&body)?;
    let Value::Array(events) = body["data"].take() else { anyhow::bail!("the stand-in's answer has no data") };
    report.notes.push(format!(
        "The same {EVENTS} events as plain lines of time, status, service and message: {} tokens; as lines of everything in `name=value`, each set of tags once: {}.",
        tokens::count(&tokens::bare_lines(&events)),
        tokens::count(&tokens::everything(&events)),
    ));
    for (what, fields, goal) in [("default view", None, 6_300.0), ("everything asked for", Some("*"), 38_000.0)] {
        let mut asked = arguments(&usual(EVENTS));
        let mut ours = None;
        if let Some(program) = &bench.ours {
            asked["max_tokens"] = json!(BUDGET);
            if let Some(fields) = fields {
                asked["fields"] = json!([fields]);
            }
            let mut server = bench.start(program)?;
            server.list()?;
            let pages = pages(&mut server, asked, &events).with_context(|| what.to_owned())?;
            ours = Some(pages.iter().map(|page| tokens::count(page)).sum::<usize>() as f64);
            if pages.len() > 1 {
                report.notes.push(format!("Tokens, {what}: in {} pages of at most {BUDGET}, their headers counted.", pages.len()));
            }
        }
        let what = format!("tokens of {EVENTS} events, {what}");
        report.figures.push(Figure { what, unit: Unit::Tokens, client: None, bare: Some(raw), ours, goal: Goal::AtMost(goal) });
    }
    Ok(())
}

/// The pages of an answer until every event's message was shown.
fn pages(server: &mut Server, mut arguments: Value, events: &[Value]) -> anyhow::Result<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let text = pipe::text(server.call(&arguments)?)?;
        let cursor = tokens::cursor(&text).map(str::to_owned);
        pages.push(text);
        let kept = tokens::messages_kept(events, &pages.concat());
        if kept == events.len() {
            return Ok(pages);
        }
        let Some(cursor) = cursor else { bail!("{kept} of {} messages are in the answer", events.len()) };
        arguments["cursor"] = json!(cursor);
        ensure!(pages.len() < PAGES, "the cursor leads on and on");
    }
}
