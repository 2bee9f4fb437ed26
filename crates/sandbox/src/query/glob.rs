//! Wildcard patterns: `*` any characters, `?` one character, `\` escapes.

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Char(char),
    One,
    Many,
}

impl Glob {
    /// Compiles a pattern.
    pub(crate) fn new(pattern: &str) -> Self {
        let mut pieces = Vec::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            let piece = match c {
                '*' => Piece::Many,
                '?' => Piece::One,
                '\\' => Piece::Char(chars.next().unwrap_or('\\')),
                other => Piece::Char(other),
            };
            if !(piece == Piece::Many && pieces.last() == Some(&Piece::Many)) {
                pieces.push(piece);
            }
        }
        Self(pieces)
    }

    /// Whether the whole of `text` fits; letters compare without case when `fold`.
    pub(crate) fn fits(&self, text: &str, fold: bool) -> bool {
        let text: Vec<char> = text.chars().collect();
        let same = |a: char, b: char| a == b || fold && a.to_lowercase().eq(b.to_lowercase());
        let (mut piece, mut at, mut retry) = (0, 0, None);
        while at < text.len() {
            match self.0.get(piece) {
                Some(Piece::Many) => {
                    retry = Some((piece, at));
                    piece += 1;
                    continue;
                }
                Some(Piece::One) => {}
                Some(Piece::Char(c)) if same(*c, text[at]) => {}
                _ => {
                    // Let the last `*` take one more character, or give up.
                    let Some((many, from)) = retry else { return false };
                    retry = Some((many, from + 1));
                    piece = many + 1;
                    at = from + 1;
                    continue;
                }
            }
            piece += 1;
            at += 1;
        }
        self.0[piece..].iter().all(|rest| *rest == Piece::Many)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn table() {
        for (pattern, text, fits) in [
            ("web-*", "web-store", true),
            ("web-*", "my-web-store", false),
            ("*store", "web-store", true),
            ("w*b*e", "web-store", true),
            ("w?b-store", "web-store", true),
            ("w?b", "wb", false),
            ("*", "", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("WEB*", "web-store", false),
        ] {
            assert_eq!(Glob::new(pattern).fits(text, false), fits, "{pattern} on {text}");
        }
        assert!(Glob::new("WEB*").fits("web-store", true));
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_recursive_matcher(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            fn plain(p: &[u8], t: &[u8]) -> bool {
                match (p.first(), t.first()) {
                    (None, None) => true,
                    (Some(b'*'), _) => plain(&p[1..], t) || !t.is_empty() && plain(p, &t[1..]),
                    (Some(b'?'), Some(_)) => plain(&p[1..], &t[1..]),
                    (Some(a), Some(b)) if a == b => plain(&p[1..], &t[1..]),
                    _ => false,
                }
            }
            prop_assert_eq!(Glob::new(&pattern).fits(&text, false), plain(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn never_panics(pattern in ".{0,20}", text in ".{0,20}") {
            let _ = Glob::new(&pattern).fits(&text, true);
        }
    }
}
