//! `auth_status`: who acts, with what, and which tools that identity cannot use.

mod reach;

use super::{Facts, Run, plan};
use crate::{CallContext, Content, Draft, Effect, Tool, arguments};
use async_trait::async_trait;
use datadog_client::{Credential, CredentialKind, Kind, Refusal, untrusted};
use reach::Unusable;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

const WHO_AM_I: &str = "v2.GetCurrentUser";
const PERMISSIONS: &str = "v2.ListUserPermissions";

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    let mut tool = super::tool(StatusTool);
    tool.output_schema = Some(Arc::new(arguments::schema_of::<Status>(false)));
    vec![tool]
}

struct StatusTool;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {}

/// What is known of the identity that acts; text and structure of the answer say the same.
///
/// Field names say most of it, and every word here is paid for in each client's context: few have a description.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Status {
    signed_in: bool,
    site: String,
    org: String,
    /// oauth, bearer, keys, bearer+keys or none
    credential: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
    /// Absent when they cannot be known
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    refused_scopes: Vec<String>,
    /// As far as it can be known before a call
    cannot_use: Vec<Unusable>,
    notes: Vec<String>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Identity {
    name: String,
    handle: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

#[async_trait]
impl Run for StatusTool {
    type Arguments = Arguments;

    const FACTS: Facts = Facts {
        name: "auth_status",
        title: "Who acts, and what it may do",
        description: "Says which Datadog identity this server acts as: site, org, kind of credential, user, scopes, and which tools it cannot use \
            and why. Use it first when calls are refused, or to learn the site and org. Next: follow the fix it names.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[WHO_AM_I],
        view: false,
    };

    async fn run(&self, cx: &CallContext<'_>, _: Arguments) -> Result<Draft, Refusal> {
        let status = status(cx).await?;
        let mut draft = Draft::new("status", Content::Words(words(&status)));
        draft.structured = serde_json::to_value(&status).ok();
        Ok(draft)
    }
}

async fn status(cx: &CallContext<'_>) -> Result<Status, Refusal> {
    let request = plan(WHO_AM_I, json!({}))?;
    let site = cx.client.site();
    let mut status = Status {
        signed_in: false,
        site: site.name().to_owned(),
        org: "default".to_owned(),
        credential: CredentialKind::None.word().to_owned(),
        identity: None,
        scopes: None,
        refused_scopes: Vec::new(),
        cannot_use: Vec::new(),
        notes: Vec::new(),
    };
    let credential = match cx.client.credentials().first(cx.who, site, request.operation).await {
        Ok(credential) => credential,
        Err(refusal) if matches!(refusal.kind, Kind::SignInRequired | Kind::SignInPending) => {
            status.notes = lines_of(&refusal);
            return Ok(status);
        }
        Err(refusal) => return Err(refusal),
    };
    status.org.clone_from(&credential.org);
    credential.kind.word().clone_into(&mut status.credential);
    status.scopes = credential.granted.as_ref().map(|granted| granted.iter().cloned().collect());
    status.refused_scopes = credential.refused.iter().cloned().collect();
    match cx.send(&request).await {
        Ok(reply) => {
            status.signed_in = true;
            let user = reply.json()?;
            status.identity = Some(identity(&user));
            let permissions = permissions(cx, &user, &mut status.notes).await;
            status.cannot_use = unusable(cx, &credential, permissions.as_ref());
        }
        Err(refusal) if refusal.kind == Kind::PermissionDenied => {
            status.notes = lines_of(&refusal);
            status.cannot_use = unusable(cx, &credential, None);
        }
        Err(refusal) => return Err(refusal),
    }
    Ok(status)
}

fn unusable(cx: &CallContext<'_>, credential: &Credential, permissions: Option<&BTreeSet<String>>) -> Vec<Unusable> {
    cx.registry.listed().iter().filter_map(|tool| reach::unusable(tool, credential, permissions)).collect()
}

/// The user's role permissions, when this identity may read them.
async fn permissions(cx: &CallContext<'_>, user: &Value, notes: &mut Vec<String>) -> Option<BTreeSet<String>> {
    let id = user.pointer("/data/id").and_then(Value::as_str)?;
    let found = async {
        let reply = cx.send(&plan(PERMISSIONS, json!({"user_id": id}))?).await?;
        reply.json()
    };
    match found.await {
        Ok(answer) => {
            let names = answer.get("data")?.as_array()?.iter().filter_map(|permission| permission.pointer("/attributes/name")?.as_str());
            Some(names.map(str::to_owned).collect())
        }
        Err(refusal) => {
            notes.push(format!(
                "The role's permissions could not be read ({}), so tools it cannot use may be missing here.",
                refusal.message
            ));
            None
        }
    }
}

fn identity(user: &Value) -> Identity {
    let text =
        |name: &str| user.pointer(&format!("/data/attributes/{name}")).and_then(Value::as_str).map(|text| untrusted::shown(text, 120));
    Identity {
        name: text("name").filter(|name| !name.is_empty()).unwrap_or_else(|| "unnamed".to_owned()),
        handle: text("handle").or_else(|| text("email")).unwrap_or_default(),
        state: text("status").filter(|state| state != "Active"),
    }
}

fn lines_of(refusal: &Refusal) -> Vec<String> {
    let mut lines = vec![refusal.message.clone()];
    lines.extend(refusal.why.clone());
    lines.extend(refusal.fixes.iter().map(|fix| format!("{}: {}", fix.action, fix.why)));
    lines
}

fn words(status: &Status) -> String {
    let mut text = match (&status.identity, status.signed_in) {
        (Some(identity), _) => format!(
            "Signed in to {} (org {}) as {} <{}> by {}.",
            status.site, status.org, identity.name, identity.handle, status.credential
        ),
        (None, true) => format!("Signed in to {} (org {}) by {}.", status.site, status.org, status.credential),
        (None, false) => format!("Not signed in to {} (org {}); credential: {}.", status.site, status.org, status.credential),
    };
    if let Some(state) = status.identity.as_ref().and_then(|identity| identity.state.as_deref()) {
        let _infallible = write!(text, "\nUser state: {state}.");
    }
    match &status.scopes {
        Some(scopes) => {
            let _infallible = write!(text, "\nScopes granted ({}): {}.", scopes.len(), scopes.join(", "));
        }
        None if status.credential.contains("bearer") => {
            text.push_str("\nScopes: not known for a configured token; a refusal names what is missing.");
        }
        None => {}
    }
    if !status.refused_scopes.is_empty() {
        let _infallible = write!(text, "\nScopes refused by Datadog: {}.", status.refused_scopes.join(", "));
    }
    if status.signed_in && status.cannot_use.is_empty() {
        text.push_str("\nNo listed tool is known to be closed to this identity.");
    }
    for unusable in &status.cannot_use {
        let _infallible = write!(text, "\nCannot use {}: {}", unusable.tool, unusable.why);
    }
    for note in &status.notes {
        let _infallible = write!(text, "\n{note}");
    }
    text
}

#[cfg(test)]
mod tests;
