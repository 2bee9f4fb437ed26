//! Text of metric queries and formulas to an expression.

use super::filter::{self, Filter};

/// An expression over queries, names and numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Number(f64),
    /// A query of the same request, by its name.
    Name(String),
    Query(Selection),
    Binary(char, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
}

/// One metric query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selection {
    /// `avg`, `sum`, `min`, `max`, `count`, `p95` …; none when not written.
    pub(crate) aggregator: Option<String>,
    pub(crate) metric: String,
    pub(crate) filter: Filter,
    /// The text between the braces.
    pub(crate) scope: String,
    pub(crate) by: Vec<String>,
    /// Milliseconds of `.rollup(…, s)`.
    pub(crate) rollup: Option<i64>,
    pub(crate) as_rate: bool,
}

/// Deeper nesting is refused.
const DEEPEST: usize = 40;

/// Aggregators over series.
const AGGREGATORS: [&str; 11] = ["avg", "sum", "min", "max", "count", "p50", "p75", "p90", "p95", "p99", "percentile"];

/// Functions known; those that the evaluation does not treat leave the series as they are.
const FUNCTIONS: [&str; 44] = [
    "abs",
    "log2",
    "log10",
    "default_zero",
    "fill",
    "top",
    "bottom",
    "top5",
    "top10",
    "top_offset",
    "per_second",
    "per_minute",
    "per_hour",
    "diff",
    "monotonic_diff",
    "derivative",
    "dt",
    "cumsum",
    "integral",
    "ewma_3",
    "ewma_5",
    "ewma_10",
    "ewma_20",
    "median_3",
    "median_5",
    "median_7",
    "median_9",
    "moving_rollup",
    "autosmooth",
    "clamp_min",
    "clamp_max",
    "cutoff_min",
    "cutoff_max",
    "hour_before",
    "day_before",
    "week_before",
    "month_before",
    "timeshift",
    "anomalies",
    "outliers",
    "forecast",
    "exclude_null",
    "count_nonzero",
    "count_not_null",
];

/// Reads queries joined by commas, as v1 takes them.
pub(crate) fn parse_queries(text: &str) -> Result<Vec<Expression>, String> {
    let mut parser = Parser { text, at: 0, depth: 0, names: false };
    let mut list = vec![parser.sum()?];
    while parser.take(',') {
        list.push(parser.sum()?);
    }
    parser.end()?;
    Ok(list)
}

/// Reads a formula over named queries.
pub(crate) fn parse_formula(text: &str) -> Result<Expression, String> {
    let mut parser = Parser { text, at: 0, depth: 0, names: true };
    let expression = parser.sum()?;
    parser.end()?;
    Ok(expression)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Names of queries may stand in it.
    names: bool,
}

impl Parser<'_> {
    fn rest(&mut self) -> &str {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        &self.text[self.at..]
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn expect(&mut self, c: char) -> Result<(), String> {
        if self.take(c) { Ok(()) } else { Err(self.wrong(&format!("'{c}' expected"))) }
    }

    fn wrong(&mut self, what: &str) -> String {
        let rest: String = self.rest().chars().take(20).collect();
        format!("Rule 'query' did not match at position {}: {what} before '{rest}'", self.at)
    }

    fn end(&mut self) -> Result<(), String> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.wrong("the end expected")) }
    }

    fn sum(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong("nested too deeply"));
        }
        let mut left = self.product()?;
        while let Some(operator) = ['+', '-'].into_iter().find(|c| self.take(*c)) {
            left = Expression::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.factor()?;
        while let Some(operator) = ['*', '/'].into_iter().find(|c| self.take(*c)) {
            left = Expression::Binary(operator, Box::new(left), Box::new(self.factor()?));
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Expression, String> {
        if self.take('(') {
            let inner = self.sum()?;
            self.expect(')')?;
            return Ok(inner);
        }
        if self.take('-') {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(self.wrong("nested too deeply"));
            }
            let inner = self.factor()?;
            self.depth -= 1;
            return Ok(Expression::Binary('-', Box::new(Expression::Number(0.0)), Box::new(inner)));
        }
        let rest = self.rest();
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        if digits > 0 && rest.starts_with(|c: char| c.is_ascii_digit()) {
            let number = rest[..digits].parse().map_err(|_| format!("'{}' is not a number", &rest[..digits]))?;
            self.at += digits;
            return Ok(Expression::Number(number));
        }
        let word = self.word();
        if word.is_empty() {
            return Err(self.wrong("a query expected"));
        }
        if self.take('(') {
            return self.call(word);
        }
        if self.take(':') {
            if !AGGREGATORS.contains(&word.as_str()) {
                return Err(format!("unknown aggregator '{word}'"));
            }
            let metric = self.word();
            return self.selection(Some(word), metric);
        }
        if self.rest().starts_with('{') {
            return self.selection(None, word);
        }
        if self.names { Ok(Expression::Name(word)) } else { Err(self.wrong("a scope in braces expected")) }
    }

    /// Letters, digits, `_`, `.` and `-` inside.
    fn word(&mut self) -> String {
        let rest = self.rest();
        let names = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let end = rest.find(|c| !names(c)).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        word
    }

    /// Text up to `close`, which is taken too.
    fn until(&mut self, close: char) -> Result<String, String> {
        let Some(end) = self.text[self.at..].find(close) else { return Err(self.wrong(&format!("'{close}' expected"))) };
        let inner = self.text[self.at..self.at + end].to_owned();
        self.at += end + close.len_utf8();
        Ok(inner)
    }

    fn call(&mut self, name: String) -> Result<Expression, String> {
        if !FUNCTIONS.contains(&name.as_str()) {
            return Err(format!("unknown function '{name}'"));
        }
        let mut arguments = Vec::new();
        if !self.take(')') {
            loop {
                arguments.push(self.argument()?);
                if self.take(')') {
                    break;
                }
                self.expect(',')?;
            }
        }
        Ok(Expression::Call(name, arguments))
    }

    /// An expression, or a text in quotes, which stands as a name.
    fn argument(&mut self) -> Result<Expression, String> {
        for quote in ['\'', '"'] {
            if self.take(quote) {
                return Ok(Expression::Name(self.until(quote)?));
            }
        }
        self.sum()
    }

    fn selection(&mut self, aggregator: Option<String>, metric: String) -> Result<Expression, String> {
        if metric.is_empty() || !metric.starts_with(char::is_alphabetic) {
            return Err(self.wrong("the name of a metric expected"));
        }
        self.expect('{')?;
        let scope = self.until('}')?;
        let filter = filter::parse(&scope).ok_or_else(|| format!("cannot read the scope '{scope}'"))?;
        let mut selection = Selection { aggregator, metric, filter, scope, by: Vec::new(), rollup: None, as_rate: false };
        if self.rest().starts_with("by") {
            self.at += 2;
            self.expect('{')?;
            selection.by = self.until('}')?.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect();
        }
        while self.take('.') {
            let method = self.word();
            self.expect('(')?;
            let arguments = self.until(')')?;
            match method.as_str() {
                "as_rate" => selection.as_rate = true,
                "rollup" => {
                    selection.rollup = arguments
                        .split(',')
                        .filter_map(|argument| argument.trim().parse::<i64>().ok())
                        .find(|seconds| *seconds > 0)
                        .map(|seconds| seconds * 1_000);
                }
                "as_count" | "fill" | "weighted" | "moving_rollup" | "exclude_null" => {}
                other => return Err(format!("unknown function '{other}'")),
            }
        }
        Ok(Expression::Query(selection))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn queries() {
        let Expression::Query(query) =
            parse_queries("sum:trace.servlet.request.hits{env:prod,service:checkout} by {resource_name,env}.as_rate().rollup(sum, 60)")
                .unwrap()
                .remove(0)
        else {
            panic!("no query")
        };
        assert_eq!((query.aggregator.as_deref(), query.metric.as_str()), (Some("sum"), "trace.servlet.request.hits"));
        assert_eq!(query.by, ["resource_name", "env"]);
        assert_eq!((query.rollup, query.as_rate), (Some(60_000), true));
        assert_eq!(parse_queries("a.b{*},c.d{*}").unwrap().len(), 2);
        assert!(matches!(parse_queries("a{*} / b{*} * 100").unwrap()[0], Expression::Binary('*', _, _)));
        assert!(parse_queries("top(avg:a.b{*} by {host}, 5, 'mean', 'desc')").is_ok());
        assert!(parse_queries("avg:a{*}by{host}").is_ok());
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "avg:",
            "avg:a",
            "a",
            "frob:a{*}",
            "avg:a{*",
            "avg:a{*} by {x",
            "nope(a{*})",
            "a{*} +",
            "(a{*}",
            "a{*} b{*}",
            "a{*}.frob()",
            "1a{*}",
        ] {
            assert!(parse_queries(text).is_err(), "{text}");
        }
        assert!(parse_formula(&"(".repeat(10_000)).is_err());
        assert!(parse_formula(&"-".repeat(10_000)).is_err());
        assert!(parse_formula("a / b * 100").is_ok());
    }

    proptest! {
        #[test]
        fn never_panics(text in r"[a-z:{}()*/+,.0-9 '-]{0,50}|.{0,30}") {
            drop(parse_queries(&text));
            drop(parse_formula(&text));
        }
    }
}
