//! Whole answers: snapshots read by eye, and what must hold for any draft.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use super::*;
use datadog_client::Principal;
use proptest::prelude::*;
use serde_json::json;

fn real_tokens(text: &str) -> usize {
    tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len()
}

pub(super) fn log_columns() -> Vec<Column> {
    [("attributes.timestamp", "time", Form::Time), ("attributes.status", "status", Form::Plain), ("attributes.service", "service", Form::Plain), ("attributes.host", "host", Form::Plain), ("attributes.message", "message", Form::Plain)]
        .map(|(path, name, form)| Column { path: path.to_owned(), name: name.to_owned(), form })
        .to_vec()
}

fn view(fields: &[&str], max_tokens: usize) -> View {
    View { fields: fields.iter().map(|field| (*field).to_owned()).collect(), max_tokens, full: false, output: Output::Text, mask: true }
}

fn text_of(draft: Draft, view: &View) -> String {
    let (sealer, who) = (Sealer::new([0; 32]), Principal::local());
    let cx = RenderContext { site: "datadoghq.com", org: "default", sealer: &sealer, who: &who, tool: "logs_search", digest: arguments_digest(&serde_json::Map::new()), page: None };
    render(draft, view, &cx).unwrap().text
}

fn logs(count: usize) -> Draft {
    let mut draft = Draft::rows("logs", samples::events(count), log_columns());
    draft.range = Some(TimeRange { from_ms: 1_763_784_000_000, to_ms: 1_763_784_900_000 });
    draft.link = Some("https://app.datadoghq.com/logs?query=service%3A%2A&from_ts=1763784000000&to_ts=1763784900000".to_owned());
    draft
}

#[test]
fn a_hundred_events_cost_few_tokens() {
    let events = samples::events(100);
    let raw: String = events.iter().map(|event| format!("{event}\n")).collect();
    let of = |event: &Value, key: &str| event["attributes"][key].as_str().unwrap_or_default().to_owned();
    let bare: String = events.iter().map(|event| format!("{} {} {} {}\n", of(event, "timestamp"), of(event, "status"), of(event, "service"), of(event, "message"))).collect();
    let (raw, bare) = (real_tokens(&raw), real_tokens(&bare));
    let short = text_of(logs(100), &view(&[], 25_000));
    for event in &events {
        assert!(short.contains(&of(event, "message")), "every message is whole");
    }
    let everything = text_of(logs(100), &view(&["*"], 100_000));
    let (short_tokens, everything_tokens) = (real_tokens(&short), real_tokens(&everything));
    println!("raw {raw}, bare {bare}, default {short_tokens} (estimated {}), all {everything_tokens} (estimated {}) = {:.3} of raw", tokens::estimate(&short), tokens::estimate(&everything), everything_tokens as f64 / raw as f64);
    if let Ok(folder) = std::env::var("ANSWER_DUMP") {
        std::fs::write(format!("{folder}/default.txt"), &short).unwrap();
        std::fs::write(format!("{folder}/all.txt"), &everything).unwrap();
    }
    assert!((78_000..86_000).contains(&raw) && (5_700..6_300).contains(&bare), "the sample is the size it should be");
    assert!(short_tokens * 6_029 <= bare * 6_300, "default view: {short_tokens} for {bare}");
    assert!(everything_tokens * 100 <= raw * 46, "everything: {everything_tokens} of {raw}");
}
