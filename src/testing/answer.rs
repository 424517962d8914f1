//! Answers of the server, and how they go over the wire of HTTP/1.1: RFC 9112.

use std::io::{self, Write};
use std::time::Duration;

use super::gzip;
use super::reply::{Cut, Framing, Position, Reply};
use super::said::{JSON, error_body};
use crate::types::Status;

/// An HTTP answer before any fault.
#[derive(Clone, Debug)]
pub(super) struct Http {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    Bytes(Vec<u8>),
    Spaces(u64),
}

/// Why no (more of the) answer can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// The client's time for this attempt is over.
    Deadline,
    /// The client has left, or the server stops.
    Peer,
}

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Self::Peer
    }
}

impl Http {
    pub(super) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body.into())
    }

    pub(super) fn error(status: &Status) -> Self {
        let http = status.code().to_http();
        Self::new(http, error_body(http, status))
    }

    pub(super) fn new(status: u16, body: Vec<u8>) -> Self {
        Self::of_type(JSON, status, body)
    }

    pub(super) fn of_type(content_type: &str, status: u16, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("content-type".into(), content_type.into())], body: Body::Bytes(body) }
    }
}

/// What an answer needs to know of the request and the server.
pub(super) struct Context {
    pub(super) is_head: bool,
    pub(super) close: bool,
    pub(super) date: Option<String>,
}

/// Sends an answer with the faults of `reply`, which may leave it incomplete.
pub(super) fn send(
    reply: &Reply,
    mut http: Http,
    context: &Context,
    out: &mut impl Write,
    mut pause: impl FnMut(Duration) -> Result<(), Gone>,
) -> Result<(), Gone> {
    http.body = http.body.prepare(reply);
    let mut buffer = head(reply, &http, context);
    let length = if context.is_head { 0 } else { http.body.len() };
    let end = match reply.cut {
        Some(Cut { at: Position::Head(bytes), .. }) => {
            buffer.truncate(bytes);
            return Ok(out.write_all(&buffer)?);
        }
        Some(Cut { at: Position::Body(bytes), .. }) => length.min(bytes as u64),
        None => length,
    };
    let chunked = reply.framing == Framing::Chunked;
    let piece = piece_size(reply);
    let mut at = 0;
    while at < end {
        let next = end.min(at.saturating_add(piece));
        if let Some((_, interval)) = reply.drip {
            out.write_all(&buffer)?;
            buffer.clear();
            pause(interval)?;
        } else if buffer.len() >= FLUSH {
            out.write_all(&buffer)?;
            buffer.clear();
        }
        push_piece(&mut buffer, &http.body, at, next, chunked);
        at = next;
    }
    if chunked && end == length && !context.is_head {
        buffer.extend(b"0\r\n\r\n");
    }
    Ok(out.write_all(&buffer)?)
}

/// Sends bytes as they are, in the pieces that `reply` asks for.
pub(super) fn send_raw(
    reply: &Reply,
    bytes: &[u8],
    out: &mut impl Write,
    mut pause: impl FnMut(Duration) -> Result<(), Gone>,
) -> Result<(), Gone> {
    let (piece, interval) = reply.drip.unwrap_or((bytes.len().max(1), Duration::ZERO));
    for piece in bytes.chunks(piece) {
        pause(interval)?;
        out.write_all(piece)?;
    }
    Ok(())
}

/// Something that no client takes for a connection which broke while idle, and would try again.
pub(super) const UNFINISHED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n";

impl Body {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Spaces(count) => *count,
        }
    }

    pub(super) fn prepare(self, reply: &Reply) -> Self {
        let packed = match self {
            Self::Bytes(bytes) if reply.gzip => Self::Bytes(gzip::stored(&bytes)),
            Self::Spaces(count) if reply.gzip => Self::Bytes(gzip::bomb(count)),
            plain => plain,
        };
        match (packed, reply.keep) {
            (Self::Bytes(mut bytes), Some(keep)) => {
                bytes.truncate(keep);
                Self::Bytes(bytes)
            }
            (Self::Spaces(count), Some(keep)) => Self::Spaces(count.min(keep as u64)),
            (whole, None) => whole,
        }
    }
}

fn head(reply: &Reply, http: &Http, context: &Context) -> Vec<u8> {
    let mut headers = http.headers.clone();
    let mut push = |name: &str, value: String| headers.push((name.to_owned(), value));
    if let Some(date) = &context.date {
        push("date", date.clone());
    }
    if reply.gzip {
        push("content-encoding", "gzip".into());
    }
    match reply.framing {
        _ if http.status < 200 || http.status == 204 => {}
        Framing::Length => push("content-length", http.body.len().to_string()),
        Framing::Chunked => push("transfer-encoding", "chunked".into()),
        Framing::Close => {}
    }
    if context.close || reply.framing == Framing::Close {
        push("connection", "close".into());
    }
    for (name, value) in &reply.headers {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.extend(value.iter().map(|value| (name.clone(), value.clone())));
    }
    let mut head = format!("HTTP/1.1 {} {}\r\n", http.status, reason(http.status)).into_bytes();
    for (name, value) in headers {
        head.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    head.extend(b"\r\n");
    head
}

fn push_piece(buffer: &mut Vec<u8>, body: &Body, from: u64, to: u64, chunked: bool) {
    if chunked {
        buffer.extend(format!("{:x}\r\n", to - from).into_bytes());
    }
    match body {
        Body::Bytes(bytes) => buffer.extend(bytes.get(from as usize..to as usize).unwrap_or_default()),
        Body::Spaces(_) => buffer.resize(buffer.len() + (to - from) as usize, b' '),
    }
    if chunked {
        buffer.extend(b"\r\n");
    }
}

fn piece_size(reply: &Reply) -> u64 {
    match (reply.drip, reply.framing) {
        (Some((bytes, _)), _) => bytes as u64,
        (None, Framing::Chunked) => CHUNK,
        (None, _) => FLUSH as u64,
    }
}

pub(super) fn reason(status: u16) -> &'static str {
    REASONS.iter().find(|(known, _)| *known == status).map_or("Status", |(_, reason)| reason)
}

/// Bytes that are collected before they are written; and the chunk size of chunked answers.
const FLUSH: usize = 64 * 1024;
const CHUNK: u64 = 2048;

const REASONS: [(u16, &str); 25] = [
    (200, "OK"),
    (201, "Created"),
    (202, "Accepted"),
    (204, "No Content"),
    (301, "Moved Permanently"),
    (302, "Found"),
    (303, "See Other"),
    (307, "Temporary Redirect"),
    (308, "Permanent Redirect"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (408, "Request Timeout"),
    (409, "Conflict"),
    (412, "Precondition Failed"),
    (413, "Content Too Large"),
    (429, "Too Many Requests"),
    (431, "Request Header Fields Too Large"),
    (499, "Client Closed Request"),
    (500, "Internal Server Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Gateway Timeout"),
];
