//! Keeps credentials of any kind from being sent over plain http to another
//! machine.
//!
//! Requests to loopback cannot be read by others, so nothing is refused there.
//! `allow_plain_http` permits the rest for anonymous clients only, because
//! emulators in containers need no credentials.
//!
//! | what could leak | checked |
//! |---|---|
//! | credentials and client certificates of the client | once, when it is built |
//! | headers of a call | before each attempt |

use crate::auth::Credentials;
use crate::error::Error;
use crate::http::is_sensitive;
use crate::transport::{Attempt, Endpoint};
use crate::util::excerpt::shown;
use crate::util::redact::suspicion;

/// Refuses a client that would send credentials, or present a certificate, over
/// plain http to another machine.
///
/// No `credentials` counts as credentials, since the client would search for
/// the default ones.
///
/// # Errors
///
/// `Config`, with what to change.
pub(crate) fn check_client(
    endpoint: &Endpoint,
    credentials: Option<&Credentials>,
    has_certificate: bool,
) -> Result<(), Error> {
    if !endpoint.is_unprotected() {
        return Ok(());
    }
    if !credentials.is_some_and(Credentials::is_anonymous) {
        return Err(refused(
            endpoint,
            "credentials could be read on the way: use `Credentials::anonymous()`, or an https endpoint",
        ));
    }
    if has_certificate {
        return Err(refused(
            endpoint,
            "no client certificate can be presented: leave it out, or use an https endpoint",
        ));
    }
    Ok(())
}

/// Refuses headers of the caller that may be credentials, by their name
/// (`cookie`, `x-goog-api-key`) or by the form of their value.
///
/// # Errors
///
/// `Config`, with the name of the first such header.
pub(crate) fn check_headers(endpoint: &Endpoint, attempt: &Attempt<'_>) -> Result<(), Error> {
    if !endpoint.is_unprotected() {
        return Ok(());
    }
    let is_secret = |(name, value): &(&str, &str)| is_sensitive(name) || suspicion(value).is_some();
    match attempt.headers().find(is_secret) {
        Some((name, _)) => Err(refused(
            endpoint,
            &format!("header `{name}` may be a credential: leave it out, or use an https endpoint"),
        )),
        None => Ok(()),
    }
}

fn refused(endpoint: &Endpoint, why: &str) -> Error {
    let endpoint = shown(&endpoint.to_string());
    Error::config(format!("endpoint `{endpoint}` is plain http, over which {why}"))
}
