//! Text from outside, made safe to print: the functions by which this crate
//! escapes, shortens and redacts values in its own messages.
//!
//! Values end up in the wrong place: the contents of a key file where its path
//! is expected, a token as the name of an operation. The functions here bound
//! and escape a value for a message, and describe it instead if it may be a
//! secret. `lro` prints everything through them.
//!
//! | function | for | limit |
//! |---|---|---|
//! | [`shown`] | a URL, a host, the value of an option | 200 bytes |
//! | [`shown_name`] | the name of an operation | 200 bytes |
//! | [`shown_path`] | the path of a file | 1 KiB |
//! | [`redacted`] | text of several values, such as a command line | none |
//!
//! ```
//! use longrunning::printing::shown;
//!
//! assert_eq!(shown("run.googleapis.com"), "run.googleapis.com");
//! assert_eq!(shown(r#"{"private_key": "…"}"#), "[redacted: JSON]");
//! ```

use std::path::Path;

use crate::util::excerpt;
use crate::util::redact;

/// Returns a URL, a host or the value of an option for a message: at most 200
/// bytes, with control characters escaped.
///
/// ```
/// use longrunning::printing::shown;
///
/// assert_eq!(shown("a\u{1b}[2J"), r"a\u{1b}[2J");
/// ```
pub fn shown(value: &str) -> String {
    excerpt::shown(value)
}

/// Returns the name of an operation, or its URL, for a message, as [`shown`]
/// does for other values.
///
/// Segments of a name may be longer than those of a host.
///
/// ```
/// use longrunning::printing::shown_name;
///
/// assert_eq!(shown_name("operations/42"), "operations/42");
/// ```
pub fn shown_name(name: &str) -> String {
    excerpt::shown_name(name)
}

/// Returns the path of a file for a message: at most 1 KiB, with control
/// characters escaped.
///
/// ```
/// use longrunning::printing::shown_path;
///
/// assert_eq!(shown_path("/etc/key.json".as_ref()), "/etc/key.json");
/// ```
pub fn shown_path(path: &Path) -> String {
    // A path on Windows has backslashes, which are not escaped.
    excerpt::shown_path(path)
}

/// Returns what a value is if it cannot be a URL, a host or an option and may
/// be a secret: `JSON`, `an API key`.
///
/// Returns `None` for plausible values, also if they are wrong.
///
/// ```
/// use longrunning::printing::suspicion;
///
/// assert_eq!(suspicion("{\"private_key\": \"…\"}"), Some("JSON"));
/// assert_eq!(suspicion("run.googleapis.com"), None);
/// ```
pub fn suspicion(value: &str) -> Option<&'static str> {
    redact::suspicion(value)
}

/// Returns the same as [`suspicion`] for the name of an operation or its URL.
///
/// ```
/// use longrunning::printing::suspicion_of_name;
///
/// assert_eq!(suspicion_of_name("operations/42"), None);
/// ```
pub fn suspicion_of_name(name: &str) -> Option<&'static str> {
    redact::suspicion_of_name(name)
}

/// Returns the same as [`suspicion`] for the path of a file, which has one
/// line.
///
/// ```
/// use longrunning::printing::suspicion_of_path;
///
/// assert_eq!(suspicion_of_path("/etc/key.json".as_ref()), None);
/// ```
pub fn suspicion_of_path(path: &Path) -> Option<&'static str> {
    redact::suspicion_of_path(&path.to_string_lossy())
}

/// Returns `text` with every secret that is known by its form replaced by a
/// word, for text that is not one value.
///
/// ```
/// use longrunning::printing::redacted;
///
/// assert_eq!(redacted("nothing secret"), "nothing secret");
/// ```
pub fn redacted(text: &str) -> String {
    redact::redacted(text).into_owned()
}
