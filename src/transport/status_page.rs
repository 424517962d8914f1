//! Status pages that proxies, load balancers and front ends send in place of
//! the service: HTML, and other text.
//!
//! Both transports read them here, so that one event of one proxy has one
//! error. gRPC's own mapping of HTTP statuses is not used: it would make a 404
//! `UNIMPLEMENTED` over gRPC and `NOT_FOUND` over REST.
//!
//! | status | function | error |
//! |---|---|---|
//! | 200 to 299 | [`unexpected`] | `Decode`: a sign-in page, or text |
//! | 300 to 399 | [`redirect`] | `Transport` |
//! | others | [`refusal`] | `Service`, for 407 `Transport` |

use std::time::SystemTime;

use crate::error::{Error, ErrorKind};
use crate::http::HttpResponse;
use crate::transport::clock_skew::clock_skew;
pub(in crate::transport) use crate::transport::page_text::is_html as is_html_text;
use crate::transport::page_text::visible_text;
use crate::types::{Code, Status};
use crate::util::excerpt::{brief, excerpt, shown};

/// Returns the error for an HTTP error status without a status of the service.
///
/// Its code is that of the HTTP status. A 404 gets a note: the service itself
/// sends a status with its 404, so one without means a wrong path and not a
/// missing operation. A wait may tolerate it, as a page of a proxy.
pub(in crate::transport) fn refusal(response: &HttpResponse, wall: SystemTime) -> Error {
    let http = response.status;
    let text = text_of(response);
    let status = Status::new(Code::from_http(http), message(http, &text));
    let error = match http {
        407 => Error::proxy_credentials(status),
        _ => Error::service(status),
    };
    let error = finish(error, response, wall).transient(is_transient(http));
    match http {
        // The service sends a status with its 404, also for an operation that is gone.
        404 => error.of_status_page().note(NO_METHOD),
        _ => error,
    }
}

/// Returns whether an HTTP status that was not sent by the service says that
/// the request may succeed later: 408, 502, 503 and 504. Other statuses are
/// judged by the code that they map to.
pub(in crate::transport) fn is_transient(http: u16) -> bool {
    matches!(http, 408 | 502 | 503 | 504)
}

/// Adds what the headers of an error response say: its HTTP status, the delay
/// of `retry-after`, and for a 401 how far the local clock is off.
///
/// `wall` is the local time, to which a date in `retry-after` is relative.
pub(in crate::transport) fn finish(error: Error, response: &HttpResponse, wall: SystemTime) -> Error {
    let error =
        error.with_http_status(response.status).hinted("Retry-After", response.retry_after(Some(wall)));
    // Tokens are rejected for their times, which come from the local clock.
    match clock_skew(response, wall).filter(|_| response.status == 401) {
        Some(skew) => error.note(skew),
        None => error,
    }
}

/// Returns the error for a success whose body is not what it should be: a
/// sign-in page, or text.
///
/// `wanted` is the expected form, `JSON` or `gRPC`.
pub(in crate::transport) fn unexpected(response: &HttpResponse, host: &str, wanted: &str) -> Error {
    let what = match response.header("content-type") {
        _ if is_html(response) => "an HTML page".to_owned(),
        Some(content_type) => format!("`{}`", brief(content_type)),
        None => "text".to_owned(),
    };
    let text = text_of(response);
    let text = if text.is_empty() { String::new() } else { format!(": {}", excerpt(&text)) };
    let host = shown(host);
    let message = format!("{host} returned {what} instead of {wanted} (HTTP {}){text}", response.status);
    Error::status_page(message).with_http_status(response.status)
}

/// Returns the error for a redirect. No redirect is followed, because the token
/// would go with the request.
pub(in crate::transport) fn redirect(response: &HttpResponse, host: &str) -> Error {
    let location = response.header("location").filter(|location| !location.trim().is_empty());
    let target = match location.map(target) {
        None => "nowhere".to_owned(),
        // A relative reference of a query alone.
        Some("") => "the same path with another query".to_owned(),
        Some(target) => format!("`{}`", shown(target)),
    };
    let host = shown(host);
    let message =
        format!("{host} redirected the request to {target}, which is not followed: check the endpoint");
    Error::new(ErrorKind::Transport, message).sent(true).with_http_status(response.status)
}

/// Returns the host of an absolute URL, or the path of a relative one. The rest
/// may be a secret: query, fragment, credentials.
///
/// ```text
/// https://user:p@example.com:8080/x?t=1    example.com:8080
/// /sign-in/start?next=1                    /sign-in/start
/// ?next=1                                  (empty)
/// ```
fn target(location: &str) -> &str {
    let location = location.trim();
    let end = location.find(['?', '#']).unwrap_or(location.len());
    let location = location.get(..end).unwrap_or_default();
    // `//host/path` has the scheme of the request, and is another host all the
    // same.
    let authority = match location.split_once("//") {
        Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => rest,
        _ => return location,
    };
    let authority = authority.split('/').next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// Returns the summary of a status page: the HTTP status, and the text that a
/// person would read.
fn message(http: u16, text: &str) -> String {
    if text.is_empty() { format!("HTTP {http}") } else { format!("HTTP {http}: {}", excerpt(text)) }
}

/// Returns the text of a body that a person would read, of its first 64 KiB;
/// nothing if it is binary.
fn text_of(response: &HttpResponse) -> String {
    let body = response.body.get(..MOST_SHOWN).unwrap_or(&response.body);
    let body = String::from_utf8_lossy(body);
    if is_binary(&body) { String::new() } else { visible_text(&body) }
}

/// Returns whether a response is a page, by its content type or its first
/// bytes.
fn is_html(response: &HttpResponse) -> bool {
    let start = response.body.get(..MOST_SHOWN).unwrap_or(&response.body);
    let labels = ["text/html", "application/xhtml+xml"];
    labels.iter().any(|label| response.media_type().eq_ignore_ascii_case(label))
        || is_html_text(&String::from_utf8_lossy(start))
}

/// Returns whether the content type names JSON: `application/json`, or a type
/// whose suffix is `+json`.
pub(in crate::transport) fn is_json_type(response: &HttpResponse) -> bool {
    let media_type = response.media_type();
    let suffix = media_type.len().checked_sub(JSON_SUFFIX.len()).and_then(|at| media_type.get(at..));
    media_type.eq_ignore_ascii_case("application/json")
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(JSON_SUFFIX))
}

/// Returns whether a body has bytes that no text has: control characters, or
/// many that are not UTF-8. Pages in Latin-1 have a few of those.
fn is_binary(body: &str) -> bool {
    let is_control = |char: char| char.is_control() && !char.is_whitespace();
    let broken = body.chars().filter(|char| *char == char::REPLACEMENT_CHARACTER).count();
    body.contains(is_control) || broken * 10 > body.len()
}

/// The end of media types whose content is JSON (RFC 6839 section 3.1).
const JSON_SUFFIX: &str = "+json";

/// Bytes of a body in which text is looked for: as many as are read of the body
/// of an error.
const MOST_SHOWN: usize = 64 << 10;

/// The note for a 404 of a front end.
const NO_METHOD: &str = "this is not a response of the service: the method does not exist at this endpoint and \
    version, so check the endpoint, `api_version` and the bindings";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_redirects() {
        let rows = [
            ("https://example.com/login?token=CANARY", "`example.com`"),
            ("http://user:CANARY@example.com:8080/", "`example.com:8080`"),
            ("//example.com/x", "`example.com`"),
            ("/sign-in/start?next=CANARY", "`/sign-in/start`"),
            ("../v2/operations#CANARY", "`../v2/operations`"),
            ("login", "`login`"),
            ("?CANARY", "the same path with another query"),
            ("", "nowhere"),
        ];
        for (location, expected) in rows {
            let response = HttpResponse::new(302, "").with_header("location", location);
            let message = redirect(&response, "h").to_string();
            let shown =
                format!("h redirected the request to {expected}, which is not followed: check the endpoint");
            assert_eq!(message, shown, "{location}");
        }
        assert!(redirect(&HttpResponse::new(302, ""), "h").to_string().contains("nowhere"));
    }
}
