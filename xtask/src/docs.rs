//! `cargo xtask docs`: the README's tables, generated from what the program says of itself.

use crate::server::Server;
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::fmt::Write as _;

/// Arguments of the task.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail when a table is stale.
    #[arg(long)]
    check: bool,
}

/// Rewrites the tables, or says that they are stale.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let path = crate::workspace().join("README.md");
    let now = fs_err::read_to_string(&path)?;
    let tools = Server::start(&["--allow-writes"])?.tools()?;
    let next = replace(&now, "tools", &tool_table(&tools))?;
    let next = replace(&next, "options", &option_table())?;
    if now == next {
        return Ok(());
    }
    if arguments.check {
        bail!("README.md is stale: run `cargo xtask docs` and commit the result");
    }
    Ok(fs_err::write(&path, next)?)
}

/// Replaces what stands between `<!-- NAME:start -->` and `<!-- NAME:end -->`.
pub(crate) fn replace(text: &str, name: &str, table: &str) -> Result<String> {
    let (start, end) = (format!("<!-- {name}:start -->\n"), format!("<!-- {name}:end -->"));
    let (head, rest) = text.split_once(&start).with_context(|| format!("README.md has no {}", start.trim()))?;
    let (_, tail) = rest.split_once(&end).with_context(|| format!("README.md has no {end}"))?;
    Ok(format!("{head}{start}{table}{end}{tail}"))
}

fn tool_table(tools: &[Value]) -> String {
    let mut table = "| tool | effect | for |\n| --- | --- | --- |\n".to_owned();
    for tool in tools {
        let hint = |name: &str| tool["annotations"][name].as_bool().unwrap_or_default();
        let effect = if hint("readOnlyHint") {
            "read"
        } else if hint("destructiveHint") {
            "write, destructive"
        } else {
            "write"
        };
        let first = first_sentence(tool["description"].as_str().unwrap_or_default());
        let _infallible = writeln!(table, "| `{}` | {effect} | {} |", tool["name"].as_str().unwrap_or_default(), cell(first));
    }
    table
}

/// What a description says first; the rest is for the agent that calls the tool.
fn first_sentence(description: &str) -> &str {
    let line = description.lines().next().unwrap_or_default();
    line.find(". ").map_or(line, |end| line.get(..=end).unwrap_or(line))
}

fn option_table() -> String {
    let mut table = "| flag | variable | `config.toml` | default | what |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for option in datadog_mcp::cli::options() {
        let code = |text: Option<&str>| text.map(|text| format!("`{text}`")).unwrap_or_default();
        let flag = option.value.as_ref().map_or_else(|| option.flag.clone(), |value| format!("{} {value}", option.flag));
        let _infallible = writeln!(
            table,
            "| {} | {} | {} | {} | {} |",
            code(Some(&flag)),
            code(Some(&option.variable)),
            code(option.key.as_deref()),
            code(option.default.as_deref()),
            cell(&option.help)
        );
    }
    table
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::{first_sentence, replace};

    #[test]
    fn a_description_is_cut_after_its_first_sentence() {
        assert_eq!(first_sentence("Finds logs. Next: more.\nQuery"), "Finds logs.");
        assert_eq!(first_sentence("Finds logs\nQuery: x. y"), "Finds logs");
    }

    #[test]
    fn a_table_is_replaced_and_nothing_else() {
        let text = "a\n<!-- t:start -->\nold\n<!-- t:end -->\nb";
        assert_eq!(replace(text, "t", "new\n").unwrap(), "a\n<!-- t:start -->\nnew\n<!-- t:end -->\nb");
        assert!(replace("nothing", "t", "x").is_err());
    }
}
