//! From an answer that is no success to the refusal that says what happened, why, and what to do next.

use super::{Said, cause};
use crate::client::rate::{RateFacts, Waits};
use crate::{Cause, Credential, CredentialFacts, Fix, Kind, Refusal, Site, WhoCanFix};
use datadog_catalogue::{Effect, Operation};
use serde_json::json;

/// Who asked for what, where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    pub(crate) site: &'a Site,
    pub(crate) operation: &'static Operation,
    pub(crate) credential: &'a Credential,
    /// What the probe with the same token gave, when one was made.
    pub(crate) probe: Option<Probe>,
}

/// Whether Datadog takes the bearer token at all: `GET /api/v2/current_user` needs no scope (`reference/pup.md` §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    /// The token is good.
    Accepted,
    /// The token is refused everywhere.
    Rejected,
    /// No usable answer.
    Unclear,
}

/// An answer with a status that is no success.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failed {
    pub(crate) status: u16,
    pub(crate) said: Said,
    pub(crate) request_id: Option<String>,
    pub(crate) rate: Option<RateFacts>,
    pub(crate) waits: Waits,
}

impl Situation<'_> {
    pub(crate) fn credential_facts(&self) -> CredentialFacts {
        CredentialFacts {
            kind: self.credential.kind.word().to_owned(),
            site: self.site.name().to_owned(),
            org: self.credential.org.clone(),
        }
    }

    /// A refusal with what is known of the call.
    pub(crate) fn refuse(&self, kind: Kind, message: impl Into<String>) -> Refusal {
        let mut refusal = Refusal::new(kind, message).on(self.operation.id);
        refusal.credential = Some(self.credential_facts());
        refusal
    }
}

/// The refusal for an answer, by its status (DESIGN: "Refusals").
pub(crate) fn refusal(situation: Situation<'_>, failed: &Failed) -> Refusal {
    let id = situation.operation.id;
    let status = failed.status;
    let mut refusal = match status {
        401 | 402 | 403 | 451 => cause::permission(situation, failed),
        404 | 410 => not_found(situation),
        408 if situation.operation.kind.effect() != Effect::Read => upstream(situation, status),
        408 => situation
            .refuse(Kind::Timeout, format!("Datadog gave up waiting for {id} (408)"))
            .fix(Fix::new("narrow", "ask for less: a shorter time range, a smaller limit, a narrower query")),
        409 | 412 | 423 | 428 => situation
            .refuse(Kind::Conflict, format!("Datadog refused {id} because of the present state of the object ({status})"))
            .because("it exists already, was changed by someone else in the meantime, or is in use")
            .fix(Fix::new("read_again", "read the object as it is now, then decide")),
        413 => too_large(situation),
        429 => rate_limited(situation, failed),
        400 | 405 | 406 | 411 | 414 | 415 | 417 | 422 | 424 | 431 => invalid(situation, status),
        500..=599 => upstream(situation, status),
        _ => situation.refuse(Kind::UpstreamFailed, format!("Datadog answered {id} with an unexpected status ({status})")),
    };
    refusal.status = Some(status);
    refusal.datadog_said = failed.said.text();
    refusal.request_id.clone_from(&failed.request_id);
    refusal
}

/// The refusal for an answer that points elsewhere; nothing was sent there. `target` is the host it named.
pub(crate) fn redirected(situation: Situation<'_>, status: u16, target: Option<&str>, request_id: Option<String>) -> Refusal {
    let host = target.map_or_else(|| "nowhere".to_owned(), |host| format!("to {}", crate::untrusted::shown(host, 120)));
    let mut refusal = if let Some(site) = target.and_then(|host| situation.site.other_site_of(host)) {
        cause::wrong_site(situation, site)
    } else {
        let mut refusal = situation.refuse(
            Kind::UpstreamFailed,
            format!("{} was answered with a redirect {host} ({status}), which is never followed", situation.operation.id),
        );
        refusal.who_can_fix = Some(WhoCanFix::Operator);
        refusal
            .because("a credential must not travel to a host that nobody chose")
            .fix(Fix::new("check_site", format!("check DD_SITE (now {}) and any proxy in between", situation.site.name())))
    };
    refusal.status = Some(status);
    refusal.request_id = request_id;
    refusal
}

fn not_found(situation: Situation<'_>) -> Refusal {
    let mut refusal = situation
        .refuse(Kind::NotFound, format!("Datadog knows nothing under the given ids ({})", situation.operation.id))
        .because(format!("in the org of this credential on {}, it does not exist or was deleted", situation.site.name()))
        .fix(Fix::new("search", "find the id with the search or list tool of the same product, and give it as shown there"));
    if situation.operation.unstable || situation.operation.deprecated {
        let word = if situation.operation.deprecated { "deprecated" } else { "unstable" };
        refusal = refusal.fix(Fix::new("use_another", format!("the operation is marked {word}; it may not exist on this site")));
    }
    refusal.who_can_fix = Some(WhoCanFix::You);
    refusal
}

fn too_large(situation: Situation<'_>) -> Refusal {
    let mut refusal = situation
        .refuse(Kind::TooLarge, format!("{} is too large for Datadog (413)", situation.operation.id))
        .fix(Fix::new("narrow", "ask for less: a shorter time range, a smaller limit, a narrower query; send smaller bodies"));
    refusal.who_can_fix = Some(WhoCanFix::You);
    refusal
}

fn rate_limited(situation: Situation<'_>, failed: &Failed) -> Refusal {
    let wait = failed.waits.longest().map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
    rate_refusal(situation, failed.rate.as_ref(), wait)
}

/// A refusal for a limit that is used up, told by Datadog now or before.
pub(crate) fn rate_refusal(situation: Situation<'_>, rate: Option<&RateFacts>, wait_s: Option<u64>) -> Refusal {
    let bucket = rate.and_then(|rate| rate.name.as_deref());
    let limit = rate.filter(|rate| rate.limit > 0).map_or_else(String::new, |rate| match rate.period_s {
        0 => format!(" of {} calls", rate.limit),
        period => format!(" of {} calls per {period} s", rate.limit),
    });
    let named = bucket.map_or_else(String::new, |bucket| format!(" ({bucket})"));
    let mut refusal =
        situation.refuse(Kind::RateLimited, format!("Datadog's rate limit{limit} for {} is used up{named}", situation.operation.id));
    refusal.retry_after_s = wait_s;
    refusal.bucket = bucket.map(str::to_owned);
    refusal.who_can_fix = Some(WhoCanFix::You);
    refusal.docs = Some("https://docs.datadoghq.com/api/latest/rate-limits/".to_owned());
    let wait = match wait_s {
        Some(seconds) => Fix::new("wait", format!("the limit is free again in {seconds} s; repeat the call then")).with("seconds", seconds),
        None => Fix::new("wait", "wait a little and repeat the call; Datadog did not say how long"),
    };
    refusal.because("the limit belongs to the org and is shared with everything else that uses it").fix(wait)
}

fn invalid(situation: Situation<'_>, status: u16) -> Refusal {
    let mut refusal = situation
        .refuse(Kind::InvalidArguments, format!("Datadog does not accept the arguments of {} ({status})", situation.operation.id))
        .because("its words below say which")
        .fix(
            Fix::new("tools_find", "look up what the operation takes, then correct the arguments")
                .with("query", json!(situation.operation.id)),
        );
    refusal.who_can_fix = Some(WhoCanFix::You);
    refusal
}

fn upstream(situation: Situation<'_>, status: u16) -> Refusal {
    let mut refusal = situation.refuse(Kind::UpstreamFailed, format!("Datadog failed on {} ({status})", situation.operation.id));
    refusal.who_can_fix = Some(WhoCanFix::Datadog);
    if situation.operation.kind.effect() == Effect::Read {
        refusal
            .because("the fault is on Datadog's side or on the way there")
            .fix(Fix::new("wait", "repeat the call in a minute; if it stays, see https://status.datadoghq.com"))
            .fix(Fix::new("narrow", "a shorter time range or a narrower query often helps when a query is too heavy"))
    } else {
        refusal.because(MAYBE_DONE).fix(Fix::new("check", "read the object first; repeat the call only if nothing happened"))
    }
}

/// Why a write without a clear answer is not sent again.
pub(crate) const MAYBE_DONE: &str = "the write may have taken effect; it was not sent again";

/// Whether a permission refusal allows one more try with another identity (DESIGN: "Credentials and sign-in").
pub(crate) fn another_identity_may_help(refusal: &Refusal) -> bool {
    matches!(refusal.cause, Some(Cause::ScopeNotGranted | Cause::ScopeRefused | Cause::ScopeDoesNotExist | Cause::OauthNotAccepted))
}
