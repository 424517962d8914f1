//! What an answer says: a message, or the status that a call failed with.

use std::time::{Duration, SystemTime};

use h2::Reason;
use http::HeaderMap;
use prost::Message;

use crate::error::Error;
use crate::http::HttpResponse;
use crate::proto::google::rpc;
use crate::transport::headers::decode_bin;
use crate::transport::rest::decode::{clock_skew, foreign_message};
use crate::types::{Code, Status};
use crate::util::excerpt::excerpt;

use super::channel::Answer;
use super::frame::{Fault, Incoming};

/// The message of an answer, or the error that the answer stands for.
pub(super) fn read(answer: Answer, host: &str, wall: SystemTime) -> Result<Vec<u8>, Fault> {
    let Answer { status, headers, body, trailers } = answer;
    // An answer without a message has everything in its head.
    let place = if trailers.contains_key(STATUS) { &trailers } else { &headers };
    if place.contains_key(STATUS) {
        return match failure(place) {
            Some(status) => {
                // Front ends put it into the head, as over REST.
                let later = |place| foreign(200, place, Vec::new()).retry_after(Some(wall));
                let hints = [status.retry_delay(), pushback(place), later(place), later(&headers)];
                let hint = hints.into_iter().flatten().max();
                let is_unauthenticated = status.code() == Code::Unauthenticated;
                let error = Error::service(status).with_retry_after(hint);
                let skew = clock_skew(&foreign(401, &headers, Vec::new()), wall);
                Err(match skew.filter(|_| is_unauthenticated) {
                    Some(skew) => error.note(skew).into(),
                    None => error.into(),
                })
            }
            None => match body {
                Incoming::Frame(frame) => frame.into_message(text(&headers, ENCODING)),
                Incoming::Other(_) => Err(Error::not_grpc(host, &media_type(&headers)).into()),
            },
        };
    }
    Err(match (status.as_u16(), body) {
        (200, Incoming::Frame(_)) => {
            Error::service(Status::new(Code::Unknown, "the server ended the call without a status")).into()
        }
        (200..=299, _) => {
            Error::not_grpc(host, &media_type(&headers)).with_http_status(status.as_u16()).into()
        }
        (http @ 300..=399, _) => Error::not_grpc(host, &format!("HTTP {http}")).with_http_status(http).into(),
        (http, Incoming::Other(body)) => no_status(foreign(http, &headers, body), wall).into(),
        (http, Incoming::Frame(_)) => no_status(foreign(http, &headers, Vec::new()), wall).into(),
    })
}

/// The error for a call that the server gave up with this code of HTTP/2.
pub(super) fn reset(reason: Reason) -> Error {
    let message = format!("the server reset the call: {reason:?}");
    Error::service(Status::new(code_of_reset(reason), message))
}

/// [The mapping of gRPC](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors).
fn code_of_reset(reason: Reason) -> Code {
    match reason {
        Reason::CANCEL => Code::Cancelled,
        Reason::ENHANCE_YOUR_CALM => Code::ResourceExhausted,
        Reason::INADEQUATE_SECURITY => Code::PermissionDenied,
        Reason::REFUSED_STREAM => Code::Unavailable,
        _ => Code::Internal,
    }
}

/// The status in `place`; none for `OK`.
fn failure(place: &HeaderMap) -> Option<Status> {
    let number: Option<i32> = text(place, STATUS).and_then(|number| number.parse().ok());
    let code = number.map_or(Code::Unknown, Code::from);
    if code == Code::Ok {
        return None;
    }
    let message = place.get(MESSAGE).map(|value| percent_decoded(value.as_bytes())).unwrap_or_default();
    let details = place.get(DETAILS).and_then(|value| decode_bin(value.as_bytes()));
    let full = details.and_then(|bytes| rpc::Status::decode(&*bytes).ok()).unwrap_or_default();
    let message = if message.is_empty() { full.message } else { message };
    Some(Status::of_call(rpc::Status { code: code.into(), message, details: full.details }))
}

/// The answer of something in front of the service.
fn no_status(answer: HttpResponse, wall: SystemTime) -> Error {
    let http = answer.status;
    let message = foreign_message(http, &String::from_utf8_lossy(&answer.body));
    let error = Error::service(Status::new(code_of_http(http), message))
        .transient(matches!(http, 408 | 502 | 503 | 504))
        .with_http_status(http)
        .with_retry_after(answer.retry_after(Some(wall)));
    match clock_skew(&answer, wall).filter(|_| http == 401) {
        Some(skew) => error.note(skew),
        None => error,
    }
}

/// [The mapping of gRPC](https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md), but for 504,
/// which is told apart as over REST. A path that is not found is a method that is not there, not an operation.
fn code_of_http(status: u16) -> Code {
    match status {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 => Code::Unavailable,
        504 => Code::DeadlineExceeded,
        _ => Code::Unknown,
    }
}

fn foreign(status: u16, headers: &HeaderMap, body: Vec<u8>) -> HttpResponse {
    headers.iter().fold(HttpResponse::new(status, body), |answer, (name, value)| {
        answer.with_header(name.as_str(), String::from_utf8_lossy(value.as_bytes()))
    })
}

/// How long the server asks to wait before another attempt; negative means never, which policies decide here.
fn pushback(place: &HeaderMap) -> Option<Duration> {
    text(place, PUSHBACK)?.parse().ok().map(Duration::from_millis)
}

fn media_type(headers: &HeaderMap) -> String {
    format!("`{}`", excerpt(text(headers, "content-type").unwrap_or("no content type")))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `%` and two digits stand for a byte; what is no such escape stays as it is.
fn percent_decoded(text: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(hex);
        decoded.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.contains('+'))?;
    u8::from_str_radix(digits, 16).ok()
}

const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";
const DETAILS: &str = "grpc-status-details-bin";
const ENCODING: &str = "grpc-encoding";
const PUSHBACK: &str = "grpc-retry-pushback-ms";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_in_messages() {
        let rows: [(&[u8], &str); 9] = [
            (b"", ""),
            (b"plain text", "plain text"),
            (b"100%25", "100%"),
            (b"%C3%A4%c3%a4", "\u{e4}\u{e4}"),
            (b"a%0Ab", "a\nb"),
            (b"%", "%"),
            (b"%4", "%4"),
            (b"%zz%+1%41", "%zz%+1A"),
            (b"%ff\xfe", "\u{fffd}\u{fffd}"),
        ];
        for (text, decoded) in rows {
            assert_eq!(percent_decoded(text), decoded);
        }
    }

    #[test]
    fn codes_of_resets() {
        let rows = [
            (Reason::NO_ERROR, Code::Internal),
            (Reason::PROTOCOL_ERROR, Code::Internal),
            (Reason::FLOW_CONTROL_ERROR, Code::Internal),
            (Reason::REFUSED_STREAM, Code::Unavailable),
            (Reason::CANCEL, Code::Cancelled),
            (Reason::ENHANCE_YOUR_CALM, Code::ResourceExhausted),
            (Reason::INADEQUATE_SECURITY, Code::PermissionDenied),
            (Reason::from(99), Code::Internal),
        ];
        for (reason, code) in rows {
            assert_eq!(code_of_reset(reason), code, "{reason:?}");
        }
    }
}
