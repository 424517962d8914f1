//! From a gRPC response to its message, or to the status that a call failed
//! with.
//!
//! | response | result |
//! |---|---|
//! | `grpc-status` 0 and a message | the message |
//! | `grpc-status` 0, no message | `FrameFault::Empty` |
//! | `grpc-status` other than 0 | `Service` with that code, message and details |
//! | frames without `grpc-status` | `Service` with `UNKNOWN` |
//! | no gRPC | a page of a proxy, as over REST |
//!
//! The status is in the trailers, or in the head of a response without a
//! message.

use std::time::{Duration, SystemTime};

use h2::Reason;
use http::{HeaderMap, HeaderName, StatusCode};
use percent_encoding::percent_decode;
use prost::Message;

use crate::error::Error;
use crate::http::HttpResponse;
use crate::proto::google::rpc;
use crate::transport::clock_skew::clock_skew;
use crate::transport::headers::decode_bin;
use crate::transport::status_page;
use crate::types::{Code, Status};

use super::channel::GrpcResponse;
use super::frame::{FrameFault, IncomingFrames};

/// Returns the message of a response, or the error that the response stands
/// for.
///
/// `wall` is the local time, for the note about a clock that is off.
pub(super) fn read(response: GrpcResponse, host: &str, wall: SystemTime) -> Result<Vec<u8>, FrameFault> {
    let GrpcResponse { status, headers, body, trailers } = response;
    // A response without a message may have everything in its head ("Trailers-Only").
    let place = if trailers.contains_key(&STATUS) { &trailers } else { &headers };
    if place.contains_key(&STATUS) {
        return match (failure(place), body) {
            (Some(status), _) => Err(refused(status, place, &headers, wall).into()),
            (None, IncomingFrames::Frame(frame)) => frame.into_message(text(&headers, &ENCODING)),
            (None, IncomingFrames::Other(body)) if body.is_empty() => Err(FrameFault::Empty),
            (None, IncomingFrames::Other(body)) => {
                Err(status_page::unexpected(&page(200, &headers, body), host, "gRPC").into())
            }
        };
    }
    if let (StatusCode::OK, IncomingFrames::Frame(_)) = (status, &body) {
        return Err(
            Error::service(Status::new(Code::Unknown, "the server ended the call without a status")).into()
        );
    }
    let body = match body {
        IncomingFrames::Other(body) => body,
        IncomingFrames::Frame(_) => Vec::new(),
    };
    let page = page(status.as_u16(), &headers, body);
    Err(match page.status {
        200..=299 => status_page::unexpected(&page, host, "gRPC"),
        300..=399 => status_page::redirect(&page, host),
        _ => status_page::refusal(&page, wall),
    }
    .into())
}

/// Returns the error for a status other than `OK`, with the delay that the
/// server requests. `place` is where the status was.
fn refused(status: Status, place: &HeaderMap, headers: &HeaderMap, wall: SystemTime) -> Error {
    // Front ends put `retry-after` into the head, as over REST. The page is
    // only the form in which it is read.
    let later = |place| page(200, place, Vec::new()).retry_after(Some(wall));
    let (delay, forbids_retry) = pushback(place);
    let is_unauthenticated = status.code() == Code::Unauthenticated;
    let error = Error::service(status)
        .forbidding_retry(forbids_retry)
        .hinted(PUSHBACK, delay)
        .hinted("Retry-After", later(place))
        .hinted("Retry-After", later(headers));
    match clock_skew(&page(401, headers, Vec::new()), wall).filter(|_| is_unauthenticated) {
        Some(skew) => error.note(skew),
        None => error,
    }
}

/// Returns the error for a call that the server reset with this code of HTTP/2.
pub(super) fn reset(reason: Reason) -> Error {
    let message = format!("the server reset the call: {reason:?}");
    Error::service(Status::new(code_of_reset(reason), message))
}

/// Returns the code of a reset, by [the mapping of
/// gRPC](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors).
fn code_of_reset(reason: Reason) -> Code {
    match reason {
        Reason::CANCEL => Code::Cancelled,
        Reason::ENHANCE_YOUR_CALM => Code::ResourceExhausted,
        Reason::INADEQUATE_SECURITY => Code::PermissionDenied,
        Reason::REFUSED_STREAM => Code::Unavailable,
        _ => Code::Internal,
    }
}

/// Returns the status in `place`; none for `OK`.
///
/// A number that cannot be read is `UNKNOWN`. The message is that of
/// `grpc-message`, or that of the details if it is missing.
fn failure(place: &HeaderMap) -> Option<Status> {
    let number: Option<i32> = text(place, &STATUS).and_then(|number| number.parse().ok());
    let code = number.map_or(Code::Unknown, Code::from);
    if code == Code::Ok {
        return None;
    }
    let message = place.get(&MESSAGE).map(|value| percent_decoded(value.as_bytes())).unwrap_or_default();
    let details = place.get(&DETAILS).and_then(|value| decode_bin(value.as_bytes()));
    let full = details.and_then(|bytes| rpc::Status::decode(&*bytes).ok()).unwrap_or_default();
    let message = if message.is_empty() { full.message } else { message };
    Some(Status::of_call(rpc::Status { code: code.into(), message, details: full.details }))
}

/// Returns the response as one of HTTP, for what both transports read.
fn page(status: u16, headers: &HeaderMap, body: Vec<u8>) -> HttpResponse {
    headers.iter().fold(HttpResponse::new(status, body), |response, (name, value)| {
        response.with_header(name.as_str(), String::from_utf8_lossy(value.as_bytes()))
    })
}

/// Returns how long the server requests to wait before another attempt, and
/// whether it forbids one
/// ([A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback)).
///
/// ```text
/// no entry    None, false
/// "1500"      1.5 s, false
/// "-1"        None, true
/// "soon"      None, true
/// ```
fn pushback(place: &HeaderMap) -> (Option<Duration>, bool) {
    let Some(value) = place.get(PUSHBACK) else { return (None, false) };
    let millis = value.to_str().ok().and_then(|value| value.trim().parse().ok());
    (millis.map(Duration::from_millis), millis.is_none())
}

/// Returns a header as text, if it is visible ASCII.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Decodes `%` and two digits to a byte, as in `grpc-message`. Invalid escapes
/// stay as they are, and invalid UTF-8 is replaced.
fn percent_decoded(text: &[u8]) -> String {
    percent_decode(text).decode_utf8_lossy().into_owned()
}

static STATUS: HeaderName = HeaderName::from_static("grpc-status");
static MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
static DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
static ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
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

    fn fields(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_status_of_ok_needs_a_message() {
        for (body, is_empty) in [(&b""[..], true), (b"<html>", false)] {
            let response = GrpcResponse {
                status: StatusCode::OK,
                headers: fields(&[("grpc-status", "0")]),
                body: IncomingFrames::Other(body.to_vec()),
                trailers: HeaderMap::new(),
            };
            let fault = read(response, "h", SystemTime::UNIX_EPOCH).err().unwrap();
            assert_eq!(matches!(fault, FrameFault::Empty), is_empty, "{body:?}");
        }
    }

    #[test]
    fn a_wrong_clock_explains_refused_credentials_only() {
        let head = fields(&[("date", "Wed, 01 Jan 2025 00:00:00 GMT")]);
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_735_689_600 + 86_400);
        let shown = |code| refused(Status::new(code, "m"), &HeaderMap::new(), &head, wall).to_string();
        assert!(shown(Code::Unauthenticated).starts_with("UNAUTHENTICATED: m; "));
        assert_eq!(shown(Code::PermissionDenied), "PERMISSION_DENIED: m");
    }
}
