//! Expressions to lines of points.

use super::syntax::{Expression, Selection};
use crate::aggregate::Function;
use crate::story::World;
use crate::story::metrics::Unit;
use crate::time;
use std::collections::{BTreeMap, HashMap};

/// The steps of a query, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) step: i64,
}

/// One line: a group and its points.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) metric: String,
    pub(crate) expression: String,
    pub(crate) scope: String,
    pub(crate) aggregator: Option<String>,
    /// `key:value` of the group.
    pub(crate) tags: Vec<String>,
    pub(crate) points: Vec<Option<f64>>,
    pub(crate) unit: Option<Unit>,
}

/// What stands behind the names of a formula.
pub(crate) type Named = HashMap<String, Vec<Line>>;

/// Most points of one line.
const POINTS: i64 = 300;

impl Grid {
    /// The smallest usual step with at most three hundred points, or the one asked for.
    pub(crate) fn new(from: i64, to: i64, step: Option<i64>) -> Self {
        const USUAL: [i64; 14] = [1, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 3_600, 7_200, 14_400, 86_400];
        let (from, to) = (from.clamp(0, time::LATEST), to.clamp(0, time::LATEST));
        let wanted = (to - from).max(1) / POINTS;
        // More points than that are never given, whatever step is asked for.
        let least = (to - from).max(1) / 15_000 + 1;
        let usual = USUAL.into_iter().map(|s| s * 1_000).find(|step| *step >= wanted).unwrap_or(wanted);
        Self { from, to, step: step.map_or(usual, |step| step.max(least)) }
    }

    /// Starts of the steps.
    pub(crate) fn times(&self) -> impl Iterator<Item = i64> + use<> {
        let step = self.step;
        let (first, last) = (self.from.div_euclid(step) * step, self.to);
        (0..).map(move |nth| first + nth * step).take_while(move |at| *at <= last)
    }
}

enum Evaluated {
    Number(f64),
    Lines(Vec<Line>),
}

/// The lines of an expression. Fails with a sentence for what cannot be computed.
pub(crate) fn evaluate(expression: &Expression, world: &World, now: i64, grid: Grid, named: &Named) -> Result<Vec<Line>, String> {
    match (Evaluation { world, now, grid, named }).of(expression, 0)? {
        Evaluated::Lines(lines) => Ok(lines),
        Evaluated::Number(n) => {
            let points = grid.times().map(|_| Some(n)).collect();
            Ok(vec![Line {
                metric: n.to_string(),
                expression: n.to_string(),
                scope: String::new(),
                aggregator: None,
                tags: Vec::new(),
                points,
                unit: None,
            }])
        }
    }
}

struct Evaluation<'a> {
    world: &'a World,
    now: i64,
    grid: Grid,
    named: &'a Named,
}

impl Evaluation<'_> {
    fn of(&self, expression: &Expression, shift: i64) -> Result<Evaluated, String> {
        match expression {
            Expression::Number(n) => Ok(Evaluated::Number(*n)),
            Expression::Name(name) => self
                .named
                .get(name)
                .cloned()
                .map(Evaluated::Lines)
                .ok_or_else(|| format!("the formula names '{name}', which is no query of the request")),
            Expression::Query(selection) => Ok(Evaluated::Lines(self.select(selection, shift))),
            Expression::Binary(operator, left, right) => Ok(binary(*operator, self.of(left, shift)?, self.of(right, shift)?)),
            Expression::Call(name, arguments) => self.call(name, arguments, shift),
        }
    }

    fn select(&self, query: &Selection, shift: i64) -> Vec<Line> {
        let Some(metric) = self.world.metrics().iter().find(|metric| metric.name == query.metric) else { return Vec::new() };
        let mut groups: BTreeMap<Vec<String>, Vec<&crate::story::metrics::Series>> = BTreeMap::new();
        for series in metric.series.iter().filter(|series| query.filter.fits(&series.tags)) {
            let group = query.by.iter().map(|key| {
                let own = series.tags.iter().find(|tag| tag.split_once(':').is_some_and(|(name, _)| name == key));
                own.cloned().unwrap_or_else(|| format!("{key}:N/A"))
            });
            groups.entry(group.collect()).or_default().push(series);
        }
        let step = query.rollup.unwrap_or(self.grid.step).max(1);
        let factor = if metric.kind == "count" && !query.as_rate { self.grid.step as f64 / 1_000.0 } else { 1.0 };
        let aggregator = query.aggregator.as_deref().unwrap_or("avg");
        let function = match aggregator {
            "percentile" => Function::Percentile(0.95),
            name => Function::named(name).unwrap_or(Function::Avg),
        };
        let deployed = self.world.story.deployed;
        let mut lines = Vec::new();
        for (tags, series) in groups {
            let point = |at: i64| {
                let at = at.div_euclid(step) * step + shift;
                let values: Vec<f64> = series.iter().filter_map(|series| series.value(at, self.now, deployed)).collect();
                if values.is_empty() { None } else { function.of(values).map(|value| value * factor) }
            };
            let points: Vec<Option<f64>> = self.grid.times().map(point).collect();
            if points.iter().all(Option::is_none) {
                continue;
            }
            let scope = if tags.is_empty() {
                query.scope.clone()
            } else {
                [vec![query.scope.clone()], tags.clone()].concat().join(",").trim_start_matches("*,").to_owned()
            };
            let expression = format!("{aggregator}:{}{{{scope}}}", query.metric);
            lines.push(Line {
                metric: query.metric.clone(),
                expression,
                scope,
                aggregator: query.aggregator.clone(),
                tags,
                points,
                unit: metric.unit,
            });
        }
        lines
    }

    fn call(&self, name: &str, arguments: &[Expression], shift: i64) -> Result<Evaluated, String> {
        const HOUR: i64 = 3_600_000;
        let number = |at: usize| match arguments.get(at) {
            Some(Expression::Number(n)) => Some(*n),
            Some(Expression::Binary('-', _, right)) => match **right {
                Expression::Number(n) => Some(-n),
                _ => None,
            },
            _ => None,
        };
        let first = arguments.first().ok_or_else(|| format!("{name}() needs a query"))?;
        let back = match name {
            "hour_before" => -HOUR,
            "day_before" => -24 * HOUR,
            "week_before" => -7 * 24 * HOUR,
            "month_before" => -30 * 24 * HOUR,
            "timeshift" => number(1).unwrap_or_default() as i64 * 1_000,
            _ => 0,
        };
        let mut lines = match self.of(first, shift + back)? {
            Evaluated::Number(_) => return Err(format!("{name}() needs a query")),
            Evaluated::Lines(lines) => lines,
        };
        let seconds = self.grid.step as f64 / 1_000.0;
        let limit = number(1);
        let each: Option<Box<dyn Fn(f64) -> f64>> = match name {
            "abs" => Some(Box::new(f64::abs)),
            "log2" => Some(Box::new(f64::log2)),
            "log10" => Some(Box::new(f64::log10)),
            "per_second" => Some(Box::new(move |n| n / seconds)),
            "per_minute" => Some(Box::new(move |n| n / seconds * 60.0)),
            "per_hour" => Some(Box::new(move |n| n / seconds * 3_600.0)),
            "clamp_min" => limit.map(|limit| Box::new(move |n: f64| n.max(limit)) as Box<dyn Fn(f64) -> f64>),
            "clamp_max" => limit.map(|limit| Box::new(move |n: f64| n.min(limit)) as Box<dyn Fn(f64) -> f64>),
            _ => None,
        };
        for line in &mut lines {
            line.expression = format!("{name}({})", line.expression);
            if let Some(each) = &each {
                line.points.iter_mut().flatten().for_each(|point| *point = each(*point));
            }
            match name {
                "default_zero" => line.points.iter_mut().for_each(|point| *point = Some(point.unwrap_or(0.0))),
                "diff" | "monotonic_diff" | "dt" | "derivative" => {
                    line.points = std::iter::once(None).chain(line.points.windows(2).map(|pair| Some(pair[1]? - pair[0]?))).collect();
                }
                "cumsum" | "integral" => {
                    let mut total = 0.0;
                    for point in line.points.iter_mut().flatten() {
                        total += *point;
                        *point = total;
                    }
                }
                _ => {}
            }
        }
        if let "top" | "bottom" | "top5" | "top10" = name {
            let keep = match name {
                "top5" => 5,
                "top10" => 10,
                _ => limit.unwrap_or(10.0) as usize,
            };
            let ascending = name == "bottom" || arguments.iter().any(|argument| *argument == Expression::Name("asc".to_owned()));
            sort(&mut lines, ascending);
            lines.truncate(keep);
        }
        Ok(Evaluated::Lines(lines))
    }
}

/// By the mean of the points.
pub(crate) fn sort(lines: &mut [Line], ascending: bool) {
    let mean = |line: &Line| Function::Avg.of(line.points.iter().flatten().copied().collect()).unwrap_or(f64::MIN);
    lines.sort_by(|a, b| if ascending { mean(a).total_cmp(&mean(b)) } else { mean(b).total_cmp(&mean(a)) });
}

fn apply(operator: char, left: f64, right: f64) -> Option<f64> {
    let value = match operator {
        '+' => left + right,
        '-' => left - right,
        '*' => left * right,
        _ => left / right,
    };
    value.is_finite().then_some(value)
}

/// Lines of the same group meet; one ungrouped line meets every group.
fn binary(operator: char, left: Evaluated, right: Evaluated) -> Evaluated {
    let with = |lines: Vec<Line>, own: &dyn Fn(f64) -> Option<f64>, text: &dyn Fn(&str) -> String| {
        let line = |mut line: Line| {
            line.points = line.points.iter().map(|point| own((*point)?)).collect();
            line.expression = text(&line.expression);
            line
        };
        Evaluated::Lines(lines.into_iter().map(line).collect())
    };
    match (left, right) {
        (Evaluated::Number(a), Evaluated::Number(b)) => apply(operator, a, b).map_or(Evaluated::Number(f64::NAN), Evaluated::Number),
        (Evaluated::Lines(lines), Evaluated::Number(n)) => {
            with(lines, &|point| apply(operator, point, n), &|text| format!("({text} {operator} {n})"))
        }
        (Evaluated::Number(n), Evaluated::Lines(lines)) => {
            with(lines, &|point| apply(operator, n, point), &|text| format!("({n} {operator} {text})"))
        }
        (Evaluated::Lines(left), Evaluated::Lines(right)) => {
            let mut lines = Vec::new();
            for a in &left {
                for b in right.iter().filter(|b| a.tags == b.tags || a.tags.is_empty() || b.tags.is_empty()) {
                    let points = a.points.iter().zip(&b.points).map(|(a, b)| apply(operator, (*a)?, (*b)?)).collect();
                    let grouped = if a.tags.is_empty() { b } else { a };
                    let unit = if operator == '/' && a.unit == b.unit { None } else { a.unit };
                    lines.push(Line {
                        expression: format!("({} {operator} {})", a.expression, b.expression),
                        points,
                        unit,
                        ..grouped.clone()
                    });
                }
            }
            Evaluated::Lines(lines)
        }
    }
}
