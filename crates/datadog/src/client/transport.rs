//! The HTTP client underneath: one pool, TLS by the platform's roots, no redirects.

use super::ClientConfig;
use crate::{Fix, Kind, Refusal, Secret, Site, WhoCanFix};
use datadog_catalogue::Host;
use std::sync::OnceLock;
use std::time::Duration;

/// How long an unused connection is kept: agents think between calls, and a TLS handshake costs more than the call.
const KEEP_IDLE: Duration = Duration::from_secs(300);

/// The pool, built at the first request: reading the platform's certificates takes longer than starting the server may.
#[derive(Debug)]
pub(super) struct Transport {
    config: ClientConfig,
    /// Whether every request goes to plain `http` (the sandbox, a local gateway): no certificates are read then.
    plain: bool,
    built: OnceLock<Result<reqwest::Client, Refusal>>,
}

impl Transport {
    /// Checks the proxy and the certificates, so that a mistake shows at the start and not at the first call.
    pub(super) fn new(config: ClientConfig, site: &Site) -> Result<Self, Refusal> {
        if let Some(proxy) = &config.proxy {
            parse_proxy(proxy)?;
        }
        extra_roots(&config)?;
        if http::HeaderValue::from_str(&config.user_agent).is_err() {
            return Err(Refusal::new(Kind::Internal, "the user agent has characters that no header can carry"));
        }
        let plain = site.base_ref(Host::Api).scheme() == "http" && config.proxy.is_none();
        Ok(Self { config, plain, built: OnceLock::new() })
    }

    pub(super) fn client(&self) -> Result<&reqwest::Client, Refusal> {
        self.built.get_or_init(|| self.build()).as_ref().map_err(Clone::clone)
    }

    fn build(&self) -> Result<reqwest::Client, Refusal> {
        let roots = extra_roots(&self.config)?;
        let mut builder = reqwest::Client::builder()
            .user_agent(&self.config.user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.config.connect_timeout)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(60))
            .pool_idle_timeout(KEEP_IDLE)
            .pool_max_idle_per_host(64)
            .http2_adaptive_window(true)
            .no_proxy();
        builder = if self.plain { builder.tls_certs_only(roots) } else { builder.tls_certs_merge(roots) };
        if let Some(proxy) = &self.config.proxy {
            builder = builder.proxy(parse_proxy(proxy)?);
        }
        builder.build().map_err(|error| {
            // The error may quote the proxy; only its kind is told.
            tracing::debug!(kind = ?ErrorKind(&error), "the HTTP client could not be built");
            let mut refusal = Refusal::new(Kind::Internal, "the HTTPS client could not be built")
                .because("most often the system has no root certificates")
                .fix(Fix::new(
                    "set_roots",
                    "install the system's ca-certificates, or set SSL_CERT_FILE to a PEM file of root certificates",
                ));
            refusal.who_can_fix = Some(WhoCanFix::Operator);
            refusal
        })
    }
}

/// Class of an error of reqwest, without the texts that it carries.
struct ErrorKind<'a>(&'a reqwest::Error);

impl std::fmt::Debug for ErrorKind<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_builder() { "builder" } else { "other" })
    }
}

fn parse_proxy(proxy: &Secret) -> Result<reqwest::Proxy, Refusal> {
    let refuse = |why: &str| {
        // The text may hold a password: it is not repeated.
        let mut refusal = Refusal::new(Kind::Internal, format!("the proxy cannot be used: {why}"))
            .fix(Fix::new("set_proxy", "write it as http://proxy.example.com:3128, with user:password@ in front of the host if need be"));
        refusal.who_can_fix = Some(WhoCanFix::Operator);
        refusal
    };
    let text = proxy.expose();
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = url::Url::parse(&text).map_err(|_| refuse("it is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("only http and https proxies are possible"));
    }
    if url.host().is_none() {
        return Err(refuse("it names no host"));
    }
    reqwest::Proxy::all(url).map_err(|_| refuse("it is no proxy URL"))
}

fn extra_roots(config: &ClientConfig) -> Result<Vec<reqwest::Certificate>, Refusal> {
    let Some(pem) = &config.extra_roots_pem else { return Ok(Vec::new()) };
    let refuse = |why: &str| {
        let mut refusal = Refusal::new(Kind::Internal, format!("the root certificates cannot be used: {why}"))
            .fix(Fix::new("set_roots", "set SSL_CERT_FILE to a PEM file of certificates (-----BEGIN CERTIFICATE-----)"));
        refusal.who_can_fix = Some(WhoCanFix::Operator);
        refusal
    };
    let roots = reqwest::Certificate::from_pem_bundle(pem).map_err(|_| refuse("the file is no PEM"))?;
    if roots.is_empty() {
        return Err(refuse("the file holds no certificate"));
    }
    Ok(roots)
}
