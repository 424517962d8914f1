//! Reads the response to its end.

use std::io::Read;

use ureq::Body;
use ureq::http::{HeaderMap, HeaderValue, Response, header};

use crate::http::error::{HttpError, HttpErrorKind};
use crate::http::response::HttpResponse;
use crate::net::peer::Peer;

use super::encoding::BodyEncoding;
use super::error::cut_short;
use super::spare_body::SpareBody;

/// Reads the response to its end, so that the connection can be reused. At the
/// limit it drops the body, and with it the connection.
///
/// # Errors
///
/// `TooLarge`, `Encoding`, `Interrupted`, or `Protocol`. The body of an error
/// status is not worth an error: as much of it as arrives is returned.
pub(super) fn read(
    response: Response<Body>,
    limit: usize,
    peer: &Peer<'_>,
    spare: &SpareBody,
) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    // Before the body is read: its end is not known.
    check_framing(&parts.headers, peer)?;
    let encoding = BodyEncoding::of(&parts.headers);
    let body = match parts.status.is_success() {
        true => read_all(body, encoding, limit, peer, spare)
            .map_err(|error| error.in_response(parts.status.as_u16()))?,
        false => read_some(body, encoding, peer),
    };
    Ok(HttpResponse { status: parts.status.as_u16(), headers: readable(&parts.headers), body })
}

/// Reads the body of a success, which must be complete.
fn read_all(
    body: Body,
    encoding: BodyEncoding,
    limit: usize,
    peer: &Peer<'_>,
    spare: &SpareBody,
) -> Result<Vec<u8>, HttpError> {
    let too_large = || {
        let message = format!("response of {peer} is larger than the limit of {limit} bytes");
        HttpError::new(HttpErrorKind::TooLarge, message)
    };
    let announced = body.content_length().unwrap_or_default();
    // Before any of the body is read: a length over the limit says enough.
    if announced > limit as u64 {
        return Err(too_large());
    }
    // One allocation if the announced length is honest.
    let mut bytes = spare.take(announced.min(MAX_RESERVED) as usize);
    let read = fill(&mut bytes, encoding.decode(body.into_reader(), peer)?, limit);
    match read {
        // `fill` stops behind the limit without an error, so the size is
        // checked here.
        Ok(()) if bytes.len() > limit => Err(too_large()),
        Ok(()) => Ok(bytes),
        #[cfg(feature = "gzip")]
        Err(error) if bytes.is_empty() && is_no_gzip(&error) => {
            let message = format!("the response of {peer} has content-encoding `gzip` and is not compressed");
            Err(HttpError::new(HttpErrorKind::Encoding, message).with_source(error))
        }
        Err(error) => Err(cut_short(error.into(), peer)),
    }
}

/// Replaces the contents of `bytes` by the body. It reads at most one piece
/// more than `limit` bytes.
///
/// `read_to_end` would write zeros to all memory that it makes room for. Here
/// the old content serves.
fn fill(bytes: &mut Vec<u8>, mut from: impl Read, limit: usize) -> std::io::Result<()> {
    let mut filled = 0;
    let outcome = loop {
        if filled == bytes.len() {
            // Doubled, so that each byte of a body of unknown length is copied
            // a constant number of times on average.
            bytes.resize((2 * filled).max(MIN_ROOM), 0);
        }
        match from.read(bytes.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break Ok(()),
            Ok(amount) => filled += amount,
            // A signal, as in `read_to_end`.
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
        // One byte more than the limit is enough for the caller to see it.
        if filled > limit {
            break Ok(());
        }
    };
    bytes.truncate(filled);
    outcome
}

/// Returns whether a decoder, ureq's or ours, found no gzip at the beginning,
/// for instance because a proxy has decompressed the body and left the header.
#[cfg(feature = "gzip")]
fn is_no_gzip(error: &std::io::Error) -> bool {
    let of_ureq = error.get_ref().and_then(|inner| inner.downcast_ref());
    let kind = match of_ureq {
        Some(ureq::Error::Decompress(_, cause)) => cause.kind(),
        Some(_) => return false,
        None => error.kind(),
    };
    kind == std::io::ErrorKind::InvalidInput
}

/// Reads as much as there is of the body of an error status, because the status
/// says more than the rest of the body would.
fn read_some(body: Body, encoding: BodyEncoding, peer: &Peer<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(body) = encoding.decode(body.into_reader(), peer) {
        // An error in the body of an error status changes nothing. One byte
        // more than the limit lets a body of that size end, so that its
        // connection is reused.
        let _ = body.take(MAX_ERROR_BODY as u64 + 1).read_to_end(&mut bytes);
    }
    bytes.truncate(MAX_ERROR_BODY);
    bytes
}

/// Rejects a response whose end is ambiguous.
fn check_framing(headers: &HeaderMap, peer: &Peer<'_>) -> Result<(), HttpError> {
    let refuse =
        |what: &str| Err(HttpError::new(HttpErrorKind::Protocol, format!("response of {peer} {what}")));
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        // RFC 9112 section 6.3: an attempt at smuggling, which "ought to be
        // handled as an error".
        return refuse("has both `transfer-encoding` and `content-length`");
    }
    Ok(())
}

/// Returns the headers as text. Bytes that are not UTF-8 become U+FFFD.
fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| match str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// The largest body of an error status, in bytes; what follows is not read.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// Room for the first read of a body of unknown length.
const MIN_ROOM: usize = 8 << 10;

/// The most room, in bytes, that is made for a body because its
/// `content-length` says so, before any of it has arrived: a header is no
/// proof.
const MAX_RESERVED: u64 = 1 << 20;
