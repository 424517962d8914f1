//! How often a start is sent, counted on the wire between the client and its server.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use longrunning::testing::{FakeServer, Reply};
use longrunning::{Code, Error, OperationsClientBuilder, Status};

use super::{PATH, server};
use crate::kit::{NAME, slept, unavailable};

/// A wire that keeps what the client sends on each connection, and may cut it.
struct Wire {
    url: String,
    connections: Arc<Mutex<Vec<Vec<u8>>>>,
    /// A message for each connection that the server has closed, when the client can see it.
    closed: Receiver<()>,
}

impl Wire {
    /// Connects to the server. A connection is cut, both ways, when the client has sent more than `most` bytes.
    fn to(server: &FakeServer, most: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (connections, address) = (Arc::new(Mutex::new(Vec::new())), server.address());
        let (tells, closed) = channel();
        let all = Arc::clone(&connections);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(address) else { return };
                let number = {
                    let mut all = all.lock().unwrap();
                    all.push(Vec::new());
                    all.len() - 1
                };
                let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let tells = tells.clone();
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = (to.shutdown(Shutdown::Write), tells.send(()));
                });
                let all = Arc::clone(&all);
                thread::spawn(move || {
                    carry(client, server, most, |bytes| all.lock().unwrap()[number].extend(bytes))
                });
            }
        });
        Self { url, connections, closed }
    }

    fn client(&self, server: &FakeServer) -> OperationsClientBuilder {
        server.client_builder().api_endpoint(&*self.url)
    }

    /// How many connections there were, and how many requests began on them.
    fn counted(&self) -> (usize, usize) {
        let connections = self.connections.lock().unwrap();
        (connections.len(), connections.iter().map(|bytes| starts_in(bytes)).sum())
    }
}

fn carry(mut client: TcpStream, mut server: TcpStream, most: usize, mut keep: impl FnMut(&[u8])) {
    let (mut buffer, mut carried) = ([0; 4096], 0);
    while let Ok(amount @ 1..) = client.read(&mut buffer) {
        keep(&buffer[..amount]);
        carried += amount;
        if carried > most {
            let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
            return;
        }
        if server.write_all(&buffer[..amount]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}

/// Requests to start something, over HTTP/1.1 by their first line and over HTTP/2 by their `HEADERS` frame.
fn starts_in(bytes: &[u8]) -> usize {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let Some(mut frames) = bytes.strip_prefix(PREFACE) else {
        let line = format!("POST {PATH}");
        return bytes.windows(line.len()).filter(|window| *window == line.as_bytes()).count();
    };
    let mut count = 0;
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = frames {
        count += usize::from(*kind == 1);
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        frames = rest.get(length..).unwrap_or_default();
    }
    count
}

/// Starts once, with a body that takes several writes.
fn start(builder: OperationsClientBuilder, path: &str) -> Result<String, Error> {
    let client = builder.build().unwrap();
    let call = match path.starts_with('/') {
        true => client.start(path).json(&"x".repeat(100_000)),
        false => client.start(path).message(&"x".repeat(60_000)),
    };
    call.send().map(|handle| handle.name().to_owned())
}

type Row = (&'static str, Option<Reply>, usize, (usize, usize), bool);

fn check(rows: Vec<Row>, path: &str, client: impl Fn(OperationsClientBuilder) -> OperationsClientBuilder) {
    for (row, reply, most, counted, doubt) in rows {
        let server = server();
        #[cfg(feature = "grpc")]
        server.on_start_rpc(path, longrunning::Operation::running(NAME));
        reply.into_iter().for_each(|reply| server.reply(reply));
        let wire = Wire::to(&server, most);
        let result = start(client(wire.client(&server)), path);
        assert_eq!(wire.counted(), counted, "{row}: {result:?}");
        assert_eq!(result.as_ref().is_err_and(Error::may_have_started), doubt, "{row}: {result:?}");
        assert_eq!(
            result.is_ok(),
            slept(&server).len() == counted.1 - 1 && !doubt && row != "quota",
            "{row}: {result:?}"
        );
    }
}

#[test]
fn a_request_over_rest_is_written_once() {
    let quota: Reply = Status::new(Code::ResourceExhausted, "no").into();
    let all = usize::MAX;
    let rows: Vec<Row> = vec![
        ("nothing", None, all, (1, 1), false),
        ("cut in the head", None, 0, (1, 1), true),
        ("cut in the body", None, 20_000, (1, 1), true),
        ("cut before the response", Some(Reply::close()), all, (1, 1), true),
        ("reset before the response", Some(Reply::reset()), all, (1, 1), true),
        ("started, and reset", Some(Reply::usual().reset_at(0)), all, (1, 1), true),
        ("cut in the response", Some(Reply::usual().truncate_at(5)), all, (1, 1), true),
        ("no response", Some(Reply::hang()), all, (1, 1), true),
        ("503", Some(unavailable().header("retry-after", "1")), all, (1, 1), true),
        ("quota", Some(quota.header("retry-after", "1")), all, (1, 1), false),
    ];
    check(rows, PATH, |builder| builder);
}

#[cfg(feature = "grpc")]
#[test]
fn a_request_over_grpc_is_written_once() {
    let quota: Reply = Status::new(Code::ResourceExhausted, "no").into();
    let all = usize::MAX;
    let rows: Vec<Row> = vec![
        ("nothing", None, all, (1, 1), false),
        ("cut in the message", None, 20_000, (1, 1), true),
        ("cut before the response", Some(Reply::close()), all, (1, 1), true),
        ("reset before the response", Some(Reply::reset()), all, (1, 1), true),
        ("cut in the response", Some(Reply::usual().truncate_at(5)), all, (1, 1), true),
        ("no response", Some(Reply::hang()), all, (1, 1), true),
        ("UNAVAILABLE", Some(unavailable()), all, (1, 1), true),
        ("quota", Some(quota.header("grpc-retry-pushback-ms", "1000")), all, (1, 1), false),
        ("ENHANCE_YOUR_CALM", Some(Reply::reset_stream(2)), all, (1, 1), true),
        ("REFUSED_STREAM", Some(Reply::reset_stream(7)), all, (2, 2), false),
        ("GOAWAY", Some(Reply::go_away()), all, (2, 2), false),
    ];
    check(rows, "google.cloud.run.v2.Jobs/RunJob", |builder| {
        builder.transport(longrunning::transport::TransportKind::Grpc)
    });
}

#[test]
fn without_a_connection_nothing_is_written() {
    let server = server();
    let http = crate::kit::Unreachable::new();
    let client = server.client_builder().http_client(http).build().unwrap();
    let error = client.start(PATH).send().unwrap_err();
    assert_eq!(
        (error.attempts(), error.may_have_started(), server.request_count()),
        (5, false, 0),
        "{error}"
    );
    assert_eq!(slept(&server), [0.375, 0.75, 1.5, 3.0]);
}

/// A server that closes idle connections leaves no doubt about the next start.
#[test]
fn a_connection_that_was_closed_while_idle_is_not_used() {
    let server = server();
    let wire = Wire::to(&server, usize::MAX);
    let client = wire.client(&server).build().unwrap();
    server.reply(Reply::usual().without_header("connection").then_close());
    client.list("operations").send().unwrap();
    wire.closed.recv().unwrap();
    assert_eq!(client.start(PATH).send().unwrap().name(), NAME);
    assert_eq!((wire.counted(), server.request_count()), ((2, 1), 2));
}
