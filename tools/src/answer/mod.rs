//! Answers made for a context window: facts line, compact table in a fence, notes, cursor.

mod body;
mod cells;
mod cursor;
mod fence;
mod json;
mod mask;
mod refusal;
mod render;
#[cfg(test)]
mod samples;
mod table;
#[cfg(test)]
mod tests;
mod tokens;
mod view;
mod when;

pub use cursor::{ArgumentsDigest, Sealer, arguments_digest};
pub use fence::fenced;
pub use refusal::{refusal_structured, refusal_text};
pub use render::{RenderContext, render};
pub use view::{MIN_TOKENS, ViewArguments, ViewDefaults, view_properties};

use crate::{TimeRange, rows::RawRecords};
use datadog_client::{Identity, RateFacts, Reply};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a tool found, before it is rendered.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What the rows are, plural: `logs`, `monitors`.
    pub subject: String,
    /// The rows, record or text.
    pub content: Content,
    /// Absolute range that was asked of Datadog.
    pub range: Option<TimeRange>,
    /// How many there are in all.
    pub total: Total,
    /// The same view in the Datadog UI.
    pub link: Option<String>,
    /// More for the line of facts, e.g. `tier: indexes`.
    pub facts: Vec<String>,
    /// Lines out of telemetry that explain the rows, or why there are none (values a facet has); fenced, after the rows.
    pub hints: Vec<String>,
    /// Notes after the rows: partial, sampled, another identity used, next step.
    pub notes: Vec<String>,
    /// State that yields the page after this one; `None` when this is the last.
    pub next: Option<Value>,
    /// Same as the text, for tools that declare an output schema.
    pub structured: Option<Value>,
}

/// What a draft holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// Records to show as a table.
    Rows {
        /// One JSON object a record, as nested as Datadog gave it.
        records: Vec<Value>,
        /// Dotted paths shown by default, best first; empty shows every column that says something.
        columns: Vec<Column>,
    },
    /// The same for large pages: records stay text until they are shown (`reply.decode::<RawAnswer>()`).
    Raw {
        /// The records as they came.
        records: RawRecords,
        /// As for [`Content::Rows`].
        columns: Vec<Column>,
    },
    /// One record whole, shown as JSON.
    Record(Value),
    /// Lines the tool laid out itself from telemetry (a trace tree, series); fenced, cut at line ends.
    Lines(Vec<String>),
    /// Our own words (a list of tools, a status); not fenced.
    Words(String),
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Dotted path in the record, e.g. `attributes.message`.
    pub path: String,
    /// Header, e.g. `message`.
    pub name: String,
    /// How the value is shown.
    #[serde(default)]
    pub form: Form,
}

/// How a value of a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As it is.
    #[default]
    Plain,
    /// ISO text or epoch milliseconds, shown as time.
    Time,
    /// Epoch seconds, shown as time.
    Seconds,
    /// Nanoseconds, shown as a duration.
    Nanos,
    /// Never cut: ids.
    Id,
}

/// How many records there are in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Datadog said it, or everything is here.
    Exact(u64),
    /// At least this many.
    AtLeast(u64),
    /// Datadog does not say.
    Unknown,
}

/// How the caller wants to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Columns asked for by dotted path or header; empty: the default ones; `["*"]`: all.
    pub fields: Vec<String>,
    /// Budget in estimated tokens.
    pub max_tokens: usize,
    /// `detail: "full"`: every record whole as JSON.
    pub full: bool,
    /// Text table or JSON rows.
    pub output: Output,
    /// Mask secrets in telemetry.
    pub mask: bool,
}

/// Form of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Output {
    /// Compact table for agents.
    #[default]
    Text,
    /// Rows as JSON text for programs.
    Json,
}

/// Where a cursor goes on: the state of the page, how many of its rows were shown, and the first page's instant and range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// State that the tool put into [`Draft::next`]; `None` for the first page.
    pub state: Option<Value>,
    /// Rows of that page that were shown before.
    pub skip: usize,
    /// Rows of all pages that were shown before.
    #[serde(default)]
    pub seen: u64,
    /// Absolute range of the first page.
    pub range: Option<TimeRange>,
}

/// A rendered answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What the agent reads.
    pub text: String,
    /// The same as structure, for tools that declare an output schema.
    pub structured: Option<Value>,
}

impl Draft {
    /// Rows without anything else said about them.
    #[must_use]
    pub fn rows(subject: &str, records: Vec<Value>, columns: Vec<Column>) -> Self {
        Self::new(subject, Content::Rows { records, columns })
    }

    /// Rows of a large page, parsed only as far as they are shown.
    #[must_use]
    pub fn raw(subject: &str, records: RawRecords, columns: Vec<Column>) -> Self {
        Self::new(subject, Content::Raw { records, columns })
    }

    /// A draft of any content.
    #[must_use]
    pub fn new(subject: &str, content: Content) -> Self {
        Self {
            subject: subject.to_owned(),
            content,
            range: None,
            total: Total::Unknown,
            link: None,
            facts: Vec::new(),
            hints: Vec::new(),
            notes: Vec::new(),
            next: None,
            structured: None,
        }
    }

    /// Notes what the reply says beside its body: another identity used, few calls left.
    pub fn heed(&mut self, reply: &Reply) {
        self.heed_parts(&reply.identity, reply.rate.as_ref());
    }

    fn heed_parts(&mut self, identity: &Identity, rate: Option<&RateFacts>) {
        if let Some(why) = &identity.instead_of {
            self.notes.push(format!("Answered with {} because {why}: another identity acted.", identity.kind.word()));
        }
        if let Some(rate) = rate
            && rate.remaining * 10 <= rate.limit
        {
            let bucket = rate.name.as_deref().unwrap_or("this endpoint");
            self.notes.push(format!("Rate limit: {} of {} calls left on {bucket} for {} s.", rate.remaining, rate.limit, rate.reset_s));
        }
    }
}

/// Estimated tokens of a text, as the budget of an answer counts them.
#[must_use]
pub(crate) fn estimated_tokens(text: &str) -> usize {
    tokens::estimate(text)
}
