//! Which headers are never printed.

use std::fmt;

use crate::util::redact::redacted;

/// Prints headers as a map, without the values that may be secret.
pub(super) struct RedactedHeaders<I>(pub(super) I);

impl<'a, I: Iterator<Item = (&'a str, &'a str)> + Clone> fmt::Debug for RedactedHeaders<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The other values are redacted too: a secret may be in a header with a
        // harmless name.
        let shown =
            |(name, value)| (name, if is_sensitive(name) { "[redacted]".into() } else { redacted(value) });
        f.debug_map().entries(self.0.clone().map(shown)).finish()
    }
}

/// Returns whether the values of a header may be secret and must not be
/// printed.
///
/// The name decides, by the words in it, so that `x-goog-api-key`,
/// `proxy-authorization` and a header of your own are covered. Case does not
/// matter. Every `Debug` of this module uses it; use it in an
/// [`HttpClient`](super::HttpClient) that logs.
///
/// ```
/// use longrunning::http::is_sensitive;
///
/// assert!(is_sensitive("Authorization") && is_sensitive("x-my-token"));
/// assert!(!is_sensitive("x-goog-user-project"));
/// ```
pub fn is_sensitive(name: &str) -> bool {
    if PLAIN.contains(&name) {
        return false;
    }
    let name = name.as_bytes();
    // Without a copy in lower case: this runs for each header of each request.
    let contains = |part: &[u8]| name.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part));
    PARTS.iter().any(|part| contains(part))
}

/// Headers of nearly every request, for which the search would only take time.
const PLAIN: [&str; 6] = [
    "user-agent",
    "x-goog-api-client",
    "x-goog-request-params",
    "accept",
    "content-type",
    "x-goog-user-project",
];

/// The words that make a header sensitive. More headers match than have secrets
/// (`author`), which costs a value in the log and no more.
const PARTS: [&[u8]; 7] = [b"auth", b"cookie", b"key", b"password", b"secret", b"signature", b"token"];

#[cfg(test)]
mod tests {
    use super::{PARTS, PLAIN, is_sensitive};

    #[test]
    fn parts_of_names_are_found_whatever_their_case() {
        for name in
            ["authorization", "X-AUTH", "Set-Cookie", "x-goog-api-KEY", "xPassWordx", "a-secret", "ToKeN"]
        {
            assert!(is_sensitive(name), "{name}");
        }
        for name in ["", "k", "user-agent", "x-goog-user-project", "content-type", "aut-h", "toke"] {
            assert!(!is_sensitive(name), "{name}");
        }
        let has_part = |name: &str| PARTS.iter().any(|part| name.contains(str::from_utf8(part).unwrap()));
        assert!(!PLAIN.iter().any(|name| has_part(name)));
    }
}
