//! How often names are looked up, and on how many threads.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::util::env::SystemEnv;

use super::server::{Act, Server, ok};
use super::{HttpAgent, agent, get, options};
use crate::net::dns::DnsCache;

/// A client whose every lookup finds these addresses and is counted.
fn counted(addresses: &'static [&str]) -> (HttpAgent, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let counter = asked.clone();
    let names = DnsCache::with_lookup(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect())
    });
    (HttpAgent::with_parts(&options(), &SystemEnv, names).unwrap(), asked)
}

/// Every lookup is one thread, and nothing else starts any.
#[test]
fn name_is_looked_up_once_for_many_calls() {
    let server = Server::start(vec![vec![Act::Serve]]);
    for (host, lookups) in [("a.test", 1), ("127.0.0.1", 0)] {
        let server = if host == "a.test" { &server } else { &Server::start(vec![vec![Act::Serve]]) };
        let (agent, asked) = counted(&["127.0.0.1"]);
        for _ in 0..100 {
            get(&agent, &format!("http://{host}:{}/", server.port)).unwrap();
        }
        assert_eq!(asked.load(Ordering::SeqCst), lookups, "{host}");
        assert!(server.requests()[0].contains(&format!("\r\nhost: {host}:{}\r\n", server.port)), "{host}");
    }
}

#[test]
fn address_that_fails_is_looked_up_again() {
    let server = Server::start(vec![vec![Act::Read, ok("{}")]]);
    let (agent, asked) = counted(&["127.0.0.1"]);
    let url = |port| format!("http://a.test:{port}/");
    get(&agent, &url(server.port)).unwrap();
    // The listener is gone with its last script.
    let refused = loop {
        match get(&agent, &url(server.port)) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(refused.to_string(), format!("failed to connect to a.test:{}", server.port));
    let before = asked.load(Ordering::SeqCst);
    get(&agent, &url(server.port)).unwrap_err();
    assert_eq!(asked.load(Ordering::SeqCst), before + 1);
}

#[test]
fn other_addresses_are_tried() {
    let server = Server::start(vec![vec![Act::Read, ok("{}")]]);
    let (agent, _) = counted(&["::1", "::1", "127.0.0.1"]);
    assert_eq!(get(&agent, &format!("http://a.test:{}/", server.port)).unwrap().body, b"{}");
}

/// A listener whose queue is full takes no connection and refuses none.
#[cfg(target_os = "linux")]
#[test]
fn silent_addresses_share_the_budget() {
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::{HttpClient, HttpMethod, HttpRequest, SHORT, get_in_short};

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, SHORT * 2) {
        queue.push(stream);
    }
    let url = format!("http://a.test:{}/", address.port());
    for addresses in [&["127.0.0.1"][..], &["127.0.0.1"; 20]] {
        let (agent, _) = counted(addresses);
        let error = get_in_short(&agent, &url).unwrap_err();
        assert_eq!(error.to_string(), format!("timed out while connecting to a.test:{}", address.port()));
        assert!(!error.was_sent());
    }
    let scripts = vec![vec![Act::Read, ok("{}")]; 10];
    let Ok(_server) = Server::listen(&format!("127.0.0.2:{}", address.port()), scripts, None) else { return };
    let (agent, _) = counted(&["127.0.0.1", "127.0.0.2"]);
    // More time where the machine is busy; without a share for the second address
    // none is enough.
    let answer = (0..4).find_map(|doubled| {
        let timeout = Duration::from_millis(600 << doubled);
        agent.send(&HttpRequest::new(HttpMethod::Get, &url).timeout(timeout)).ok()
    });
    assert_eq!(answer.unwrap().body, b"{}");
}

#[test]
fn unknown_host_is_named() {
    let names = DnsCache::with_lookup(|_| Err(io::Error::from(io::ErrorKind::NotFound)));
    let agent = HttpAgent::with_parts(&options(), &SystemEnv, names).unwrap();
    let error = get(&agent, "http://no-such-host.test/").unwrap_err();
    assert_eq!(error.to_string(), "failed to find host `no-such-host.test`");
    assert!(!error.is_transient() && !error.was_sent());
}

#[test]
fn this_machine_has_three_names() {
    for (bind, host) in [("127.0.0.1:0", "127.0.0.1"), ("127.0.0.1:0", "localhost"), ("[::1]:0", "[::1]")] {
        // A machine without IPv6 has two.
        let Ok(server) = Server::listen(bind, vec![vec![Act::Read, ok("{}")]], None) else { continue };
        let answer = get(&agent(), &format!("http://{host}:{}/", server.port)).unwrap();
        assert_eq!(answer.body, b"{}", "{host}");
    }
}
