//! What clap says of a command line, without the secrets that were typed in the
//! wrong place or control characters.
//!
//! clap quotes what it cannot parse. Its errors carry the quoted values apart
//! from the text, so they are replaced there, and clap's own wording stays.

use clap::Error;
use clap::error::{ContextKind, ContextValue};
use longrunning::printing::shown;

/// Replaces what clap quotes of the command line where it may be a secret.
///
/// A command line is a common place for a mistaken `$(cat key.json)`, and
/// errors end up in the logs of build servers.
pub(super) fn without_secrets(mut error: Error) -> Error {
    let described: Vec<_> =
        error.context().filter_map(|(kind, value)| Some((kind, describe(value)?))).collect();
    if described.is_empty() {
        return error;
    }
    for (kind, value) in described {
        error.insert(kind, value);
    }
    // They repeat the value: "to pass '…' as a value, use '-- …'".
    error.remove(ContextKind::Suggested);
    error.remove(ContextKind::TrailingArg);
    error
}

/// Returns the value to show instead; none if it can stay.
///
/// Numbers, booleans and styled texts of clap's own cannot be secrets.
fn describe(value: &ContextValue) -> Option<ContextValue> {
    match value {
        ContextValue::String(text) => harmless(text).map(ContextValue::String),
        ContextValue::Strings(texts) if texts.iter().any(|text| harmless(text).is_some()) => {
            Some(ContextValue::Strings(texts.iter().map(|text| shown(text)).collect()))
        }
        _ => None,
    }
}

/// The text to show instead: described if it may be a secret, bounded, with
/// control characters escaped; none if it can stay.
fn harmless(text: &str) -> Option<String> {
    Some(shown(text)).filter(|shown| shown != text)
}

#[cfg(test)]
mod tests {
    use crate::args::read;

    #[test]
    fn a_secret_on_the_command_line_is_not_repeated() {
        let secrets = [
            r#"{"private_key": "CANARY"}"#,
            "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n",
            "ya29.CANARY",
            "AIzaCANARY",
        ];
        for secret in secrets {
            let [long, short, value] = ["--", "-v", "--anonymous="].map(|front| format!("{front}{secret}"));
            let lines = [
                vec![secret],
                vec!["get", secret, "x", secret],
                vec!["get", "x", "--format", secret],
                vec!["get", "x", "--retries", secret],
                vec!["get", "x", &long],
                vec!["get", "x", &short],
                vec!["--anonymous", &value, "get", "x"],
            ];
            for line in lines {
                let text = read([&["lro"], &line[..]].concat()).unwrap_err().to_string();
                assert!(!text.contains("CANARY"), "{line:?}: {text}");
            }
        }
    }

    #[test]
    fn control_characters_of_the_command_line_are_escaped() {
        let hostile = "a\u{1b}[31m\u{7}\u{202e}b";
        let long = format!("--{hostile}");
        for line in [vec![hostile], vec!["get", "x", "--retries", hostile], vec!["get", "x", &long]] {
            let text = read([&["lro"], &line[..]].concat()).unwrap_err().to_string();
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{line:?}: {text:?}");
            assert!(text.contains(r"a\u{1b}"), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_secret_is_said_as_ever() {
        let text = read(["lro", "get", "x", "--format", "yaml"]).unwrap_err().to_string();
        assert!(text.contains("invalid value 'yaml' for '--format <FORMAT>'"), "{text}");
        let text = read(["lro", "gett"]).unwrap_err().to_string();
        assert!(text.contains("unrecognized subcommand 'gett'") && text.contains("similar"), "{text}");
    }
}
