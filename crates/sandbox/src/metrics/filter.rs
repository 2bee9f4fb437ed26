//! The scope of a metric query: `env:prod,!host:a*`, `service IN (a,b)`, `env:prod AND (host:a OR host:b)`.

use crate::query::Glob;

/// A parsed scope.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    All,
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Tag(String, Glob),
    /// A tag without a value.
    Bare(String),
}

/// Nesting beyond this is refused.
const DEEPEST: usize = 32;

/// Reads the text between the braces.
pub(crate) fn parse(text: &str) -> Option<Filter> {
    let mut parser = Parser { text, depth: 0 };
    let filter = parser.any()?;
    parser.text.trim_start().is_empty().then_some(filter)
}

struct Parser<'a> {
    text: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn blanks(&mut self) {
        self.text = self.text.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.blanks();
        let word = token.chars().all(char::is_alphabetic);
        let Some(rest) = self.text.get(..token.len()).filter(|head| head.eq_ignore_ascii_case(token)).map(|_| &self.text[token.len()..])
        else {
            return false;
        };
        if word && rest.chars().next().is_some_and(|c| !c.is_whitespace() && c != '(') {
            return false;
        }
        self.text = rest;
        true
    }

    fn any(&mut self) -> Option<Filter> {
        let mut either = vec![self.all()?];
        while self.take("OR") {
            either.push(self.all()?);
        }
        Some(if either.len() == 1 { either.remove(0) } else { Filter::Or(either) })
    }

    fn all(&mut self) -> Option<Filter> {
        let mut all = vec![self.one()?];
        while self.take(",") || self.take("AND") {
            all.push(self.one()?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Filter::And(all) })
    }

    fn one(&mut self) -> Option<Filter> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let filter = if self.take("!") || self.take("NOT") {
            Filter::Not(Box::new(self.one()?))
        } else if self.take("(") {
            let filter = self.any()?;
            if !self.take(")") {
                return None;
            }
            filter
        } else {
            self.tag()?
        };
        self.depth -= 1;
        Some(filter)
    }

    fn word(&mut self, stop: &[char]) -> &'a str {
        self.blanks();
        let end = self.text.find(|c: char| c.is_whitespace() && !stop.contains(&' ') || stop.contains(&c)).unwrap_or(self.text.len());
        let (word, rest) = self.text.split_at(end);
        self.text = rest;
        word.trim_end()
    }

    fn tag(&mut self) -> Option<Filter> {
        let key = self.word(&[':', ',', ')', '(']).to_owned();
        if key == "*" || key.starts_with('$') {
            return Some(Filter::All);
        }
        if key.is_empty() {
            return None;
        }
        if self.take(":") {
            let value = self.word(&[',', ')']);
            return (!value.is_empty()).then(|| Filter::Tag(key, Glob::new(value)));
        }
        let negated = self.take("NOT");
        if !self.take("IN") {
            return (!negated).then_some(Filter::Bare(key));
        }
        if !self.take("(") {
            return None;
        }
        let mut either = Vec::new();
        loop {
            let value = self.word(&[',', ')']);
            if value.is_empty() {
                return None;
            }
            either.push(Filter::Tag(key.clone(), Glob::new(value)));
            if self.take(")") {
                break;
            }
            if !self.take(",") {
                return None;
            }
        }
        let filter = Filter::Or(either);
        Some(if negated { Filter::Not(Box::new(filter)) } else { filter })
    }
}

impl Filter {
    /// Whether a series with these tags is in the scope.
    pub(crate) fn fits(&self, tags: &[String]) -> bool {
        match self {
            Self::All => true,
            Self::And(all) => all.iter().all(|filter| filter.fits(tags)),
            Self::Or(any) => any.iter().any(|filter| filter.fits(tags)),
            Self::Not(filter) => !filter.fits(tags),
            Self::Tag(key, value) => {
                tags.iter().any(|tag| tag.split_once(':').is_some_and(|(own, text)| own == key && value.fits(&normal(text), true)))
            }
            Self::Bare(key) => tags.iter().any(|tag| tag == key),
        }
    }
}

/// Blanks in values become underscores, as Datadog stores tags.
fn normal(value: &str) -> String {
    value.replace(' ', "_")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn table() {
        let tags: Vec<String> = ["env:prod", "service:checkout", "host:ip-10-4-1-2", "canary"].map(str::to_owned).to_vec();
        for (text, fits) in [
            ("*", Some(true)),
            ("env:prod", Some(true)),
            ("env:prod,service:cart", Some(false)),
            ("env:prod, service:checkout", Some(true)),
            ("!env:staging", Some(true)),
            ("env:prod,!service:checkout", Some(false)),
            ("host:ip-10*", Some(true)),
            ("service IN (cart,checkout)", Some(true)),
            ("service NOT IN (cart, checkout)", Some(false)),
            ("env:prod AND (service:cart OR service:checkout)", Some(true)),
            ("NOT env:prod", Some(false)),
            ("canary", Some(true)),
            ("$env,service:checkout", Some(true)),
            ("", None),
            ("env:", None),
            ("env:prod,", None),
            ("(env:prod", None),
        ] {
            assert_eq!(parse(text).map(|filter| filter.fits(&tags)), fits, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in r"[a-z:,!()*$ INORAD]{0,40}|.{0,20}") {
            let _ = parse(&text);
        }
    }
}
