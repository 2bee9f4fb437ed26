//! Why Datadog answered 401: a dead token, a route without OAuth, or keys that it does not know.

use super::{set_keys, start};
use crate::answer::{Probe, Situation};
use crate::{Cause, CredentialKind, Fix, Refusal, WhoCanFix};
use serde_json::Value;

pub(super) fn unauthorized(situation: Situation<'_>, words: &str) -> Refusal {
    let Some(bearer) = &situation.credential.bearer else { return keys_unknown(situation) };
    let id = situation.operation.id;
    match situation.probe {
        Some(Probe::Accepted) => oauth_not_accepted(situation),
        Some(Probe::Rejected) if situation.credential.kind == CredentialKind::Oauth => {
            start(situation, Cause::TokenExpired, "the sign-in session has ended", WhoCanFix::You)
                .because("Datadog refuses its token everywhere, and it could not be renewed: it has expired or was revoked")
                .fix(Fix::new("auth_login", "sign in again"))
        }
        Some(Probe::Rejected) if words.contains("expired") || jwt_expired(bearer.expose()) => {
            start(situation, Cause::TokenExpired, "the configured token has expired", WhoCanFix::You)
                .because("Datadog refuses it everywhere")
                .fix(Fix::new("set_token", "set DD_ACCESS_TOKEN (or DD_BEARER_TOKEN) to a fresh token"))
                .fix(Fix::new("auth_login", "or unset it and sign in"))
        }
        Some(Probe::Rejected) => start(situation, Cause::Unknown, "Datadog does not accept the configured token", WhoCanFix::You)
            .because(format!("it is mistyped, expired, revoked, or of another region: {}", situation.site.regional_hint()))
            .fix(Fix::new("set_token", "set DD_ACCESS_TOKEN (or DD_BEARER_TOKEN) to a valid token of this site"))
            .fix(Fix::new("set_site", "or set DD_SITE to the site that the token belongs to")),
        _ => start(situation, Cause::Unknown, format!("Datadog refused the token for {id} (401)"), WhoCanFix::You)
            .because("whether the token is bad or the route takes no OAuth token could not be found out")
            .fix(Fix::new("auth_status", "see which identity is used and what it may do"))
            .fix(set_keys(situation.operation)),
    }
}

fn oauth_not_accepted(situation: Situation<'_>) -> Refusal {
    let id = situation.operation.id;
    let mut refusal = start(situation, Cause::OauthNotAccepted, format!("{id} takes no OAuth or bearer token"), WhoCanFix::You)
        .because("the same token is accepted by GET /api/v2/current_user, so it is good; only this route refuses it");
    if situation.credential.keys.is_some() {
        refusal.why = Some(
            "the same token is accepted by GET /api/v2/current_user, but neither it nor the keys sent along are accepted here".to_owned(),
        );
    }
    refusal.fix(set_keys(situation.operation))
}

pub(super) fn keys_unknown(situation: Situation<'_>) -> Refusal {
    let operation = situation.operation;
    if operation.auth.bearer && !operation.auth.api_key {
        return start(situation, Cause::Unknown, format!("{} takes a bearer token, not keys", operation.id), WhoCanFix::You)
            .because("Datadog's specification lists only bearer tokens for it")
            .fix(Fix::new("auth_login", "sign in, and repeat the call"))
            .fix(Fix::new("set_token", "or set DD_ACCESS_TOKEN to an access token"));
    }
    start(situation, Cause::Unknown, "Datadog does not accept the configured keys", WhoCanFix::You)
        .because(format!("one of them is mistyped, revoked, or of another region: {}", situation.site.regional_hint()))
        .fix(Fix::new("set_keys", "set DD_API_KEY and DD_APP_KEY to valid keys of one org on this site"))
        .fix(Fix::new("set_site", "or set DD_SITE to the site that the keys belong to"))
}

/// Whether a token is a JWT whose `exp` has passed; its signature is Datadog's business. Other tokens tell nothing.
fn jwt_expired(token: &str) -> bool {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else { return false };
    let Ok(claims) = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')) else { return false };
    let exp = serde_json::from_slice::<Value>(&claims).ok().and_then(|claims| claims.get("exp")?.as_i64());
    exp.is_some_and(|exp| exp < jiff::Timestamp::now().as_second())
}
