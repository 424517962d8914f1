//! The request as ureq takes it.

use ureq::http::{HeaderName, HeaderValue, Method, Request, Uri, header};

use crate::http::error::{HttpError, HttpErrorKind};
use crate::http::request::{HttpMethod, HttpRequest};
use crate::http::sensitive::is_sensitive;
use crate::util::excerpt::shown;

use super::redact::Hiding;

/// Method, URL and headers, with placeholders for secrets.
pub(super) fn head(
    request: &HttpRequest<'_>,
    uri: &Uri,
    hiding: &mut Hiding<'_>,
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
        if FRAMING.contains(&header) {
            return Err(refuse("the client sets it"));
        }
        // A header value may have bytes beyond ASCII; text may not.
        let checked = value.is_ascii().then(|| HeaderValue::from_str(value).ok()).flatten();
        let checked = checked.ok_or_else(|| refuse("its value is not printable ASCII"))?;
        let shown = is_sensitive(name).then(|| hiding.header(value)).flatten();
        let checked = shown.and_then(|shown| HeaderValue::try_from(shown).ok()).unwrap_or(checked);
        head.headers_mut().append(header, checked);
    }
    Ok(head)
}

fn header_name(name: &str) -> Option<HeaderName> {
    let known = GOOGLE.iter().find(|known| known.as_str() == name);
    known.cloned().or_else(|| HeaderName::from_bytes(name.as_bytes()).ok())
}

/// Headers of nearly every request that are no standard ones, so that their
/// names would be allocated.
static GOOGLE: [HeaderName; 3] = [
    HeaderName::from_static("x-goog-api-client"),
    HeaderName::from_static("x-goog-request-params"),
    HeaderName::from_static("x-goog-user-project"),
];

/// Returns the body, where the method has one.
pub(super) fn body<'a>(request: &HttpRequest<'a>) -> Option<&'a [u8]> {
    match request.method {
        // Without a body, servers want `content-length: 0` for these.
        HttpMethod::Put | HttpMethod::Post | HttpMethod::Patch => Some(request.body.unwrap_or_default()),
        HttpMethod::Get | HttpMethod::Delete => request.body,
    }
}

/// Headers that decide where a message goes and where it ends; one from outside
/// could smuggle a second request.
const FRAMING: [HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
