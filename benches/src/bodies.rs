//! The prepared answers of the stand-in, and which one a request gets.

use crate::events::{Weight, event};
use bytes::Bytes;
use serde::Deserialize;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Size of the largest answers, bytes.
pub const LARGE: usize = 22_000_000;

/// Answers for which the query asks instead of the page's limit; both are [`LARGE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Large {
    /// As many usual events as it takes (more than Datadog gives in one page).
    Many,
    /// One page of heavy events.
    Heavy,
}

impl Large {
    /// The word of the query that asks for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Many => "bench_body:many",
            Self::Heavy => "bench_body:heavy",
        }
    }
}

/// What a request asks of the stand-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Events of the answer.
    pub content: Content,
    /// How long the answer is held back.
    pub delay: Duration,
}

/// Which events an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// The first so many usual ones.
    First(usize),
    /// A large answer.
    Large(Large),
    /// None: a page after the first.
    Nothing,
}

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    filter: Filter,
    #[serde(default)]
    page: Page,
}

#[derive(Default, Deserialize)]
struct Filter {
    #[serde(default)]
    query: String,
}

#[derive(Default, Deserialize)]
struct Page {
    limit: Option<usize>,
    cursor: Option<String>,
}

impl Asked {
    /// Reads the body of a log search (`LogsListRequest`): `page.limit` (1–1,000, default 10), `page.cursor`, and in `filter.query` the
    /// words `bench_body:many`, `bench_body:heavy` and `bench_delay:<milliseconds>`.
    pub fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        let Request { filter, page } = serde_json::from_slice(body)?;
        let words = || filter.query.split_whitespace();
        let large = [Large::Many, Large::Heavy].into_iter().find(|large| words().any(|word| word == large.word()));
        let content = match large {
            _ if page.cursor.is_some() => Content::Nothing,
            Some(large) => Content::Large(large),
            None => Content::First(page.limit.unwrap_or(10).min(1_000)),
        };
        let delay = words().find_map(|word| word.strip_prefix("bench_delay:")?.parse().ok()).unwrap_or(0);
        Ok(Self { content, delay: Duration::from_millis(delay) })
    }
}

/// Prepared answers; a clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Bodies {
    made: Arc<Mutex<HashMap<Content, Bytes>>>,
}

impl Bodies {
    /// The answer, made on first use.
    #[must_use]
    pub fn get(&self, content: Content) -> Bytes {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry(content).or_insert_with(|| make(content)).clone()
    }
}

/// Writes an answer: `{"data":[…],"meta":{…},"links":{…}}` as Datadog does, with a cursor when there is data.
#[must_use]
pub fn make(content: Content) -> Bytes {
    let mut text = String::from("{\"data\":[");
    let usual = (0..).map(|at| event(at, Weight::Usual));
    let heavy = (0..).map(|at| event(at, Weight::Heavy));
    match content {
        Content::Nothing => {}
        Content::First(count) => usual.take(count).for_each(|event| push(&mut text, &event)),
        Content::Large(Large::Many) => fill(&mut text, usual),
        Content::Large(Large::Heavy) => fill(&mut text, heavy),
    }
    text.push_str("],\"meta\":{\"elapsed\":87,\"request_id\":\"bench-request\",\"status\":\"done\"");
    if content != Content::Nothing {
        text.push_str(",\"page\":{\"after\":\"bench-cursor-bench-cursor\"}},\"links\":{\"next\":\"https://api.example.com/next\"");
    }
    text.push_str("}}");
    Bytes::from(text)
}

fn fill(text: &mut String, events: impl Iterator<Item = serde_json::Value>) {
    for event in events {
        push(text, &event);
        if text.len() >= LARGE {
            return;
        }
    }
}

fn push(text: &mut String, event: &serde_json::Value) {
    if !text.ends_with('[') {
        text.push(',');
    }
    text.push_str(&event.to_string());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn asked(body: &Value) -> Asked {
        Asked::read(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn requests_choose_their_answer() {
        let cases = [
            (json!({}), Content::First(10), 0),
            (json!({"page": {"limit": 100}}), Content::First(100), 0),
            (json!({"page": {"limit": 9_999}}), Content::First(1_000), 0),
            (json!({"filter": {"query": "bench_body:many"}, "page": {"limit": 1_000}}), Content::Large(Large::Many), 0),
            (json!({"filter": {"query": "service:a bench_body:heavy bench_delay:50"}}), Content::Large(Large::Heavy), 50),
            (json!({"filter": {"query": "bench_delay:x"}}), Content::First(10), 0),
            (json!({"page": {"limit": 10, "cursor": "bench-cursor"}}), Content::Nothing, 0),
        ];
        for (body, content, delay) in cases {
            assert_eq!(asked(&body), Asked { content, delay: Duration::from_millis(delay) }, "{body}");
        }
        assert!(Asked::read(b"{\"page\":").is_err());
    }

    #[test]
    fn answers_are_json_of_the_size_they_say() {
        for (content, bytes) in
            [(Content::First(10), 22_000..26_000), (Content::First(1_000), 2_250_000..2_600_000), (Content::Nothing, 1..200)]
        {
            let body = make(content);
            assert!(bytes.contains(&body.len()), "{content:?}: {}", body.len());
            let value: Value = serde_json::from_slice(&body).unwrap();
            let count = match content {
                Content::First(count) => count,
                _ => 0,
            };
            assert_eq!(value["data"].as_array().unwrap().len(), count);
            assert_eq!(value["meta"]["page"]["after"].is_string(), count > 0);
        }
    }

    #[test]
    fn an_answer_is_made_once() {
        let bodies = Bodies::default();
        let (first, second) = (bodies.get(Content::First(3)), bodies.clone().get(Content::First(3)));
        assert_eq!(first.as_ptr(), second.as_ptr());
    }

    proptest! {
        #[test]
        fn any_text_as_query_is_read(query in ".*", limit in 0_usize..2_000) {
            let asked = asked(&json!({"filter": {"query": query}, "page": {"limit": limit}}));
            prop_assert!(matches!(asked.content, Content::First(count) if count <= 1_000) || query.contains("bench_body"));
        }
    }
}
