//! The investigation: each step takes from the answer before it what it asks next; the story only says whether it was right.

use super::{
    agent::Connected,
    transcript::{Clue, Transcript, clue},
};
use crate::commands::sandbox::Running;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::time::Instant;

/// A token with every read scope but those of Database Monitoring.
const TOKEN_WITHOUT_DBM: &str = "fake-token-no-dbm";

pub(super) async fn run(running: &Running, transcript: &mut Transcript) -> anyhow::Result<()> {
    let story = running.sandbox.story();
    let narrow = Connected::start(running, &[("DD_BEARER_TOKEN", TOKEN_WITHOUT_DBM)]).await?;
    let tools = narrow.agent.tools().await?;
    let names: Vec<&str> = tools.iter().map(|(name, _)| name.as_str()).collect();
    transcript.opening(&[
        ("org", format!("{}, a sandbox in this process: an online plant shop with an incident", running.base)),
        ("server", "datadog-mcp serve, this binary, on a pipe, with an access token that lacks two scopes".to_owned()),
        ("client", format!("protocol {}", narrow.agent.protocol().unwrap_or_default())),
        ("tools", format!("{}: {}", names.len(), names.join(", "))),
    ])?;

    transcript.heading("Where does it hurt?", "Customers complain about checkout. Count errors by service before reading any.")?;
    let arguments = json!({"query": "status:error", "group_by": ["service"], "from": "30m"});
    ask(
        &narrow,
        transcript,
        "logs_aggregate",
        arguments,
        &[clue(&story.service, format!("{} is among the failing services", story.service))],
    )
    .await?;

    transcript.heading("What does it say?", "Read a few of its errors; one with a trace id leads on.")?;
    let fields = ["timestamp", "message", "dd.trace_id"];
    let arguments = json!({"query": format!("service:{} status:error", story.service), "from": "30m", "limit": 4, "fields": fields});
    let logs =
        ask(&narrow, transcript, "logs_search", arguments, &[clue("Reservation lookup", "looking up stock reservations takes too long")])
            .await?;
    let trace = decimal_id(&logs).context("no trace id in the logs")?;

    transcript.heading("What happened to that request?", "The trace goes through every service of one failed checkout.")?;
    let slow = [clue(story.table.as_str(), format!("time goes into a query on the table {}", story.table))];
    ask(&narrow, transcript, "trace_get", json!({"trace_id": trace}), &slow).await?;

    transcript.heading("What does the database say?", "Samples of slow queries on it, from Database Monitoring.")?;
    let samples = json!({"query": "service:checkout @duration:>1s", "from": "30m", "limit": 5});
    let denied = [
        clue("built_in_features", "the refusal names the scope that is missing"),
        clue("Who can fix it", "it says who can grant it"),
        clue("Next:", "it says what to do next"),
    ];
    let refused = call(&narrow, "dbm_samples_search", samples.clone(), &denied, transcript).await?;
    transcript.check(refused.is_error, "and it is marked as an error, so that no agent takes it for an empty result")?;
    narrow.end().await?;
    transcript
        .say("The user reads this, puts an unscoped application key into the environment, and the client starts the server again.")?;

    let keys = running.keys();
    let secret = |found: &Option<crate::config::Found>| found.as_ref().map(|found| found.secret.expose().to_owned()).unwrap_or_default();
    let both = [("DD_API_KEY", secret(&keys.api_key)), ("DD_APP_KEY", secret(&keys.app_key))];
    let full = Connected::start(running, &both.each_ref().map(|(name, value)| (*name, value.as_str()))).await?;

    transcript.heading("The same question again", "The call is repeated as it was.")?;
    let slow = [clue(&story.query_signature, "one statement stands out"), clue("lower(", "it wraps the column in lower()")];
    let found = ask(&full, transcript, "dbm_samples_search", samples, &slow).await?;
    let signature = signature(&found, &story.query_signature).context("no query signature in the samples")?;

    transcript.heading("Why is it slow?", "The explain plan of that statement.")?;
    let plan =
        [clue("Seq Scan", format!("PostgreSQL reads the whole table {}: the index {} cannot serve lower(sku)", story.table, story.index))];
    let arguments = json!({"query": format!("@db.query_signature:{signature}"), "from": "1h"});
    ask(&full, transcript, "dbm_plans_search", arguments, &plan).await?;

    transcript.heading("Since when?", "Deploys and other changes of the service.")?;
    let deploy = [clue(&story.bad_version, format!("{} {} went out shortly before", story.service, story.bad_version))];
    let arguments = json!({"query": format!("service:{}", story.service), "from": "2h"});
    ask(&full, transcript, "events_search", arguments, &deploy).await?;

    transcript.heading("Who knows already?", "The monitor that watches it, and the incident.")?;
    let monitor = story.monitor_id.to_string();
    let alert = [clue(&monitor, "the monitor alerts")];
    ask(&full, transcript, "monitors_search", json!({"query": format!("status:alert {}", story.service)}), &alert).await?;
    let number = story.incident_public_id.to_string();
    let incident = [clue(&number, format!("incident {number} is declared and active"))];
    ask(&full, transcript, "incidents_search", json!({"query": "state:active"}), &incident).await?;
    full.end().await?;

    transcript.heading("What the agent tells its user", "")?;
    transcript.say(&format!(
        "{service} {bad} changed the lookup of stock reservations to lower(sku), which {index} cannot serve. PostgreSQL reads {table} \
         whole, lookups take seconds, the connection pool runs dry and checkouts time out. Roll back to {good}, or add an index on lower(sku).",
        service = story.service,
        bad = story.bad_version,
        good = story.good_version,
        index = story.index,
        table = story.table,
    ))
}

/// A call that must succeed; gives the answer's text.
async fn ask(
    connected: &Connected,
    transcript: &mut Transcript,
    tool: &str,
    arguments: Value,
    clues: &[Clue<'_>],
) -> anyhow::Result<String> {
    let answer = call(connected, tool, arguments, clues, transcript).await?;
    anyhow::ensure!(!answer.is_error, "{tool} was refused: {}", answer.text);
    Ok(answer.text)
}

async fn call(
    connected: &Connected,
    tool: &str,
    arguments: Value,
    clues: &[Clue<'_>],
    transcript: &mut Transcript,
) -> anyhow::Result<crate::mcp::client::Answered> {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let started = Instant::now();
    let answer = connected.agent.call(tool, arguments.clone()).await?;
    transcript.call(tool, &arguments, &answer, started.elapsed(), clues)?;
    Ok(answer)
}

/// The first decimal id of 17 digits or more: a trace id.
fn decimal_id(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_digit()).find(|run| (17..=20).contains(&run.len()))
}

/// A query signature of the answer: as many hexadecimal digits as the expected one has.
fn signature<'a>(text: &'a str, like: &str) -> Option<&'a str> {
    let words = || text.split(|c: char| !c.is_ascii_hexdigit()).filter(|run| run.len() == like.len());
    words().find(|run| run.contains(|c: char| c.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_tables() {
        assert_eq!(decimal_id("a,12,17365018470327340032,x"), Some("17365018470327340032"));
        assert_eq!(decimal_id("2026-11-22T10:00:00.123Z 1234"), None);
        assert_eq!(signature("x,0123456789abcdef0123456789abcdef,00aa11bb22cc33dd", "ffffffffffffffff"), Some("00aa11bb22cc33dd"));
    }
}
