//! What is printed of a header, and of other values that the user gave.

use longrunning::http::is_sensitive;
use longrunning::printing::{suspicion, suspicion_of_name};

/// The value of a header, or a word in its place.
pub(crate) fn value<'a>(name: &str, value: &'a str) -> &'a str {
    if is_sensitive(name) || is_secret(value) { REDACTED } else { value }
}

/// The value of an option, or a word in its place if it may be a secret.
pub(crate) fn value_for_display(value: &str) -> String {
    if is_secret(value) { REDACTED.to_owned() } else { value.to_owned() }
}

/// The name or URL of an operation, or a word in its place if it may be a secret.
pub(crate) fn name_for_display(name: &str) -> String {
    if suspicion_of_name(name).is_some() { REDACTED.to_owned() } else { name.to_owned() }
}

/// `Name: value` as the user gave it, without a value that may be secret.
pub(crate) fn header_for_display(header: &str) -> String {
    match header.split_once(':') {
        Some((name, _)) if suspicion(name).is_some() => REDACTED.to_owned(),
        Some((name, value)) if is_sensitive(name) || is_secret(value.trim()) => {
            format!("{name}: {REDACTED}")
        }
        Some(_) => header.to_owned(),
        // The start of something: a secret in front of its colon, for all one knows.
        None => REDACTED.to_owned(),
    }
}

/// Whether a value looks like a key or a token, or is a URL with a password.
fn is_secret(value: &str) -> bool {
    let authority =
        value.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let has_password = authority
        .is_some_and(|authority| authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')));
    has_password || suspicion(value).is_some()
}

const REDACTED: &str = "[redacted]";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_repeated() {
        for value in
            ["ya29.abcdefgh", "https://user:secret@example.com/x", "AIzaSyA1234567890123456789012345678901"]
        {
            assert_eq!(value_for_display(value), REDACTED, "{value}");
            assert_eq!(header_for_display(&format!("x-a: {value}")), "x-a: [redacted]", "{value}");
        }
        for value in ["billing-project", "https://example.com:8443/a@b:c", "done = false"] {
            assert_eq!(value_for_display(value), value);
        }
    }
}
