//! The endpoint of a service: scheme, host, port and base path.
//!
//! An [`Endpoint`] is checked once, when a client is built. Afterwards building
//! a URL is concatenation, and no text of a request can change the host: a
//! target starts with `/`.
//!
//! ```text
//! https :// run.googleapis.com:8443 /base   + /v2/operations/42?alt=proto
//! scheme    authority               base      target of a request
//! └──── origin ──────────────────┘
//! ```

use std::fmt;

use crate::error::Error;
use crate::net::mtls_host;
use crate::net::peer::{Peer, ServerAddress};
use crate::util::excerpt::shown;
use crate::util::redact::suspicion;
use crate::util::url::{UrlParts, host_is_valid, is_loopback, port_is_valid, split_port};

/// A checked endpoint: https, or plain http to this machine, or to any machine
/// if the client allows it.
///
/// It never has a user, a password, a query or a fragment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Endpoint {
    /// `https` or `http`, in lower case.
    scheme: &'static str,
    /// Host and port as given; the port is not 0.
    authority: String,
    /// Empty, or starting with `/` and not ending with it.
    base: String,
}

impl Endpoint {
    /// Parses an endpoint; a text without a scheme is https.
    ///
    /// ```text
    /// run.googleapis.com       https://run.googleapis.com
    /// host:8443/base/          https://host:8443/base
    /// http://localhost:8080    http://localhost:8080
    /// http://example.com       an error, unless plain http is allowed
    /// https://u:p@host         an error, which does not print `u:p`
    /// ```
    ///
    /// # Errors
    ///
    /// `Config` for every other scheme, for an invalid host or port, a user, a
    /// query, a fragment, and a base path with `.`, `..`, an empty segment or
    /// anything that would have to be escaped.
    pub(crate) fn parse(text: &str, allows_plain_http: bool) -> Result<Self, Error> {
        let bad = |why: &str| Error::config(format!("endpoint `{}` {why}", without_user(text)));
        let url = UrlParts::split_or("https", text).ok_or_else(|| bad(NO_HOST))?;
        let scheme = match url.scheme.to_ascii_lowercase().as_str() {
            // A static text of the two, so that comparisons need no case.
            "https" => "https",
            "http" => "http",
            _ => return Err(bad("has a scheme other than https")),
        };
        // A user in an endpoint would be a password in a configuration, and
        // `https://run.googleapis.com@evil.example` a trick. Port 0 cannot be
        // connected to.
        let has_port = |port: &str| port_is_valid(port) && port.parse::<u16>() != Ok(0);
        if url.user.is_some() || !host_is_valid(url.host) || !url.port.is_none_or(has_port) {
            return Err(bad(NO_HOST));
        }
        let base = url.target;
        if base.contains(['?', '#']) {
            return Err(bad("has a query or a fragment: expected scheme, host, port and base path only"));
        }
        let base = base.trim_end_matches('/');
        // The base is put in front of every path, so it must not lead out of
        // itself.
        if !base.split('/').skip(1).all(segment_is_plain) {
            return Err(bad("has a base path that is not plain segments"));
        }
        if scheme == "http" && !allows_plain_http && !is_loopback(url.host) {
            return Err(bad(PLAIN_HTTP));
        }
        Ok(Self { scheme, authority: url.authority.to_owned(), base: base.to_owned() })
    }

    /// Returns the URL of a target that starts with `/`, or is empty.
    pub(crate) fn url(&self, target: &str) -> String {
        [self.scheme, "://", &self.authority, &self.base, target].concat()
    }

    /// Returns scheme, host and port, without the base path.
    pub(crate) fn origin(&self) -> String {
        [self.scheme, "://", &self.authority].concat()
    }

    /// Returns the server that connections lead to, with the default port of
    /// the scheme if none is given.
    pub(crate) fn server(&self) -> Option<ServerAddress> {
        UrlParts::split(&self.origin()).as_ref().and_then(Peer::of).map(ServerAddress::from)
    }

    /// Returns whether requests are not encrypted, loopback included.
    pub(crate) fn is_plain(&self) -> bool {
        self.scheme == "http"
    }

    /// Returns the host alone; an IPv6 address keeps its brackets.
    pub(crate) fn host(&self) -> &str {
        split_port(&self.authority).map_or(&self.authority, |(host, _)| host)
    }

    /// Returns whether what is sent there can be read on the way: plain http to
    /// another machine.
    pub(crate) fn is_unprotected(&self) -> bool {
        self.scheme == "http" && !is_loopback(self.host())
    }

    /// Returns whether this is nothing but a host, as services publish it. Only
    /// such an endpoint is replaced by that for mutual TLS.
    pub(crate) fn is_bare(&self) -> bool {
        self.scheme == "https"
            && self.base.is_empty()
            && split_port(&self.authority).is_some_and(|(_, port)| port.is_none())
    }

    /// Returns the endpoint of the same service for mutual TLS:
    /// `x.googleapis.com` becomes `x.mtls.googleapis.com`, and
    /// `x.sandbox.googleapis.com` becomes `x.mtls.sandbox.googleapis.com`. Others have
    /// none and stay.
    pub(crate) fn to_mtls(&self) -> Self {
        let authority = mtls_host::to_mtls(&self.authority);
        Self { authority: authority.unwrap_or_else(|| self.authority.clone()), ..self.clone() }
    }

    /// Returns host and port as they were given, for messages.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

/// Prints scheme, authority and base path.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url(""))
    }
}

/// Returns the part of a rejected endpoint that may be printed: no user and
/// password.
///
/// ```text
/// https://u:p@host/x     …@host/x
/// {"private_key": …      [redacted: JSON]
/// ```
fn without_user(text: &str) -> String {
    match text.rsplit_once('@') {
        // The whole text is judged, because the secret may be on both sides of
        // the last `@`.
        Some((_, host)) if suspicion(text).is_none() => shown(&format!("…@{host}")),
        _ => shown(text),
    }
}

/// Returns whether a segment needs no escape: unreserved characters of RFC 3986
/// section 2.3, and neither `.` nor `..`.
fn segment_is_plain(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain)
}

const NO_HOST: &str = "has no valid host and port";

const PLAIN_HTTP: &str = "is not https (plain http is accepted for loopback only, and by `allow_plain_http` for anonymous clients)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_that_are_taken() {
        let table = [
            ("run.googleapis.com", "https://run.googleapis.com/v1/x"),
            ("host:8443", "https://host:8443/v1/x"),
            ("https://run.googleapis.com/", "https://run.googleapis.com/v1/x"),
            ("HTTPS://host:8443/base/path/", "https://host:8443/base/path/v1/x"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/x"),
            ("http://127.9.9.9", "http://127.9.9.9/v1/x"),
            ("http://[::1]:8080/b", "http://[::1]:8080/b/v1/x"),
            ("http://localhost", "http://localhost/v1/x"),
        ];
        for (text, url) in table {
            assert_eq!(Endpoint::parse(text, false).unwrap().url("/v1/x"), url);
        }
    }

    #[test]
    fn endpoints_that_are_refused() {
        let long_label = format!("https://{}.com", "a".repeat(64));
        let table = [
            ("http://example.com", PLAIN_HTTP),
            ("http://127.0.0.1.example.com", PLAIN_HTTP),
            ("http://localhost.example.com", PLAIN_HTTP),
            ("ftp://example.com", "has a scheme other than https"),
            ("", "has no valid host and port"),
            ("https://", "has no valid host and port"),
            ("https://host:0", "has no valid host and port"),
            ("https://host:00", "has no valid host and port"),
            ("https://host:", "has no valid host and port"),
            ("https://host:+80", "has no valid host and port"),
            ("https://host:99999", "has no valid host and port"),
            ("https://[::1", "has no valid host and port"),
            ("https://[::1]8", "has no valid host and port"),
            ("https://ho st", "has no valid host and port"),
            ("https://host..example.com", "has no valid host and port"),
            ("https://.example.com", "has no valid host and port"),
            ("https://.", "has no valid host and port"),
            (&*long_label, "has no valid host and port"),
            ("https://host\\evil", "has no valid host and port"),
            ("https://host?x", "has a query or a fragment: expected scheme, host, port and base path only"),
            ("https://host/a/../b", "has a base path that is not plain segments"),
            ("https://host//b", "has a base path that is not plain segments"),
            ("https://host/a%2fb", "has a base path that is not plain segments"),
        ];
        for (text, why) in table {
            let shown = shown(text);
            assert_eq!(
                Endpoint::parse(text, false).unwrap_err().to_string(),
                format!("endpoint `{shown}` {why}")
            );
        }
    }

    #[test]
    fn plain_http_is_taken_if_it_is_allowed() {
        for (text, is_unprotected) in [
            ("http://emulator:8080/base", true),
            ("http://localhost.example.com", true),
            ("http://[fe80::1]:8080", true),
            ("http://127.0.0.1:8080", false),
            ("https://emulator:8080", false),
            ("emulator:8080", false),
        ] {
            assert_eq!(Endpoint::parse(text, true).unwrap().is_unprotected(), is_unprotected, "{text}");
        }
        assert!(Endpoint::parse("ftp://emulator", true).is_err());
    }

    #[test]
    fn a_password_is_not_repeated() {
        let message = Endpoint::parse("https://user:CANARY-password-1@host/", true).unwrap_err().to_string();
        assert_eq!(message, "endpoint `…@host/` has no valid host and port");
    }
}
