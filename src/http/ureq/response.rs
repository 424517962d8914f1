//! The response, read to its end.

use std::io::Read;

use ureq::Body;
use ureq::http::{HeaderMap, HeaderValue, Response, header};

use crate::http::error::{HttpError, HttpErrorKind};
use crate::http::response::HttpResponse;
use crate::net::peer::Peer;
use crate::util::excerpt::excerpt;

use super::error::cut_short;

/// Reads the answer to its end, so that the connection can be kept; drops the connection at the cap.
pub(super) fn read(
    response: Response<Body>,
    limit: usize,
    peer: &Peer<'_>,
) -> Result<HttpResponse, HttpError> {
    let (parts, body) = response.into_parts();
    check_framing(&parts.headers, peer)?;
    let body = match parts.status.is_success() {
        true => read_all(body, limit, peer)?,
        false => read_some(body),
    };
    Ok(HttpResponse { status: parts.status.as_u16(), headers: readable(&parts.headers), body })
}

fn read_all(body: Body, limit: usize, peer: &Peer<'_>) -> Result<Vec<u8>, HttpError> {
    let too_large = || {
        let message = format!("answer of {peer} is larger than the limit of {limit} bytes");
        HttpError::new(HttpErrorKind::TooLarge, message)
    };
    let announced = body.content_length().unwrap_or_default();
    if announced > limit as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(announced.min(MAX_RESERVED) as usize);
    let one_more = (limit as u64).saturating_add(1);
    let read = body.into_reader().take(one_more).read_to_end(&mut bytes);
    match read {
        Ok(length) if length > limit => Err(too_large()),
        Ok(_) => Ok(bytes),
        Err(error) => Err(match error.into() {
            #[cfg(feature = "gzip")]
            ureq::Error::Decompress(_, cause)
                if bytes.is_empty() && cause.kind() == std::io::ErrorKind::InvalidInput =>
            {
                let message = format!("answer of {peer} has content-encoding `gzip` and is not compressed");
                HttpError::new(HttpErrorKind::Protocol, message).with_source(cause)
            }
            error => cut_short(error, peer),
        }),
    }
}

/// What there is of the body of an error: the status says more than the rest of the body would.
fn read_some(body: Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = body.into_reader().take(MAX_ERROR_BODY as u64 + 1).read_to_end(&mut bytes);
    bytes.truncate(MAX_ERROR_BODY);
    bytes
}

fn check_framing(headers: &HeaderMap, peer: &Peer<'_>) -> Result<(), HttpError> {
    let refuse =
        |what: &str| Err(HttpError::new(HttpErrorKind::Protocol, format!("answer of {peer} {what}")));
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        // RFC 9112 section 6.3: an attempt at smuggling, which "ought to be handled as an error".
        return refuse("has both `transfer-encoding` and `content-length`");
    }
    // What ureq decoded it has taken out of the headers.
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => {
            let found = excerpt(&String::from_utf8_lossy(encoding.as_bytes()));
            refuse(&format!("has content-encoding `{found}`, which was not asked for"))
        }
        _ => Ok(()),
    }
}

fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

const MAX_ERROR_BODY: usize = 64 * 1024;

/// Room made for a body because its `content-length` says so, before any of it has come.
const MAX_RESERVED: u64 = 1 << 20;
