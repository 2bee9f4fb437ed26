//! A grid's first rows as text: what all rows share, side tables, the rows, and long values below.

use super::super::{
    body::counted,
    cells::{ABSENT, Id},
};
use super::factor::{self, Factored, Part, Slot};
use super::{Grid, shape};
use crate::rows;
use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

/// A value this dear that stands in the tables more than once is written once above them, when that saves enough.
const DEAR: usize = 10;
const WORTH: usize = 24;
/// Tokens of a mark.
const MARK: usize = 2;
/// A column the tool chose and whose values are dearer than this may leave the main table.
const SHORT: usize = 4;
/// A tag that at most one row in this many has shares a cell with other such tags.
const SPARSE: usize = 2;
/// Tokens that saying "equal" costs beside the name.
const EQUAL: usize = 6;
/// Shapes are told apart only in tables of many columns.
const MANY: usize = 8;

/// Rows as text.
#[derive(Debug)]
pub(in super::super) struct Written {
    pub(in super::super) text: String,
    /// Secrets masked in it.
    pub(in super::super) masked: usize,
    /// Cells that were cut.
    pub(in super::super) cut: usize,
    /// Columns that were left out, for the fallback of one oversized row.
    pub(in super::super) columns_left: usize,
}

/// One column laid out for the rows that are shown.
struct Shown {
    header: String,
    ids: Vec<Id>,
    pinned: bool,
}

impl Grid<'_> {
    /// The first `count` rows; at most `columns` columns of them.
    pub(in super::super) fn write(&mut self, count: usize, columns: usize) -> Written {
        let count = count.min(self.rows);
        let (mut shown, lifted) = self.laid(count);
        let columns_left = shown.len().saturating_sub(columns);
        shown.truncate(columns);
        let (shown, equal) = self.without_equals(shown);
        let factored = self.factored(&shown, count);
        let mut page = Page {
            grid: self,
            shown: &shown,
            factored: &factored,
            printed: HashMap::new(),
            marks: HashMap::new(),
            apart: Vec::new(),
            used: HashSet::new(),
            out: String::new(),
        };
        page.lifted("every row: ", &lifted);
        if !equal.is_empty() {
            page.line(&format!("equal columns: {}", equal.join("; ")));
        }
        let head = std::mem::take(&mut page.out);
        page.rows(count);
        let used: HashSet<Id> = page.used.iter().copied().chain(lifted.iter().map(|(_, id)| *id)).collect();
        let text = page.finish(head);
        let texts = || used.iter().map(|id| self.cells.get(*id));
        Written { text, masked: texts().map(|text| text.masked).sum(), cut: texts().filter(|text| text.cut > 0).count(), columns_left }
    }

    /// Columns with something in them, and those whose value all rows share.
    fn laid(&mut self, count: usize) -> (Vec<Shown>, Vec<(String, Id)>) {
        let headers = self.headers();
        let laid: Vec<(Vec<Id>, String)> = (0..headers.len()).map(|at| self.lay(at, count)).map(|laid| (laid.ids, laid.label)).collect();
        let there = |ids: &[Id]| ids.iter().filter(|id| **id != ABSENT).count();
        // Lists of tags of which some are too rare for a column: these share one with the list's words without a key.
        let is_sparse = |at: usize| {
            self.columns[at].tag_of.is_some() && (1..count.div_ceil(SPARSE)).contains(&there(&laid[at].0)) && !is_constant(&laid[at].0)
        };
        let sparse: Vec<usize> = (0..headers.len()).filter(|at| is_sparse(*at)).collect();
        let mut lists: Vec<String> = sparse.iter().filter_map(|at| self.columns[*at].tag_of.clone()).collect();
        lists.sort_unstable();
        lists.dedup();
        let shared = |at: usize| sparse.contains(&at) || lists.contains(&self.columns[at].path);
        let (mut shown, mut lifted) = (Vec::new(), Vec::new());
        for (at, header) in headers.iter().enumerate() {
            let (ids, label) = &laid[at];
            let there = there(ids);
            if there == 0 || shared(at) {
                continue;
            }
            let header = format!("{header}{label}");
            if count > 1 && is_constant(ids) {
                lifted.push((header, ids[0]));
                continue;
            }
            let dear = ids.iter().map(|id| self.cells.get(*id).tokens).sum::<usize>() > SHORT * there;
            let pinned = !label.is_empty() || !dear && (self.columns[at].name.is_some() || !self.all);
            shown.push(Shown { header, ids: ids.clone(), pinned });
        }
        for list in lists {
            let mut of_list: Vec<usize> = (0..headers.len())
                .filter(|at| self.columns[*at].path == list || sparse.contains(at) && self.columns[*at].tag_of.as_ref() == Some(&list))
                .collect();
            of_list.sort_by_key(|at| self.columns[*at].path != list);
            let name = of_list
                .iter()
                .find(|at| self.columns[**at].path == list)
                .map_or_else(|| list_name(&list, &headers), |at| headers[*at].clone());
            let rest: Vec<(&str, &[Id])> = of_list
                .iter()
                .map(|at| (self.columns[*at].path.get(list.len() + 1..).unwrap_or_default(), laid[*at].0.as_slice()))
                .collect();
            let cells: Vec<String> = (0..count).map(|row| self.words(&rest, row)).collect();
            let ids = cells.into_iter().map(|text| self.cells.intern(text.into(), true)).collect();
            shown.push(Shown { header: name, ids, pinned: false });
        }
        (shown, lifted)
    }

    /// `word key:value key:value` of one row.
    fn words(&self, columns: &[(&str, &[Id])], row: usize) -> String {
        let mut text = String::new();
        for (key, ids) in columns.iter().filter(|(_, ids)| ids[row] != ABSENT) {
            let line = &self.cells.get(ids[row]).line;
            let gap = if text.is_empty() { "" } else { " " };
            let _infallible = if key.is_empty() { write!(text, "{gap}{line}") } else { write!(text, "{gap}{key}:{line}") };
        }
        text
    }

    /// Short names of the columns; those of the tool keep the names it gave.
    fn headers(&self) -> Vec<String> {
        let paths: Vec<&str> = self.columns.iter().map(|column| column.path.as_str()).collect();
        let given: HashSet<&str> = self.columns.iter().filter_map(|column| column.name.as_deref()).collect();
        let short = rows::headers(&paths);
        let name = |(column, short): (&super::grid::GridColumn, String)| match &column.name {
            Some(name) => name.clone(),
            None if given.contains(short.as_str()) => column.path.clone(),
            None => short,
        };
        self.columns.iter().zip(short).map(name).map(|header| one_word(&header)).collect()
    }

    fn factored(&self, shown: &[Shown], count: usize) -> Factored {
        let price = |id: Id| {
            let text = self.cells.get(id);
            text.tokens + text.block.map_or(0, |_| 2)
        };
        let parts: Vec<Part<'_>> = shown
            .iter()
            .map(|column| Part { ids: &column.ids, price: &price, header: column.header.len() / 4 + 1, pinned: column.pinned || count < 4 })
            .collect();
        factor::factor(&parts, count)
    }
}

impl Grid<'_> {
    /// Columns that equal an earlier one in every row, said once where that is shorter: `service = dd.service`.
    fn without_equals(&self, shown: Vec<Shown>) -> (Vec<Shown>, Vec<String>) {
        let pays = |column: &Shown| {
            column.ids.len() > 1 && column.ids.iter().map(|id| self.cells.get(*id).tokens).sum::<usize>() > column.header.len() / 4 + EQUAL
        };
        equals(shown, pays)
    }
}

fn equals(shown: Vec<Shown>, pays: impl Fn(&Shown) -> bool) -> (Vec<Shown>, Vec<String>) {
    let mut first: HashMap<Vec<Id>, usize> = HashMap::new();
    let mut equal: Vec<(usize, String)> = Vec::new();
    let mut kept: Vec<Shown> = Vec::new();
    for column in shown {
        match first.get(&column.ids).filter(|_| pays(&column)) {
            Some(known) => match equal.iter_mut().find(|(other, _)| other == known) {
                Some((_, names)) => {
                    names.push_str(" = ");
                    names.push_str(bare(&column.header));
                }
                None => equal.push((*known, format!("{} = {}", bare(&kept[*known].header), bare(&column.header)))),
            },
            None => {
                first.insert(column.ids.clone(), kept.len());
                kept.push(column);
            }
        }
    }
    (kept, equal.into_iter().map(|(_, names)| names).collect())
}

fn is_constant(ids: &[Id]) -> bool {
    ids.iter().all(|id| *id == ids[0])
}

/// Short name of a list of tags that has no word without a key: `tags`, or its path when that is taken.
fn list_name(list: &str, headers: &[String]) -> String {
    let short = list.rsplit('.').next().unwrap_or(list);
    one_word(if headers.iter().any(|header| header == short) { list } else { short })
}

/// A header without the date it carries.
fn bare(header: &str) -> &str {
    header.strip_suffix(" UTC)").and_then(|start| start.rsplit_once('(')).map_or(header, |(name, _)| name)
}

/// A header is one line without tabs, whatever the key was.
fn one_word(header: &str) -> String {
    let clean = datadog_client::untrusted::clean(header);
    let word: String = clean.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    datadog_client::untrusted::cap(&word, 120).into_owned()
}

/// The text as it grows.
struct Page<'g, 'a> {
    grid: &'g Grid<'a>,
    shown: &'g [Shown],
    factored: &'g Factored,
    /// How often each text is printed.
    printed: HashMap<Id, usize>,
    /// Numbers of what is written apart.
    marks: HashMap<Apart, usize>,
    apart: Vec<Apart>,
    used: HashSet<Id>,
    out: String,
}

/// What is written apart from the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Apart {
    /// A whole value that stands in several cells.
    Value(Id),
    /// The lines after the first of a value.
    Block(usize),
}

impl Page<'_, '_> {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// `label a=1; b=2`.
    fn lifted(&mut self, label: &str, columns: &[(String, Id)]) {
        if columns.is_empty() {
            return;
        }
        let mut line = label.to_owned();
        for (at, (header, id)) in columns.iter().enumerate() {
            let cell = self.cell(*id);
            let quoted = if cell.contains("; ") { serde_json::to_string(&cell).unwrap_or(cell) } else { cell };
            let _infallible = write!(line, "{}{header}={quoted}", if at == 0 { "" } else { "; " });
        }
        self.line(&line);
    }

    fn rows(&mut self, count: usize) {
        let main = &self.factored.main;
        let has = |row: usize, slot: Slot| match slot {
            Slot::Column(column) => self.shown[column].ids[row] != ABSENT,
            Slot::Reference(side) => self.factored.sides[side].numbers[row] != 0,
        };
        let groups =
            if main.len() >= MANY { shape::groups(count, main.len(), |row, at| has(row, main[at])) } else { vec![(0..count).collect()] };
        self.count(&groups);
        for at in (0..self.factored.sides.len()).rev() {
            self.side(at);
        }
        let several = groups.len() > 1;
        for rows in groups {
            let mut slots: Vec<Slot> = main.iter().copied().filter(|slot| rows.iter().any(|row| has(*row, *slot))).collect();
            let mut shared = Vec::new();
            if several && rows.len() > 1 {
                slots.retain(|slot| match slot {
                    Slot::Column(column) if rows.iter().all(|row| self.shown[*column].ids[*row] == self.shown[*column].ids[rows[0]]) => {
                        shared.push((self.shown[*column].header.clone(), self.shown[*column].ids[rows[0]]));
                        false
                    }
                    _ => true,
                });
            }
            if !self.out.is_empty() {
                self.out.push('\n');
            }
            if several {
                let label = format!("{}{}", counted(rows.len(), "row"), if shared.is_empty() { "" } else { ", each " });
                if shared.is_empty() { self.line(&label) } else { self.lifted(&label, &shared) }
            }
            if rows.len() == 1 && slots.len() >= MANY { self.upright(&slots, rows[0]) } else { self.table(&slots, None, &rows) }
        }
    }

    /// Counts how often each text will be printed, so that dear ones are written below.
    fn count(&mut self, groups: &[Vec<usize>]) {
        let factored = self.factored;
        let mut seen = |slots: &[Slot], rows: &[usize]| {
            for slot in slots {
                if let Slot::Column(column) = slot {
                    for row in rows {
                        *self.printed.entry(self.shown[*column].ids[*row]).or_default() += 1;
                    }
                }
            }
        };
        for rows in groups {
            seen(&factored.main, rows);
        }
        for side in &factored.sides {
            seen(&side.slots, &side.firsts);
        }
    }

    fn side(&mut self, at: usize) {
        let side = &self.factored.sides[at];
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out.push_str("per ");
        self.table(&side.slots, Some(side.key), &side.firsts);
    }

    /// A single wide row: a line a column.
    fn upright(&mut self, slots: &[Slot], row: usize) {
        for slot in slots {
            let header = self.header(*slot);
            self.out.push_str(&header);
            self.out.push('\t');
            self.slot(*slot, row);
            self.out.push('\n');
        }
    }

    fn slot(&mut self, slot: Slot, row: usize) {
        match slot {
            Slot::Column(column) => {
                let cell = self.cell(self.shown[column].ids[row]);
                self.out.push_str(&cell);
            }
            Slot::Reference(side) => {
                let number = self.factored.sides[side].numbers[row];
                if number > 0 {
                    let _infallible = write!(self.out, "{number}");
                }
            }
        }
    }

    /// Header and rows; the key of a side table stands first.
    fn table(&mut self, slots: &[Slot], key: Option<Slot>, rows: &[usize]) {
        let all: Vec<Slot> = key.into_iter().chain(slots.iter().copied()).collect();
        let header: Vec<String> = all.iter().map(|slot| self.header(*slot)).collect();
        self.line(&header.join("\t"));
        for row in rows {
            let start = self.out.len();
            for (at, slot) in all.iter().enumerate() {
                if at > 0 {
                    self.out.push('\t');
                }
                self.slot(*slot, *row);
            }
            let end = self.out.trim_end_matches('\t').len().max(start);
            self.out.truncate(end);
            self.out.push('\n');
        }
    }

    /// A column's name; a reference is named after the first column it leads to: `host#`.
    fn header(&self, slot: Slot) -> String {
        match slot {
            Slot::Column(column) => self.shown[column].header.clone(),
            Slot::Reference(side) => {
                let first = self.factored.sides[side]
                    .slots
                    .iter()
                    .find_map(|slot| if let Slot::Column(column) = slot { Some(*column) } else { None });
                format!("{}#", first.map_or("ref", |column| self.shown[column].header.as_str()))
            }
        }
    }

    /// The text of a cell: itself, or marks of what is written below.
    fn cell(&mut self, id: Id) -> String {
        if id == ABSENT {
            return String::new();
        }
        self.used.insert(id);
        let text = self.grid.cells.get(id);
        let dear =
            text.tokens >= DEAR && self.printed.get(&id).is_some_and(|times| times.saturating_sub(1) * (text.tokens - MARK) >= WORTH);
        let first = if dear { format!("^{}", self.mark(Apart::Value(id))) } else { text.line.clone() };
        match text.block {
            Some(block) if !dear => format!("{first} ^{}", self.mark(Apart::Block(block))),
            _ => first,
        }
    }

    fn mark(&mut self, what: Apart) -> usize {
        *self.marks.entry(what).or_insert_with(|| {
            self.apart.push(what);
            self.apart.len()
        })
    }

    /// What all rows share, the values that are marked, the tables, and the long blocks.
    fn finish(mut self, head: String) -> String {
        let (mut values, mut blocks) = (String::new(), String::new());
        let mut at = 0;
        while let Some(what) = self.apart.get(at).copied() {
            at += 1;
            match what {
                Apart::Value(id) => {
                    let text = self.grid.cells.get(id);
                    let tail = text.block.map(|block| format!(" ^{}", self.mark(Apart::Block(block)))).unwrap_or_default();
                    let _infallible = writeln!(values, "^{at}: {}{tail}", text.line);
                }
                Apart::Block(number) => {
                    let _infallible = write!(blocks, "^{at}: ");
                    for line in self.grid.cells.block(number).0.split('\n') {
                        // A line of data that looks like the next mark is moved in by a space.
                        let _infallible = writeln!(blocks, "{}{line}", if line.starts_with('^') { " " } else { "" });
                    }
                }
            }
        }
        let mut text = head;
        text.push_str(&values);
        for part in [self.out, blocks] {
            if !part.is_empty() {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&part);
            }
        }
        text
    }
}
