//! What is known of one API operation.

use serde::{Deserialize, Serialize};

/// One operation of Datadog's API, as its OpenAPI (or, for unofficial ones, `extra.toml`) describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Version and operationId, e.g. `v2.ListLogs`; unofficial ones begin with `x.`, e.g. `x.ListDatabaseQuerySamples`.
    pub id: &'static str,
    /// Datadog's section of the reference, e.g. `Logs`.
    pub tag: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path template with `{name}` segments, beginning with `/`; may carry a fixed query (`?type=databasequery`).
    pub path: &'static str,
    /// Path, query and header parameters in the order of the specification.
    pub params: &'static [Param],
    /// The body, when the operation takes one: JSON, but for a few file uploads.
    pub body: Option<Body>,
    /// Content types of the success answer; empty for 204.
    pub answers: &'static [&'static str],
    /// What it does; `Kind::effect` says whether that changes anything.
    pub kind: Kind,
    /// Which OAuth class it belongs to.
    pub oauth: OAuth,
    /// Credential kinds the specification lists.
    pub auth: Auth,
    /// OAuth scopes the specification asks for (all of them).
    pub scopes: &'static [&'static str],
    /// Role permission needed, when stated.
    pub permission: Option<Permission>,
    /// How its answer is paged, when known.
    pub paging: Option<Paging>,
    /// Host family it lives on.
    pub host: Host,
    /// Marked unstable by Datadog (or unofficial).
    pub unstable: bool,
    /// Marked deprecated by Datadog.
    pub deprecated: bool,
    /// In Datadog's published specification; `false` for the hand-written entries.
    pub official: bool,
    /// The answer holds usable key material (an API or application key, an access token, a client secret).
    pub returns_secret: bool,
}

impl Operation {
    /// What a call may do to the org.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.kind.effect()
    }

    /// Parameters that are segments of the path, in the order of the specification.
    pub fn path_params(&self) -> impl Iterator<Item = &'static Param> + use<> {
        self.params.iter().filter(|param| param.place == Place::Path)
    }

    /// The path without its fixed query.
    #[must_use]
    pub fn path_only(&self) -> &'static str {
        self.path.split_once('?').map_or(self.path, |(path, _)| path)
    }

    /// The fixed query of the path (`type=databasequery`), when it has one.
    #[must_use]
    pub fn fixed_query(&self) -> Option<&'static str> {
        self.path.split_once('?').map(|(_, query)| query)
    }
}

/// HTTP method of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl Method {
    /// The method as it stands on the wire, e.g. `GET`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Reads a method in any case; `None` for methods that no operation has.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete].into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text))
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One path, query or header parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Name on the wire, e.g. `page[limit]`.
    pub name: &'static str,
    /// Where it goes.
    pub place: Place,
    /// Its type.
    pub kind: ParamType,
    /// Must be given.
    pub required: bool,
    /// Lists are sent as repeated pairs (`true`) or joined with commas (`false`).
    pub explode: bool,
    /// Allowed values; empty when open.
    pub values: &'static [&'static str],
    /// Default the server uses, as text.
    pub default: Option<&'static str>,
    /// Smallest number allowed.
    pub min: Option<i64>,
    /// Largest number allowed.
    pub max: Option<i64>,
}

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A segment of the path.
    Path,
    /// The query string.
    Query,
    /// A request header.
    Header,
}

/// Type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    /// Text, with an optional format (`uuid`, `date-time`, `date`).
    Text(Option<&'static str>),
    /// Whole number.
    Integer,
    /// Number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// List of texts.
    TextList,
    /// List of whole numbers.
    IntegerList,
}

/// Body of an operation: JSON, but for a few file uploads (`content`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    /// Name of its schema in the specification, e.g. `LogsListRequest`.
    pub schema: &'static str,
    /// Must be given.
    pub required: bool,
    /// Media type to send, e.g. `application/json`, `text/json`, `multipart/form-data`.
    pub content: &'static str,
}

impl Body {
    /// Whether the body is JSON; the few others are file uploads (`multipart/form-data`).
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.content.ends_with("json")
    }
}

/// What an operation does (judged by hand for POSTs, since no field of the specification tells).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Reads.
    Read,
    /// A POST that searches or aggregates.
    ReadPost,
    /// A POST that validates or previews.
    CheckPost,
    /// A POST that starts a job costing time or money.
    JobPost,
    /// Creates or changes.
    Write,
    /// Deletes.
    Delete,
    /// A GET that leaves a snapshot behind.
    ReadCreatesSnapshot,
}

/// What a call may do to the org. Hints, read-only mode and confirmation derive from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Creates or changes something.
    Write,
    /// Removes or overwrites something for good.
    Destructive,
}

impl Kind {
    /// The effect that follows from the kind: jobs and snapshots count as writes.
    #[must_use]
    pub const fn effect(self) -> Effect {
        match self {
            Self::Read | Self::ReadPost | Self::CheckPost => Effect::Read,
            Self::JobPost | Self::Write | Self::ReadCreatesSnapshot => Effect::Write,
            Self::Delete => Effect::Destructive,
        }
    }
}

/// OAuth class of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OAuth {
    /// Takes a bearer token with named scopes.
    Scoped,
    /// Takes a bearer token, and says on the operation that no scope is needed.
    ExplicitNoScope,
    /// Takes a bearer token by the specification's default.
    DefaultNoScope,
    /// Takes no OAuth token.
    No,
}

/// Credential kinds that the specification lists for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Auth {
    /// `DD-API-KEY` is part of an accepted combination.
    pub api_key: bool,
    /// `DD-APPLICATION-KEY` is part of an accepted combination.
    pub app_key: bool,
    /// A bearer token is accepted.
    pub bearer: bool,
}

/// Role permission an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// How the names combine.
    pub rule: PermissionRule,
    /// Permission names.
    pub names: &'static [&'static str],
}

/// How permission names combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionRule {
    /// All of them.
    And,
    /// Any of them.
    Or,
    /// None is needed.
    Open,
}

/// How an answer is paged. Names are query parameters; those beginning with `body.` are paths in the JSON body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Paging {
    /// Parameter that limits a page.
    pub limit: Option<&'static str>,
    /// Parameter that takes the cursor.
    pub cursor: Option<&'static str>,
    /// Dotted path of the next cursor in the answer.
    pub cursor_path: Option<&'static str>,
    /// Parameter that takes an offset.
    pub offset: Option<&'static str>,
    /// Parameter that takes a page number.
    pub page: Option<&'static str>,
    /// First page number.
    pub first_page: u8,
    /// Dotted path of the records in the answer.
    pub results: Option<&'static str>,
}

/// Host family of an operation; `{site}` is the Datadog site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Host {
    /// `api.{site}`
    Api,
    /// `app.{site}`
    App,
    /// `http-intake.logs.{site}`
    LogsIntake,
    /// `event-management-intake.{site}`
    EventIntake,
    /// `ip-ranges.{site}`
    IpRanges,
    /// Regional On-Call hosts (`navy.oncall.{site}` and others).
    OnCall,
    /// `browser-intake-datadoghq.com` and its siblings: the site's name follows a dash, not a dot.
    BrowserIntake,
}
