//! The URL of an operation, taken apart into endpoint, version and name.

use longrunning::printing::{shown, suspicion};
use percent_encoding::percent_decode_str;

use crate::failure::CommandFailure;
use crate::place::{ApiKey, is_loopback};

/// A URL as a service gives it: `https://run.googleapis.com/v2/projects/p/operations/42`.
///
/// The scheme may be missing, as in `run.googleapis.com/v2/…`. With a scheme or
/// `//` in front, the version may be missing, as in full resource names
/// ([AIP-122](https://google.aip.dev/122#full-resource-names)).
#[derive(Debug, PartialEq)]
pub(crate) struct OperationUrl {
    /// Scheme, if there is one, host and port.
    pub(crate) endpoint: String,
    /// The path up to and with the version: `v2`, `compute/v1`; none if the path
    /// has none, as that of a full resource name.
    pub(crate) version: Option<String>,
    pub(crate) name: String,
    /// Without query, which may have a key.
    pub(crate) given: String,
    /// The `key` of the query.
    pub(crate) key: Option<ApiKey>,
    /// Whether the name begins with the `parentId` of the query, as Compute
    /// Engine has it for organizations.
    pub(crate) has_parent: bool,
}

/// The parts of a URL, as they are written: nothing is decoded, and no part is
/// checked.
struct UrlText<'a> {
    scheme: Option<&'a str>,
    authority: &'a str,
    /// Without the `/` in front of it, and without a query.
    path: &'a str,
    query: &'a str,
}

impl<'a> UrlText<'a> {
    /// Splits a URL; none for a name.
    ///
    /// A name begins with a plain word (`projects`, `operations`), a URL
    /// without a scheme with a host. So both may be given in the same place.
    fn split(text: &'a str) -> Option<Self> {
        let text = text.split('#').next().unwrap_or_default();
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, text.strip_prefix("//").or_else(|| Some(text).filter(|text| has_host(text)))?),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        Some(Self { scheme, authority, path, query })
    }

    /// Splits the path behind its version. If it has none, the option decides,
    /// or else the default of the service.
    fn version_and_name<'v>(
        &self,
        is_resource_name: bool,
        version: Option<&'v str>,
    ) -> Result<(Option<&'v str>, &'a str), String>
    where
        'a: 'v,
    {
        let path = [":cancel", ":wait"].iter().find_map(|verb| self.path.strip_suffix(verb));
        let path = path.unwrap_or(self.path);
        let behind = |version: &str| path.strip_prefix(version).and_then(|rest| rest.strip_prefix('/'));
        let found = match version {
            Some(version) => behind(version).map(|name| (version, name)),
            None if is_resource_name && !path.split('/').next().is_some_and(is_version) => None,
            None => split_version(path),
        };
        match (found, version) {
            (Some((version, name)), _) => Ok((Some(version), name)),
            (None, version) if is_resource_name => Ok((version, path)),
            (None, _) if path.split('/').next().is_some_and(is_version) && !path.contains('/') => {
                Err(format!("names nothing behind its version `{}`", shown(path)))
            }
            (None, version) if split_version(path).is_none() => Ok((version, path)),
            (None, version) => {
                let version = shown(version.unwrap_or_default());
                Err(format!("is not under the version `{version}` of --api-version"))
            }
        }
    }

    /// Returns scheme, if there is one, and authority: what a client takes as
    /// its endpoint.
    fn endpoint(&self) -> String {
        match self.scheme {
            Some(scheme) => format!("{scheme}://{}", self.authority),
            None => self.authority.to_owned(),
        }
    }

    /// Returns the value of a field of the query, decoded; none if it is
    /// missing or empty.
    fn field(&self, field: &str) -> Option<String> {
        let mut pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(name, value)| *name == field && !value.is_empty())?;
        // What is not encoded properly is the value all the same; the library judges
        // it.
        Some(decode(value).unwrap_or_else(|| value.to_owned()))
    }
}

/// Returns whether a name is rather a URL, with or without a scheme.
pub(crate) fn is_url(name: &str) -> bool {
    UrlText::split(name).is_some()
}

impl OperationUrl {
    /// Takes a URL apart behind `version`, or else behind its first segment
    /// that looks like one.
    pub(crate) fn parse(text: &str, version: Option<&str>) -> Result<Self, CommandFailure> {
        let bad = |why: &str| CommandFailure::usage(format!("URL `{}` {why}", without_user(text)));
        let url = UrlText::split(text).ok_or_else(|| bad("has no scheme"))?;
        if url.path.is_empty() {
            return Err(bad("has no path: expected an operation's"));
        }
        if url.authority.contains('@') {
            return Err(bad("has a user name, which an operation's has not"));
        }
        let (version, name) =
            url.version_and_name(text.starts_with("//"), version).map_err(|why| bad(&why))?;
        let name = decode_name(name).ok_or_else(|| bad("is not percent-encoded text"))?;
        let plain = Self {
            endpoint: url.endpoint(),
            version: version.map(str::to_owned),
            name,
            given: text.split(['?', '#']).next().unwrap_or_default().to_owned(),
            key: url.field("key").map(ApiKey::new),
            has_parent: false,
        };
        Ok(match url.field("parentId").filter(|_| plain.name.starts_with("locations/")) {
            Some(parent) => plain.in_organization(&parent),
            None => plain,
        })
    }

    /// Returns the same with a name that has the organization in it. The
    /// fleet-wide operations of Compute Engine have it in the query,
    /// `?parentId=organizations/7`.
    fn in_organization(self, parent: &str) -> Self {
        let id = parent.trim_start_matches("organizations/");
        let name = format!("organizations/{id}/{}", self.name);
        let given = match &self.version {
            Some(version) => format!("{}/{version}/{name}", self.endpoint),
            None => format!("//{}/{name}", self.endpoint),
        };
        Self { name, given, has_parent: true, ..self }
    }

    /// Returns whether this is the same host and port as `endpoint`, given in
    /// any of its forms.
    pub(crate) fn is_at(&self, endpoint: &str) -> bool {
        origin(&self.endpoint) == origin(endpoint)
    }

    /// Returns whether credentials may be sent there: one of Google's hosts
    /// over https, one of the user's cloud (`universe`), or this machine.
    ///
    /// A name that merely ends in the same letters, such as
    /// `evilgoogleapis.com`, is not trusted: the dot counts.
    pub(crate) fn is_trusted(&self, universe: Option<&str>) -> bool {
        let (scheme, authority) = origin(&self.endpoint);
        let host = authority.strip_suffix(":443").unwrap_or(&authority);
        let domains = ["googleapis.com"].into_iter().chain(universe.filter(|domain| !domain.is_empty()));
        let mut domains = domains.filter(|_| scheme == "https");
        domains.any(|domain| host.strip_suffix(domain).is_some_and(|front| front.ends_with('.')))
            || is_loopback(host)
    }
}

/// Returns scheme and authority, in lower case; `https` if there is no scheme.
pub(crate) fn origin(endpoint: &str) -> (String, String) {
    let (scheme, rest) = endpoint.split_once("://").unwrap_or(("https", endpoint));
    let authority = rest.split('/').next().unwrap_or_default();
    (scheme.to_ascii_lowercase(), authority.to_ascii_lowercase())
}

/// Returns whether a text starts with a host and has a version in its path. The
/// first segment of a name is a plain word.
fn has_host(text: &str) -> bool {
    let Some((host, path)) = text.split_once('/') else { return false };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte);
    let is_host = host == "localhost" || host.contains(['.', ':']) && host.bytes().all(plain);
    is_host && split_version(path).is_some()
}

/// Splits a path behind the first segment that is a version: `v1`, `v2beta1`,
/// `v1p1beta1`, and the words of Compute Engine and Deployment Manager behind
/// the name of the service.
fn split_version(path: &str) -> Option<(&str, &str)> {
    let (mut at, mut before) = (0, "");
    for segment in path.split('/') {
        let end = at + segment.len();
        let is_stage = STAGES.contains(&segment) && at == before.len() + 1 && WITH_STAGES.contains(&before);
        if is_version(segment) || is_stage {
            return Some((&path[..end], path.get(end + 1..)?));
        }
        (at, before) = (end + 1, segment);
    }
    None
}

/// Versions that are words, and the services that have them.
const STAGES: [&str; 3] = ["alpha", "beta", "preview"];
const WITH_STAGES: [&str; 2] = ["compute", "deploymentmanager"];

/// Returns whether a segment is `v` and a number, perhaps with more letters and
/// numbers.
fn is_version(segment: &str) -> bool {
    let number = segment.strip_prefix('v').unwrap_or_default();
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// Decodes a name of several segments as a server does: an escaped `/` stays
/// escaped (google/api/http.proto). IAM has such names,
/// `policies/cloudresourcemanager.googleapis.com%2Fprojects%2F7/denypolicies/p/operations/o`.
fn decode_name(text: &str) -> Option<String> {
    decode(&text.replace("%2F", "%252F").replace("%2f", "%252f"))
}

/// Decodes percent-encoding; none if an escape is invalid, or if the result is
/// not UTF-8.
fn decode(text: &str) -> Option<String> {
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    text.split('%').skip(1).all(is_escape).then(|| decoded.into_owned())
}

/// A URL for a message: without user and password, and without a query, which
/// may hold a key.
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
        let url = OperationUrl::parse(text, version).ok()?;
        Some([url.endpoint, url.version.unwrap_or_default(), url.name])
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
            (
                "Compute, beta",
                "https://compute.googleapis.com/compute/beta/projects/p/zones/z/operations/1",
                None,
                "compute/beta",
                "projects/p/zones/z/operations/1",
            ),
            (
                "Deployment Manager, alpha",
                "https://www.googleapis.com/deploymentmanager/alpha/projects/p/global/operations/1",
                None,
                "deploymentmanager/alpha",
                "projects/p/global/operations/1",
            ),
            ("no version", "https://x.googleapis.com/operations/1", None, "", "operations/1"),
            ("a word is none", "https://x.googleapis.com/beta/operations/1", None, "", "beta/operations/1"),
            (
                "version by option alone",
                "https://x.googleapis.com/operations/1",
                Some("v2"),
                "v2",
                "operations/1",
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
            (
                "an escaped slash",
                "https://iam.googleapis.com/v2/policies/a%2Fp%2f7/denypolicies/p%20q/operations/1",
                None,
                "v2",
                "policies/a%2Fp%2f7/denypolicies/p q/operations/1",
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
    fn the_scheme_may_be_missing() {
        let name = "projects/p/operations/1";
        let rows = [
            ("run.googleapis.com/v2/projects/p/operations/1", None, "run.googleapis.com", "v2"),
            ("//run.googleapis.com/v2/projects/p/operations/1", None, "run.googleapis.com", "v2"),
            ("//run.googleapis.com/projects/p/operations/1", None, "run.googleapis.com", ""),
            ("//run.googleapis.com/projects/p/operations/1", Some("v2"), "run.googleapis.com", "v2"),
            ("//x.googleapis.com/a/v1/projects/p/operations/1", Some("a/v1"), "x.googleapis.com", "a/v1"),
            ("localhost:8080/v1/projects/p/operations/1", None, "localhost:8080", "v1"),
            ("[::1]:8080/v1/projects/p/operations/1", None, "[::1]:8080", "v1"),
            (
                "compute.googleapis.com/compute/v1/projects/p/operations/1",
                None,
                "compute.googleapis.com",
                "compute/v1",
            ),
            (
                "compute.googleapis.com/compute/beta/projects/p/operations/1",
                None,
                "compute.googleapis.com",
                "compute/beta",
            ),
        ];
        for (text, option, endpoint, version) in rows {
            assert!(is_url(text), "{text}");
            let found = parts(text, option).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found.each_ref().map(String::as_str), [endpoint, version, name], "{text}");
        }
        let names = [
            "operations/1",
            "projects/p/operations/v1",
            "projects/example.com:p/operations/1",
            "projects/p/v1/operations/1",
            "1234567890",
            "run.googleapis.com",
            "run.googleapis.com/operations/1",
            "a b.c/v1/operations/1",
        ];
        assert!(!names.into_iter().any(is_url));
    }

    #[test]
    fn the_organization_of_compute_engine_is_in_the_query() {
        let url = "https://compute.googleapis.com/compute/v1/locations/global/operations/o";
        for parent in ["7", "organizations/7", "organizations%2F7"] {
            let parsed = OperationUrl::parse(&format!("{url}?parentId={parent}&key=a"), None).unwrap();
            let name = "organizations/7/locations/global/operations/o";
            assert_eq!((parsed.name.as_str(), parsed.has_parent), (name, true), "{parent}");
            assert_eq!(parsed.given, format!("https://compute.googleapis.com/compute/v1/{name}"));
        }
        assert!(!OperationUrl::parse(url, None).unwrap().has_parent);
    }

    #[test]
    fn the_key_is_taken_out_of_a_url() {
        let key = |text: &str| OperationUrl::parse(text, None).unwrap().key;
        let url = "https://x.googleapis.com/v1/operations/1";
        let rows = [
            ("?key=CANARY-1", Some("CANARY-1")),
            ("?alt=json&key=a%2Bb&key=c#key=d", Some("a+b")),
            ("?key=", None),
            ("?monkey=a&keys=b", None),
            ("#?key=a", None),
            ("", None),
        ];
        for (query, expected) in rows {
            let found = key(&format!("{url}{query}"));
            assert_eq!(found.as_ref().map(ApiKey::expose), expected, "{query}");
        }
        let parsed = OperationUrl::parse(&format!("{url}?key=CANARY-1"), None).unwrap();
        assert_eq!(parsed.given, url);
        assert!(!format!("{parsed:?}").contains("CANARY"));
    }

    #[test]
    fn other_urls_are_refused() {
        let rows = [
            ("no path", "https://x.googleapis.com", None),
            ("a version and no name", "https://x.googleapis.com/v1", None),
            ("a version by option, and no name", "https://x.googleapis.com/v1", Some("v1")),
            ("another version", "https://x.googleapis.com/v1/operations/1", Some("v2")),
            ("a user", "https://a:CANARY@x.googleapis.com/v1/operations/1", None),
            ("bad encoding", "https://x.googleapis.com/v1/operations/%4", None),
            ("half an escape", "https://x.googleapis.com/v1/operations/%4%41", None),
            ("no text", "https://x.googleapis.com/v1/operations/%ff", None),
            ("a key and no path", "https://x.googleapis.com?key=CANARY", None),
            ("a key and no version", "x.googleapis.com/operations/1?key=CANARY", Some("v1")),
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
            ("http://[::1]", true),
            ("run.googleapis.com", true),
            ("//run.googleapis.com", true),
            ("googleapis.com.evil.example", false),
            ("//evilgoogleapis.com", false),
            ("localhost:8080", true),
        ];
        for (endpoint, trusted) in rows {
            let url = OperationUrl::parse(&format!("{endpoint}/v1/operations/1"), None).unwrap();
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
