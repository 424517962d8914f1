//! Time limits.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::server::{Act, GRPC, Server, head, ok, raw};
use super::{NAME, facts, get, message, proto, transport};
use crate::error::ErrorKind;
use crate::proto::google::longrunning::GetOperationRequest;
use crate::transport::{Attempt, HeadersObserver, Transport};
use crate::util::stop::StopToken;

/// Enough to send a request, also on busy machines.
const SHORT: Duration = Duration::from_millis(500);

const LONG: Duration = Duration::from_secs(60);

#[test]
fn silence_ends_with_the_time_and_the_server_is_told() {
    let rows = [
        ("no answer", vec![Act::Silence]),
        ("no message", vec![head(200, &[GRPC], false)]),
        ("half a message", vec![head(200, &[GRPC], false), Act::Data(vec![0, 0, 0, 0, 9, 1])]),
        ("no trailers", vec![head(200, &[GRPC], false), Act::Data(vec![0; 5])]),
    ];
    for (name, acts) in rows {
        let server = Server::start(vec![vec![acts], vec![ok(&proto())]]);
        let transport = transport(&server);
        let started = Instant::now();
        let request = GetOperationRequest { name: NAME.into() };
        let error = transport.get_operation(&request, &Attempt::new(SHORT)).unwrap_err();
        // Far above the limit, for busy machines.
        assert!((SHORT..SHORT * 20).contains(&started.elapsed()), "{name}: {:?}", started.elapsed());
        assert_eq!(message(&error, server.port), "no response from 127.0.0.1:PORT in time", "{name}");
        assert_eq!(facts(&error), (ErrorKind::Timeout, None, true, true), "{name}");
        server.await_bytes(0, &cancel());
        get(&transport).unwrap();
        assert_eq!(server.connections(), [0, 1], "{name}");
    }
}

#[test]
fn a_stopped_call_is_taken_back_from_the_server() {
    let server = Server::start(vec![vec![vec![Act::Silence]], vec![ok(&proto())]]);
    let transport = transport(&server);
    let token = StopToken::new();
    let stopper = token.clone();
    let error = thread::scope(|scope| {
        scope.spawn(|| {
            while server.seen().is_empty() {
                thread::yield_now();
            }
            stopper.stop();
        });
        let request = GetOperationRequest { name: NAME.into() };
        transport.get_operation(&request, &Attempt::new(LONG).stopped_by(Some(&token))).unwrap_err()
    });
    assert_eq!(facts(&error), (ErrorKind::Stopped, None, false, true));
    server.await_bytes(0, &cancel());
    get(&transport).unwrap();
    assert_eq!(server.connections(), [0, 1]);
}

#[test]
fn a_call_within_another_heeds_its_own_token() {
    let server = Server::start(vec![vec![ok(&proto()), ok(&proto())]]);
    let transport = Arc::new(transport(&server));
    let token = StopToken::new();
    let (inner, stopper) = (Arc::clone(&transport), token.clone());
    let observer = HeadersObserver::new(move |_| {
        stopper.stop();
        get(&inner).unwrap();
    });
    let request = GetOperationRequest { name: NAME.into() };
    let attempt = Attempt::new(LONG).stopped_by(Some(&token)).observed_by(Some(&observer));
    transport.get_operation(&request, &attempt).unwrap();
    assert_eq!(server.connections(), [0, 0]);
}

#[test]
fn no_time_sends_nothing() {
    let server = Server::start(vec![vec![ok(&proto())]]);
    let request = GetOperationRequest { name: NAME.into() };
    let error = transport(&server).get_operation(&request, &Attempt::new(Duration::ZERO)).unwrap_err();
    assert_eq!(facts(&error), (ErrorKind::Timeout, None, true, false));
    assert_eq!(server.seen().len(), 0);
}

#[test]
fn time_without_end_is_no_overflow() {
    let server = Server::start(vec![vec![ok(&proto())]]);
    let request = GetOperationRequest { name: NAME.into() };
    transport(&server).get_operation(&request, &Attempt::new(Duration::MAX)).unwrap();
    let timeout = server.seen()[0].headers["grpc-timeout"].to_str().unwrap().to_owned();
    let seconds: u32 = timeout.strip_suffix('S').expect(&timeout).parse().unwrap();
    assert!((31_500_000..31_536_000).contains(&seconds), "a year, less what it took: {timeout}");
}

/// `RST_STREAM` of the first stream with `CANCEL`.
fn cancel() -> Vec<u8> {
    let mut reset = raw(3, &[0, 0, 0, 8]);
    reset[8] = 1;
    reset
}
