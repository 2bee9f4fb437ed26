//! Tools defined as data: the TOML format, read and checked with file, line and reason.
//!
//! One file holds a toolset's tools. A tool is one API operation: arguments, where each one goes, rows and columns.
//!
//! ```toml
//! toolset = "core"
//!
//! [[tool]]
//! name = "monitors_search"
//! title = "Search monitors"
//! description = "…"
//! effect = "read"                  # read | write | destructive
//! operation = "v1.SearchMonitors"  # method, path, scopes, permission and paging come from the catalogue
//! subject = "monitors"             # what the rows are, plural; "records" when left out
//! rows = "monitors"                # where the records stand; found when left out
//! columns = ["id", "name", { path = "last_triggered_ts", name = "last_triggered", form = "seconds" }]
//! # ^ a column's path is looked for in the record, else below its `attributes`
//! drop = ["counts"]                # fields nobody needs; said in the answer
//! link = "/monitors/manage?q={query}"
//! then = "monitor_get reads one whole."
//!
//! [tool.arguments.query]
//! type = "string"                  # string | integer | number | boolean | list
//! description = "Monitor query, e.g. status:alert"
//! to = "query.query"               # path.<name> | query.<name> | body.<dotted path>; left out: only in templates
//!
//! [tool.time]                      # adds `from` and `to`
//! from = "body.filter.from"
//! to = "body.filter.to"
//! unit = "iso"                     # iso | ms | s
//! default = "15m"
//!
//! [tool.fixed]                     # sent with every call; `{name}` is replaced by the argument, quoted as query text
//! "body.filter.query" = "service:{service} status:error"
//! ```

mod check;
mod format;

use crate::{RegistryError, Tool};
use std::path::Path;

pub(crate) use format::{Definition, TimeArguments, TimeUnit};

/// Built-in definitions: file name and text.
const BUILT_IN: &[(&str, &str)] = &[("core.toml", include_str!("../../definitions/core.toml"))];

/// The built-in tools.
pub(crate) fn built_in() -> Result<Vec<Tool>, RegistryError> {
    let mut tools = Vec::new();
    for (name, text) in BUILT_IN {
        tools.extend(read(name, text)?);
    }
    Ok(tools)
}

/// The tools in the `*.toml` files of a folder, in the order of the file names.
pub fn read_dir(dir: &Path) -> Result<Vec<Tool>, RegistryError> {
    let failed = |error: std::io::Error| RegistryError(format!("the folder of tools cannot be read: {error}"));
    let mut paths: Vec<_> = fs_err::read_dir(dir)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    let mut tools = Vec::new();
    for path in paths {
        let text = fs_err::read_to_string(&path).map_err(failed)?;
        tools.extend(read(&path.display().to_string(), &text)?);
    }
    Ok(tools)
}

/// The tools of one file; an error names file, line and reason.
pub fn read(file: &str, text: &str) -> Result<Vec<Tool>, RegistryError> {
    let parsed: format::File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        RegistryError(format!("{file}:{line}: {}", error.message()))
    })?;
    if parsed.tools.is_empty() {
        return Err(RegistryError(format!("{file}:1: it defines no tool; a tool begins with [[tool]]")));
    }
    let mut tools = Vec::new();
    for raw in parsed.tools {
        let line = line_of(text, raw.span().start);
        let definition = check::check(&parsed.toolset, raw.into_inner()).map_err(|why| RegistryError(format!("{file}:{line}: {why}")))?;
        tools.push(definition.into_tool());
    }
    Ok(tools)
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
