//! Status pages that proxies, load balancers and front ends send in place of
//! the service: HTML, and other text.

use std::time::SystemTime;

use crate::error::{Error, ErrorKind};
use crate::http::HttpResponse;
use crate::transport::clock_skew::clock_skew;
pub(in crate::transport) use crate::transport::page_text::is_html as is_html_text;
use crate::transport::page_text::visible_text;
use crate::types::{Code, Status};
use crate::util::excerpt::{brief, excerpt, shown};

/// Returns the error for an HTTP error status without a status of the service.
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
        // The service sends a status with it, also for an operation that is gone.
        404 => error.of_status_page().note(NO_METHOD),
        _ => error,
    }
}

/// Returns whether an HTTP status, without a word of the service, says that the
/// request may succeed later.
pub(in crate::transport) fn is_transient(http: u16) -> bool {
    matches!(http, 408 | 502 | 503 | 504)
}

/// Adds what the headers of an error response say: its HTTP status, its hint,
/// and how far the local clock is off.
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

/// Returns the error for a redirect. No redirect is followed, because a token
/// must not follow it.
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
fn target(location: &str) -> &str {
    let location = location.trim();
    let end = location.find(['?', '#']).unwrap_or(location.len());
    let location = location.get(..end).unwrap_or_default();
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

/// Returns the text of a body that a person would read; none if it is binary.
fn text_of(response: &HttpResponse) -> String {
    let body = response.body.get(..MOST_SHOWN).unwrap_or(&response.body);
    let body = String::from_utf8_lossy(body);
    if is_binary(&body) { String::new() } else { visible_text(&body) }
}

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

/// Returns whether a body has bytes that no text has. Pages in Latin-1 have
/// some that are no UTF-8.
fn is_binary(body: &str) -> bool {
    let is_control = |char: char| char.is_control() && !char.is_whitespace();
    let broken = body.chars().filter(|char| *char == char::REPLACEMENT_CHARACTER).count();
    body.contains(is_control) || broken * 10 > body.len()
}

/// Of media types whose content is JSON (RFC 6839 section 3.1).
const JSON_SUFFIX: &str = "+json";

/// As much as is kept of the body of an error.
const MOST_SHOWN: usize = 64 << 10;

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
