//! What an agent pays for 100 events, in tokens.

use super::{Bench, arguments, usual};
use crate::{
    bodies::{Content, make},
    pipe::{self, Server},
    report::{Figure, Goal, Report, Unit},
    tokens,
};
use anyhow::ensure;
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
            let pages = pages(&mut server, asked)?;
            let text = pages.concat();
            let kept = tokens::messages_kept(&events, &text);
            ensure!(kept == EVENTS, "{what}: {kept} of {EVENTS} messages are in the answer");
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

/// Every page of an answer.
fn pages(server: &mut Server, mut arguments: Value) -> anyhow::Result<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let text = pipe::text(server.call(&arguments)?)?;
        let cursor = tokens::cursor(&text).map(str::to_owned);
        pages.push(text);
        match cursor {
            Some(cursor) => arguments["cursor"] = json!(cursor),
            None => return Ok(pages),
        }
        ensure!(pages.len() < PAGES, "the cursor leads on and on");
    }
}
