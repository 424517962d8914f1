//! What is printed of a header.

use longrunning::http::is_sensitive;

/// The value of a header, or a word in its place.
pub(crate) fn value<'a>(name: &str, value: &'a str) -> &'a str {
    if is_sensitive(name) { REDACTED } else { value }
}

/// `Name: value` as the user gave it, without a value that may be secret.
pub(crate) fn header_for_display(header: &str) -> String {
    match header.split_once(':') {
        Some((name, _)) if is_sensitive(name) => format!("{name}: {REDACTED}"),
        Some(_) => header.to_owned(),
        // The start of something: a secret in front of its colon, for all one knows.
        None => REDACTED.to_owned(),
    }
}

const REDACTED: &str = "[redacted]";
