//! Datadog's search syntax, read just far enough to name the terms of a query.

/// One term: free text, or a key with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Term<'q> {
    /// `service`, `@http.status_code`; none for free text.
    pub(super) key: Option<&'q str>,
    /// What stands after the colon, quotes and brackets included.
    pub(super) value: &'q str,
    /// After `-` or `NOT`, or in a group that is.
    pub(super) negated: bool,
}

impl Term<'_> {
    /// The one value it asks for: unquoted and unescaped; none for wildcards, comparisons, ranges and groups.
    pub(super) fn exact(&self) -> Option<String> {
        if let Some(quoted) = self.value.strip_prefix('"') {
            return Some(unescape(quoted.strip_suffix('"').unwrap_or(quoted)));
        }
        let open = self.value.starts_with(['[', '{', '(', '<', '>']) || has_wildcard(self.value);
        (!open && !self.value.is_empty()).then(|| unescape(self.value))
    }
}

/// Whether the query names `key` anywhere, `key:…`.
pub(crate) fn has_key(query: &str, key: &str) -> bool {
    terms(query).iter().any(|term| term.key == Some(key))
}

/// `more` and `query` both: the query is put in parentheses when it holds an `OR`, which would bind weaker.
pub(crate) fn joined(more: &str, query: &str) -> String {
    let query = query.trim();
    if query.is_empty() || query == "*" {
        more.to_owned()
    } else if query.split_whitespace().any(|word| word == "OR") {
        format!("{more} ({query})")
    } else {
        format!("{more} {query}")
    }
}

/// The terms of a query in order. Never fails: what cannot be read is free text.
pub(super) fn terms(query: &str) -> Vec<Term<'_>> {
    let mut terms = Vec::new();
    let mut groups: Vec<bool> = Vec::new();
    let mut not = false;
    let mut rest = query;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return terms };
        match first {
            '(' => {
                groups.push(not != groups.last().copied().unwrap_or(false));
                not = false;
                rest = &rest[1..];
            }
            ')' => {
                groups.pop();
                rest = &rest[1..];
            }
            '-' if rest.len() > 1 && !rest[1..].starts_with(char::is_whitespace) => {
                not = !not;
                rest = &rest[1..];
            }
            _ => {
                let (word, after) = rest.split_at(word_end(rest));
                rest = after;
                match word {
                    "AND" | "OR" => {}
                    "NOT" => not = !not,
                    _ => {
                        let (key, value) = split_key(word);
                        terms.push(Term { key, value, negated: not != groups.last().copied().unwrap_or(false) });
                        not = false;
                    }
                }
            }
        }
    }
}

/// Bytes of the word that `text` begins with: up to a space or parenthesis, over quotes, brackets and a group after the colon.
fn word_end(text: &str) -> usize {
    let mut chars = text.char_indices();
    let mut before = None;
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' => skip_to(&mut chars, '"'),
            '[' | '{' if before == Some(':') => skip_to_any(&mut chars),
            '(' if before == Some(':') => skip_group(&mut chars),
            '(' | ')' => return at.max(1),
            _ if c.is_whitespace() => return at,
            _ => {}
        }
        before = Some(c);
    }
    text.len()
}

fn skip_to(chars: &mut std::str::CharIndices<'_>, end: char) {
    while let Some((_, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == end {
            return;
        }
    }
}

/// Ranges may end otherwise than they begin: `[1 TO 5}`.
fn skip_to_any(chars: &mut std::str::CharIndices<'_>) {
    chars.by_ref().find(|(_, c)| matches!(c, ']' | '}'));
}

fn skip_group(chars: &mut std::str::CharIndices<'_>) {
    let mut depth = 1;
    while let Some((_, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' => skip_to(chars, '"'),
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return;
                }
            }
            _ => {}
        }
    }
}

/// Parts `key:value`; a colon in quotes or after a backslash parts nothing.
fn split_key(word: &str) -> (Option<&str>, &str) {
    let mut escaped = false;
    for (at, c) in word.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return (None, word),
            ':' if at > 0 => return (Some(&word[..at]), &word[at + 1..]),
            _ => {}
        }
    }
    (None, word)
}

fn has_wildcard(value: &str) -> bool {
    let mut escaped = false;
    value.chars().any(|c| {
        let wild = !escaped && matches!(c, '*' | '?');
        escaped = !escaped && c == '\\';
        wild
    })
}

fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(query: &str) -> Vec<(Option<&str>, &str, bool)> {
        terms(query).into_iter().map(|term| (term.key, term.value, term.negated)).collect()
    }

    #[test]
    fn reads_terms() {
        assert_eq!(read("service:web status:error"), [(Some("service"), "web", false), (Some("status"), "error", false)]);
        assert_eq!(
            read("-service:web NOT env:dev boom"),
            [(Some("service"), "web", true), (Some("env"), "dev", true), (None, "boom", false)]
        );
        assert_eq!(
            read("@http.status_code:[400 TO 499] @d:>=5"),
            [(Some("@http.status_code"), "[400 TO 499]", false), (Some("@d"), ">=5", false)]
        );
        assert_eq!(read(r#"@http.url:"/a b:c" "x:y""#), [(Some("@http.url"), r#""/a b:c""#, false), (None, r#""x:y""#, false)]);
        assert_eq!(
            read("service:(a OR b) AND -(env:dev OR -env:qa)"),
            [(Some("service"), "(a OR b)", false), (Some("env"), "dev", true), (Some("env"), "qa", false)]
        );
        assert_eq!(read(r"a\:b:c\ d"), [(Some(r"a\:b"), r"c\ d", false)]);
        assert_eq!(read("*"), [(None, "*", false)]);
        assert_eq!(read(" ( ) - "), [(None, "-", false)]);
    }

    #[test]
    fn exact_values() {
        let exact = |value: &'static str| Term { key: Some("k"), value, negated: false }.exact();
        assert_eq!(exact("web").as_deref(), Some("web"));
        assert_eq!(exact(r#""a \"b\" *""#).as_deref(), Some(r#"a "b" *"#));
        assert_eq!(exact(r"a\ b\*").as_deref(), Some("a b*"));
        for open in ["web*", "?", ">5", "<=5", "[1 TO 2]", "{1 TO 2}", "(a OR b)", ""] {
            assert_eq!(exact(open), None, "{open}");
        }
    }

    #[test]
    fn joining_keeps_what_or_binds() {
        assert_eq!(joined("t:a", ""), "t:a");
        assert_eq!(joined("t:a", "*"), "t:a");
        assert_eq!(joined("t:a", "x:1 y:2"), "t:a x:1 y:2");
        assert_eq!(joined("t:a", "x:1 OR y:2"), "t:a (x:1 OR y:2)");
        assert!(has_key("-(dbm_type:plan)", "dbm_type"));
        assert!(!has_key("\"dbm_type:plan\"", "dbm_type"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(query in r#"[a-c:@()"\[\]{}\\ *\-éANDORT]{0,40}"#) {
            for term in terms(&query) {
                prop_assert!(query.contains(term.value));
                prop_assert!(term.key.is_none_or(|key| query.contains(key)));
                let _ = term.exact();
            }
        }

        #[test]
        fn terms_come_back(written in proptest::collection::vec(("[a-z@][a-z_.]{0,8}", "[a-z0-9]{1,6}", any::<bool>()), 0..6)) {
            let query = written.iter().map(|(key, value, not)| format!("{}{key}:{value}", if *not { "-" } else { "" })).collect::<Vec<_>>().join(" ");
            let back: Vec<(String, String, bool)> = terms(&query).iter().map(|t| (t.key.unwrap_or_default().to_owned(), t.exact().unwrap_or_default(), t.negated)).collect();
            prop_assert_eq!(back, written);
        }
    }
}
