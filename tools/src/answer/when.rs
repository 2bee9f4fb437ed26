//! Times and durations as few characters: the date that all rows share is lifted out, milliseconds are kept.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;

/// What a column of times leaves to its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifted {
    /// All on one day.
    Day(Date),
    /// All in one year.
    Year(i16),
    /// Nothing in common.
    None,
}

/// An instant of a value: RFC 3339 text, or epoch seconds to nanoseconds told apart by their size.
pub(super) fn instant(value: &Value, seconds: bool) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok().or_else(|| {
            let number: i64 = text.parse().ok().filter(|_| text.len() >= 10)?;
            epoch(number, seconds)
        }),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => epoch(whole, seconds),
            None => number.as_f64().filter(|_| seconds).and_then(|float| Timestamp::from_millisecond((float * 1000.0) as i64).ok()),
        },
        _ => None,
    }
}

/// Only instants between 2001 and 2286 are told apart by their size; others keep the unit they are said to have.
fn epoch(number: i64, seconds: bool) -> Option<Timestamp> {
    match number {
        1_000_000_000..=9_999_999_999 if seconds => Timestamp::from_second(number).ok(),
        1_000_000_000_000..=9_999_999_999_999 => Timestamp::from_millisecond(number).ok(),
        1_000_000_000_000_000..=9_999_999_999_999_999 => Timestamp::from_microsecond(number).ok(),
        1_000_000_000_000_000_000..=i64::MAX => Timestamp::from_nanosecond(i128::from(number)).ok(),
        _ => None,
    }
}

/// What all of these have in common.
pub(super) fn common(times: impl Iterator<Item = Timestamp>) -> Lifted {
    let mut days = times.map(|time| time.to_zoned(TimeZone::UTC).date());
    let Some(first) = days.next() else { return Lifted::None };
    let (mut day, mut year) = (true, true);
    for other in days {
        day &= other == first;
        year &= other.year() == first.year();
    }
    match (day, year) {
        (true, _) => Lifted::Day(first),
        (_, true) => Lifted::Year(first.year()),
        _ => Lifted::None,
    }
}

impl Lifted {
    /// A time without what is lifted; UTC.
    pub(super) fn short(self, time: Timestamp) -> String {
        let full = iso(time);
        let rest = match self {
            Self::Day(_) => full.split_once('T').map_or(full.as_str(), |(_, clock)| clock),
            Self::Year(_) => full.split_once('-').map_or(full.as_str(), |(_, rest)| rest),
            Self::None => return full,
        };
        rest.trim_end_matches('Z').replace('T', " ")
    }

    /// What the header adds: `(2026-11-22 UTC)`.
    pub(super) fn label(self) -> String {
        match self {
            Self::Day(day) => format!("({day} UTC)"),
            Self::Year(year) => format!("({year} UTC)"),
            Self::None => String::new(),
        }
    }
}

/// RFC 3339 in UTC with as many digits after the second as the instant has, in threes.
fn iso(time: Timestamp) -> String {
    let digits = match time.subsec_nanosecond().unsigned_abs() {
        0 => 0,
        nanos if nanos.is_multiple_of(1_000_000) => 3,
        nanos if nanos.is_multiple_of(1_000) => 6,
        _ => 9,
    };
    format!("{time:.digits$}")
}

/// Nanoseconds as a duration of four significant digits: `345ms`, `1.234s`, `12.5us`, `2h 5m`.
pub(super) fn nanos(nanos: f64) -> String {
    let (value, unit) = match nanos.abs() {
        under if under < 1e3 => (nanos, "ns"),
        under if under < 1e6 => (nanos / 1e3, "us"),
        under if under < 1e9 => (nanos / 1e6, "ms"),
        under if under < 60e9 => (nanos / 1e9, "s"),
        under if under < 3_600e9 => return format!("{}m {}s", (nanos / 60e9).trunc(), (nanos % 60e9 / 1e9).round()),
        _ => return format!("{}h {}m", (nanos / 3_600e9).trunc(), (nanos % 3_600e9 / 60e9).round()),
    };
    let decimals = match value.abs() {
        under if under < 10.0 => 3,
        under if under < 100.0 => 2,
        under if under < 1_000.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn instants_of_any_unit() {
        let expected: Timestamp = "2025-11-22T04:10:00Z".parse().unwrap();
        for value in [
            json!("2025-11-22T04:10:00Z"),
            json!("2025-11-22T05:10:00+01:00"),
            json!(1_763_784_600_000_i64),
            json!("1763784600000"),
            json!(1_763_784_600_000_000_i64),
            json!(1_763_784_600_000_000_000_i64),
        ] {
            assert_eq!(instant(&value, false), Some(expected), "{value}");
        }
        assert_eq!(instant(&json!(1_763_784_600), true), Some(expected));
        assert_eq!(instant(&json!(1_763_784_600.5), true).map(Timestamp::as_millisecond), Some(1_763_784_600_500));
        for value in [json!(1_763_784_600), json!("soon"), json!(12), json!(null), json!(true)] {
            assert_eq!(instant(&value, false), None, "{value}");
        }
    }

    #[test]
    fn what_is_common_is_lifted() {
        let times = |texts: &[&str]| -> Vec<Timestamp> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        for (texts, label, first) in [
            (&["2026-11-22T04:10:00.5Z", "2026-11-22T05:00:00Z"][..], "(2026-11-22 UTC)", "04:10:00.500"),
            (&["2026-11-22T04:10:00Z", "2026-11-23T05:00:00Z"], "(2026 UTC)", "11-22 04:10:00"),
            (&["2026-11-22T04:10:00.000001Z", "2025-11-22T05:00:00Z"], "", "2026-11-22T04:10:00.000001Z"),
        ] {
            let times = times(texts);
            let lifted = common(times.iter().copied());
            assert_eq!((lifted.label().as_str(), lifted.short(times[0]).as_str()), (label, first));
        }
        assert_eq!(common(std::iter::empty()), Lifted::None);
    }

    #[test]
    fn durations_are_short() {
        for (given, text) in [
            (0.0, "0ns"),
            (12.0, "12ns"),
            (12_500.0, "12.5us"),
            (345e6, "345ms"),
            (1.234_567e9, "1.235s"),
            (59.99e9, "59.99s"),
            (125e9, "2m 5s"),
            (7_500e9, "2h 5m"),
            (-2e6, "-2ms"),
        ] {
            assert_eq!(nanos(given), text);
        }
    }
}
