//! What is printed of a header, and of other values that the user gave.
//!
//! Three things are printed again that a user typed: names in results and
//! messages, options in the command that continues a wait, and headers in
//! `--dry-run`. Each may be a secret in the wrong place. The library recognises
//! keys and tokens by their form; headers are recognised by their names too.

use longrunning::http::is_sensitive;
use longrunning::printing::{suspicion, suspicion_of_name};

use crate::args::ShellKind;

/// Returns the value of a header, or `[redacted]` if its name or its form is
/// that of a secret.
pub(crate) fn value<'a>(name: &str, value: &'a str) -> &'a str {
    if is_sensitive(name) || is_secret(value) { REDACTED } else { value }
}

/// Returns the value of an option, or `[redacted]` if it may be a secret.
pub(crate) fn value_for_display(value: &str) -> String {
    if is_secret(value) { REDACTED.to_owned() } else { value.to_owned() }
}

/// Returns the name or URL of an operation, or `[redacted]` if it may be a
/// secret. Names have a rule of their own, because their segments may be long
/// and random.
pub(crate) fn name_for_display(name: &str) -> String {
    if suspicion_of_name(name).is_some() { REDACTED.to_owned() } else { name.to_owned() }
}

/// Returns an operation's name for a command line to continue with. One that
/// may be a secret is described, and the words say where the user gave it:
///
/// ```text
/// [redacted: an access token, NAME 2]
/// [redacted: JSON, a line of standard input]
/// ```
pub(crate) fn name_for_line(name: &str, given: &[String]) -> String {
    let Some(what) = suspicion_of_name(name) else { return name.to_owned() };
    match given.iter().position(|each| each == name) {
        Some(index) => format!("[redacted: {what}, NAME {}]", index + 1),
        None => format!("[redacted: {what}, a line of standard input]"),
    }
}

/// Returns how a listing can be continued: `continue with --page-token TOKEN`.
///
/// A token of the service is repeated, whatever it looks like: many services
/// make theirs of JSON in base64, as a JWT is made. One that the user gave may
/// be a credential in the wrong place.
pub(crate) fn page_token_line(token: &str, given: Option<&str>) -> String {
    match suspicion(token).filter(|_| given.is_some_and(|given| given.trim() == token.trim())) {
        Some(what) => {
            format!("continue with the same --page-token, which is not repeated here: it looks like {what}")
        }
        None => format!("continue with --page-token {}", ShellKind::here().word(token)),
    }
}

/// Returns `Name: value` as the user gave it, without a value that may be
/// secret.
///
/// ```text
/// X-Request-Id: 7         X-Request-Id: 7
/// Authorization: Bearer…  Authorization: [redacted]
/// ya29…                   [redacted]
/// ```
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
    // The user information of a URL ends at the last `@` before the path.
    let authority =
        value.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    // A URL with a user alone is no secret; with a password it is.
    let has_password = authority
        .is_some_and(|authority| authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':')));
    has_password || suspicion(value).is_some()
}

/// In place of a value, whatever its length: the length of a secret is a hint
/// too.
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
        assert_eq!(name_for_display("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln"), REDACTED);
        for value in ["billing-project", "https://example.com:8443/a@b:c", "done = false"] {
            assert_eq!(value_for_display(value), value);
        }
    }

    #[test]
    fn names_that_may_be_secrets_are_described_with_their_place() {
        let given = ["operations/1".to_owned(), "ya29.CANARY".to_owned()];
        assert_eq!(name_for_line("operations/1", &given), "operations/1");
        assert_eq!(name_for_line("ya29.CANARY", &given), "[redacted: an access token, NAME 2]");
        assert_eq!(
            name_for_line("eyJhbGciOiJIUzI1NiJ9.e30.x", &given),
            "[redacted: a token, a line of standard input]"
        );
    }

    #[test]
    fn page_tokens_of_the_service_are_repeated_and_credentials_of_the_user_are_not() {
        let secrets =
            ["eyJhbGciOiJIUzI1NiJ9.e30.x", "eyJvZmZzZXQiOjJ9", "ya29.CANARY", "1//0gCANARY", "{\"a\": 1}"];
        for token in secrets {
            let line = page_token_line(token, Some(token));
            assert!(line.contains("it looks like ") && !line.contains(token), "{line}");
            assert_eq!(
                page_token_line(token, None),
                format!("continue with --page-token {}", ShellKind::here().word(token))
            );
            assert_eq!(page_token_line(token, Some("p1")), page_token_line(token, None));
        }
        assert_eq!(
            page_token_line("p 1", Some("p 1")),
            format!("continue with --page-token {}", ShellKind::here().word("p 1"))
        );
    }
}
