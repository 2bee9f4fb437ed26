//! The command line: where values come from, what is printed where, exit codes.

use super::{
    PROGRAM,
    process::{KEYS, Org, bare, run},
};
use serde_json::{Value, json};
use tokio::process::Command;

fn doctor(settings: &Value, name: &str) -> (String, String) {
    let found = settings["settings"].as_array().unwrap().iter().find(|setting| setting["name"] == name);
    let text = |field: &str| found.map(|setting| setting[field].as_str().unwrap().to_owned()).unwrap_or_default();
    (text("value"), text("source"))
}

async fn report(command: Command) -> Value {
    let printed = run(command, "").await;
    serde_json::from_str(&printed.out).unwrap_or_else(|_| panic!("{}{}", printed.out, printed.err))
}

#[tokio::test]
async fn options_win_over_variables_and_variables_over_the_file() {
    let org = Org::start().await;
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir(folder.path().join("datadog-mcp")).unwrap();
    let file = folder.path().join("datadog-mcp/config.toml");
    fs_err::write(
        &file,
        "max-tokens = 9000\nanswer-tokens = 500\ntoolsets = [\"core\", \"all\"]\nallow-writes = true\norg = \"from-file\"\n",
    )
    .unwrap();
    let command = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = org.command(PROGRAM, arguments, KEYS);
        command.env("XDG_CONFIG_HOME", folder.path()).envs(variables.iter().copied());
        command
    };
    let path = file.to_str().unwrap();
    let said = report(command(&["doctor", "--json"], &[])).await;
    assert_eq!(doctor(&said, "max-tokens"), ("9000".into(), path.into()));
    assert_eq!(doctor(&said, "toolsets"), ("core,all".into(), path.into()));
    assert_eq!(doctor(&said, "allow-writes"), ("writes are offered".into(), path.into()));

    let variables = [("DATADOG_MCP_MAX_TOKENS", "8000"), ("DD_ORG", "from-variable"), ("DATADOG_MCP_ANSWER_TOKENS", "")];
    let said = report(command(&["doctor", "--json"], &variables)).await;
    assert_eq!(doctor(&said, "max-tokens"), ("8000".into(), "DATADOG_MCP_MAX_TOKENS".into()));
    assert_eq!(doctor(&said, "org"), ("from-variable".into(), "DD_ORG".into()));
    assert_eq!(doctor(&said, "answer-tokens"), ("500".into(), path.into()), "an empty variable is not set");

    // Before and after the subcommand.
    for arguments in [
        ["--max-tokens=7000", "--allow-writes=false", "doctor", "--json"],
        ["doctor", "--json", "--max-tokens=7000", "--allow-writes=false"],
    ] {
        let said = report(command(&arguments, &variables)).await;
        assert_eq!(doctor(&said, "max-tokens"), ("7000".into(), "command line".into()));
        assert_eq!(doctor(&said, "allow-writes"), ("read-only".into(), "command line".into()));
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    for (content, wanted) in [
        ("max-token = 5", "unknown key `max-token`; did you mean max-tokens?"),
        ("max_tokens = 5000", "unknown key `max_tokens`; did you mean max-tokens?"),
        ("max-tokens = \"many\"", "key `max-tokens`"),
        ("timeout = \"1h\"", "is not a time"),
        ("log-format = \"xml\"", "key `log-format`"),
        ("[site]\nname = 1", "`site` must be text"),
        ("site = \"a\"\n\nnot toml", "line 3"),
        ("site = \"evil.example\"", "--site"),
        ("config = \"x\"", "unknown key `config`"),
    ] {
        fs_err::write(&file, content).unwrap();
        let printed = run(bare(PROGRAM, &["--config", file.to_str().unwrap(), "tools", "list"]), "").await;
        assert_eq!(printed.code, 2, "{content}: {}", printed.err);
        assert!(printed.err.contains(wanted), "{content}: {}", printed.err);
        assert!(printed.out.is_empty());
    }
    for (name, value, wanted) in [
        ("DATADOG_MCP_READONLY", "true", "did you mean DATADOG_MCP_READ_ONLY?"),
        ("DATADOG_MCP_MAX_TOKENS", "x", "the variable DATADOG_MCP_MAX_TOKENS"),
        ("DD_SITE", "http://127.0.0.1:1", "--trust-site"),
        ("DATADOG_MCP_CONFIG", "/nonexistent/c.toml", "/nonexistent/c.toml"),
        ("SSL_CERT_FILE", "/nonexistent/ca.pem", "SSL_CERT_FILE"),
        ("DD_APP_KEY", "fake-app-key-alone", "DD_API_KEY"),
    ] {
        let mut command = bare(PROGRAM, &["call", "logs_search"]);
        command.env(name, value);
        let printed = run(command, "").await;
        assert_eq!(printed.code, 2, "{name}: {}", printed.err);
        assert!(printed.err.contains(wanted), "{name}: {}", printed.err);
    }
    for arguments in [
        &["--nope"][..],
        &["tools", "show", "nope"],
        &["call", "nope"],
        &["call", "logs_search", "[1]"],
        &["call", "logs_search", "@/nonexistent"],
    ] {
        let printed = run(bare(PROGRAM, arguments), "").await;
        assert_eq!((printed.code, printed.out.as_str()), (2, ""), "{arguments:?}: {}", printed.err);
    }
}

#[tokio::test]
async fn calls_take_arguments_from_anywhere_and_tell_refusals_by_their_exit_code() {
    let org = Org::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("arguments.json");
    fs_err::write(&file, r#"{"query": "service:checkout", "limit": 2}"#).unwrap();
    let at = format!("@{}", file.display());
    for (given, input) in
        [(r#"{"query": "service:checkout", "limit": 2}"#, ""), ("-", r#"{"query": "service:checkout", "limit": 2}"#), (at.as_str(), "")]
    {
        let printed = run(org.command(PROGRAM, &["call", "logs_search", given], KEYS), input).await;
        assert_eq!(printed.code, 0, "{}", printed.err);
        assert!(printed.out.contains("checkout") && printed.err.is_empty(), "{}{}", printed.out, printed.err);
    }
    let printed = run(org.command(PROGRAM, &["call", "logs_search", "--output=json", r#"{"limit": 2}"#], KEYS), "").await;
    assert_eq!(printed.code, 0);
    let rows: Value = serde_json::from_str(&printed.out).unwrap_or_else(|error| panic!("{error}: {}", printed.out));
    assert!(rows.is_object() || rows.is_array());

    let printed = run(org.command(PROGRAM, &["call", "logs_search", r#"{"qery": 1}"#], KEYS), "").await;
    assert!(printed.code == 1 && printed.out.contains("invalid_arguments") && printed.err.is_empty(), "{}", printed.err);
    let printed = run(org.command(PROGRAM, &["call", "logs_search", "--output=json", r#"{"qery": 1}"#], KEYS), "").await;
    let refusal: Value = serde_json::from_str(&printed.out).unwrap();
    assert_eq!((printed.code, &refusal["error"]["kind"]), (1, &json!("invalid_arguments")));
}

#[tokio::test]
async fn a_cursor_goes_on_in_the_next_process() {
    let org = Org::start().await;
    let first = run(org.command(PROGRAM, &["call", "logs_search", r#"{"query": "service:checkout", "limit": 5}"#], KEYS), "").await;
    let cursor = first.out.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).max_by_key(|word| word.len()).unwrap();
    assert!(cursor.len() > 60, "no cursor in {}", first.out);
    let arguments = json!({"query": "service:checkout", "limit": 5, "cursor": cursor}).to_string();
    let second = run(org.command(PROGRAM, &["call", "logs_search", &arguments], KEYS), "").await;
    assert_eq!(second.code, 0, "{}", second.out);
    assert_ne!(second.out, first.out);
    // Another identity cannot use it.
    let other = run(org.command(PROGRAM, &["call", "logs_search", &arguments], &[("DD_BEARER_TOKEN", "fake-token-admin")]), "").await;
    assert_eq!(other.code, 1, "{}", other.out);
}

#[tokio::test]
async fn doctor_tells_good_from_bad() {
    let org = Org::start().await;
    let printed = run(org.command(PROGRAM, &["doctor"], KEYS), "").await;
    assert_eq!(printed.code, 0, "{}{}", printed.out, printed.err);
    assert!(printed.out.contains("✓ credential") && !printed.out.contains('\u{1b}'));
    for (variables, wanted) in [
        (&[("DD_BEARER_TOKEN", "fake-token-expired")][..], "✗ credential"),
        (&[("DD_API_KEY", "fake-wrong"), ("DD_APP_KEY", "fake-wrong")], "✗ credential"),
        (&[], "✗ credential"),
    ] {
        let printed = run(org.command(PROGRAM, &["doctor"], variables), "").await;
        assert!(printed.code == 1 && printed.out.contains(wanted), "{variables:?}: {}{}", printed.out, printed.err);
    }
    let printed = run(org.command(PROGRAM, &["doctor"], &[("DD_BEARER_TOKEN", "fake-token-viewer")]), "").await;
    assert!(printed.code == 0 && printed.out.contains("! reach") && printed.out.contains("incidents_search"), "{}", printed.out);
    let mut command = bare(PROGRAM, &["doctor", "--site=http://127.0.0.1:9", "--trust-site"]);
    command.envs(KEYS.iter().copied());
    let printed = run(command, "").await;
    assert!(printed.code == 1 && printed.out.contains("✗ site"), "{}", printed.out);
}

#[tokio::test]
async fn tools_are_listed_shown_and_found_without_a_credential() {
    for (arguments, wanted) in [
        (&["tools", "list"][..], "logs_search"),
        (&["tools", "list", "--all"], "withheld: read-only"),
        (&["tools", "list", "--json"], "\"inputSchema\""),
        (&["tools", "show", "search_logs"], "v2.ListLogs"),
        (&["tools", "find", "downtime"], "Downtime"),
        (&["completions", "bash"], "complete -F _datadog__mcp"),
        (&["completions", "zsh"], "#compdef"),
        (&["--help"], "Exit codes:"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
    ] {
        let printed = run(bare(PROGRAM, arguments), "").await;
        assert_eq!(printed.code, 0, "{arguments:?}: {}", printed.err);
        assert!(printed.out.contains(wanted), "{arguments:?}: {}", printed.out);
    }
}

#[tokio::test]
async fn the_sandbox_says_how_to_reach_it_and_takes_loopback_only() {
    let printed = run(bare(PROGRAM, &["sandbox", "--listen=0.0.0.0:0"]), "").await;
    assert!(printed.code == 2 && printed.err.contains("loopback"), "{}", printed.err);
    let mut child = bare(PROGRAM, &["sandbox", "--listen=127.0.0.1:0"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut out = tokio::io::BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("Ctrl-C") {
        assert!(tokio::io::AsyncBufReadExt::read_line(&mut out, &mut said).await.unwrap() > 0, "{said}");
    }
    let base = said.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:")).unwrap().trim_end_matches('.');
    assert!(said.contains("DD_API_KEY=fake-api-key-sandbox") && said.contains("fake-token-no-dbm"));
    let mut command = bare(PROGRAM, &["call", "auth_status", "--trust-site", "--site", base]);
    command.envs(KEYS.iter().copied());
    assert_eq!(run(command, "").await.code, 0);
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    assert!(tokio::time::timeout(super::process::PATIENCE, child.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn the_tool_that_the_readme_defines_works() {
    let org = Org::start().await;
    let readme = include_str!("../../README.md");
    let definition = readme.split("```toml\ntoolset").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("team.toml"), format!("toolset{definition}")).unwrap();
    let dir = format!("--tools-dir={}", folder.path().display());
    let printed = run(org.command(PROGRAM, &[&dir, "call", "checkout_errors", r#"{"from": "30m"}"#], KEYS), "").await;
    let lines: Vec<&str> = printed.out.lines().collect();
    assert!(lines[0].contains(" logs"), "{}", printed.out);
    // The columns it names hold something: a message in every row.
    assert!(lines.iter().any(|line| line.starts_with("timestamp(") && line.ends_with("\tmessage")), "{}", printed.out);
    assert!(lines.iter().any(|line| line.contains("statement timeout")), "{}", printed.out);
}
