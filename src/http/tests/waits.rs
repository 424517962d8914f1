//! Waits that outlive what keeps them from the server. Numbers are those of the
//! fault table.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::ErrorKind;
use crate::testing::{FakeOperation, FakeServer};
use crate::util::env::SystemEnv;

use super::authority::{Authority, unchanged};
use super::server::{Server, send};
use super::*;
use crate::net::dns::DnsCache;

const NAME: &str = "operations/42";

/// Asks elsewhere than it is told to.
#[derive(Debug)]
struct Elsewhere(HttpAgent, String);

impl HttpClient for Elsewhere {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        self.0.send(&HttpRequest { url: &self.1, ..*request })
    }
}

fn served() -> FakeServer {
    let server = FakeServer::start();
    server.insert(FakeOperation::new(NAME).done_at_poll(2));
    server
}

fn under_another_name(server: &FakeServer) -> String {
    format!("http://a.test:{}/v1/{NAME}", server.address().port())
}

#[test]
fn names_that_cannot_be_looked_up_for_a_while() {
    let server = served();
    let asked = AtomicUsize::new(0);
    let names = DnsCache::with_lookup(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0..3 => Err(io::Error::other("Temporary failure in name resolution")),
        _ => Ok(vec![SocketAddr::from(([127, 0, 0, 1], 0))]),
    });
    let agent = HttpAgent::with_parts(&options(), &SystemEnv, names).unwrap();
    let client = Elsewhere(agent, under_another_name(&server));
    let client = server.client_builder().http_client(client).build().unwrap();
    assert!(client.poller(NAME).until_done().unwrap().is_done(), "12");
    assert_eq!((server.sleeps().len(), server.request_count()), (4, 2), "12: three failures and a look");
}

/// Only the operation's own address takes connections; the one before it
/// neither takes nor refuses any.
#[cfg(target_os = "linux")]
#[test]
fn addresses_that_are_silent() {
    use std::net::{TcpListener, TcpStream};

    let server = FakeServer::builder().real_time().start().unwrap();
    server.insert(FakeOperation::new(NAME).done_at_poll(1));
    let port = server.address().port();
    let Ok(silent) = TcpListener::bind(("127.0.0.2", port)) else { return };
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&silent.local_addr().unwrap(), SHORT * 2) {
        queue.push(stream);
    }
    let names =
        DnsCache::with_lookup(|_| Ok([2, 1].map(|last| SocketAddr::from(([127, 0, 0, last], 0))).into()));
    let agent = HttpAgent::with_parts(&options(), &SystemEnv, names).unwrap();
    let client = Elsewhere(agent, under_another_name(&server));
    let client = server.client_builder().http_client(client).build().unwrap();
    let poller = client.poller(NAME).attempt_timeout(SHORT * 6).total_timeout(Duration::from_secs(60));
    assert!(poller.until_done().unwrap().is_done(), "26");
}

#[test]
fn handshakes_that_are_cut() {
    let server = served();
    let cut = Server::start(vec![vec![send([22, 3, 3, 0, 122, 2])]; 100]);
    let client = Elsewhere(Authority::new(unchanged).agent(), format!("https://localhost:{}/", cut.port));
    let client = server.client_builder().http_client(client).build().unwrap();
    let poller = client.poller(NAME).total_timeout(Duration::from_secs(60));
    let error = poller.until_done().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "28: {error}");
    let polls = error.attempts() as usize;
    assert!((10..40).contains(&polls) && server.sleeps().len() + 1 == polls, "28: it does not spin: {polls}");
    assert!(format!("{error:#}").contains("failed to connect to localhost"), "28: {error:#}");
}
