//! Metric expressions as people write them, split into the plain queries and formulas that the v2 API takes.
//!
//! `/api/v2/query/timeseries` wants each query bare (`avg:a.b{x} by {y}`) and everything else (arithmetic, functions) in
//! formulas over their names; the v1 grammar, dashboards and monitors have both in one string.

use datadog_client::{Fix, Refusal};

/// Queries by name and the formulas over them, ready for the v2 API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expressions {
    /// Bare queries, in order.
    pub(super) queries: Vec<Named>,
    /// What is answered, in order; `series[].query_index` counts these.
    pub(super) formulas: Vec<Formula>,
    /// What was changed on the way in.
    pub(super) notes: Vec<String>,
}

/// A bare query and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// `a`, or what the caller chose.
    pub(super) name: String,
    /// `avg:a.b{x} by {y}`
    pub(super) text: String,
}

/// A formula and what the caller wrote for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Formula {
    /// Over names of queries.
    pub(super) text: String,
    /// As the caller knows it.
    pub(super) label: String,
}

impl Expressions {
    /// Reads `queries` (each may be `name=expression`; else they are `a`, `b`, `c` …) and `formulas` over their names.
    ///
    /// Without formulas every query is answered as it is. Monitor queries lose their window and threshold.
    pub(super) fn read(queries: &[String], formulas: &[String]) -> Result<Self, Refusal> {
        let mut plan = Self { queries: Vec::new(), formulas: Vec::new(), notes: Vec::new() };
        let mut given: Vec<(String, String)> = Vec::new();
        for (position, query) in queries.iter().enumerate() {
            let (name, text) = named(query);
            let name = name.map_or_else(|| letter(position), str::to_owned);
            if given.iter().any(|(known, _)| *known == name) {
                return Err(Refusal::invalid(format!("Two queries are named `{name}`; name them apart as `name=query`.")));
            }
            let inner = monitored(text);
            if inner.len() < text.len() {
                plan.notes.push(format!("`{name}` came from a monitor: its window and threshold were left out."));
            }
            let formula = plan.take(&name, inner)?;
            given.push((name, formula));
        }
        if formulas.is_empty() {
            for ((name, formula), query) in given.iter().zip(queries) {
                let label = if queries.len() > 1 { format!("{name}={}", named(query).1) } else { query.trim().to_owned() };
                plan.formulas.push(Formula { text: formula.clone(), label });
            }
        }
        for formula in formulas {
            let text = substitute(formula, &given);
            plan.formulas.push(Formula { text, label: formula.trim().to_owned() });
        }
        Ok(plan)
    }

    /// Adds the bare queries of an expression and gives the formula over them.
    fn take(&mut self, name: &str, text: &str) -> Result<String, Refusal> {
        let atoms = atoms(text);
        if atoms.is_empty() {
            let completed = complete(text).ok_or_else(|| wrong(text))?;
            self.queries.push(Named { name: name.to_owned(), text: completed });
            return Ok(name.to_owned());
        }
        if atoms.len() == 1 && atoms[0] == (0..text.len()) {
            self.queries.push(Named { name: name.to_owned(), text: text.to_owned() });
            return Ok(name.to_owned());
        }
        let (mut formula, mut end) = (String::new(), 0);
        for (position, atom) in atoms.into_iter().enumerate() {
            let atom_name = format!("{name}_{}", position + 1);
            formula.push_str(&text[end..atom.start]);
            formula.push_str(&atom_name);
            end = atom.end;
            self.queries.push(Named { name: atom_name, text: text[atom].to_owned() });
        }
        formula.push_str(&text[end..]);
        Ok(formula)
    }
}

/// The metric and the filter of a bare query, for saying why it found nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// `sum`, empty when none is written.
    pub(super) aggregator: &'a str,
    /// `trace.http.request.errors`
    pub(super) metric: &'a str,
    /// Between the first braces.
    pub(super) filter: &'a str,
    /// Between the braces after `by`.
    pub(super) group: &'a str,
}

/// Takes a bare query apart; `None` when it is not one.
pub(super) fn parts(query: &str) -> Option<Parts<'_>> {
    let open = query.find('{')?;
    let close = open + query[open..].find('}')?;
    let head = query[..open].trim();
    let (aggregator, metric) = head.split_once(':').unwrap_or(("", head));
    let rest = query[close + 1..].trim_start();
    let group = rest
        .strip_prefix("by")
        .and_then(|rest| rest.trim_start().strip_prefix('{'))
        .and_then(|rest| rest.split_once('}'))
        .map_or("", |(group, _)| group);
    Some(Parts { aggregator, metric, filter: query[open + 1..close].trim(), group: group.trim() })
}

/// The single `key:value` conditions of a filter that must hold literally: no wildcard, no negation, no template variable.
pub(super) fn conditions(filter: &str) -> Vec<(&str, &str)> {
    // Behind OR or NOT a missing tag does not explain an empty answer.
    let upper = filter.to_ascii_uppercase();
    if upper.contains(" OR ") || upper.contains("NOT ") || upper.contains(" IN ") {
        return Vec::new();
    }
    filter
        .split(|c: char| c == ',' || c.is_whitespace() || c == '(' || c == ')')
        .filter(|term| !term.starts_with(['!', '-', '$']) && !term.contains('*'))
        .filter_map(|term| term.split_once(':'))
        .filter(|(key, value)| !key.is_empty() && !value.is_empty() && !value.starts_with('$'))
        .collect()
}

fn letter(position: usize) -> String {
    let letter = char::from(b'a' + (position % 26) as u8);
    if position < 26 { letter.to_string() } else { format!("{letter}{}", position / 26) }
}

/// Splits `name=query`.
fn named(query: &str) -> (Option<&str>, &str) {
    let query = query.trim();
    let Some((name, text)) = query.split_once('=') else {
        return (None, query);
    };
    let name = name.trim();
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_name { (Some(name), text.trim()) } else { (None, query) }
}

/// The metric expression inside a monitor query such as `avg(last_5m):sum:a{*} by {b} > 100`.
fn monitored(text: &str) -> &str {
    let Some(start) = text.find("):").filter(|end| text[..*end].contains("last_") && !text[..*end].contains('{')) else {
        return text;
    };
    let inner = &text[start + 2..];
    // The threshold stands after the last brace, so that `>` inside a filter is no comparison.
    let tail = inner.rfind(['}', ')']).map_or(0, |at| at + 1);
    inner[tail..].find(['>', '<', '=', '!']).map_or(inner, |at| &inner[..tail + at]).trim()
}

/// A metric named without scope gets the widest one: `avg:a.b` becomes `avg:a.b{*}`, `a.b` becomes `avg:a.b{*}`.
fn complete(text: &str) -> Option<String> {
    let (aggregator, metric) = text.split_once(':').unwrap_or(("avg", text));
    let plain = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    let known = ["avg", "sum", "min", "max", "count", "last"].contains(&aggregator)
        || aggregator.strip_prefix('p').is_some_and(|share| share.parse::<f64>().is_ok());
    (known && plain(metric) && metric.starts_with(|c: char| c.is_ascii_alphabetic())).then(|| format!("{aggregator}:{metric}{{*}}"))
}

fn wrong(text: &str) -> Refusal {
    Refusal::invalid(format!("`{text}` is no metric query."))
        .because("A query is `aggregator:metric{filter} by {tags}`, e.g. `avg:trace.http.request.duration{service:checkout,env:prod} by {resource_name}`.")
        .fix(Fix::new("metrics_search", "Finds names of metrics by a fragment."))
}

/// Puts queries that became formulas in place of their names.
fn substitute(formula: &str, given: &[(String, String)]) -> String {
    let mut out = String::with_capacity(formula.len());
    let mut rest = formula.trim();
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_') {
        out.push_str(&rest[..start]);
        let word = &rest[start..];
        let end = word.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(word.len());
        match given.iter().find(|(name, _)| *name == word[..end]) {
            Some((name, formula)) if name != formula => {
                out.push('(');
                out.push_str(formula);
                out.push(')');
            }
            _ => out.push_str(&word[..end]),
        }
        rest = &word[end..];
    }
    out.push_str(rest);
    out
}

/// Where the bare queries of an expression stand: `aggregator:metric{…}`, ` by {…}`, `.as_count()`, `.rollup(…)`.
fn atoms(text: &str) -> Vec<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(open) = text[at..].find('{').map(|open| at + open) {
        let mut start = open;
        while start > at && (bytes[start - 1].is_ascii_alphanumeric() || b"_.:".contains(&bytes[start - 1])) {
            start -= 1;
        }
        let Some(mut end) = text[open..].find('}').map(|close| open + close + 1) else { break };
        if let Some(group) = group_end(&text[end..]) {
            end += group;
        }
        while let Some(call) = call_end(&text[end..]) {
            end += call;
        }
        found.push(start..end);
        at = end;
    }
    found
}

/// Length of ` by {…}` at the start of `text`.
fn group_end(text: &str) -> Option<usize> {
    let rest = text.trim_start().strip_prefix("by")?.trim_start();
    let inner = rest.strip_prefix('{')?;
    let close = inner.find('}')?;
    Some(text.len() - inner.len() + close + 1)
}

/// Length of `.name(…)` at the start of `text`.
fn call_end(text: &str) -> Option<usize> {
    let name = text.strip_prefix('.')?;
    let open = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    name[open..].starts_with('(').then_some(())?;
    let close = name[open..].find(')')?;
    Some(1 + open + close + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use proptest::prelude::*;

    fn read(queries: &[&str], formulas: &[&str]) -> Expressions {
        let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Expressions::read(&own(queries), &own(formulas)).unwrap()
    }

    fn shown(plan: &Expressions) -> (Vec<(&str, &str)>, Vec<&str>) {
        (
            plan.queries.iter().map(|query| (query.name.as_str(), query.text.as_str())).collect(),
            plan.formulas.iter().map(|formula| formula.text.as_str()).collect(),
        )
    }

    #[test]
    fn bare_queries_pass_verbatim() {
        let text = "sum:trace.http.request.errors{service:checkout,env:prod} by {resource_name}.as_count().rollup(sum, 60)";
        let plan = read(&[text], &[]);
        assert_eq!(shown(&plan), (vec![("a", text)], vec!["a"]));
        assert_eq!(plan.formulas[0].label, text);
    }

    #[test]
    fn arithmetic_and_functions_become_formulas() {
        let plan = read(&["sum:a.err{*}.as_count() / sum:a.hits{*}.as_count() * 100"], &[]);
        assert_eq!(shown(&plan), (vec![("a_1", "sum:a.err{*}.as_count()"), ("a_2", "sum:a.hits{*}.as_count()")], vec!["a_1 / a_2 * 100"]));
        let plan = read(&["top(avg:cpu{env:prod} by {host}, 5, 'mean', 'desc')"], &[]);
        assert_eq!(shown(&plan), (vec![("a_1", "avg:cpu{env:prod} by {host}")], vec!["top(a_1, 5, 'mean', 'desc')"]));
    }

    #[test]
    fn formulas_use_names_and_see_through_composites() {
        let plan = read(&["errors=sum:e{*}", "sum:h{*}", "d=sum:x{*}+sum:y{*}"], &["errors/b*100", "abs(d)/errors", "errors_total"]);
        assert_eq!(shown(&plan).1, vec!["errors/b*100", "abs((d_1+d_2))/errors", "errors_total"]);
        assert_eq!(plan.formulas[1].label, "abs(d)/errors");
        assert_eq!(plan.queries.len(), 4);
    }

    #[test]
    fn monitor_queries_lose_window_and_threshold() {
        let plan = read(&["avg(last_5m):sum:system.net.bytes_rcvd{host:host0} > 100"], &[]);
        assert_eq!(shown(&plan).0, vec![("a", "sum:system.net.bytes_rcvd{host:host0}")]);
        assert_eq!(plan.notes.len(), 1);
        let plan = read(&["sum(last_10m):sum:e{env:prod} by {service}.as_count() / sum:h{env:prod}.as_count() >= 0.05"], &[]);
        assert_eq!(shown(&plan).1, vec!["a_1 / a_2"]);
    }

    #[test]
    fn names_without_scope_are_completed_and_nonsense_is_refused() {
        assert_eq!(shown(&read(&["system.cpu.user"], &[])).0, vec![("a", "avg:system.cpu.user{*}")]);
        assert_eq!(shown(&read(&["max:system.cpu.user"], &[])).0, vec![("a", "max:system.cpu.user{*}")]);
        for bad in ["", "status:error service:a", "@duration:>1", "how many errors"] {
            let refusal = Expressions::read(&[bad.to_owned()], &[]).unwrap_err();
            assert!(refusal.why.unwrap().contains("aggregator:metric{filter}"), "{bad}");
        }
        assert!(Expressions::read(&["a=x".to_owned(), "a=y".to_owned()], &[]).is_err());
    }

    #[test]
    fn parts_and_conditions_of_a_query() {
        let taken = parts("sum:a.b{service:checkout,env:prod,!host:x,pod:web-*,$var} by {c,d}.as_count()").unwrap();
        assert_eq!((taken.aggregator, taken.metric, taken.group), ("sum", "a.b", "c,d"));
        assert_eq!(conditions(taken.filter), vec![("service", "checkout"), ("env", "prod")]);
        assert!(conditions("service:a OR service:b").is_empty());
        assert_eq!(conditions("service:a AND env:prod"), vec![("service", "a"), ("env", "prod")]);
        assert_eq!(parts("nothing"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,60}", formula in "\\PC{0,20}") {
            let _unused = Expressions::read(std::slice::from_ref(&text), std::slice::from_ref(&formula));
            let _unused = parts(&text).map(|parts| conditions(parts.filter).len());
        }

        #[test]
        fn an_expression_is_its_atoms_put_back(metrics in proptest::collection::vec("[a-z]{1,5}(\\.[a-z]{1,5}){0,2}", 1..5), operator in "[-+*/]") {
            let text = metrics.iter().map(|metric| format!("sum:{metric}{{env:prod}} by {{host}}.as_count()")).collect::<Vec<_>>().join(&format!(" {operator} "));
            let plan = read(&[text.as_str()], &[]);
            prop_assert_eq!(plan.queries.len(), metrics.len());
            let mut back = plan.formulas[0].text.clone();
            for query in plan.queries.iter().rev() {
                back = back.replacen(&query.name, &query.text, 1);
            }
            prop_assert_eq!(back, text);
        }
    }
}
