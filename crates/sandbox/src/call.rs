//! One request as a product's handler sees it.

use crate::accounts::Identity;
use crate::reply::{Answer, Reply};
use crate::sandbox::Inner;
use crate::story::World;
use crate::time;
use datadog_catalogue::Operation;
use serde_json::Value;
use std::sync::Arc;

/// A request that has passed sign-in, permission and rate limit.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) world: Arc<World>,
    pub(crate) operation: &'static Operation,
    /// Decoded segments by the names of the path template.
    pub(crate) segments: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(String, String)>,
    /// `Null` when there was none.
    pub(crate) body: Value,
    /// The sandbox's clock, milliseconds.
    pub(crate) now: i64,
    /// `http://host:port` for links.
    pub(crate) base: String,
    pub(crate) who: &'a Identity,
}

/// Offsets and page numbers beyond it are behind the last page anyway.
const FARTHEST: i64 = 1_000_000_000;

/// Answers one operation.
pub(crate) type Handler = fn(&Call<'_>) -> Answer;

impl Call<'_> {
    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// A path parameter; empty when the template has none of the name.
    pub(crate) fn segment(&self, name: &str) -> &str {
        self.segments.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// A query parameter.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A list: repeated, or joined with commas.
    pub(crate) fn params(&self, name: &str) -> Vec<&str> {
        self.query.iter().filter(|(key, _)| key == name).flat_map(|(_, value)| value.split(',')).filter(|value| !value.is_empty()).collect()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.param(name) == Some("true")
    }

    /// A whole number of the query; 400 when it is none.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Reply> {
        self.param(name)
            .map(|text| text.parse().map_err(|_| Reply::errors(400, &[&format!("Invalid value for parameter '{name}': not a number")])))
            .transpose()
    }

    /// Epoch seconds, kept within the years that exist.
    pub(crate) fn seconds(&self, name: &str) -> Result<Option<i64>, Reply> {
        Ok(self.number(name)?.map(|seconds| seconds.clamp(0, time::LATEST / 1_000)))
    }

    /// A page size: its default when absent, 400 when out of range.
    pub(crate) fn page_size(&self, name: &str, default: usize, max: usize) -> Result<usize, Reply> {
        match self.number(name)? {
            None => Ok(default),
            Some(n) if n >= 1 && n <= max as i64 => Ok(n as usize),
            Some(_) => Err(Reply::errors(400, &[&format!("Parameter '{name}' must be between 1 and {max}")])),
        }
    }

    /// A page number or offset, 0 when absent.
    pub(crate) fn offset(&self, name: &str) -> Result<usize, Reply> {
        match self.number(name)? {
            None => Ok(0),
            Some(n) if n >= 0 => Ok(n.min(FARTHEST) as usize),
            Some(_) => Err(Reply::errors(400, &[&format!("Parameter '{name}' must not be negative")])),
        }
    }

    /// The JSON body; 400 when there is none.
    pub(crate) fn object(&self) -> Result<&serde_json::Map<String, Value>, Reply> {
        self.body.as_object().ok_or_else(|| Reply::errors(400, &["The request needs a JSON object as body"]))
    }
}
