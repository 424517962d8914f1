//! Connections: kept, checked, lost, and what is sent once more.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use h2::Reason;

use super::super::frame;
use super::server::{Act, GRPC, Server, head, ok, other, raw, run};
use super::{
    GrpcOptions, GrpcTransport, NAME, attempt, built, facts, get, message, options, proto, transport,
};
use crate::error::Error;
use crate::error::ErrorKind::{Service, Timeout, Transport};
use crate::http::HttpOptions;
use crate::proto::google::longrunning::GetOperationRequest;
use crate::system::is_wine;
use crate::transport::{Attempt, Compression, StartBody, StartRequest, Transport as _};
use crate::types::{Code, Operation};

const PING: u8 = 6;
const GOAWAY: u8 = 7;
const SETTINGS: u8 = 4;

/// Allows no streams.
fn no_streams() -> Vec<u8> {
    const MAX_CONCURRENT_STREAMS: u8 = 3;
    raw(SETTINGS, &[0, MAX_CONCURRENT_STREAMS, 0, 0, 0, 0])
}

/// `GOAWAY` that takes up nothing.
fn go_away(reason: u8) -> Vec<u8> {
    farewell(0, reason, "")
}

/// `GOAWAY` that takes up the calls until `last`.
fn farewell(last: u8, reason: u8, text: &str) -> Vec<u8> {
    raw(GOAWAY, &[&[0, 0, 0, last, 0, 0, 0, reason], text.as_bytes()].concat())
}

fn with(mut acts: Vec<Act>, more: Act) -> Vec<Act> {
    acts.push(more);
    acts
}

/// The server may close an idle connection at any moment, and a start is not
/// sent again on another one.
#[test]
fn a_start_takes_no_connection_that_was_idle_for_two_seconds() {
    let now = Instant::now();
    let (long_ago, just_now) = (now.checked_sub(Duration::from_secs(2)), now.checked_add(FAR));
    let start = |is_idempotent| {
        let request = StartRequest { is_idempotent, ..StartRequest::new("a.b.Jobs/Run") };
        move |transport: &GrpcTransport| transport.start_operation(&request, &attempt())
    };
    type Call = Box<dyn Fn(&GrpcTransport) -> Result<Operation, Error>>;
    let rows: [(&str, Option<Instant>, Call, [usize; 2]); 4] = [
        ("start, idle for long", long_ago, Box::new(start(false)), [0, 1]),
        ("start, used just now", just_now, Box::new(start(false)), [0, 0]),
        ("start with an id", long_ago, Box::new(start(true)), [0, 0]),
        ("get", long_ago, Box::new(get), [0, 0]),
    ];
    for (name, used, call, connections) in rows {
        let server = Server::start(vec![vec![ok(&proto()), ok(&proto())], vec![ok(&proto())]]);
        let transport = transport(&server);
        get(&transport).unwrap();
        transport.pool.set_idle_since(used.unwrap());
        call(&transport).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(server.connections(), connections, "{name}");
    }
}

/// Later than any test ends, so that no time has passed since.
const FAR: Duration = Duration::from_secs(3600);

#[test]
fn what_is_sent_once_more() {
    let answer = || ok(&proto());
    let rows = [
        ("nothing wrong", vec![vec![answer(), answer()]], vec![0, 0]),
        (
            "refused",
            vec![vec![vec![Act::Reset(Reason::REFUSED_STREAM)]], vec![answer(), answer()]],
            vec![0, 1, 1],
        ),
        (
            "going away, call not taken up",
            vec![vec![vec![Act::Raw(go_away(0))]], vec![answer(), answer()]],
            vec![0, 1, 1],
        ),
        (
            "going away for a reason",
            vec![vec![vec![Act::Raw(go_away(11))]], vec![answer(), answer()]],
            vec![0, 1, 1],
        ),
        (
            "going away, then closed",
            vec![vec![vec![Act::Raw(go_away(0)), Act::Close]], vec![answer(), answer()]],
            vec![0, 1, 1],
        ),
        ("shut down after an answer", vec![vec![with(answer(), Act::ShutDown)], vec![answer()]], vec![0, 1]),
        ("closed after an answer", vec![vec![with(answer(), Act::Close)], vec![answer()]], vec![0, 1]),
        ("closed at the second call", vec![vec![answer(), vec![Act::Close]], vec![answer()]], vec![0, 0, 1]),
        (
            "pinged between calls",
            vec![vec![with(answer(), Act::Raw(raw(PING, b"8 bytes!"))), answer()]],
            vec![0, 0],
        ),
    ];
    for (name, scripts, connections) in rows {
        let server = Server::start(scripts);
        let transport = transport(&server);
        for _ in 0..2 {
            get(&transport).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        }
        assert_eq!(server.connections(), connections, "{name}");
    }
}

#[test]
fn pings_are_answered_before_the_next_call() {
    let ping = raw(PING, b"CANARY-1");
    let mut pong = ping.clone();
    pong[4] = 1;
    let server = Server::start(vec![vec![with(ok(&proto()), Act::Raw(ping)), ok(&proto())]]);
    let transport = transport(&server);
    get(&transport).unwrap();
    get(&transport).unwrap();
    server.await_bytes(0, &pong);
    assert_eq!(server.connections(), [0, 0]);
}

#[test]
fn what_is_not_sent_a_third_time() {
    let refused = || vec![vec![Act::Reset(Reason::REFUSED_STREAM)]];
    let leaving = |reason| vec![vec![Act::Raw(go_away(reason))]];
    let closing = || vec![vec![Act::Close]];
    let rows = [
        (
            "refused twice",
            vec![refused(), refused()],
            (Transport, None, true, false),
            "127.0.0.1:PORT refused the call: it takes no more at a time",
            2,
        ),
        (
            "leaving twice",
            vec![leaving(0), leaving(0)],
            (Transport, None, true, false),
            "127.0.0.1:PORT is closing the connection: GOAWAY NO_ERROR",
            2,
        ),
        (
            "leaving for a reason",
            vec![leaving(0), leaving(11)],
            (Transport, None, true, false),
            "127.0.0.1:PORT closed the connection: GOAWAY ENHANCE_YOUR_CALM",
            2,
        ),
        (
            "leaving for a reason in words",
            vec![leaving(0), vec![vec![Act::Raw(farewell(0, 11, "too_many_pings\r\n\u{1b}[2J"))]]],
            (Transport, None, true, false),
            "127.0.0.1:PORT closed the connection: GOAWAY ENHANCE_YOUR_CALM `too_many_pings\\r\\n\\u{1b}[2J`",
            2,
        ),
        (
            "leaving for a reason in the middle of a call",
            vec![vec![vec![Act::Raw(farewell(1, 2, "worker died")), Act::Close]]],
            (Transport, None, true, true),
            "127.0.0.1:PORT closed the connection before a response: GOAWAY INTERNAL_ERROR `worker died`",
            1,
        ),
        (
            "closed at the first call",
            vec![closing()],
            (Transport, None, true, true),
            "127.0.0.1:PORT closed the connection before a response",
            1,
        ),
        (
            "closed in an answer",
            vec![vec![vec![head(200, &[GRPC], false), Act::Data(vec![0, 0]), Act::Close]]],
            (Transport, None, true, true),
            "response of 127.0.0.1:PORT was cut short",
            1,
        ),
        (
            "reset in an answer",
            vec![vec![vec![
                head(200, &[GRPC], false),
                Act::Raw(Vec::new()),
                Act::Reset(Reason::REFUSED_STREAM),
            ]]],
            (Service, Some(Code::Unavailable), true, true),
            "UNAVAILABLE: the server reset the call: REFUSED_STREAM",
            1,
        ),
    ];
    for (name, scripts, expected, text, calls) in rows {
        let server = Server::start(scripts);
        let error = get(&transport(&server)).unwrap_err();
        assert_eq!(message(&error, server.port), text, "{name}");
        assert_eq!(facts(&error), expected, "{name}");
        assert_eq!(server.connections().len(), calls, "{name}");
    }
}

#[test]
fn resend_that_fails_may_have_been_acted_on() {
    let server =
        Server::start(vec![vec![ok(&proto()), vec![Act::Close]], vec![vec![Act::Reset(Reason::CANCEL)]]]);
    let transport = transport(&server);
    get(&transport).unwrap();
    assert_eq!(facts(&get(&transport).unwrap_err()), (Service, Some(Code::Cancelled), false, true));
    assert_eq!(server.connections(), [0, 0, 1]);
}

#[test]
fn resend_that_reaches_nobody_may_have_been_acted_on() {
    let server = Server::start(vec![vec![ok(&proto()), vec![Act::Close]]]);
    let transport = transport(&server);
    get(&transport).unwrap();
    // The server listens no more after its one connection.
    while TcpStream::connect(("127.0.0.1", server.port)).is_ok() {}
    let error = get(&transport).unwrap_err();
    assert_eq!(
        message(&error, server.port),
        "failed to connect to 127.0.0.1:PORT; check the endpoint and the network"
    );
    assert_eq!(facts(&error), (Transport, None, true, true));
}

#[test]
fn nobody_there() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = get(&built(options(port), GrpcOptions::default()).unwrap()).unwrap_err();
    assert_eq!(
        message(&error, port),
        "failed to connect to 127.0.0.1:PORT; check the endpoint and the network"
    );
    assert_eq!(facts(&error), (Transport, None, true, false));
}

#[test]
fn servers_of_something_else() {
    for answer in [&b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..], b"SSH-2.0-x\r\n"] {
        let port = other(answer);
        let error = get(&built(options(port), GrpcOptions::default()).unwrap()).unwrap_err();
        let message = message(&error, port);
        assert!(message.starts_with("response of 127.0.0.1:PORT is not valid HTTP/2"), "{message}");
        assert_eq!(message.contains("HTTP/1.1"), answer.starts_with(b"HTTP"), "{message}");
        assert_eq!((error.kind(), error.code()), (Transport, None));
    }
}

#[test]
fn tls_ports_are_told_by_their_answer_to_plain_http() {
    let rows = [
        (
            &b"\x15\x03\x03\0\x02\x02\x46"[..],
            (Transport, None, false, true),
            "127.0.0.1:PORT responded to plain HTTP with TLS: use an `https://` endpoint",
        ),
        (
            b"",
            (Transport, None, true, true),
            "127.0.0.1:PORT closed the connection before a response \
             (a server that expects TLS does so: use `https://`)",
        ),
    ];
    for (answer, expected, text) in rows {
        let port = other(answer);
        let error = get(&built(options(port), GrpcOptions::default()).unwrap()).unwrap_err();
        assert_eq!(message(&error, port), text);
        assert_eq!(facts(&error), expected, "{text}");
    }
}

#[test]
fn connections_are_kept_as_the_options_say() {
    let (none, old) =
        (HttpOptions::new().idle_per_host(0), HttpOptions::new().idle_timeout(std::time::Duration::ZERO));
    for http_options in [none, old] {
        let server = Server::start(vec![vec![ok(&proto())], vec![ok(&proto())]]);
        let mut options = options(server.port);
        options.http_options = http_options;
        let transport = built(options, GrpcOptions::default()).unwrap();
        get(&transport).unwrap();
        get(&transport).unwrap();
        assert_eq!(server.connections(), [0, 1]);
    }
}

/// A response that is held back until a number of calls have arrived.
fn together(calls: usize) -> Vec<Act> {
    let all = Barrier::new(calls);
    let held = run(move || _ = all.wait());
    [vec![held], ok(&proto())].concat()
}

#[test]
fn calls_at_the_same_time_have_a_connection_each() {
    let server = Server::start(vec![vec![together(8)]; 8]);
    let transport = transport(&server);
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| get(&transport))).collect();
        for call in calls {
            call.join().unwrap().unwrap();
        }
    });
    let mut connections = server.connections();
    connections.sort_unstable();
    assert_eq!(connections, Vec::from_iter(0..8));
}

#[test]
fn connections_are_limited_as_the_options_say() {
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    // Ends when the sender is dropped, also by a test that fails.
    let held = run(move || _ = released.lock().unwrap().recv());
    let server = Server::start(vec![vec![[vec![held], ok(&proto())].concat(), ok(&proto())]]);
    let mut options = options(server.port);
    options.http_options = options.http_options.max_connections(1);
    let transport = built(options, GrpcOptions::default()).unwrap();
    std::thread::scope(|scope| {
        let release = release;
        let first = scope.spawn(|| get(&transport).unwrap());
        while server.seen().is_empty() {
            std::thread::yield_now();
        }
        let request = GetOperationRequest { name: NAME.into() };
        // Enough to ask for a connection, also on busy machines.
        let error = transport.get_operation(&request, &Attempt::new(Duration::from_millis(300))).unwrap_err();
        let told = "no connection to 127.0.0.1:PORT was free in time: see `max_connections`";
        assert!(format!("{error:?}").replace(&server.port.to_string(), "PORT").contains(told), "{error:?}");
        assert_eq!(facts(&error), (Timeout, None, true, false));
        drop(release);
        first.join().unwrap();
    });
    get(&transport).unwrap();
    assert_eq!(server.connections(), [0, 0]);
}

#[test]
fn one_forgotten_connection_makes_all_idle_ones_suspect() {
    let script = vec![vec![together(2), vec![Act::Silence]]; 2];
    let server = Server::start([script, vec![vec![ok(&proto())]]].concat());
    let transport = transport(&server);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| get(&transport).unwrap());
        }
    });
    let request = GetOperationRequest { name: NAME.into() };
    // Enough to send it, also on busy machines.
    let error = transport.get_operation(&request, &Attempt::new(Duration::from_millis(500))).unwrap_err();
    assert_eq!(facts(&error), (Timeout, None, true, true));
    get(&transport).unwrap();
    assert_eq!(server.connections().last(), Some(&2));
}

/// Two calls at the same time.
fn get_twice(transport: &impl crate::transport::Transport) {
    let request = GetOperationRequest { name: NAME.into() };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope
                .spawn(|| transport.get_operation(&request, &Attempt::new(Duration::from_secs(60))).unwrap());
        }
    });
}

#[test]
fn one_closed_connection_makes_all_idle_ones_suspect() {
    let both = together(2);
    let old = vec![both.clone(), vec![Act::Close]];
    let server = Server::start(vec![old.clone(), old, vec![ok(&proto()), both.clone()], vec![both]]);
    let transport = transport(&server);
    get_twice(&transport);
    // Meets a closed connection, and is sent again on a new one.
    get(&transport).unwrap();
    get_twice(&transport);
    let connections = server.connections();
    assert_eq!(connections.len(), 6, "{connections:?}");
    assert!(connections[3..].iter().all(|connection| *connection >= 2), "{connections:?}");
}

#[test]
fn only_so_many_connections_stay_idle() {
    for (idle_per_host, expected) in [(1, 3), (2, 2)] {
        let both = together(2);
        let server = Server::start(vec![
            vec![both.clone(), both.clone()],
            vec![both.clone(), both.clone()],
            vec![both],
        ]);
        let mut options = options(server.port);
        options.http_options = options.http_options.idle_per_host(idle_per_host);
        let transport = built(options, GrpcOptions::default()).unwrap();
        get_twice(&transport);
        get_twice(&transport);
        let used: BTreeSet<_> = server.connections().into_iter().collect();
        assert_eq!(used.len(), expected, "{idle_per_host}");
    }
}

/// h2's half of a server cannot change this setting, so the frames are written
/// here.
#[test]
fn connection_that_allows_no_more_streams_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (count, connections) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, count) = (stream.unwrap(), count.clone());
            std::thread::spawn(move || serve_one_call(stream, &count));
        }
    });
    let transport = built(options(port), GrpcOptions::default()).unwrap();
    for _ in 0..3 {
        get(&transport).unwrap();
        connections.recv().unwrap();
    }
}

/// Responds to the first call and then allows no more streams; says so, and
/// ignores whatever else comes.
fn serve_one_call(mut stream: TcpStream, count: &Sender<()>) {
    let frame = |kind: u8, flags: u8, number: u8, payload: &[u8]| {
        let mut frame = raw(kind, payload);
        (frame[4], frame[8]) = (flags, number);
        frame
    };
    let message = frame::encode(&proto(), Compression::Identity);
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    stream.write_all(&raw(SETTINGS, b"")).unwrap();
    while !received.windows(NAME.len()).any(|window| window == NAME.as_bytes()) {
        let amount = stream.read(&mut buffer).unwrap();
        received.extend_from_slice(&buffer[..amount]);
    }
    // `:status: 200` of the static table, then literal fields.
    let head = [&[0x88, 0x0f, 0x10, 16][..], b"application/grpc"].concat();
    let trailers = [&[0, 11][..], b"grpc-status", &[1], b"0"].concat();
    let frames = [
        frame(HEADERS, END_HEADERS, 1, &head),
        frame(DATA, 0, 1, &message),
        no_streams(),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &trailers),
    ];
    stream.write_all(&frames.concat()).unwrap();
    count.send(()).unwrap();
    while stream.read(&mut buffer).is_ok_and(|amount| amount > 0) {}
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

#[test]
fn resend_that_reaches_nobody_after_a_refusal_was_not_sent() {
    let (sender, port) = channel();
    let port = Mutex::new(port);
    // The server listens no more after its one connection.
    let wait = run(move || {
        let port: u16 = port.lock().unwrap().recv().unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_ok() {}
    });
    let server = Server::start(vec![vec![vec![wait, Act::Reset(Reason::REFUSED_STREAM)]]]);
    sender.send(server.port).unwrap();
    assert_eq!(facts(&get(&transport(&server)).unwrap_err()), (Transport, None, true, false));
    assert_eq!(server.connections(), [0]);
}

/// A call that must be sent once is not resent, so it has to notice before.
#[test]
fn idle_connections_that_have_ended_carry_no_call() {
    // There, the look of 5 ms does not see frames that have arrived.
    if is_wine() {
        eprintln!("skipped under Wine");
        return;
    }
    let carried = |bytes: &[u8]| {
        let (sender, receiver) = channel();
        let sent = run(move || sender.send(()).unwrap());
        let first = [ok(&proto()), vec![Act::Raw(bytes.to_vec()), sent]].concat();
        let server = Server::start(vec![vec![first, ok(&proto())], vec![ok(&proto())]]);
        let transport = transport(&server);
        get(&transport).unwrap();
        receiver.recv().unwrap();
        let mut start = StartRequest::new("google.cloud.run.v2.Jobs/RunJob");
        start.body = StartBody::Message(Vec::new());
        let started = transport.start_operation(&start, &attempt());
        started.is_ok() && server.connections() == [0, 1]
    };
    for (row, bytes) in [("going away", farewell(1, 0, "")), ("allows no streams", no_streams())] {
        // More than once, because the look takes 5 ms at most, which a busy machine may
        // not give it.
        assert!((0..200).any(|_| carried(&bytes)), "{row}");
    }
}
