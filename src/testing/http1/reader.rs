//! Requests from a socket: RFC 9112, lenient where that is harmless, limited in
//! size.
//!
//! Lines may end with a bare LF, and unknown methods and HTTP/1.x versions are
//! accepted. Two lengths, or a length with a transfer encoding, are refused:
//! they are how requests are smuggled (RFC 9112 §11.2). Trailers of a chunked
//! body are dropped.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::testing::socket::{ShutdownSignal, is_timeout};

/// A request, parsed.
#[derive(Debug, Default)]
pub(super) struct ParsedRequest {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    /// Without its transfer encoding.
    pub(super) body: Vec<u8>,
    /// Whether it is HTTP/1.0, where a connection closes unless the request
    /// says otherwise.
    pub(super) is_old: bool,
}

/// Why no request was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestEnd {
    /// The client has closed the connection, or the server shuts down.
    Closed,
    /// The request is invalid or too large. The response has this HTTP status
    /// and message, then the connection closes.
    Refused(u16, &'static str),
}

/// The receiving end of a connection.
///
/// The last bytes of a request are looked at but left in the socket until
/// [`accept`](Self::accept). A socket that is closed with unread bytes resets
/// its connection, which is how [`Reply::reset`] works.
///
/// [`Reply::reset`]: crate::testing::Reply::reset
#[derive(Debug)]
pub(super) struct RequestReader<'a> {
    stream: &'a TcpStream,
    stop: &'a ShutdownSignal,
    /// The bytes of the current request, and of the next ones if the client
    /// pipelines.
    seen: Vec<u8>,
    /// How many bytes at the end of `seen` are still in the socket.
    peeked: usize,
    /// How many bytes of `seen` belong to the request.
    length: usize,
    /// How many bytes it may have: first those of its head, then also those of
    /// its body.
    limit: usize,
    /// The buffer for reads.
    scratch: Box<[u8]>,
}

impl<'a> RequestReader<'a> {
    /// Creates the reader of a connection.
    pub(super) fn new(stream: &'a TcpStream, stop: &'a ShutdownSignal) -> io::Result<Self> {
        // A closed socket does not wake its reader on every platform, so it looks
        // around now and then.
        stream.set_read_timeout(Some(Duration::from_millis(250)))?;
        let scratch = vec![0; 16 * 1024].into();
        Ok(Self { stream, stop, seen: Vec::new(), peeked: 0, length: 0, limit: HEAD_LIMIT, scratch })
    }

    /// Waits for the next request and reads all of it.
    pub(super) fn next(&mut self) -> Result<ParsedRequest, RequestEnd> {
        self.limit = HEAD_LIMIT;
        // The head has a limit of its own: it is read before the length of the
        // body is known.
        let (mut request, head) = self.head()?;
        self.limit = head + BODY_LIMIT;
        let length = body_length(&request)?;
        // RFC 9110 §10.1.1: only if the client has not sent the body already.
        if request.has("expect", "100-continue") && self.seen.len() == head {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(|_| RequestEnd::Closed)?;
        }
        self.length = match length {
            Some(length) => {
                request.body = self.bytes(head, length)?.to_vec();
                head + length
            }
            None => self.chunks(head, &mut request.body)?,
        };
        Ok(request)
    }

    /// Takes the request out of the socket, so that closing the connection does
    /// not reset it.
    pub(super) fn accept(&mut self) -> io::Result<()> {
        self.consume()?;
        // What follows belongs to the next request of a client that pipelines.
        self.seen.drain(..self.length.min(self.seen.len()));
        self.length = 0;
        Ok(())
    }

    /// Reads the request line and the headers; returns where they end.
    fn head(&mut self) -> Result<(ParsedRequest, usize), RequestEnd> {
        let mut at = 0;
        let mut line = self.line(&mut at)?;
        // RFC 9112 §2.2: empty lines before a request are skipped.
        while line.is_empty() {
            line = self.line(&mut at)?;
        }
        let mut words = line.split(' ');
        let (method, target, version) = (words.next(), words.next(), words.next());
        let (Some(method), Some(target), Some(version), None) = (method, target, version, words.next())
        else {
            return Err(NOT_HTTP);
        };
        if !version.starts_with("HTTP/1.") || method.is_empty() {
            return Err(NOT_HTTP);
        }
        let is_old = version == "HTTP/1.0";
        let mut request = ParsedRequest {
            method: method.into(),
            target: target.into(),
            is_old,
            ..ParsedRequest::default()
        };
        loop {
            let line = self.line(&mut at)?;
            if line.is_empty() {
                return Ok((request, at));
            }
            let (name, value) = line.split_once(':').ok_or(BAD_HEADER)?;
            request.headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// Reads a chunked body (RFC 9112 §7.1) and its trailers; returns where
    /// they end.
    fn chunks(&mut self, mut at: usize, body: &mut Vec<u8>) -> Result<usize, RequestEnd> {
        loop {
            // Any number of headers, within the limit of the head.
            let line = self.line(&mut at)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| BAD_CHUNK)?;
            if size == 0 {
                break;
            }
            let chunk = self.bytes(at, size)?;
            body.extend_from_slice(chunk);
            at += size;
            if !self.line(&mut at)?.is_empty() {
                return Err(BAD_CHUNK);
            }
        }
        while !self.line(&mut at)?.is_empty() {}
        Ok(at)
    }

    /// Returns the line that starts at `at`, without its end, and moves `at` to
    /// the next one.
    fn line(&mut self, at: &mut usize) -> Result<String, RequestEnd> {
        let mut searched = *at;
        loop {
            let unsearched = self.seen.get(searched..).unwrap_or_default();
            if let Some(end) = unsearched.iter().position(|byte| *byte == b'\n') {
                let line = self.seen.get(*at..searched + end).unwrap_or_default();
                let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
                *at = searched + end + 1;
                return Ok(line);
            }
            // The next search starts where this one has ended, so a line that
            // arrives byte by byte costs no more.
            searched = self.seen.len();
            self.fill()?;
        }
    }

    /// Returns `length` bytes from `at`, once they have arrived.
    fn bytes(&mut self, at: usize, length: usize) -> Result<&[u8], RequestEnd> {
        // Before anything is allocated: the length is a claim of the client.
        if length > self.limit.saturating_sub(at) {
            return Err(BODY_TOO_LARGE);
        }
        while self.seen.len() < at + length {
            self.fill()?;
        }
        Ok(self.seen.get(at..at + length).unwrap_or_default())
    }

    /// Waits for more bytes, and peeks at them: they are in `seen` and stay in
    /// the socket until more are needed.
    fn fill(&mut self) -> Result<(), RequestEnd> {
        if self.seen.len() >= self.limit {
            return Err(if self.limit == HEAD_LIMIT { HEAD_TOO_LARGE } else { BODY_TOO_LARGE });
        }
        // Only the bytes of the latest peek stay in the socket.
        self.consume().map_err(|_| RequestEnd::Closed)?;
        loop {
            if self.stop.is_set() {
                return Err(RequestEnd::Closed);
            }
            match self.stream.peek(&mut self.scratch) {
                Ok(0) => return Err(RequestEnd::Closed),
                Ok(count) => {
                    self.seen.extend(self.scratch.iter().take(count));
                    self.peeked = count;
                    return Ok(());
                }
                // The timeout only serves to look at the signal.
                Err(error) if is_timeout(&error) => {}
                Err(_) => return Err(RequestEnd::Closed),
            }
        }
    }

    /// Takes the bytes out of the socket that were only peeked at.
    fn consume(&mut self) -> io::Result<()> {
        let peeked = std::mem::take(&mut self.peeked);
        let scratch = self.scratch.get_mut(..peeked).unwrap_or_default();
        self.stream.read_exact(scratch)
    }
}

impl ParsedRequest {
    /// Returns whether the connection closes after the response.
    pub(super) fn closes(&self) -> bool {
        self.has("connection", "close") || (self.is_old && !self.has("connection", "keep-alive"))
    }

    /// Returns whether a header has this value, in any case.
    fn has(&self, name: &str, value: &str) -> bool {
        self.values(name).any(|found| found.eq_ignore_ascii_case(value))
    }

    /// Returns the values of all headers with this name.
    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
}

/// Returns the length of the body, or `None` if it is chunked. A request
/// without both headers has no body.
fn body_length(request: &ParsedRequest) -> Result<Option<usize>, RequestEnd> {
    let encodings: Vec<&str> = request.values("transfer-encoding").collect();
    let lengths: Vec<&str> = request.values("content-length").collect();
    match (&encodings[..], &lengths[..]) {
        ([], []) => Ok(Some(0)),
        ([], [length]) => length.parse().map(Some).map_err(|_| BAD_LENGTH),
        ([encoding], []) if encoding.eq_ignore_ascii_case("chunked") => Ok(None),
        // Two of them, even equal ones: RFC 9112 §6.3 allows to refuse them.
        _ => Err(BAD_LENGTH),
    }
}

const BAD_CHUNK: RequestEnd = RequestEnd::Refused(400, "bad chunk in the request body");
const BAD_HEADER: RequestEnd = RequestEnd::Refused(400, "bad request header");
const BAD_LENGTH: RequestEnd = RequestEnd::Refused(400, "bad content-length or transfer-encoding");
const BODY_TOO_LARGE: RequestEnd = RequestEnd::Refused(413, "request body over 32 MiB");
const HEAD_TOO_LARGE: RequestEnd = RequestEnd::Refused(431, "request headers over 64 KiB");
const NOT_HTTP: RequestEnd = RequestEnd::Refused(400, "not an HTTP/1.1 request");

/// The largest request line with headers, and the largest body. Anything larger
/// is refused with 431 or 413.
const HEAD_LIMIT: usize = 64 * 1024;
const BODY_LIMIT: usize = 32 * 1024 * 1024;
