//! Trace and span ids as people paste them: decimal, 16 or 32 hex digits, a `traceparent`, a link.

use datadog_client::{Fix, Refusal};

/// Forms in which a trace is asked for, likeliest first, as the trace endpoint takes them: 32 hex digits or decimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TraceId {
    forms: Vec<String>,
}

impl TraceId {
    /// Reads an id; refuses what cannot be one and says which forms there are.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let wrong = || {
            // A client that read the id as a number has lost its last digits.
            if text.contains(['.', 'e', 'E']) && text.trim().parse::<f64>().is_ok_and(|number| number >= 1.0) {
                return Refusal::invalid("`trace_id` came as a rounded number: its last digits are lost.")
                    .because("A number of that size is not exact in JSON: send the id as a string, e.g. `\"5023904817262048113\"`.");
            }
            Refusal::invalid(format!("`{}` is no trace id.", text.chars().take(60).filter(|c| !c.is_control()).collect::<String>()))
                .because("A trace id is a decimal number, e.g. `5023904817262048113`, or 16 or 32 hex digits.")
                .fix(Fix::new("spans_search", "Its rows carry trace ids."))
        };
        let id = bare(text);
        let digits = id.bytes().all(|byte| byte.is_ascii_digit());
        let hex = id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = if hex && id.len() <= 32 { u128::from_str_radix(&id, 16).ok() } else { None };
        let forms = match (id.len(), value) {
            (32, Some(_)) => vec![id],
            (1..=39, _) if digits => {
                let mut forms = vec![id.clone()];
                // Sixteen digits may be either; decimal ids are longer as a rule, but most ids of logs are decimal.
                forms.extend(value.filter(|_| id.len() == 16).map(|value| value.to_string()));
                forms
            }
            (16, Some(value)) => vec![value.to_string(), format!("{value:032x}")],
            (17..=31, Some(value)) => vec![format!("{value:032x}")],
            _ => return Err(wrong()),
        };
        if forms.iter().all(|form| form.bytes().all(|byte| byte == b'0')) {
            return Err(wrong());
        }
        Ok(Self { forms })
    }

    /// Forms for the trace endpoint.
    pub(super) fn forms(&self) -> &[String] {
        &self.forms
    }

    /// A span query that matches the trace in whichever form its spans were indexed.
    pub(super) fn query(&self) -> String {
        let mut all: Vec<String> = Vec::new();
        for form in &self.forms {
            let value = if form.len() == 32 { u128::from_str_radix(form, 16).ok() } else { form.parse::<u128>().ok() };
            all.push(form.clone());
            if let Some(value) = value {
                all.push((value as u64).to_string());
                all.push(format!("{value:032x}"));
            }
        }
        all.sort_unstable();
        all.dedup();
        format!("trace_id:({})", all.join(" OR "))
    }
}

/// Reads a span id, decimal or 16 hex digits; both readings when a text of 16 digits allows two.
pub(super) fn span_ids(text: &str) -> Vec<u64> {
    let id = bare(text);
    let mut ids: Vec<u64> = Vec::new();
    ids.extend(id.parse::<u64>().ok());
    if id.len() == 16 {
        ids.extend(u64::from_str_radix(&id, 16).ok().filter(|hex| !ids.contains(hex)));
    }
    ids
}

/// The id inside a link, a `traceparent` or a `0x…`.
fn bare(text: &str) -> String {
    let text = text.trim().trim_matches(['"', '\'', '`']);
    let text = match text.rsplit_once("trace/") {
        Some((_, rest)) => rest.split(['?', '#', '/']).next().unwrap_or(rest),
        None => text,
    };
    let parts: Vec<&str> = text.split('-').collect();
    let text = if parts.len() == 4 && parts[1].len() == 32 { parts[1] } else { text };
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    text.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use proptest::prelude::*;

    fn forms(text: &str) -> Vec<String> {
        TraceId::parse(text).unwrap().forms
    }

    #[test]
    fn every_form_is_understood() {
        assert_eq!(forms("18446744073709551615"), ["18446744073709551615"]);
        assert_eq!(forms("6637d0c500000000abc1230000000000"), ["6637d0c500000000abc1230000000000"]);
        assert_eq!(forms("ABC1230000000000"), ["12376211733897805824", "0000000000000000abc1230000000000"]);
        assert_eq!(forms("1234567890123456"), ["1234567890123456", "1311768467284833366"]);
        assert_eq!(forms("00-6637d0c500000000abc1230000000000-00f067aa0ba902b7-01"), ["6637d0c500000000abc1230000000000"]);
        assert_eq!(forms("https://app.datadoghq.com/apm/trace/5023904817262048113?x=1"), ["5023904817262048113"]);
        assert_eq!(forms(" 0xabc1230000000000abc123 "), ["0000000000abc1230000000000abc123"]);
        for bad in [
            "",
            "0",
            "xyz",
            "../../etc",
            "../1",
            "12345678901234567890123456789012345678901",
            "abc",
            "%2e%2e",
            "00000000000000000000000000000000",
        ] {
            assert!(TraceId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rounded_number_is_told_as_such() {
        for text in ["5.023904817262048e18", "5023904817262048000.0", "1e19"] {
            let refusal = TraceId::parse(text).unwrap_err();
            assert!(refusal.why.unwrap().contains("send the id as a string"), "{text}");
        }
        assert!(!TraceId::parse("abc").unwrap_err().why.unwrap().contains("as a string"));
    }

    #[test]
    fn the_span_query_has_every_form() {
        let query = TraceId::parse("0000000000000000abc1230000000000").unwrap().query();
        assert_eq!(query, "trace_id:(0000000000000000abc1230000000000 OR 12376211733897805824)");
        assert_eq!(span_ids("ffffffffffffffff"), [u64::MAX]);
        assert_eq!(span_ids("18446744073709551615"), [u64::MAX]);
        assert_eq!(span_ids("1234567890123456"), [1_234_567_890_123_456, 0x1234_5678_9012_3456]);
        assert!(span_ids("nope").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,50}") {
            let _unused = TraceId::parse(&text);
            let _unused = span_ids(&text);
        }

        #[test]
        fn wide_ids_stay_exact(id in 1..u64::MAX) {
            prop_assert_eq!(forms(&id.to_string())[0].clone(), id.to_string());
            prop_assert!(span_ids(&id.to_string()).contains(&id));
            let hex = format!("{id:016x}");
            prop_assert!(span_ids(&hex).contains(&id));
        }
    }
}
