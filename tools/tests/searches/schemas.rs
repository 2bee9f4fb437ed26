//! The surface of these tools: small, described, and naming operations that exist.

use datadog_tools::{Registry, Selection};
use serde_json::json;

const TOOLS: [&str; 8] = [
    "dbm_plans_search",
    "dbm_samples_search",
    "events_search",
    "logs_aggregate",
    "logs_search",
    "rum_events_search",
    "spans_aggregate",
    "spans_search",
];

#[test]
fn each_is_small_and_described() {
    let registry = Registry::build(Selection::default(), None).unwrap();
    let o200k = tiktoken_rs::o200k_base_singleton();
    for name in TOOLS {
        let tool = registry.listed_tool(name).unwrap_or_else(|| panic!("{name} is not in core"));
        assert_eq!(tool.toolset, "core");
        assert!(!tool.operations.is_empty(), "{name} has no operation in the catalogue");
        let listed =
            json!({"name": tool.name, "title": tool.title, "description": tool.description, "inputSchema": tool.input_schema}).to_string();
        let tokens = o200k.encode_ordinary(&listed).len();
        assert!(tokens <= 450, "{name}: {tokens} tokens");
        for (property, of) in tool.input_schema["properties"].as_object().unwrap() {
            let words =
                of["description"].as_str().unwrap_or_else(|| panic!("{name}.{property} is not described")).split_whitespace().count();
            assert!((2..=14).contains(&words), "{name}.{property}: {words} words");
        }
        println!("{name} {tokens}");
    }
}
