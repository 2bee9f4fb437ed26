//! TLS: an unknown certificate is refused before anything is sent, a given root is trusted, HTTP/2 is agreed on.

use crate::loopback::{Act, Server, config, keys, read, send, write};
use datadog_client::{Client, ClientConfig, Kind, Site, Trust};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs};

struct Secure {
    address: SocketAddr,
    /// The certificate, as `SSL_CERT_FILE` would have it.
    pem: Vec<u8>,
    /// Requests over HTTP/2 and over HTTP/1.1.
    seen: Arc<[AtomicUsize; 2]>,
    connections: Arc<AtomicUsize>,
}

/// A server with a certificate of its own, which answers `{}` to everything.
async fn start(protocols: &[&[u8]]) -> Secure {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    tls.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let secure = Secure {
        address: listener.local_addr().unwrap(),
        pem: made.cert.pem().into_bytes(),
        seen: Arc::default(),
        connections: Arc::default(),
    };
    let (seen, connections) = (secure.seen.clone(), secure.connections.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(acceptor.clone(), stream, seen.clone()));
        }
    });
    secure
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, seen: Arc<[AtomicUsize; 2]>) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            seen[0].fetch_add(1, Ordering::SeqCst);
            let head = http::Response::builder().header("content-type", "application/json").body(()).unwrap();
            respond.send_response(head, false).unwrap().send_data(bytes::Bytes::from_static(b"{}"), true).unwrap();
        }
        return;
    }
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).await.is_ok_and(|n| n > 0) {
        seen[1].fetch_add(1, Ordering::SeqCst);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    }
}

fn client(address: SocketAddr, pem: Option<Vec<u8>>) -> Client {
    let site = Site::parse(&format!("https://{address}"), Trust::Operator).unwrap();
    Client::new(ClientConfig { extra_roots_pem: pem, ..config() }, site, keys()).unwrap()
}

#[tokio::test]
async fn a_given_root_is_trusted_and_http2_shares_one_connection() {
    let secure = start(&[b"h2", b"http/1.1"]).await;
    let client = client(secure.address, Some(secure.pem.clone()));
    send(&client, &read()).await.unwrap();
    let calls = (0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { send(&client, &read()).await.unwrap().json().unwrap() })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), serde_json::json!({}));
    }
    assert_eq!(secure.seen.each_ref().map(|n| n.load(Ordering::SeqCst)), [21, 0]);
    assert_eq!(secure.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn http1_over_tls_works_too() {
    let secure = start(&[b"http/1.1"]).await;
    let client = client(secure.address, Some(secure.pem.clone()));
    for _ in 0..3 {
        send(&client, &read()).await.unwrap();
    }
    assert_eq!(secure.seen.each_ref().map(|n| n.load(Ordering::SeqCst)), [0, 3]);
    assert_eq!(secure.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_before_anything_is_sent() {
    let (secure, other) = (start(&[b"h2"]).await, start(&[]).await);
    // Roots are needed to have something that does not match.
    let client = client(secure.address, Some(other.pem.clone()));
    for request in [read(), write()] {
        let refusal = send(&client, &request).await.unwrap_err();
        assert_eq!(refusal.kind, Kind::UpstreamFailed);
        assert!(refusal.message.contains("certificate") && refusal.fixes[0].why.contains("SSL_CERT_FILE"), "{refusal:?}");
    }
    assert_eq!(secure.seen.each_ref().map(|n| n.load(Ordering::SeqCst)), [0, 0]);
    // Trying again cannot help, so nothing was tried again.
    assert_eq!(secure.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_speaks_no_tls_gets_no_request() {
    let server = Server::start(|_, _| Act::Hang).await;
    let address = server.url().trim_start_matches("http://").parse().unwrap();
    let pem = start(&[]).await.pem;
    let refusal = send(&client(address, Some(pem)), &write()).await.unwrap_err();
    assert!(matches!(refusal.kind, Kind::UpstreamFailed | Kind::Timeout), "{refusal:?}");
    assert_eq!(server.count(), 0);
}
