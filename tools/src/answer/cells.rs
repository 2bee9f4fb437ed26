//! The texts of a table's cells: each different value is cleaned, masked, cut and priced once.

use super::{mask, tokens};
use datadog_client::untrusted;
use std::{borrow::Cow, collections::HashMap, fmt::Write as _};

/// A text by its number; 0 is an absent cell.
pub(super) type Id = u32;
pub(super) const ABSENT: Id = 0;

/// Text longer than this many characters and of several lines goes below the table.
const BLOCK_CHARS: usize = 120;
/// An id is never cut; nothing longer is an id. Datadog's longest is 124 characters.
pub(super) const MAX_ID_CHARS: usize = 256;

/// One different value as it is shown.
#[derive(Debug, Default, Clone)]
pub(super) struct Text {
    pub(super) line: String,
    pub(super) tokens: usize,
    /// Secrets masked in it.
    pub(super) masked: usize,
    /// Characters cut off.
    pub(super) cut: usize,
    /// The lines after the first, written below the table.
    pub(super) block: Option<usize>,
}

/// All texts of a table.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    known: HashMap<(Cow<'a, str>, bool), Id>,
    texts: Vec<Text>,
    blocks: HashMap<String, usize>,
    block_texts: Vec<(String, usize)>,
    mask: bool,
    /// Most tokens of one cell.
    cap: usize,
}

impl<'a> Cells<'a> {
    pub(super) fn new(mask: bool, cap: usize) -> Self {
        Self { known: HashMap::new(), texts: vec![Text::default()], blocks: HashMap::new(), block_texts: Vec::new(), mask, cap }
    }

    /// The number of a text; `id` texts are never cut.
    pub(super) fn intern(&mut self, raw: Cow<'a, str>, id: bool) -> Id {
        if raw.is_empty() {
            return ABSENT;
        }
        if let Some(known) = self.known.get(&(Cow::Borrowed(raw.as_ref()), id)) {
            return *known;
        }
        let text = self.shown(&raw, id);
        let number = self.texts.len() as Id;
        self.texts.push(text);
        self.known.insert((raw, id), number);
        number
    }

    /// The number of a text in which `masked` secrets were replaced already.
    pub(super) fn intern_masked(&mut self, raw: Cow<'a, str>, id: bool, masked: usize) -> Id {
        let before = self.texts.len();
        let number = self.intern(raw, id);
        if self.texts.len() > before
            && let Some(text) = self.texts.get_mut(number as usize)
        {
            text.masked += masked;
        }
        number
    }

    /// The number of a value that is a secret as a whole.
    pub(super) fn intern_secret(&mut self) -> Id {
        self.intern_masked(Cow::Borrowed(mask::FIELD_MASK), true, 1)
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn masks(&self) -> bool {
        self.mask
    }

    pub(super) fn get(&self, id: Id) -> &Text {
        &self.texts[id as usize]
    }

    pub(super) fn block(&self, number: usize) -> &(String, usize) {
        &self.block_texts[number]
    }

    fn shown(&mut self, raw: &str, id: bool) -> Text {
        let cap = if id && raw.len() <= MAX_ID_CHARS { usize::MAX } else { self.cap };
        let Safe { text, masked, cut } = Safe::of(raw, self.mask, cap, id);
        let (line, block) = self.lines(text);
        Text { tokens: tokens::estimate(&line), line, masked, cut, block }
    }

    /// One line for the table; the lines after the first of a long text become a block of their own, so that equal
    /// stack traces under different messages are written once.
    fn lines(&mut self, text: String) -> (String, Option<usize>) {
        if !text.contains(['\n', '\r', '\t']) {
            return (unmarked(text), None);
        }
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = text.trim_matches('\n');
        if let Some((first, rest)) = text.split_once('\n')
            && rest.len() > BLOCK_CHARS
        {
            let next = self.block_texts.len();
            let number = *self.blocks.entry(rest.to_owned()).or_insert(next);
            if number == next {
                self.block_texts.push((rest.to_owned(), tokens::estimate(rest)));
            }
            return (unmarked(first.replace('\t', " ")), Some(number));
        }
        let mut line = String::with_capacity(text.len());
        for (at, part) in text.split('\n').enumerate() {
            if at > 0 {
                line.push_str(" ⏎ ");
            }
            line.push_str(part.trim());
        }
        (unmarked(line.replace('\t', " ")), None)
    }
}

/// A text made safe to show: cleaned, masked, cut.
#[derive(Debug)]
pub(super) struct Safe {
    pub(super) text: String,
    pub(super) masked: usize,
    pub(super) cut: usize,
}

impl Safe {
    /// `cap` in tokens; `id`: an id by its field's name. Characters that are left out are counted, and said in the text.
    pub(super) fn of(raw: &str, masks: bool, cap: usize, id: bool) -> Self {
        // A megabyte is not searched for secrets when a few thousand characters of it are shown; the margin keeps a
        // secret at the cut whole, so that it is seen as one.
        let reach = tokens::floor(raw, cap.saturating_mul(12).saturating_add(4_096));
        let clean = untrusted::clean(&raw[..reach]);
        let (text, masked) = if masks { mask::mask(&clean, id) } else { (clean, 0) };
        let shown = tokens::prefix(&text, cap);
        if shown.len() == text.len() && reach == raw.len() {
            return Self { text: text.into_owned(), masked, cut: 0 };
        }
        let shown = tokens::prefix(&text, cap.saturating_sub(6).max(1));
        let cut = text[shown.len()..].chars().count() + raw[reach..].chars().count();
        let mut cut_text = shown.trim_end().to_owned();
        let _infallible = write!(cut_text, "…[+{cut} chars]");
        Self { text: cut_text, masked, cut }
    }
}

/// A text that begins like our own marks (`^1`) is told from them by a backslash.
fn unmarked(text: String) -> String {
    if text.starts_with('^') { format!("\\{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_text() {
        let mut cells = Cells::new(true, 100);
        let a = cells.intern("x".into(), false);
        assert_eq!(cells.intern(String::from("x").into(), false), a);
        assert_ne!(cells.intern("y".into(), false), a);
        assert_eq!(cells.intern("".into(), false), ABSENT);
    }

    #[test]
    fn long_lines_go_below_and_equal_ones_once() {
        let mut cells = Cells::new(true, 1_000);
        let frames = "\tat a.B.c(D.java:1)\n".repeat(10);
        let one = cells.intern(format!("Timeout after 1 ms\n{frames}").into(), false);
        let two = cells.intern(format!("Timeout after 2 ms\n{frames}").into(), false);
        assert_eq!((cells.get(one).line.as_str(), cells.get(one).block), ("Timeout after 1 ms", Some(0)));
        assert_eq!(cells.get(two).block, Some(0));
        assert!(cells.block(0).0.starts_with("\tat a.B.c(D.java:1)\n"));
        let short = cells.intern("a\n\tb\tc\r\nd".into(), false);
        assert_eq!(cells.get(short).line, "a ⏎ b c ⏎ d");
    }

    #[test]
    fn a_cut_is_counted_and_ids_are_not_cut() {
        let text = "word ".repeat(500);
        let safe = Safe::of(&text, true, 50, false);
        let kept = safe.text.split('…').next().unwrap_or_default();
        assert!(safe.text.ends_with(&format!("…[+{} chars]", safe.cut)));
        assert!(text.chars().count() - safe.cut - kept.chars().count() <= 1, "{}", safe.text);
        assert!(tokens::estimate(&safe.text) <= 52, "{}", tokens::estimate(&safe.text));
        let id = "AwAAAZqRkT2P".repeat(10);
        let mut cells = Cells::new(true, 5);
        let shown = cells.intern(id.clone().into(), true);
        assert_eq!(cells.get(shown).line, id);
    }

    #[test]
    fn a_huge_text_is_cut_without_reading_it_all() {
        let text = "é".repeat(1_000_000);
        let safe = Safe::of(&text, true, 100, false);
        assert_eq!(safe.text.chars().filter(|c| *c == 'é').count() + safe.cut, 1_000_000);
    }

    #[test]
    fn our_marks_cannot_be_forged() {
        let mut cells = Cells::new(true, 100);
        let id = cells.intern("^1".into(), false);
        assert_eq!(cells.get(id).line, "\\^1");
    }
}
