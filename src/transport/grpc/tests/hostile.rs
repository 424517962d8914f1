//! Servers that break the rules of HTTP/2, or keep to them and mean harm.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::{NAME, attempt, built, options, proto};
use crate::error::Error;
use crate::proto::google::longrunning::GetOperationRequest;
use crate::transport::grpc::{GrpcOptions, GrpcTransport, frame};
use crate::transport::{Attempt, Compression, Transport};

#[test]
fn no_server_harms_more_than_its_call() {
    let rows: [(&str, fn(&mut Peer) -> io::Result<()>, &str); 28] = [
        ("a header of 200 KB", |peer| peer.headers(&[("x", &"y".repeat(200_000))], true), IMPROPER),
        ("10,000 headers", |peer| peer.headers(&[("x", "y"); 10_000], true), IMPROPER),
        ("headers out of the table", Peer::bomb, IMPROPER),
        ("headers without end", |peer| peer.endless(9, 0, 1, &[0, 1, b'x', 0]), IMPROPER),
        ("window updates without end", |peer| peer.endless(8, 0, 0, &[0, 0, 0, 1]), LATE),
        ("pings without end", |peer| peer.endless(6, 0, 0, &[7; 8]), LATE),
        ("settings without end", |peer| peer.endless(4, 0, 0, &[0, 4, 0, 0, 0, 9]), LATE),
        ("priorities without end", |peer| peer.endless(2, 0, 1, &[0, 0, 0, 3, 7]), LATE),
        ("frames of no known kind without end", |peer| peer.endless(77, 0, 1, &[7; 100]), LATE),
        ("early hints without end", Peer::hints, LATE),
        ("empty data without end", |peer| peer.begin().and_then(|()| peer.endless(0, 0, 1, &[])), IMPROPER),
        ("data without end", |peer| peer.begin().and_then(|()| peer.endless(0, 0, 1, &[0; 16_000])), MORE),
        ("a page without end", Peer::page, PAGE),
        ("messages without end", |peer| peer.begin().and_then(|()| peer.endless(0, 0, 1, &[0; 5])), MORE),
        ("data before a head", |peer| peer.frame(0, 0, 1, &[0; 5]), IMPROPER),
        ("data on another stream", |peer| peer.frame(0, 0, 3, &[0; 5]), IMPROPER),
        ("data after trailers", Peer::more_data, ""),
        ("trailers twice", Peer::more_trailers, ""),
        ("a push", |peer| peer.frame(5, 4, 1, &[0, 0, 0, 2, 0x82]), IMPROPER),
        ("a status that is none", |peer| peer.frame(1, 5, 1, &literal(":status", "abc")), IMPROPER),
        ("no status", |peer| peer.frame(1, 5, 1, &literal("a", "b")), IMPROPER),
        ("a name in upper case", |peer| peer.headers(&[("X", "y")], true), IMPROPER),
        ("a frame that is too long", |peer| peer.frame(0, 0, 1, &[0; 70_000]), IMPROPER),
        ("half a frame", |peer| peer.socket.write_all(&[0, 0, 9, 1, 4, 0, 0, 0, 1, 0x88]), LATE),
        ("a window that is too large", |peer| peer.frame(4, 0, 0, &[0, 4, 255, 255, 255, 255]), IMPROPER),
        ("no window", |peer| peer.frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]), LATE),
        ("an update by nothing", |peer| peer.frame(8, 0, 1, &[0; 4]), IMPROPER),
        ("not HTTP/2 any more", |peer| peer.socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"), IMPROPER),
    ];
    for (name, act, expected) in rows {
        let (transport, port) = facing(act);
        let timeout = if expected == LATE { SHORT } else { attempt().timeout() };
        let message = match get(&transport, timeout) {
            Err(error) => error.to_string().replace(&port, "PORT"),
            Ok(()) => String::new(),
        };
        // The text of the page is behind it.
        let message = message.split(": xxx").next().unwrap_or_default();
        assert_eq!(message, expected, "{name}");
        get(&transport, attempt().timeout()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

#[test]
fn windows_of_a_byte_are_enough() {
    let (transport, _) = facing(|peer| {
        peer.answer()?;
        peer.frame(4, 0, 0, &[0, 4, 0, 0, 0, 1])?;
        peer.await_head()?;
        for _ in 0..100 {
            peer.frame(8, 0, 3, &[0, 0, 0, 1])?;
        }
        peer.await_end()?;
        peer.answer()
    });
    get(&transport, attempt().timeout()).unwrap();
    get(&transport, attempt().timeout()).unwrap();
}

#[test]
fn messages_a_byte_at_a_time() {
    let (transport, _) = facing(|peer| {
        peer.begin()?;
        for byte in message() {
            peer.frame(0, 0, 1, &[byte])?;
            peer.frame(0, 8, 1, &[3, 0, 0, 0])?;
        }
        peer.trailers("0")
    });
    get(&transport, attempt().timeout()).unwrap();
}

#[test]
fn refusal_before_the_message_is_wanted() {
    let (transport, _) = facing(|peer| {
        peer.answer()?;
        peer.frame(4, 0, 0, &[0, 4, 0, 0, 0, 0])?;
        peer.await_head()?;
        peer.headers(&[("content-type", "application/grpc"), ("grpc-status", "7")], true)?;
        peer.frame(3, 0, 3, &[0; 4])?;
        peer.frame(4, 0, 0, &[0, 4, 0, 0, 255, 255])
    });
    get(&transport, attempt().timeout()).unwrap();
    let error = get(&transport, attempt().timeout()).unwrap_err();
    assert_eq!(error.to_string(), "PERMISSION_DENIED");
    get(&transport, attempt().timeout()).unwrap();
}

/// For what ends with the time alone: enough to send a request, also on busy
/// machines.
const SHORT: Duration = Duration::from_millis(500);

const IMPROPER: &str = "response of 127.0.0.1:PORT is not valid HTTP/2";
const MORE: &str = "the response is more than one message";
const PAGE: &str = "127.0.0.1:PORT returned an HTML page instead of gRPC (HTTP 200)";
const LATE: &str = "no response from 127.0.0.1:PORT in time";

fn get(transport: &GrpcTransport, timeout: Duration) -> Result<(), Error> {
    let request = GetOperationRequest { name: NAME.into() };
    transport.get_operation(&request, &Attempt::new(timeout)).map(drop)
}

/// A client of a server that acts so upon its first call. All others it
/// answers.
fn facing(act: fn(&mut Peer) -> io::Result<()>) -> (GrpcTransport, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for (number, socket) in listener.incoming().flatten().enumerate() {
            let mut peer = Peer { socket, stream: 0 };
            thread::spawn(move || -> io::Result<()> {
                peer.socket.read_exact(&mut [0; 24])?;
                peer.frame(4, 0, 0, &[])?;
                if number == 0 {
                    peer.await_head()?;
                    act(&mut peer)?;
                }
                loop {
                    peer.await_head()?;
                    peer.answer()?;
                }
            });
        }
    });
    (built(options(port), GrpcOptions::default()).unwrap(), port.to_string())
}

struct Peer {
    socket: TcpStream,
    /// Of the last request.
    stream: u8,
}

impl Peer {
    /// Reads frames to the head of a request.
    fn await_head(&mut self) -> io::Result<()> {
        while self.read()?.0 != 1 {}
        Ok(())
    }

    /// Reads frames to the end of a request.
    fn await_end(&mut self) -> io::Result<()> {
        while self.read()? != (0, 1) {}
        Ok(())
    }

    /// Reads a frame, and gives its kind and flags.
    fn read(&mut self) -> io::Result<(u8, u8)> {
        let mut head = [0; 9];
        self.socket.read_exact(&mut head)?;
        let length = usize::from(head[1]) << 8 | usize::from(head[2]);
        self.socket.read_exact(&mut vec![0; length])?;
        if head[3] == 1 {
            self.stream = head[8];
        }
        Ok((head[3], head[4]))
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u8, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [length[1], length[2], length[3], kind, flags, 0, 0, 0, stream];
        self.socket.write_all(&[&head[..], payload].concat())
    }

    fn endless(&mut self, kind: u8, flags: u8, stream: u8, payload: &[u8]) -> io::Result<()> {
        if kind == 9 {
            self.frame(1, 0, stream, &[0x88])?;
        }
        loop {
            self.frame(kind, flags, stream, payload)?;
        }
    }

    /// A head, in as many frames as it takes.
    fn headers(&mut self, headers: &[(&str, &str)], ends: bool) -> io::Result<()> {
        let mut block = vec![0x88];
        headers.iter().for_each(|(name, value)| block.extend(literal(name, value)));
        let mut kind = 1;
        let last = block.chunks(16_000).count() - 1;
        for (number, part) in block.chunks(16_000).enumerate() {
            let flags = if number == last { 4 } else { 0 } | if ends && kind == 1 { 1 } else { 0 };
            self.frame(kind, flags, self.stream, part)?;
            kind = 9;
        }
        Ok(())
    }

    fn begin(&mut self) -> io::Result<()> {
        self.headers(&[("content-type", "application/grpc")], false)
    }

    fn trailers(&mut self, status: &str) -> io::Result<()> {
        self.frame(1, 5, self.stream, &literal("grpc-status", status))
    }

    fn answer(&mut self) -> io::Result<()> {
        self.begin()?;
        self.frame(0, 0, self.stream, &message())?;
        self.trailers("0")
    }

    /// One entry of the table of compression, told ten thousand times.
    fn bomb(&mut self) -> io::Result<()> {
        let mut block = vec![0x88];
        let mut entry = literal("x", &"y".repeat(3_000));
        entry[0] = 0x40;
        block.extend(entry);
        block.resize(13_000, 0xbe);
        self.frame(1, 5, 1, &block)
    }

    fn hints(&mut self) -> io::Result<()> {
        loop {
            self.frame(1, 4, 1, &literal(":status", "103"))?;
        }
    }

    fn page(&mut self) -> io::Result<()> {
        // The settings of the client hold from here on. Its windows are small before,
        // and h2 may notice first that this server ignores them.
        self.frame(4, 1, 0, &[])?;
        self.headers(&[("content-type", "text/html")], false)?;
        self.endless(0, 0, 1, &[b'x'; 16_000])
    }

    fn more_data(&mut self) -> io::Result<()> {
        self.answer()?;
        self.frame(0, 0, 1, b"more")
    }

    fn more_trailers(&mut self) -> io::Result<()> {
        self.answer()?;
        self.trailers("5")
    }
}

/// A header as HPACK writes it without a table.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| {
        let mut length = text.len();
        let mut bytes = Vec::new();
        if length < 127 {
            bytes.push(length as u8);
        } else {
            bytes.push(127);
            length -= 127;
            while length > 127 {
                bytes.push((length % 128) as u8 | 128);
                length /= 128;
            }
            bytes.push(length as u8);
        }
        [bytes, text.as_bytes().to_vec()].concat()
    };
    [vec![0], text(name), text(value)].concat()
}

fn message() -> Vec<u8> {
    frame::encode(&proto(), Compression::Identity).to_vec()
}
