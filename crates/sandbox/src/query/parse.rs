//! Text to [`Query`], by recursive descent.

use super::{Bound, Field, Glob, Query, SyntaxError, Test};

/// Deeper nesting than any person writes; beyond it the query is refused rather than the stack used up.
const DEEPEST: usize = 64;

/// Reads a query. Empty text and `*` match everything.
pub(crate) fn parse(text: &str) -> Result<Query, SyntaxError> {
    let mut parser = Parser { text: text.chars().collect(), at: 0, depth: 0 };
    parser.blanks();
    if parser.peek().is_none() {
        return Ok(Query::All);
    }
    let query = parser.any_of(None)?;
    parser.blanks();
    if parser.peek().is_some() {
        return parser.fail("a closing parenthesis without an opening one");
    }
    Ok(query)
}

struct Parser {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

/// A word as written, its escapes resolved only in `plain`.
struct Word {
    raw: String,
    plain: String,
    wild: bool,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, SyntaxError> {
        Err(SyntaxError { at: self.at, what })
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Takes an operator when it stands here as a word of its own.
    fn operator(&mut self, word: &str) -> bool {
        let end = self.at + word.len();
        let here = self.text.get(self.at..end).is_some_and(|part| part.iter().copied().eq(word.chars()));
        let alone = self.text.get(end).is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')'));
        if here && alone {
            self.at = end;
        }
        here && alone
    }

    fn any_of(&mut self, field: Option<&Field>) -> Result<Query, SyntaxError> {
        let mut either = vec![self.all_of(field)?];
        loop {
            self.blanks();
            if !self.operator("OR") {
                break;
            }
            either.push(self.all_of(field)?);
        }
        Ok(if either.len() == 1 { either.remove(0) } else { Query::Or(either) })
    }

    fn all_of(&mut self, field: Option<&Field>) -> Result<Query, SyntaxError> {
        let mut all = vec![self.unary(field)?];
        loop {
            self.blanks();
            let from = self.at;
            match self.peek() {
                None | Some(')') => break,
                _ if self.operator("OR") => {
                    self.at = from;
                    break;
                }
                _ => {
                    self.operator("AND");
                    all.push(self.unary(field)?);
                }
            }
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Query::And(all) })
    }

    fn unary(&mut self, field: Option<&Field>) -> Result<Query, SyntaxError> {
        self.blanks();
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.fail("nested too deeply");
        }
        let negated = self.operator("NOT") || {
            let minus = self.peek() == Some('-') && self.text.get(self.at + 1).is_some_and(|c| !c.is_whitespace());
            self.at += usize::from(minus);
            minus
        };
        let query = if negated { Query::Not(Box::new(self.unary(field)?)) } else { self.primary(field)? };
        self.depth -= 1;
        Ok(query)
    }

    fn primary(&mut self, field: Option<&Field>) -> Result<Query, SyntaxError> {
        self.blanks();
        let from = self.at;
        if self.operator("AND") || self.operator("OR") {
            self.at = from;
            return self.fail("an operator without a term before it");
        }
        match self.peek() {
            None => self.fail("a term is missing at the end"),
            Some(')') => self.fail("a term is missing before the parenthesis"),
            Some('(') => self.group(field),
            Some('"') => Ok(Query::Term(field.cloned().unwrap_or(Field::Message), Test::Is(self.quoted()?))),
            Some(_) => match field {
                Some(field) => self.value(field.clone()),
                None => self.term(),
            },
        }
    }

    fn group(&mut self, field: Option<&Field>) -> Result<Query, SyntaxError> {
        self.at += 1;
        let query = self.any_of(field)?;
        self.blanks();
        if self.peek() != Some(')') {
            return self.fail("a parenthesis is not closed");
        }
        self.at += 1;
        Ok(query)
    }

    /// A term outside a field: free text, or `key:` and its value.
    fn term(&mut self) -> Result<Query, SyntaxError> {
        let word = self.word(true)?;
        if self.peek() != Some(':') {
            return Ok(match word.raw.as_str() {
                "*" => Query::All,
                _ if word.wild => Query::Term(Field::Message, Test::Like(Glob::new(&word.raw))),
                _ => Query::Term(Field::Message, Test::Is(word.plain)),
            });
        }
        self.at += 1;
        let field = match word.plain.strip_prefix('@') {
            Some("") => return self.fail("the name of the attribute is missing"),
            Some(path) => Field::Attribute(path.to_owned()),
            None if word.raw == "*" => Field::Anything,
            None if word.plain.is_empty() => return self.fail("the name of the field is missing"),
            None => Field::Key(word.plain),
        };
        match self.peek() {
            None => self.fail("a value is missing at the end"),
            Some(c) if c.is_whitespace() => self.fail("a value is missing after the colon"),
            Some('(') => self.group(Some(&field)),
            Some('"') => Ok(Query::Term(field, Test::Is(self.quoted()?))),
            Some(_) => self.value(field),
        }
    }

    /// The value of a field: a word, a wildcard, a range or a comparison.
    fn value(&mut self, field: Field) -> Result<Query, SyntaxError> {
        if let Some(open @ ('[' | '{')) = self.peek() {
            return self.range(field, open == '[');
        }
        if let Some(sign @ ('<' | '>')) = self.peek() {
            self.at += 1;
            let inclusive = self.peek() == Some('=');
            self.at += usize::from(inclusive);
            let bound = bound(self.word(false)?.plain, inclusive);
            let (low, high) = if sign == '>' { (bound, None) } else { (None, bound) };
            return Ok(Query::Term(field, Test::Range { low, high }));
        }
        let word = self.word(false)?;
        if field == Field::Key("_exists_".to_owned()) {
            let field =
                word.plain.strip_prefix('@').map_or_else(|| Field::Key(word.plain.clone()), |path| Field::Attribute(path.to_owned()));
            return Ok(Query::Term(field, Test::Exists));
        }
        let test = match word.raw.as_str() {
            "*" => Test::Exists,
            _ if word.wild => Test::Like(Glob::new(&word.raw)),
            _ => Test::Is(word.plain),
        };
        Ok(Query::Term(field, test))
    }

    fn range(&mut self, field: Field, low_inclusive: bool) -> Result<Query, SyntaxError> {
        self.at += 1;
        self.blanks();
        let low = self.word(false)?.plain;
        self.blanks();
        if !self.operator("TO") {
            return self.fail("a range is written [low TO high]");
        }
        self.blanks();
        let high = self.word(false)?.plain;
        self.blanks();
        let high_inclusive = match self.peek() {
            Some(']') => true,
            Some('}') => false,
            _ => return self.fail("a range is not closed"),
        };
        self.at += 1;
        Ok(Query::Term(field, Test::Range { low: bound(low, low_inclusive), high: bound(high, high_inclusive) }))
    }

    /// Characters up to a blank, a bracket or, when `stop_at_colon`, a colon; not empty.
    fn word(&mut self, stop_at_colon: bool) -> Result<Word, SyntaxError> {
        let (mut raw, mut plain, mut wild) = (String::new(), String::new(), false);
        let from = self.at;
        while let Some(c) = self.peek() {
            match c {
                '\\' => {
                    let Some(escaped) = self.text.get(self.at + 1).copied() else {
                        return self.fail("a backslash at the end");
                    };
                    raw.extend(['\\', escaped]);
                    plain.push(escaped);
                    self.at += 2;
                    continue;
                }
                ':' if stop_at_colon => break,
                '(' | ')' | '[' | ']' | '{' | '}' | '"' => break,
                c if c.is_whitespace() => break,
                '*' | '?' => wild = true,
                _ => {}
            }
            raw.push(c);
            plain.push(c);
            self.at += 1;
        }
        if self.at == from && self.peek() != Some(':') {
            return self.fail("a value is missing");
        }
        Ok(Word { raw, plain, wild })
    }

    fn quoted(&mut self) -> Result<String, SyntaxError> {
        self.at += 1;
        let mut phrase = String::new();
        loop {
            match self.peek() {
                None => return self.fail("a quotation mark is not closed"),
                Some('"') => break,
                Some('\\') => {
                    self.at += 1;
                    phrase.extend(self.peek());
                }
                Some(c) => phrase.push(c),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(phrase)
    }
}

/// One end of a range; `*` is no bound. `1.5s` and the like count in nanoseconds, as every duration in Datadog.
fn bound(text: String, inclusive: bool) -> Option<Bound> {
    if text == "*" {
        return None;
    }
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
    let factor = match unit {
        "" | "ns" => Some(1.0),
        "us" | "µs" => Some(1e3),
        "ms" => Some(1e6),
        "s" => Some(1e9),
        "m" | "min" => Some(6e10),
        "h" => Some(3.6e12),
        "d" => Some(8.64e13),
        _ => None,
    };
    let number = factor.and_then(|factor| Some(text[..text.len() - unit.len()].parse::<f64>().ok()? * factor));
    Some(Bound { text, number, inclusive })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_cannot_be_read_says_where() {
        for (text, what) in [
            ("(a", "not closed"),
            ("a)", "closing parenthesis"),
            ("service:", "missing"),
            ("service: a", "missing"),
            ("@:x", "name of the attribute"),
            (":x", "name of the field"),
            ("\"open", "quotation mark"),
            ("a AND", "missing"),
            ("OR a", "operator"),
            ("a OR OR b", "operator"),
            ("@n:[1 2]", "[low TO high]"),
            ("@n:[1 TO 2", "not closed"),
            ("@n:>", "missing"),
            ("NOT", "missing"),
            ("a ]", "missing"),
            ("()", "missing"),
            ("x\\", "backslash"),
        ] {
            let error = parse(text).err().map(|e| e.what).unwrap_or_default();
            assert!(error.contains(what), "{text}: {error}");
        }
        assert_eq!(parse(&"(".repeat(5_000)).err().map(|e| e.what), Some("nested too deeply"));
        assert_eq!(parse(&"-".repeat(5_000)).err().map(|e| e.what), Some("nested too deeply"));
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,60}") {
            drop(parse(&text));
        }

        #[test]
        fn never_panics_on_its_own_alphabet(text in r#"[a@:*?()\[\]{}"\\<>=\- 1TONRAD.]{0,60}"#) {
            drop(parse(&text));
        }

        #[test]
        fn a_plain_term_is_read_back(key in "[a-z]{1,8}", value in "[a-z0-9./_]{1,12}") {
            prop_assert_eq!(parse(&format!("{key}:{value}")), Ok(Query::Term(Field::Key(key), Test::Is(value))));
        }
    }
}
