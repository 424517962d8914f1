//! Where a service is: scheme, host, port and base path.

use std::fmt;

use crate::error::Error;
use crate::net::mtls_host;
use crate::net::peer::{Peer, ServerAddress};
use crate::util::excerpt::shown;
use crate::util::redact::suspicion;
use crate::util::url::{UrlParts, host_is_valid, is_loopback, port_is_valid, split_port};

/// A checked endpoint. https, or plain http to this machine, or to any machine
/// if the client allows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Endpoint {
    scheme: &'static str,
    /// Host and port as given.
    authority: String,
    /// Empty, or starting with `/` and not ending with it.
    base: String,
}

impl Endpoint {
    /// Takes `run.googleapis.com`, `host:8443` or `https://host:8443/base`.
    pub(crate) fn parse(text: &str, allows_plain_http: bool) -> Result<Self, Error> {
        let bad = |why: &str| Error::config(format!("endpoint `{}` {why}", without_user(text)));
        let url = UrlParts::split_or("https", text).ok_or_else(|| bad(NO_HOST))?;
        let scheme = match url.scheme.to_ascii_lowercase().as_str() {
            "https" => "https",
            "http" => "http",
            _ => return Err(bad("has a scheme other than https")),
        };
        let has_port = |port: &str| port_is_valid(port) && port.parse::<u16>() != Ok(0);
        if url.user.is_some() || !host_is_valid(url.host) || !url.port.is_none_or(has_port) {
            return Err(bad(NO_HOST));
        }
        let base = url.target;
        if base.contains(['?', '#']) {
            return Err(bad("has a query or a fragment: expected scheme, host, port and base path only"));
        }
        let base = base.trim_end_matches('/');
        if !base.split('/').skip(1).all(segment_is_plain) {
            return Err(bad("has a base path that is not plain segments"));
        }
        if scheme == "http" && !allows_plain_http && !is_loopback(url.host) {
            return Err(bad(PLAIN_HTTP));
        }
        Ok(Self { scheme, authority: url.authority.to_owned(), base: base.to_owned() })
    }

    /// Returns the URL of a target that starts with `/`.
    pub(crate) fn url(&self, target: &str) -> String {
        [self.scheme, "://", &self.authority, &self.base, target].concat()
    }

    /// Scheme, host and port, without the base path.
    pub(crate) fn origin(&self) -> String {
        [self.scheme, "://", &self.authority].concat()
    }

    /// Returns the server that connections lead to.
    pub(crate) fn server(&self) -> Option<ServerAddress> {
        UrlParts::split(&self.origin()).as_ref().and_then(Peer::of).map(ServerAddress::from)
    }

    /// Returns whether requests are not encrypted.
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

    /// Returns whether this is nothing but a host, as services publish it.
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

    /// Host and port as they were given.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url(""))
    }
}

/// Returns the part of a rejected endpoint that may be printed: no user and
/// password.
fn without_user(text: &str) -> String {
    match text.rsplit_once('@') {
        // Of the whole: the secret may stand on both sides.
        Some((_, host)) if suspicion(text).is_none() => shown(&format!("…@{host}")),
        _ => shown(text),
    }
}

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
