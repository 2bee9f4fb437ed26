//! How many tokens a text is, and what the plainest renderings of a log search take.

use serde_json::Value;
use std::collections::HashMap;

/// Tokens of `o200k_base`, which stands for what models count.
#[must_use]
pub fn count(text: &str) -> usize {
    tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len()
}

/// A line an event: time, status, service and message, nothing else.
#[must_use]
pub fn bare_lines(events: &[Value]) -> String {
    let line = |event: &Value| {
        let of = |field: &str| event["attributes"][field].as_str().unwrap_or_default().to_owned();
        format!("{} {} {} {}\n", of("timestamp"), of("status"), of("service"), of("message"))
    };
    events.iter().map(line).collect()
}

/// A line an event: everything as `dotted.name=value`, a set of tags written once and named after.
#[must_use]
pub fn everything(events: &[Value]) -> String {
    let mut lines = Vec::new();
    let mut sets: HashMap<String, usize> = HashMap::new();
    for event in events {
        let mut event = event.clone();
        let tags = event["attributes"]["tags"].take().to_string();
        let known = sets.len();
        let set = *sets.entry(tags.clone()).or_insert(known);
        if set == known {
            lines.push(format!("tags{set}={tags}\n"));
        }
        let own = event["attributes"]["attributes"].take();
        let mut words = vec![format!("tags{set}")];
        pairs("id", &event["id"], &mut words);
        pairs("", &event["attributes"], &mut words);
        pairs("", &own, &mut words);
        lines.push(words.join(" ") + "\n");
    }
    lines.concat()
}

fn pairs(name: &str, value: &Value, words: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (field, value) in fields {
                pairs(&if name.is_empty() { field.clone() } else { format!("{name}.{field}") }, value, words);
            }
        }
        Value::String(text) => words.push(format!("{name}={text}")),
        other => words.push(format!("{name}={other}")),
    }
}

/// How many of the events' messages a text holds, whatever it did to quotes, backslashes and white space.
#[must_use]
pub fn messages_kept(events: &[Value], text: &str) -> usize {
    let bare = |text: &str| text.chars().filter(|char| !char.is_whitespace() && !matches!(char, '"' | '\\')).collect::<String>();
    let text = bare(text);
    events.iter().filter(|event| event["attributes"]["message"].as_str().is_some_and(|message| text.contains(&bare(message)))).count()
}

/// The cursor that a cut answer names: the last long word of letters, digits, `-`, `_` and `.` after the word `cursor`.
#[must_use]
pub fn cursor(text: &str) -> Option<&str> {
    let (_, after) = text.rsplit_once("cursor")?;
    let own = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.' | '=');
    after.split(|char: char| !own(char)).map(|word| word.trim_matches('.')).find(|word| word.len() >= 24)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::bodies::{Content, make};
    use crate::events::{Weight, event};
    use serde_json::json;

    fn events() -> Vec<Value> {
        (0..100).map(|at| event(at, Weight::Usual)).collect()
    }

    #[test]
    fn events_have_the_tokens_that_the_figures_name() {
        let events = events();
        let raw = count(std::str::from_utf8(&make(Content::First(100))).unwrap());
        let (bare, everything) = (count(&bare_lines(&events)), count(&everything(&events)));
        println!("raw {raw}, bare lines {bare}, everything {everything}");
        assert!((78_000..86_000).contains(&raw), "{raw}");
        assert!((5_700..6_300).contains(&bare), "{bare}");
        assert!((42_000..49_000).contains(&everything), "{everything}");
    }

    #[test]
    fn renderings_hold_every_message() {
        let events = events();
        assert_eq!(messages_kept(&events, &bare_lines(&events)), 100);
        assert_eq!(messages_kept(&events, &everything(&events)), 100);
        assert_eq!(messages_kept(&events, &bare_lines(&events[..40])), 40);
    }

    #[test]
    fn quoting_and_line_breaks_do_not_lose_a_message() {
        let events = [json!({"attributes": {"message": "said \"no\"\n\tat x"}})];
        assert_eq!(messages_kept(&events, "1,\"said \"\"no\"\" at x\""), 1);
    }

    #[test]
    fn everything_names_a_set_of_tags_once() {
        let event = json!({"id": "a", "attributes": {"tags": ["x:1"], "status": "ok", "attributes": {"n": {"deep": 1}, "none": null}}});
        let text = everything(&[event.clone(), event]);
        assert_eq!(text, "tags0=[\"x:1\"]\ntags0 id=a status=ok n.deep=1\ntags0 id=a status=ok n.deep=1\n");
    }

    #[test]
    fn cursors_are_found() {
        let sealed = "v1.QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo";
        assert_eq!(cursor(&format!("12 more; call again with cursor: \"{sealed}\".")), Some(sealed));
        assert_eq!(cursor(&format!("`cursor` = `{sealed}`")), Some(sealed));
        assert_eq!(cursor("no cursor here, nothing more"), None);
        assert_eq!(cursor("rows"), None);
    }
}
