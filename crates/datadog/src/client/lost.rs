//! No usable answer: what that means for the request, and the refusal that says so.

use crate::answer::{MAYBE_DONE, Situation};
use crate::{Fix, Kind, Refusal, WhoCanFix};
use datadog_catalogue::Effect;

/// Why nothing usable came back.
#[derive(Debug, Clone)]
pub(super) enum Lost {
    /// No connection: nothing of the request has left.
    NotSent(&'static str),
    /// The server's certificate was not accepted; trying again cannot help.
    Untrusted,
    /// The request left, or may have; no answer, or not a whole one.
    Broken(&'static str),
    /// A success whose body passed the cap.
    TooLarge { request_id: Option<String> },
    /// The request itself cannot be sent.
    Unsendable,
}

impl Lost {
    /// The refusal that says so. `cap` is the largest answer that would have been read.
    pub(super) fn refusal(&self, situation: Situation<'_>, cap: u64) -> Refusal {
        let id = situation.operation.id;
        let host = situation.site.base_ref(situation.operation.host).host_str().unwrap_or("Datadog").to_owned();
        let site = situation.site.name();
        match self {
            Self::NotSent(why) => {
                let mut refusal = situation
                    .refuse(Kind::UpstreamFailed, format!("{host} cannot be reached: {why}"))
                    .because(format!("nothing of {id} was sent"))
                    .fix(Fix::new(
                        "check_network",
                        format!("check the network, DD_SITE (now {site}) and whether a proxy is needed (--proxy)"),
                    ));
                refusal.who_can_fix = Some(WhoCanFix::You);
                refusal
            }
            Self::Untrusted => {
                let mut refusal = situation
                    .refuse(Kind::UpstreamFailed, format!("the certificate of {host} is not trusted"))
                    .because("nothing was sent; a proxy that inspects TLS, or missing root certificates, are the usual reasons")
                    .fix(Fix::new("set_roots", "set SSL_CERT_FILE to a PEM file with the root certificate"));
                refusal.who_can_fix = Some(WhoCanFix::Operator);
                refusal
            }
            Self::Broken(why) if situation.operation.kind.effect() == Effect::Read => {
                let mut refusal = situation
                    .refuse(Kind::UpstreamFailed, format!("{id} got no whole answer from {host}: {why}"))
                    .fix(Fix::new("repeat", "repeat the call; ask for less if it happens again"));
                refusal.who_can_fix = Some(WhoCanFix::Datadog);
                refusal
            }
            Self::Broken(why) => {
                let mut refusal = situation
                    .refuse(Kind::UpstreamFailed, format!("{id} got no whole answer from {host}: {why}"))
                    .because(MAYBE_DONE)
                    .fix(Fix::new("check", "read the object first; repeat the call only if nothing happened"));
                refusal.who_can_fix = Some(WhoCanFix::You);
                refusal
            }
            Self::TooLarge { request_id } => {
                let mut refusal = situation
                    .refuse(Kind::TooLarge, format!("the answer to {id} is larger than {} (decoded)", size(cap)))
                    .because("reading stopped there; nothing of it was used")
                    .fix(Fix::new("narrow", "ask for less: a smaller limit or page, a shorter time range, a narrower query"));
                refusal.who_can_fix = Some(WhoCanFix::You);
                refusal.request_id.clone_from(request_id);
                refusal
            }
            Self::Unsendable => situation.refuse(Kind::Internal, format!("{id} could not be put into a request")),
        }
    }
}

impl From<&reqwest::Error> for Lost {
    /// Sorts an error of reqwest by what it means for the request, in our own words: its texts carry URLs.
    fn from(error: &reqwest::Error) -> Self {
        if error.is_builder() {
            return Self::Unsendable;
        }
        let mut source: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
        let mut io = None;
        let mut texts = String::new();
        while let Some(cause) = source {
            if let Some(found) = cause.downcast_ref::<std::io::Error>() {
                io = io.or(Some(found.kind()));
            }
            texts.push_str(&cause.to_string().to_ascii_lowercase());
            texts.push('\n');
            source = cause.source();
        }
        if texts.contains("certificate") {
            return Self::Untrusted;
        }
        let why = match io {
            _ if texts.contains("dns") || texts.contains("lookup address") => "its name cannot be resolved",
            Some(std::io::ErrorKind::ConnectionRefused) => "nothing listens there (connection refused)",
            Some(std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe) => "the connection was reset",
            Some(std::io::ErrorKind::UnexpectedEof) => "the connection was closed",
            _ if error.is_timeout() => "connecting took too long",
            _ if error.is_connect() => "no connection could be made",
            _ => "the connection ended before an answer",
        };
        if error.is_connect() { Self::NotSent(why) } else { Self::Broken(why) }
    }
}

fn size(bytes: u64) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes.div_ceil(1024)) }
}
