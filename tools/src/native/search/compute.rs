//! What an aggregation computes: `count`, `avg(@duration)`, `p95(@duration)`, `cardinality(@usr.id)`.

use crate::answer::Form;
use datadog_client::Refusal;
use serde_json::{Map, Value};

/// One computed value per bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compute {
    /// Datadog's name.
    aggregation: &'static str,
    /// The name it was asked for by.
    asked: &'static str,
    metric: Option<String>,
}

/// Datadog's aggregations by the names people give them; the first of each is Datadog's own (`pup.md` §5.3).
const AGGREGATIONS: &[(&str, &[&str])] = &[
    ("count", &["count", "total", "hits"]),
    ("cardinality", &["cardinality", "unique", "uniq", "distinct", "count_distinct", "distinct_count"]),
    ("avg", &["avg", "average", "mean"]),
    ("sum", &["sum"]),
    ("min", &["min", "minimum"]),
    ("max", &["max", "maximum"]),
    ("median", &["median", "p50", "pc50"]),
    ("pc75", &["pc75", "p75"]),
    ("pc90", &["pc90", "p90"]),
    ("pc95", &["pc95", "p95"]),
    ("pc98", &["pc98", "p98"]),
    ("pc99", &["pc99", "p99"]),
];

impl Compute {
    /// `count`
    pub(crate) fn count() -> Self {
        Self { aggregation: "count", asked: "count", metric: None }
    }

    /// Reads `aggregation`, `aggregation(metric)`, `aggregation:metric` or `percentile(metric, 95)`.
    ///
    /// A measure is an attribute, so a missing `@` is put in front of it; cardinality takes tags too and keeps what it got.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let wrong = |why: &str| Refusal::invalid(format!("`compute` cannot be {text:?}: {why}.")).because(GRAMMAR);
        let (name, inside) = parts(text).ok_or_else(|| wrong("a parenthesis is missing"))?;
        let name = name.to_ascii_lowercase();
        let mut arguments = inside.split(',').map(str::trim).filter(|part| !part.is_empty());
        let metric = arguments.next().filter(|metric| *metric != "*");
        let name = match (name.as_str(), arguments.next(), arguments.next()) {
            ("percentile" | "pct" | "quantile", Some(rank), None) => format!("p{}", percent(rank)),
            (_, None, _) => name,
            _ => return Err(wrong("there is one argument too many")),
        };
        let (aggregation, asked) = AGGREGATIONS
            .iter()
            .find_map(|(aggregation, names)| names.iter().find(|known| **known == name).map(|asked| (*aggregation, *asked)))
            .ok_or_else(|| wrong("there is no such aggregation"))?;
        match (aggregation, metric) {
            ("count", _) => Ok(Self::count()),
            (_, None) => Err(wrong("it needs an attribute in parentheses")),
            ("cardinality", Some(metric)) => Ok(Self { aggregation, asked, metric: Some(metric.to_owned()) }),
            (_, Some(metric)) if metric.starts_with('@') => Ok(Self { aggregation, asked, metric: Some(metric.to_owned()) }),
            (_, Some(metric)) => Ok(Self { aggregation, asked, metric: Some(format!("@{metric}")) }),
        }
    }

    /// The list of an argument; `count` when it is empty.
    pub(crate) fn list(texts: &[String]) -> Result<Vec<Self>, Refusal> {
        let computes = texts.iter().flat_map(|text| apart(text)).map(Self::parse).collect::<Result<Vec<_>, _>>()?;
        Ok(if computes.is_empty() { vec![Self::count()] } else { computes })
    }

    /// Its name in the answer, as it was asked for: `p95(@duration)`.
    pub(crate) fn name(&self) -> String {
        self.metric.as_ref().map_or_else(|| self.asked.to_owned(), |metric| format!("{}({metric})", self.asked))
    }

    /// Whether it counts, so that zero everywhere means that nothing matched.
    pub(crate) fn counts(&self) -> bool {
        matches!(self.aggregation, "count" | "cardinality")
    }

    /// Form of its values: a measure named `@duration` is nanoseconds where `nanos` says so.
    pub(crate) fn form(&self, nanos: bool) -> Form {
        let duration = !self.counts() && self.metric.as_deref() == Some("@duration");
        if nanos && duration { Form::Nanos } else { Form::Plain }
    }

    /// The rule as the API takes it; a series with steps of `interval`, of Datadog's choice when that is empty.
    pub(super) fn json(&self, interval: Option<&str>) -> Value {
        let mut rule = self.rule();
        rule.insert("type".to_owned(), if interval.is_some() { "timeseries" } else { "total" }.into());
        if let Some(interval) = interval.filter(|interval| !interval.is_empty()) {
            rule.insert("interval".to_owned(), interval.into());
        }
        Value::Object(rule)
    }

    /// The order of buckets: largest first by this.
    pub(super) fn sort(&self) -> Value {
        let mut sort = Map::new();
        sort.insert("type".to_owned(), "measure".into());
        sort.insert("order".to_owned(), "desc".into());
        sort.extend(self.rule());
        Value::Object(sort)
    }

    fn rule(&self) -> Map<String, Value> {
        let mut rule = Map::new();
        rule.insert("aggregation".to_owned(), self.aggregation.into());
        if let Some(metric) = &self.metric {
            rule.insert("metric".to_owned(), metric.clone().into());
        }
        rule
    }
}

const GRAMMAR: &str =
    "Valid: count, cardinality(@a), avg(@a), sum(@a), min(@a), max(@a), median(@a), pc75(@a), pc90(@a), pc95(@a), pc98(@a), pc99(@a).";

/// Name and what stands in parentheses or after a colon.
fn parts(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    if let Some((name, rest)) = text.split_once('(') {
        return rest.strip_suffix(')').map(|inside| (name.trim(), inside));
    }
    if text.contains(')') {
        return None;
    }
    Some(text.split_once(':').unwrap_or((text, "")))
}

/// `95`, `0.95`, `p95` as `95`.
fn percent(rank: &str) -> String {
    let rank = rank.trim_start_matches(['p', 'c']).trim_end_matches('%');
    match rank.parse::<f64>() {
        Ok(share) if share > 0.0 && share < 1.0 => format!("{}", (share * 100.0).round()),
        _ => rank.to_owned(),
    }
}

/// Several computes in one text: parted at commas outside parentheses.
fn apart(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    text.split(move |c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
    .collect()
}

/// Step of a series as Datadog takes it: `5m`, `1h`, seconds as a bare number; empty (`auto`) for its own choice.
pub(crate) fn interval(text: &str) -> Result<String, Refusal> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim() {
        "" | "auto" if number.is_empty() => return Ok(String::new()),
        "" | "s" | "sec" | "second" | "seconds" => "s",
        "m" | "min" | "minute" | "minutes" => "m",
        "h" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => "",
    };
    if unit.is_empty() || number.parse::<u32>().is_ok_and(|number| number == 0) || number.parse::<u32>().is_err() {
        return Err(Refusal::invalid("`interval` must be a step such as `1m`, `5m` or `1h`, or `auto`."));
    }
    Ok(format!("{number}{unit}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn reads_what_people_write() {
        for (text, name) in [
            ("count", "count"),
            ("count(*)", "count"),
            ("COUNT", "count"),
            ("avg(@duration)", "avg(@duration)"),
            ("mean( duration )", "mean(@duration)"),
            ("avg:@duration", "avg(@duration)"),
            ("p95(@duration)", "p95(@duration)"),
            ("pc99(duration)", "pc99(@duration)"),
            ("percentile(@d,95)", "p95(@d)"),
            ("percentile(@d, p99)", "p99(@d)"),
            ("percentile(@d, 0.9)", "p90(@d)"),
            ("p50(@d)", "p50(@d)"),
            ("cardinality(@usr.id)", "cardinality(@usr.id)"),
            ("unique(host)", "unique(host)"),
        ] {
            assert_eq!(Compute::parse(text).unwrap().name(), name, "{text}");
        }
        for text in
            ["", "avg", "avg()", "p96(@d)", "percentile(@d)", "percentile(@d,95,1)", "avg(@d", "avg @d)", "median(@a,@b)", "rate(@d)"]
        {
            let refusal = Compute::parse(text).unwrap_err();
            assert!(refusal.message.contains("`compute`") && refusal.why.unwrap().contains("pc95"), "{text}");
        }
    }

    #[test]
    fn a_list_may_come_as_one_text() {
        let names = |texts: &[&str]| {
            Compute::list(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
                .unwrap()
                .iter()
                .map(Compute::name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["count"]);
        assert_eq!(names(&["count, percentile(@d, 95)", "max(@d)"]), ["count", "p95(@d)", "max(@d)"]);
    }

    #[test]
    fn wire_forms() {
        let p95 = Compute::parse("p95(@duration)").unwrap();
        assert_eq!(p95.json(None), json!({"aggregation": "pc95", "metric": "@duration", "type": "total"}));
        assert_eq!(p95.json(Some("5m")), json!({"aggregation": "pc95", "metric": "@duration", "type": "timeseries", "interval": "5m"}));
        assert_eq!(Compute::count().json(Some("")), json!({"aggregation": "count", "type": "timeseries"}));
        assert_eq!(p95.sort(), json!({"type": "measure", "order": "desc", "aggregation": "pc95", "metric": "@duration"}));
        assert_eq!((p95.form(true), p95.form(false)), (Form::Nanos, Form::Plain));
        assert_eq!(Compute::parse("cardinality(@duration)").unwrap().form(true), Form::Plain);
    }

    #[test]
    fn intervals() {
        for (text, wire) in [("5m", "5m"), ("1H", "1h"), ("30", "30s"), ("10 minutes", "10m"), ("auto", ""), ("", "")] {
            assert_eq!(interval(text).unwrap(), wire, "{text}");
        }
        for text in ["m", "5x", "-5m", "0m", "5.5m", "99999999999m"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_name_reads_back(text in "(count|avg|sum|min|max|median|pc75|pc90|pc95|pc98|pc99|cardinality)\\(@[a-z._-]{1,12}\\)") {
            let compute = Compute::parse(&text).unwrap();
            prop_assert_eq!(Compute::parse(&compute.name()).unwrap(), compute);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a-z0-9(),:@*é ]{0,30}") {
            if let Ok(computes) = Compute::list(std::slice::from_ref(&text)) {
                prop_assert!(!computes.is_empty());
            }
            if let Ok(step) = interval(&text) {
                prop_assert!(step.is_empty() || step.ends_with(['s', 'm', 'h', 'd']));
            }
        }
    }
}
