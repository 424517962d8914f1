//! The request as ureq takes it.

use ureq::http::{HeaderName, HeaderValue, Method, Request, Uri, header};

use crate::http::error::{HttpError, HttpErrorKind};
use crate::http::request::{HttpMethod, HttpRequest};
use crate::http::sensitive::is_sensitive;
use crate::util::excerpt::shown;

use super::redact::Placeholders;

/// Returns method, URL and headers, with placeholders for secrets.
///
/// # Errors
///
/// `Request`, if a header is invalid, or is one that the client sets.
pub(super) fn head(
    request: &HttpRequest<'_>,
    uri: &Uri,
    placeholders: &mut Placeholders<'_>,
) -> Result<Request<()>, HttpError> {
    let mut head = Request::new(());
    *head.method_mut() = match request.method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Post => Method::POST,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Patch => Method::PATCH,
    };
    *head.uri_mut() = uri.clone();
    for (name, value) in request.headers {
        let refuse = |why: &str| {
            let message = format!("cannot send header `{}`: {why}", shown(name));
            HttpError::new(HttpErrorKind::Request, message)
        };
        let header = header_name(name).ok_or_else(|| refuse("its name is not a header name"))?;
        // Rejected rather than ignored: the caller would wonder about the
        // missing header.
        if FRAMING.contains(&header) {
            return Err(refuse("the client sets it"));
        }
        // HTTP allows bytes beyond ASCII in a header value, and does not define
        // their meaning, so they are an error.
        let checked = value.is_ascii().then(|| HeaderValue::from_str(value).ok()).flatten();
        let checked = checked.ok_or_else(|| refuse("its value is not printable ASCII"))?;
        let shown = is_sensitive(name).then(|| placeholders.header(value)).flatten();
        // A secret that is too long for a placeholder is sent as it is.
        let checked = shown.and_then(|shown| HeaderValue::try_from(shown).ok()).unwrap_or(checked);
        head.headers_mut().append(header, checked);
    }
    Ok(head)
}

/// Returns a header name; `None` if it is invalid.
fn header_name(name: &str) -> Option<HeaderName> {
    // Cloning a static name allocates nothing.
    let known = GOOGLE.iter().find(|known| known.as_str() == name);
    known.cloned().or_else(|| HeaderName::from_bytes(name.as_bytes()).ok())
}

/// Headers of nearly every request that are no standard ones, so that their
/// names would be allocated each time.
static GOOGLE: [HeaderName; 3] = [
    HeaderName::from_static("x-goog-api-client"),
    HeaderName::from_static("x-goog-request-params"),
    HeaderName::from_static("x-goog-user-project"),
];

/// Returns the body to send; `None` sends no `content-length` either.
pub(super) fn body<'a>(request: &HttpRequest<'a>) -> Option<&'a [u8]> {
    match request.method {
        // Without a body, servers require `content-length: 0` for these.
        HttpMethod::Put | HttpMethod::Post | HttpMethod::Patch => Some(request.body.unwrap_or_default()),
        HttpMethod::Get | HttpMethod::Delete => request.body,
    }
}

/// Headers that decide where a message goes and where it ends. A caller that
/// could set one could smuggle a second request.
const FRAMING: [HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
