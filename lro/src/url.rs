//! The URL of an operation, taken apart into endpoint, version and name.

use longrunning::printing::{shown, suspicion};
use percent_encoding::percent_decode_str;

use crate::failure::CommandFailure;

/// A URL as a service gives it: `https://run.googleapis.com/v2/projects/p/operations/42`.
#[derive(Debug, PartialEq)]
pub(crate) struct OperationUrl {
    /// Scheme, host and port.
    pub(crate) endpoint: String,
    /// The path up to and with the version: `v2`, `compute/v1`.
    pub(crate) version: String,
    pub(crate) name: String,
}

impl OperationUrl {
    /// Takes a URL apart behind `version`, or else behind its first segment that looks like one.
    pub(crate) fn parse(text: &str, version: Option<&str>) -> Result<Self, CommandFailure> {
        let bad = |why: &str| CommandFailure::usage(format!("URL `{}` {why}", without_user(text)));
        let (scheme, rest) = text.split_once("://").ok_or_else(|| bad("has no scheme"))?;
        let (authority, path) =
            rest.split_once('/').ok_or_else(|| bad("has no path: expected an operation's"))?;
        if authority.contains('@') {
            return Err(bad("has a user name, which an operation's has not"));
        }
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = [":cancel", ":wait"].iter().find_map(|verb| path.strip_suffix(verb)).unwrap_or(path);
        let (version, name) = match version {
            Some(version) => path
                .strip_prefix(version)
                .and_then(|rest| rest.strip_prefix('/'))
                .map(|name| (version, name))
                .ok_or_else(|| {
                    bad(&format!("is not under the version `{}` of --api-version", shown(version)))
                })?,
            None => split_version(path).ok_or_else(|| {
                bad("has no version, such as `v1`, in its path: say which part it is by --api-version")
            })?,
        };
        let name = decode(name).ok_or_else(|| bad("is not percent-encoded text"))?;
        Ok(Self { endpoint: format!("{scheme}://{authority}"), version: version.to_owned(), name })
    }

    /// Whether this is the same host and port as `endpoint`, given in any of its forms.
    pub(crate) fn is_at(&self, endpoint: &str) -> bool {
        origin(&self.endpoint) == origin(endpoint)
    }

    /// Whether it is one of Google's hosts, or one of the user's cloud, or this machine.
    pub(crate) fn is_trusted(&self, universe: Option<&str>) -> bool {
        let (scheme, authority) = origin(&self.endpoint);
        let host = authority.strip_suffix(":443").unwrap_or(&authority);
        let domains = ["googleapis.com"].into_iter().chain(universe.filter(|domain| !domain.is_empty()));
        let mut domains = domains.filter(|_| scheme == "https");
        domains.any(|domain| host.strip_suffix(domain).is_some_and(|front| front.ends_with('.')))
            || is_loopback(host)
    }
}

/// Scheme and authority, in lower case; https where there is no scheme.
pub(crate) fn origin(endpoint: &str) -> (String, String) {
    let (scheme, rest) = endpoint.split_once("://").unwrap_or(("https", endpoint));
    let authority = rest.split('/').next().unwrap_or_default();
    (scheme.to_ascii_lowercase(), authority.to_ascii_lowercase())
}

fn is_loopback(authority: &str) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    ["127.0.0.1", "localhost", "[::1]"].contains(&host)
}

/// Splits a path behind the first segment that is a version: `v1`, `v2beta1`, `v1p1beta1`.
fn split_version(path: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    for segment in path.split('/') {
        let end = at + segment.len();
        let number = segment.strip_prefix('v').unwrap_or_default();
        let is_version = number.starts_with(|c: char| c.is_ascii_digit())
            && number.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if is_version {
            return Some((&path[..end], path.get(end + 1..)?));
        }
        at = end + 1;
    }
    None
}

/// Decodes percent-encoding; none if an escape is invalid, or if the result is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    text.split('%').skip(1).all(is_escape).then(|| decoded.into_owned())
}

/// A URL for a message: without user and password, and without a query, which may hold a key.
fn without_user(text: &str) -> String {
    if suspicion(text).is_some() {
        return shown(text);
    }
    let text = text.split(['?', '#']).next().unwrap_or_default();
    text.rsplit_once('@').map_or_else(|| shown(text), |(_, host)| shown(&format!("…@{host}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, version: Option<&str>) -> Option<[String; 3]> {
        OperationUrl::parse(text, version).ok().map(|url| [url.endpoint, url.version, url.name])
    }

    #[test]
    fn urls_of_services() {
        let rows = [
            (
                "Cloud Run",
                "https://run.googleapis.com/v2/projects/p/operations/1",
                None,
                "v2",
                "projects/p/operations/1",
            ),
            (
                "Compute",
                "https://compute.googleapis.com/compute/v1/projects/p/global/operations/1",
                None,
                "compute/v1",
                "projects/p/global/operations/1",
            ),
            ("beta", "https://x.googleapis.com/v1p1beta1/operations/1", None, "v1p1beta1", "operations/1"),
            (
                "query and verb",
                "https://x.googleapis.com/v1/operations/1:wait?alt=json#x",
                None,
                "v1",
                "operations/1",
            ),
            (
                "an id with a colon",
                "https://x.googleapis.com/v1/operations/a%3Acancel",
                None,
                "v1",
                "operations/a:cancel",
            ),
            (
                "a name with a version",
                "https://x.googleapis.com/v1/apis/v2/operations/1",
                None,
                "v1",
                "apis/v2/operations/1",
            ),
            (
                "version by option",
                "https://x.googleapis.com/a/v1/b/operations/1",
                Some("a/v1/b"),
                "a/v1/b",
                "operations/1",
            ),
            ("an id that looks odd", "https://x.googleapis.com/v1/operations/v", None, "v1", "operations/v"),
        ];
        for (row, text, option, version, name) in rows {
            let [_, found, found_name] = parts(text, option).unwrap_or_else(|| panic!("{row}"));
            assert_eq!((found.as_str(), found_name.as_str()), (version, name), "{row}");
        }
        assert_eq!(parts("http://127.0.0.1:81/v1/operations/1", None).unwrap()[0], "http://127.0.0.1:81");
    }

    #[test]
    fn other_urls_are_refused() {
        let rows = [
            ("no path", "https://x.googleapis.com", None),
            ("no version", "https://x.googleapis.com/operations/1", None),
            ("a version and no name", "https://x.googleapis.com/v1", None),
            ("another version", "https://x.googleapis.com/v1/operations/1", Some("v2")),
            ("a user", "https://a:CANARY@x.googleapis.com/v1/operations/1", None),
            ("bad encoding", "https://x.googleapis.com/v1/operations/%4", None),
            ("half an escape", "https://x.googleapis.com/v1/operations/%4%41", None),
            ("no text", "https://x.googleapis.com/v1/operations/%ff", None),
        ];
        for (row, text, version) in rows {
            let failure = OperationUrl::parse(text, version).expect_err(row);
            assert!(!format!("{failure:?}").contains("CANARY"), "{row}");
        }
    }

    #[test]
    fn trusted_hosts() {
        let rows = [
            ("https://run.googleapis.com", true),
            ("https://RUN.googleapis.com:443", true),
            ("https://run.googleapis.com:8443", false),
            ("http://run.googleapis.com", false),
            ("https://googleapis.com.evil.example", false),
            ("https://evilgoogleapis.com", false),
            ("https://run.cloud.example", true),
            ("http://127.0.0.1:8080", true),
            ("http://127.0.0.1.evil.example", false),
            ("http://[::1]:8080", true),
        ];
        for (endpoint, trusted) in rows {
            let url = OperationUrl { endpoint: endpoint.into(), version: String::new(), name: String::new() };
            assert_eq!(url.is_trusted(Some("cloud.example")), trusted, "{endpoint}");
        }
    }

    #[test]
    fn an_endpoint_has_several_forms() {
        let url = OperationUrl::parse("https://X.example/v1/a", None).unwrap();
        let rows = [
            ("x.example", true),
            ("https://x.example/base", true),
            ("x.example:8443", false),
            ("http://x.example", false),
        ];
        for (endpoint, same) in rows {
            assert_eq!(url.is_at(endpoint), same, "{endpoint}");
        }
    }
}
