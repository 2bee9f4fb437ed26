use super::*;
use proptest::prelude::*;

const ESCAPE: char = '\u{1b}';

#[test]
fn plain_text_is_borrowed() {
    for text in ["", "plain", "two\nlines\tand a tab", "Grüße 東京 🚀 e\u{301}"] {
        assert!(matches!(clean(text), Cow::Borrowed(same) if same == text), "{text:?}");
    }
}

#[test]
fn what_a_reader_cannot_see_is_removed() {
    let cases = [
        ("a\u{0}b\u{7}c\u{7f}d", "abcd"),
        ("one\r\ntwo\rthree", "one\ntwothree"),
        ("c1 \u{85}\u{9c}here", "c1 here"),
        ("\u{1b}[31mred\u{1b}[0m", "red"),
        ("\u{9b}1;31mred", "red"),
        ("\u{1b}]0;title\u{7}text", "text"),
        ("\u{1b}]8;;http://evil.test\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
        ("\u{1b}(Bcharset", "charset"),
        ("\u{1b}cfull reset", "full reset"),
        ("ends with \u{1b}", "ends with "),
        // Not closed on its line: only the introducer goes, the text stays.
        ("\u{1b}]never closed\nnext line", "never closed\nnext line"),
        ("admin\u{202e}gnp.exe", "admingnp.exe"),
        ("pay\u{200b}load\u{feff}", "payload"),
        ("a\u{2066}b\u{2069}c", "abc"),
        ("tag\u{e0041}\u{e0042}\u{e007f}ged", "tagged"),
        ("vs\u{e0100}", "vs"),
        ("soft\u{ad}hyphen", "softhyphen"),
    ];
    for (dirty, want) in cases {
        assert_eq!(clean(dirty), want, "{dirty:?}");
    }
}

#[test]
fn a_text_full_of_introducers_is_read_once() {
    let text = "\u{9d}aaaa".repeat(200_000);
    assert_eq!(clean(&text).len(), 800_000);
}

#[test]
fn a_cut_says_how_much_is_missing() {
    assert_eq!(cap("short", 5), "short");
    assert_eq!(cap("üüüü", 4), "üüüü");
    assert_eq!(cap("üüüüü", 4), "üüüü… [1 more characters]");
    assert_eq!(cap("abc", 0), "… [3 more characters]");
}

#[test]
fn a_foreign_value_stays_on_one_line() {
    assert_eq!(shown("a\nb\tc\u{1b}[2J", 80), "a b c");
    assert!(shown(&"x".repeat(5000), 10).starts_with("xxxxxxxxxx…"));
}

proptest! {
    #[test]
    fn cleaning_is_idempotent_and_leaves_nothing_hidden(text in any::<String>()) {
        let once = clean(&text).into_owned();
        prop_assert!(matches!(clean(&once), Cow::Borrowed(_)));
        prop_assert!(!once.chars().any(is_hidden));
        prop_assert!(once.len() <= text.len());
    }

    #[test]
    fn cleaning_escapes_is_idempotent(text in "[\u{1b}\u{9b}\u{9d}\u{7}\\[\\];0-9mab\\\\\n\u{200b}]{0,60}") {
        let once = clean(&text).into_owned();
        prop_assert_eq!(clean(&once).into_owned(), once.clone());
        prop_assert!(!once.contains(ESCAPE));
    }

    #[test]
    fn every_character_is_kept_or_counted(text in any::<String>(), max in 0_usize..40) {
        let cut = cap(&text, max);
        let total = text.chars().count();
        if total <= max {
            prop_assert_eq!(cut.as_ref(), text.as_str());
        } else {
            let kept: String = text.chars().take(max).collect();
            let suffix = format!("… [{} more characters]", total - max);
            prop_assert_eq!(cut.into_owned(), format!("{}{}", kept, suffix));
        }
    }
}
