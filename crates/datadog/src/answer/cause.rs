//! Why Datadog refused permission, decided from facts: its words, the operation's needs, what the credential is known to
//! have. Where the facts allow two explanations the cause is `unknown`, and both are told.

use super::explain::{Failed, Probe, Situation};
use crate::{Cause, CredentialKind, Fix, Kind, Refusal, WhoCanFix};
use datadog_catalogue::{Obtainable, Operation, PermissionRule};
use serde_json::{Value, json};

/// The two scopes of Database Monitoring: one on US1 and EU1, the other elsewhere; both are to be asked for (`reference/pup.md` §2).
const DBM: [&str; 2] = ["built_in_features", "dbm_read"];

/// The refusal for 401, 402, 403 and 451.
pub(super) fn permission(situation: Situation<'_>, failed: &Failed) -> Refusal {
    let words = failed.said.messages.join(" ").to_lowercase();
    if let Some(site) = situation.site.other_site_in(&words) {
        return wrong_site(situation, site);
    }
    if failed.status == 401 {
        return unauthorized(situation, &words);
    }
    if says_product_is_off(&words) {
        return product_off(situation, failed.status);
    }
    forbidden(situation, failed)
}

/// Datadog itself named another site.
pub(super) fn wrong_site(situation: Situation<'_>, site: &str) -> Refusal {
    let mut refusal = start(situation, Cause::WrongSite, "the credential or the org belongs to another Datadog site", WhoCanFix::You)
        .because(format!("Datadog points to {site}; {}", situation.site.regional_hint()))
        .fix(Fix::new("set_site", format!("set DD_SITE={site}")).with("site", site));
    refusal.docs = Some("https://docs.datadoghq.com/getting_started/site/".to_owned());
    refusal
}

// === 401 ===

fn unauthorized(situation: Situation<'_>, words: &str) -> Refusal {
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

fn keys_unknown(situation: Situation<'_>) -> Refusal {
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

// === 402, 403, 451 ===

fn says_product_is_off(words: &str) -> bool {
    ["not enabled for", "is not enabled", "not subscribed", "is disabled for your", "is disabled for this"]
        .iter()
        .any(|p| words.contains(p))
}

fn product_off(situation: Situation<'_>, status: u16) -> Refusal {
    start(
        situation,
        Cause::ProductOff,
        format!("the org does not have what {} belongs to ({status})", situation.operation.id),
        WhoCanFix::Admin,
    )
    .because(format!("Datadog says that it is not enabled (product: {})", situation.operation.tag))
    .fix(Fix::new("ask_admin", "ask a Datadog admin of the org whether the product can be switched on"))
}

fn forbidden(situation: Situation<'_>, failed: &Failed) -> Refusal {
    let named = &failed.said.permissions;
    match &situation.credential.granted {
        Some(granted) if situation.credential.bearer.is_some() => {
            let has = |name: &str| granted.contains(name);
            let lacking = if named.is_empty() {
                lacking(situation.operation, &has)
            } else {
                named.iter().filter(|name| !has(name)).cloned().collect()
            };
            session(situation, named, lacking)
        }
        _ if situation.credential.bearer.is_some() => opaque_bearer(situation, named),
        _ => keys(situation, named),
    }
}

/// A session whose scopes are known.
fn session(situation: Situation<'_>, named: &[String], lacking: Vec<String>) -> Refusal {
    if lacking.is_empty() {
        return session_has_all(situation, named);
    }
    let refused: Vec<String> = lacking.iter().filter(|name| situation.credential.refused.contains(*name)).cloned().collect();
    let unknown: Vec<String> = lacking.iter().filter(|name| !can_be_asked_for(name)).cloned().collect();
    let list = quoted(&lacking);
    let id = situation.operation.id;
    let mut refusal = if !refused.is_empty() && refused.len() == lacking.len() {
        start(situation, Cause::ScopeRefused, format!("{id} needs the scope {list}, which sign-in could not get"), WhoCanFix::You)
            .because(
                "it was asked for, and Datadog refused it: scopes are allowed per client on Datadog's side, and an admin can restrict them",
            )
            .fix(set_keys(situation.operation))
            .fix(Fix::new("ask_admin", "ask whether the org restricts the scopes of this OAuth client"))
    } else if unknown.len() == lacking.len() {
        start(situation, Cause::ScopeDoesNotExist, format!("{id} needs {list}, which no OAuth scope grants"), WhoCanFix::You)
            .because("no scope of that name is known, so no sign-in can get it; keys are the way")
            .fix(set_keys(situation.operation))
            .fix(ask_admin(&lacking, "if keys are refused too, the role lacks the permission"))
    } else {
        let mut ask: Vec<String> =
            lacking.iter().filter(|name| can_be_asked_for(name) && !situation.credential.refused.contains(*name)).cloned().collect();
        if ask.is_empty() {
            ask.clone_from(&lacking);
        }
        if is_dbm(situation.operation) || ask.iter().any(|name| name == DBM[0]) {
            for scope in DBM {
                let had = situation.credential.granted.as_ref().is_some_and(|granted| granted.contains(scope));
                if !had && !ask.iter().any(|name| name == scope) {
                    ask.push(scope.to_owned());
                }
            }
        }
        let why = if is_dbm(situation.operation) {
            "signs in again and asks for them too; Database Monitoring needs one of the two, by region"
        } else {
            "signs in again and asks for them too"
        };
        start(situation, Cause::ScopeNotGranted, format!("{id} needs the scope {list}, which this sign-in does not have"), WhoCanFix::You)
            .because("the token was made without it, and it can be asked for")
            .fix(Fix::new("auth_login", why).with("extra_scopes", json!(ask)))
            .fix(set_keys(situation.operation))
    };
    refusal.missing = lacking;
    refusal
}

/// The token has every scope that is known to be needed.
fn session_has_all(situation: Situation<'_>, named: &[String]) -> Refusal {
    let needs = if named.is_empty() { needed(situation.operation) } else { named.to_vec() };
    let id = situation.operation.id;
    if needs.is_empty() {
        return unknown(
            situation,
            format!("Datadog refused {id} (403)"),
            "nothing is known of what it needs, and Datadog named nothing",
            needs,
        );
    }
    if named.is_empty() && !needs.iter().any(|name| can_be_asked_for(name)) {
        // The permission is no scope: the bearer token is taken, and role or token decide (`reference/datadog-api.md` §0).
        let mut refusal = unknown(
            situation,
            format!("{id} needs the permission {}", quoted(&needs)),
            "it is no OAuth scope: either the user's role lacks the permission, or Datadog grants it to keys only",
            needs.clone(),
        );
        refusal.fixes = vec![ask_admin(&needs, "the role may lack it"), set_keys(situation.operation)];
        return refusal;
    }
    let held: Vec<String> =
        needs.iter().filter(|name| situation.credential.granted.as_ref().is_some_and(|g| g.contains(*name))).cloned().collect();
    let mut refusal = start(situation, Cause::RoleLacksPermission, format!("the signed-in user may not do {id}"), WhoCanFix::Admin)
        .because(format!("the token has the scope {}; the user's role does not have the permission", quoted(&held)))
        .fix(ask_admin(&needs, "a role with the permission is what is missing"));
    refusal.docs = Some("https://docs.datadoghq.com/account_management/rbac/permissions/".to_owned());
    refusal.missing = needs;
    refusal
}

/// A configured token: nobody told us its scopes.
fn opaque_bearer(situation: Situation<'_>, named: &[String]) -> Refusal {
    let id = situation.operation.id;
    let sent_keys = situation.credential.keys.is_some();
    // What is no role permission can only be missing from the token (or the keys sent along).
    if let (false, false) = (sent_keys, named.is_empty())
        && named.iter().all(|name| is_scope_alone(name))
    {
        let mut refusal = start(situation, Cause::ScopeNotGranted, format!("{id} needs the scope {}", quoted(named)), WhoCanFix::You)
            .because("it is no role permission, so it is the configured token that lacks it")
            .fix(
                Fix::new("set_token", "make a token with these scopes and set DD_ACCESS_TOKEN (or DD_BEARER_TOKEN) to it")
                    .with("scopes", json!(ask_list(situation.operation, named))),
            )
            .fix(set_keys(situation.operation));
        refusal.missing = named.to_vec();
        return refusal;
    }
    let needs = if named.is_empty() { needed(situation.operation) } else { named.to_vec() };
    let what = if needs.is_empty() { String::new() } else { format!(": it needs {}", quoted(&needs)) };
    let other = if sent_keys { " or the keys sent along" } else { "" };
    let mut refusal = unknown(
        situation,
        format!("Datadog refused {id} for the configured token{other} (403){what}"),
        "either the token was made without the scope, or the role of its owner lacks the permission; the token does not say which scopes it has",
        needs.clone(),
    );
    refusal.fixes = vec![
        Fix::new("set_token", "make a token with the scope and set DD_ACCESS_TOKEN (or DD_BEARER_TOKEN) to it"),
        ask_admin(&needs, "the role of the token's owner may lack it"),
    ];
    if !sent_keys {
        refusal.fixes.push(set_keys(situation.operation));
    }
    refusal
}

/// API and application key.
fn keys(situation: Situation<'_>, named: &[String]) -> Refusal {
    let operation = situation.operation;
    let id = operation.id;
    if operation.auth.bearer && !operation.auth.api_key {
        return keys_unknown(situation);
    }
    if !named.is_empty() && named.iter().all(|name| is_scope_alone(name)) {
        let mut refusal =
            start(situation, Cause::KeyLacksScope, format!("the application key does not have {}", quoted(named)), WhoCanFix::You)
                .because("it is no role permission, so it is the key's own list of scopes that lacks it")
                .fix(Fix::new("set_keys", key_advice(operation)));
        refusal.missing = named.to_vec();
        return refusal;
    }
    let needs = if named.is_empty() { needed(operation) } else { named.to_vec() };
    if needs.is_empty() {
        let mut refusal = keys_unknown(situation);
        refusal.message = format!("Datadog refused {id} for the configured keys (403)");
        refusal.why = Some(format!(
            "a key is mistyped, revoked or of another region ({}), or their owner may not do this",
            situation.site.regional_hint()
        ));
        return refusal;
    }
    let mut refusal = unknown(
        situation,
        format!("Datadog refused {id} for the configured keys (403): it needs {}", quoted(&needs)),
        "either the role of the key's owner lacks the permission, or the application key is limited to scopes without it, or a key is invalid on this site",
        needs.clone(),
    );
    refusal.fixes = vec![
        ask_admin(&needs, "the role of the key's owner may lack it"),
        Fix::new("set_keys", key_advice(operation)),
        Fix::new("set_site", situation.site.regional_hint()),
    ];
    refusal
}

// === parts ===

fn start(situation: Situation<'_>, cause: Cause, message: impl Into<String>, who: WhoCanFix) -> Refusal {
    let mut refusal = situation.refuse(Kind::PermissionDenied, message);
    refusal.cause = Some(cause);
    refusal.who_can_fix = Some(who);
    refusal
}

fn unknown(situation: Situation<'_>, message: impl Into<String>, why: &str, missing: Vec<String>) -> Refusal {
    let mut refusal = start(situation, Cause::Unknown, message, WhoCanFix::Admin).because(why);
    refusal.fixes = vec![
        Fix::new("auth_status", "see which identity is used and what it may do"),
        Fix::new("ask_admin", "ask a Datadog admin which permission this needs"),
    ];
    refusal.missing = missing;
    refusal
}

fn ask_admin(names: &[String], why: &str) -> Fix {
    Fix::new("ask_admin", format!("ask a Datadog admin for a role with the permission; {why}")).with("permissions", json!(names))
}

fn set_keys(operation: &Operation) -> Fix {
    let which = if operation.auth.app_key || !operation.auth.api_key { "DD_API_KEY and DD_APP_KEY" } else { "DD_API_KEY" };
    Fix::new("set_keys", format!("set {which}{}", if is_dbm(operation) { "; the application key must be unscoped" } else { "" }))
}

fn key_advice(operation: &Operation) -> &'static str {
    if is_dbm(operation) {
        "set DD_APP_KEY to an unscoped application key: Database Monitoring refuses scoped ones"
    } else {
        "give the application key the scope, or set DD_APP_KEY to an unscoped one"
    }
}

pub(super) fn is_dbm(operation: &Operation) -> bool {
    operation.path.contains("type=databasequery")
}

/// The named scopes, with both of Database Monitoring's where one is meant.
fn ask_list(operation: &Operation, named: &[String]) -> Vec<String> {
    let mut list = named.to_vec();
    if is_dbm(operation) {
        list.extend(DBM.iter().filter(|scope| !named.iter().any(|name| name == *scope)).map(|scope| (*scope).to_owned()));
    }
    list
}

/// Everything that the operation is known to need, for people: alternatives are listed side by side.
fn needed(operation: &Operation) -> Vec<String> {
    let mut names: Vec<String> = operation.scopes.iter().map(|name| (*name).to_owned()).collect();
    for name in operation.permission.iter().filter(|p| p.rule != PermissionRule::Open).flat_map(|p| p.names) {
        if !names.iter().any(|n| n == name) {
            names.push((*name).to_owned());
        }
    }
    names
}

/// Scopes that the operation needs and the token lacks. Permissions that are no scope are not counted: no token has them.
pub(crate) fn lacking(operation: &Operation, has: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut lacking: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !has(name) && !lacking.iter().any(|n| n == name) {
            lacking.push(name.to_owned());
        }
    };
    match operation.permission {
        // Any of them will do. The scopes that the specification lists are the same alternatives, where they overlap.
        Some(permission) if permission.rule == PermissionRule::Or => {
            let scopes: Vec<&str> = permission.names.iter().copied().filter(|name| can_be_asked_for(name)).collect();
            let same = operation.scopes.iter().any(|scope| permission.names.contains(scope));
            if !same {
                operation.scopes.iter().copied().for_each(&mut add);
            }
            let beyond = permission.names.iter().any(|name| !can_be_asked_for(name));
            // An alternative that is no scope may have been met by the role.
            if (!beyond || same) && !scopes.iter().any(|name| has(name)) {
                scopes.into_iter().for_each(add);
            }
        }
        Some(permission) if permission.rule == PermissionRule::And => {
            operation.scopes.iter().copied().for_each(&mut add);
            permission.names.iter().copied().filter(|name| can_be_asked_for(name)).for_each(add);
        }
        _ => operation.scopes.iter().for_each(|name| add(name)),
    }
    lacking
}

/// Whether a sign-in can ask for the scope: catalogued, asked for by Datadog's own clients, or named as one by an operation.
fn can_be_asked_for(name: &str) -> bool {
    datadog_catalogue::scope(name).is_some_and(|scope| scope.obtainable != Obtainable::NotKnown || scope.asked_by_operations)
}

/// Whether a name is a scope and no role permission, so that no role can lack it.
fn is_scope_alone(name: &str) -> bool {
    can_be_asked_for(name) && datadog_catalogue::scope(name).is_some_and(|scope| !scope.role_permission)
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{}`", crate::untrusted::shown(name, 80))).collect::<Vec<_>>().join(", ")
}
