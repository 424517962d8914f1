//! Words of the command lines that `lro` prints to be pasted into a shell.
//!
//! A name or a filter may contain quotes, spaces and `$`. A line that is pasted
//! must not run anything else, so every word that is not plain is quoted.

use std::borrow::Cow;
use std::iter;

/// The shell that a printed line is for.
///
/// Which shell runs cannot be found out reliably, so the system decides.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ShellKind {
    Posix,
    /// `cmd`. PowerShell reads the same words, except for those with `$`, a
    /// backtick or a quotation mark.
    Windows,
}

impl ShellKind {
    /// Returns the shell of the system that `lro` runs on.
    pub(crate) fn here() -> Self {
        if cfg!(windows) { Self::Windows } else { Self::Posix }
    }

    /// Quotes a word where it has to be, so that the shell reads it back.
    pub(crate) fn word(self, word: &str) -> Cow<'_, str> {
        let special = match self {
            Self::Posix => "-_./:=@%+,",
            Self::Windows => r"-_./:=+\",
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || special.contains(c);
        match (!word.is_empty() && word.chars().all(plain), self) {
            (true, _) => word.into(),
            (false, Self::Posix) => format!("'{}'", word.replace('\'', r"'\''")).into(),
            (false, Self::Windows) => windows_quoted(word).into(),
        }
    }

    /// Returns what the shell replaces by the value of a variable, inside of
    /// double quotes too.
    pub(crate) fn variable(self, name: &str) -> String {
        match self {
            Self::Posix => format!("${name}"),
            Self::Windows => format!("%{name}%"),
        }
    }
}

/// Quotes a word as programs on Windows parse their command line: a backslash
/// stands for itself, unless a quotation mark follows.
fn windows_quoted(word: &str) -> String {
    let (mut quoted, mut backslashes) = (String::from("\""), 0);
    for c in word.chars() {
        if c == '"' {
            quoted.extend(iter::repeat_n('\\', backslashes + 1));
        }
        // Backslashes are doubled only in front of a quotation mark; elsewhere
        // they stand for themselves.
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        quoted.push(c);
    }
    quoted.extend(iter::repeat_n('\\', backslashes));
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_they_have_to_be() {
        let rows = [
            ("operations/1", "operations/1", "operations/1"),
            ("", "''", r#""""#),
            ("a b", "'a b'", r#""a b""#),
            ("it's", r"'it'\''s'", r#""it's""#),
            ("a@b,50%", "a@b,50%", r#""a@b,50%""#),
            (r"C:\keys\k.json", r"'C:\keys\k.json'", r"C:\keys\k.json"),
            (r"C:\my keys\", r"'C:\my keys\'", r#""C:\my keys\\""#),
            (r#"{"a":"\"}"#, r#"'{"a":"\"}'"#, r#""{\"a\":\"\\\"}""#),
        ];
        for (word, posix, windows) in rows {
            assert_eq!(ShellKind::Posix.word(word), posix);
            assert_eq!(ShellKind::Windows.word(word), windows);
        }
    }

    #[test]
    fn variables_have_the_form_of_the_shell() {
        assert_eq!(ShellKind::Posix.variable("TOKEN"), "$TOKEN");
        assert_eq!(ShellKind::Windows.variable("TOKEN"), "%TOKEN%");
    }
}
