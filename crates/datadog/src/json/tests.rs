#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use serde_json::json;

fn nested(depth: usize) -> String {
    format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn empty_is_null_and_a_byte_order_mark_is_nothing() {
    assert_eq!(parse(b""), Ok(Value::Null));
    assert_eq!(parse(b" \r\n"), Ok(Value::Null));
    assert_eq!(parse(b"\xef\xbb\xbf{}"), Ok(json!({})));
}

#[test]
fn what_is_wrong_is_told_apart() {
    assert_eq!(parse(br#"{"a": [1, 2"#), Err(JsonError::Cut(11)));
    assert!(matches!(parse(b"<html>"), Err(JsonError::Malformed { line: 1, .. })));
    assert!(matches!(parse(b"{} trailing"), Err(JsonError::Malformed { .. })));
    assert_eq!(parse(b"{\"a\":\"\xff\"}"), Err(JsonError::NotUtf8(6)));
    assert!(matches!(parse(b"1e400"), Err(JsonError::Malformed { .. })));
    assert!(matches!(parse(b"NaN"), Err(JsonError::Malformed { .. })));
}

#[test]
fn deep_but_bounded_text_is_read_and_deeper_text_is_refused() {
    for depth in [1, 127, 128, 129, DEEPEST] {
        assert!(parse(nested(depth).as_bytes()).is_ok(), "{depth}");
    }
    assert_eq!(parse(nested(DEEPEST + 1).as_bytes()), Err(JsonError::TooDeep));
    assert_eq!(parse(nested(10_000).as_bytes()), Err(JsonError::TooDeep));
    assert_eq!(parse("[".repeat(1_000_000).as_bytes()), Err(JsonError::TooDeep));
    // Brackets in a string do not nest, and a broken deep text is still told as broken.
    let brackets = json!({ "text": format!("\\\"{}", "[{".repeat(2000)) }).to_string();
    assert!(parse(brackets.as_bytes()).is_ok());
    assert!(matches!(parse(format!("{}x", "[".repeat(300)).as_bytes()), Err(JsonError::Malformed { .. })));
}

#[test]
fn the_deepest_text_fits_a_small_stack() {
    // Workers of the runtime have 2 MiB; reading, printing, comparing and dropping must stay far below.
    let objects = format!("{}1{}", r#"{"children":["#.repeat(DEEPEST / 2), "]}".repeat(DEEPEST / 2));
    let worker = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
        let value = parse(objects.as_bytes()).unwrap();
        assert_eq!(value.clone(), value);
        value.to_string().len()
    });
    assert!(worker.unwrap().join().unwrap() > DEEPEST);
}

#[test]
fn large_numbers_stay_exact_and_duplicate_keys_do_not_fail() {
    assert_eq!(parse(b"[18446744073709551615,-9223372036854775808]"), Ok(json!([u64::MAX, i64::MIN])));
    assert_eq!(parse(br#"{"a":1,"a":2}"#), Ok(json!({"a": 2})));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        drop(parse(&bytes));
    }
}
