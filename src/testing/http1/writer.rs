//! Responses on the wire of HTTP/1.1 (RFC 9112), with the faults of their
//! reply.

use std::io::Write;
use std::time::Duration;

use crate::testing::http_response::{FakeBody, FakeResponse, reason};
use crate::testing::pause::ExchangeEnd;
use crate::testing::reply::{BodyFraming, CutPosition, Reply, ReplyCut};

/// What a response depends on besides its reply.
pub(super) struct WriteContext {
    pub(super) is_head: bool,
    pub(super) close: bool,
    pub(super) date: Option<String>,
}

/// Sends a response with the faults of `reply`, which may leave it incomplete.
pub(super) fn send(
    reply: &Reply,
    mut http: FakeResponse,
    context: &WriteContext,
    out: &mut impl Write,
    mut pause: impl FnMut(Duration) -> Result<(), ExchangeEnd>,
) -> Result<(), ExchangeEnd> {
    http.body = http.body.prepare(reply.gzip, reply.keep);
    let mut buffer = head(reply, &http, context);
    let length = if context.is_head { 0 } else { http.body.len() };
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
    if chunked && end == length && !context.is_head {
        buffer.extend(b"0\r\n\r\n");
    }
    Ok(out.write_all(&buffer)?)
}

/// Sends bytes as they are, in the pieces that `reply` sets.
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

/// The beginning of a response, so that no client retries because it takes the
/// connection for a stale one.
pub(super) const UNFINISHED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n";

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
        _ if http.status < 200 || http.status == 204 => {}
        BodyFraming::Length => push("content-length", http.body.len().to_string()),
        BodyFraming::Chunked => push("transfer-encoding", "chunked".into()),
        BodyFraming::Close => {}
    }
    if context.close || reply.framing == BodyFraming::Close {
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

fn piece_size(reply: &Reply) -> u64 {
    match (reply.drip, reply.framing) {
        (Some((bytes, _)), _) => bytes as u64,
        (None, BodyFraming::Chunked) => CHUNK,
        (None, _) => FLUSH as u64,
    }
}

/// Bytes that are collected before they are written; and the chunk size of
/// chunked responses.
const FLUSH: usize = 64 * 1024;
const CHUNK: u64 = 2048;
