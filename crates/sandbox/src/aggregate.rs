//! Counting and measuring matching records: facets, measures, buckets, time series.

use crate::json::View;
use crate::query::Searchable;
use crate::time;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

/// One measure to compute.
#[derive(Debug, Clone)]
pub(crate) struct Compute {
    pub(crate) function: Function,
    /// `@duration`, `host`; none for counts.
    pub(crate) metric: Option<String>,
    /// Milliseconds of a step of a time series; none for one total.
    pub(crate) interval: Option<i64>,
}

/// How values become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Function {
    Count,
    Cardinality,
    Sum,
    Min,
    Max,
    Avg,
    /// 0.0 to 1.0.
    Percentile(f64),
}

/// One facet to group by.
#[derive(Debug, Clone)]
pub(crate) struct GroupBy {
    pub(crate) facet: String,
    pub(crate) limit: usize,
    /// Value for records without the facet; they are left out when none.
    pub(crate) missing: Option<Value>,
    pub(crate) descending: bool,
    /// Measure that orders the groups; by name when none.
    pub(crate) by: Option<Compute>,
    /// Width of the bins of a numeric facet.
    pub(crate) histogram: Option<f64>,
}

/// One group: its facets and its measures (`c0`, `c1` …).
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) by: Map<String, Value>,
    pub(crate) computes: Map<String, Value>,
}

impl Function {
    /// From its name in a request.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Self::Count,
            "cardinality" => Self::Cardinality,
            "sum" => Self::Sum,
            "min" => Self::Min,
            "max" => Self::Max,
            "avg" => Self::Avg,
            "median" => Self::Percentile(0.5),
            "pc75" | "p75" => Self::Percentile(0.75),
            "pc90" | "p90" => Self::Percentile(0.90),
            "pc95" | "p95" => Self::Percentile(0.95),
            "pc98" | "p98" => Self::Percentile(0.98),
            "pc99" | "p99" => Self::Percentile(0.99),
            _ => return None,
        })
    }

    /// The value of these numbers; nothing when there is none to measure.
    pub(crate) fn of(self, mut numbers: Vec<f64>) -> Option<f64> {
        let count = numbers.len();
        match self {
            Self::Count => Some(count as f64),
            _ if count == 0 => None,
            Self::Cardinality => {
                let distinct: HashSet<u64> = numbers.iter().map(|n| n.to_bits()).collect();
                Some(distinct.len() as f64)
            }
            Self::Sum => Some(numbers.iter().sum()),
            Self::Min => numbers.into_iter().reduce(f64::min),
            Self::Max => numbers.into_iter().reduce(f64::max),
            Self::Avg => Some(numbers.iter().sum::<f64>() / count as f64),
            Self::Percentile(rank) => {
                numbers.sort_by(f64::total_cmp);
                numbers.get(((count - 1) as f64 * rank).round() as usize).copied()
            }
        }
    }
}

/// The first value of a facet: an attribute with `@`, a reserved field or tag without.
pub(crate) fn facet(record: &dyn Searchable, name: &str) -> Option<String> {
    if let Some(path) = name.strip_prefix('@') {
        return record.attribute(path).map(|value| value.text().into_owned());
    }
    let mut found = None;
    record.key(name, &mut |value| {
        found = Some(value.text().into_owned());
        true
    });
    found
}

fn measure(record: &dyn Searchable, name: &str) -> Option<f64> {
    match name.strip_prefix('@') {
        Some(path) => record.attribute(path).and_then(View::number),
        None => facet(record, name)?.parse().ok(),
    }
}

impl Compute {
    fn value<R: Searchable>(&self, records: &[(i64, &R)]) -> Option<f64> {
        match (&self.metric, self.function) {
            (Some(metric), Function::Cardinality) => {
                let distinct: HashSet<String> = records.iter().filter_map(|(_, record)| facet(*record, metric)).collect();
                Some(distinct.len() as f64)
            }
            (Some(metric), Function::Count) => Some(records.iter().filter(|(_, record)| facet(*record, metric).is_some()).count() as f64),
            (Some(metric), function) => function.of(records.iter().filter_map(|(_, record)| measure(*record, metric)).collect()),
            (None, _) => Some(records.len() as f64),
        }
    }

    /// One number, or points of time and value.
    fn answer<R: Searchable>(&self, records: &[(i64, &R)]) -> Value {
        let Some(interval) = self.interval else {
            return self.value(records).map_or(Value::Null, number);
        };
        let mut steps: BTreeMap<i64, Vec<(i64, &R)>> = BTreeMap::new();
        for (at, record) in records {
            steps.entry(at.div_euclid(interval) * interval).or_default().push((*at, record));
        }
        steps
            .iter()
            .map(|(at, records)| json!({"time": time::iso(*at), "value": self.value(records).map_or(Value::Null, number)}))
            .collect()
    }
}

/// Whole numbers are written without a fraction.
pub(crate) fn number(n: f64) -> Value {
    if n.fract() == 0.0 && n.abs() < 9e15 { json!(n as i64) } else { json!(n) }
}

/// The buckets of `records`: facet by facet, each level cut to its limit, as Datadog does.
pub(crate) fn buckets<R: Searchable>(records: &[(i64, &R)], computes: &[Compute], groups: &[GroupBy]) -> Vec<Bucket> {
    let mut out = Vec::new();
    if groups.is_empty() && records.is_empty() {
        return out;
    }
    descend(records, computes, groups, &Map::new(), &mut out);
    out
}

fn descend<R: Searchable>(records: &[(i64, &R)], computes: &[Compute], groups: &[GroupBy], by: &Map<String, Value>, out: &mut Vec<Bucket>) {
    let Some((group, deeper)) = groups.split_first() else {
        let computes = computes.iter().enumerate().map(|(at, compute)| (format!("c{at}"), compute.answer(records))).collect();
        out.push(Bucket { by: by.clone(), computes });
        return;
    };
    let mut members: HashMap<String, Vec<(i64, &R)>> = HashMap::new();
    let mut without = Vec::new();
    for (at, record) in records {
        let value = match group.histogram {
            Some(width) => measure(*record, &group.facet).map(|n| ((n / width).floor() * width).to_string()),
            None => facet(*record, &group.facet),
        };
        match value {
            Some(value) => members.entry(value).or_default().push((*at, record)),
            None => without.push((*at, *record)),
        }
    }
    let mut members: Vec<(Value, Vec<(i64, &R)>)> = members.into_iter().map(|(value, records)| (Value::String(value), records)).collect();
    members.sort_by(|a, b| a.0.as_str().cmp(&b.0.as_str()));
    if let Some(compute) = &group.by {
        members.sort_by(|a, b| {
            let (a, b) = (compute.value(&a.1).unwrap_or(f64::MIN), compute.value(&b.1).unwrap_or(f64::MIN));
            if group.descending { b.total_cmp(&a) } else { a.total_cmp(&b) }
        });
    } else if group.descending {
        members.reverse();
    }
    members.truncate(group.limit);
    if let (Some(missing), false) = (&group.missing, without.is_empty()) {
        members.push((missing.clone(), without));
    }
    for (value, records) in members {
        let mut by = by.clone();
        by.insert(group.facet.clone(), value);
        descend(&records, computes, deeper, &by, out);
    }
}
