//! Recorded answers for operations without a simulation: the best fitting one is replayed.

use crate::call::Call;
use crate::reply::{JSON, JSON_API, Reply};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

/// Why recordings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordingsError {
    /// The file cannot be read or unpacked.
    #[error("cannot read the recordings {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not a recording.
    #[error("line {line} of the recordings {path} is not one: {source}")]
    Line {
        /// The file.
        path: String,
        /// Counted from one.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

/// Recorded answers by operation.
#[derive(Debug, Default)]
pub(crate) struct Recordings(HashMap<String, Vec<Recording>>);

#[derive(Debug, Deserialize)]
struct Recording {
    /// Unknown for a few.
    operation: Option<String>,
    path: String,
    #[serde(default)]
    query: Option<String>,
    status: u16,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    response: Option<String>,
}

impl Recordings {
    /// Reads lines of JSON, packed with zstd when the name ends in `.zst`.
    pub(crate) fn open(path: &Path) -> Result<Self, RecordingsError> {
        let name = path.display().to_string();
        let failed = |source| RecordingsError::Read { path: name.clone(), source };
        let file = File::open(path).map_err(failed)?;
        let packed = path.extension().is_some_and(|extension| extension == "zst");
        let reader: Box<dyn Read> = if packed { Box::new(zstd::Decoder::new(file).map_err(failed)?) } else { Box::new(file) };
        let mut by_operation: HashMap<String, Vec<Recording>> = HashMap::new();
        for (at, line) in BufReader::new(reader).lines().enumerate() {
            let line = line.map_err(failed)?;
            if line.trim().is_empty() {
                continue;
            }
            let recording: Recording =
                serde_json::from_str(&line).map_err(|source| RecordingsError::Line { path: name.clone(), line: at + 1, source })?;
            if let Some(operation) = recording.operation.clone() {
                by_operation.entry(operation).or_default().push(recording);
            }
        }
        Ok(Self(by_operation))
    }

    /// The answer that fits best: a success first, then the same path, then the most equal query pairs.
    pub(crate) fn answer(&self, call: &Call<'_>, path: &str) -> Option<Reply> {
        let score = |recording: &&Recording| {
            let pairs = url::form_urlencoded::parse(recording.query.as_deref().unwrap_or_default().as_bytes());
            let shared = pairs.filter(|(key, value)| call.param(key) == Some(value)).count();
            (recording.path == path, recording.status < 300, shared)
        };
        let best = self.0.get(call.operation.id)?.iter().max_by_key(score)?;
        let content_type = match best.content_type.as_deref() {
            Some(kind) if kind.starts_with(JSON_API) => JSON_API,
            Some(kind) if kind.starts_with("text/html") => "text/html",
            Some(kind) if kind.starts_with("text/plain") => "text/plain",
            _ => JSON,
        };
        Some(Reply { status: best.status, ..Reply::text(content_type, best.response.clone().unwrap_or_default()) })
    }
}
