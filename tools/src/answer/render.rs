//! From a draft to the text an agent reads: facts, rows, notes, cursor, within the budget.

use super::{
    Answer, ArgumentsDigest, Column, Content, Draft, Output, Page, Sealer, Total, View, ViewArguments,
    body::{self, Body},
    fence::{FENCE_TOKENS, fenced, one_line},
    tokens,
};
use crate::{TimeRange, time};
use datadog_client::{Principal, Refusal};
use serde_json::{Map, Value};

/// The site that needs no mention.
const USUAL_SITE: &str = "datadoghq.com";
/// The session that needs no mention.
const USUAL_ORG: &str = "default";
/// Most characters of one note, fact and link.
const MAX_NOTE_CHARS: usize = 700;
const MAX_LINK_CHARS: usize = 2_000;

/// What rendering needs to know of the call beside the draft.
#[derive(Debug, Clone, Copy)]
pub struct RenderContext<'a> {
    /// Site name, e.g. `datadoghq.eu`.
    pub site: &'a str,
    /// Session name, `default` unless another was chosen.
    pub org: &'a str,
    /// Seals the cursor and tags the fence.
    pub sealer: &'a Sealer,
    /// Who called.
    pub who: &'a Principal,
    /// Name of the tool, as the caller will repeat it.
    pub tool: &'a str,
    /// Digest of the call's arguments ([`super::arguments_digest`]).
    pub digest: ArgumentsDigest,
    /// The page this answer is of, when the caller gave a cursor: its first `skip` rows were shown before.
    pub page: Option<&'a Page>,
    /// View arguments that the tool takes: notes name no other, and without `cursor` there is none.
    pub accepts: ViewArguments,
}

/// Renders a draft within the view's budget.
///
/// The order is fixed: one line of facts, the rows in a fence, notes, the cursor. Rows are cut whole, at least one is
/// shown, and what is left out is counted. The same draft gives the same text.
#[expect(clippy::needless_pass_by_value, reason = "a draft ends here, and its records with it")]
pub fn render(draft: Draft, view: &View, cx: &RenderContext<'_>) -> Result<Answer, Refusal> {
    let structured = draft.structured.clone();
    let place = Place::of(&draft, cx);
    // The parts are priced one by one; what they cost together may differ by a little, so a second try may be smaller.
    let mut spare = 0;
    loop {
        let frame = Frame::new(&draft, view, cx, &place, spare)?;
        let text = frame.text();
        let tokens = tokens::estimate(&text);
        if tokens <= view.max_tokens || spare >= view.max_tokens / 2 {
            return Ok(Answer { text, structured });
        }
        spare += (tokens - view.max_tokens) + 8;
    }
}

/// Where in all rows this answer stands.
struct Place {
    /// Rows of this page shown before.
    skip: usize,
    /// Rows of all pages shown before.
    seen: u64,
    /// Rows of this page that are left.
    rows: usize,
    range: Option<TimeRange>,
}

impl Place {
    fn of(draft: &Draft, cx: &RenderContext<'_>) -> Self {
        let all = match &draft.content {
            Content::Rows { records, .. } => records.len(),
            Content::Raw { records, .. } => records.len(),
            Content::Lines(lines) => lines.len(),
            Content::Words(words) => words.lines().count(),
            Content::Record(_) => 1,
        };
        let cuttable = !matches!(draft.content, Content::Record(_));
        let skip = cx.page.map_or(0, |page| page.skip).min(if cuttable { all } else { 0 });
        Self {
            skip,
            seen: cx.page.map_or(0, |page| page.seen),
            rows: all - skip,
            range: draft.range.or_else(|| cx.page.and_then(|page| page.range)),
        }
    }
}

/// The parts of an answer.
struct Frame<'a> {
    draft: &'a Draft,
    view: &'a View,
    cx: &'a RenderContext<'a>,
    place: &'a Place,
    body: Body,
    elements: Vec<String>,
    hints: String,
    notes: Vec<String>,
    with_link: bool,
}

impl<'a> Frame<'a> {
    fn new(draft: &'a Draft, view: &'a View, cx: &'a RenderContext<'a>, place: &'a Place, spare: usize) -> Result<Self, Refusal> {
        let mut frame = Self {
            draft,
            view,
            cx,
            place,
            body: Body::default(),
            elements: Vec::new(),
            hints: String::new(),
            notes: Vec::new(),
            with_link: true,
        };
        let total = view.max_tokens.saturating_sub(spare);
        frame.with_link = draft.link.as_deref().is_none_or(|link| link.len() <= MAX_LINK_CHARS && tokens::estimate(link) <= total / 4);
        frame.notes = said(&draft.notes, total / 3);
        let hints = body::lines(&draft.hints, view.mask, cx.accepts, total / 4);
        hints.text.trim_end().clone_into(&mut frame.hints);
        let hinted = if frame.hints.is_empty() { 0 } else { tokens::estimate(&frame.hints) + FENCE_TOKENS };
        // Around the rows: facts and a cursor as long as they may get, the notes known so far, the fence.
        frame.body.shown = place.rows.saturating_sub(1);
        let around = tokens::estimate(&frame.facts())
            + frame.notes.iter().map(|note| tokens::estimate(note) + 1).sum::<usize>()
            + frame.more().map_or(0, |more| tokens::estimate(&more))
            + FENCE_TOKENS
            + hinted;
        // Notes that the rows bring with them.
        let budget = total.saturating_sub(around + 40).max(total / 8).max(16);
        (frame.body, frame.elements) = rows(draft, view, cx.accepts, place.skip, budget)?;
        // They may name what others named; a small budget is not spent on them.
        let most = (total / 2).clamp(100, MAX_NOTE_CHARS);
        let found: Vec<String> = frame.body.notes.drain(..).chain(hints.notes).map(|note| one_line(&note, most)).collect();
        frame.notes.extend(found);
        if hints.shown < draft.hints.len() {
            frame.notes.push(format!("{} did not fit.", body::counted(draft.hints.len() - hints.shown, "more hint")));
        }
        if !frame.with_link {
            frame.notes.push("The link into the Datadog UI is too long for this budget.".to_owned());
        }
        Ok(frame)
    }

    fn text(&self) -> String {
        if self.view.output == Output::Json {
            return self.json();
        }
        let mut text = self.facts();
        let content = self.body.text.trim_end();
        if !content.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            match &self.draft.content {
                Content::Words(_) => text.push_str(content),
                _ => text.push_str(&fenced(content, self.cx.sealer)),
            }
        }
        if !self.hints.is_empty() {
            text.push('\n');
            text.push_str(&fenced(&self.hints, self.cx.sealer));
        }
        for note in self.notes.iter().cloned().chain(self.more()) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&note);
        }
        text
    }

    /// `47 of 1,234 logs | 2026-11-22T04:10:00Z..04:25:00Z | site datadoghq.eu | https://…`
    fn facts(&self) -> String {
        let mut facts: Vec<String> = Vec::new();
        if let Some(count) = self.count() {
            facts.push(count);
        }
        let only_subject = matches!(self.draft.content, Content::Words(_)) && self.draft.total == Total::Unknown && self.place.seen == 0;
        if only_subject {
            facts.clear();
        }
        facts.extend(self.place.range.map(|range| range.to_string()));
        facts.extend(self.whose());
        facts.extend(self.draft.facts.iter().map(|fact| one_line(fact, MAX_NOTE_CHARS)));
        facts.extend(self.draft.link.iter().filter(|_| self.with_link).map(|link| one_line(link, MAX_LINK_CHARS)));
        facts.join(" | ")
    }

    /// Site and org, unless they are the usual ones.
    fn whose(&self) -> Option<String> {
        match (self.cx.site != USUAL_SITE, self.cx.org != USUAL_ORG) {
            (true, true) => Some(format!("site {}, org {}", self.cx.site, self.cx.org)),
            (true, false) => Some(format!("site {}", self.cx.site)),
            (false, true) => Some(format!("org {}", self.cx.org)),
            (false, false) => None,
        }
    }

    fn total(&self) -> Total {
        let here = self.place.seen + self.place.rows as u64;
        match self.draft.total {
            Total::Unknown if matches!(self.draft.content, Content::Words(_)) => Total::Unknown,
            Total::Unknown if self.draft.next.is_none() => Total::Exact(here),
            Total::Unknown if self.left() > 0 => Total::AtLeast(here),
            Total::AtLeast(total) if self.left() == 0 && total <= here => Total::Unknown,
            known => known,
        }
    }

    fn left(&self) -> usize {
        self.place.rows.saturating_sub(self.body.shown)
    }

    /// Which rows of how many.
    fn count(&self) -> Option<String> {
        let subject = one_line(&self.draft.subject, 80);
        if subject.is_empty() {
            return None;
        }
        let what = match &self.draft.content {
            Content::Record(_) => return Some(subject),
            Content::Lines(_) => "lines".to_owned(),
            _ => subject.clone(),
        };
        let (shown, seen) = (self.body.shown as u64, self.place.seen);
        let total = match self.total() {
            Total::Exact(total) => Some(grouped(total.max(seen + shown))),
            Total::AtLeast(total) => Some(format!("at least {}", grouped(total.max(seen + shown)))),
            Total::Unknown => None,
        };
        let complete = matches!(self.total(), Total::Exact(total) if total.max(seen + shown) == shown);
        let count = match (seen, total) {
            (0, _) if complete => format!("{} {}", grouped(shown), if shown == 1 { singular(&what) } else { what }),
            (0, Some(total)) => format!("{} of {total} {what}", grouped(shown)),
            (0, None) if shown == 1 => format!("first {}, more follow", singular(&what)),
            (0, None) => format!("first {} {what}, more follow", grouped(shown)),
            (_, total) if shown == 0 => {
                format!("no more {what} after {}{}", grouped(seen), total.map(|total| format!(" of {total}")).unwrap_or_default())
            }
            (_, Some(total)) => format!("{what} {}-{} of {total}", grouped(seen + 1), grouped(seen + shown)),
            (_, None) => format!("{what} {}-{}, more follow", grouped(seen + 1), grouped(seen + shown)),
        };
        Some(if matches!(self.draft.content, Content::Lines(_)) { format!("{subject} ({count})") } else { count })
    }

    /// What is left out and the cursor to it.
    fn more(&self) -> Option<String> {
        let left = self.left();
        if !self.cx.accepts.cursor {
            let how = match (self.cx.accepts.max_tokens, self.cx.accepts.fields) {
                (true, true) => " A larger max_tokens or fewer fields show more.",
                (true, false) => " A larger max_tokens shows more.",
                (false, true) => " Fewer fields show more.",
                (false, false) => "",
            };
            return match (left, &self.draft.next) {
                (0, None) => None,
                (0, Some(_)) => Some("More exist; narrower arguments show others.".to_owned()),
                _ => Some(format!("{} more did not fit in {} tokens.{how}", grouped(left as u64), grouped(self.view.max_tokens as u64))),
            };
        }
        let cursor = self.cursor()?;
        Some(if left > 0 {
            format!(
                "{} more did not fit in {} tokens. To go on: the same arguments with cursor {cursor}",
                grouped(left as u64),
                grouped(self.view.max_tokens as u64)
            )
        } else {
            format!("More follow: the same arguments with cursor {cursor}")
        })
    }

    fn cursor(&self) -> Option<String> {
        if !self.cx.accepts.cursor {
            return None;
        }
        let seen = self.place.seen + self.body.shown as u64;
        let page = if self.left() > 0 {
            // On with the same page: its state is that of the page this answer is of.
            Page {
                state: self.cx.page.and_then(|page| page.state.clone()),
                skip: self.place.skip + self.body.shown,
                seen,
                range: self.place.range,
            }
        } else {
            Page { state: Some(self.draft.next.clone()?), skip: 0, seen, range: self.place.range }
        };
        Some(self.cx.sealer.seal(self.cx.who, self.cx.tool, &self.cx.digest, &page))
    }

    /// The same for programs: one object, the rows as they are.
    fn json(&self) -> String {
        let mut head = Map::new();
        let mut put = |key: &str, value: Value| {
            head.insert(key.to_owned(), value);
        };
        put("subject", one_line(&self.draft.subject, 80).into());
        put("shown", self.body.shown.into());
        match self.total() {
            Total::Exact(total) => put("total", total.into()),
            Total::AtLeast(total) => put("total_at_least", total.into()),
            Total::Unknown => {}
        }
        if let Some(range) = self.place.range {
            put("from", time::iso(range.from_ms).into());
            put("to", time::iso(range.to_ms).into());
        }
        let mut untrusted = match &self.draft.content {
            Content::Rows { .. } | Content::Raw { .. } => vec!["rows"],
            Content::Record(_) => vec!["record"],
            Content::Lines(_) => vec!["lines"],
            Content::Words(_) => Vec::new(),
        };
        if !self.hints.is_empty() {
            untrusted.push("hints");
        }
        put("untrusted", untrusted.into());
        put("site", self.cx.site.into());
        put("org", self.cx.org.into());
        if !self.draft.facts.is_empty() {
            put("facts", self.draft.facts.iter().map(|fact| one_line(fact, MAX_NOTE_CHARS)).collect());
        }
        if let Some(link) = self.draft.link.as_deref().filter(|_| self.with_link) {
            put("link", one_line(link, MAX_LINK_CHARS).into());
        }
        if !self.hints.is_empty() {
            put("hints", self.hints.lines().collect());
        }
        if !self.notes.is_empty() {
            put("notes", self.notes.iter().cloned().collect());
        }
        if self.left() > 0 {
            put("left_on_page", self.left().into());
        }
        if let Some(cursor) = self.cursor() {
            put("cursor", cursor.into());
        }
        let mut text = Value::Object(head).to_string();
        // The rows are JSON texts already; they stand last, where a reader expects the bulk.
        text.pop();
        match &self.draft.content {
            Content::Record(_) => text.extend([",\"record\":", &self.body.text, "}"]),
            Content::Lines(_) => {
                let lines: Vec<&str> = self.body.text.lines().collect();
                text.extend([",\"lines\":", &Value::from(lines).to_string(), "}"]);
            }
            Content::Words(_) => text.extend([",\"text\":", &Value::from(self.body.text.trim_end()).to_string(), "}"]),
            _ => text.extend([",\"rows\":[", &self.elements.join(","), "]}"]),
        }
        text
    }
}

/// The rows that are not shown yet, as text and, for programs, as JSON texts.
fn rows(draft: &Draft, view: &View, accepts: ViewArguments, skip: usize, budget: usize) -> Result<(Body, Vec<String>), Refusal> {
    let text = |body| (body, Vec::new());
    Ok(match &draft.content {
        Content::Rows { records, columns } => of_records(&records[skip..], columns, view, accepts, budget),
        Content::Raw { records, columns } => {
            // A row in a table costs some fifty tokens; when rows are cheaper, more of them are parsed and it is done again.
            let mut count = (budget / 48).clamp(16, 512);
            loop {
                let parsed = records.parse(skip, count)?;
                let found = of_records(&parsed, columns, view, accepts, budget);
                if found.0.shown < parsed.len() || skip + parsed.len() >= records.len() {
                    return Ok(found);
                }
                count *= 3;
            }
        }
        Content::Record(record) => text(body::record(record, view, accepts, budget)),
        Content::Lines(lines) => text(body::lines(&lines[skip..], view.mask, accepts, budget)),
        Content::Words(words) => text(body::words(&words.lines().skip(skip).collect::<Vec<_>>(), budget)),
    })
}

fn of_records(records: &[Value], columns: &[Column], view: &View, accepts: ViewArguments, budget: usize) -> (Body, Vec<String>) {
    match (view.output, view.full) {
        (Output::Json, _) => body::json_elements(records, columns, view, accepts, budget),
        (Output::Text, true) => (body::json_lines(records, columns, view, accepts, budget), Vec::new()),
        (Output::Text, false) => (body::table(records, columns, view, accepts, budget), Vec::new()),
    }
}

/// The tool's notes, as many as fit.
fn said(notes: &[String], budget: usize) -> Vec<String> {
    let (mut said, mut spent) = (Vec::new(), 0);
    for (at, note) in notes.iter().enumerate() {
        let note = one_line(note, MAX_NOTE_CHARS);
        spent += tokens::estimate(&note) + 1;
        if spent > budget {
            said.push(format!("{} did not fit.", body::counted(notes.len() - at, "more note")));
            break;
        }
        if !note.is_empty() {
            said.push(note);
        }
    }
    said
}

/// One of `what`: `logs` as `log`, `queries` as `query`.
fn singular(what: &str) -> String {
    // One of several series is a series.
    if what.ends_with("series") {
        return what.to_owned();
    }
    if let Some(stem) = what.strip_suffix("ies") {
        return format!("{stem}y");
    }
    let stem = ["sses", "shes", "ches", "xes"]
        .iter()
        .find_map(|end| what.strip_suffix(end).map(|stem| format!("{stem}{}", &end[..end.len() - 2])));
    stem.unwrap_or_else(|| what.strip_suffix('s').unwrap_or(what).to_owned())
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
