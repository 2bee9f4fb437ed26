//! The time grammar of `from` and `to`: `now`, `15m`, `now-2h`, RFC 3339, epoch seconds or milliseconds.

use datadog_client::Refusal;
use jiff::{SignedDuration, Span, Timestamp, Unit, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// How times may be written; stands in every refusal about a time.
pub const GRAMMAR: &str = "Write now, 15m, 2h30m, 1d, 2w or 1mo (that long ago), now-2h, 2026-11-22, 2026-11-22T04:10:00Z (UTC unless it has an offset), \
     or epoch seconds or milliseconds.";

/// A clock may run ahead of ours by this much.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// Before Datadog existed there is no data: an older instant is a unit mixed up or a wrong year.
const EARLIEST_YEAR: i16 = 2010;
const LATEST_YEAR: i16 = 2099;
const DAY_MS: i64 = 86_400_000;

/// An absolute range, `from` before `to`; Unix milliseconds on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRange {
    /// Start, Unix milliseconds.
    pub from_ms: i64,
    /// End, Unix milliseconds.
    pub to_ms: i64,
}

impl TimeRange {
    /// Parses both ends relative to `now`; refuses an empty or reversed range and says the grammar.
    pub fn parse(from: &str, to: &str, now: Timestamp) -> Result<Self, Refusal> {
        let start = instant(from, now).map_err(|why| refuse("from", from, &why))?;
        let end = instant(to, now).map_err(|why| refuse("to", to, &why))?;
        if start.duration_since(now) > SKEW {
            return Err(refuse("from", from, &format!("it lies in the future (now is {}).", iso(now.as_millisecond()))));
        }
        let range = Self { from_ms: start.as_millisecond(), to_ms: end.as_millisecond() };
        if range.from_ms >= range.to_ms {
            let what = if range.from_ms == range.to_ms { "empty" } else { "reversed" };
            return Err(Refusal::invalid(format!("The time range is {what}: from {} to {}.", range.from_iso(), range.to_iso()))
                .because(format!("`from` must be before `to`. {GRAMMAR}")));
        }
        Ok(range)
    }

    /// Start as RFC 3339 in UTC, milliseconds only when there are any.
    #[must_use]
    pub fn from_iso(&self) -> String {
        iso(self.from_ms)
    }

    /// End as RFC 3339 in UTC, milliseconds only when there are any.
    #[must_use]
    pub fn to_iso(&self) -> String {
        iso(self.to_ms)
    }

    /// Start in whole Unix seconds, rounded down (v1 metrics, events).
    #[must_use]
    pub const fn from_s(&self) -> i64 {
        self.from_ms.div_euclid(1000)
    }

    /// End in whole Unix seconds, rounded up, so that nothing of the range is left out.
    #[must_use]
    pub const fn to_s(&self) -> i64 {
        self.to_ms.saturating_add(999).div_euclid(1000)
    }

    /// Length; zero for a range that was made reversed by hand.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        let ms = self.to_ms.saturating_sub(self.from_ms);
        Duration::from_millis(if ms > 0 { ms as u64 } else { 0 })
    }
}

impl fmt::Display for TimeRange {
    /// `2026-11-22T04:10:00Z..04:25:00Z`; the second date only when it is another.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from_iso(), self.to_iso());
        let same_day = self.from_ms.div_euclid(DAY_MS) == self.to_ms.div_euclid(DAY_MS);
        let end = match to.split_once('T') {
            Some((_, clock)) if same_day => clock,
            _ => &to,
        };
        write!(f, "{from}..{end}")
    }
}

/// One instant relative to `now`, or a refusal that teaches the grammar.
pub fn parse_instant(text: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    instant(text, now).map_err(|why| refuse("time", text, &why))
}

/// Unix milliseconds as RFC 3339 in UTC; the number itself when no calendar holds it.
pub(crate) fn iso(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(time) if ms.rem_euclid(1000) == 0 => format!("{time:.0}"),
        Ok(time) => format!("{time:.3}"),
        Err(_) => ms.to_string(),
    }
}

fn refuse(name: &str, text: &str, why: &str) -> Refusal {
    let shown: String = text.chars().take(60).collect();
    Refusal::invalid(format!("`{name}` {shown:?} cannot be used: {why}")).because(GRAMMAR)
}

fn instant(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty.".to_owned());
    }
    let lower = text.to_ascii_lowercase();
    let time = if let Some(rest) = lower.strip_prefix("now") {
        // The original spelling is kept: `M` is a month, `m` a minute.
        relative(text[text.len() - rest.len()..].trim_start(), now)?
    } else if lower == "today" {
        midnight(now)?
    } else if lower == "yesterday" {
        midnight(now)?.checked_sub(SignedDuration::from_hours(24)).map_err(|error| error.to_string())?
    } else if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        epoch(text)?
    } else if is_dated(text) {
        dated(text)?
    } else {
        let ago = lower.strip_suffix("ago").map_or(text, |rest| text[..rest.len()].trim_end());
        let ago =
            ["last ", "past "].iter().find_map(|word| lower.starts_with(word).then(|| &ago[word.len().min(ago.len())..])).unwrap_or(ago);
        back(ago.strip_prefix('-').unwrap_or(ago).trim_start(), now)?
    };
    let year = time.to_zoned(TimeZone::UTC).year();
    if (EARLIEST_YEAR..=LATEST_YEAR).contains(&year) { Ok(time) } else { Err(format!("it is in the year {year}.")) }
}

/// What follows `now`: nothing, `-2h` or, within the skew of clocks, `+1m`.
fn relative(rest: &str, now: Timestamp) -> Result<Timestamp, String> {
    if rest.is_empty() {
        return Ok(now);
    }
    if let Some(span) = rest.strip_prefix('-') {
        return back(span.trim_start(), now);
    }
    let Some(span) = rest.strip_prefix('+') else {
        return Err("after `now` stands -, e.g. now-2h.".to_owned());
    };
    let ahead = shift(span.trim_start(), now, 1)?;
    if ahead.duration_since(now) > SKEW {
        return Err("it lies in the future.".to_owned());
    }
    Ok(ahead)
}

fn back(span: &str, now: Timestamp) -> Result<Timestamp, String> {
    shift(span, now, -1)
}

/// `now` moved by a run of `<number><unit>`, in UTC: months and years are the calendar's, days have 24 hours.
fn shift(text: &str, now: Timestamp, sign: i64) -> Result<Timestamp, String> {
    let (mut span, mut rest) = (Span::new(), text.trim());
    let mut seen: Vec<Unit> = Vec::new();
    if rest.is_empty() {
        return Err("a length of time is missing, e.g. 2h.".to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = rest[digits..].trim_start();
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let number: i64 = rest[..digits].parse().map_err(|_| "it is not understood.".to_owned())?;
        let unit = unit(&after[..letters])?;
        if seen.contains(&unit) {
            return Err(format!("it names the unit {:?} twice.", &after[..letters]));
        }
        seen.push(unit);
        span = with(span, unit, number.saturating_mul(sign)).map_err(|()| "it is too long.".to_owned())?;
        rest = after[letters..].trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    }
    let moved = now.to_zoned(TimeZone::UTC).checked_add(span).map_err(|_| "it is too long.".to_owned())?;
    Ok(moved.timestamp())
}

fn with(span: Span, unit: Unit, number: i64) -> Result<Span, ()> {
    match unit {
        Unit::Year => span.try_years(number),
        Unit::Month => span.try_months(number),
        Unit::Week => span.try_weeks(number),
        Unit::Day => span.try_days(number),
        Unit::Hour => span.try_hours(number),
        Unit::Minute => span.try_minutes(number),
        Unit::Second => span.try_seconds(number),
        _ => span.try_milliseconds(number),
    }
    .map_err(|_| ())
}

fn unit(word: &str) -> Result<Unit, String> {
    if word == "M" {
        return Ok(Unit::Month);
    }
    Ok(match word.to_ascii_lowercase().as_str() {
        "ms" | "msec" | "millisecond" | "milliseconds" => Unit::Millisecond,
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "wk" | "week" | "weeks" => Unit::Week,
        "mo" | "mon" | "month" | "months" => Unit::Month,
        "y" | "yr" | "year" | "years" => Unit::Year,
        "" => return Err("a number lacks its unit (s, m, h, d, w, mo).".to_owned()),
        _ => return Err("it is not understood.".to_owned()),
    })
}

/// Epoch seconds (≤ 10 digits), milliseconds (≤ 13), microseconds (≤ 16) or nanoseconds (≤ 19), by the number of digits.
fn epoch(text: &str) -> Result<Timestamp, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let bad = || "it is not understood.".to_owned();
    let number: i64 = whole.parse().map_err(|_| bad())?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || text.ends_with('.') {
        return Err(bad());
    }
    let per_second: i64 = match whole.len() {
        ..=10 => 1,
        11..=13 => 1_000,
        14..=16 => 1_000_000,
        17..=19 => 1_000_000_000,
        _ => return Err(bad()),
    };
    let mut nanos = i128::from(number) * i128::from(1_000_000_000 / per_second);
    if per_second == 1 && !fraction.is_empty() {
        let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
        nanos += digits.parse::<i128>().map_err(|_| bad())?;
    }
    Timestamp::from_nanosecond(nanos).map_err(|_| bad())
}

/// Begins with a year of four digits and a dash.
fn is_dated(text: &str) -> bool {
    text.len() >= 5 && text.as_bytes()[..4].iter().all(u8::is_ascii_digit) && text.as_bytes()[4] == b'-'
}

fn dated(text: &str) -> Result<Timestamp, String> {
    let text = text.to_ascii_uppercase();
    let text = text.strip_suffix("UTC").or_else(|| text.strip_suffix("GMT")).map_or(text.as_str(), str::trim_end);
    let not = |error: jiff::Error| format!("it is no date and time ({error}).");
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let civil = text.parse::<civil::DateTime>().map_err(not)?;
    // `2026-11-22T04:10:00+99:99` parses as civil time up to the offset in no version of the grammar we want.
    civil.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(not)
}

fn midnight(now: Timestamp) -> Result<Timestamp, String> {
    now.to_zoned(TimeZone::UTC).start_of_day().map(|zoned| zoned.timestamp()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Timestamp {
        "2026-11-22T04:25:30.250Z".parse().unwrap()
    }

    fn at(text: &str) -> String {
        iso(parse_instant(text, now()).unwrap().as_millisecond())
    }

    #[test]
    fn understands_what_people_and_models_write() {
        for (text, expected) in [
            ("now", "2026-11-22T04:25:30.250Z"),
            (" NOW ", "2026-11-22T04:25:30.250Z"),
            ("15m", "2026-11-22T04:10:30.250Z"),
            ("-15m", "2026-11-22T04:10:30.250Z"),
            ("now-15m", "2026-11-22T04:10:30.250Z"),
            ("now - 15 m", "2026-11-22T04:10:30.250Z"),
            ("15min", "2026-11-22T04:10:30.250Z"),
            ("15 minutes ago", "2026-11-22T04:10:30.250Z"),
            ("last 15 minutes", "2026-11-22T04:10:30.250Z"),
            ("past 15m", "2026-11-22T04:10:30.250Z"),
            ("1d", "2026-11-21T04:25:30.250Z"),
            ("2h30m", "2026-11-22T01:55:30.250Z"),
            ("2 hours, 30 minutes", "2026-11-22T01:55:30.250Z"),
            ("now-2h30m", "2026-11-22T01:55:30.250Z"),
            ("1H", "2026-11-22T03:25:30.250Z"),
            ("1w", "2026-11-15T04:25:30.250Z"),
            ("now-2M", "2026-09-22T04:25:30.250Z"),
            ("2mo", "2026-09-22T04:25:30.250Z"),
            ("now-2m", "2026-11-22T04:23:30.250Z"),
            ("1y", "2025-11-22T04:25:30.250Z"),
            ("250ms", "2026-11-22T04:25:30Z"),
            ("now+1m", "2026-11-22T04:26:30.250Z"),
            ("2026-11-22", "2026-11-22T00:00:00Z"),
            ("today", "2026-11-22T00:00:00Z"),
            ("yesterday", "2026-11-21T00:00:00Z"),
            ("2026-11-22T04:10:00Z", "2026-11-22T04:10:00Z"),
            ("2026-11-22t04:10:00.5z", "2026-11-22T04:10:00.500Z"),
            ("2026-11-22T04:10:00+02:00", "2026-11-22T02:10:00Z"),
            ("2026-11-22T04:10:00-0530", "2026-11-22T09:40:00Z"),
            ("2026-11-22T04:10:00", "2026-11-22T04:10:00Z"),
            ("2026-11-22 04:10", "2026-11-22T04:10:00Z"),
            ("2026-11-22 04:10:00 UTC", "2026-11-22T04:10:00Z"),
            ("1763784600", "2025-11-22T04:10:00Z"),
            ("1763784600.5", "2025-11-22T04:10:00.500Z"),
            ("1763784600123", "2025-11-22T04:10:00.123Z"),
            ("1763784600123456", "2025-11-22T04:10:00.123Z"),
            ("1763784600123456789", "2025-11-22T04:10:00.123Z"),
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_and_teaches_the_grammar() {
        for text in [
            "",
            "  ",
            "soon",
            "now-",
            "now-2",
            "now-2x",
            "now2h",
            "now+1d",
            "15",
            "2h2h",
            "-",
            "1.5h",
            "2026-13-01",
            "2026-02-30",
            "20261122",
            "1",
            "0",
            "0001-01-01",
            "99999999999999999999",
            "1763784600.",
            "1763784600.1.2",
            "1763784600,5",
            "9999999999999999d",
            "2026-11-22T25:00:00Z",
            "now-99y",
            "yesterday 5pm",
            "2026-11-22T04:10:00+99:99",
            "é",
            "15é",
        ] {
            let refusal = parse_instant(text, now()).unwrap_err();
            assert_eq!(refusal.why.as_deref(), Some(GRAMMAR), "{text}");
            assert!(refusal.message.contains(&format!("{:?}", text.trim())) || text.trim() != text, "{}", refusal.message);
        }
    }

    #[test]
    fn a_range_has_a_start_before_its_end() {
        let range = TimeRange::parse("15m", "now", now()).unwrap();
        assert_eq!(range.to_string(), "2026-11-22T04:10:30.250Z..04:25:30.250Z");
        assert_eq!((range.from_s(), range.to_s(), range.duration()), (1_795_320_630, 1_795_321_531, Duration::from_secs(900)));
        assert_eq!(TimeRange::parse("2026-11-20", "2026-11-21", now()).unwrap().to_string(), "2026-11-20T00:00:00Z..2026-11-21T00:00:00Z");
        for (from, to, word) in [
            ("now", "1h", "reversed"),
            ("1h", "60m", "empty"),
            ("2026-12-01", "2026-12-02", "future"),
            ("soon", "now", "`from`"),
            ("1h", "soon", "`to`"),
        ] {
            let refusal = TimeRange::parse(from, to, now()).unwrap_err();
            assert!(refusal.message.contains(word), "{}", refusal.message);
            assert!(refusal.why.is_some_and(|why| why.contains(GRAMMAR)));
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_is_identity(from_ms in 1_262_304_000_000_i64..1_795_000_000_000, length in 1_i64..10_000_000_000) {
            let range = TimeRange { from_ms, to_ms: from_ms + length };
            prop_assert_eq!(TimeRange::parse(&range.from_iso(), &range.to_iso(), now()).unwrap(), range);
            prop_assert_eq!(TimeRange::parse(&range.from_ms.to_string(), &range.to_ms.to_string(), now()).unwrap(), range);
            let text = range.to_string();
            let (from, to) = text.split_once("..").unwrap();
            let to = if to.contains('T') { to.to_owned() } else { format!("{}T{to}", &from[..10]) };
            prop_assert_eq!(TimeRange::parse(from, &to, now()).unwrap(), range);
        }

        #[test]
        fn a_length_is_counted_back_from_now(number in 1_i64..400, unit in prop::sample::select(vec![("s", 1), ("m", 60), ("h", 3600), ("d", 86400), ("w", 604_800)])) {
            for text in [format!("{number}{}", unit.0), format!("now-{number}{}", unit.0), format!("-{number} {}", unit.0)] {
                let time = parse_instant(&text, now()).unwrap();
                prop_assert_eq!(now().duration_since(time).as_secs(), number * unit.1);
            }
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,40}", tail in "[0-9TZMmhdnow:.+ -]{0,30}") {
            let _either = parse_instant(&text, now());
            let _either = parse_instant(&tail, now());
            let _either = TimeRange::parse(&text, &tail, now());
        }

        #[test]
        fn any_milliseconds_print(ms: i64, other: i64) {
            let range = TimeRange { from_ms: ms, to_ms: other };
            prop_assert!(range.to_string().contains(".."));
            prop_assert!(range.from_s() <= range.to_s() || ms > other);
            prop_assert!(range.duration().as_millis() <= u128::from(u64::MAX));
        }
    }
}
