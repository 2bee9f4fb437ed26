//! What must hold for every entry of the tables.

#![allow(clippy::unwrap_used)]

use datadog_catalogue::{
    Auth, Effect, Host, Kind, Method, OAuth, Operation, ParamType, PermissionRule, Place, body_schema, operation, operations, rate,
    returns_secret,
};
use std::collections::{BTreeMap, BTreeSet};

fn by_id(id: &str) -> &'static Operation {
    operation(id).unwrap()
}

#[test]
fn the_counts_are_those_of_the_specification() {
    let official: Vec<&Operation> = operations().iter().filter(|operation| operation.official).collect();
    assert_eq!(official.len(), 1_896);
    let methods = [Method::Get, Method::Post, Method::Delete, Method::Patch, Method::Put];
    let count = |method: &Method| official.iter().filter(|operation| operation.method == *method).count();
    assert_eq!(methods.iter().map(count).collect::<Vec<_>>(), [810, 506, 269, 192, 119]);
    let kinds = [Kind::Read, Kind::ReadPost, Kind::CheckPost, Kind::JobPost, Kind::Write, Kind::Delete, Kind::ReadCreatesSnapshot];
    let count = |kind: &Kind| official.iter().filter(|operation| operation.kind == *kind).count();
    // One GET of the 809 starts a job (`starts_job` in extra.toml).
    assert_eq!(kinds.iter().map(count).collect::<Vec<_>>(), [808, 66, 24, 5, 723, 269, 1]);
    // One fewer by default and one more without, as the newest list of closed endpoints has it.
    let classes = [OAuth::Scoped, OAuth::ExplicitNoScope, OAuth::DefaultNoScope, OAuth::No];
    let count = |class: &OAuth| official.iter().filter(|operation| operation.oauth == *class).count();
    assert_eq!(classes.iter().map(count).sum::<usize>(), 1_896);
    assert_eq!((count(&OAuth::Scoped), count(&OAuth::No)), (833, 23));
    assert_eq!(official.iter().map(|operation| operation.params.len()).sum::<usize>(), 2_839);
}

#[test]
fn ids_are_unique_and_sorted_and_say_what_they_are() {
    assert!(operations().is_sorted_by(|a, b| a.id < b.id));
    for operation in operations() {
        let version = operation.id.split_once('.').unwrap().0;
        assert!(["v1", "v2", "x"].contains(&version), "{}", operation.id);
        assert_eq!(version != "x", operation.official, "{}", operation.id);
        assert!(operation.official || operation.unstable, "{}", operation.id);
        assert!(!operation.tag.is_empty(), "{}", operation.id);
    }
}

#[test]
fn no_two_operations_share_method_and_path() {
    let mut seen = BTreeMap::new();
    for operation in operations() {
        let shape: Vec<&str> = operation.path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment }).collect();
        let before = seen.insert((operation.method.as_str(), shape), operation.id);
        assert_eq!(before, None, "{}", operation.id);
    }
}

#[test]
fn every_parameter_of_a_path_is_declared_once_and_the_other_way_round() {
    for operation in operations() {
        assert!(operation.path.starts_with('/'), "{}", operation.id);
        let mut in_path: Vec<&str> = operation.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect();
        let mut declared: Vec<&str> = operation.path_params().map(|param| param.name).collect();
        in_path.sort_unstable();
        declared.sort_unstable();
        assert_eq!(in_path, declared, "{}", operation.id);
        assert!(operation.path_params().all(|param| param.required), "{}", operation.id);
        assert_eq!(operation.path.matches('{').count(), in_path.len(), "{}: a parameter is a whole segment", operation.id);
        let names: BTreeSet<(&str, bool)> = operation.params.iter().map(|param| (param.name, param.place == Place::Header)).collect();
        assert_eq!(names.len(), operation.params.len(), "{}: a name twice", operation.id);
    }
}

#[test]
fn parameters_make_sense() {
    for operation in operations() {
        for param in operation.params {
            let what = format!("{} {}", operation.id, param.name);
            let is_list = matches!(param.kind, ParamType::TextList | ParamType::IntegerList);
            assert!(is_list || !param.explode, "{what}: only lists are exploded");
            let bounds = param.min.zip(param.max);
            assert!(bounds.is_none_or(|(min, max)| min <= max), "{what}");
            if let (ParamType::Integer, Some(default)) = (param.kind, param.default) {
                assert!(default.parse::<i64>().is_ok(), "{what}: {default}");
            }
            if let (ParamType::Boolean, Some(default)) = (param.kind, param.default) {
                assert!(["true", "false"].contains(&default), "{what}: {default}");
            }
            if let (ParamType::Text(_), Some(default), false) = (param.kind, param.default, param.values.is_empty()) {
                assert!(param.values.contains(&default), "{what}: {default}");
            }
        }
    }
}

#[test]
fn credentials_permissions_and_scopes_agree() {
    for operation in operations() {
        let id = operation.id;
        assert_eq!(operation.oauth == OAuth::No, !operation.auth.bearer, "{id}");
        assert!(operation.scopes.is_empty() || operation.oauth == OAuth::Scoped, "{id}");
        // Database Monitoring takes either of two scopes, so none is demanded of everyone.
        assert!(operation.oauth != OAuth::Scoped || !operation.scopes.is_empty() || id == "x.ListDatabaseQuerySamples", "{id}");
        if let Some(permission) = operation.permission {
            assert_eq!(permission.rule == PermissionRule::Open, permission.names.is_empty(), "{id}");
        }
    }
    let key_only = Auth { api_key: true, app_key: false, bearer: false };
    assert_eq!(by_id("v1.CreateEvent").auth, key_only);
    let both_keys = Auth { api_key: true, app_key: true, bearer: false };
    assert_eq!((by_id("v2.ValidateAPIKey").auth, by_id("v2.ValidateAPIKey").oauth), (both_keys, OAuth::No));
    let bearer = Auth { api_key: false, app_key: false, bearer: true };
    assert_eq!(by_id("x.GetKafkaTopicConfigs").auth, bearer);
}

#[test]
fn paging_names_parameters_that_exist() {
    let mut paged = 0;
    for operation in operations() {
        let Some(paging) = operation.paging else { continue };
        paged += 1;
        assert_eq!(operation.effect(), Effect::Read, "{}", operation.id);
        assert!(paging.cursor.or(paging.offset).or(paging.page).is_some(), "{}: {paging:?}", operation.id);
        assert!(paging.cursor_path.is_none() || paging.cursor.is_some(), "{}: {paging:?}", operation.id);
        for name in [paging.limit, paging.cursor, paging.offset, paging.page].into_iter().flatten() {
            let known = match name.strip_prefix("body.") {
                Some(path) => in_schema(operation, path),
                None => operation.params.iter().any(|param| param.name == name && param.place == Place::Query),
            };
            assert!(known, "{} {name}", operation.id);
        }
    }
    assert!(paged > 180, "{paged}");
}

/// Whether the body's schema has a property at a dotted path.
fn in_schema(operation: &Operation, path: &str) -> bool {
    let root = body_schema(operation).unwrap();
    let resolve = |schema: &serde_json::Value| match schema.get("$ref").and_then(|reference| reference.as_str()) {
        Some(reference) => root["$defs"][reference.trim_start_matches("#/$defs/")].clone(),
        None => schema.clone(),
    };
    let mut schema = resolve(&root);
    for name in path.split('.') {
        let Some(property) = schema.get("properties").and_then(|properties| properties.get(name)) else { return false };
        schema = resolve(property);
    }
    true
}

#[test]
fn paging_is_that_of_the_products() {
    let paging = |id: &str| by_id(id).paging.unwrap();
    let logs = paging("v2.ListLogs");
    assert_eq!((logs.limit, logs.cursor), (Some("body.page.limit"), Some("body.page.cursor")));
    assert_eq!((logs.cursor_path, logs.results), (Some("meta.page.after"), Some("data")));
    assert_eq!(paging("v2.ListSpans").cursor, Some("body.data.attributes.page.cursor"));
    assert_eq!(paging("v1.ListHosts").offset, Some("start"));
    assert_eq!((paging("v1.SearchMonitors").page, paging("v1.SearchMonitors").first_page), (Some("page"), 0));
    assert_eq!((paging("v2.SearchCases").page, paging("v2.SearchCases").first_page), (Some("page[number]"), 1));
    assert_eq!(paging("v2.GetHourlyUsage").cursor_path, Some("meta.pagination.next_record_id"));
    assert_eq!(by_id("v1.ListDowntimes").paging, None);
    assert_eq!(by_id("v2.GetIncident").paging, None);
}

#[test]
fn hosts_are_those_of_the_specification() {
    let on = |host: Host| -> Vec<&str> {
        operations().iter().filter(|operation| operation.host == host && operation.official).map(|operation| operation.id).collect()
    };
    assert_eq!(on(Host::LogsIntake), ["v1.SubmitLog", "v2.SubmitCILog", "v2.SubmitLog"]);
    assert_eq!(on(Host::EventIntake), ["v2.CreateEvent"]);
    assert_eq!(on(Host::IpRanges), ["v1.GetIPRanges"]);
    assert_eq!(on(Host::App), ["v2.GetOIDCDiscoveryDocument"]);
    assert_eq!(on(Host::BrowserIntake), ["v2.SubmitProductAnalyticsEvent"]);
    assert_eq!(on(Host::OnCall).len(), 4);
}

#[test]
fn database_samples_are_found_and_need_either_permission() {
    let samples = by_id("x.ListDatabaseQuerySamples");
    assert_eq!((samples.method, samples.path_only()), (Method::Post, "/api/v1/logs-analytics/list"));
    assert_eq!(samples.fixed_query(), Some("type=databasequery"));
    assert_eq!((samples.kind, samples.effect(), samples.host), (Kind::ReadPost, Effect::Read, Host::Api));
    assert_eq!((samples.oauth, samples.scopes), (OAuth::Scoped, &[][..]));
    let permission = samples.permission.unwrap();
    assert_eq!((permission.rule, permission.names), (PermissionRule::Or, &["built_in_features", "dbm_read"][..]));
    assert!(!samples.official && samples.unstable && !samples.deprecated);
    assert!(samples.body.unwrap().required && body_schema(samples).is_some());
    assert_eq!(rate(samples), None);
}

#[test]
fn reads_of_key_material_are_marked() {
    for id in ["v1.ListAPIKeys", "v1.GetAPIKey", "v1.ListApplicationKeys", "v1.GetApplicationKey", "v2.GetAPIKey", "v2.GetApplicationKey"] {
        assert!(returns_secret(by_id(id)), "{id}");
    }
    for id in ["v2.ListAPIKeys", "v2.ListLogs", "v1.Validate"] {
        assert!(!returns_secret(by_id(id)), "{id}");
    }
}

#[test]
fn bodies_that_are_no_json_say_so() {
    let forms: Vec<&str> =
        operations().iter().filter(|operation| operation.body.is_some_and(|body| !body.is_json())).map(|operation| operation.id).collect();
    assert_eq!(
        forms,
        [
            "v1.UploadIdPForOrg",
            "v2.CreateOpenAPI",
            "v2.GetStegadographyWidgets",
            "v2.UpdateOpenAPI",
            "v2.UploadIdPMetadata",
            "v2.UploadLLMObsDatasetRecordsFile",
        ]
    );
    assert_eq!(by_id("v1.SubmitMetrics").body.unwrap().content, "text/json");
    assert_eq!(by_id("v2.ListLogs").body.unwrap().content, "application/json");
}
