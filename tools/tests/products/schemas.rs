//! What these tools cost a client's context window, as they are listed.

use crate::upstream::toolbox;
use datadog_client::{Configuration, Secret};
use serde_json::json;

const MINE: [&str; 12] = [
    "dashboards_search",
    "errors_search",
    "hosts_search",
    "incident_get",
    "incidents_search",
    "metric_describe",
    "metrics_query",
    "metrics_search",
    "monitor_get",
    "monitors_search",
    "services_search",
    "trace_get",
];

#[test]
fn each_tool_is_small_closed_and_knows_its_operations() {
    let toolbox = toolbox(
        "http://127.0.0.1:9",
        Configuration { bearer: Some(Secret::new("fake-token-schemas".to_owned())), ..Configuration::default() },
    );
    for name in MINE {
        let tool = toolbox.registry().listed_tool(name).unwrap_or_else(|| panic!("{name} is listed"));
        let listed = json!({"name": tool.name, "description": tool.description, "inputSchema": tool.input_schema}).to_string();
        let tokens = tiktoken_rs::o200k_base_singleton().encode_ordinary(&listed).len();
        if std::env::var_os("SHOW_ANSWERS").is_some() {
            println!("{tokens:>5} {name}");
        }
        assert!(tokens <= 405, "{name}: {tokens} tokens");
        assert_eq!(tool.input_schema["additionalProperties"], json!(false), "{name}");
        for (argument, schema) in tool.input_schema["properties"].as_object().unwrap() {
            assert!(schema.get("description").is_some_and(|text| !text.as_str().unwrap().is_empty()), "{name}.{argument}");
        }
        assert!(!tool.operations.is_empty(), "{name}");
    }
}
