//! What is printed of a header, and of other values that the user gave.

use longrunning::http::is_sensitive;
use longrunning::printing::{suspicion, suspicion_of_name};

/// The value of a header, or a word in its place.
pub(crate) fn value<'a>(name: &str, value: &'a str) -> &'a str {
    if is_sensitive(name) || suspicion(value).is_some() { REDACTED } else { value }
}

/// The value of an option, or a word in its place if it may be a secret.
pub(crate) fn value_for_display(value: &str) -> String {
    if suspicion(value).is_some() { REDACTED.to_owned() } else { value.to_owned() }
}

/// The name or URL of an operation, or a word in its place if it may be a secret.
pub(crate) fn name_for_display(name: &str) -> String {
    if suspicion_of_name(name).is_some() { REDACTED.to_owned() } else { name.to_owned() }
}

/// `Name: value` as the user gave it, without a value that may be secret.
pub(crate) fn header_for_display(header: &str) -> String {
    match header.split_once(':') {
        Some((name, _)) if suspicion(name).is_some() => REDACTED.to_owned(),
        Some((name, value)) if is_sensitive(name) || suspicion(value).is_some() => {
            format!("{name}: {REDACTED}")
        }
        Some(_) => header.to_owned(),
        // The start of something: a secret in front of its colon, for all one knows.
        None => REDACTED.to_owned(),
    }
}

const REDACTED: &str = "[redacted]";
