//! Numbers over time in few tokens: statistics, rounding, units and a sparkline of digits.
//!
//! The sparkline is made of digits because three of them are one o200k token, while a block character (`▁▂▃`) costs two.

use serde_json::{Number, Value};

/// Stands for a slot without data in a sparkline.
const GAP: char = '_';

/// What a sparkline's digits mean, for the line of facts.
pub(crate) const LEGEND: &str = "shape: 0 lowest to 9 highest, _ no data";

/// A series as digits from `0` (its minimum) to `9` (its maximum) in at most `width` slots; `_` where nothing is known.
///
/// A slot of several values shows the one farthest from the average, so that neither a spike nor a dip gets lost.
/// A series of one value throughout is `flat`, one without values is empty.
#[must_use]
pub(crate) fn sparkline(values: &[Option<f64>], width: usize) -> String {
    let Some(stats) = Stats::of(values) else {
        return String::new();
    };
    let slots: Vec<Option<f64>> = slots(values.len(), width).map(|slot| extreme(&values[slot], stats.avg)).collect();
    let span = stats.max - stats.min;
    if span <= f64::EPSILON * stats.max.abs().max(stats.min.abs()) && slots.iter().all(Option::is_some) {
        return "flat".to_owned();
    }
    slots.into_iter().map(|slot| slot.map_or(GAP, |value| digit(value, stats.min, span))).collect()
}

/// Bounds of `width` slots (or fewer) over `count` values, in order and without overlap.
fn slots(count: usize, width: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let width = width.clamp(1, count.max(1));
    (0..width).map(move |slot| slot * count / width..(slot + 1) * count / width)
}

/// The value farthest from `avg`.
fn extreme(values: &[Option<f64>], avg: f64) -> Option<f64> {
    values.iter().flatten().copied().max_by(|a, b| (a - avg).abs().total_cmp(&(b - avg).abs()))
}

fn digit(value: f64, min: f64, span: f64) -> char {
    let share = if span > 0.0 { ((value - min) / span * 9.0).round().clamp(0.0, 9.0) } else { 5.0 };
    char::from(b'0' + share as u8)
}

/// Spreads points over a regular grid of `width` slots between `from` and `to`, so that a series whose points come
/// irregularly is drawn true to time. A slot of several points keeps the one farthest from the average.
#[must_use]
pub(crate) fn on_grid(times: &[i64], values: &[Option<f64>], from: i64, to: i64, width: usize) -> Vec<Option<f64>> {
    let avg = Stats::of(values).map_or(0.0, |stats| stats.avg);
    let mut grid: Vec<Option<f64>> = vec![None; width.max(1)];
    let span = i128::from(to.saturating_sub(from)).max(1);
    for (&time, value) in times.iter().zip(values) {
        let Some(value) = *value else { continue };
        let share = i128::from(time.saturating_sub(from)) * grid.len() as i128 / span;
        let slot = usize::try_from(share.max(0)).unwrap_or(usize::MAX).min(grid.len() - 1);
        if grid[slot].is_none_or(|held| (value - avg).abs() > (held - avg).abs()) {
            grid[slot] = Some(value);
        }
    }
    grid
}

/// Statistics of a series; gaps count for none of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stats {
    /// Values known.
    pub(crate) count: usize,
    /// Values missing.
    pub(crate) gaps: usize,
    /// Smallest.
    pub(crate) min: f64,
    /// Index of the smallest.
    pub(crate) min_index: usize,
    /// Arithmetic mean.
    pub(crate) avg: f64,
    /// Largest.
    pub(crate) max: f64,
    /// Index of the largest.
    pub(crate) max_index: usize,
    /// Last one known.
    pub(crate) last: f64,
    /// Sum of all.
    pub(crate) sum: f64,
}

impl Stats {
    /// Statistics of a series; `None` when no value is known.
    #[must_use]
    pub(crate) fn of(values: &[Option<f64>]) -> Option<Self> {
        let mut known =
            values.iter().enumerate().filter_map(|(index, value)| value.filter(|value| value.is_finite()).map(|value| (index, value)));
        let (index, first) = known.next()?;
        let mut stats =
            Self { count: 1, gaps: 0, min: first, min_index: index, avg: first, max: first, max_index: index, last: first, sum: first };
        for (index, value) in known {
            stats.count += 1;
            stats.sum += value;
            stats.last = value;
            if value < stats.min {
                (stats.min, stats.min_index) = (value, index);
            }
            if value > stats.max {
                (stats.max, stats.max_index) = (value, index);
            }
        }
        stats.gaps = values.len() - stats.count;
        stats.avg = (stats.sum / stats.count as f64).clamp(stats.min, stats.max);
        Some(stats)
    }
}

/// A number rounded to four significant digits, as an integer when it is one: what a reader needs, in few tokens.
#[must_use]
pub(crate) fn rounded(value: f64) -> f64 {
    significant(value, 4)
}

/// A number rounded to some significant digits.
#[must_use]
pub(crate) fn significant(value: f64, digits: i32) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return if value.is_finite() { 0.0 } else { value };
    }
    let digits = digits - 1 - value.abs().log10().floor() as i32;
    // Dividing by a power of ten keeps 1.005e-7 from becoming 1.0050000000000002e-7.
    let scaled = if digits >= 0 {
        (value * 10_f64.powi(digits)).round() / 10_f64.powi(digits)
    } else {
        (value / 10_f64.powi(-digits)).round() * 10_f64.powi(-digits)
    };
    if scaled.is_finite() { scaled } else { value }
}

/// [`rounded`] as a JSON number; an integer stays one.
#[must_use]
pub(crate) fn number(value: f64) -> Value {
    let value = rounded(value);
    if value.fract() == 0.0 && value.abs() < 9.0e15 {
        Value::from(value as i64)
    } else {
        Number::from_f64(value).map_or(Value::Null, Value::Number)
    }
}

/// [`rounded`] as text.
#[must_use]
pub(crate) fn text(value: f64) -> String {
    match number(value) {
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Nanoseconds as a person reads them: `350 ns` is `350ns`, `1_234_000_000` is `1.23s`; three significant digits.
#[must_use]
pub(crate) fn duration(nanos: i64) -> String {
    const STEPS: [(f64, &str); 4] = [(1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")];
    let value = nanos as f64;
    if value.abs() >= 600e9 {
        return format!("{}min", text(short(value / 60e9)));
    }
    let (factor, unit) = STEPS.into_iter().find(|(factor, _)| short(value.abs() / factor) >= 1.0).unwrap_or((1.0, "ns"));
    format!("{}{unit}", text(short(value / factor)))
}

/// Three significant digits.
fn short(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let factor = 10_f64.powi((2 - value.abs().log10().floor() as i32).max(0));
    (value * factor).round() / factor
}

/// A unit as Datadog states it, brought to a size that reads well.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    /// What values are multiplied by.
    pub(crate) factor: f64,
    /// Unit after that, e.g. `ms`, `MiB`, `request/second`; empty when Datadog states none.
    pub(crate) label: String,
}

impl Scale {
    /// From `unit` of a series (a pair: unit and per-unit, each an object or null) and the largest magnitude to be shown.
    ///
    /// Durations become ns, us, ms or s and sizes B to TiB; everything else keeps its unit.
    #[must_use]
    pub(crate) fn of(unit: &Value, largest: f64) -> Self {
        let part = |index: usize| unit.as_array().and_then(|pair| pair.get(index)).filter(|part| part.is_object());
        let name = |unit: &Value| unit.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let Some(first) = part(0) else {
            return Self { factor: 1.0, label: part(1).map(|per| format!("per {}", name(per))).unwrap_or_default() };
        };
        let (factor, label) = ladder(&name(first), largest).unwrap_or_else(|| (1.0, sign(first, name(first))));
        let label = part(1).map_or_else(|| label.clone(), |per| format!("{label}/{}", name(per)));
        Self { factor, label }
    }
}

/// The sign of a unit where it is the better known word.
fn sign(unit: &Value, name: String) -> String {
    match (name.as_str(), unit.get("short_name").and_then(Value::as_str)) {
        ("percent" | "core" | "celsius", Some(short)) if !short.is_empty() => short.to_owned(),
        _ => name,
    }
}

fn ladder(name: &str, largest: f64) -> Option<(f64, String)> {
    const TIME: [(&str, f64); 4] = [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)];
    const SIZE: [(&str, f64); 5] =
        [("B", 1.0), ("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0), ("TiB", 1_099_511_627_776.0)];
    let (steps, own): (&[(&str, f64)], usize) = match name {
        "nanosecond" => (&TIME, 0),
        "microsecond" => (&TIME, 1),
        "millisecond" => (&TIME, 2),
        "second" => (&TIME, 3),
        "byte" => (&SIZE, 0),
        "kibibyte" => (&SIZE, 1),
        "mebibyte" => (&SIZE, 2),
        "gibibyte" => (&SIZE, 3),
        "tebibyte" => (&SIZE, 4),
        _ => return None,
    };
    let base = steps[own].1;
    let largest = largest.abs() * base;
    // Nothing but zeros: the unit stays the one Datadog uses.
    let step = if largest == 0.0 { steps.get(own) } else { steps.iter().rev().find(|(_, size)| largest >= *size) };
    let (label, size) = step.or(steps.first())?;
    Some((base / size, (*label).to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_sparkline_shows_spikes_dips_and_gaps() {
        let some = |values: &[f64]| values.iter().map(|value| Some(*value)).collect::<Vec<_>>();
        assert_eq!(sparkline(&some(&[0.0, 1.0, 2.0, 9.0]), 24), "0129");
        assert_eq!(sparkline(&[Some(1.0), None, None, Some(3.0)], 24), "0__9");
        assert_eq!(sparkline(&some(&[7.5; 30]), 24), "flat");
        assert_eq!(sparkline(&[None, Some(4.0)], 24), "_5");
        assert_eq!(sparkline(&[None, None], 24), "");
        let mut spike = vec![Some(1.0); 240];
        spike[100] = Some(50.0);
        assert_eq!(sparkline(&spike, 24), "000000000090000000000000");
        let mut dip = vec![Some(50.0); 240];
        dip[100] = Some(1.0);
        assert_eq!(sparkline(&dip, 24), "999999999909999999999999");
    }

    #[test]
    fn numbers_are_short_and_true() {
        for (value, expected) in [
            (0.0, "0"),
            (12.0, "12"),
            (91.458_384, "91.46"),
            (1_234_567.0, "1235000"),
            (0.000_123_456, "0.0001235"),
            (-3.161_592, "-3.162"),
            (99_999.0, "100000"),
        ] {
            assert_eq!(text(value), expected);
        }
        assert_eq!(text(f64::NAN), "");
        for (nanos, expected) in [
            (0, "0ns"),
            (350, "350ns"),
            (1_234, "1.23us"),
            (999_999, "1ms"),
            (12_345_678, "12.3ms"),
            (1_234_000_000, "1.23s"),
            (720_000_000_000, "12min"),
        ] {
            assert_eq!(duration(nanos), expected);
        }
    }

    #[test]
    fn units_are_scaled_where_a_person_would() {
        let unit = |name: &str| json!([{"family": "x", "name": name, "short_name": "x"}, null]);
        assert_eq!(Scale::of(&unit("nanosecond"), 2.5e8), Scale { factor: 1e-6, label: "ms".to_owned() });
        assert_eq!(Scale::of(&unit("second"), 0.25), Scale { factor: 1e3, label: "ms".to_owned() });
        assert_eq!(Scale::of(&unit("second"), 12.0), Scale { factor: 1.0, label: "s".to_owned() });
        assert_eq!(Scale::of(&unit("byte"), 3.0 * 1_048_576.0).label, "MiB");
        assert_eq!(Scale::of(&unit("byte"), 0.0), Scale { factor: 1.0, label: "B".to_owned() });
        assert_eq!(Scale::of(&json!([{"name": "percent", "short_name": "%"}, null]), 5.0).label, "%");
        assert_eq!(Scale::of(&json!([{"name": "request"}, {"name": "second"}]), 5.0).label, "request/second");
        assert_eq!(Scale::of(&Value::Null, 5.0), Scale { factor: 1.0, label: String::new() });
    }

    #[test]
    fn irregular_points_are_drawn_true_to_time() {
        let grid = on_grid(&[0, 10, 90], &[Some(1.0), Some(2.0), Some(3.0)], 0, 100, 10);
        assert_eq!(grid.iter().filter(|slot| slot.is_some()).count(), 3);
        assert_eq!((grid[0], grid[1], grid[9]), (Some(1.0), Some(2.0), Some(3.0)));
        assert_eq!(on_grid(&[100, -5], &[Some(1.0), Some(2.0)], 0, 100, 4), vec![Some(2.0), None, None, Some(1.0)]);
    }

    proptest! {
        #[test]
        fn statistics_hold(values in proptest::collection::vec(proptest::option::of(-1e12..1e12_f64), 0..200)) {
            let Some(stats) = Stats::of(&values) else {
                prop_assert!(values.iter().all(Option::is_none));
                return Ok(());
            };
            prop_assert!(stats.min <= stats.avg && stats.avg <= stats.max);
            prop_assert_eq!(stats.count + stats.gaps, values.len());
            prop_assert_eq!(values[stats.max_index], Some(stats.max));
            prop_assert_eq!(values[stats.min_index], Some(stats.min));
        }

        #[test]
        fn a_sparkline_never_exceeds_its_width(values in proptest::collection::vec(proptest::option::of(any::<f64>()), 0..300), width in 1..60_usize) {
            let line = sparkline(&values, width);
            prop_assert!(line.len() <= width.max(4));
            prop_assert!(line == "flat" || line.chars().all(|c| c.is_ascii_digit() || c == GAP));
        }

        #[test]
        fn rounding_keeps_the_value(value in -1e15..1e15_f64) {
            prop_assert!((rounded(value) - value).abs() <= value.abs() * 0.000_51);
            prop_assert!(text(value).parse::<f64>().is_ok());
        }

        #[test]
        fn durations_keep_three_digits(nanos in 0..i64::MAX / 2) {
            let shown = duration(nanos);
            let split = shown.find(|c: char| c.is_alphabetic()).unwrap();
            let factor = match &shown[split..] { "ns" => 1.0, "us" => 1e3, "ms" => 1e6, "s" => 1e9, "min" => 60e9, other => panic!("{other}") };
            let back: f64 = shown[..split].parse::<f64>().unwrap() * factor;
            prop_assert!((back - nanos as f64).abs() <= nanos as f64 * 0.0051 + 0.5, "{} {}", nanos, shown);
        }
    }
}
