//! One call from its first try to its end: which credential, how often, how long to wait in between.

use super::gate::{Admission, Empty, LaneKey};
use super::lost::Lost;
use super::rate::Waits;
use super::wire::{Arrived, Wire};
use super::{Identity, Inner, Reply};
use crate::answer::{self, Failed, Probe, Said, Situation};
use crate::{Credential, CredentialKind, Fix, Kind, Principal, Refusal, Request, WhoCanFix};
use datadog_catalogue::{Effect, Operation};
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Needs no scope and takes every bearer token: tells a bad token from a route without OAuth (`reference/pup.md` §3).
const WHO_AM_I: &str = "/api/v2/current_user";

/// Longest wait for the probe.
const PROBE_PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Call<'a> {
    client: &'a Inner,
    who: &'a Principal,
    request: &'a Request,
    deadline: Instant,
    started: Instant,
    /// Whether an exchange is under way whose outcome nobody knows.
    sent: &'a AtomicBool,
    /// Exchanges so far, over all credentials.
    tries: u32,
}

/// How the tries with one credential ended.
enum End {
    Success(Arrived),
    /// 401 or 403: another credential may do better.
    Denied(Arrived),
    Refused(Refusal),
}

impl<'a> Call<'a> {
    pub(super) fn new(client: &'a Inner, who: &'a Principal, request: &'a Request, deadline: Instant, sent: &'a AtomicBool) -> Self {
        Self { client, who, request, deadline, sent, started: Instant::now(), tries: 0 }
    }

    /// The first credential; once a renewed one; once another identity.
    pub(super) async fn run(mut self) -> Result<Reply, Refusal> {
        let operation = self.request.operation;
        let (site, source) = (&self.client.site, &self.client.credentials);
        let mut credential = if crate::credentials::is_open(operation) {
            Credential::none("default")
        } else {
            source.first(self.who, site, operation).await?
        };
        let mut may_renew = true;
        let mut instead_of: Option<String> = None;
        loop {
            let denied = match self.with(&credential).await {
                End::Success(arrived) => return Ok(self.reply(arrived, &credential, instead_of)),
                End::Refused(refusal) => return Err(because_of_first(refusal, instead_of)),
                End::Denied(arrived) => arrived,
            };
            let mut probe = None;
            if let (401, Some(bearer)) = (denied.status, &credential.bearer) {
                let found = self.probe(bearer).await;
                // A good token gains nothing from being renewed.
                if found != Probe::Accepted && may_renew {
                    may_renew = false;
                    if let Some(fresh) = source.renewed(self.who, site, &credential).await {
                        credential = fresh;
                        continue;
                    }
                }
                probe = Some(found);
            }
            let refusal = answer::refusal(self.situation(&credential, probe), &failed(&denied));
            if instead_of.is_none()
                && answer::another_identity_may_help(&refusal)
                && let Some(other) = source.fallback(self.who, site, operation, &credential).await
            {
                tracing::debug!(operation = operation.id, cause = ?refusal.cause, "refused; trying once more with another identity");
                instead_of = Some(format!("{} was refused: {}", word(credential.kind), refusal.message));
                credential = other;
                continue;
            }
            return Err(because_of_first(refusal, instead_of));
        }
    }

    fn situation<'s>(&'s self, credential: &'s Credential, probe: Option<Probe>) -> Situation<'s> {
        Situation { site: &self.client.site, operation: self.request.operation, credential, probe }
    }

    /// All tries with one credential.
    async fn with(&mut self, credential: &Credential) -> End {
        let situation = Situation { site: &self.client.site, operation: self.request.operation, credential, probe: None };
        let wire = match Wire::new(&self.client.site, self.request, credential) {
            Ok(wire) => wire,
            Err(refusal) => return End::Refused(refusal),
        };
        let http = match self.client.transport.client() {
            Ok(http) => http,
            Err(refusal) => return End::Refused(refusal),
        };
        let config = &self.client.config;
        let mut tries = 0;
        loop {
            let admission = match self.client.gates.admit(self.lane(credential), self.request.operation.id, self.deadline).await {
                Ok(admission) => admission,
                Err(empty) => return End::Refused(held(situation, &empty)),
            };
            tries += 1;
            self.tries += 1;
            self.sent.store(true, Ordering::Relaxed);
            let outcome = wire.exchange(http, config.max_answer_bytes, config.idle_timeout).await;
            self.sent.store(false, Ordering::Relaxed);
            self.log(&outcome);
            let again = tries < config.max_tries.max(1);
            let (pause, ended) = match outcome {
                Ok(arrived) => {
                    let pause = self.report(admission, &arrived, tries);
                    match self.judge(arrived, situation) {
                        Judged::Ended(end) => return end,
                        Judged::Passing(refusal) => (pause, refusal),
                    }
                }
                Err(lost) => {
                    drop(admission);
                    let refusal = lost.refusal(situation, config.max_answer_bytes);
                    let may = match lost {
                        Lost::NotSent(_) => true,
                        Lost::Broken(_) => is_read(self.request.operation),
                        Lost::Untrusted | Lost::TooLarge { .. } | Lost::Unsendable => false,
                    };
                    if !may {
                        return End::Refused(refusal);
                    }
                    (Some(self.backoff(tries)), refusal)
                }
            };
            // A pause that the deadline does not allow would only turn a clear refusal into a timeout.
            match pause {
                Some(pause) if again && Instant::now() + pause < self.deadline => tokio::time::sleep(pause).await,
                // The gate does the waiting, and knows whether it fits.
                None if again => {}
                _ => return End::Refused(ended),
            }
        }
    }

    /// Tells the gate, and says how long to pause before another try; `None` when the gate will hold it.
    fn report(&self, admission: Admission<'_>, arrived: &Arrived, tries: u32) -> Option<Duration> {
        if arrived.status != 429 {
            admission.answered(arrived.rate.as_ref(), None);
            return Some(self.backoff(tries).max(arrived.waits.retry_after.unwrap_or_default()));
        }
        // A 429 that says nothing usable, or "now": wait as after any other fault.
        let wait =
            arrived.waits.longest().filter(|wait| !wait.is_zero()).unwrap_or_else(|| self.backoff(tries).max(self.client.config.backoff.0));
        admission.answered(arrived.rate.as_ref(), Some(wait));
        None
    }

    /// Sorts an answer: an end, or a fault that may pass.
    fn judge(&self, arrived: Arrived, situation: Situation<'_>) -> Judged {
        let status = arrived.status;
        match status {
            200..=299 => Judged::Ended(self.success(arrived, situation)),
            304 if self.request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("if-none-match")) => {
                Judged::Ended(End::Success(arrived))
            }
            300..=399 => {
                Judged::Ended(End::Refused(answer::redirected(situation, status, arrived.location.as_deref(), arrived.request_id)))
            }
            401 | 403 => Judged::Ended(End::Denied(arrived)),
            429 => Judged::Passing(answer::refusal(situation, &failed(&arrived))),
            408 | 500 | 502 | 503 | 504 if is_read(self.request.operation) => {
                Judged::Passing(answer::refusal(situation, &failed(&arrived)))
            }
            _ => Judged::Ended(End::Refused(answer::refusal(situation, &failed(&arrived)))),
        }
    }

    /// A page instead of an answer is no success, whatever its status says. 204 carries `text/html` at Datadog, and no body.
    fn success(&self, arrived: Arrived, situation: Situation<'_>) -> End {
        let wants_html = situation.operation.answers.iter().any(|answer| answer.contains("html"));
        if wants_html || !arrived.content_type.contains("html") || arrived.body.trim_ascii().is_empty() {
            return End::Success(arrived);
        }
        let mut refusal = situation
            .refuse(Kind::UpstreamFailed, format!("{} was answered with a web page instead of data", situation.operation.id))
            .because("a proxy, a gateway or a sign-in page stands between this server and the API")
            .fix(Fix::new("check_site", format!("check DD_SITE (now {}) and any proxy in between", self.client.site.name())));
        refusal.status = Some(arrived.status);
        refusal.who_can_fix = Some(WhoCanFix::Operator);
        refusal.datadog_said = Said::read(&arrived.content_type, &arrived.body).text();
        refusal.request_id = arrived.request_id;
        End::Refused(refusal)
    }

    fn reply(&self, arrived: Arrived, credential: &Credential, instead_of: Option<String>) -> Reply {
        Reply {
            operation: self.request.operation,
            status: arrived.status,
            content_type: arrived.content_type,
            body: arrived.body,
            rate: arrived.rate,
            identity: Identity { kind: credential.kind, org: credential.org.clone(), instead_of },
            tries: self.tries,
            request_id: arrived.request_id,
            date: arrived.date,
        }
    }

    /// Whether the token is good at all. Asked only after a 401, on the same base URL.
    async fn probe(&self, bearer: &crate::Secret) -> Probe {
        if self.request.operation.path == WHO_AM_I {
            return Probe::Rejected;
        }
        let (Ok(wire), Ok(http)) = (Wire::probe(&self.client.site, WHO_AM_I, bearer), self.client.transport.client()) else {
            return Probe::Unclear;
        };
        let asked = tokio::time::timeout(PROBE_PATIENCE, wire.exchange(http, 1 << 20, PROBE_PATIENCE)).await;
        let found = match asked {
            Ok(Ok(arrived)) if (200..300).contains(&arrived.status) => Probe::Accepted,
            // A scope is not needed there: 403 means that the token was understood.
            Ok(Ok(arrived)) if arrived.status == 403 => Probe::Accepted,
            Ok(Ok(arrived)) if arrived.status == 401 => Probe::Rejected,
            _ => Probe::Unclear,
        };
        tracing::debug!(route = WHO_AM_I, ?found, "probed the token");
        found
    }

    /// Random up to a bound that doubles with every try ("full jitter").
    fn backoff(&self, tries: u32) -> Duration {
        let (base, most) = self.client.config.backoff;
        let bound = base.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1).min(16))).min(most);
        bound.mul_f64(rand::random_range(0.0..=1.0))
    }

    /// Whose buckets the calls count against: the session, or a hash of what was configured.
    fn lane(&self, credential: &Credential) -> LaneKey {
        let secret = |secret: &Option<crate::Secret>| secret.as_ref().map(|secret| self.client.hasher.hash_one(secret.expose()));
        // A session's token changes every hour; its buckets do not.
        let token = if credential.kind == CredentialKind::Oauth { None } else { secret(&credential.bearer) };
        let key = credential.keys.as_ref().map(|keys| self.client.hasher.hash_one(keys.api.expose()));
        let identity = self.client.hasher.hash_one((credential.kind, &credential.org, token, key));
        LaneKey { who: self.who.clone(), identity }
    }

    /// The template and not the path: ids and queries are the caller's business.
    fn log(&self, outcome: &Result<Arrived, Lost>) {
        let operation = self.request.operation;
        let elapsed_ms = self.started.elapsed().as_millis() as u64;
        match outcome {
            Ok(arrived) => tracing::debug!(
                method = ?operation.method, route = operation.path, status = arrived.status, tries = self.tries, elapsed_ms,
                bytes = arrived.body.len(), "answered"
            ),
            Err(lost) => tracing::debug!(method = ?operation.method, route = operation.path, ?lost, tries = self.tries, elapsed_ms, "lost"),
        }
    }
}

enum Judged {
    Ended(End),
    Passing(Refusal),
}

fn is_read(operation: &Operation) -> bool {
    operation.kind.effect() == Effect::Read
}

fn failed(arrived: &Arrived) -> Failed {
    Failed {
        status: arrived.status,
        said: Said::read(&arrived.content_type, &arrived.body),
        request_id: arrived.request_id.clone(),
        rate: arrived.rate.clone(),
        waits: if arrived.status == 429 { arrived.waits } else { Waits::default() },
    }
}

/// The gate knows that the bucket stays empty beyond the deadline.
fn held(situation: Situation<'_>, empty: &Empty) -> Refusal {
    let seconds = empty.wait.as_secs() + u64::from(empty.wait.subsec_nanos() > 0);
    let mut refusal = answer::rate_refusal(situation, empty.facts.as_ref(), Some(seconds));
    refusal.status = None;
    refusal
}

/// Says in a second refusal that another identity was refused before.
fn because_of_first(mut refusal: Refusal, instead_of: Option<String>) -> Refusal {
    if let Some(first) = instead_of {
        let why = refusal.why.take().map(|why| format!("{why}; ")).unwrap_or_default();
        refusal.why = Some(format!("{why}before that, {first}"));
    }
    refusal
}

fn word(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Oauth => "the sign-in session",
        CredentialKind::Bearer => "the configured token",
        CredentialKind::Keys => "the configured keys",
        CredentialKind::BearerAndKeys => "the configured token with keys",
        CredentialKind::None => "the call without a credential",
    }
}
