//! What the server is told of the time, in virtual time.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use h2::Reason;
use prost::Message;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::server::{Act, Server, error, ok, run};
use super::{GrpcOptions, GrpcTransport, NAME, facts, message, options, proto, timed};
use crate::error::{Error, ErrorKind};
use crate::http::tests::authority::{Authority, unchanged};
use crate::http::{HttpOptions, ProxySetting, Roots};
use crate::proto::google::longrunning::GetOperationRequest;
use crate::proto::google::rpc;
use crate::transport::{Attempt, ServiceOptions, Transport};
use crate::types::{Any, Code, rpc::DebugInfo};
use crate::util::clock::Clock;

const LIMIT: Duration = Duration::from_secs(5);

/// What is told after 4 of 5 s: a twentieth of the second less.
const AFTER_FOUR: &str = "950000u";

/// A clock that is set by hand.
#[derive(Debug)]
struct Hands {
    now: Mutex<Instant>,
    /// How many calls have begun.
    begun: Mutex<usize>,
    more: Condvar,
}

impl Hands {
    fn new() -> Arc<Self> {
        Arc::new(Self { now: Mutex::new(Instant::now()), begun: Mutex::default(), more: Condvar::new() })
    }

    fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    /// Waits until a number of calls have their deadline, which is before they
    /// need a connection.
    fn await_calls(&self, count: usize) {
        let begun = self.begun.lock().unwrap();
        let waited = self.more.wait_timeout_while(begun, HANGING, |begun| *begun < count).unwrap();
        assert!(!waited.1.timed_out(), "fewer than {count} calls");
    }
}

impl Clock for Hands {
    fn now(&self) -> Instant {
        *self.now.lock().unwrap()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) {
        self.pass(duration);
    }

    fn socket_deadline(&self, _: Instant) -> Instant {
        *self.begun.lock().unwrap() += 1;
        self.more.notify_all();
        Instant::now() + HANGING
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

fn client(options: ServiceOptions, clock: &Arc<Hands>) -> GrpcTransport {
    timed(options, GrpcOptions::default(), clock.clone()).unwrap()
}

fn get(transport: &GrpcTransport) -> Result<(), Error> {
    let request = GetOperationRequest { name: NAME.into() };
    transport.get_operation(&request, &Attempt::new(LIMIT)).map(drop)
}

/// What the server was told of each call.
fn told(server: &Server) -> Vec<String> {
    let timeout = |headers: &http::HeaderMap| headers["grpc-timeout"].to_str().unwrap().to_owned();
    server.seen().iter().map(|seen| timeout(&seen.headers)).collect()
}

fn four_seconds(clock: &Arc<Hands>) -> Act {
    let clock = clock.clone();
    run(move || clock.pass(Duration::from_secs(4)))
}

#[test]
fn what_a_refused_call_took_is_not_told_again() {
    let clock = Hands::new();
    let refused = vec![four_seconds(&clock), Act::Reset(Reason::REFUSED_STREAM)];
    let server = Server::start(vec![vec![refused], vec![ok(&proto())]]);
    get(&client(options(server.port), &clock)).unwrap();
    assert_eq!(told(&server), ["4950m", AFTER_FOUR]);
}

#[test]
fn a_call_that_was_refused_when_its_time_is_up_is_not_sent_again() {
    let clock = Hands::new();
    let refused = vec![four_seconds(&clock), four_seconds(&clock), Act::Reset(Reason::REFUSED_STREAM)];
    let server = Server::start(vec![vec![refused], vec![ok(&proto())]]);
    let error = get(&client(options(server.port), &clock)).unwrap_err();
    assert_eq!(facts(&error), (ErrorKind::Timeout, None, true, false));
    assert_eq!(told(&server), ["4950m"]);
}

#[test]
fn what_waiting_for_a_connection_took_is_not_told() {
    let clock = Hands::new();
    let second = clock.clone();
    let answer = [vec![run(move || second.await_calls(2)), four_seconds(&clock)], ok(&proto())].concat();
    let server = Server::start(vec![vec![answer, ok(&proto())]]);
    let mut options = options(server.port);
    options.http_options = options.http_options.max_connections(1);
    let transport = client(options, &clock);
    thread::scope(|scope| {
        let calls = [scope.spawn(|| get(&transport)), scope.spawn(|| get(&transport))];
        calls.into_iter().for_each(|call| call.join().unwrap().unwrap());
    });
    assert_eq!(told(&server), ["4950m", AFTER_FOUR]);
}

/// Lets time pass in the middle of every handshake.
#[derive(Debug)]
struct Slow(Arc<dyn ResolvesServerCert>, Arc<Hands>, Duration);

impl ResolvesServerCert for Slow {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.1.pass(self.2);
        self.0.resolve(hello)
    }
}

#[test]
fn what_connecting_took_is_not_told() {
    for (seconds, expected) in [(4, Some(AFTER_FOUR)), (6, None)] {
        let (clock, authority) = (Hands::new(), Authority::new(unchanged));
        let mut config: ServerConfig = authority.server("localhost", unchanged);
        let slow = Slow(config.cert_resolver.clone(), clock.clone(), Duration::from_secs(seconds));
        config.cert_resolver = Arc::new(slow);
        let server = Server::start_tls(vec![vec![ok(&proto())]], config, &[b"h2"]);
        let mut options = options(server.port);
        options.endpoint = format!("https://localhost:{}", server.port);
        let roots = Roots::Pem(authority.pem.clone().into());
        options.http_options = HttpOptions::new().proxy(ProxySetting::None).roots(roots);
        let result = get(&client(options, &clock));
        assert_eq!(told(&server), Vec::from_iter(expected), "{seconds}");
        let facts = result.map_err(|error| facts(&error));
        assert_eq!(
            facts,
            if expected.is_some() { Ok(()) } else { Err((ErrorKind::Timeout, None, true, false)) }
        );
    }
}

/// It comes before the time is up, and ends the attempt as a timeout does.
#[test]
fn the_last_word_of_a_server_at_its_deadline_is_kept() {
    let info = DebugInfo { detail: "held by row 7".into(), ..Default::default() };
    let details = vec![Any::pack(&info).to_proto().unwrap()];
    let status = rpc::Status { code: 4, message: "waiting for a lock".into(), details };
    let full = BASE64_STANDARD_NO_PAD.encode(status.encode_to_vec());
    let rows: [(&str, &str, u64, (ErrorKind, Option<Code>, bool, bool)); 5] = [
        ("at the deadline that it was told", "4", 4_950, (ErrorKind::Timeout, None, true, true)),
        ("a little ahead", "4", 4_900, (ErrorKind::Timeout, None, true, true)),
        ("as some servers say it", "1", 4_950, (ErrorKind::Timeout, None, true, true)),
        (
            "for reasons of its own",
            "4",
            4_000,
            (ErrorKind::Service, Some(Code::DeadlineExceeded), false, true),
        ),
        ("something else", "3", 4_950, (ErrorKind::Service, Some(Code::InvalidArgument), false, true)),
    ];
    for (name, code, millis, expected) in rows {
        let clock = Hands::new();
        let passing = clock.clone();
        let late = run(move || passing.pass(Duration::from_millis(millis)));
        let said = error(&[("grpc-status", code), ("grpc-status-details-bin", &full)]);
        let server = Server::start(vec![vec![[vec![late], said].concat()]]);
        let error = get(&client(options(server.port), &clock)).unwrap_err();
        assert_eq!(told(&server), ["4950m"], "{name}");
        assert_eq!(facts(&error), expected, "{name}");
        if error.kind() == ErrorKind::Timeout {
            assert_eq!(message(&error, server.port), "no response from 127.0.0.1:PORT in time", "{name}");
            let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<Error>());
            let status = cause.unwrap().status().unwrap();
            assert_eq!(status.message(), "waiting for a lock", "{name}");
            assert_eq!(status.detail::<DebugInfo>(), Some(info.clone()), "{name}");
        }
    }
}

/// Far above what anything takes here.
const HANGING: Duration = Duration::from_secs(60);
