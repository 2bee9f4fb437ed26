//! `cargo xtask tokens`: what the tools cost a client's context window, held against the budget.

use crate::server::Server;
use anyhow::{Result, bail};
use tiktoken_rs::o200k_base;

/// Budget of `tools/list` in the default toolset, and of one tool (o200k).
const LIST: usize = 9_000;
const TOOL: usize = 450;
/// Most tools in the default toolset.
const TOOLS: usize = 25;

/// Counts, prints a table, fails when a budget is passed.
pub(crate) fn run() -> Result<()> {
    let tokens = o200k_base()?;
    let tools = Server::start(&["--allow-writes"])?.tools()?;
    let mut counts: Vec<(usize, String)> = tools
        .iter()
        .map(|tool| (tokens.encode_ordinary(&tool.to_string()).len(), tool["name"].as_str().unwrap_or_default().to_owned()))
        .collect();
    counts.sort_by(|a, b| b.cmp(a));
    let total: usize = counts.iter().map(|(count, _)| count).sum();
    for (count, name) in &counts {
        println!("{count:>6}  {name}");
    }
    println!("{total:>6}  of {LIST} in {} tools", counts.len());
    let over: Vec<&str> = counts.iter().filter(|(count, _)| *count > TOOL).map(|(_, name)| name.as_str()).collect();
    if total > LIST || counts.len() > TOOLS || !over.is_empty() {
        bail!("over the budget of {LIST} tokens, {TOOLS} tools and {TOOL} tokens a tool: {}", over.join(", "));
    }
    Ok(())
}
