//! The OAuth scopes of a token, as text.

/// Returns the scopes of the client, joined by spaces, or the default one.
pub(super) fn scope_of(scopes: &[String]) -> String {
    let joined = join(scopes);
    if joined.is_empty() { CLOUD_PLATFORM.to_owned() } else { joined }
}

/// Joins scopes by spaces, without empty ones (RFC 6749 section 3.3).
pub(super) fn join<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> String {
    let mut joined = String::new();
    for scope in scopes {
        let gap = if joined.is_empty() || scope.as_ref().is_empty() { "" } else { " " };
        joined.push_str(gap);
        joined.push_str(scope.as_ref());
    }
    joined
}

/// The default scope, which allows all of Google Cloud; IAM decides what the
/// account may do.
pub(super) const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
