//! Numbers and instants as notes say them.

use jiff::Timestamp;

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// `1,204`
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `2026-11-22T10:00:00Z`, cut to the second.
pub(crate) fn instant(ms: i64) -> String {
    Timestamp::from_second(ms.div_euclid(1_000)).map_or_else(|_| ms.to_string(), |time| time.to_string())
}

/// `1 log`, `1,204 logs`: the subject loses its plural `s` for one.
pub(crate) fn plural(number: u64, subject: &str) -> String {
    let subject = if number == 1 { subject.strip_suffix('s').unwrap_or(subject) } else { subject };
    format!("{} {subject}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_parted() {
        for (number, text) in [(0, "0"), (999, "999"), (1_204, "1,204"), (100_000, "100,000"), (1_000_000, "1,000,000")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(plural(1, "logs"), "1 log");
        assert_eq!(plural(1_204, "RUM events"), "1,204 RUM events");
    }

    #[test]
    fn instants_are_cut_to_the_second() {
        assert_eq!(instant(1_700_000_000_999), "2023-11-14T22:13:20Z");
        assert_eq!(instant(-1), "1969-12-31T23:59:59Z");
    }
}
