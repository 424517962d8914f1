//! Absolute URLs in their parts.

use std::net::Ipv6Addr;

/// The parts of an absolute URL, as they are written; nothing is decoded or checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct UrlParts<'a> {
    pub(crate) scheme: &'a str,
    /// User and password, percent-encoded.
    pub(crate) user: Option<&'a str>,
    /// An IPv6 address keeps its brackets.
    pub(crate) host: &'a str,
    pub(crate) port: Option<&'a str>,
    /// Path, query and fragment; may be empty.
    pub(crate) target: &'a str,
}

impl<'a> UrlParts<'a> {
    /// Splits `scheme://user:password@host:port/path?query#fragment`.
    ///
    /// None for a text without `://`, and for a host in brackets with something other than a port behind it.
    pub(crate) fn split(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, server) = match authority.rsplit_once('@') {
            Some((user, server)) => (Some(user), server),
            None => (None, authority),
        };
        let (host, port) = split_port(server)?;
        Some(Self { scheme, user, host, port, target })
    }
}

/// Splits `host:port` or `[::1]:port`; the host keeps its brackets.
pub(crate) fn split_port(server: &str) -> Option<(&str, Option<&str>)> {
    let end_of_host = match server.strip_prefix('[') {
        Some(address) => address.find(']')? + 2,
        None => server.find(':').unwrap_or(server.len()),
    };
    let (host, port) = server.split_at(end_of_host);
    match port.strip_prefix(':') {
        Some(port) => Some((host, Some(port))),
        None if port.is_empty() => Some((host, None)),
        None => None,
    }
}

/// An IPv6 address without its brackets; other hosts as they are.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Whether `host` is a name or an address, with so few characters that no other parser can read another host out of it.
pub(crate) fn host_is_valid(host: &str) -> bool {
    if host.starts_with('[') {
        return bare(host).parse::<Ipv6Addr>().is_ok();
    }
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Whether `port` is a number up to 65535, without a sign.
pub(crate) fn port_is_valid(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split() {
        type Row =
            (&'static str, Option<(&'static str, Option<&'static str>, Option<&'static str>, &'static str)>);
        let rows: [Row; 12] = [
            ("https://a.test", Some(("a.test", None, None, ""))),
            ("https://a.test:81/b?c#d", Some(("a.test", Some("81"), None, "/b?c#d"))),
            ("https://a.test:", Some(("a.test", Some(""), None, ""))),
            ("https://a.test?b=c://d@e", Some(("a.test", None, None, "?b=c://d@e"))),
            ("https://u:p@a.test/@", Some(("a.test", None, Some("u:p"), "/@"))),
            ("https://u@v@a.test", Some(("a.test", None, Some("u@v"), ""))),
            ("https://[::1]/", Some(("[::1]", None, None, "/"))),
            ("https://[::1]:81", Some(("[::1]", Some("81"), None, ""))),
            ("https://[::1]81", None),
            ("https://[::1", None),
            ("https://", Some(("", None, None, ""))),
            ("a.test:443", None),
        ];
        for (url, expected) in rows {
            let found = UrlParts::split(url);
            assert!(found.is_none_or(|found| found.scheme == "https"), "{url}");
            assert_eq!(found.map(|url| (url.host, url.port, url.user, url.target)), expected, "{url}");
        }
    }
}
