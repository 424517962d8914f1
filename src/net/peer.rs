//! The server that a connection leads to.

use std::fmt;

use crate::util::excerpt::shown;
use crate::util::url::{UrlParts, port_is_valid};

/// Scheme, host and port of a server, as parts of a URL. `Display` is
/// `host:port`, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Peer<'a> {
    /// Whether connections to it are secured by TLS.
    pub(crate) tls: bool,
    /// A name or an address; an IPv6 address has brackets.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

impl<'a> Peer<'a> {
    /// Returns the server of an `http` or `https` URL, with the default port of
    /// the scheme if the URL has none. `None` for other schemes, and without a
    /// host or a valid port.
    ///
    /// ```text
    /// https://run.googleapis.com/v2   TLS, run.googleapis.com, 443
    /// http://localhost:8080           no TLS, localhost, 8080
    /// ftp://host                      None
    /// https://host:                   None
    /// ```
    pub(crate) fn of(url: &UrlParts<'a>) -> Option<Self> {
        let tls = url.scheme.eq_ignore_ascii_case("https");
        let is_known = tls || url.scheme.eq_ignore_ascii_case("http");
        let port = match url.port {
            None if tls => 443,
            None => 80,
            // `parse` alone would accept a sign: `+443`.
            Some(port) => port.parse().ok().filter(|_| port_is_valid(port))?,
        };
        (is_known && !url.host.is_empty()).then_some(Self { tls, host: url.host, port })
    }
}

impl fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", shown(self.host), self.port)
    }
}

/// The server of a connection, as a [`Peer`] that owns its host.
#[derive(Clone, Debug)]
pub(crate) struct ServerAddress {
    tls: bool,
    host: String,
    /// From 0 to 65535; zero is rejected by the operating system.
    port: u16,
}

impl ServerAddress {
    /// Borrows it as a peer.
    pub(crate) fn peer(&self) -> Peer<'_> {
        Peer { tls: self.tls, host: &self.host, port: self.port }
    }
}

impl From<Peer<'_>> for ServerAddress {
    fn from(Peer { tls, host, port }: Peer<'_>) -> Self {
        Self { tls, host: host.to_owned(), port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_urls_with_a_host_have_a_peer() {
        let rows = [
            ("https://h/", Some("h:443")),
            ("HTTP://h", Some("h:80")),
            ("http://h:8080/x", Some("h:8080")),
            ("ftp://h/", None),
            ("https://:443/", None),
        ];
        for (url, peer) in rows {
            let found = UrlParts::split(url).as_ref().and_then(Peer::of).map(|peer| peer.to_string());
            assert_eq!(found.as_deref(), peer, "{url}");
        }
    }
}
