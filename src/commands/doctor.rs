//! `doctor`: what is configured and from where, whether Datadog answers, and what the credential does not reach.

use super::{App, call::send, print, terminal::Paint};
use crate::{
    cli::{self, DoctorArguments},
    config::{Config, Found, Source},
    exit::Exit,
};
use datadog_client::{CallLimits, Kind, Principal, Refusal, Request};
use datadog_tools::{CallError, Output};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{
    fmt::Write as _,
    time::{Duration, Instant, SystemTime},
};

/// Longest time of one check.
const PATIENCE: Duration = Duration::from_secs(15);

/// A clock further off than this breaks relative times and tokens.
const SKEW_S: i64 = 30;

/// Asked without a credential, to learn whether the site answers at all.
const OPEN_OPERATION: &str = "v2.GetOAuth2WellKnownSites";

/// The whole report; also its JSON form.
#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    settings: Vec<Setting>,
    credentials: Vec<Setting>,
    checks: Vec<Check>,
}

/// A value in effect and where it came from; never a secret.
#[derive(Debug, Serialize)]
struct Setting {
    name: String,
    value: String,
    source: String,
}

/// One thing that was tried.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    verdict: Verdict,
    lines: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Warning,
    Failed,
}

pub(super) async fn run(config: Config, arguments: &DoctorArguments) -> anyhow::Result<Exit> {
    let paint = Paint(config.color);
    let app = App::open(config).await?;
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        settings: settings(&app),
        credentials: credentials(app.config()),
        checks: checks(&app).await?,
    };
    app.close().await;
    print(&if arguments.json { serde_json::to_string_pretty(&report)? } else { shown(&report, paint)? })?;
    let failed = report.checks.iter().any(|check| check.verdict == Verdict::Failed);
    Ok(if failed { Exit::Refused } else { Exit::Ok })
}

/// The site always, and every option that somebody set.
fn settings(app: &App) -> Vec<Setting> {
    let config = app.config();
    let mut settings = vec![Setting {
        name: "site".to_owned(),
        value: config.site.name().to_owned(),
        source: if config.sandbox { "the sandbox".to_owned() } else { config.sources.get("site").map_or_else(String::new, origin) },
    }];
    for option in cli::options() {
        let id = option.flag.trim_start_matches("--").replace('-', "_");
        let set = config.sources.get(&id).filter(|source| **source != Source::Default);
        if let Some(source) = set.filter(|_| id != "site") {
            settings.push(Setting {
                value: value(config, &id),
                name: option.flag.trim_start_matches("--").to_owned(),
                source: origin(source),
            });
        }
    }
    settings
}

/// What an option came to. Only what cannot hold a secret is shown.
fn value(config: &Config, id: &str) -> String {
    match id {
        "org" => config.org.clone(),
        "toolsets" => config.selection.toolsets.join(","),
        "tools" => config.selection.tools.join(","),
        "exclude_tools" => config.selection.exclude.join(","),
        "tools_dir" => config.tools_dir.as_ref().map(|dir| dir.display().to_string()).unwrap_or_default(),
        "allow_writes" | "read_only" => if config.selection.allow_writes { "writes are offered" } else { "read-only" }.to_owned(),
        "allow_secrets" => config.selection.allow_secrets.to_string(),
        "answer_tokens" => config.answers.default_tokens.to_string(),
        "max_tokens" => config.answers.max_tokens.to_string(),
        "no_mask" => (!config.answers.mask_secrets).to_string(),
        "timeout" => format!("{:?}", config.client.deadline),
        "max_answer_mb" => (config.client.max_answer_bytes >> 20).to_string(),
        "proxy" | "proxy_from_env" => if config.client.proxy.is_some() { "in use" } else { "not in use" }.to_owned(),
        "sandbox" => config.sandbox.to_string(),
        _ => "set".to_owned(),
    }
}

fn origin(source: &Source) -> String {
    match source {
        Source::Option => "command line".to_owned(),
        Source::Variable(name) => name.clone(),
        Source::File(path) => path.display().to_string(),
        Source::Default => "default".to_owned(),
    }
}

fn credentials(config: &Config) -> Vec<Setting> {
    let one = |name: &str, found: &Option<Found>| Setting {
        name: name.to_owned(),
        value: if found.is_some() { "set, not shown" } else { "not set" }.to_owned(),
        source: found.as_ref().map(|found| found.place.clone()).unwrap_or_default(),
    };
    let all = &config.credentials;
    vec![one("API key", &all.api_key), one("application key", &all.app_key), one("bearer token", &all.bearer)]
}

async fn checks(app: &App) -> anyhow::Result<Vec<Check>> {
    let mut checks = vec![offered(app)];
    let (reach, clock) = reach(app).await;
    let reached = reach.verdict != Verdict::Failed;
    checks.push(reach);
    checks.extend(clock);
    if reached {
        checks.extend(identity(app).await?);
    }
    Ok(checks)
}

fn offered(app: &App) -> Check {
    let registry = app.toolbox().registry();
    let kind = if app.config().selection.allow_writes { "reads and writes" } else { "reads" };
    let line = format!("{} offered of {}; {kind}", registry.listed().len(), registry.all().len());
    Check { name: "tools", verdict: Verdict::Ok, lines: vec![line] }
}

/// Whether the site answers, and how its clock and ours differ.
async fn reach(app: &App) -> (Check, Option<Check>) {
    let site = app.config().site.name();
    let check = |verdict, line: String| Check { name: "site", verdict, lines: vec![line] };
    let Some(operation) = datadog_catalogue::operation(OPEN_OPERATION) else {
        return (check(Verdict::Warning, format!("{OPEN_OPERATION} is not in the catalogue")), None);
    };
    let started = Instant::now();
    let limits = CallLimits { deadline: Some(PATIENCE), ..CallLimits::default() };
    let sent = match Request::plan(operation, &Map::new()) {
        Ok(request) => app.toolbox().client().send(&Principal::local(), &request, &limits).await,
        Err(refusal) => Err(refusal),
    };
    let ms = started.elapsed().as_millis();
    match sent {
        Ok(reply) => (check(Verdict::Ok, format!("{site} answered in {ms} ms")), reply.date.map(|date| clock(date.as_second()))),
        // Any answer with a status is an answer.
        Err(refusal) if refusal.status.is_some() => (check(Verdict::Ok, format!("{site} answered in {ms} ms")), None),
        Err(refusal) => {
            let mut failed = check(Verdict::Failed, format!("{site} does not answer: {}", refusal.message));
            failed.lines.extend(refusal.why);
            (failed, None)
        }
    }
}

fn clock(theirs: i64) -> Check {
    let ours = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
    let off = ours - theirs;
    let (verdict, line) = if off.abs() > SKEW_S {
        let way = if off > 0 { "ahead of" } else { "behind" };
        (
            Verdict::Warning,
            format!("{} s {way} Datadog's: relative times (15m, now-2h) reach the wrong range; set this machine's clock", off.abs()),
        )
    } else {
        (Verdict::Ok, "agrees with Datadog's".to_owned())
    };
    Check { name: "clock", verdict, lines: vec![line] }
}

/// Who acts, and which of the tools offered that identity cannot use: what `auth_status` tells an agent.
async fn identity(app: &App) -> anyhow::Result<Vec<Check>> {
    let status = match send(app, "auth_status", Map::new(), Output::Text).await? {
        Ok(answer) => answer.structured.unwrap_or_default(),
        Err(CallError::Refused(refusal)) => return Ok(vec![refused(&refusal)]),
        Err(CallError::UnknownTool { .. }) => {
            let line = "not checked: auth_status is not among the tools offered".to_owned();
            return Ok(vec![Check { name: "credential", verdict: Verdict::Warning, lines: vec![line] }]);
        }
    };
    let notes = || status["notes"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    if status["signed_in"] != true {
        let mut lines = vec!["Datadog does not accept it, or none is configured".to_owned()];
        lines.extend(notes());
        return Ok(vec![Check { name: "credential", verdict: Verdict::Failed, lines }]);
    }
    let who = status["identity"]["handle"].as_str().unwrap_or("an identity that may not read its own name");
    let mut lines = vec![format!("accepted: {who}, by {}", status["credential"].as_str().unwrap_or("?"))];
    lines.extend(notes());
    let accepted = Check { name: "credential", verdict: Verdict::Ok, lines };
    let closed: Vec<String> = status["cannot_use"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tool| format!("{}: {}", tool["tool"].as_str().unwrap_or("?"), tool["why"].as_str().unwrap_or("?")))
        .collect();
    let reach = if closed.is_empty() {
        Check { name: "reach", verdict: Verdict::Ok, lines: vec!["no tool offered is known to be closed to it".to_owned()] }
    } else {
        Check { name: "reach", verdict: Verdict::Warning, lines: closed }
    };
    Ok(vec![accepted, reach])
}

fn refused(refusal: &Refusal) -> Check {
    let verdict = if refusal.kind == Kind::RateLimited { Verdict::Warning } else { Verdict::Failed };
    let mut lines = vec![refusal.message.clone()];
    lines.extend(refusal.why.clone());
    lines.extend(refusal.fixes.iter().map(|fix| format!("{}: {}", fix.action, fix.why)));
    Check { name: "credential", verdict, lines }
}

fn shown(report: &Report, paint: Paint) -> anyhow::Result<String> {
    let mut text = format!("{} {}\n\n", paint.bold("datadog-mcp"), report.version);
    for (heading, settings) in [("Configuration", &report.settings), ("Credentials", &report.credentials)] {
        writeln!(text, "{}", paint.bold(heading))?;
        for setting in settings {
            writeln!(text, "  {:16} {}  {}", setting.name, setting.value, paint.dim(&setting.source))?;
        }
        text.push('\n');
    }
    writeln!(text, "{}", paint.bold("Checks"))?;
    for check in &report.checks {
        let mark = match check.verdict {
            Verdict::Ok => paint.green("✓"),
            Verdict::Warning => paint.yellow("!"),
            Verdict::Failed => paint.red("✗"),
        };
        for (at, line) in check.lines.iter().enumerate() {
            let name = if at == 0 { check.name } else { "" };
            let mark = if at == 0 { mark.as_str() } else { " " };
            writeln!(text, "  {mark} {name:14} {line}")?;
        }
    }
    Ok(text)
}
