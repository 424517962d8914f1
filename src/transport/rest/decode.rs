//! From an HTTP answer to an operation, a page, nothing or an error.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, ErrorKind};
use crate::excerpt::excerpt;
use crate::http::HttpResponse;
use crate::json::Reader;
use crate::types::{Code, Operation, OperationPage, Status};

/// The text of a successful answer, or the error that the answer stands for.
pub(super) fn text(response: HttpResponse, host: &str, wall: SystemTime) -> Result<String, Error> {
    let status = response.status;
    match status {
        200..=299 if is_html(&response) => {
            Err(Error::foreign_answer(host, "an HTML page").with_http_status(status))
        }
        200..=299 => String::from_utf8(response.body).map_err(|_| Error::decode("the answer is not UTF-8")),
        300..=399 => {
            let target = response.header("location").and_then(host_of).unwrap_or("nowhere");
            let answer = format!("a redirect to `{}`, which is not followed", excerpt(target));
            Err(Error::foreign_answer(host, &answer).with_http_status(status))
        }
        _ => Err(failure(&response, wall)),
    }
}

pub(super) fn operation(text: &str) -> Result<Operation, Error> {
    let operation = parse(text, Operation::from_json)?;
    // Some front ends answer 200 with an error body; an operation always has a name.
    if operation.name().is_empty() && !operation.is_done() && operation.error().is_some() {
        embedded_error(text)?;
    }
    Ok(operation)
}

pub(super) fn page(text: &str) -> Result<OperationPage, Error> {
    let page = parse(text, OperationPage::from_json)?;
    if page == OperationPage::default() {
        embedded_error(text)?;
    }
    Ok(page)
}

/// For cancel and delete: `{}` and no body at all are both right.
pub(super) fn empty(text: &str) -> Result<(), Error> {
    if text.trim_ascii().is_empty() {
        return Ok(());
    }
    embedded_error(text)?;
    parse(text, |text| {
        let read = Reader::document(text, |reader| reader.value()?.check_depth());
        read.map_err(|invalid| Error::invalid("answer", invalid))
    })
}

fn parse<T>(text: &str, parse: impl FnOnce(&str) -> Result<T, Error>) -> Result<T, Error> {
    if text.trim_ascii().is_empty() {
        return Err(Error::answer_cut("the answer is empty"));
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
    let text = String::from_utf8_lossy(&response.body);
    let own = Status::from_error_body(&text, http);
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
fn clock_skew(response: &HttpResponse, wall: SystemTime) -> Option<String> {
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
    response.header("content-type").is_some_and(|value| value.trim_start().starts_with("text/html"))
}

fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    (!host.is_empty()).then_some(host)
}

/// What may be told of a body that is not the service's: its visible text, in one line.
fn foreign_message(http: u16, text: &str) -> String {
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

const YEAR_2020: Duration = Duration::from_secs(1_577_836_800);

const TOLERATED_SKEW: Duration = Duration::from_secs(300);
