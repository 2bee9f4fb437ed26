//! Unique fake secrets in every place a credential can stand, and none of them anywhere else: log, answers, errors, `Debug`.

use super::{
    PROGRAM,
    process::{KEYS, Org, Server, bare, run},
};
use datadog_mcp::config::{Config, Layers, Variables};
use datadog_sandbox::{Fault, FaultRule};
use serde_json::{Value, json};
use std::os::unix::ffi::OsStringExt as _;

/// Part of every canary; what is searched for.
const MARK: &str = "c4n4ry";

fn canary(place: &str) -> String {
    format!("fake-{place}-{MARK}-0123456789")
}

fn assert_clean(text: &str, place: &str) {
    let at = text.find(MARK);
    assert!(at.is_none(), "{place} shows a secret: {}", &text[at.unwrap().saturating_sub(200)..at.unwrap() + 40]);
}

/// Calls that succeed, are refused, and break, at the highest log level.
async fn exercise(org: &Org, variables: &[(&str, &str)]) {
    let mut command = org.command(PROGRAM, &["--timeout=2s", "--allow-writes"], variables);
    command.env("RUST_LOG", "trace,rmcp=trace");
    let mut server = Server::start(command);
    server.initialize("2025-11-25").await;
    server.ask("tools/list", json!({})).await;
    let calls = [
        ("auth_status", json!({})),
        ("logs_search", json!({"query": "status:error", "limit": 2})),
        ("dbm_samples_search", json!({})),
        ("monitor_get", json!({"monitor_id": 1})),
        ("tools_call_read", json!({"name": "v2.GetCurrentUser", "arguments": {}})),
        (
            "tools_call_write",
            json!({"name": "v1.CreateMonitor", "arguments": {"body": {"type": "metric alert", "query": "avg(last_5m):avg:a{*} > 1"}}}),
        ),
        ("logs_search", json!({"nope": 1})),
    ];
    let faults = [
        None,
        Some(Fault::Status { status: 401, body: Some(json!({"errors": ["Unauthorized"]})) }),
        Some(Fault::Status { status: 403, body: Some(json!({"errors": ["Forbidden"]})) }),
        Some(Fault::Status { status: 500, body: None }),
        Some(Fault::Reset { after_bytes: 0 }),
        Some(Fault::Html { status: None }),
        Some(Fault::Redirect { location: "http://127.0.0.1:9/elsewhere".to_owned(), status: None }),
        Some(Fault::Delay { ms: 5_000 }),
    ];
    for fault in faults {
        org.sandbox.clear_faults();
        let slow = matches!(fault, Some(Fault::Delay { .. }));
        if let Some(fault) = fault {
            org.sandbox.add_fault(serde_json::from_value::<FaultRule>(json!({"fault": fault})).unwrap());
        }
        let answers = server.call_together(&calls[..if slow { 1 } else { calls.len() }]).await;
        assert!(answers.iter().all(|answer| answer["isError"].is_boolean()));
    }
    org.sandbox.clear_faults();
    let end = server.close().await;
    assert!(end.log.len() > 10_000, "the log is really at trace level");
    assert_clean(&end.log, "the log");
    assert_clean(&end.output, "an answer");
}

#[tokio::test]
async fn wrong_keys_show_up_nowhere() {
    let org = Org::start().await;
    exercise(&org, &[("DD_API_KEY", &canary("api")), ("DD_APP_KEY", &canary("app"))]).await;
}

#[tokio::test]
async fn a_wrong_token_shows_up_nowhere() {
    let org = Org::start().await;
    exercise(&org, &[("DD_ACCESS_TOKEN", &canary("access"))]).await;
}

#[tokio::test]
async fn wrong_keys_with_a_wrong_token_show_up_nowhere() {
    let org = Org::start().await;
    let (api, app, bearer) = (canary("api"), canary("app"), canary("bearer"));
    exercise(&org, &[("DD_API_KEY", &api), ("DD_APPLICATION_KEY", &app), ("DD_BEARER_TOKEN", &bearer)]).await;
}

#[tokio::test]
async fn good_keys_show_up_nowhere() {
    let org = Org::start().await;
    let mut command = org.command(PROGRAM, &["--timeout=2s"], KEYS);
    command.env("RUST_LOG", "trace");
    let mut server = Server::start(command);
    server.initialize("2025-11-25").await;
    for tool in ["auth_status", "logs_search", "hosts_search", "dbm_samples_search"] {
        server.call(tool, json!({})).await;
    }
    let end = server.close().await;
    for (_, key) in KEYS {
        assert!(!end.log.contains(key) && !end.output.contains(key), "{key}");
    }
}

#[tokio::test]
async fn malformed_ones_are_refused_without_being_shown() {
    let org = Org::start().await;
    for (name, value) in [
        ("DD_API_KEY", format!("{}\nHost: evil", canary("api"))),
        ("DD_APP_KEY", format!("{} with blanks", canary("app"))),
        ("DD_APPLICATION_KEY", format!("{}é", canary("app"))),
        ("DD_BEARER_TOKEN", format!("Bearer {}", canary("bearer"))),
        ("DD_ACCESS_TOKEN", format!("{}\u{7f}", canary("access"))),
        ("DATADOG_MCP_PROXY", format!("ht tp://user:{}@proxy:1", canary("proxy"))),
        ("DATADOG_MCP_PROXY", format!("http://user:{}@127.0.0.1:9", canary("proxy"))),
        ("HTTPS_PROXY", format!("http://user:{}@127.0.0.1:9", canary("proxy"))),
    ] {
        let mut arguments = vec!["call", "logs_search", "{}", "--timeout=3s"];
        if name == "HTTPS_PROXY" {
            arguments.push("--proxy-from-env");
        }
        let mut variables: Vec<(&str, &str)> =
            if name.contains("PROXY") { KEYS.to_vec() } else { vec![("DD_API_KEY", "fake-api-key-sandbox")] };
        variables.retain(|(set, _)| *set != name);
        variables.extend([(name, value.as_str()), ("RUST_LOG", "trace")]);
        for arguments in [arguments.clone(), vec!["doctor", "--json"], vec!["--help"]] {
            let printed = run(org.command(PROGRAM, &arguments, &variables), "").await;
            assert_clean(&printed.out, name);
            assert_clean(&printed.err, name);
            if !name.contains("PROXY") && arguments[0] == "call" {
                assert_eq!(printed.code, 2, "{name}: {}", printed.err);
                let asked = if name.starts_with("DD_APP") { "DD_APP" } else { name };
                assert!(printed.err.contains(asked), "{name} is named: {}", printed.err);
            }
        }
    }
    let mut command = bare(PROGRAM, &["doctor"]);
    command.env("DD_API_KEY", std::ffi::OsString::from_vec([canary("api").as_bytes(), b"\xff"].concat()));
    let printed = run(command, "").await;
    assert_eq!(printed.code, 2);
    assert_clean(&printed.err, "a key that is not UTF-8");
}

#[tokio::test]
async fn a_credentials_file_is_read_and_never_quoted() {
    let org = Org::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    let path = file.to_str().unwrap();
    for (content, code) in [
        ("# keys\nexport DD_API_KEY=\"fake-api-key-sandbox\"\nDD_APP_KEY = fake-app-key-sandbox\n".to_owned(), 0),
        (format!("DD_API_KEY={}\nDD_APP_KEY={}\n", canary("api"), canary("app")), 1),
        (format!("DD_API_KEY {}\n", canary("api")), 2),
        (format!("{}=x\n", canary("name")), 2),
        (format!("DD_API_KEY='{} x'\n", canary("api")), 2),
    ] {
        fs_err::write(&file, &content).unwrap();
        let printed = run(org.command(PROGRAM, &["--credentials-file", path, "call", "hosts_search"], &[("RUST_LOG", "trace")]), "").await;
        assert_eq!(printed.code, code, "{content}\n{}{}", printed.out, printed.err);
        assert_clean(&printed.out, "output");
        assert_clean(&printed.err, "error");
    }
}

#[test]
fn debug_output_shows_nothing() {
    let pairs = [
        ("DD_API_KEY", canary("api")),
        ("DD_APP_KEY", canary("app")),
        ("DD_BEARER_TOKEN", canary("bearer")),
        ("DATADOG_MCP_PROXY", format!("http://user:{}@proxy:1", canary("proxy"))),
        ("XDG_CONFIG_HOME", "/nonexistent".to_owned()),
    ];
    let variables = Variables::from_pairs(pairs);
    let layers = Layers::read(&["datadog-mcp".into()], &variables).unwrap();
    let config = Config::new(&layers, &variables).unwrap();
    for text in [format!("{variables:?}"), format!("{layers:?}"), format!("{layers:#?}"), format!("{config:?}"), format!("{config:#?}")] {
        assert_clean(&text, "Debug");
        assert!(!text.contains(&format!("{:?}", config.answers.seal_key)), "the seal key");
    }
}

#[tokio::test]
async fn what_a_sandbox_received_holds_no_value() {
    let org = Org::start().await;
    let mut server = org.server(&[]);
    server.initialize("2025-11-25").await;
    server.call("hosts_search", json!({})).await;
    server.close().await;
    let journal: Value = serde_json::to_value(org.sandbox.journal()).unwrap();
    assert!(journal["requests"].as_array().unwrap().iter().any(|request| request["credential"] == "keys"));
    assert!(!journal.to_string().contains("fake-api-key"));
}
