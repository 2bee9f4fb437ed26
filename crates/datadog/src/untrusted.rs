//! Text that others wrote: cleaning it of control, bidi and invisible characters.

use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// Removes what a reader cannot see or a terminal would act on: C0 and C1 controls (but tab and newline), ANSI escape
/// sequences, bidi controls, zero-width characters, tag characters (U+E0000) and supplementary variation selectors.
///
/// Idempotent; borrows when there is nothing to remove.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    match text.char_indices().find(|&(_, c)| is_hidden(c)) {
        None => Cow::Borrowed(text),
        Some((first, _)) => Cow::Owned(clean_from(text, first)),
    }
}

/// Cuts at a character boundary to at most `max` characters and says how many were left out.
#[must_use]
pub fn cap(text: &str, max: usize) -> Cow<'_, str> {
    // Every character takes at least a byte: short texts need no count.
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(max) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let left_out = text[end..].chars().count();
            Cow::Owned(format!("{}… [{left_out} more characters]", &text[..end]))
        }
    }
}

/// Cleaned, on one line and capped: how a foreign value may stand inside a sentence of ours.
#[must_use]
pub fn shown(text: &str, max: usize) -> String {
    // Cut first: a megabyte must not be cleaned to show eighty characters of it.
    let window = text.char_indices().nth(max.saturating_mul(4)).map_or(text, |(end, _)| &text[..end]);
    let flat: String = clean(window).chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    cap(&flat, max).into_owned()
}

/// Whether a character is removed wherever it stands.
fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return (c < ' ' && c != '\n' && c != '\t') || c == '\u{7f}';
    }
    matches!(c,
        '\u{80}'..='\u{9f}' // C1, among them CSI and OSC in one character
        | '\u{ad}' // soft hyphen
        | '\u{34f}' // combining grapheme joiner
        | '\u{61c}' // Arabic letter mark
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{180e}' // Mongolian vowel separator
        | '\u{200b}'..='\u{200f}' // zero width, LRM, RLM
        | '\u{2028}'..='\u{202e}' // line and paragraph separators, bidi embeddings and overrides
        | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, bidi isolates, deprecated controls
        | '\u{feff}' // byte order mark
        | '\u{fff9}'..='\u{fffb}' // interlinear annotation
        | '\u{1d173}'..='\u{1d17a}' // musical format controls
        | '\u{e0000}'..='\u{e0fff}' // tags, supplementary variation selectors
    )
}

fn clean_from(text: &str, first: usize) -> String {
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..first]);
    let mut chars = text[first..].chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_csi(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut chars),
            c if is_hidden(c) => {}
            c => out.push(c),
        }
    }
    out
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// After ESC: a CSI, a string (OSC, DCS, APC, PM, SOS), or intermediates and one final byte (ECMA-48 §5).
fn skip_escape(chars: &mut Chars<'_>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_csi(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            skip_string(chars);
        }
        Some(' '..='/') => {
            while chars.next_if(|c| (' '..='/').contains(c)).is_some() {}
            chars.next_if(|c| ('0'..='~').contains(c));
        }
        Some('0'..='~') => {
            chars.next();
        }
        _ => {}
    }
}

/// Parameter and intermediate bytes, then one final byte. A sequence without one ends where it stops being one.
fn skip_csi(chars: &mut Chars<'_>) {
    while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
    chars.next_if(|c| ('@'..='~').contains(c));
}

/// Most characters of an escape string that are taken for one: an unclosed string must not swallow a whole text.
const LONGEST_STRING: usize = 4096;

/// A command string up to BEL or ST; when it is not closed on its line, only the introducer is dropped.
fn skip_string(chars: &mut Chars<'_>) {
    let mut ahead = chars.clone();
    for _ in 0..LONGEST_STRING {
        match ahead.next() {
            Some('\u{7}' | '\u{9c}') => {
                *chars = ahead;
                return;
            }
            Some('\u{1b}') if ahead.next_if_eq(&'\\').is_some() => {
                *chars = ahead;
                return;
            }
            // Any other control ends the search too, so that a text full of introducers is read once, not once for each.
            Some(c) if c != '\t' && c.is_control() => return,
            None => return,
            Some(_) => {}
        }
    }
}
