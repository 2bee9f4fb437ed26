//! A loopback server that answers as a test says, and a toolbox that talks to it.

use datadog_client::{
    CallLimits, Client, ClientConfig, Configuration, ConfiguredCredentials, CredentialSource, Principal, Secret, Site, Trust,
};
use datadog_tools::{Answer, Call, CallError, NoProgress, Output, Registry, Selection, Toolbox, ToolboxConfig};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) body: Value,
}

impl Asked {
    /// The attributes of the body, wrapped or not.
    pub(crate) fn body(&self) -> &Value {
        self.body.pointer("/data/attributes").unwrap_or(&self.body)
    }

    pub(crate) fn query(&self) -> &str {
        self.body()["filter"]["query"].as_str().unwrap_or_default()
    }

    pub(crate) fn aggregates(&self) -> bool {
        self.path.contains("/analytics/")
    }

    pub(crate) fn tier(&self) -> &str {
        self.body()["filter"]["storage_tier"].as_str().unwrap_or("indexes")
    }
}

type Answers = dyn Fn(&Asked) -> (u16, String) + Send + Sync;

/// Serves until it is dropped.
pub(crate) struct Upstream {
    base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    server: JoinHandle<()>,
}

impl Upstream {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen): (Arc<Answers>, _) = (Arc::new(answer), Arc::clone(&asked));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&answer), Arc::clone(&seen)));
            }
        });
        Self { base, asked, server }
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn toolbox(&self) -> Toolbox {
        toolbox(&self.base, Configuration { bearer: Some(Secret::new("fake-token-upstream".to_owned())), ..Configuration::default() })
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn converse(stream: TcpStream, answer: Arc<Answers>, seen: Arc<Mutex<Vec<Asked>>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut path, mut length, mut line) = (String::new(), 0_usize, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let header = line.trim_end();
            if header.is_empty() {
                break;
            } else if path.is_empty() {
                path = header.split(' ').nth(1).unwrap_or_default().to_owned();
            } else if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        let request = Asked { path, body: serde_json::from_slice(&body).unwrap_or(Value::Null) };
        let (status, text) = answer(&request);
        seen.lock().unwrap().push(request);
        let head = format!("HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", text.len());
        if stream.write_all(head.as_bytes()).await.is_err()
            || stream.write_all(text.as_bytes()).await.is_err()
            || stream.flush().await.is_err()
        {
            return;
        }
    }
}

/// A toolbox of the default tools over a trusted base URL.
pub(crate) fn toolbox(base: &str, configuration: Configuration) -> Toolbox {
    toolbox_of(base, Arc::new(ConfiguredCredentials::new(configuration).unwrap()))
}

/// The same with credentials from elsewhere.
pub(crate) fn toolbox_of(base: &str, credentials: Arc<dyn CredentialSource>) -> Toolbox {
    let site = Site::parse(base, Trust::Operator).unwrap();
    let client = Client::new(ClientConfig::default(), site, credentials).unwrap();
    let config = ToolboxConfig { seal_key: [7; 32], ..ToolboxConfig::default() };
    Toolbox::new(Registry::build(Selection::default(), None).unwrap(), client, config)
}

/// Calls a tool with arguments given as JSON.
pub(crate) async fn call(toolbox: &Toolbox, tool: &str, arguments: Value) -> Result<Answer, CallError> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let (who, limits) = (Principal::local(), CallLimits::default());
    toolbox.call(&Call { who: &who, limits: &limits, progress: &NoProgress, output: Output::Text }, tool, arguments).await
}

/// Calls a tool as `--output json` does.
pub(crate) async fn json(toolbox: &Toolbox, tool: &str, arguments: Value) -> Value {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let (who, limits) = (Principal::local(), CallLimits::default());
    let answer = toolbox.call(&Call { who: &who, limits: &limits, progress: &NoProgress, output: Output::Json }, tool, arguments).await;
    serde_json::from_str(&answer.unwrap().text).unwrap()
}

/// Calls a tool that must answer.
pub(crate) async fn text(toolbox: &Toolbox, tool: &str, arguments: Value) -> String {
    match call(toolbox, tool, arguments).await {
        Ok(answer) => answer.text,
        Err(CallError::Refused(refusal)) => panic!("{tool} refused: {refusal:?}"),
        Err(other) => panic!("{tool}: {other:?}"),
    }
}

/// Calls a tool that must refuse.
pub(crate) async fn refusal(toolbox: &Toolbox, tool: &str, arguments: Value) -> datadog_client::Refusal {
    match call(toolbox, tool, arguments).await {
        Err(CallError::Refused(refusal)) => *refusal,
        other => panic!("{tool} did not refuse: {other:?}"),
    }
}
