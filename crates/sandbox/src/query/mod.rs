//! Datadog's search syntax, shared by logs, spans, RUM, events and Database Monitoring.
//!
//! Free text and phrases, `key:value` (reserved fields and tags), `@attribute.path:value`, wildcards, `[1 TO 5]`, `>1s`,
//! `-`/`NOT`, `AND` (also implied), `OR`, parentheses, `key:(a OR b)`, `_exists_:key`, `*:anything`, `\` escapes.

mod glob;
mod matching;
mod parse;

pub(crate) use glob::Glob;
pub(crate) use matching::Searchable;
pub(crate) use parse::parse;

/// A parsed query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Query {
    /// Matches everything: `*` or nothing at all.
    All,
    And(Vec<Query>),
    Or(Vec<Query>),
    Not(Box<Query>),
    Term(Field, Test),
}

/// What a term looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    /// The message: free text.
    Message,
    /// A reserved field or a tag: `service:`.
    Key(String),
    /// An attribute: `@http.status_code:`.
    Attribute(String),
    /// The message and every attribute: `*:`.
    Anything,
}

/// What a term asks of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Exists,
    Is(String),
    Like(Glob),
    Range { low: Option<Bound>, high: Option<Bound> },
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    pub(crate) text: String,
    /// As a number, durations in nanoseconds.
    pub(crate) number: Option<f64>,
    pub(crate) inclusive: bool,
}

/// Why a query cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the query at character {at}: {what}")]
pub(crate) struct SyntaxError {
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}
