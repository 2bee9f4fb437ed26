//! `call TOOL JSON`: the same way as a call over the protocol, with the answer on standard output.

use super::{App, print, signals::Signals};
use crate::{
    cli::{CallArguments, OutputForm},
    config::{Config, ConfigError},
    exit::Exit,
};
use datadog_client::{CallLimits, Principal, Refusal};
use datadog_tools::{Answer, Call, CallError, Output, Progress, answer::refusal_structured};
use serde_json::{Map, Value};
use std::io::{self, IsTerminal as _, Read as _, Write as _};

pub(super) async fn run(config: Config, arguments: CallArguments) -> anyhow::Result<Exit> {
    let given = read_arguments(&arguments.arguments)?;
    let app = App::open(config).await?;
    let exit = call(&app, &arguments, given).await;
    app.close().await;
    exit
}

async fn call(app: &App, arguments: &CallArguments, given: Map<String, Value>) -> anyhow::Result<Exit> {
    let output = match arguments.output {
        OutputForm::Text => Output::Text,
        OutputForm::Json => Output::Json,
    };
    match send(app, &arguments.tool, given, output).await? {
        Ok(answer) => {
            print(&answer.text)?;
            Ok(Exit::Ok)
        }
        Err(CallError::UnknownTool { nearest }) => {
            let near = if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(" or ")) };
            Err(ConfigError::Value(format!("no tool `{}` is offered with these options{near}", arguments.tool)).into())
        }
        Err(CallError::Refused(refusal)) => {
            print(&shown(app, &refusal, arguments.output)?)?;
            Ok(Exit::Refused)
        }
    }
}

/// Calls a tool as the local user; Ctrl-C cancels it.
pub(super) async fn send(
    app: &App,
    tool: &str,
    arguments: Map<String, Value>,
    output: Output,
) -> anyhow::Result<Result<Answer, CallError>> {
    let limits = CallLimits::default();
    let mut signals = Signals::new()?;
    let cancel = limits.cancel.clone();
    let watching = tokio::spawn(async move {
        signals.next().await;
        cancel.cancel();
    });
    let who = Principal::local();
    let way = Call { who: &who, limits: &limits, progress: &OnTerminal, output };
    let answered = app.toolbox().call(&way, tool, arguments).await;
    watching.abort();
    Ok(answered)
}

fn shown(app: &App, refusal: &Refusal, form: OutputForm) -> anyhow::Result<String> {
    Ok(match form {
        OutputForm::Text => app.toolbox().refusal_text(refusal),
        OutputForm::Json => serde_json::to_string_pretty(&refusal_structured(refusal))?,
    })
}

/// A JSON object from the command line, from standard input (`-`) or from a file (`@FILE`).
fn read_arguments(text: &str) -> anyhow::Result<Map<String, Value>> {
    let (read, place) = match text.strip_prefix('@') {
        _ if text == "-" => {
            let mut all = String::new();
            io::stdin().lock().read_to_string(&mut all).map_err(|error| ConfigError::Value(format!("standard input: {error}")))?;
            (all, "standard input".to_owned())
        }
        Some(file) => (fs_err::read_to_string(file).map_err(|error| ConfigError::Value(error.to_string()))?, file.to_owned()),
        None => (text.to_owned(), "the arguments".to_owned()),
    };
    serde_json::from_str(&read).map_err(|error| ConfigError::Value(format!("{place}: not a JSON object: {error}")).into())
}

/// Progress for a person who waits.
struct OnTerminal;

impl Progress for OnTerminal {
    fn report(&self, done: u64, total: Option<u64>, message: &str) {
        let mut out = io::stderr();
        if out.is_terminal() {
            let of = total.map_or_else(String::new, |total| format!("/{total}"));
            // Progress that cannot be shown is not worth failing for.
            let _unseen = writeln!(out, "… {done}{of} {message}");
        }
    }
}
