//! Reads Datadog's published material: the table of operations, the specifications, scopes and rate limits.

use super::facts::{AuthFact, BodyFact, Fact, Line, PagingFact, ServerLine};
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One version of the specification, as far as the generator needs it.
#[derive(Debug, Deserialize)]
pub(super) struct Spec {
    /// Path → method → operation.
    pub(super) paths: BTreeMap<String, Value>,
    pub(super) components: Components,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Components {
    pub(super) schemas: Map<String, Value>,
    #[serde(default)]
    pub(super) responses: Map<String, Value>,
    security_schemes: Value,
}

impl Spec {
    pub(super) fn read(folder: &Path, version: &str) -> Result<Self> {
        let path = folder.join(format!("openapi-{version}.yaml.zst"));
        let text = zstd::decode_all(fs_err::File::open(&path)?)?;
        serde_norway::from_slice(&text).with_context(|| path.display().to_string())
    }

    /// The operation's own part of the specification.
    pub(super) fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        self.paths.get(path)?.get(method.to_lowercase())
    }

    /// Names of the OAuth scopes that the specification catalogues, with no word about them.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &str> {
        self.components
            .security_schemes
            .pointer("/AuthZ/flows/authorizationCode/scopes")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|scopes| scopes.keys().map(String::as_str))
    }

    /// The schema itself, after as many references as it takes.
    pub(super) fn resolve<'a>(&'a self, mut schema: &'a Value) -> Option<&'a Value> {
        while let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            schema = self.components.schemas.get(reference.rsplit('/').next()?)?;
        }
        Some(schema)
    }
}

/// One entry of `oauth_excluded.json`'s newest list.
#[derive(Debug, Deserialize)]
pub(super) struct Closed {
    method: String,
    path: String,
    #[serde(rename = "match")]
    kind: String,
    auth: String,
}

/// One recorded rate limit of an operation.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RateLine {
    pub(super) name: Option<String>,
    pub(super) limit: u32,
    pub(super) period_s: u32,
    pub(super) year: String,
    pub(super) n: u32,
}

/// `scopes.json`.
#[derive(Debug, Deserialize)]
pub(super) struct ScopeLine {
    pub(super) access: String,
}

/// `role_permissions.json`.
#[derive(Debug, Deserialize)]
pub(super) struct RoleLine {
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// `pup_scopes.json`, as far as it tells which scopes Datadog's own command line asks for.
#[derive(Debug, Deserialize)]
pub(super) struct PupScopes {
    pub(super) default_scopes: Vec<PupScope>,
    pub(super) added_later_by_merged_pr: Vec<PupScope>,
    pub(super) opt_in_extra_scopes: Vec<PupScope>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PupScope {
    pub(super) scope: String,
    #[serde(default)]
    pub(super) read_only_login: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Excluded {
    newest: Newest,
}

#[derive(Debug, Deserialize)]
struct Newest {
    entries: Vec<Closed>,
}

/// Everything read.
pub(super) struct Source {
    pub(super) operations: Vec<Fact>,
    pub(super) v1: Spec,
    pub(super) v2: Spec,
    pub(super) scopes: BTreeMap<String, ScopeLine>,
    /// Names of `scope_gaps.json`.
    pub(super) gaps: BTreeSet<String>,
    pub(super) roles: BTreeMap<String, RoleLine>,
    pub(super) pup: PupScopes,
    pub(super) rates: BTreeMap<String, Vec<RateLine>>,
}

impl Source {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let closed = json::<Excluded>(folder, "oauth_excluded.json")?.newest.entries;
        let mut operations = Vec::new();
        for line in fs_err::read_to_string(folder.join("operations.jsonl"))?.lines() {
            let line: Line = serde_json::from_str(line).with_context(|| format!("operations.jsonl: {line}"))?;
            let id = line.operation.clone();
            operations.push(fact(line, &closed).with_context(|| id)?);
        }
        // The two big files are independent of one another.
        let (v1, v2) = std::thread::scope(|scope| {
            let v1 = scope.spawn(|| Spec::read(folder, "v1"));
            let v2 = Spec::read(folder, "v2");
            (v1.join(), v2)
        });
        let Ok(v1) = v1 else { bail!("reading openapi-v1 failed") };
        Ok(Self {
            operations,
            v1: v1?,
            v2: v2?,
            scopes: json(folder, "scopes.json")?,
            gaps: json::<Map<String, Value>>(folder, "scope_gaps.json")?.into_iter().map(|(name, _)| name).collect(),
            roles: json(folder, "role_permissions.json")?,
            pup: json(folder, "pup_scopes.json")?,
            rates: json(folder, "rate_limits.json")?,
        })
    }

    /// The specification that an operation's id names; `None` for unofficial ones.
    pub(super) fn spec(&self, id: &str) -> Option<&Spec> {
        match id.split_once('.')?.0 {
            "v1" => Some(&self.v1),
            "v2" => Some(&self.v2),
            _ => None,
        }
    }
}

fn json<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T> {
    serde_json::from_slice(&fs_err::read(folder.join(name))?).with_context(|| name.to_owned())
}

fn fact(line: Line, closed: &[Closed]) -> Result<Fact> {
    let has = |name: &str| line.auth.iter().any(|auth| auth == name);
    let mut auth = AuthFact { api_key: has("apiKeyAuth"), app_key: has("appKeyAuth"), bearer: has("AuthZ") };
    let mut oauth = line.oauth;
    if let Some(entry) = closed.iter().find(|entry| entry.method == line.method && entry.path == line.path) {
        ensure!(entry.kind == "exact", "a prefix in oauth_excluded.json's newest list");
        auth = AuthFact { api_key: true, app_key: entry.auth.contains("APPLICATION"), bearer: false };
        "no".clone_into(&mut oauth);
    }
    let content = line.body_content.unwrap_or_default();
    let content = content.into_iter().next().unwrap_or_else(|| "application/json".to_owned());
    Ok(Fact {
        host: host(&line.servers)?,
        body: line.body.map(|schema| BodyFact { schema, required: line.body_required, content }),
        id: line.operation,
        tag: line.tag,
        method: line.method,
        path: line.path,
        params: line.params,
        answers: line.response.map(|response| response.content).unwrap_or_default(),
        kind: line.kind,
        oauth,
        auth,
        scopes: line.scopes,
        permission: line.permission,
        paging: line.pagination.map(PagingFact::from),
        unstable: line.unstable,
        deprecated: line.deprecated,
        official: true,
        returns_secret: line.returns_key_material,
    })
}

/// The host family, from the first server that the specification lists.
fn host(servers: &[ServerLine]) -> Result<String> {
    let Some(server) = servers.first() else { return Ok("Api".to_owned()) };
    let mut url = server.url.clone();
    for (name, variable) in &server.vars {
        url = url.replace(&format!("{{{name}}}"), &variable.default);
    }
    let host = match url.trim_start_matches("https://") {
        "ip-ranges.datadoghq.com" => "IpRanges",
        "http-intake.logs.datadoghq.com" => "LogsIntake",
        "event-management-intake.datadoghq.com" => "EventIntake",
        "app.datadoghq.com" => "App",
        "navy.oncall.datadoghq.com" => "OnCall",
        "browser-intake-datadoghq.com" => "BrowserIntake",
        other => bail!("no host family for {other}"),
    };
    Ok(host.to_owned())
}
