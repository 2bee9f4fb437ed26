//! One page of a search over sorted records: time range, query, order, cursor; and the reading of its parameters.

use crate::call::Call;
use crate::json::put;
use crate::query::{self, Query, Searchable};
use crate::reply::Reply;
use crate::time;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// What a search asks for.
#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) query: Query,
    /// Milliseconds, both ends included.
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) newest_first: bool,
    pub(crate) limit: usize,
    /// The world that positions count in.
    world: i64,
    /// Position of the last record of the page before.
    after: Option<usize>,
    pub(crate) indexes: Vec<String>,
    pub(crate) tier: Option<String>,
}

/// How a product refuses a field.
pub(crate) type Refuse = fn(field: &str, why: &str) -> Reply;

/// The largest page of every event search.
const LARGEST: u64 = 1_000;

impl Search {
    /// From a JSON body `{filter:{query,from,to,…},page:{limit,cursor},sort}`.
    pub(crate) fn of_body(body: &Value, call: &Call<'_>, refuse: Refuse) -> Result<Self, Reply> {
        if !body.is_null() && !body.is_object() {
            return Err(refuse("body", "an object is needed"));
        }
        let filter = &body["filter"];
        let page = &body["page"];
        let limit = match &page["limit"] {
            Value::Null => None,
            value => Some(value.as_u64().ok_or_else(|| refuse("page.limit", "a positive whole number is needed"))?),
        };
        let indexes = filter["indexes"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        Self::new(
            [&filter["query"], &filter["from"], &filter["to"], &page["cursor"], &body["sort"]],
            limit,
            indexes,
            filter["storage_tier"].as_str().map(str::to_owned),
            call,
            refuse,
        )
    }

    /// From `filter[query]`, `page[limit]` and so on.
    pub(crate) fn of_query(call: &Call<'_>, refuse: Refuse) -> Result<Self, Reply> {
        let value = |name: &str| call.param(name).map_or(Value::Null, |text| json!(text));
        let limit = call
            .param("page[limit]")
            .map(|text| text.parse::<u64>().map_err(|_| refuse("page[limit]", "a positive whole number is needed")))
            .transpose()?;
        let indexes = call.params("filter[indexes]").into_iter().chain(call.params("filter[index]")).map(str::to_owned).collect();
        let fields = ["filter[query]", "filter[from]", "filter[to]", "page[cursor]", "sort"].map(value);
        Self::new(fields.each_ref(), limit, indexes, call.param("filter[storage_tier]").map(str::to_owned), call, refuse)
    }

    fn new(
        [text, from, to, cursor, sort]: [&Value; 5],
        limit: Option<u64>,
        indexes: Vec<String>,
        tier: Option<String>,
        call: &Call<'_>,
        refuse: Refuse,
    ) -> Result<Self, Reply> {
        let limit = match limit {
            None => 10,
            Some(limit) if (1..=LARGEST).contains(&limit) => limit as usize,
            Some(_) => return Err(refuse("page.limit", "it must be between 1 and 1000")),
        };
        let newest_first = match sort {
            Value::Null => true,
            Value::String(sort) if sort == "timestamp" => false,
            Value::String(sort) if sort == "-timestamp" => true,
            _ => return Err(refuse("sort", "timestamp and -timestamp are the orders")),
        };
        let (from, to) = range(from, to, call.now, refuse)?;
        let query = parse_query(text, refuse)?;
        let mut search = Self { query, from, to, newest_first, limit, world: call.world().now, after: None, indexes, tier };
        match cursor {
            Value::Null => {}
            Value::String(cursor) => search.resume(cursor).ok_or_else(|| refuse("page", "invalid cursor"))?,
            _ => return Err(refuse("page", "invalid cursor")),
        }
        Ok(search)
    }

    /// Goes on behind a page. The cursor keeps the range of the first page, so that `now` does not move it.
    fn resume(&mut self, cursor: &str) -> Option<()> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let value: Value = serde_json::from_slice(&bytes).ok()?;
        let mut parts = value["after"].as_str()?.split('.').map(str::parse::<i64>);
        let (from, to, at) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
        if parts.next()?.ok()? != self.world {
            return None;
        }
        (self.from, self.to, self.after) = (from, to, Some(usize::try_from(at).ok()?));
        Some(())
    }

    fn cursor(&self, at: usize) -> String {
        URL_SAFE_NO_PAD.encode(json!({"after": format!("{}.{}.{at}.{}", self.from, self.to, self.world)}).to_string())
    }

    /// Positions of the page's records, and the cursor behind them. As Datadog does, a full page has a cursor even when nothing follows.
    pub(crate) fn page<R: Searchable>(
        &self,
        records: &[R],
        at: impl Fn(&R) -> i64,
        also: impl Fn(&R) -> bool,
    ) -> (Vec<usize>, Option<String>) {
        let mut first = records.partition_point(|record| at(record) < self.from);
        let mut end = records.partition_point(|record| at(record) <= self.to).max(first);
        match self.after {
            Some(after) if self.newest_first => end = end.min(after).max(first),
            Some(after) => first = first.max(after.saturating_add(1)).min(end),
            None => {}
        }
        let fits = |position: &usize| also(&records[*position]) && self.query.fits(&records[*position]);
        let page: Vec<usize> = if self.newest_first {
            (first..end).rev().filter(fits).take(self.limit).collect()
        } else {
            (first..end).filter(fits).take(self.limit).collect()
        };
        let cursor = page.last().filter(|_| page.len() == self.limit).map(|last| self.cursor(*last));
        (page, cursor)
    }
}

/// Reads a query out of JSON; nothing is everything.
pub(crate) fn parse_query(text: &Value, refuse: Refuse) -> Result<Query, Reply> {
    match text {
        Value::Null => Ok(Query::All),
        Value::String(text) => query::parse(text).map_err(|error| refuse("filter.query", &error.to_string())),
        _ => Err(refuse("filter.query", "a text is needed")),
    }
}

/// Reads a time range; the last fifteen minutes when nothing is said.
pub(crate) fn range(from: &Value, to: &Value, now: i64, refuse: Refuse) -> Result<(i64, i64), Reply> {
    let read = |value: &Value, default: i64, field: &str| match value {
        Value::Null => Ok(default),
        value => time::parse_value(value, now).ok_or_else(|| refuse(field, "not a time: use now-15m, ISO 8601 or milliseconds")),
    };
    let to = read(to, now, "filter.to")?.clamp(0, time::LATEST);
    let from = read(from, now - 900_000, "filter.from")?.clamp(0, time::LATEST);
    if from > to {
        return Err(refuse("filter.from,to", "'from' should be before 'to'"));
    }
    Ok((from, to))
}

/// `links.next` of a search: its GET twin with the cursor.
pub(crate) fn next_link(call: &Call<'_>, path: &str, search: &Search, cursor: &str) -> String {
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("sort", if search.newest_first { "-timestamp" } else { "timestamp" });
    pairs.append_pair("page[cursor]", cursor);
    pairs.append_pair("page[limit]", &search.limit.to_string());
    let text = call.body.pointer("/filter/query").or_else(|| call.body.pointer("/data/attributes/filter/query")).and_then(Value::as_str);
    if let Some(text) = text.or_else(|| call.param("filter[query]")) {
        pairs.append_pair("filter[query]", text);
    }
    pairs.append_pair("filter[from]", &search.from.to_string());
    pairs.append_pair("filter[to]", &search.to.to_string());
    format!("{}{path}?{}", call.base, pairs.finish())
}

/// Appends `meta` and `links` and the closing brace to `{"data":[…]`. A page with a cursor has nothing but the cursor in its
/// `meta`, except with spans, whose `meta` is `full`.
pub(crate) fn close(out: &mut String, call: &Call<'_>, path: &str, search: &Search, cursor: Option<String>, full: bool) {
    let mut meta = json!({});
    if full || cursor.is_none() {
        meta = json!({"elapsed": 11, "request_id": request_id(call.now), "status": "done"});
    }
    if let Some(cursor) = cursor {
        meta["page"] = json!({"after": cursor});
        let links = json!({"next": next_link(call, path, search, &cursor)});
        put(out, format_args!(",\"meta\":{meta},\"links\":{links}}}"));
    } else {
        put(out, format_args!(",\"meta\":{meta}}}"));
    }
}

/// An opaque request id of Datadog's length.
pub(crate) fn request_id(now: i64) -> String {
    let mut dice = crate::dice::Dice::of(now as u64, "request-id", 0);
    format!("sandbox-{}", dice.hex(104))
}
