//! How many tokens a text is, estimated in one pass: close to o200k, and rather above it than below.
//!
//! A tokeniser's tables would cost megabytes and milliseconds. What decides the count is mostly how the text is split
//! before the merges, and that rule is simple: words with one character before them, camel case humps, three digits,
//! runs of punctuation. Each piece is then priced by its length; prices were fitted to o200k (see the tests).

/// Price of one token in the unit of the sums below.
const ONE: usize = 20;

/// Estimated tokens of `text`.
#[must_use]
pub(super) fn estimate(text: &str) -> usize {
    price(text).div_ceil(ONE)
}

/// Longest prefix of `text`, at a character boundary, whose estimate is at most `tokens`.
#[must_use]
pub(super) fn prefix(text: &str, tokens: usize) -> &str {
    // No token is priced below a fifth of a byte's worth, so that the first cut is cheap for texts of any length.
    let mut end = text.len().min(tokens.saturating_mul(12));
    loop {
        end = floor(text, end);
        let estimate = estimate(&text[..end]);
        if estimate <= tokens || end == 0 {
            return &text[..end];
        }
        end = (end * tokens / estimate).min(end - 1);
    }
}

/// The character boundary at or before `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn price(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut sum) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        match byte {
            b'0'..=b'9' => {
                at = run(bytes, at, |byte| byte.is_ascii_digit());
                sum += (at - start).div_ceil(3) * ONE;
            }
            b'a'..=b'z' | b'A'..=b'Z' => {
                let lower = run(bytes, at, |byte| byte.is_ascii_uppercase());
                at = run(bytes, lower, |byte| byte.is_ascii_lowercase());
                let touches = |place: Option<usize>| place.and_then(|place| bytes.get(place)).is_some_and(u8::is_ascii_alphanumeric);
                sum += word(lower - start, at - lower, touches(start.checked_sub(1)) || touches(Some(at)));
            }
            b' ' if next_is_word(bytes, at) => at += 1,
            b'\n' | b'\r' => {
                at = run(bytes, at, |byte| matches!(byte, b'\n' | b'\r'));
                sum += ONE;
            }
            b' ' | b'\t' => {
                at = run(bytes, at, |byte| matches!(byte, b' ' | b'\t'));
                sum += ONE;
            }
            0..0x80 => {
                at =
                    run(bytes, at, |byte| byte.is_ascii_punctuation() || byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t'));
                sum += match at - start {
                    1 if next_is_word(bytes, start) => 13,
                    1 => ONE,
                    2..=3 => 24,
                    length => 22 + length * 9,
                };
            }
            _ => {
                let rest = &text[at..];
                let Some(letter) = rest.chars().next() else { break };
                at += letter.len_utf8();
                sum += foreign(letter);
            }
        }
    }
    sum
}

fn run(bytes: &[u8], from: usize, part: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|byte| !part(*byte)).map_or(bytes.len(), |length| from + length)
}

fn next_is_word(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1).is_some_and(|next| next.is_ascii_alphabetic() || *next >= 0x80)
}

/// A hump: `upper` capitals, then `lower` small letters. `dense`: it touches a digit or another hump.
const fn word(upper: usize, lower: usize, dense: bool) -> usize {
    match (upper, lower) {
        (0 | 1, _) => small(upper + lower, dense),
        // Capitals alone are a known word; inside a run of letters and digits they are base64 and the like.
        (_, 0) if dense => 6 + upper * 12,
        (2..=4, 0) => 20,
        (_, 0) => 8 + upper * 4,
        _ => upper * 12 + small(lower, true),
    }
}

const fn small(length: usize, dense: bool) -> usize {
    let random = if dense && length > 1 { 8 } else { 0 };
    match length {
        0 => 0,
        1..=5 => 20 + random,
        6..=8 => 22 + random,
        9..=12 => 25,
        _ => 25 + (length - 12) * 5,
    }
}

/// Letters and signs beyond ASCII, by script.
const fn foreign(letter: char) -> usize {
    match letter as u32 {
        0x80..=0x24F => 12,
        0x370..=0x5FF => 7,
        0x600..=0x6FF => 8,
        0x900..=0xDFF => 9,
        0x1100..=0x11FF | 0xAC00..=0xD7AF => 15,
        0x3040..=0x30FF => 13,
        0x2010..=0x2027 | 0x3000..=0x303F | 0xFF00..=0xFFEF => 20,
        0x4E00..=0x9FFF => 16,
        0x700..=0x1FFF => 22,
        0x2000..=0x2FFF => 38,
        0x3100..=0xFFFF => 44,
        _ => 48,
    }
}

#[cfg(test)]
#[allow(clippy::format_collect, clippy::print_stdout, reason = "tests")]
mod tests {
    use super::*;
    use crate::answer::samples;
    use proptest::prelude::*;

    fn real(text: &str) -> usize {
        tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len()
    }

    fn base64_like(seed: u64, length: usize) -> String {
        const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut dice = samples::Dice::new(seed);
        (0..length).map(|_| char::from(SIGNS[dice.below(64) as usize])).collect()
    }

    #[test]
    fn is_close_to_o200k_and_seldom_below() {
        let events = samples::events(60);
        let json: String = events.iter().map(|event| format!("{event}\n")).collect();
        let messages: String =
            events.iter().filter_map(|event| event["attributes"]["message"].as_str()).map(|text| format!("{text}\n")).collect();
        let stacks: String = events.iter().filter_map(|event| event["attributes"]["attributes"]["error"]["stack"].as_str()).collect();
        let tags: String = events
            .iter()
            .filter_map(|event| event["attributes"]["tags"].as_array())
            .flatten()
            .filter_map(|tag| tag.as_str())
            .map(|tag| format!("{tag} "))
            .collect();
        let hex: String =
            (0..60).map(|seed| format!("{:016x}{:016x} ", samples::Dice::new(seed).next(), samples::Dice::new(seed + 99).next())).collect();
        let numbers: String = (0..200_u64).map(|at| format!("{}\t{:.3},", at * 7_919, at as f64 / 7.0)).collect();
        let mut wrong = Vec::new();
        for (name, text) in [
            ("json", json),
            ("messages", messages),
            ("stacks", stacks),
            ("tags", tags),
            ("hex", hex),
            ("numbers", numbers),
            ("base64", base64_like(5, 4_000)),
            ("prose", "The service could not reach the database, because every connection of the pool was busy for thirty seconds. ".repeat(20)),
            ("chinese", "服务无法连接到数据库,因为连接池中的所有连接在三十秒内都处于繁忙状态。".repeat(20)),
            ("japanese", "データベースに接続できませんでした。接続プールがいっぱいです。".repeat(20)),
            ("korean", "데이터베이스에 연결할 수 없습니다. 연결 풀이 가득 찼습니다. ".repeat(20)),
            ("russian", "Не удалось подключиться к базе данных: все соединения заняты. ".repeat(20)),
            ("german", "Die Verbindung zur Datenbank ist für dreißig Sekunden nicht verfügbar gewesen. ".repeat(20)),
            ("arabic", "تعذر الاتصال بقاعدة البيانات لأن جميع الاتصالات مشغولة. ".repeat(20)),
            ("hindi", "डेटाबेस से कनेक्ट नहीं हो सका क्योंकि सभी कनेक्शन व्यस्त थे। ".repeat(20)),
            ("emoji", "🔥🚒 down 💥 retry ✅ ok 🧨".repeat(20)),
            ("sql", "SELECT o.id, o.total FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.region = 'eu' AND o.state IN ('open','held')\n".repeat(10)),
            ("url", "https://app.datadoghq.com/logs?query=service%3Acheckout%20status%3Aerror&from_ts=1763784000000&to_ts=1763784900000&live=false\n".repeat(10)),
            ("capitals", "ERROR WARN FATAL TIMEOUT CONNECTION_REFUSED ECONNRESET SQLSTATE HTTP GET POST\n".repeat(20)),
        ] {
            let (real, ours) = (real(&text), estimate(&text));
            let ratio = ours as f64 / real as f64;
            println!("{name:10} {real:6} {ours:6} {ratio:.3}");
            if !(0.95..=1.5).contains(&ratio) {
                wrong.push(format!("{name}: {ours} estimated, {real} real"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    proptest! {
        #[test]
        fn a_prefix_fits_and_is_not_wasteful(text in "(?s)[\\PC\n]{0,400}", tokens in 0usize..200) {
            let cut = prefix(&text, tokens);
            prop_assert!(estimate(cut) <= tokens);
            prop_assert!(text.starts_with(cut));
            if cut.len() < text.len() {
                prop_assert!(estimate(cut) + 60 >= tokens.min(estimate(&text)) / 2);
            }
        }
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!((estimate(""), estimate("a"), prefix("abc", 0)), (0, 1, ""));
    }
}
