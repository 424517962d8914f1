//! Pooled connections: when they are used, and what happens when one turns out to
//! be dead.

use std::sync::{Arc, Barrier};
use std::thread;

use super::super::HttpErrorKind::{Connect, Interrupted, Protocol, Timeout};
use super::server::{Act, Server, ok, send};
use super::{HttpAgent, HttpClient, HttpMethod, HttpRequest, agent, get, get_in_short, options};

#[test]
fn connection_is_kept() {
    let server = Server::start(vec![vec![Act::Read, ok("1"), Act::Read, ok("2"), Act::Read, ok("3")]]);
    let agent = agent();
    for body in ["1", "2", "3"] {
        assert_eq!(get(&agent, &server.url()).unwrap().body, body.as_bytes());
    }
    assert_eq!(server.connections(), [0, 0, 0]);
}

#[test]
fn broken_kept_connection_costs_no_attempt() {
    use Act::{Peek, Read, Reset};
    // First a good exchange, then this happens on the same connection.
    let rows = [
        ("closed as we send", vec![Read]),
        ("reset as we send", vec![Peek, Reset]),
        ("closed while idle", vec![]),
    ];
    for (name, then) in rows {
        for method in [HttpMethod::Get, HttpMethod::Post, HttpMethod::Delete] {
            let first = [vec![Read, ok("1")], then.clone()].concat();
            let server = Server::start(vec![first, vec![Read, ok("2"), Read, ok("3")]]);
            let agent = agent();
            let url = server.url();
            assert_eq!(get(&agent, &url).unwrap().body, b"1", "{name}");
            let body = [b'x'; 100];
            let answer = agent.send(&HttpRequest::new(method, &url).body(&body)).unwrap();
            assert_eq!(answer.body, b"2", "{name}");
            assert_eq!(get(&agent, &url).unwrap().body, b"3", "{name}");
            let requests = server.requests();
            let resent = requests.iter().filter(|request| request.ends_with("xxx")).count();
            assert_eq!(resent, if name == "closed as we send" { 2 } else { 1 }, "{name}");
        }
    }
}

/// A response without a request must not become the response to the next call.
#[test]
fn connection_with_bytes_left_over_is_dropped() {
    let step = Arc::new(Barrier::new(2));
    let meet = || Act::Meet(step.clone());
    let script = vec![Act::Read, ok("1"), meet(), ok("forged"), meet(), Act::Hang];
    let server = Server::start(vec![script, vec![Act::Read, ok("2")]]);
    let agent = agent();
    assert_eq!(get(&agent, &server.url()).unwrap().body, b"1");
    step.wait();
    step.wait();
    assert_eq!(get(&agent, &server.url()).unwrap().body, b"2");
    assert_eq!(server.connections(), [0, 1]);
}

#[test]
fn request_goes_out_twice_at_most() {
    let once = vec![Act::Read, ok("1"), Act::Read];
    let server = Server::start(vec![once, vec![Act::Read], vec![Act::Read, ok("3")]]);
    let agent = agent();
    get(&agent, &server.url()).unwrap();
    let error = get(&agent, &server.url()).unwrap_err();
    assert_eq!((error.kind(), error.was_sent(), error.is_transient()), (Interrupted, true, true));
    assert_eq!(server.connections(), [0, 0, 1]);
}

#[test]
fn second_request_goes_out_on_a_new_connection() {
    let all = Arc::new(Barrier::new(3));
    let closing = vec![Act::Read, Act::Meet(all), ok("1"), Act::Read];
    let server = Server::start(vec![closing.clone(), closing.clone(), closing, vec![Act::Serve]]);
    let agent = agent();
    let url = server.url();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| get(&agent, &url).unwrap());
        }
    });
    for _ in 0..3 {
        assert_eq!(get(&agent, &url).unwrap().body, b"{}");
    }
    // One of the three was tried, and the others with it given up.
    assert_eq!(server.connections()[4..], [3, 3, 3]);
}

#[test]
fn nothing_is_resent_after_the_answer_began() {
    let rows = [
        ("status line", "HTTP/1.1 20", Interrupted),
        ("interim answer", "HTTP/1.1 100 Continue\r\n\r\n", Interrupted),
        ("body", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", Interrupted),
        ("garbage", "garbage\r\n\r\n", Protocol),
    ];
    for (name, begun, kind) in rows {
        for end in [vec![Act::Read, send(begun)], vec![Act::Peek, send(begun), Act::Reset]] {
            let first = [vec![Act::Read, ok("1")], end].concat();
            let server = Server::start(vec![first, vec![Act::Read, ok("2")]]);
            let agent = agent();
            get(&agent, &server.url()).unwrap();
            assert_eq!(get(&agent, &server.url()).unwrap_err().kind(), kind, "{name}");
            assert!(!server.connections().contains(&1), "{name}");
        }
    }
}

/// The second request was not sent, but the first may have arrived.
#[test]
fn failure_of_the_second_request_tells_of_the_first() {
    let server = Server::start(vec![vec![Act::Read, ok("1"), Act::Read]]);
    let agent = agent();
    get(&agent, &server.url()).unwrap();
    let error = get(&agent, &server.url()).unwrap_err();
    assert_eq!((error.kind(), error.was_sent(), error.is_transient()), (Connect, true, true));
}

#[test]
fn second_request_has_what_is_left_of_the_budget() {
    let server = Server::start(vec![vec![Act::Read, ok("1"), Act::Read], vec![Act::Read, Act::Hang]]);
    let agent = agent();
    get(&agent, &server.url()).unwrap();
    assert_eq!(get_in_short(&agent, &server.url()).unwrap_err().kind(), Timeout);
    assert_eq!(server.connections(), [0, 0, 1]);
}

/// Something between here and the server forgot all idle connections and drops
/// what is sent on them.
#[test]
fn one_silent_connection_discredits_those_that_idled_with_it() {
    let all = Arc::new(Barrier::new(3));
    let silent = vec![Act::Read, Act::Meet(all), ok("1"), Act::Read, Act::Hang];
    let server = Server::start(vec![silent.clone(), silent.clone(), silent, vec![Act::Serve]]);
    let agent = agent();
    let url = server.url();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| get(&agent, &url).unwrap());
        }
    });
    assert_eq!(get_in_short(&agent, &url).unwrap_err().kind(), Timeout);
    for _ in 0..3 {
        assert_eq!(get(&agent, &url).unwrap().body, b"{}");
    }
    assert_eq!(server.connections()[4..], [3, 3, 3]);
}

#[test]
fn idle_connections_are_bounded() {
    let script = || vec![Act::Read, ok("1"), Act::Read, ok("2")];
    let server = Server::start(vec![script(), script()]);
    let agent = HttpAgent::new(&options().idle_per_host(0)).unwrap();
    get(&agent, &server.url()).unwrap();
    get(&agent, &server.url()).unwrap();
    assert_eq!(server.connections(), [0, 1]);
}

#[test]
fn many_threads_share_one_client() {
    let server = Server::start(vec![vec![Act::Serve]; 16]);
    let agent = agent();
    let url = server.url();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(get(&agent, &url).unwrap().body, b"{}");
                }
            });
        }
    });
    // The server takes no more connections than there are threads, so they were
    // kept.
    assert_eq!(server.requests().len(), 800);
}
