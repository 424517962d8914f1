//! Absolute URLs in their parts.
//!
//! Endpoints, proxies, token endpoints and links of operations are read here.
//! This is no validating parser (RFC 3986, WHATWG): it splits at the delimiters
//! and leaves the rest to its callers. [`host_is_valid`] is the exception,
//! because security depends on the host: what this module takes for the host
//! must be what every other parser of the same URL takes for it.

use std::net::{IpAddr, Ipv6Addr};

/// The parts of an absolute URL, as they are written; nothing is decoded or
/// checked.
///
/// ```text
/// https://user:pass@host:8443/v1/name?alt=json
/// scheme    https
/// authority user:pass@host:8443
/// user      user:pass
/// host      host
/// port      8443
/// target    /v1/name?alt=json
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct UrlParts<'a> {
    /// In the case in which it was written.
    pub(crate) scheme: &'a str,
    /// User, host and port, as between `://` and the path.
    pub(crate) authority: &'a str,
    /// User and password, percent-encoded: all before the last `@` of the
    /// authority.
    pub(crate) user: Option<&'a str>,
    /// A name or an address; may be empty. An IPv6 address keeps its brackets.
    pub(crate) host: &'a str,
    /// What follows the colon behind the host; may be empty or no number.
    pub(crate) port: Option<&'a str>,
    /// Path, query and fragment; may be empty.
    pub(crate) target: &'a str,
}

impl<'a> UrlParts<'a> {
    /// Splits `scheme://user:password@host:port/path?query#fragment`.
    ///
    /// Returns `None` for a text without `://`, and for a host in brackets with
    /// something other than a port behind it.
    pub(crate) fn split(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        Self::with_scheme(scheme, rest)
    }

    /// Splits a URL whose scheme may be missing; it is `default` then.
    pub(crate) fn split_or(default: &'a str, url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://").unwrap_or((default, url));
        Self::with_scheme(scheme, rest)
    }

    /// Splits what follows `://`.
    fn with_scheme(scheme: &'a str, rest: &'a str) -> Option<Self> {
        // Browsers also end the authority at a backslash. Here the backslash
        // becomes a part of the host, which `host_is_valid` refuses, so the two
        // never read different hosts.
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        // The last `@`, as in the WHATWG URL standard: a password may contain
        // one that is not encoded.
        let (user, server) = match authority.rsplit_once('@') {
            Some((user, server)) => (Some(user), server),
            None => (None, authority),
        };
        let (host, port) = split_port(server)?;
        Some(Self { scheme, authority, user, host, port, target })
    }
}

/// Returns whether a path segment is the version of an API: `v1`, `v1beta1`,
/// `v1p1beta1`.
///
/// It is a `v`, a digit, and then letters and digits (AIP-185). So `vision` and
/// `v` are none.
pub(crate) fn is_version(segment: &str) -> bool {
    let number = segment.strip_prefix('v').unwrap_or_default();
    number.starts_with(|first: char| first.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Splits `host:port` or `[::1]:port`; the host keeps its brackets.
///
/// ```text
/// host        host, None
/// host:       host, Some("")
/// [::1]:443   [::1], Some("443")
/// [::1]443    None
/// ```
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

/// Returns an IPv6 address without its brackets; other hosts as they are.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Returns whether `host` is an address or a name, of so few characters that no
/// other parser can read another host out of it.
///
/// Names have letters, digits, `-`, `_` and dots, so there is no `%`, `@`, `\`
/// or Unicode to interpret. An underscore is no character of a host name (RFC
/// 1123), but private zones have such names.
pub(crate) fn host_is_valid(host: &str) -> bool {
    if host.starts_with('[') {
        return bare(host).parse::<Ipv6Addr>().is_ok();
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    // RFC 1035 section 2.3.4 has the lengths. A dot at the end is the root.
    let labels = host.strip_suffix('.').unwrap_or(host);
    let fits = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_plain);
    labels.len() <= 253 && labels.split('.').all(fits)
}

/// Returns whether `host` is this machine: `localhost`, `127.0.0.0/8` or `::1`.
/// Plain `http` is allowed there, because nothing leaves the machine. Other
/// names are not resolved to find out.
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || bare(host).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Returns whether `port` is a number up to 65535 without a sign. Zero passes,
/// and the empty text does not.
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
        let url = UrlParts::split_or("https", "u@a.test:81/b://c").unwrap();
        assert_eq!((url.scheme, url.host), ("u@a.test:81/b", "c"));
        let url = UrlParts::split_or("https", "u@a.test:81/b").unwrap();
        assert_eq!((url.scheme, url.authority, url.target), ("https", "u@a.test:81", "/b"));
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        let (label, name) = ("a".repeat(63), format!("{}.a", ["a"; 126].join(".")));
        let valid = ["a", "A-b_c.d1", "a.test.", "127.0.0.1", "[::1]", &label, &name];
        assert!(valid.iter().all(|host| host_is_valid(host)));
        let (long_label, long_name) = (format!("{label}a"), format!("{name}.a"));
        let invalid =
            ["", ".", ".a", "a..b", "a b", "a\\b", "a%2eb", "é", "::1", "[::1", "[a]", "[127.0.0.1]"];
        for host in invalid.into_iter().chain([&*long_label, &long_name]) {
            assert!(!host_is_valid(host), "{host}");
        }
    }

    #[test]
    fn this_machine_has_several_names() {
        for host in ["localhost", "LocalHost", "127.9.9.9", "[::1]", "::1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.test", "127.0.0.1.test", "128.0.0.1", "[::2]", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
