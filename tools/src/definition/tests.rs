#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const GOOD: &str = r#"
toolset = "team"

[[tool]]
name = "checkout_errors"
title = "Errors of checkout"
description = "Error logs of one service, e.g. after a deploy."
effect = "read"
operation = "v2.ListLogs"
columns = ["timestamp", { path = "message", form = "plain" }]

[tool.arguments.service]
type = "string"
description = "Service, e.g. checkout"
default = "checkout"

[tool.time]
from = "body.filter.from"
to = "body.filter.to"
unit = "iso"
default = "15m"

[tool.fixed]
"body.filter.query" = "service:{service} status:error"
"#;

#[test]
fn a_saved_log_query_becomes_a_tool() {
    let tools = read("team.toml", GOOD).unwrap();
    let schema = serde_json::Value::Object((*tools[0].input_schema).clone());
    assert_eq!(tools[0].toolset, "team");
    for argument in ["service", "from", "to", "fields", "cursor", "max_tokens", "detail"] {
        assert!(schema["properties"].get(argument).is_some(), "{argument}: {schema}");
    }
}

#[test]
fn a_bad_file_is_refused_with_file_line_and_reason() {
    for (from, to, line, reason) in [
        ("effect = \"read\"", "effect = \"reed\"", 8, "unknown variant `reed`"),
        ("operation = \"v2.ListLogs\"", "operation = \"v2.ListLog\"", 4, "did you mean `v2.ListLogs"),
        ("\"body.filter.query\"", "\"query.nothing\"", 4, "has no parameter `nothing`"),
        ("service:{service}", "service:x", 4, "the argument `service` goes nowhere"),
        ("[tool.arguments.service]", "[tool.arguments.cursor]", 4, "taken by the server"),
        ("name = \"checkout_errors\"", "name = \"Checkout Errors\"", 4, "must be 1 to 64"),
        ("title = \"Errors of checkout\"", "titel = \"x\"", 4, "titel"),
        ("operation = \"v2.ListLogs\"", "operation = \"v1.DeleteMonitor\"", 4, "effect cannot be"),
        ("operation = \"v2.ListLogs\"", "operation = \"v2.GetAPIKey\"", 4, "key material"),
        ("default = \"15m\"", "default = \"nonsense\"", 4, "time.default"),
        ("default = \"checkout\"", "default = [\"a\", \"b\"]", 4, "its default must be a string"),
        ("status:error", "status:{level}", 4, "{level} is no argument"),
        ("[tool.arguments.service]", "[tool.arguments.\"a b\"]", 4, "made of a-z"),
        ("title = \"Errors of checkout\"", "title = \"\"", 4, "must say something"),
        ("toolset = \"team\"", "toolset = \"all\"", 4, "cannot be `all`"),
        ("name = \"checkout_errors\"", "name = \"search_logs\"", 4, "is an old name of `logs_search`"),
    ] {
        let error = read("team.toml", &GOOD.replace(from, to)).unwrap_err().to_string();
        assert!(error.starts_with("team.toml:"), "{error}");
        assert!(error.contains(reason), "{reason}: {error}");
        let at: usize = error.split(':').nth(1).unwrap().parse().unwrap();
        assert!((line..line + 4).contains(&at), "{at} for {reason}: {error}");
    }
}

#[test]
fn a_file_without_a_tool_is_refused() {
    assert!(read("team.toml", "toolset = \"team\"").unwrap_err().to_string().contains("defines no tool"));
}

#[test]
fn the_built_in_definitions_are_good() {
    built_in().unwrap();
}
