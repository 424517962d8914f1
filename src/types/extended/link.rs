//! From the URL of an operation to the name by which it can be polled.
//!
//! ```text
//! https://www.googleapis.com/compute/v1/projects/p/zones/z/operations/o?alt=json
//!                            ^^^^^^^^^^ version  ^^^^^^^^^^^^^^^^^^ collection
//!                                       projects/p/zones/z/operations/o   name
//! ```
//!
//! Links come from a server, and the name becomes a part of the next URL. So a
//! path with `.` or `..`, empty segments or a backslash is no name: a request
//! must not leave the collection. The host of a link is ignored, because
//! credentials go only to the endpoint of the client.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::RawJson;
use crate::util::percent::{decode_path, escapes_are_valid};
use crate::util::url::is_version;

/// Finds the resource path in a URL: `projects/p/zones/z/operations/o` in
/// `https://www.googleapis.com/compute/v1/projects/p/zones/z/operations/o`.
///
/// The host is not looked at, since nothing is sent to it. The path has
/// percent-escapes as they are written: [`decode_path`] reads them.
pub(crate) fn path_of(url: &str) -> Option<Range<usize>> {
    // The first slash behind the host starts the path.
    let start = url.find("://")? + 3;
    let start = start + url.get(start..)?.find('/')? + 1;
    let rest = url.get(start..)?;
    // Query and fragment are not a part of the name.
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let skipped = version_prefix(path).map_or(0, |prefix| prefix.len() + 1);
    let range = start + skipped..start + path.len();
    // A name becomes a part of a URL: it must not lead anywhere else than to
    // the operation.
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\\');
    let is_path = escapes_are_valid(path) && decode_path(path).split('/').all(is_plain);
    (is_path && !range.is_empty()).then_some(range)
}

/// Returns the part of a path in front of the resource: `compute/v1`, `v1`,
/// `sql/v1beta4`.
pub(crate) fn version_prefix(path: &str) -> Option<&str> {
    let (first, rest) = path.split_once('/')?;
    if is_version_or_stage(first) {
        return Some(first);
    }
    let (second, _) = rest.split_once('/')?;
    (SERVICES.contains(&first) && is_version_or_stage(second))
        .then(|| &path[..first.len() + 1 + second.len()])
}

/// Returns whether a path segment is a version of the API: those of Compute
/// Engine and others have words too.
fn is_version_or_stage(segment: &str) -> bool {
    is_version(segment) || matches!(segment, "alpha" | "beta" | "preview")
}

/// Returns whether a link leads to Deployment Manager, by its path or its host.
pub(super) fn is_of_deployment_manager(self_link: Option<RawJson<'_>>) -> bool {
    let link = self_link.and_then(|link| link.string().ok());
    let link: &str = link.as_deref().unwrap_or_default();
    link.contains("/deploymentmanager/") || link.contains("://deploymentmanager.")
}

/// Completes the bare name of an operation, by the scope or the project that
/// its other fields name; `None` if they name none.
pub(super) fn by_scope(
    scope: Option<Cow<'_, str>>,
    project: Option<Cow<'_, str>>,
    name: &str,
) -> Option<String> {
    let scope = scope.and_then(|url| url.get(path_of(&url)?).map(decode_path));
    let collection = scope.or_else(|| project.map(|project| format!("projects/{project}")))?;
    Some(format!("{collection}/operations/{name}"))
}

/// The first segment of paths in which the version is the second.
const SERVICES: [&str; 5] = ["compute", "sql", "dns", "deploymentmanager", "storage"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_urls() {
        let rows = [
            (
                "https://www.googleapis.com/compute/v1/projects/p/zones/z/operations/o",
                "projects/p/zones/z/operations/o",
            ),
            (
                "https://compute.googleapis.com/compute/beta/projects/p/global/operations/o?x=y#z",
                "projects/p/global/operations/o",
            ),
            ("https://sqladmin.googleapis.com/v1/projects/p/operations/o", "projects/p/operations/o"),
            (
                "https://sqladmin.googleapis.com/sql/v1beta4/projects/p/operations/o",
                "projects/p/operations/o",
            ),
            (
                "https://container.googleapis.com/v1alpha1/projects/7/zones/z/operations/o",
                "projects/7/zones/z/operations/o",
            ),
            ("https://www.googleapis.com/storage/v1/b/B/operations/o", "b/B/operations/o"),
            ("http://localhost:8080/operations/o", "operations/o"),
            ("projects/p/operations/o", ""),
            ("https://host", ""),
            ("https://host/", ""),
            ("https://host/v1/", ""),
            ("https://host/v1/projects/../operations/o", ""),
            ("https://host/v1/projects//operations/o", ""),
            ("https://host/v1/projects/%2e%2E/operations/o", ""),
            ("https://host/v1/projects/a%zz/operations/o", ""),
            ("https://host/v1/projects/a%2Fb%20c/operations/o", "projects/a%2Fb%20c/operations/o"),
        ];
        for (url, path) in rows {
            assert_eq!(path_of(url).map_or("", |range| &url[range]), path, "{url}");
        }
    }

    #[test]
    fn versions_in_front_of_a_path() {
        let rows = [
            ("compute/v1/projects/p", Some("compute/v1")),
            ("v1beta1/projects/p", Some("v1beta1")),
            ("alpha/projects/p", Some("alpha")),
            ("vms/projects/p", None),
            ("compute/instances/p", None),
            ("v1", None),
        ];
        for (path, prefix) in rows {
            assert_eq!(version_prefix(path), prefix, "{path}");
        }
    }
}
