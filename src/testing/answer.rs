//! Answers of the server, and how they go over the wire: RFC 9112 and the bodies of Google's front ends.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::gzip;
use super::reply::{Cut, Framing, Position, Reply};
use crate::types::{Any, Code, Status};

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
        Self { status, headers: vec![("content-type".into(), JSON.into())], body: Body::Bytes(body) }
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

    fn prepare(self, reply: &Reply) -> Self {
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

/// The body of an error answer, as Google's front ends write it.
///
/// `code` is the HTTP status there, not the number of the canonical code.
pub(super) fn error_body(http: u16, status: &Status) -> Vec<u8> {
    let details = status.details().iter().filter_map(raw).collect();
    let name = match status.code() {
        Code::Other(_) => None,
        code => Some(code.to_string()),
    };
    let error = ErrorJson { code: http, message: status.message(), status: name, details };
    serde_json::to_vec(&ErrorBody { error }).unwrap_or_default()
}

/// The body of an answer to ListOperations; default values are left out.
pub(super) fn operations_page(
    operations: impl Iterator<Item = impl AsRef<str>>,
    next_page_token: &str,
    unreachable: &[String],
) -> Vec<u8> {
    let mut fields = Vec::new();
    let mut list = String::new();
    for operation in operations {
        list.push(if list.is_empty() { '[' } else { ',' });
        list.push_str(operation.as_ref());
    }
    if !list.is_empty() {
        fields.push(format!(r#""operations":{list}]"#));
    }
    if !next_page_token.is_empty() {
        fields.push(format!(r#""nextPageToken":{}"#, quoted(next_page_token)));
    }
    if !unreachable.is_empty() {
        let names: Vec<String> = unreachable.iter().map(|name| quoted(name)).collect();
        fields.push(format!(r#""unreachable":[{}]"#, names.join(",")));
    }
    format!("{{{}}}", fields.join(",")).into_bytes()
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorJson<'a>,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    code: u16,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Box<RawValue>>,
}

fn raw(any: &Any) -> Option<Box<RawValue>> {
    RawValue::from_string(any.json().ok()?.into_owned()).ok()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(super) fn reason(status: u16) -> &'static str {
    REASONS.iter().find(|(known, _)| *known == status).map_or("Status", |(_, reason)| reason)
}

pub(super) const JSON: &str = "application/json; charset=UTF-8";

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
