//! The paths of starts: what a program may give, and what is sent.
//!
//! A path comes from the program, often with text of its users in it. It is
//! sent as it is written, or refused; it is never normalised, because a server
//! may normalise in another way. So what cannot lead elsewhere in any reading
//! passes.

use crate::error::Error;
use crate::name::check_segment;
use crate::util::excerpt::shown_name;
use crate::util::percent::{decode, encode_invalid, escapes_are_valid};
use crate::util::url::is_version;

/// Returns the path of a REST request as it is sent: percent-escapes are kept,
/// and characters that cannot be in a URL are encoded.
///
/// ```text
/// /v2/projects/p/jobs/j:run     as it is
/// /v2/a%2Fb                     as it is
/// /v1/a b/é                     /v1/a%20b/%C3%A9
/// /v2/../v1/x   /v2/%2e%2e/x    an error: could lead to another resource
/// /v2/x?y=z     /v2/x#y         an error: the query is given by itself
/// ```
///
/// # Errors
///
/// `Binding`, with the path, redacted if it may be a secret.
pub(super) fn rest_path(path: &str) -> Result<String, Error> {
    let refuse = |why: &str| Err(refused(path, why));
    let Some(segments) = path.strip_prefix('/') else {
        return refuse("does not start with `/`: expected one like `/v2/projects/p/locations/l/jobs/j:run`");
    };
    if path.contains('?') {
        return refuse("has a query: use `.query(name, value)`");
    }
    if path.contains('#') {
        return refuse("has a fragment");
    }
    // Encoded after the check, which sees what the program has written.
    match segments.split('/').try_for_each(check) {
        Ok(()) => Ok(encode_invalid(path)),
        Err(why) => refuse(why),
    }
}

/// Checks a segment as it is written, and as a server reads it. An escaped `/`
/// inside of it starts another segment in some servers, which [`check_segment`]
/// takes into account.
fn check(segment: &str) -> Result<(), &'static str> {
    if !escapes_are_valid(segment) {
        return Err("has a `%` without two hexadecimal digits behind it");
    }
    // Checked in both forms: a proxy may decode before it chooses a route, and
    // a service decodes afterwards.
    let decoded = decode(segment);
    if decoded.contains('\\') {
        return Err("has a backslash");
    }
    check_segment(segment).and_then(|()| check_segment(&decoded))
}

/// Returns the path of a gRPC method that is given as `package.Service/Method`.
///
/// # Errors
///
/// `Binding` for anything else, such as the path of a REST request.
#[cfg(feature = "grpc")]
pub(super) fn grpc_path(path: &str) -> Result<String, Error> {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match path.split_once('/') {
        Some((service, method)) if is_word(method) && service.split('.').all(is_word) => {
            Ok(format!("/{path}"))
        }
        _ => Err(refused(path, "is no gRPC method: expected one like `google.cloud.run.v2.Jobs/RunJob`")),
    }
}

/// Returns the error for a path of which no request is made.
fn refused(path: &str, why: &str) -> Error {
    Error::bad_path(format!("path `{}` {why}", shown_name(path)))
}

/// Returns the version that a REST path begins with: the segments up to the
/// first one that looks like a version.
///
/// Pub/Sub Lite has its operations below `v1/admin` too.
///
/// ```text
/// /v2/projects/p                 v2
/// /compute/v1/projects/p         compute/v1
/// /compute/beta/projects/p       compute/beta
/// /v1/admin/projects/p           v1/admin
/// /projects/p/locations/v1       None: an id that looks like a version
/// ```
pub(crate) fn version_of(path: &str) -> Option<&str> {
    let path = path.strip_prefix('/')?;
    let mut end = 0;
    for (place, segment) in path.split('/').take(MOST_SEGMENTS).enumerate() {
        end += segment.len() + usize::from(place > 0);
        // `alpha` and `beta` are versions of Compute Engine, whose paths begin
        // with `compute`. As the first segment they would be a name.
        if is_version(segment) || place > 0 && matches!(segment, "alpha" | "beta") {
            let behind = path.get(end..).unwrap_or_default();
            end += if behind.starts_with(ADMIN) { ADMIN.len() - 1 } else { 0 };
            return path.get(..end).filter(|version| version.bytes().all(is_plain));
        }
    }
    None
}

/// Returns whether a byte can be in a version, which becomes a part of
/// templates.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._".contains(&byte)
}

/// The path segment of Pub/Sub Lite after its version.
const ADMIN: &str = "/admin/";

/// The number of segments in which a version is looked for. Behind them, a
/// segment is the name of something.
const MOST_SEGMENTS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_sent_as_they_are_written() {
        let rows = [
            ("/v2/projects/p/locations/l/jobs/j:run", None),
            ("/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fp/denypolicies/d", None),
            ("/v1/projects/p/databases/(default)/documents:x", None),
            ("/v1/a%2fb%20c/~d!$&'()*+,;=:@e", None),
            ("/v1/a b/é/{x}", Some("/v1/a%20b/%C3%A9/%7Bx%7D")),
            ("/v1/...", None),
            ("/v1/%2e%2e%2e", None),
        ];
        for (path, sent) in rows {
            assert_eq!(rest_path(path).unwrap(), sent.unwrap_or(path));
        }
    }

    #[test]
    fn paths_that_could_lead_elsewhere_are_refused() {
        let rows = [
            ("", "does not start with `/`"),
            ("v2/x", "does not start with `/`"),
            ("https://run.googleapis.com/v2/x", "does not start with `/`"),
            ("google.cloud.run.v2.Jobs/RunJob", "does not start with `/`"),
            ("/", "empty segment"),
            ("/v2//x", "empty segment"),
            ("/v2/x/", "empty segment"),
            ("//host/x", "empty segment"),
            ("/v2/.", "`.` or `..`"),
            ("/v2/../v1/x", "`.` or `..`"),
            ("/v2/%2e%2E/x", "`.` or `..`"),
            ("/v2/.%2e/x", "`.` or `..`"),
            ("/v2/a%2F..%2Fb", "`.` or `..`"),
            ("/v2/%252e%252e/x", "`.` or `..`"),
            ("/v2/a\\b", "backslash"),
            ("/v2/a%5Cb", "backslash"),
            ("/v2/a\nb", "control character"),
            ("/v2/a%0d%0Ab", "control character"),
            ("/v2/a%7Fb", "control character"),
            ("/v2/a%00", "control character"),
            ("/v2/x?serviceId=s", "query"),
            ("/v2/x#y", "fragment"),
            ("/v2/100%", "hexadecimal"),
            ("/v2/%zz", "hexadecimal"),
            ("/v2/%é", "hexadecimal"),
        ];
        for (path, why) in rows {
            let error = rest_path(path).expect_err(path);
            assert_eq!(error.kind(), crate::ErrorKind::Binding, "{path}");
            assert!(error.to_string().contains(why), "{path}: {error}");
        }
    }

    #[cfg(feature = "grpc")]
    #[test]
    fn methods_of_grpc() {
        assert_eq!(grpc_path("google.cloud.run.v2.Jobs/RunJob").unwrap(), "/google.cloud.run.v2.Jobs/RunJob");
        for path in ["", "/v2/projects/p", "RunJob", "a.B/", "/B", "a..B/C", "a.B/C/D", "a.B/C?x", "a b/C"] {
            assert_eq!(grpc_path(path).expect_err(path).kind(), crate::ErrorKind::Binding);
        }
    }

    #[test]
    fn versions_are_at_the_beginning() {
        let rows = [
            ("/v2/projects/p", Some("v2")),
            ("/v1beta1/x", Some("v1beta1")),
            ("/v1p1beta1/x", Some("v1p1beta1")),
            ("/v1", Some("v1")),
            ("/v1/admin/projects/p", Some("v1/admin")),
            ("/v1/administrators/a", Some("v1")),
            ("/compute/v1/projects/p", Some("compute/v1")),
            ("/compute/beta/projects/p/zones/z/instances/v1", Some("compute/beta")),
            ("/sql/v1beta4/projects/p", Some("sql/v1beta4")),
            ("/dns/v1/projects/p", Some("dns/v1")),
            ("/storage/v1/b/v2", Some("storage/v1")),
            ("/deploymentmanager/v2/projects/p", Some("deploymentmanager/v2")),
            ("/apis/run.googleapis.com/v1/x", Some("apis/run.googleapis.com/v1")),
            ("/projects/p/locations/v1", None),
            ("/v/x", None),
            ("/vision/x", None),
            ("/v1:x/y", None),
            ("/a%2F/v1/x", None),
            ("google.cloud.run.v2.Jobs/RunJob", None),
            ("/alpha/x", None),
        ];
        for (path, version) in rows {
            assert_eq!(version_of(path), version, "{path}");
        }
    }
}
