//! A raw HTTP server on loopback that misbehaves on demand and remembers what it was sent.

use async_trait::async_trait;
use datadog_catalogue::Operation;
use datadog_client::{
    CallLimits, Client, ClientConfig, Configuration, ConfiguredCredentials, Credential, CredentialSource, Principal, Refusal, Reply,
    Request, Secret, Site, Trust,
};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// `GET /path?query HTTP/1.1`
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }
}

/// What the server does with one request.
pub(crate) enum Act {
    /// Writes and keeps the connection.
    Answer(Vec<u8>),
    /// Writes and closes.
    Close(Vec<u8>),
    /// Writes and resets the connection.
    Reset(Vec<u8>),
    /// Writes, then the second part again and again with a pause, until the client goes.
    Forever(Vec<u8>, Vec<u8>, Duration),
    /// Says nothing until the client goes.
    Hang,
}

type Handler = dyn Fn(usize, &Received) -> Act + Send + Sync;

/// Stops with the test's runtime.
#[derive(Clone)]
pub(crate) struct Server(Arc<State>);

struct State {
    address: SocketAddr,
    requests: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    /// Bytes written by `Act::Forever`.
    written: AtomicUsize,
    /// Fires when a client closed a connection on which it was being served.
    gone: Notify,
}

impl Server {
    /// Starts; the handler is given the number of the request, from 0.
    pub(crate) async fn start(handler: impl Fn(usize, &Received) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State {
            address: listener.local_addr().unwrap(),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            gone: Notify::new(),
        };
        let server = Self(Arc::new(state));
        let (accepting, handler): (_, Arc<Handler>) = (server.clone(), Arc::new(handler));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.0.connections.fetch_add(1, Ordering::SeqCst);
                let (server, handler) = (accepting.clone(), handler.clone());
                tokio::spawn(async move { server.serve(stream, &*handler).await });
            }
        });
        server
    }

    /// Answers every request in the same way.
    pub(crate) async fn always(answer: Vec<u8>) -> Self {
        Self::start(move |_, _| Act::Answer(answer.clone())).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    pub(crate) fn site(&self) -> Site {
        Site::parse(&self.url(), Trust::Operator).unwrap()
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.0.requests.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.requests.lock().unwrap().len()
    }

    pub(crate) fn connections(&self) -> usize {
        self.0.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn written(&self) -> usize {
        self.0.written.load(Ordering::SeqCst)
    }

    /// Waits until a client has gone in the middle of being served.
    pub(crate) async fn client_gone(&self) {
        tokio::time::timeout(Duration::from_secs(1), self.0.gone.notified()).await.expect("the client keeps its socket");
    }

    async fn serve(&self, mut stream: TcpStream, handler: &Handler) {
        while let Some(received) = receive(&mut stream).await {
            let number = {
                let mut requests = self.0.requests.lock().unwrap();
                requests.push(received.clone());
                requests.len() - 1
            };
            match handler(number, &received) {
                Act::Answer(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Act::Close(bytes) => {
                    let _written = stream.write_all(&bytes).await;
                    let _closed = stream.shutdown().await;
                    return;
                }
                Act::Reset(bytes) => {
                    let _written = stream.write_all(&bytes).await;
                    // The client is to see what was written before the reset.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    stream.set_zero_linger().unwrap();
                    return;
                }
                Act::Forever(head, part, pause) => {
                    let mut bytes = head;
                    while stream.write_all(&bytes).await.is_ok() {
                        self.0.written.fetch_add(bytes.len(), Ordering::SeqCst);
                        bytes = part.clone();
                        if !pause.is_zero() {
                            tokio::time::sleep(pause).await;
                        }
                    }
                    self.0.gone.notify_one();
                    return;
                }
                Act::Hang => {
                    let mut rest = [0; 64];
                    while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {}
                    self.0.gone.notify_one();
                    return;
                }
            }
        }
    }
}

async fn receive(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let line = lines.next()?.to_owned();
    let headers: Vec<(String, String)> =
        lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned())).collect();
    let length = headers.iter().find(|(n, _)| n == "content-length").map_or(0, |(_, v)| v.parse().unwrap());
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received { line, headers, body })
}

/// A whole answer with its length.
pub(crate) fn answer(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut out = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{}\r\n", body.len(), headers.concat()).into_bytes();
    out.extend_from_slice(body);
    out
}

pub(crate) fn json(status: &str, body: &str) -> Vec<u8> {
    answer(status, &[("content-type", "application/json")], body)
}

pub(crate) fn op(id: &str) -> &'static Operation {
    datadog_catalogue::operation(id).unwrap_or_else(|| panic!("{id}"))
}

/// A read by GET.
pub(crate) fn read() -> Request {
    Request::new(op("v2.ListLogsGet")).query("filter[query]", "status:error").build().unwrap()
}

/// A read by POST.
pub(crate) fn search() -> Request {
    Request::new(op("v2.ListLogs")).body(serde_json::json!({"filter": {"query": "status:error"}})).build().unwrap()
}

/// A write.
pub(crate) fn write() -> Request {
    Request::new(op("v2.CreateIncident")).body(serde_json::json!({"data": {}})).build().unwrap()
}

/// Quick waits, a small cap.
pub(crate) fn config() -> ClientConfig {
    ClientConfig {
        deadline: Duration::from_secs(3),
        idle_timeout: Duration::from_millis(150),
        connect_timeout: Duration::from_millis(500),
        max_answer_bytes: 1 << 20,
        backoff: (Duration::from_millis(1), Duration::from_millis(4)),
        ..ClientConfig::default()
    }
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub(crate) fn keys() -> Arc<dyn CredentialSource> {
    let configuration = Configuration {
        api_key: Some(secret("fake-api-key-canary")),
        app_key: Some(secret("fake-app-key-canary")),
        ..Configuration::default()
    };
    Arc::new(ConfiguredCredentials::new(configuration).unwrap())
}

pub(crate) fn client(server: &Server) -> Client {
    Client::new(config(), server.site(), keys()).unwrap()
}

pub(crate) async fn send(client: &Client, request: &Request) -> Result<Reply, Refusal> {
    client.send(&Principal::local(), request, &CallLimits::default()).await
}

/// Credentials as a test scripts them.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) first: Credential,
    pub(crate) fallback: Option<Credential>,
    pub(crate) renewed: Option<Credential>,
    pub(crate) renewals: AtomicUsize,
}

#[async_trait]
impl CredentialSource for Script {
    async fn first(&self, _: &Principal, _: &Site, _: &Operation) -> Result<Credential, Refusal> {
        Ok(self.first.clone())
    }

    async fn fallback(&self, _: &Principal, _: &Site, _: &Operation, _: &Credential) -> Option<Credential> {
        self.fallback.clone()
    }

    async fn renewed(&self, _: &Principal, _: &Site, _: &Credential) -> Option<Credential> {
        self.renewals.fetch_add(1, Ordering::SeqCst);
        self.renewed.clone()
    }
}
