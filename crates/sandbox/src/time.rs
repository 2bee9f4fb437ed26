//! Datadog's time grammar on the way in (`now-15m`, ISO 8601, milliseconds) and its time formats on the way out.

use jiff::Timestamp;
use serde_json::Value;

/// The last millisecond of the year 9999; no time beyond it is looked at.
pub(crate) const LATEST: i64 = 253_402_300_799_999;

/// Milliseconds of a time expression: `now`, `now-15m`, `now+1h`, ISO 8601 with or without offset, or digits, which are
/// always milliseconds. `None` when it is none of these.
pub(crate) fn parse(text: &str, now: i64) -> Option<i64> {
    let text = text.trim();
    if let Some(shift) = text.strip_prefix("now") {
        return shifted(shift, now);
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    let stamp = text.parse::<Timestamp>().or_else(|_| format!("{text}Z").parse());
    if let Ok(stamp) = stamp {
        return Some(stamp.as_millisecond());
    }
    let date: jiff::civil::Date = text.parse().ok()?;
    Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

fn shifted(shift: &str, now: i64) -> Option<i64> {
    if shift.is_empty() {
        return Some(now);
    }
    let sign = match shift.as_bytes().first()? {
        b'-' => -1,
        b'+' => 1,
        _ => return None,
    };
    let digits = shift[1..].bytes().take_while(u8::is_ascii_digit).count();
    let count: i64 = shift[1..=digits].parse().ok()?;
    let unit: i64 = match &shift[1 + digits..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        "M" => 2_592_000_000,
        "y" => 31_536_000_000,
        _ => return None,
    };
    now.checked_add(sign * count.checked_mul(unit)?)
}

/// Like [`parse`], from a JSON string or number.
pub(crate) fn parse_value(value: &Value, now: i64) -> Option<i64> {
    match value {
        Value::String(text) => parse(text, now),
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|n| n as i64)),
        _ => None,
    }
}

/// Milliseconds of an interval: `5m`, `1h`, or milliseconds as number or digits.
pub(crate) fn interval(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        Value::String(text) => shifted(&format!("+{text}"), 0),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
    .filter(|ms| *ms > 0)
}

fn stamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `2026-11-22T10:15:30.123Z`
pub(crate) fn iso(ms: i64) -> String {
    format!("{:.3}", stamp(ms))
}

/// `2026-11-22T10:15:30Z`
pub(crate) fn iso_seconds(ms: i64) -> String {
    format!("{:.0}", stamp(ms))
}

/// `2026-11-22T10:15:30.123000+00:00`, as the older endpoints write it.
pub(crate) fn iso_offset(ms: i64) -> String {
    stamp(ms).strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: i64 = 1_790_000_000_000;

    #[test]
    fn expressions() {
        for (text, expected) in [
            ("now", Some(NOW)),
            ("now-15m", Some(NOW - 900_000)),
            ("now+1h", Some(NOW + 3_600_000)),
            ("now-2d", Some(NOW - 172_800_000)),
            ("now-500ms", Some(NOW - 500)),
            ("1790000000000", Some(NOW)),
            ("1790000000", Some(1_790_000_000)),
            ("2026-09-21T13:33:20Z", Some(1_789_997_600_000)),
            ("2026-09-21T15:33:20+02:00", Some(1_789_997_600_000)),
            ("2026-09-21T13:33:20.5", Some(1_789_997_600_500)),
            ("2026-09-21", Some(1_789_948_800_000)),
            ("now-15", None),
            ("now-15q", None),
            ("now15m", None),
            ("yesterday", None),
            ("", None),
            ("now-99999999999999999999d", None),
            ("now-9223372036854775807y", None),
        ] {
            assert_eq!(parse(text, NOW), expected, "{text}");
        }
        assert_eq!(interval(&json!("5m")), Some(300_000));
        assert_eq!(interval(&json!(5000)), Some(5_000));
        assert_eq!(interval(&json!("60000")), Some(60_000));
        assert_eq!(interval(&json!("")), None);
        assert_eq!(interval(&json!("0m")), None);
    }

    #[test]
    fn formats() {
        assert_eq!(iso(NOW + 7), "2026-09-21T14:13:20.007Z");
        assert_eq!(iso_seconds(NOW), "2026-09-21T14:13:20Z");
        assert_eq!(iso_offset(NOW + 7), "2026-09-21T14:13:20.007000+00:00");
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,40}") {
            let _ = parse(&text, NOW);
            let _ = interval(&json!(text));
        }

        #[test]
        fn iso_is_read_back(ms in 0_i64..4_000_000_000_000) {
            prop_assert_eq!(parse(&iso(ms), NOW), Some(ms));
        }
    }
}
