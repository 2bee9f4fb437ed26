//! Records spread over columns, row by row, so that reading stops where the budget ends.

use super::super::{
    Column, Form,
    cells::{ABSENT, Cells, Id},
    mask, when,
};
use super::pick::{Paths, Wanted, tags, value_at, values_at};
use crate::rows::{self, Leaf};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::{borrow::Cow, collections::HashMap};

/// Tokens a time takes, for knowing when to stop reading.
const TIME_TOKENS: usize = 7;

/// One cell before it is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Text(Id),
    /// Shown relative to the date that its column shares.
    Time(Timestamp),
    /// A number that is a time by its field's name, when all others of the column are.
    Maybe(Timestamp, Id),
}

/// One column of the grid.
#[derive(Debug)]
pub(super) struct GridColumn {
    pub(super) path: String,
    /// Header the tool gave it; others get one from their path.
    pub(super) name: Option<String>,
    form: Form,
    /// One key of the list of tags at this path.
    pub(super) tag_of: Option<String>,
    id: bool,
    secret: bool,
    timely: Timely,
    /// Row and entry, rows ascending; rows without an entry are absent.
    entries: Vec<(u32, Entry)>,
}

/// Records spread over columns.
#[derive(Debug)]
pub(in super::super) struct Grid<'a> {
    pub(super) cells: Cells<'a>,
    pub(super) columns: Vec<GridColumn>,
    pub(super) all: bool,
    pub(in super::super) rows: usize,
    /// Tokens of all different values read so far: at least what the rows cost.
    pub(in super::super) spent: usize,
    wanted: Vec<Column>,
    paths: Paths,
    path: String,
    /// Epochs between these are taken for times where only the field's name says so.
    plausible: (Timestamp, Timestamp),
}

/// The ids of one column's first rows, and what its header adds.
pub(super) struct Laid {
    pub(super) ids: Vec<Id>,
    pub(super) label: String,
}

impl<'a> Grid<'a> {
    /// An empty grid; `cap` is the most tokens of one cell.
    pub(in super::super) fn new(wanted: &Wanted, masks: bool, cap: usize) -> Self {
        let (all, wanted) = match wanted {
            Wanted::All(columns) => (true, columns.clone()),
            Wanted::These(columns) => (false, columns.clone()),
        };
        let now = Timestamp::now();
        let hours = |years: i64| SignedDuration::from_hours(years * 8_766);
        let plausible = (now.saturating_sub(hours(20)).unwrap_or(Timestamp::MIN), now.saturating_add(hours(1)).unwrap_or(Timestamp::MAX));
        let mut grid = Self {
            cells: Cells::new(masks, cap),
            columns: Vec::new(),
            all,
            rows: 0,
            spent: 0,
            wanted,
            paths: Paths::default(),
            path: String::new(),
            plausible,
        };
        for at in 0..grid.wanted.len() {
            let column = grid.wanted[at].clone();
            grid.column(&column.path, Some(&column), None);
        }
        grid
    }

    /// Adds one record as the next row.
    pub(in super::super) fn push(&mut self, record: &'a Value) {
        let row = self.rows as u32;
        self.rows += 1;
        if self.all {
            let mut path = std::mem::take(&mut self.path);
            rows::leaves(record, &mut path, &mut |path, leaf| self.leaf(row, path, leaf));
            path.clear();
            self.path = path;
            return;
        }
        for at in 0..self.wanted.len() {
            let path = self.wanted[at].path.clone();
            let mut found = Vec::new();
            values_at(record, &path, &mut found);
            if found.is_empty()
                && let Some(text) = tag_at(record, &path)
            {
                let (column, _) = self.paths.number(&path);
                self.text(row, column, Cow::Owned(text));
            }
            for value in found {
                self.value(row, &path, value);
            }
        }
    }

    /// How many columns there are.
    pub(in super::super) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Everything of one wanted column: an object stays JSON in its cell.
    fn value(&mut self, row: u32, path: &str, value: &'a Value) {
        let leaf = match value {
            Value::Null => return,
            Value::String(text) if text.is_empty() => return,
            Value::Array(items) if items.is_empty() => return,
            Value::Object(map) if map.is_empty() => return,
            Value::Array(items) if !items.iter().any(|item| item.is_object() || item.is_array() || item.is_null()) => Leaf::List(items),
            Value::Array(_) | Value::Object(_) => Leaf::Json(value),
            scalar => Leaf::Scalar(scalar),
        };
        self.leaf(row, path, leaf);
    }

    fn leaf(&mut self, row: u32, path: &str, leaf: Leaf<'a>) {
        let Some(tags) = tags(leaf) else {
            let column = self.free_column(row, path, None);
            self.entry(row, column, leaf);
            return;
        };
        // One cell a key; a key that stands twice keeps both values.
        let mut by_key: Vec<(Option<&'a str>, Cow<'a, str>)> = Vec::with_capacity(tags.len());
        let mut places: HashMap<Option<&'a str>, usize> = HashMap::with_capacity(tags.len());
        for (key, value) in tags {
            if let Some(place) = places.get(&key) {
                let joined = by_key[*place].1.to_mut();
                joined.push_str(if key.is_some() { "|" } else { " " });
                joined.push_str(&if key.is_some() { Cow::Borrowed(value) } else { quoted(value) });
            } else {
                places.insert(key, by_key.len());
                by_key.push((key, if key.is_some() { Cow::Borrowed(value) } else { quoted(value) }));
            }
        }
        let mut full = String::with_capacity(path.len() + 32);
        for (key, value) in by_key {
            full.clear();
            full.push_str(path);
            if let Some(key) = key {
                full.push('.');
                full.push_str(key);
            }
            let column = self.free_column(row, &full, key.map(|_| path));
            self.text(row, column, value);
        }
    }

    fn entry(&mut self, row: u32, column: usize, leaf: Leaf<'a>) {
        let GridColumn { form, timely, secret, .. } = self.columns[column];
        if let Leaf::Scalar(value) = leaf {
            let time = match form {
                Form::Time => when::instant(value, false),
                Form::Seconds => when::instant(value, true),
                Form::Plain if is_iso(value) => when::instant(value, false),
                _ => None,
            };
            if let Some(time) = time {
                self.spent += TIME_TOKENS;
                self.columns[column].entries.push((row, Entry::Time(time)));
                return;
            }
            if let (Form::Nanos, Some(nanos)) = (form, value.as_f64()) {
                self.text(row, column, Cow::Owned(when::nanos(nanos)));
                return;
            }
            if form == Form::Plain
                && timely != Timely::No
                && !secret
                && let Some(time) = when::instant(value, timely == Timely::Seconds)
                && (self.plausible.0..=self.plausible.1).contains(&time)
            {
                let id = self.cells.intern(Leaf::Scalar(value).text(), true);
                self.spent += TIME_TOKENS;
                self.columns[column].entries.push((row, Entry::Maybe(time, id)));
                return;
            }
        }
        let (leaf, masked) =
            if self.cells.masks() && !secret { redacted(&self.columns[column].path, leaf) } else { (Shown::Asis(leaf), 0) };
        let leaf = match &leaf {
            Shown::Asis(leaf) => *leaf,
            Shown::Text(text) => {
                let id = self.cells.intern_masked(Cow::Owned(text.clone()), false, masked);
                self.note(row, column, id);
                return;
            }
        };
        let text = match leaf {
            Leaf::List(items) => Cow::Owned(joined(items)),
            other => other.text(),
        };
        let truth = matches!(leaf, Leaf::Scalar(Value::Bool(_)));
        if truth && self.columns[column].secret {
            // Whether there is a secret is none.
            let id = self.cells.intern(text, true);
            self.note(row, column, id);
            return;
        }
        self.text(row, column, text);
    }

    /// The column of a path; another one when this row has a value there already (`"a.b"` beside `{"a": {"b": …}}`).
    fn free_column(&mut self, row: u32, path: &str, tag_of: Option<&str>) -> usize {
        let taken = |grid: &Self, column: usize| grid.columns[column].entries.last().is_some_and(|(last, _)| *last == row);
        let mut column = self.column(path, None, tag_of);
        let mut number = 2;
        while taken(self, column) {
            let twin = format!("{path}#{number}");
            let known = self.columns.len();
            let next = self.column(&twin, None, None);
            if next == known {
                let GridColumn { form, id, secret, timely, .. } = self.columns[column];
                let new = &mut self.columns[next];
                (new.form, new.id, new.secret, new.timely) = (form, id, secret, timely);
            }
            column = next;
            number += 1;
        }
        column
    }

    fn text(&mut self, row: u32, column: usize, text: Cow<'a, str>) {
        let before = self.cells.len();
        let id = if self.columns[column].secret && self.cells.masks() && !text.is_empty() {
            self.cells.intern_secret()
        } else {
            self.cells.intern(text, self.columns[column].id)
        };
        if self.cells.len() > before {
            self.spent += self.cells.get(id).tokens;
        }
        self.note(row, column, id);
    }

    fn note(&mut self, row: u32, column: usize, id: Id) {
        if id == ABSENT {
            return;
        }
        self.spent += 1;
        self.columns[column].entries.push((row, Entry::Text(id)));
    }

    /// The column of a path, made when it is new.
    fn column(&mut self, path: &str, given: Option<&Column>, tag_of: Option<&str>) -> usize {
        let (number, new) = self.paths.number(path);
        if new {
            let last = path.rsplit('.').next().unwrap_or(path);
            self.columns.push(GridColumn {
                path: path.to_owned(),
                name: given.map(|column| column.name.clone()),
                form: given.map_or(Form::Plain, |column| column.form),
                tag_of: tag_of.map(str::to_owned),
                id: given.is_some_and(|column| column.form == Form::Id) || mask::is_id_field(path),
                secret: mask::is_secret_path(path),
                timely: is_timely(last),
                entries: Vec::new(),
            });
        }
        number
    }

    /// The first `rows` ids of a column, its times without the date they share.
    pub(super) fn lay(&mut self, column: usize, rows: usize) -> Laid {
        let entries = std::mem::take(&mut self.columns[column].entries);
        let shown = &entries[..entries.partition_point(|(row, _)| (*row as usize) < rows)];
        let agreed = entries.iter().all(|(_, entry)| !matches!(entry, Entry::Text(_)));
        let times = shown.iter().filter_map(|(_, entry)| match entry {
            Entry::Time(time) => Some(*time),
            Entry::Maybe(time, _) => agreed.then_some(*time),
            Entry::Text(_) => None,
        });
        let lifted = when::common(times);
        let mut ids = vec![ABSENT; rows];
        let mut has_times = false;
        for (row, entry) in shown {
            ids[*row as usize] = match entry {
                Entry::Text(id) => *id,
                Entry::Maybe(_, id) if !agreed => *id,
                Entry::Time(time) | Entry::Maybe(time, _) => {
                    has_times = true;
                    self.cells.intern(Cow::Owned(lifted.short(*time)), true)
                }
            };
        }
        self.columns[column].entries = entries;
        Laid { ids, label: if has_times { lifted.label() } else { String::new() } }
    }
}

/// The value at a path of a record, a tag's among them, as Datadog gave it.
pub(in super::super) fn value(record: &Value, path: &str) -> Option<Value> {
    value_at(record, path).filter(|value| !value.is_null()).cloned().or_else(|| tag_at(record, path).map(Value::String))
}

/// The value of `…tags.key` in a list of `key:value` texts.
fn tag_at(record: &Value, path: &str) -> Option<String> {
    path.match_indices('.').find_map(|(cut, _)| {
        let (list, key) = (value_at(record, &path[..cut])?.as_array()?, &path[cut + 1..]);
        let values: Vec<&str> = list
            .iter()
            .filter_map(|item| item.as_str()?.split_once(':').filter(|(name, _)| *name == key).map(|(_, value)| value))
            .collect();
        (!values.is_empty()).then(|| values.join("|"))
    })
}

fn joined(items: &[Value]) -> String {
    let mut text = String::new();
    for item in items {
        if !text.is_empty() {
            text.push(' ');
        }
        match item {
            Value::String(part) => text.push_str(&quoted(part)),
            other => text.push_str(&other.to_string()),
        }
    }
    text
}

/// An element of a list whose elements blanks part: in quotes when it holds one itself.
fn quoted(part: &str) -> Cow<'_, str> {
    if part.is_empty() || part.starts_with('"') || part.contains(char::is_whitespace) {
        Cow::Owned(Value::from(part).to_string())
    } else {
        Cow::Borrowed(part)
    }
}

/// A leaf without what its fields' names give away.
enum Shown<'a> {
    Asis(Leaf<'a>),
    Text(String),
}

fn redacted<'a>(path: &str, leaf: Leaf<'a>) -> (Shown<'a>, usize) {
    match leaf {
        Leaf::Json(value) => match mask::redacted(path, value) {
            (Cow::Owned(value), masked) => (Shown::Text(value.to_string()), masked),
            (Cow::Borrowed(_), _) => (Shown::Asis(leaf), 0),
        },
        Leaf::List(items) => {
            let found: Vec<(Cow<'_, Value>, usize)> = items.iter().map(|item| mask::redacted(path, item)).collect();
            let masked = found.iter().map(|(_, masked)| masked).sum();
            if masked == 0 {
                return (Shown::Asis(leaf), 0);
            }
            let items: Vec<Value> = found.into_iter().map(|(item, _)| item.into_owned()).collect();
            (Shown::Text(joined(&items)), masked)
        }
        Leaf::Scalar(_) => (Shown::Asis(leaf), 0),
    }
}

fn is_iso(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        let bytes = text.as_bytes();
        (20..=35).contains(&bytes.len())
            && bytes[..4].iter().all(u8::is_ascii_digit)
            && bytes[4] == b'-'
            && bytes[10] == b'T'
            && bytes[13] == b':'
    })
}

/// Which epoch numbers are times by the name of their field: a model reads a date right and an epoch wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timely {
    No,
    /// Milliseconds and finer, which no count reaches.
    Millis,
    /// Seconds too.
    Seconds,
}

fn is_timely(last: &str) -> Timely {
    let last = last.to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| last.ends_with(end));
    // `start_time` is an instant, `wait_time` and `response_ms` are durations.
    let instants =
        ["last", "first", "start", "end", "stop", "finish", "begin", "creat", "updat", "modif", "delet", "event", "expir", "schedul"];
    let instant = instants.iter().any(|start| last.starts_with(start));
    if ends(&["timestamp", "_at", "created", "modified", "_ts"]) || last == "ts" || last.starts_with("last_") && ends(&["_time"]) {
        Timely::Seconds
    } else if ends(&["date", "timestamp_ms", "_at_ms", "_ts_ms"])
        || instant && ends(&["_time", "time_ms"])
        || matches!(last.as_str(), "time" | "start" | "end" | "from" | "to")
    {
        Timely::Millis
    } else {
        Timely::No
    }
}
