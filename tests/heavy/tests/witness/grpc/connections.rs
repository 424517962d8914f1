//! Connections that the server ends, probes, or shares out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{GrpcServer, plain};
use crate::python::Python;

#[test]
fn old_connections_are_left_without_an_error() {
    let Some(python) = Python::find() else { return };
    let options = json!({ "grpc.max_connection_age_ms": 40, "grpc.max_connection_age_grace_ms": 20_000 });
    let server = GrpcServer::start(&python, &json!({ "options": options }));
    let client = server.client();
    let start = Instant::now();
    // One call that outlives its connection's age, and many that meet the farewell at any moment.
    client.get("operations/sleep/300").send().unwrap();
    let mut made = 0;
    loop {
        for _ in 0..50 {
            client.get("operations/sleep/1").send().unwrap();
            made += 1;
        }
        let calls = server.calls();
        let calls: Vec<_> = calls.iter().filter(|call| call.name == "operations/sleep/1").collect();
        assert_eq!(calls.len(), made, "each call is made once");
        let peers: BTreeSet<&str> = calls.iter().map(|call| call.peer.as_str()).collect();
        if peers.len() > 8 {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{peers:?}");
    }
}

#[test]
fn pings_are_answered_during_a_call() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &json!({ "options": probing() }));
    // Thrice the time after which the server gives an unanswered connection up.
    let operation = server.client().get("operations/sleep/1500").send().unwrap();
    assert!(operation.is_done());
}

#[test]
fn connection_that_was_given_up_is_not_used_again() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &json!({ "options": probing() }));
    let [client, other] = [server.client(), server.client()];
    for _ in 0..2 {
        client.get("operations/sleep/0").send().unwrap();
        // While nobody is there to answer the pings of the first connection.
        other.get("operations/sleep/1500").send().unwrap();
    }
    client.get("operations/sleep/0").send().unwrap();
    let calls = server.calls();
    let peers = |name: &str| -> BTreeSet<&str> {
        calls.iter().filter(|call| call.name == name).map(|call| call.peer.as_str()).collect()
    };
    assert_eq!(peers("operations/sleep/0").len(), 3, "the server gave none up: {calls:?}");
    assert_eq!(peers("operations/sleep/1500").len(), 1, "{calls:?}");
}

#[test]
fn idle_connection_is_kept_where_pings_can_wait() {
    let Some(python) = Python::find() else { return };
    let options = json!({
        "grpc.keepalive_time_ms": 100, "grpc.keepalive_timeout_ms": 60_000, "grpc.keepalive_permit_without_calls": 1,
        "grpc.http2.ping_timeout_ms": 60_000, "grpc.http2.max_pings_without_data": 0,
    });
    let server = GrpcServer::start(&python, &json!({ "options": options }));
    let [client, other] = [server.client(), server.client()];
    for _ in 0..3 {
        client.get("operations/sleep/0").send().unwrap();
        other.get("operations/sleep/500").send().unwrap();
    }
    let peers: BTreeSet<String> = server.calls().into_iter().map(|call| call.peer).collect();
    assert_eq!(peers.len(), 2, "{peers:?}");
}

#[test]
fn calls_at_the_same_time() {
    let Some(python) = Python::find() else { return };
    let server = GrpcServer::start(&python, &plain());
    let client = Arc::new(server.client());
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let client = Arc::clone(&client);
            thread::spawn(move || {
                for call in 0..100 {
                    let name = format!("operations/zip/{thread}-{call}");
                    assert_eq!(client.get(name.as_str()).send().unwrap().name(), name);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let calls = server.calls();
    let peers: BTreeSet<&str> = calls.iter().map(|call| call.peer.as_str()).collect();
    assert!(calls.len() == 400 && peers.len() <= 4, "{peers:?}");
}

/// A connection is asked every 100 ms whether it lives, and has 300 ms to answer.
fn probing() -> serde_json::Value {
    json!({
        "grpc.keepalive_time_ms": 100, "grpc.keepalive_timeout_ms": 300, "grpc.keepalive_permit_without_calls": 1,
        "grpc.http2.ping_timeout_ms": 300, "grpc.http2.max_pings_without_data": 0,
    })
}
