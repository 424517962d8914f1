//! Moments of one connection that no test over a socket can choose: its reads
//! and writes follow a script.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Mutex;

use super::*;
use crate::net::dns::DnsCache;
use crate::net::error::ConnectionError;
use crate::net::options::NetOptions;
use crate::net::peer::Peer;

fn later() -> IoLimit<'static> {
    // Only keeps a test that fails from hanging.
    IoLimit::new(Instant::now() + Duration::from_secs(20), None)
}

fn open(listener: &TcpListener) -> GrpcChannel {
    let env = BTreeMap::<String, String>::new();
    let connector = Connector::new(&NetOptions::default(), None, DnsCache::new(), &env).unwrap();
    let peer = Peer { tls: false, host: "127.0.0.1", port: listener.local_addr().unwrap().port() };
    GrpcChannel::open(&connector, &peer.into(), later()).unwrap()
}

type Reads = Vec<Result<Vec<u8>, ConnectionError>>;

/// A connection that is silent when its script ends.
struct ScriptedConnection {
    reads: VecDeque<Result<Vec<u8>, ConnectionError>>,
    /// The error of the first write, if it fails.
    write: Option<ConnectionError>,
    notes: Arc<Mutex<Notes>>,
}

/// What a channel did.
#[derive(Default)]
struct Notes {
    reads: usize,
    writes: Vec<Vec<u8>>,
}

impl Connection for ScriptedConnection {
    fn read(&mut self, into: &mut [u8], _: IoLimit<'_>) -> Result<usize, ConnectionError> {
        self.notes.lock().unwrap().reads += 1;
        let bytes = self.reads.pop_front().unwrap_or(Err(ConnectionError::Timeout))?;
        into[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn write(&mut self, bytes: &[u8], _: IoLimit<'_>) -> Result<(), ConnectionError> {
        self.notes.lock().unwrap().writes.push(bytes.to_vec());
        self.write.take().map_or(Ok(()), Err)
    }

    fn is_silent(&mut self) -> bool {
        self.reads.is_empty()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// Returns a channel over a connection with a script, and what it does.
fn scripted(reads: Reads, write: Option<ConnectionError>) -> (GrpcChannel, Arc<Mutex<Notes>>) {
    let mut channel = open(&TcpListener::bind("127.0.0.1:0").unwrap());
    let notes = Arc::<Mutex<Notes>>::default();
    channel.stream = Box::new(ScriptedConnection { reads: reads.into(), write, notes: notes.clone() });
    (channel, notes)
}

/// A frame of HTTP/2.
fn frame(kind: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, 0, 0, 0, 0, stream], payload].concat()
}

const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, b"")
}

fn ping() -> Vec<u8> {
    frame(PING, 0, b"8 bytes!")
}

fn window_update() -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, &[0, 0, 0, 1])
}

fn go_away() -> Vec<u8> {
    frame(GOAWAY, 0, &[0, 0, 0, 0, 0, 0, 0, 11])
}

fn reset() -> ConnectionError {
    ConnectionError::Io(io::ErrorKind::ConnectionReset.into())
}

#[test]
fn an_idle_connection_is_read_only_if_something_has_come() {
    let rows: [(&str, Reads, Option<ConnectionError>, usize, bool); 9] = [
        ("silent", vec![], None, 0, true),
        ("half a record of TLS", vec![Err(ConnectionError::Timeout), Ok(ping())], None, 1, true),
        ("three frames", vec![Ok(settings()), Ok(window_update()), Ok(ping())], None, 3, true),
        ("an end, and more", vec![Ok(settings()), Ok(vec![]), Ok(ping())], None, 2, false),
        ("a GOAWAY, and more", vec![Ok([settings(), go_away()].concat()), Ok(ping())], None, 1, false),
        ("another protocol", vec![Ok(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())], None, 1, false),
        ("a read that fails", vec![Err(reset()), Ok(ping())], None, 1, false),
        ("a write that fails", vec![Ok(ping()), Ok(ping())], Some(reset()), 1, false),
        ("a write that lasts", vec![Ok(ping()), Ok(ping())], Some(ConnectionError::Timeout), 1, false),
    ];
    for (name, reads, write, count, is_usable) in rows {
        let (mut channel, notes) = scripted(reads, write);
        assert_eq!(channel.refresh(later().deadline), is_usable, "{name}");
        assert_eq!(notes.lock().unwrap().reads, count, "{name}");
    }
}

#[test]
fn nothing_is_written_without_bytes_or_after_an_error() {
    let (mut channel, notes) = scripted(vec![Ok(settings()), Ok(window_update())], None);
    assert!(channel.refresh(later().deadline));
    let writes = notes.lock().unwrap().writes.clone();
    assert!(matches!(&*writes, [all] if all.starts_with(b"PRI * HTTP/2.0")), "{writes:?}");

    let (mut channel, notes) = scripted(vec![Ok(ping()), Ok(vec![])], Some(reset()));
    let fault = channel.drive(later(), false, |_| Poll::<()>::Pending).unwrap_err();
    assert!(matches!(fault, ChannelFault::Failed(_)), "{fault:?}");
    let notes = notes.lock().unwrap();
    assert_eq!((notes.reads, notes.writes.len()), (2, 1));
}

/// h2 wakes itself if the last stream ends while it runs and no handle is left,
/// and sends `GOAWAY` in its next turn. A channel keeps a handle, so the test
/// takes it away.
#[test]
fn h2_gets_another_turn_if_it_has_woken_itself() {
    let (mut channel, notes) = scripted(vec![], None);
    let stream = channel.requests.send_request(Request::new(()), false).unwrap();
    channel.turn();
    drop(stream);
    channel.requests = scripted(vec![], None).0.requests.clone();
    channel.drive(later(), false, |_| Poll::<()>::Pending).unwrap_err();
    let notes = notes.lock().unwrap();
    let second = notes.writes.get(1).and_then(|bytes| bytes.get(3));
    assert_eq!(second, Some(&GOAWAY), "{:?}", notes.writes);
    assert_eq!(notes.reads, 1);
}

#[test]
fn the_limits_of_a_connection_are_in_its_settings() {
    let mut channel = open(&TcpListener::bind("127.0.0.1:0").unwrap());
    channel.turn();
    let ends = channel.pipe.lock();
    let mut rest = ends.outgoing.strip_prefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    let (mut settings, mut windows) = (BTreeMap::new(), Vec::new());
    while let [0, 0, length, kind, _, 0, 0, 0, stream, after @ ..] = rest {
        let (payload, after) = after.split_at(usize::from(*length));
        let number = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all << 8 | u32::from(*byte));
        match *kind {
            SETTINGS => settings.extend(payload.chunks(6).map(|one| (number(&one[..2]), number(&one[2..])))),
            WINDOW_UPDATE => windows.push((*stream, number(payload))),
            _ => {}
        }
        rest = after;
    }
    let expected = [
        (2, 0),         // ENABLE_PUSH
        (4, 8_388_608), // INITIAL_WINDOW_SIZE: 8 MiB
        (5, 65_536),    // MAX_FRAME_SIZE: 64 KiB
        (6, 65_536),    // MAX_HEADER_LIST_SIZE: 64 KiB
    ];
    assert_eq!(settings, BTreeMap::from(expected));
    assert_eq!(windows, [(0, 8_388_608 - 65_535)], "8 MiB, less what the protocol starts with");
}

/// Returns the error of the request on a connection that goes on like this.
fn error_of(frames: &[u8], has_ended: bool) -> h2::Error {
    let mut channel = open(&TcpListener::bind("127.0.0.1:0").unwrap());
    let (response, _body) = channel.requests.send_request(Request::new(()), true).unwrap();
    channel.turn();
    let mut ends = channel.pipe.lock();
    ends.incoming = [&settings(), frames].concat();
    ends.has_ended = has_ended;
    drop(ends);
    channel.turn();
    match pin!(response).poll(&mut idle()) {
        Poll::Ready(Err(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_that_h2_rejects_is_sent_again_if_its_connection_explains_it() {
    let rows = [
        ("a request that is invalid", false, h2::Reason::INTERNAL_ERROR.into(), false),
        ("a used connection", true, h2::Reason::INTERNAL_ERROR.into(), true),
        ("GOAWAY", false, error_of(&go_away(), false), true),
        ("the end", false, error_of(b"", true), true),
        ("RST_STREAM", false, error_of(&frame(RST_STREAM, 1, &[0, 0, 0, 7]), false), true),
    ];
    let mut channel = open(&TcpListener::bind("127.0.0.1:0").unwrap());
    for (name, was_used, error, is_unprocessed) in rows {
        channel.was_used = was_used;
        match channel.not_sent(error) {
            ChannelFault::Unprocessed(error) => assert!(is_unprocessed && !error.was_sent(), "{name}"),
            ChannelFault::Failed(error) => {
                assert!(!is_unprocessed && error.kind() == HttpErrorKind::Request, "{name}");
            }
            fault => panic!("{name}: {fault:?}"),
        }
    }
}

#[test]
fn a_connection_that_was_reset_is_not_used() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut channel = open(&listener);
    let (stream, _) = listener.accept().unwrap();
    assert!(!channel.stream.is_tls() && channel.refresh(later().deadline), "nothing has come");
    channel.turn();
    channel.flush(later(), false).unwrap();
    while stream.peek(&mut [0]).unwrap() == 0 {}
    // Bytes that were not read make the system reset the connection.
    drop(stream);
    while channel.stream.is_silent() {}
    assert!(!channel.refresh(later().deadline));
}
