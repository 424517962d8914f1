//! Responses on the wire of HTTP/1.1 (RFC 9112), with the faults of their
//! reply.
//!
//! Faults are applied in this order: the body is compressed, then shortened;
//! headers are replaced or removed; the response is cut in its head or in its
//! body; the rest is sent in pieces, with pauses between them.

use std::io::Write;
use std::time::Duration;

use crate::testing::http_response::{FakeBody, FakeResponse, reason};
use crate::testing::pause::ExchangeEnd;
use crate::testing::reply::{BodyFraming, CutPosition, Reply, ReplyCut};

/// What a response depends on besides its reply.
pub(super) struct WriteContext {
    /// Whether the request was a HEAD, whose response has no body.
    pub(super) is_head: bool,
    /// Whether the response says that the connection closes.
    pub(super) close: bool,
    /// The value of the `date` header; no header if absent.
    pub(super) date: Option<String>,
}

/// Sends a response with the faults of `reply`, which may leave it incomplete.
/// `pause` is called before each piece of a drip.
pub(super) fn send(
    reply: &Reply,
    mut http: FakeResponse,
    context: &WriteContext,
    out: &mut impl Write,
    mut pause: impl FnMut(Duration) -> Result<(), ExchangeEnd>,
) -> Result<(), ExchangeEnd> {
    http.body = http.body.prepare(reply.gzip, reply.keep);
    // Head and first bytes go out together; a response that fits the buffer is
    // one write.
    let mut buffer = head(reply, &http, context);
    let length = if context.is_head { 0 } else { http.body.len() };
    // The headers still announce the whole length: the client has to notice
    // that bytes are missing.
    let end = match reply.cut {
        Some(ReplyCut { at: CutPosition::Head(bytes), .. }) => {
            buffer.truncate(bytes);
            return Ok(out.write_all(&buffer)?);
        }
        Some(ReplyCut { at: CutPosition::Body(bytes), .. }) => length.min(bytes as u64),
        None => length,
    };
    let chunked = reply.framing == BodyFraming::Chunked;
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
    // The last chunk of zero bytes is the end. A cut response does not get it.
    if chunked && end == length && !context.is_head {
        buffer.extend(b"0\r\n\r\n");
    }
    Ok(out.write_all(&buffer)?)
}

/// Sends bytes as they are, in the pieces that `reply` sets, or all at once.
pub(super) fn send_raw(
    reply: &Reply,
    bytes: &[u8],
    out: &mut impl Write,
    mut pause: impl FnMut(Duration) -> Result<(), ExchangeEnd>,
) -> Result<(), ExchangeEnd> {
    let (piece, interval) = reply.drip.unwrap_or((bytes.len().max(1), Duration::ZERO));
    for piece in bytes.chunks(piece) {
        pause(interval)?;
        out.write_all(piece)?;
    }
    Ok(())
}

/// The beginning of a response that does not end. It is sent when a client
/// times out while it waits for the first byte: a client that gets the end of
/// the stream instead could take the pooled connection for a stale one, and
/// send the request again.
pub(super) const UNFINISHED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n";

/// Writes the status line and the headers.
fn head(reply: &Reply, http: &FakeResponse, context: &WriteContext) -> Vec<u8> {
    let mut headers = http.headers.clone();
    let mut push = |name: &str, value: String| headers.push((name.to_owned(), value));
    if let Some(date) = &context.date {
        push("date", date.clone());
    }
    if reply.gzip {
        push("content-encoding", "gzip".into());
    }
    match reply.framing {
        // Such responses have no body, and must not have a length (RFC 9110
        // §8.6).
        _ if http.status < 200 || http.status == 204 => {}
        BodyFraming::Length => push("content-length", http.body.len().to_string()),
        BodyFraming::Chunked => push("transfer-encoding", "chunked".into()),
        BodyFraming::Close => {}
    }
    if context.close || reply.framing == BodyFraming::Close {
        push("connection", "close".into());
    }
    // Last, so that a reply can replace every header, even `content-length`.
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

/// Appends the bytes `from..to` of a body, as one chunk if `chunked`.
fn push_piece(buffer: &mut Vec<u8>, body: &FakeBody, from: u64, to: u64, chunked: bool) {
    if chunked {
        buffer.extend(format!("{:x}\r\n", to - from).into_bytes());
    }
    match body {
        FakeBody::Bytes(bytes) => buffer.extend(bytes.get(from as usize..to as usize).unwrap_or_default()),
        FakeBody::Spaces(_) => buffer.resize(buffer.len() + (to - from) as usize, b' '),
    }
    if chunked {
        buffer.extend(b"\r\n");
    }
}

/// Returns the size of the pieces in which the body is sent, at least 1.
fn piece_size(reply: &Reply) -> u64 {
    match (reply.drip, reply.framing) {
        (Some((bytes, _)), _) => bytes as u64,
        (None, BodyFraming::Chunked) => CHUNK,
        (None, _) => FLUSH as u64,
    }
}

/// The number of bytes that are collected before they are written.
const FLUSH: usize = 64 * 1024;
/// The size of the chunks of a chunked response.
const CHUNK: u64 = 2048;
