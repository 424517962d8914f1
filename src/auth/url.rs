//! The URLs of token endpoints and metadata servers: what may be sent there,
//! and how messages name them.
//!
//! Trust depends on two parts of a URL, scheme and host. Both must be what the
//! HTTP client takes for them, so everything that parsers read differently is
//! rejected.

use std::net::IpAddr;

use crate::net::aws_hosts;
use crate::util::url::{UrlParts, bare, host_is_valid, is_loopback, port_is_valid};

/// The parts of an absolute URL that trust depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Url<'a> {
    /// The host without port; an IPv6 address without brackets.
    pub(super) host: &'a str,
    /// Whether connections are secured by TLS.
    pub(super) is_https: bool,
}

impl<'a> Url<'a> {
    /// Accepts `https` and `http` URLs without user and password.
    ///
    /// The host consists of so few characters that no other parser can read
    /// another host out of it.
    ///
    /// # Errors
    ///
    /// Says what is wrong, without any part of the URL.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let Some(url) = UrlParts::split(text) else {
            return Err(if text.contains("://") { NO_HOST } else { "is not an absolute URL" });
        };
        let is_https = url.scheme.eq_ignore_ascii_case("https");
        if !is_https && !url.scheme.eq_ignore_ascii_case("http") {
            return Err("is neither `https` nor `http`");
        }
        // Before the parts are looked at: control characters are what parsers
        // disagree about.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("holds a space or another character that no URL can");
        }
        if url.user.is_some() || !host_is_valid(url.host) || !url.port.is_none_or(port_is_valid) {
            return Err(NO_HOST);
        }
        Ok(Self { host: bare(url.host), is_https })
    }

    /// Returns whether secrets may be sent there: over TLS, or without leaving
    /// this machine.
    pub(super) fn is_private(&self) -> bool {
        self.is_https || self.is_loopback()
    }

    /// Returns whether the host is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(self.host)
    }

    /// Returns whether the host is on the same link, as the metadata servers of
    /// clouds are.
    pub(super) fn is_link_local(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) => ip.is_link_local(),
            Ok(IpAddr::V6(ip)) => ip.is_unicast_link_local() || self.is_aws_metadata(),
            Err(_) => false,
        }
    }

    /// Returns whether the host is the metadata server of AWS.
    pub(super) fn is_aws_metadata(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok_and(|ip| aws_hosts::METADATA.contains(&ip))
    }

    /// Returns whether containers on AWS get their keys there: from ECS, or
    /// from the agent of EKS Pod Identity.
    pub(super) fn is_aws_container(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok_and(|ip| aws_hosts::CONTAINER.contains(&ip))
    }

    /// Returns whether the host is `domain` or below it.
    pub(super) fn is_within(&self, domain: &str) -> bool {
        is_within(self.host, domain)
    }
}

/// Returns whether `host` is `domain` or a name below it. Case does not matter.
///
/// ```text
/// run.googleapis.com       googleapis.com    true
/// googleapis.com           googleapis.com    true
/// evilgoogleapis.com       googleapis.com    false
/// ```
pub(super) fn is_within(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    host.strip_suffix(&domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The host is missing, or has characters that parsers read differently.
const NO_HOST: &str = "has no valid host";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_private_over_tls_or_on_this_machine() {
        let rows = [
            ("https://oauth2.googleapis.com/token", Ok(("oauth2.googleapis.com", true))),
            ("HTTPS://x:8443?y", Ok(("x", true))),
            ("https://[::2]:1/", Ok(("::2", true))),
            ("http://127.0.0.1:8080/token", Ok(("127.0.0.1", true))),
            ("http://[::1]/", Ok(("::1", true))),
            ("http://localhost", Ok(("localhost", true))),
            ("http://169.254.169.254/x", Ok(("169.254.169.254", false))),
            ("http://127.0.0.1.example.com/", Ok(("127.0.0.1.example.com", false))),
            ("http://localhost.example.com/", Ok(("localhost.example.com", false))),
            ("oauth2.googleapis.com", Err("is not an absolute URL")),
            ("file:///etc/passwd", Err("is neither `https` nor `http`")),
            ("https:///token", Err("has no valid host")),
            ("https://user:CANARY@x/", Err("has no valid host")),
            ("https://evil\\@oauth2.googleapis.com/", Err("has no valid host")),
            ("https://evil%2eoauth2.googleapis.com/", Err("has no valid host")),
            ("https://x:99999/", Err("has no valid host")),
            ("https://x:+1/", Err("has no valid host")),
            ("https://[::1/", Err("has no valid host")),
            ("https://[127.0.0.1]/", Err("has no valid host")),
            ("https://x/a b", Err("holds a space or another character that no URL can")),
            ("https://x/\r\ny", Err("holds a space or another character that no URL can")),
        ];
        for (text, expected) in rows {
            let found = Url::parse(text).map(|url| (url.host, url.is_private()));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_host_is_within_a_domain_by_whole_labels() {
        let rows = [
            ("googleapis.com", true),
            ("sts.GoogleAPIs.com", true),
            ("a.b.googleapis.com", true),
            ("evilgoogleapis.com", false),
            ("googleapis.com.evil.example", false),
            ("", false),
        ];
        for (host, expected) in rows {
            assert_eq!(is_within(host, "googleapis.com"), expected, "{host}");
        }
    }
}
