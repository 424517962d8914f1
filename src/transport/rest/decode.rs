//! From an HTTP response to an operation, a page, nothing or an error.
//!
//! What a response is, its status, its media type and its body decide together,
//! because each of them lies somewhere: front ends send errors with 200,
//! servers label JSON as HTML, proxies send pages of their own.
//!
//! | status | body | result |
//! |---|---|---|
//! | 2xx | what the method promises | the value |
//! | 2xx | an error in JSON or protobuf | `Service` |
//! | 2xx | nothing, or half a document | `Transport`, transient: it was cut |
//! | 2xx | a page or other text | `Decode`, as of a proxy |
//! | 3xx | any | `Transport`: redirects are not followed |
//! | 4xx, 5xx | an error in JSON or protobuf | `Service` with the code in it |
//! | 4xx, 5xx | anything else | `Service` with the code of the HTTP status |
//!
//! The functions borrow the body, so that its memory can be reused afterwards.

use std::mem;
use std::time::SystemTime;

use prost::Message;

use crate::error::Error;
use crate::http::HttpResponse;
use crate::json::JsonReader;
use crate::transport::start_result::{StartPayload, start_result};
use crate::transport::status_page;
use crate::types::{Code, Operation, OperationPage, ParsedErrorBody};

/// The body of a successful response, in the form that its content type names,
/// whatever was requested.
pub(super) enum RestResponse {
    Json(String),
    Proto(Vec<u8>),
}

impl RestResponse {
    /// Returns the body of a success, or the error that the response stands
    /// for.
    ///
    /// The body is not parsed yet, apart from the question whether it is JSON.
    /// `wall` is the local time, for dates in `retry-after`.
    pub(super) fn read(response: HttpResponse, host: &str, wall: SystemTime) -> Result<Self, Error> {
        match response.status {
            200..=299 if is_protobuf(&response) => Ok(Self::Proto(response.body)),
            200..=299 => text_of(response, host).map(Self::Json),
            300..=399 => Err(status_page::redirect(&response, host)),
            _ => Err(failure(&response, wall)),
        }
    }

    /// Returns the body as it was received, for reuse of its memory.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Json(text) => text.into_bytes(),
            Self::Proto(bytes) => bytes,
        }
    }

    /// Reads an operation, or the error that a front end has sent with 200.
    pub(super) fn operation(&self) -> Result<Operation, Error> {
        match self {
            // An empty message would be an operation without a name, which no service sends.
            Self::Proto(bytes) if bytes.is_empty() => Err(Error::response_cut(EMPTY)),
            Self::Proto(bytes) => message(bytes, Operation::from_protobuf),
            Self::Json(text) => {
                let operation = parse(text, Operation::from_json)?;
                // Some front ends send an error with 200; an operation always has a name.
                if operation.name().is_empty() && !operation.is_done() {
                    embedded_error(text)?;
                }
                Ok(operation)
            }
        }
    }

    /// Reads the response to a start, which may also be an operation in a
    /// field.
    ///
    /// An empty response is not taken for one that was cut: a method that
    /// returns `google.protobuf.Empty` has no other.
    pub(super) fn started(&self) -> Result<Operation, Error> {
        match self {
            Self::Proto(bytes) => message(bytes, |bytes| start_result(StartPayload::Proto(bytes))),
            Self::Json(text) if text.trim_ascii().is_empty() => start_result(StartPayload::Json(text)),
            Self::Json(text) => parse(text, |text| start_result(StartPayload::Json(text))),
        }
    }

    /// Reads a page. An empty object is an empty page.
    pub(super) fn page(&self) -> Result<OperationPage, Error> {
        match self {
            Self::Proto(bytes) => message(bytes, OperationPage::from_protobuf),
            Self::Json(text) => {
                let page = parse(text, OperationPage::from_json)?;
                // An error that was sent with 200 has no field of a page, so it
                // reads as an empty one.
                if page == OperationPage::default() {
                    embedded_error(text)?;
                }
                Ok(page)
            }
        }
    }

    /// Reads the response to a cancel or delete: no body, and JSON of any kind
    /// without `error`, are a success.
    pub(super) fn empty(&self) -> Result<(), Error> {
        match self {
            Self::Proto(bytes) => match ParsedErrorBody::from_protobuf(bytes, 200) {
                Some(error) if error.status.code() != Code::Ok => Err(Error::service(error.status)),
                _ => <()>::decode(&**bytes)
                    .map_err(|cause| Error::decode("response is not valid protobuf").with_source(cause)),
            },
            Self::Json(text) => acknowledged(without_mark(text)),
        }
    }
}

/// Checks the JSON of an acknowledgement. It is parsed to its end, so that a
/// page or half a document is no success.
fn acknowledged(text: &str) -> Result<(), Error> {
    if text.trim_ascii().is_empty() {
        return Ok(());
    }
    match ParsedErrorBody::from_json(text, 200).filter(|error| !error.is_bare) {
        Some(error) => Err(Error::service(error.status)),
        None => parse(text, |text| {
            let read = JsonReader::document(text, |reader| reader.value()?.check_depth());
            read.map_err(|invalid| Error::invalid("response", invalid))
        }),
    }
}

/// Removes a byte order mark, which a receiver may ignore (RFC 8259 section
/// 8.1).
///
/// An operation or a page with one is an error, since no service sends it;
/// where only the outcome counts, it is ignored.
fn without_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Reads a protobuf message with `read`. If that fails, the bytes may be a
/// `google.rpc.Status` that was sent with 200, which then is the error.
fn message<T>(bytes: &[u8], read: impl FnOnce(&[u8]) -> Result<T, Error>) -> Result<T, Error> {
    read(bytes).map_err(|error| match ParsedErrorBody::from_protobuf(bytes, 200) {
        Some(body) if body.status.code() != Code::Ok => Error::service(body.status),
        _ => error,
    })
}

/// Reads JSON with `parse`, and explains a failure: a text that was cut, an
/// error sent with 200, or what `parse` says.
fn parse<T>(text: &str, parse: impl FnOnce(&str) -> Result<T, Error>) -> Result<T, Error> {
    if text.trim_ascii().is_empty() {
        return Err(Error::response_cut(EMPTY));
    }
    // A body without `content-length` ends where the connection does, so only
    // its JSON shows that it was cut.
    parse(text).map_err(|error| match error.is_cut_short() {
        true => Error::response_cut("the response ends early").with_source(error),
        // Only a canonical code distinguishes an error from an invalid
        // operation.
        false => match ParsedErrorBody::from_json(text, 200).filter(|body| body.names_code) {
            Some(body) => Error::service(body.status),
            // The service sends JSON, so something in front of it has sent this, whatever its label says.
            None if error.is_not_json() => error.of_status_page(),
            None => error,
        },
    })
}

/// Returns the error in a text that parsed as an operation or a page only
/// because unknown fields are ignored, as those of `{"error": …}` are.
fn embedded_error(text: &str) -> Result<(), Error> {
    ParsedErrorBody::from_json(text, 200).map_or(Ok(()), |error| Err(Error::service(error.status)))
}

/// Returns the text of a success, unless it is a page or other text of
/// something in front of the service.
///
/// Servers label JSON as text, or even as HTML, so the body decides where it is
/// JSON. The label decides for the rest: of a text that is labelled JSON, the
/// parser makes the better error.
///
/// # Errors
///
/// `Decode` for a body that is not UTF-8, and for a page or another text.
fn text_of(mut response: HttpResponse, host: &str) -> Result<String, Error> {
    let is_json_type = status_page::is_json_type(&response);
    let body = match String::from_utf8(mem::take(&mut response.body)) {
        Ok(text) if is_json(&text) => return Ok(text),
        Ok(text) if is_json_type && !status_page::is_html_text(&text) => return Ok(text),
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    };
    if starts_json(&body) || (is_json_type && std::str::from_utf8(&body).is_err()) {
        return Err(Error::decode("the response is not UTF-8").of_status_page());
    }
    Err(status_page::unexpected(&HttpResponse { body, ..response }, host, "JSON"))
}

/// Returns whether a text is JSON, the beginning of it, or blank. Scalars are
/// parsed, since any text begins like one.
fn is_json(text: &str) -> bool {
    let text = without_mark(text);
    let scalar = || match JsonReader::document(text, JsonReader::value) {
        Ok(_) => true,
        Err(invalid) => invalid.is_cut_short(),
    };
    starts_json(text.as_bytes()) || text.trim_ascii().is_empty() || scalar()
}

/// Returns whether the first character is that of an object or a list.
fn starts_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(body);
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Returns the error of a response with an error status.
///
/// The code in the body precedes that of the HTTP status. Without one,
/// something in front of the service may have sent the response.
fn failure(response: &HttpResponse, wall: SystemTime) -> Error {
    let http = response.status;
    let body = if is_protobuf(response) {
        ParsedErrorBody::from_protobuf(&response.body, http)
    } else {
        ParsedErrorBody::from_json(without_mark(&String::from_utf8_lossy(&response.body)), http)
    };
    let Some(ParsedErrorBody { status, names_code, .. }) = body else {
        return status_page::refusal(response, wall);
    };
    // A body without a canonical code says no more than the HTTP status does. A
    // 408 is the front end's own, and a 503 with an unknown code too.
    let transient = match names_code {
        true => http == 408 || (http == 503 && status.code() == Code::Unknown),
        false => status_page::is_transient(http),
    };
    // A 407 is the proxy's own, however much it looks like the service.
    let error = if http == 407 { Error::proxy_credentials(status) } else { Error::service(status) };
    status_page::finish(error, response, wall).transient(transient)
}

/// Returns whether the content type names protobuf.
fn is_protobuf(response: &HttpResponse) -> bool {
    let media_type = response.media_type();
    PROTOBUF.iter().any(|name| media_type.eq_ignore_ascii_case(name))
}

const BYTE_ORDER_MARK: &str = "\u{feff}";
const EMPTY: &str = "the response is empty";

/// Media types of protobuf: that of Google's front ends, the registered one,
/// and one of others.
const PROTOBUF: [&str; 3] =
    ["application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"];
