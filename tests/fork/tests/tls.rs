//! Forks over TLS: a close_notify of the child, or a record that it encrypts, would end the connection of the parent.
#![cfg(unix)]

#[path = "support/calls.rs"]
mod calls;
#[path = "support/relay.rs"]
mod relay;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use calls::{TRANSPORTS, client_at, expected, names, server};
use longrunning::OperationsClient;
use longrunning::http::Roots;
use longrunning::testing::FakeServer;
use longrunning::transport::TransportKind;
use longrunning_fork_tests::Child;
use relay::{Relay, wait_until};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

#[test]
fn each_process_receives_its_own_responses_over_tls() {
    for transport in TRANSPORTS {
        let service = TlsService::start(transport);
        let client = service.client(transport);
        client.get("operations/0").send().unwrap();
        let child = Child::start(|_| names(&client, 25..50));
        assert_eq!(names(&client, 0..25), expected(0..25), "{transport:?}");
        assert_eq!(child.finish(), expected(25..50), "{transport:?}");
        assert_eq!(names(&client, 0..2), expected(0..2), "{transport:?}");
        assert_eq!(service.relay.count(), 2, "{transport:?}: one connection for each process");
    }
}

#[test]
fn the_child_sends_nothing_on_the_tls_connection_of_the_parent() {
    for transport in TRANSPORTS {
        let service = TlsService::start(transport);
        let client = service.client(transport);
        // With the second response, the relay has counted what the client sent about the settings of HTTP/2.
        assert_eq!(names(&client, 0..2), expected(0..2));
        let sent_before = service.relay.sent(0);
        let child = Child::start(|parent| {
            let report = names(&client, 2..3);
            drop(client.clone());
            parent.wait();
            report
        });
        wait_until(|| service.server.request_count() == 3);
        assert_eq!(
            (service.relay.sent(0), service.relay.has_ended(0)),
            (sent_before, false),
            "{transport:?}"
        );
        assert_eq!(child.finish(), "operations/2 ", "{transport:?}");
        assert_eq!(
            (service.relay.sent(0), service.relay.has_ended(0)),
            (sent_before, false),
            "{transport:?}"
        );
        assert_eq!(names(&client, 3..5), expected(3..5), "{transport:?}");
        assert_eq!(service.relay.count(), 2, "{transport:?}: the parent goes on with its connection");
    }
}

#[test]
fn a_child_that_only_drops_the_client_sends_no_close_notify() {
    for transport in TRANSPORTS {
        let service = TlsService::start(transport);
        let mut client = Some(service.client(transport));
        assert_eq!(names(client.as_ref().unwrap(), 0..2), expected(0..2));
        let sent_before = service.relay.sent(0);
        let child = Child::start(|_| {
            drop(client.take());
            "dropped".to_owned()
        });
        assert_eq!(child.finish(), "dropped");
        assert_eq!(
            (service.relay.sent(0), service.relay.has_ended(0)),
            (sent_before, false),
            "{transport:?}"
        );
        assert_eq!(names(client.as_ref().unwrap(), 2..4), expected(2..4), "{transport:?}");
        assert_eq!(service.relay.count(), 1, "{transport:?}");
    }
}

/// A server behind TLS, behind a relay that counts what arrives.
struct TlsService {
    server: FakeServer,
    relay: Relay,
    url: String,
    certificate: String,
}

impl TlsService {
    fn start(transport: TransportKind) -> Self {
        let server = server();
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key)
            .unwrap();
        if transport == TransportKind::Grpc {
            config.alpn_protocols = vec![b"h2".to_vec()];
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (front, upstream) = (listener.local_addr().unwrap(), server.address());
        thread::spawn(move || unwrap_tls(&listener, &Arc::new(config), upstream));
        let relay = Relay::start();
        let url = relay.to(front).replace("http://127.0.0.1", "https://localhost");
        Self { server, relay, url, certificate: signed.cert.pem() }
    }

    fn client(&self, transport: TransportKind) -> OperationsClient {
        let roots = Roots::Pem(self.certificate.clone().into_bytes());
        client_at(&self.url, transport, roots).build().unwrap()
    }
}

/// Decrypts connections for a server that has no TLS.
fn unwrap_tls(listener: &TcpListener, config: &Arc<ServerConfig>, upstream: SocketAddr) {
    for client in listener.incoming() {
        let (client, server) = (client.unwrap(), TcpStream::connect(upstream).unwrap());
        let session = ServerConnection::new(Arc::clone(config)).unwrap();
        thread::spawn(move || both_ways(StreamOwned::new(session, client), server));
    }
}

fn both_ways(mut tls: StreamOwned<ServerConnection, TcpStream>, mut plain: TcpStream) {
    for socket in [&tls.sock, &plain] {
        socket.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    }
    while pass(&mut tls, &mut plain) && pass(&mut plain, &mut tls) {}
}

/// Passes on what is there; false at the end.
fn pass(from: &mut impl Read, to: &mut impl Write) -> bool {
    let mut buffer = [0; 4096];
    match from.read(&mut buffer) {
        Ok(0) => false,
        Ok(count) => to.write_all(&buffer[..count]).and_then(|()| to.flush()).is_ok(),
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}
