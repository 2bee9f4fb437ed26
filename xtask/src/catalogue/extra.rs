//! `crates/catalogue/extra.toml`: the operations that Datadog's specification does not have, and facts judged by hand.

use super::facts::{AuthFact, BodyFact, Fact, PagingFact, ParamLine, PermissionLine};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Extra {
    /// Operations whose answer holds usable key material, beside those that `operations.jsonl` marks.
    pub(super) returns_secret: BTreeSet<String>,
    /// Operations that start a job, whatever their method says.
    pub(super) starts_job: BTreeSet<String>,
    /// Paging that neither the specification nor a family of parameters tells.
    pub(super) paging: BTreeMap<String, PagingFact>,
    /// The unofficial operations.
    #[serde(rename = "operation")]
    operations: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    tag: String,
    /// Method and path: `GET /api/v1/logs/views/{view_id}`.
    route: String,
    /// Follows from the method for GET and DELETE.
    kind: Option<String>,
    #[serde(default = "default_oauth")]
    oauth: String,
    /// Any of `api_key`, `app_key`, `bearer`; all three when not given.
    #[serde(default = "default_auth")]
    auth: BTreeSet<String>,
    #[serde(default)]
    scopes: Vec<String>,
    permission: Option<PermissionLine>,
    #[serde(default = "default_host")]
    host: String,
    #[serde(default = "default_answers")]
    answers: Vec<String>,
    /// Each `name: type`, a `*` after the name when it must be given, `repeated` before the type of a list that is sent as repeated pairs;
    /// `one of a b` names allowed texts. Path parameters follow from the path.
    #[serde(default)]
    query: Vec<String>,
    /// Shape of the body, in the notation of `shape`.
    body: Option<String>,
    #[serde(default = "default_content")]
    body_content: String,
    paging: Option<PagingFact>,
    #[serde(default)]
    deprecated: bool,
}

/// The unofficial operations, and the schema of each one's body.
pub(super) struct Operations {
    pub(super) facts: Vec<Fact>,
    pub(super) bodies: BTreeMap<String, Value>,
}

impl Extra {
    /// Reads the file and refuses what the tables cannot hold.
    pub(super) fn read(text: &str) -> Result<Self> {
        toml::from_str(text).context("extra.toml")
    }

    /// The entries as facts.
    pub(super) fn operations(&self) -> Result<Operations> {
        let mut facts = Vec::new();
        let mut bodies = BTreeMap::new();
        for entry in &self.operations {
            let fact = entry.fact().with_context(|| format!("extra.toml: {}", entry.id))?;
            if let Some(body) = &entry.body {
                let schema = super::shape::parse(body).with_context(|| format!("extra.toml: body of {}", entry.id))?;
                bodies.insert(entry.id.clone(), schema);
            }
            facts.push(fact);
        }
        Ok(Operations { facts, bodies })
    }
}

impl Entry {
    fn fact(&self) -> Result<Fact> {
        ensure!(self.id.starts_with("x."), "the id must begin with `x.`");
        let (method, path) = self.route.split_once(' ').context("the route is a method and a path")?;
        ensure!(path.starts_with('/'), "the path must begin with `/`");
        let kind = match (&self.kind, method) {
            (Some(kind), _) => kind.clone(),
            (None, "GET") => "read".to_owned(),
            (None, "DELETE") => "delete".to_owned(),
            (None, _) => anyhow::bail!("the kind of a {method} must be said"),
        };
        let known = ["api_key", "app_key", "bearer"];
        ensure!(self.auth.iter().all(|name| known.contains(&name.as_str())), "auth is any of {known:?}");
        let mut params: Vec<ParamLine> = path_names(path).map(|name| param(name, "path", "string", true)).collect();
        for text in &self.query {
            let (name, kind) = text.split_once(": ").with_context(|| format!("`{text}` is not `name: type`"))?;
            let (name, required) = name.strip_suffix('*').map_or((name, false), |name| (name, true));
            let (kind, explode) = kind.strip_prefix("repeated ").map_or((kind, false), |kind| (kind, true));
            params.push(ParamLine { explode, ..param(name, "query", kind, required) });
        }
        Ok(Fact {
            id: self.id.clone(),
            tag: self.tag.clone(),
            method: method.to_owned(),
            path: path.to_owned(),
            params,
            body: self.body.as_ref().map(|_| BodyFact {
                schema: format!("{}Body", self.id.trim_start_matches("x.")),
                required: true,
                content: self.body_content.clone(),
            }),
            answers: self.answers.clone(),
            kind,
            oauth: self.oauth.clone(),
            auth: AuthFact {
                api_key: self.auth.contains("api_key"),
                app_key: self.auth.contains("app_key"),
                bearer: self.auth.contains("bearer"),
            },
            scopes: self.scopes.clone(),
            permission: self.permission.clone(),
            paging: self.paging.clone(),
            host: self.host.clone(),
            unstable: true,
            deprecated: self.deprecated,
            official: false,
            returns_secret: false,
        })
    }
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn param(name: &str, place: &str, kind: &str, required: bool) -> ParamLine {
    let (kind, values) = match kind.strip_prefix("one of ") {
        Some(values) => ("string", values.split(' ').map(str::to_owned).collect()),
        None => (kind, Vec::new()),
    };
    ParamLine {
        name: name.to_owned(),
        place: place.to_owned(),
        kind: kind.to_owned(),
        required,
        explode: false,
        values,
        default: None,
        min: None,
        max: None,
    }
}

fn default_oauth() -> String {
    "default-noscope".to_owned()
}

fn default_auth() -> BTreeSet<String> {
    ["api_key", "app_key", "bearer"].map(str::to_owned).into()
}

fn default_host() -> String {
    "Api".to_owned()
}

fn default_answers() -> Vec<String> {
    vec![default_content()]
}

fn default_content() -> String {
    "application/json".to_owned()
}
