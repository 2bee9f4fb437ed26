//! Why Datadog refused permission, decided from facts: its words, the operation's needs, what the credential is known to
//! have. Where the facts allow two explanations the cause is `unknown`, and both are told.

mod needs;
mod unauthorized;

pub use needs::lacking_scopes;

use super::explain::{Failed, Situation};
use crate::{Cause, Fix, Kind, Refusal, WhoCanFix};
use datadog_catalogue::Operation;
use needs::{DBM, can_be_asked_for, is_dbm, is_scope_alone, needed};
use serde_json::json;
use unauthorized::{keys_unknown, unauthorized};

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
            let lacking = if named.is_empty() {
                lacking_scopes(situation.operation, granted).into_iter().map(str::to_owned).collect()
            } else {
                named.iter().filter(|name| !granted.contains(*name)).cloned().collect()
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

/// The named scopes, with both of Database Monitoring's where one is meant.
fn ask_list(operation: &Operation, named: &[String]) -> Vec<String> {
    let mut list = named.to_vec();
    if is_dbm(operation) {
        list.extend(DBM.iter().filter(|scope| !named.iter().any(|name| name == *scope)).map(|scope| (*scope).to_owned()));
    }
    list
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{}`", crate::untrusted::shown(name, 80))).collect::<Vec<_>>().join(", ")
}
