//! Whether a record fits a [`Query`].

use super::{Bound, Field, Query, Test};
use crate::json::View;

/// A record that can be searched.
pub(crate) trait Searchable {
    /// The text that free words are looked for in.
    fn message(&self) -> &str;

    /// Shows each value of a reserved field or tag, until `see` says true; says whether it did.
    fn key(&self, name: &str, see: &mut dyn FnMut(View<'_>) -> bool) -> bool;

    /// An attribute by its path.
    fn attribute(&self, path: &str) -> Option<View<'_>>;

    /// Shows every attribute, until `see` says true; says whether it did.
    fn attributes(&self, see: &mut dyn FnMut(View<'_>) -> bool) -> bool;
}

impl Query {
    /// Whether `record` fits.
    pub(crate) fn fits(&self, record: &dyn Searchable) -> bool {
        match self {
            Self::All => true,
            Self::And(all) => all.iter().all(|query| query.fits(record)),
            Self::Or(any) => any.iter().any(|query| query.fits(record)),
            Self::Not(query) => !query.fits(record),
            Self::Term(field, test) => fits(field, test, record),
        }
    }
}

fn fits(field: &Field, test: &Test, record: &dyn Searchable) -> bool {
    match field {
        Field::Message => in_text(record.message(), test),
        // Tags and reserved fields are stored in lower case and compared without case; attributes are exact.
        Field::Key(name) => match name.as_str() {
            "message" => in_text(record.message(), test),
            _ => record.key(name, &mut |value| holds(test, value, true)),
        },
        Field::Attribute(path) => record.attribute(path).is_some_and(|value| holds(test, value, false)),
        Field::Anything => in_text(record.message(), test) || record.attributes(&mut |value| in_text(&value.text(), test)),
    }
}

/// Free text: a phrase between word boundaries, a wildcard over one word or, with blanks in it, over the whole text.
fn in_text(message: &str, test: &Test) -> bool {
    match test {
        Test::Exists => !message.is_empty(),
        Test::Is(phrase) => has_phrase(message, phrase),
        Test::Like(glob) => {
            glob.fits(message, true)
                || message.split(|c: char| c.is_whitespace() || ",;()[]{}\"'".contains(c)).any(|word| glob.fits(word, true))
        }
        Test::Range { .. } => false,
    }
}

fn has_phrase(text: &str, phrase: &str) -> bool {
    let (text, phrase) = (text.to_lowercase(), phrase.to_lowercase());
    if phrase.is_empty() {
        return true;
    }
    let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let starts_in_word = joined(phrase.chars().next());
    let ends_in_word = joined(phrase.chars().next_back());
    text.match_indices(&phrase).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !(starts_in_word && joined(before) || ends_in_word && joined(after))
    })
}

fn holds(test: &Test, value: View<'_>, fold: bool) -> bool {
    match test {
        Test::Exists => true,
        Test::Is(wanted) => {
            let own = value.text();
            own == wanted.as_str()
                || fold && own.to_lowercase() == wanted.to_lowercase()
                || !matches!(value, View::Text(_) | View::Uint(_)) && value.number().is_some_and(|n| wanted.parse() == Ok(n))
        }
        Test::Like(glob) => glob.fits(&value.text(), fold),
        Test::Range { low, high } => {
            low.as_ref().is_none_or(|low| within(value, low, std::cmp::Ordering::Greater))
                && high.as_ref().is_none_or(|high| within(value, high, std::cmp::Ordering::Less))
        }
    }
}

fn within(value: View<'_>, bound: &Bound, side: std::cmp::Ordering) -> bool {
    let order = match (value.number(), bound.number) {
        (Some(value), Some(bound)) => value.partial_cmp(&bound),
        (None, None) => Some(value.text().as_ref().cmp(bound.text.as_str())),
        _ => None,
    };
    order.is_some_and(|order| order == side || bound.inclusive && order.is_eq())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json::Attributes;
    use crate::query::parse;

    struct Record(Attributes);

    impl Searchable for Record {
        fn message(&self) -> &'static str {
            "Reservation lookup failed: canceling statement due to statement timeout (attempt 2 of 3) user=o'neil"
        }

        fn key(&self, name: &str, see: &mut dyn FnMut(View<'_>) -> bool) -> bool {
            [("service", "checkout"), ("status", "error"), ("env", "prod"), ("team", "orders"), ("team", "payments"), ("path", "/a b")]
                .iter()
                .any(|(key, value)| *key == name && see(View::Text(value)))
        }

        fn attribute(&self, path: &str) -> Option<View<'_>> {
            self.0.get(path).map(crate::json::Scalar::view)
        }

        fn attributes(&self, see: &mut dyn FnMut(View<'_>) -> bool) -> bool {
            self.0.iter().any(|(_, value)| see(value.view()))
        }
    }

    #[test]
    fn table() {
        let record = Record(Attributes::new(vec![
            ("http.status_code", 504.into()),
            ("http.url", "/api/checkout?x=1".into()),
            ("duration", 5_003_000_000_i64.into()),
            ("ratio", 0.5.into()),
            ("error.kind", "QueryTimeout".into()),
            ("cached", false.into()),
            ("version", "2.31.0".into()),
        ]));
        for (query, fits) in [
            ("", true),
            ("*", true),
            ("timeout", true),
            ("TIMEOUT", true),
            ("time", false),
            ("time*", true),
            ("*eserv*", true),
            ("\"statement timeout\"", true),
            ("\"timeout statement\"", false),
            ("statement timeout", true),
            ("statement nowhere", false),
            ("statement OR nowhere", true),
            ("nowhere OR service:cart OR env:prod", true),
            ("service:checkout", true),
            ("service:Checkout", true),
            ("service:check", false),
            ("service:check*", true),
            ("service:(cart OR checkout)", true),
            ("service:(cart OR payment)", false),
            ("service:(-cart)", true),
            ("-service:cart", true),
            ("NOT service:checkout", false),
            ("NOT (service:cart OR status:ok)", true),
            ("!service:cart", false),
            ("status:error env:prod", true),
            ("status:error AND env:staging", false),
            ("service:cart env:prod OR status:error", true),
            ("service:cart (env:prod OR status:error)", false),
            ("team:payments team:orders", true),
            ("path:\"/a b\"", true),
            ("path:/a\\ b", true),
            ("@http.status_code:504", true),
            ("@http.status_code:504.0", true),
            ("@http.status_code:50", false),
            ("@http.status_code:5*", true),
            ("@http.status_code:[500 TO 599]", true),
            ("@http.status_code:{504 TO 599}", false),
            ("@http.status_code:[400 TO *]", true),
            ("@http.status_code:>=504", true),
            ("@http.status_code:>504", false),
            ("@http.status_code:<505 @http.status_code:>503", true),
            ("@duration:>1s", true),
            ("@duration:>6s", false),
            ("@duration:[5s TO 5010ms]", true),
            ("@ratio:>0.4", true),
            ("@cached:false", true),
            ("@cached:true", false),
            ("@error.kind:QueryTimeout", true),
            ("@error.kind:querytimeout", false),
            ("@error.kind:Query*", true),
            ("@http.url:\"/api/checkout?x=1\"", true),
            ("@http.url:\\/api\\/checkout\\?x=1", true),
            ("@http.method:*", false),
            ("@http.url:*", true),
            ("-@http.method:*", true),
            ("_exists_:service", true),
            ("_exists_:@http.url", true),
            ("_exists_:owner", false),
            ("@version:2.31.0", true),
            ("@version:2.3*", true),
            ("status_code:504", false),
            ("http.status_code:504", false),
            ("*:QueryTimeout", true),
            ("*:*checkout*", true),
            ("message:\"attempt 2\"", true),
            ("message:*attempt*", true),
            ("user=o'neil", true),
            ("attempt\\ 2", true),
            ("@version:[2.30 TO 2.32]", false),
        ] {
            assert_eq!(parse(query).unwrap().fits(&record), fits, "{query}");
        }
    }
}
