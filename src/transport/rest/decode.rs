//! From an HTTP answer to an operation, a page, nothing or an error.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prost::Message;

use crate::error::{Error, ErrorKind};
use crate::http::HttpResponse;
use crate::json::JsonReader;
use crate::types::{Code, Operation, OperationPage, Status};
use crate::util::excerpt::excerpt;

/// What a successful answer says, in the form that its content type names, whatever was asked for.
pub(super) enum Answer {
    Json(String),
    Proto(Vec<u8>),
}

impl Answer {
    /// Gives a successful answer, or the error that the answer stands for.
    pub(super) fn read(response: HttpResponse, host: &str, wall: SystemTime) -> Result<Self, Error> {
        let status = response.status;
        match status {
            200..=299 if is_html(&response) => {
                Err(Error::foreign_answer(host, "an HTML page").with_http_status(status))
            }
            200..=299 if is_protobuf(&response) => Ok(Self::Proto(response.body)),
            200..=299 => {
                let text = String::from_utf8(response.body);
                text.map(Self::Json).map_err(|_| Error::decode("the answer is not UTF-8"))
            }
            300..=399 => {
                let target = response.header("location").and_then(host_of).unwrap_or("nowhere");
                let answer = format!("a redirect to `{}`, which is not followed", excerpt(target));
                Err(Error::foreign_answer(host, &answer).with_http_status(status))
            }
            _ => Err(failure(&response, wall)),
        }
    }

    pub(super) fn operation(&self) -> Result<Operation, Error> {
        match self {
            // No operation is without a name.
            Self::Proto(bytes) if bytes.is_empty() => Err(Error::answer_cut(EMPTY)),
            Self::Proto(bytes) => message(bytes, Operation::from_protobuf),
            Self::Json(text) => {
                let operation = parse(text, Operation::from_json)?;
                // Some front ends answer 200 with an error body; an operation always has a name.
                if operation.name().is_empty() && !operation.is_done() && operation.error().is_some() {
                    embedded_error(text)?;
                }
                Ok(operation)
            }
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

    /// For cancel and delete: `{}` and no body at all are both right.
    pub(super) fn empty(&self) -> Result<(), Error> {
        match self {
            Self::Proto(bytes) => match Status::from_error_bytes(bytes, 200) {
                Some(status) if status.code() != Code::Ok => Err(Error::service(status)),
                _ => <()>::decode(&**bytes)
                    .map_err(|cause| Error::decode("answer is not valid protobuf").with_source(cause)),
            },
            Self::Json(text) if text.trim_ascii().is_empty() => Ok(()),
            Self::Json(text) => {
                embedded_error(text)?;
                parse(text, |text| {
                    let read = JsonReader::document(text, |reader| reader.value()?.check_depth());
                    read.map_err(|invalid| Error::invalid("answer", invalid))
                })
            }
        }
    }
}

/// Reads a message, as which the bytes of an error do not pass.
fn message<T>(bytes: &[u8], read: fn(&[u8]) -> Result<T, Error>) -> Result<T, Error> {
    read(bytes).map_err(|error| match Status::from_error_bytes(bytes, 200) {
        Some(status) if status.code() != Code::Ok => Error::service(status),
        _ => error,
    })
}

fn parse<T>(text: &str, parse: impl FnOnce(&str) -> Result<T, Error>) -> Result<T, Error> {
    if text.trim_ascii().is_empty() {
        return Err(Error::answer_cut(EMPTY));
    }
    // A close-delimited body that was cut is found out only by its JSON.
    parse(text).map_err(|error| match error.is_cut_short() {
        true => Error::answer_cut("the answer ends early").with_source(error),
        false => error,
    })
}

fn embedded_error(text: &str) -> Result<(), Error> {
    Status::from_error_body(text, 200).map_or(Ok(()), |status| Err(Error::service(status)))
}

/// The error of an answer with an error status.
fn failure(response: &HttpResponse, wall: SystemTime) -> Error {
    let http = response.status;
    let (own, text) = if is_protobuf(response) {
        (Status::from_error_bytes(&response.body, http), "".into())
    } else {
        let text = String::from_utf8_lossy(&response.body);
        (Status::from_error_body(&text, http), text)
    };
    let retry_after = response.retry_after(Some(wall));
    // Without a status of the service, a proxy or front end has answered in its place.
    let transient = match &own {
        None => matches!(http, 408 | 502 | 503 | 504),
        Some(status) => http == 408 || (http == 503 && status.code() == Code::Unknown),
    };
    let status = own.unwrap_or_else(|| Status::new(Code::from_http(http), foreign_message(http, &text)));
    let hint = retry_after.max(status.retry_delay());
    let error = if http == 407 {
        Error::new(ErrorKind::Transport, format!("the proxy asks for credentials: {status}"))
            .with_status(status)
    } else {
        Error::service(status)
    };
    let error = error.transient(transient).with_http_status(http).with_retry_after(hint);
    match clock_skew(response, wall).filter(|_| http == 401) {
        Some(skew) => error.note(skew),
        None => error,
    }
}

/// A hint for rejected tokens: their times are taken from the local clock.
pub(in crate::transport) fn clock_skew(response: &HttpResponse, wall: SystemTime) -> Option<String> {
    let server = response.date()?;
    let (skew, direction) = match wall.duration_since(server) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(error) => (error.duration(), "behind"),
    };
    // A `Date` of 1970 says nothing of the local clock.
    let plausible = server > UNIX_EPOCH + YEAR_2020 && skew > TOLERATED_SKEW;
    plausible.then(|| format!("the local clock is {} s {direction} the server's", skew.as_secs()))
}

fn is_html(response: &HttpResponse) -> bool {
    media_type(response).eq_ignore_ascii_case("text/html")
}

fn is_protobuf(response: &HttpResponse) -> bool {
    let media_type = media_type(response);
    PROTOBUF.iter().any(|name| media_type.eq_ignore_ascii_case(name))
}

/// The content type without its parameters.
fn media_type(response: &HttpResponse) -> &str {
    let value = response.header("content-type").unwrap_or_default();
    value.split_once(';').map_or(value, |(media_type, _)| media_type).trim()
}

fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    (!host.is_empty()).then_some(host)
}

/// What may be told of a body that is not the service's: its visible text, in one line.
pub(in crate::transport) fn foreign_message(http: u16, text: &str) -> String {
    let mut visible = String::new();
    let mut rest = text;
    while let Some((before, markup)) = rest.split_once('<') {
        visible.push_str(before);
        visible.push(' ');
        rest = markup.split_once('>').map_or("", |(_, after)| after);
    }
    visible.push_str(rest);
    let words = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() { format!("HTTP {http}") } else { format!("HTTP {http}: {}", excerpt(&words)) }
}

const EMPTY: &str = "the answer is empty";

/// What Google's front ends say, what is registered, and what others say.
const PROTOBUF: [&str; 3] =
    ["application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"];

const YEAR_2020: Duration = Duration::from_secs(1_577_836_800);

const TOLERATED_SKEW: Duration = Duration::from_secs(300);
