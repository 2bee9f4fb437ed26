//! Credentials from the configuration: a bearer token, keys, or both; sign-in sessions behind them.

use super::{Credential, CredentialKind, CredentialSource, Keys, SessionSource};
use crate::{Fix, Kind, Principal, Refusal, Secret, Site, WhoCanFix};
use async_trait::async_trait;
use datadog_catalogue::Operation;
use std::{collections::BTreeSet, sync::Arc};

/// What was configured; empty texts count as absent.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// `DD_BEARER_TOKEN` or `DD_ACCESS_TOKEN`: PAT, SAT, or an OAuth access token made elsewhere.
    pub bearer: Option<Secret>,
    /// `DD_API_KEY`
    pub api_key: Option<Secret>,
    /// `DD_APP_KEY`
    pub app_key: Option<Secret>,
    /// Session name, `default` unless another was chosen.
    pub org: String,
    /// Whether keys may stand in for a refused session (`--no-key-fallback` clears it).
    pub key_fallback: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Self { bearer: None, api_key: None, app_key: None, org: "default".to_owned(), key_fallback: true }
    }
}

/// The credentials of one process: the same for every caller.
///
/// Order (DESIGN: "Credentials and sign-in"): a configured bearer token, together with configured keys; else the sign-in
/// session, except where the operation takes keys only; else keys; else sign-in, or `sign_in_required`.
#[derive(Debug)]
pub struct ConfiguredCredentials {
    bearer: Option<Secret>,
    keys: Option<Keys>,
    org: String,
    key_fallback: bool,
    sessions: Option<Arc<dyn SessionSource>>,
}

impl ConfiguredCredentials {
    /// Checks that each text can travel in a header; a refusal names the variable and never the text.
    pub fn new(configuration: Configuration) -> Result<Self, Refusal> {
        let Configuration { org, key_fallback, .. } = configuration;
        let bearer = usable("DD_BEARER_TOKEN or DD_ACCESS_TOKEN", configuration.bearer)?;
        let api = usable("DD_API_KEY", configuration.api_key)?;
        let keys = match (api, usable("DD_APP_KEY", configuration.app_key)?) {
            (Some(api), app) => Some(Keys { api, app }),
            (None, None) => None,
            (None, Some(_)) => {
                return Err(Refusal::new(Kind::SignInRequired, "DD_APP_KEY is set, but DD_API_KEY is not")
                    .because("Datadog takes an application key only together with an API key")
                    .fix(Fix::new("set_keys", "set DD_API_KEY as well")));
            }
        };
        Ok(Self { bearer, keys, org, key_fallback, sessions: None })
    }

    /// Uses sign-in sessions where no bearer token is configured.
    #[must_use]
    pub fn with_sessions(mut self, sessions: Arc<dyn SessionSource>) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// Whether a bearer token or keys were given.
    #[must_use]
    pub fn any_configured(&self) -> bool {
        self.bearer.is_some() || self.keys.is_some()
    }

    fn made(&self, kind: CredentialKind, bearer: Option<Secret>, keys: Option<Keys>) -> Credential {
        Credential { kind, org: self.org.clone(), bearer, keys, granted: None, refused: BTreeSet::new() }
    }

    /// Keys as far as they go for this operation.
    fn keys_for(&self, operation: &Operation) -> Option<&Keys> {
        self.keys.as_ref().filter(|keys| keys.app.is_some() || !operation.auth.app_key)
    }
}

#[async_trait]
impl CredentialSource for ConfiguredCredentials {
    async fn first(&self, who: &Principal, site: &Site, operation: &Operation) -> Result<Credential, Refusal> {
        if super::is_open(operation) {
            return Ok(Credential::none(&self.org));
        }
        let keys = self.keys_for(operation);
        let keys_only = !operation.auth.bearer;
        if let (true, Some(keys)) = (keys_only, keys) {
            return Ok(self.made(CredentialKind::Keys, None, Some(keys.clone())));
        }
        if let Some(bearer) = &self.bearer {
            let kind = if keys.is_some() { CredentialKind::BearerAndKeys } else { CredentialKind::Bearer };
            return Ok(self.made(kind, Some(bearer.clone()), keys.cloned()));
        }
        if let Some(sessions) = &self.sessions {
            match sessions.current(who, site).await {
                Ok(Some(session)) => return Ok(session),
                // Keys that are there answer now; a broken session must not stand in their way.
                Ok(None) | Err(_) if keys.is_some() => {}
                Ok(None) => return sessions.sign_in(who, site, operation).await,
                Err(refusal) => return Err(refusal),
            }
        }
        match keys {
            Some(keys) => Ok(self.made(CredentialKind::Keys, None, Some(keys.clone()))),
            None => Err(required(operation, site, &self.org, self.keys.is_some())),
        }
    }

    async fn fallback(&self, _: &Principal, _: &Site, operation: &Operation, refused: &Credential) -> Option<Credential> {
        // A configured bearer token travelled with the keys already; only a session went alone.
        if !self.key_fallback || refused.kind != CredentialKind::Oauth {
            return None;
        }
        let keys = self.keys_for(operation)?;
        Some(self.made(CredentialKind::Keys, None, Some(keys.clone())))
    }

    async fn renewed(&self, who: &Principal, site: &Site, stale: &Credential) -> Option<Credential> {
        match &self.sessions {
            Some(sessions) if stale.kind == CredentialKind::Oauth => sessions.renewed(who, site, stale).await,
            _ => None,
        }
    }
}

/// An absent or empty text is none; one that no header can carry is refused without being shown.
fn usable(variable: &str, secret: Option<Secret>) -> Result<Option<Secret>, Refusal> {
    let Some(secret) = secret.filter(|s| !s.expose().is_empty()) else { return Ok(None) };
    let text = secret.expose();
    let wrong = if text.contains(['\r', '\n']) {
        "contains a line break"
    } else if text.bytes().any(|b| b == b' ' || b == b'\t') {
        "contains a space"
    } else if !text.is_ascii() {
        "contains a character outside ASCII"
    } else if text.bytes().any(|b| b.is_ascii_control()) {
        "contains a control character"
    } else if text.len() > 16 * 1024 {
        "is longer than 16 KiB"
    } else {
        return Ok(Some(secret));
    };
    let mut refusal = Refusal::new(Kind::SignInRequired, format!("{variable} {wrong}; it cannot be sent"))
        .because("a token or key is one word of printable ASCII; a file read into a variable often ends with a line break")
        .fix(Fix::new("set_keys", format!("set {variable} again, without it")));
    refusal.who_can_fix = Some(WhoCanFix::Operator);
    Err(refusal)
}

/// Nothing is configured that this operation takes.
fn required(operation: &Operation, site: &Site, org: &str, has_api_key: bool) -> Refusal {
    let mut refusal = if has_api_key {
        Refusal::new(Kind::SignInRequired, format!("{} needs an application key besides DD_API_KEY", operation.id))
            .because("DD_APP_KEY is not set")
            .fix(Fix::new("set_keys", "set DD_APP_KEY to an application key of the same org"))
    } else {
        Refusal::new(Kind::SignInRequired, format!("no Datadog credential is configured for {}", site.name()))
            .because("neither a token nor keys are set, and nobody has signed in")
            .fix(Fix::new("set_keys", "set DD_API_KEY and DD_APP_KEY of the org, and DD_SITE to its site"))
    };
    if operation.auth.bearer {
        refusal = refusal.fix(Fix::new("set_token", "set DD_ACCESS_TOKEN or DD_BEARER_TOKEN to a personal, service or OAuth access token"));
    }
    refusal.who_can_fix = Some(WhoCanFix::You);
    refusal.credential = Some(crate::CredentialFacts { kind: "none".to_owned(), site: site.name().to_owned(), org: org.to_owned() });
    refusal.docs = Some("https://docs.datadoghq.com/account_management/api-app-keys/".to_owned());
    refusal.on(operation.id)
}
