//! Text from outside, made fit for a message: short, on one line, without
//! secrets, and without characters that a terminal or a log obeys.
//!
//! Every text from outside goes through here on its way into an error message
//! or a log line:
//!
//! ```text
//! shown, brief, shown_name, shown_path   a value of the caller
//! excerpt, long_excerpt                  a text of a server
//! ```
//!
//! The limits are bytes of the result, after escaping. A message is not the
//! place to debug a body: `Error::response_body` has it.

use std::path::Path;

use crate::util::redact::{redacted, suspicion, suspicion_of_name, suspicion_of_path};

/// Returns a value that was given as a URL, a host, an option or the like: at
/// most 200 bytes of it, or what it is instead if it may be a secret.
///
/// ```text
/// https://run.googleapis.com     as it is
/// http://user:secret@host        http://user:[redacted]@host
/// {"type": "service_account", …  [redacted: JSON]
/// ```
pub(crate) fn shown(value: &str) -> String {
    described(suspicion(value)).unwrap_or_else(|| excerpt(value))
}

/// Returns the name of an operation or of another resource, as [`shown`] does.
/// Long segments are normal in names and not suspicious.
pub(crate) fn shown_name(name: &str) -> String {
    described(suspicion_of_name(name)).unwrap_or_else(|| excerpt(name))
}

/// Returns the path of a file, as [`shown`] does, with at most 1 KiB.
/// Backslashes stay as they are.
pub(crate) fn shown_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    described(suspicion_of_path(&path)).unwrap_or_else(|| bounded(&path, 1024))
}

/// Returns a value as [`shown`] does, with at most 40 characters of it: for
/// values of which only a few are known, such as `type` of a credentials file.
pub(crate) fn brief(value: &str) -> String {
    described(suspicion(value)).unwrap_or_else(|| excerpt(&value.chars().take(40).collect::<String>()))
}

/// Returns at most 200 bytes of a text that came from outside.
pub(crate) fn excerpt(text: &str) -> String {
    bounded(text, 200)
}

/// Returns at most 1 KiB of a text that a service wrote for people, such as the
/// message of a status.
pub(crate) fn long_excerpt(text: &str) -> String {
    bounded(text, 1024)
}

/// Returns what a message says in place of a suspicious value.
fn described(suspicion: Option<&str>) -> Option<String> {
    suspicion.map(|what| format!("[redacted: {what}]"))
}

/// Returns a redacted text on one line, in at most `limit` bytes; a longer one
/// ends with `…`.
fn bounded(text: &str, limit: usize) -> String {
    // A text may have megabytes, and the search for secrets takes time for each
    // byte. Four times the limit fills the line, unless a long secret is
    // replaced; then less is shown.
    let (head, is_cut) =
        text.char_indices().nth(4 * limit).map_or((text, false), |(at, _)| (&text[..at], true));
    let mut line = one_line(&without_passwords(&redacted(head)), limit);
    if is_cut && !line.ends_with(MORE) {
        line += MORE;
    }
    line
}

/// Replaces the password of each URL in a text: `http://user:password@host`
/// where a path or a name was expected.
fn without_passwords(text: &str) -> String {
    let (mut shown, mut rest) = (String::new(), text);
    while let Some((before, url)) = rest.split_once("://") {
        shown += before;
        shown += "://";
        rest = url;
        if let Some((user, password)) = user_and_password(url) {
            shown += user;
            shown += ":[redacted]";
            // The `@` and the host stay.
            rest = &url[user.len() + 1 + password.len()..];
        }
    }
    shown + rest
}

/// Returns user and password of a URL without its scheme; `None` without a
/// password.
fn user_and_password(url: &str) -> Option<(&str, &str)> {
    let end = url.find(|char: char| char.is_whitespace() || "/?#\\\"'`<>".contains(char));
    let (user, _host) = url[..end.unwrap_or(url.len())].rsplit_once('@')?;
    user.split_once(':')
}

/// Escapes a text, and cuts it to `limit` bytes.
fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    for char in text.chars() {
        let start = line.len();
        if is_obeyed(char) {
            line.extend(char.escape_default())
        } else {
            line.push(char)
        }
        if line.len() > limit - MORE.len() {
            // An escape such as `\n` is cut as a whole, so that no half of it
            // is shown.
            line.truncate(start);
            return line + MORE;
        }
    }
    line
}

/// Returns whether a terminal or an editor obeys a character instead of showing
/// it.
///
/// These are control characters, line ends, and the characters that turn the
/// direction of text. The last can make one message look like another ([Trojan
/// Source]).
///
/// [Trojan Source]: https://trojansource.codes
fn is_obeyed(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Ends a text that was cut.
const MORE: &str = "…";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_on_one_line() {
        assert_eq!(excerpt("a\nb\u{1b}[0m\u{e9}"), format!(r"a\nb\u{{1b}}[0m{}", '\u{e9}'));
        assert_eq!(excerpt("\"it's\" \\ \u{e01}\u{e33}"), "\"it's\" \\ \u{e01}\u{e33}");
        for (shown, limit) in [(excerpt as fn(&str) -> String, 200), (long_excerpt, 1024)] {
            assert_eq!(shown(&"x".repeat(limit - 3)), "x".repeat(limit - 3));
            for text in
                ["x".repeat(limit - 2), "\u{1f600}".repeat(limit), "\0".repeat(limit), "x".repeat(1 << 20)]
            {
                let line = shown(&text);
                assert!(line.len() <= limit && line.len() > limit - 10 && line.ends_with('…'), "{line}");
            }
        }
    }

    #[test]
    fn values_are_described_when_they_may_be_secret() {
        let json = "{\"private_key\": \"CANARY\"}";
        assert_eq!(shown(json), "[redacted: JSON]");
        assert_eq!(shown_name("ya29.CANARY"), "[redacted: an access token]");
        assert_eq!(shown_path(Path::new(json)), "[redacted: JSON]");
        assert_eq!(shown_path(Path::new(r"C:\keys\a'b.json")), r"C:\keys\a'b.json");
        let name = format!("operations/{}", "x".repeat(300));
        assert_eq!(shown_name(&name), format!("{}…", &name[..197]));
        assert_eq!(excerpt("key AIzaCANARY is bad\n"), r"key [redacted] is bad\n");
        assert_eq!(excerpt(&format!("ya29.{}", "x".repeat(4096))), "[redacted]…");
    }

    #[test]
    fn passwords_of_urls_are_redacted() {
        for (text, expected) in [
            ("https://user:CANARY@host:1/v1/x", "https://user:[redacted]@host:1/v1/x"),
            ("https://:CANARY@host", "https://:[redacted]@host"),
            ("http://u:CAN@ARY@host http://v:CANARY@h", "http://u:[redacted]@host http://v:[redacted]@h"),
            ("https://host:443/a@b", "https://host:443/a@b"),
            ("https://user@host:443?a@b", "https://user@host:443?a@b"),
            ("a://", "a://"),
        ] {
            assert_eq!(shown(text), expected);
            assert_eq!(shown_name(text), expected);
            assert_eq!(shown_path(Path::new(text)), expected);
        }
    }

    #[test]
    fn nothing_turns_the_direction_of_the_rest() {
        let turns =
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        for char in turns.chars().chain("\u{2028}\u{2029}\u{85}\r\u{7f}".chars()) {
            assert_eq!(excerpt(&char.to_string()), char.escape_default().to_string());
        }
    }
}
