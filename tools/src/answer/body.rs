//! The rows, record or lines of an answer, as many as fit a budget.

use super::{
    Column, View, ViewArguments,
    cells::Safe,
    fence::neutral,
    json,
    table::{Grid, Picked, Wanted, Written, pick},
    tokens,
};
use datadog_client::untrusted;
use serde_json::{Map, Value};

/// The smallest cut a cell gets before columns are left out.
const SMALLEST_CELL: usize = 8;
/// Tries at finding how many rows fit.
const TRIES: usize = 10;

/// Rows as text, and what must be said of them.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) text: String,
    /// How many of the given rows it holds.
    pub(super) shown: usize,
    pub(super) notes: Vec<String>,
}

/// Counts that become notes.
#[derive(Debug, Default, Clone, Copy)]
struct Told {
    masked: usize,
    cut: usize,
    dropped: usize,
    columns_left: usize,
}

impl Told {
    fn notes(self, accepts: ViewArguments) -> Vec<String> {
        let mut notes = Vec::new();
        if self.columns_left > 0 {
            let how = if accepts.fields { "; name those you need in fields" } else { "" };
            notes.push(format!(
                "{} more {} did not fit{how}.",
                self.columns_left,
                if self.columns_left == 1 { "column" } else { "columns" }
            ));
        }
        if self.cut > 0 {
            let how = match (accepts.fields, accepts.max_tokens) {
                (true, true) => "; ask for it with fields and a larger max_tokens",
                (true, false) => "; ask for it with fields",
                (false, true) => "; a larger max_tokens shows more",
                (false, false) => "",
            };
            notes.push(format!("{} cut where …[+n …] stands{how}.", counted(self.cut, "value")));
        }
        if self.dropped > 0 {
            notes.push("Null and empty fields are left out.".to_owned());
        }
        if self.masked > 0 {
            notes.push(format!("{} masked.", counted(self.masked, "secret")));
        }
        notes
    }
}

/// `1 value`, `2 values`.
pub(super) fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// A table of the records, at least one row.
pub(super) fn table(records: &[Value], columns: &[Column], view: &View, accepts: ViewArguments, budget: usize) -> Body {
    if records.is_empty() {
        return Body::default();
    }
    let Picked { wanted, mut notes } = pick(records, columns, &view.fields);
    let (written, shown) =
        fitted(records, &wanted, view.mask, budget).unwrap_or_else(|| (one_row(&records[0], &wanted, view.mask, budget), 1));
    let told = Told { masked: written.masked, cut: written.cut, dropped: 0, columns_left: written.columns_left };
    notes.extend(told.notes(accepts));
    if written.text.trim().is_empty() {
        notes.push(format!(
            "{} in these rows.",
            if view.fields.is_empty() && !accepts.fields {
                "Nothing stands in the shown columns"
            } else if view.fields.is_empty() {
                "Nothing stands in the shown columns; fields [\"*\"] shows all others"
            } else {
                "Nothing stands in these fields"
            }
        ));
    }
    Body { text: written.text, shown, notes }
}

/// As many first rows as fit, found by reading on and by interpolation; `None` when not even one does.
fn fitted(records: &[Value], wanted: &Wanted, masks: bool, budget: usize) -> Option<(Written, usize)> {
    let mut grid = Grid::new(wanted, masks, (budget / 3).max(SMALLEST_CELL));
    let mut best: Option<(Written, usize, usize)> = None;
    let mut limit = budget.saturating_add(budget / 4);
    let (mut over, mut over_tokens) = loop {
        while grid.rows < records.len() && (grid.spent <= limit || grid.rows == 0) {
            grid.push(&records[grid.rows]);
        }
        let written = grid.write(grid.rows, usize::MAX);
        let tokens = tokens::estimate(&written.text);
        if tokens > budget {
            break (grid.rows, tokens);
        }
        let rows = grid.rows;
        best = Some((written, rows, tokens));
        if rows == records.len() {
            return best.map(|(written, rows, _)| (written, rows));
        }
        limit = grid
            .spent
            .saturating_add((grid.spent / tokens.max(1)).max(1).saturating_mul(budget - tokens))
            .saturating_add(grid.spent / 10 + 1);
    };
    for _ in 0..TRIES {
        let (under, under_tokens) = best.as_ref().map_or((0, 0), |(_, rows, tokens)| (*rows, *tokens));
        if over - under <= 1 {
            break;
        }
        let share = (budget - under_tokens) as f64 / (over_tokens - under_tokens).max(1) as f64;
        let guess = (under + ((over - under) as f64 * share) as usize).clamp(under + 1, over - 1);
        let written = grid.write(guess, usize::MAX);
        let tokens = tokens::estimate(&written.text);
        if tokens <= budget {
            // Few rows short of the bound is near enough.
            let near = (over - guess) * 40 <= over && budget - tokens < budget / 40;
            best = Some((written, guess, tokens));
            if near {
                break;
            }
        } else {
            (over, over_tokens) = (guess, tokens);
        }
    }
    best.map(|(written, rows, _)| (written, rows))
}

/// One row that is too long: its longest cells are cut, then columns are left out.
fn one_row(record: &Value, wanted: &Wanted, masks: bool, budget: usize) -> Written {
    let mut cap = budget / 4;
    let mut columns = usize::MAX;
    loop {
        let mut grid = Grid::new(wanted, masks, cap.max(SMALLEST_CELL));
        grid.push(record);
        let width = grid.width();
        let written = grid.write(1, columns);
        if tokens::estimate(&written.text) <= budget || columns <= 1 && cap <= SMALLEST_CELL {
            return written;
        }
        if cap > SMALLEST_CELL {
            cap /= 2;
        } else {
            columns = columns.min(width) * 3 / 4;
        }
    }
}

/// Records as JSON, one a line.
pub(super) fn json_lines(records: &[Value], columns: &[Column], view: &View, accepts: ViewArguments, budget: usize) -> Body {
    let (rows, notes) = json_rows(records, columns, view, budget);
    let mut body = collected(rows, view.mask, accepts, budget, 1);
    body.0.notes.splice(0..0, notes);
    body.0.text = body.1.join("\n");
    body.0
}

/// Records as elements of a JSON array.
pub(super) fn json_elements(
    records: &[Value],
    columns: &[Column],
    view: &View,
    accepts: ViewArguments,
    budget: usize,
) -> (Body, Vec<String>) {
    let (rows, notes) = json_rows(records, columns, view, budget);
    let mut body = collected(rows, view.mask, accepts, budget, 1);
    body.0.notes.splice(0..0, notes);
    body
}

/// Rows as values: whole records, or objects of the picked columns.
fn json_rows<'a>(
    records: &'a [Value],
    columns: &[Column],
    view: &View,
    _budget: usize,
) -> (Box<dyn Iterator<Item = std::borrow::Cow<'a, Value>> + 'a>, Vec<String>) {
    use std::borrow::Cow;
    if view.full && view.fields.is_empty() {
        return (Box::new(records.iter().map(Cow::Borrowed)), Vec::new());
    }
    let Picked { wanted, notes } = pick(records, columns, &view.fields);
    match wanted {
        Wanted::All(_) => (Box::new(records.iter().map(Cow::Borrowed)), notes),
        Wanted::These(columns) => (Box::new(records.iter().map(move |record| Cow::Owned(picked(record, &columns)))), notes),
    }
}

/// The picked columns of a record as an object, values as Datadog gave them.
pub(super) fn picked(record: &Value, columns: &[Column]) -> Value {
    let object: Map<String, Value> =
        columns.iter().filter_map(|column| Some((column.name.clone(), super::table::value(record, &column.path)?))).collect();
    Value::Object(object)
}

fn collected<'a>(
    rows: impl Iterator<Item = std::borrow::Cow<'a, Value>>,
    masks: bool,
    accepts: ViewArguments,
    budget: usize,
    gap: usize,
) -> (Body, Vec<String>) {
    let (mut texts, mut told, mut spent) = (Vec::new(), Told::default(), 0);
    for row in rows {
        let shrunk = json::shrink(&row, masks, budget);
        let tokens = tokens::estimate(&shrunk.text) + gap;
        if !texts.is_empty() && spent + tokens > budget {
            break;
        }
        spent += tokens;
        told.masked += shrunk.masked;
        told.cut += shrunk.cut;
        told.dropped += shrunk.dropped;
        texts.push(shrunk.text);
    }
    (Body { text: String::new(), shown: texts.len(), notes: told.notes(accepts) }, texts)
}

/// One record whole, or the picked parts of it.
pub(super) fn record(record: &Value, view: &View, accepts: ViewArguments, budget: usize) -> Body {
    let mut notes = Vec::new();
    let mut part = None;
    if !view.fields.is_empty() {
        let found = pick(std::slice::from_ref(record), &[], &view.fields);
        notes = found.notes;
        if let Wanted::These(columns) = found.wanted {
            part = Some(picked(record, &columns));
        }
    }
    let shrunk = json::shrink(part.as_ref().unwrap_or(record), view.mask, budget);
    notes.extend(Told { masked: shrunk.masked, cut: shrunk.cut, dropped: shrunk.dropped, columns_left: 0 }.notes(accepts));
    Body { text: shrunk.text, shown: 1, notes }
}

/// Lines that a tool laid out from telemetry.
pub(super) fn lines(lines: &[String], masks: bool, accepts: ViewArguments, budget: usize) -> Body {
    // Lines have no columns.
    let accepts = ViewArguments { fields: false, ..accepts };
    let (mut text, mut told, mut shown, mut spent) = (String::new(), Told::default(), 0, 0);
    for line in lines {
        let safe = Safe::of(line, masks, (budget / 2).max(SMALLEST_CELL), false);
        let line = safe.text.replace(['\n', '\r'], " ");
        let tokens = tokens::estimate(&line) + 1;
        if shown > 0 && spent + tokens > budget {
            break;
        }
        spent += tokens;
        shown += 1;
        told.masked += safe.masked;
        told.cut += usize::from(safe.cut > 0);
        text.push_str(&line);
        text.push('\n');
    }
    Body { text, shown, notes: told.notes(accepts) }
}

/// Our own words, cut at a line's end.
pub(super) fn words(lines: &[&str], budget: usize) -> Body {
    let (mut text, mut shown, mut spent) = (String::new(), 0, 0);
    let mut notes = Vec::new();
    for line in lines {
        let clean = untrusted::clean(line);
        let line = neutral(&clean);
        let line = line.as_ref();
        let tokens = tokens::estimate(line) + 1;
        if shown > 0 && spent + tokens > budget {
            break;
        }
        spent += tokens;
        shown += 1;
        if tokens > budget {
            let kept = tokens::prefix(line, budget.saturating_sub(8));
            text.push_str(kept);
            text.push('…');
            notes.push(format!("{} characters of a line are left out.", line[kept.len()..].chars().count()));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    Body { text, shown, notes }
}
