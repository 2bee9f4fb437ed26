//! The one type of every failure that an agent can meet (DESIGN: "Refusals").

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Why a call did not give what was asked, with what to do about it.
///
/// Serialises to the object that stands under `error` in `structuredContent`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// Class of the failure.
    pub kind: Kind,
    /// Cause of a permission refusal; decided from facts, `unknown` when they do not decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What happened, one line, in our words.
    pub message: String,
    /// Why, one line, when known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Operation id (`v2.ListLogs`) when the failure belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// HTTP status that Datadog answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Scopes or permissions that are missing.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub missing: Vec<String>,
    /// Which identity was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialFacts>,
    /// Who can mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who_can_fix: Option<WhoCanFix>,
    /// What to do next, best first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fixes: Vec<Fix>,
    /// Seconds to wait before the next try (`rate_limited`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// Name of the rate-limit bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Datadog's own words: capped, cleaned; fenced where it is rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datadog_said: Option<String>,
    /// A page of documentation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// Datadog's request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Class of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the contract and say it")]
pub enum Kind {
    InvalidArguments,
    SignInRequired,
    SignInPending,
    PermissionDenied,
    NotFound,
    Conflict,
    RateLimited,
    TooLarge,
    UpstreamFailed,
    Timeout,
    Cancelled,
    ForbiddenByOperator,
    Internal,
}

/// Cause of a permission refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The token lacks a scope that can be asked for.
    ScopeNotGranted,
    /// The scope was asked for and the server refused it.
    ScopeRefused,
    /// No such OAuth scope: keys are the way.
    ScopeDoesNotExist,
    /// The route takes no OAuth token: a probe with the same token succeeded.
    OauthNotAccepted,
    /// The token has the scope; the user's role does not have the permission.
    RoleLacksPermission,
    /// The application key is scoped and lacks it.
    KeyLacksScope,
    /// The credential belongs to another Datadog site.
    WrongSite,
    /// The token has expired.
    TokenExpired,
    /// The org does not have the product.
    ProductOff,
    /// The facts do not decide.
    Unknown,
}

/// Who can mend a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhoCanFix {
    /// The person whose agent called.
    You,
    /// A Datadog admin of the org.
    Admin,
    /// Whoever runs this server.
    Operator,
    /// Datadog.
    Datadog,
    /// Nobody, by this way.
    Nobody,
}

/// Which identity a call used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialFacts {
    /// `oauth`, `bearer`, `keys`, `bearer+keys` or `none`.
    pub kind: String,
    /// Site name.
    pub site: String,
    /// Session name, `default` unless another was chosen.
    pub org: String,
}

/// One thing to do about a refusal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// A tool to call (`auth_login`) or a verb for a person (`ask_admin`, `set_keys`, `wait`, `narrow`).
    #[serde(rename = "do")]
    pub action: String,
    /// Arguments of the tool call.
    #[serde(skip_serializing_if = "Map::is_empty", default)]
    pub arguments: Map<String, Value>,
    /// Why this helps, one line.
    pub why: String,
}

impl Fix {
    /// A step without arguments.
    #[must_use]
    pub fn new(action: &str, why: impl Into<String>) -> Self {
        Self { action: action.to_owned(), arguments: Map::new(), why: why.into() }
    }

    /// Adds an argument of the tool call.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.arguments.insert(name.to_owned(), value.into());
        self
    }
}

impl Refusal {
    /// A refusal of one kind with one line of what happened.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            cause: None,
            message: message.into(),
            why: None,
            operation: None,
            status: None,
            missing: Vec::new(),
            credential: None,
            who_can_fix: None,
            fixes: Vec::new(),
            retry_after_s: None,
            bucket: None,
            datadog_said: None,
            docs: None,
            request_id: None,
        }
    }

    /// Arguments that cannot be used; `message` names what is valid.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidArguments, message)
    }

    /// Says why.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Adds a next step.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// Names the operation.
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    #[test]
    fn serialises_to_the_object_that_programs_read() {
        let mut refusal = Refusal::new(Kind::PermissionDenied, "not allowed")
            .on("v1.ListMonitors")
            .because("the token lacks it")
            .fix(Fix::new("auth_login", "asks for it").with("extra_scopes", json!(["monitors_read"])));
        refusal.cause = Some(Cause::ScopeNotGranted);
        refusal.status = Some(403);
        refusal.missing = vec!["monitors_read".to_owned()];
        refusal.who_can_fix = Some(WhoCanFix::You);
        let value = serde_json::to_value(&refusal).unwrap();
        let want = json!({
            "kind": "permission_denied", "cause": "scope_not_granted", "message": "not allowed", "why": "the token lacks it",
            "operation": "v1.ListMonitors", "status": 403, "missing": ["monitors_read"], "who_can_fix": "you",
            "fixes": [{"do": "auth_login", "arguments": {"extra_scopes": ["monitors_read"]}, "why": "asks for it"}],
        });
        assert_eq!(value, want);
        assert_eq!(serde_json::from_value::<Refusal>(value).unwrap(), refusal);
        // What is not known is not said.
        assert_eq!(
            serde_json::to_value(Refusal::new(Kind::Cancelled, "stopped")).unwrap(),
            json!({"kind": "cancelled", "message": "stopped"})
        );
    }
}
