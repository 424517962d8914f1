//! URLs of operations, as users paste them in place of names.
//!
//! Extended operations carry a `selfLink`, and consoles and logs show URLs.
//! [`OperationLink`] splits such a URL into the three things that the rest of
//! the crate works with:
//!
//! ```text
//! https://www.googleapis.com/compute/v1/projects/p/zones/z/operations/o?alt=json
//! └──────── endpoint ──────┘ └ version ┘└────────────── name ────────────┘
//! ```
//!
//! The parts go separate ways. The name and the version become a request of the
//! client, to the endpoint of the client. The endpoint of the URL is only
//! compared with that of the client ([`is_of`](OperationLink::is_of)): a
//! request with credentials never goes to a host that came in with a name.
//!
//! Links of responses (`targetLink`, `selfLink` as metadata) are read by
//! `types::resource_link`, which this module uses for the path.

use std::fmt;

use crate::pending::same_endpoint;
use crate::types::resource_link;
use crate::util::excerpt::shown;
use crate::util::percent::decode_path;
use crate::util::redact::Masked;
use crate::util::url::UrlParts;

/// The parts of a URL such as a `selfLink`.
///
/// It is made from the text that a user gave as the name of an operation, and
/// lives until a client takes the operation. No request is sent to its host.
#[derive(Clone, PartialEq)]
pub(crate) struct OperationLink {
    /// Scheme and authority as they were written, which may include a user and
    /// a password: `https://compute.googleapis.com`.
    pub(crate) endpoint: String,
    /// The path in front of the name: `compute/v1`, `v2`. `None` if the name
    /// follows the host at once, as with emulators.
    pub(crate) version: Option<String>,
    /// The decoded name of the operation, without the query. An escaped slash
    /// stays escaped, because it is part of a segment.
    pub(crate) name: String,
}

impl OperationLink {
    /// Splits a URL.
    ///
    /// Returns `None` for a text that is no `http` or `https` URL, and so is a
    /// name; and for a URL whose path is missing or not plain (empty segments,
    /// `.`, `..`, backslashes, invalid escapes).
    ///
    /// ```text
    /// http://localhost:8080/operations/42         endpoint http://localhost:8080, no version, operations/42
    /// https://run.googleapis.com/v2/projects/p/…  version v2, projects/p/…
    /// operations/42                               None
    /// https://host                                None
    /// ```
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_http = |text: &str, scheme: &str| {
            text.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))
        };
        // Schemes are case-insensitive (RFC 3986 section 3.1). The scheme has
        // to be at the start: a name may contain `https://` further on.
        if !is_http(text, "https://") && !is_http(text, "http://") {
            return None;
        }
        let url = UrlParts::split(text)?;
        let name = text.get(resource_link::path_of(text)?)?;
        let path = url.target.strip_prefix('/')?;
        let version = resource_link::version_prefix(path).map(str::to_owned);
        Some(Self {
            endpoint: format!("{}://{}", url.scheme, url.authority),
            version,
            name: with_organization(&decode_path(name), url.target),
        })
    }

    /// Returns whether the URL belongs to the service at `endpoint`: to its
    /// host, or to another host that Google has for the same service.
    ///
    /// `www.googleapis.com` is the older host of Compute Engine and others,
    /// whose paths name the service (`compute/v1`). Regional hosts
    /// (`compute.us-east1.rep.googleapis.com`) have the same operations as the
    /// global one.
    ///
    /// ```text
    /// endpoint https://compute.googleapis.com:
    /// https://www.googleapis.com/compute/v1/…   true
    /// https://www.googleapis.com/sql/v1beta4/…  false
    /// https://evil.example/compute/v1/…         false
    /// ```
    pub(crate) fn is_of(&self, endpoint: &str) -> bool {
        if same_endpoint(&self.endpoint) == same_endpoint(endpoint) {
            return true;
        }
        // `www.googleapis.com` stands for all services, on either side of the
        // comparison. The path of the link says which one it is.
        let word = self.version.as_deref().and_then(|version| version.split_once('/')).map(|(word, _)| word);
        let service_at = |endpoint: &str| match host(endpoint)?.as_str() {
            WWW => word.map(|word| service_of_word(word).to_owned()),
            host => service(host).map(str::to_owned),
        };
        let its_service = service_at(&self.endpoint);
        // Two unknown services are not the same one.
        its_service.is_some() && its_service == service_at(endpoint)
    }
}

/// Prints no password, and redacts what may be a secret that was given in place
/// of a name.
impl fmt::Debug for OperationLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.endpoint.rsplit_once('@').map(|(_, host)| format!("…@{host}"));
        f.debug_struct("OperationLink")
            .field("endpoint", &shown(host.as_deref().unwrap_or(&self.endpoint)))
            .field("version", &Masked(&self.version))
            .field("name", &Masked(&self.name))
            .finish()
    }
}

/// Returns the host of an `https` URL with the default port; `None` for any
/// other scheme, port or path, and for a URL with a user.
///
/// Only such hosts are compared by service: the same name on another port or
/// without TLS is not the service.
fn host(endpoint: &str) -> Option<String> {
    let endpoint = same_endpoint(endpoint);
    let host = endpoint.strip_prefix("https://")?;
    (!host.contains(['@', ':', '/'])).then(|| host.to_owned())
}

/// Returns the service that a host of Google's names in its first label.
///
/// ```text
/// compute.googleapis.com               compute
/// compute.us-east1.rep.googleapis.com  compute
/// us-run.googleapis.com                us-run
/// a.b.googleapis.com                   None
/// googleapis.com.evil.example          None
/// ```
fn service(host: &str) -> Option<&str> {
    let labels = host.strip_suffix(".googleapis.com")?;
    match labels.split_once('.') {
        Some((service, region)) => region.ends_with(".rep").then_some(service),
        None => Some(labels),
    }
}

/// Returns the first label of the host of a service, for the word by which
/// paths of `www.googleapis.com` name it. They differ for Cloud SQL only.
fn service_of_word(word: &str) -> &str {
    if word == "sql" { "sqladmin" } else { word }
}

/// Puts the organization of a `parentId` parameter in front of a name that has
/// none.
///
/// Operations of Compute Engine that belong to an organization have URLs whose
/// path starts with `locations/`; the organization is in the query.
///
/// ```text
/// locations/global/operations/o with parentId=organizations%2F7 becomes
/// organizations/7/locations/global/operations/o
/// ```
fn with_organization(name: &str, target: &str) -> String {
    // Only this parameter is needed, so the query is not decoded as a whole.
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let parent = query.split(['&', '#']).find_map(|pair| pair.strip_prefix("parentId="));
    let id = parent.map(|parent| parent.replace("%2F", "/").replace("%2f", "/"));
    match id.as_deref().and_then(|id| id.strip_prefix("organizations/")) {
        Some(id) if name.starts_with("locations/") => format!("organizations/{id}/{name}"),
        _ => name.to_owned(),
    }
}

/// The host that many Google services share.
const WWW: &str = "www.googleapis.com";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_links() {
        let rows = [
            (
                "https://www.googleapis.com/compute/v1/projects/p/zones/z/operations/o",
                Some(("https://www.googleapis.com", Some("compute/v1"), "projects/p/zones/z/operations/o")),
            ),
            (
                "HTTPS://run.googleapis.com/v2/projects/p/locations/l/operations/o?alt=json",
                Some(("HTTPS://run.googleapis.com", Some("v2"), "projects/p/locations/l/operations/o")),
            ),
            (
                "https://compute.googleapis.com/compute/v1/locations/global/operations/o?x=y&parentId=organizations%2F7",
                Some((
                    "https://compute.googleapis.com",
                    Some("compute/v1"),
                    "organizations/7/locations/global/operations/o",
                )),
            ),
            ("http://localhost:8080/operations/42", Some(("http://localhost:8080", None, "operations/42"))),
            ("https://host", None),
            ("https://host/v1/a/%2e%2e/b", None),
            (
                "https://iam.googleapis.com/v2/policies/x%2Fprojects%2fp/denypolicies/d%20e/operations/o",
                Some((
                    "https://iam.googleapis.com",
                    Some("v2"),
                    "policies/x%2Fprojects%2fp/denypolicies/d e/operations/o",
                )),
            ),
            ("operations/https://x", None),
            ("ftp://host/operations/42", None),
            ("h\u{e9}https://x", None),
        ];
        for (text, expected) in rows {
            let link = OperationLink::parse(text);
            let parts = link.as_ref().map(|link| (&*link.endpoint, link.version.as_deref(), &*link.name));
            assert_eq!(parts, expected, "{text}");
        }
    }

    #[test]
    fn users_and_passwords_are_not_printed() {
        for user in ["user:pass-7", "pass-7"] {
            let link = OperationLink::parse(&format!("https://{user}@host/v1/operations/o")).unwrap();
            let shown = format!("{link:?}");
            assert!(shown.contains("host") && !shown.contains("pass-7"), "{shown}");
        }
    }

    #[test]
    fn hosts_of_one_service() {
        let compute = "https://www.googleapis.com/compute/v1/projects/p/global/operations/o";
        let sql = "https://www.googleapis.com/sql/v1beta4/projects/p/operations/o";
        let regional =
            "https://compute.us-east1.rep.googleapis.com/compute/v1/projects/p/global/operations/o";
        let rows = [
            (compute, "https://compute.googleapis.com", true),
            (compute, "compute.googleapis.com:443", true),
            (compute, "https://compute.mtls.googleapis.com", true),
            (compute, "https://www.googleapis.com", true),
            (compute, "https://sqladmin.googleapis.com", false),
            (compute, "http://localhost:8080", false),
            (compute, "https://compute.googleapis.com.evil.example", false),
            (sql, "https://sqladmin.googleapis.com", true),
            (regional, "https://compute.googleapis.com", true),
            (regional, "https://www.googleapis.com", true),
            ("https://run.googleapis.com/v2/projects/p/operations/o", "https://run.googleapis.com", true),
            ("https://run.googleapis.com/v2/projects/p/operations/o", "https://us-run.googleapis.com", false),
            ("https://evil.example/v2/projects/p/operations/o", "https://run.googleapis.com", false),
            ("http://run.googleapis.com/v2/projects/p/operations/o", "https://run.googleapis.com", false),
            ("https://run.googleapis.com@evil.example/v2/operations/o", "https://run.googleapis.com", false),
            ("http://localhost:8080/operations/o", "http://localhost:8080", true),
            ("http://localhost:8080/operations/o", "http://localhost:8081", false),
        ];
        for (link, endpoint, expected) in rows {
            let link = OperationLink::parse(link).expect(link);
            assert_eq!(link.is_of(endpoint), expected, "{link:?} {endpoint}");
        }
    }
}
