//! Layers and values of the configuration, with a made-up environment.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use proptest::prelude::*;
use std::path::Path;

fn layers(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(Config, Layers), ConfigError> {
    let command: Vec<OsString> = std::iter::once("datadog-mcp").chain(arguments.iter().copied()).map(OsString::from).collect();
    let folder = [("XDG_CONFIG_HOME", "/nonexistent")];
    let variables = Variables::from_pairs(folder.iter().chain(variables).copied());
    let layers = Layers::read(&command, &variables)?;
    Ok((Config::new(&layers, &variables)?, layers))
}

fn config(arguments: &[&str], variables: &[(&str, &str)]) -> Config {
    layers(arguments, variables).unwrap_or_else(|error| panic!("{error}")).0
}

fn message(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    layers(arguments, variables).map(drop).unwrap_err().to_string()
}

#[test]
fn nothing_said_gives_the_defaults() {
    let config = config(&[], &[]);
    assert_eq!(config.site.name(), "datadoghq.com");
    assert_eq!(config.selection, Selection { toolsets: vec!["core".to_owned()], ..Selection::default() });
    assert_eq!((config.answers.default_tokens, config.answers.max_tokens, config.answers.mask_secrets), (4_000, 25_000, true));
    assert_eq!(config.client.max_answer_bytes, 64 << 20);
    assert!(config.credentials.is_empty() && config.client.proxy.is_none() && !config.sandbox);
    assert!(config.sources.values().all(|source| *source == Source::Default));
}

#[test]
fn datadogs_own_variables_stand_behind_ours() {
    assert_eq!(config(&[], &[("DD_SITE", "datadoghq.eu")]).site.name(), "datadoghq.eu");
    let both = [("DD_SITE", "datadoghq.eu"), ("DATADOG_MCP_SITE", "us5.datadoghq.com")];
    assert_eq!(config(&[], &both).site.name(), "us5.datadoghq.com");
    assert_eq!(config(&["--site=us3.datadoghq.com"], &both).site.name(), "us3.datadoghq.com");
    assert_eq!(config(&["tools", "list", "--site=us3.datadoghq.com"], &both).site.name(), "us3.datadoghq.com");
}

#[test]
fn read_only_wins() {
    for (arguments, writes) in [
        (&["--allow-writes"][..], true),
        (&["--allow-writes", "--read-only"], false),
        (&["--allow-writes=false"], false),
        (&["--allow-writes=yes"], true),
        (&[], false),
    ] {
        assert_eq!(config(arguments, &[]).selection.allow_writes, writes, "{arguments:?}");
    }
    let variables = [("DATADOG_MCP_ALLOW_WRITES", "1"), ("DATADOG_MCP_READ_ONLY", "on")];
    assert!(!config(&[], &variables).selection.allow_writes);
    assert!(config(&["--read-only=false"], &variables).selection.allow_writes);
}

#[test]
fn lists_are_split_wherever_they_stand() {
    let expected = vec!["core".to_owned(), "security".to_owned()];
    assert_eq!(config(&["--toolsets=core,security"], &[]).selection.toolsets, expected);
    assert_eq!(config(&[], &[("DATADOG_MCP_TOOLSETS", "core, security,")]).selection.toolsets, expected);
    let values = layers::read_file(Path::new("c.toml"), "toolsets = [\"core\", \"security\"]").unwrap();
    assert_eq!(values["toolsets"], "core,security");
}

#[test]
fn bearer_and_keys_are_found_in_their_order() {
    let credentials = |variables: &[(&str, &str)]| config(&[], variables).credentials;
    let place = |found: Option<Found>| found.map(|found| found.place).unwrap_or_default();
    assert_eq!(place(credentials(&[("DD_ACCESS_TOKEN", "fake-a"), ("DD_BEARER_TOKEN", "fake-b")]).bearer), "DD_BEARER_TOKEN");
    assert_eq!(place(credentials(&[("DD_APPLICATION_KEY", "fake-a")]).app_key), "DD_APPLICATION_KEY");
    assert_eq!(place(credentials(&[("DD_APPLICATION_KEY", "fake-a"), ("DD_APP_KEY", "fake-b")]).app_key), "DD_APP_KEY");
    assert!(credentials(&[("DD_API_KEY", ""), ("DD_APP_KEY", "  ")]).is_empty(), "empty variables are not set");
    assert_eq!(credentials(&[("DD_API_KEY", " fake-key\n")]).api_key.unwrap().secret.expose(), "fake-key");
}

#[test]
fn the_seal_key_is_the_credentials() {
    let key = |pairs: &[(&str, &str)]| config(&[], pairs).answers.seal_key;
    let keys = [("DD_API_KEY", "fake-a"), ("DD_APP_KEY", "fake-b")];
    assert_eq!(key(&keys), key(&keys));
    assert_ne!(key(&keys), key(&[("DD_API_KEY", "fake-a"), ("DD_APP_KEY", "fake-c")]));
    assert_ne!(key(&[("DD_API_KEY", "fake-ab")]), key(&[("DD_API_KEY", "fake-a"), ("DD_APP_KEY", "b")]));
    assert_ne!(key(&keys), key(&[keys[0], keys[1], ("DD_SITE", "datadoghq.eu")]));
    assert_ne!(key(&[]), key(&[]), "without credentials it is random");
}

#[test]
fn wrong_values_name_their_place() {
    assert!(message(&[], &[("DATADOG_MCP_TIMEOUT", "soon")]).contains("the variable DATADOG_MCP_TIMEOUT"));
    assert!(message(&["--answer-tokens=3000", "--max-tokens=2000"], &[]).contains("--answer-tokens 3000"));
    assert!(message(&["--site=evil.example"], &[]).contains("--site"));
    assert!(message(&[], &[("DATADOG_MCP_MAX_TOKEN", "1")]).contains("DATADOG_MCP_MAX_TOKENS?"));
    assert!(message(&["--max-tokens=1"], &[]).contains("--max-tokens"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_file_is_read_or_refused(text in "[a-z=\\-\\[\\]\"0-9\n #.]{0,80}") {
        if let Err(error) = layers::read_file(Path::new("c.toml"), &text) {
            prop_assert!(error.to_string().starts_with("c.toml"));
        }
    }

    #[test]
    fn a_number_in_range_survives_every_layer(tokens in 4_000_u32..=200_000) {
        let text = tokens.to_string();
        let flag = format!("--max-tokens={tokens}");
        prop_assert_eq!(config(&[&flag], &[]).answers.max_tokens, tokens as usize);
        prop_assert_eq!(config(&[], &[("DATADOG_MCP_MAX_TOKENS", &text)]).answers.max_tokens, tokens as usize);
        let file = layers::read_file(Path::new("c.toml"), &format!("max-tokens = {tokens}")).unwrap();
        prop_assert_eq!(&file["max_tokens"], &text);
    }
}
