//! From an HTTP response to an operation, a page, nothing or an error.

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
    /// Reads a response, or returns the error that it stands for.
    pub(super) fn read(response: HttpResponse, host: &str, wall: SystemTime) -> Result<Self, Error> {
        match response.status {
            200..=299 if is_protobuf(&response) => Ok(Self::Proto(response.body)),
            200..=299 => text_of(response, host).map(Self::Json),
            300..=399 => Err(status_page::redirect(&response, host)),
            _ => Err(failure(&response, wall)),
        }
    }

    /// Returns the body as it came.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Json(text) => text.into_bytes(),
            Self::Proto(bytes) => bytes,
        }
    }

    pub(super) fn operation(&self) -> Result<Operation, Error> {
        match self {
            // No operation is without a name.
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

    /// Reads the response to a start.
    pub(super) fn started(&self) -> Result<Operation, Error> {
        match self {
            Self::Proto(bytes) => message(bytes, |bytes| start_result(StartPayload::Proto(bytes))),
            Self::Json(text) if text.trim_ascii().is_empty() => start_result(StartPayload::Json(text)),
            Self::Json(text) => parse(text, |text| start_result(StartPayload::Json(text))),
        }
    }

    pub(super) fn page(&self) -> Result<OperationPage, Error> {
        match self {
            Self::Proto(bytes) => message(bytes, OperationPage::from_protobuf),
            Self::Json(text) => {
                let page = parse(text, OperationPage::from_json)?;
                if page == OperationPage::default() {
                    embedded_error(text)?;
                }
                Ok(page)
            }
        }
    }

    /// For cancel and delete: no body, and JSON of any kind without `error`,
    /// are a success.
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

/// RFC 8259, section 8.1: a receiver may ignore a byte order mark. An operation
/// or a page with one is an error, since no service sends it; where only the
/// outcome counts, it is ignored.
fn without_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Reads a message, as which the bytes of an error do not pass.
fn message<T>(bytes: &[u8], read: impl FnOnce(&[u8]) -> Result<T, Error>) -> Result<T, Error> {
    read(bytes).map_err(|error| match ParsedErrorBody::from_protobuf(bytes, 200) {
        Some(body) if body.status.code() != Code::Ok => Error::service(body.status),
        _ => error,
    })
}

fn parse<T>(text: &str, parse: impl FnOnce(&str) -> Result<T, Error>) -> Result<T, Error> {
    if text.trim_ascii().is_empty() {
        return Err(Error::response_cut(EMPTY));
    }
    // A close-delimited body that was cut is found out only by its JSON.
    parse(text).map_err(|error| match error.is_cut_short() {
        true => Error::response_cut("the response ends early").with_source(error),
        // Only a canonical code tells an error from an operation that is broken.
        false => match ParsedErrorBody::from_json(text, 200).filter(|body| body.names_code) {
            Some(body) => Error::service(body.status),
            // The service sends JSON, so something in front of it has sent this, whatever its label says.
            None if error.is_not_json() => error.of_status_page(),
            None => error,
        },
    })
}

fn embedded_error(text: &str) -> Result<(), Error> {
    ParsedErrorBody::from_json(text, 200).map_or(Ok(()), |error| Err(Error::service(error.status)))
}

/// Returns the text of a success, unless it is a page or other text of
/// something in front of the service.
///
/// Servers label JSON as text, or even as HTML, so the body decides where it is
/// JSON.
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

/// Returns whether a text is JSON, the beginning of it, or blank.
fn is_json(text: &str) -> bool {
    let text = without_mark(text);
    let scalar = || match JsonReader::document(text, JsonReader::value) {
        Ok(_) => true,
        Err(invalid) => invalid.is_cut_short(),
    };
    starts_json(text.as_bytes()) || text.trim_ascii().is_empty() || scalar()
}

fn starts_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(body);
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Returns the error of a response with an error status.
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
    // A body without a canonical code says no more than the HTTP status does; 408
    // and 503 are the front end's own.
    let transient = match names_code {
        true => http == 408 || (http == 503 && status.code() == Code::Unknown),
        false => status_page::is_transient(http),
    };
    let error = if http == 407 { Error::proxy_credentials(status) } else { Error::service(status) };
    status_page::finish(error, response, wall).transient(transient)
}

fn is_protobuf(response: &HttpResponse) -> bool {
    let media_type = response.media_type();
    PROTOBUF.iter().any(|name| media_type.eq_ignore_ascii_case(name))
}

const BYTE_ORDER_MARK: &str = "\u{feff}";
const EMPTY: &str = "the response is empty";

/// What Google's front ends say, what is registered, and what others say.
const PROTOBUF: [&str; 3] =
    ["application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"];
