//! Colours, where they are wanted.
//!
//! | text | colour |
//! |---|---|
//! | succeeded | green |
//! | failed, cancelled, not found | red |
//! | running | cyan |
//! | unreachable, paused | yellow |
//! | remaining times, counts below | faint |
//!
//! Only the 16 colours of every terminal are used, so that a theme can make
//! them readable. A state is always written out too: colour adds nothing that a
//! reader without it would miss.

use std::env;
use std::io::{self, IsTerminal};

use console::Term;

use crate::args::ColorArg;

/// What a piece of text says, which decides about its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TextStyle {
    #[default]
    Plain,
    /// An operation that succeeded.
    Succeeded,
    /// An operation that failed, or was cancelled.
    Failed,
    /// An operation that runs.
    Running,
    /// A service that cannot be reached, or requested a pause.
    Unreachable,
    /// What matters less than the rest.
    Faint,
}

/// Whether a stream gets colours. Decided once per stream, since standard
/// output may be a file while standard error is a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Painter {
    is_on: bool,
}

impl Painter {
    /// Decides for standard output.
    pub(crate) fn of_stdout(color: ColorArg) -> Self {
        Self::new(color, || io::stdout().is_terminal() && supported(&Term::stdout()))
    }

    /// Decides for standard error.
    pub(crate) fn of_stderr(color: ColorArg) -> Self {
        Self::new(color, || io::stderr().is_terminal() && supported(&Term::stderr()))
    }

    /// Decides by the option; `auto` asks the stream.
    fn new(color: ColorArg, auto: impl FnOnce() -> bool) -> Self {
        Self {
            is_on: match color {
                ColorArg::Always => true,
                ColorArg::Never => false,
                ColorArg::Auto => auto(),
            },
        }
    }

    #[cfg(test)]
    pub(crate) const OFF: Self = Self { is_on: false };

    #[cfg(test)]
    pub(crate) const ON: Self = Self { is_on: true };

    /// Returns the text in the colour of its style, or as it is. White space
    /// alone gets no colour.
    pub(crate) fn paint(self, style: TextStyle, text: &str) -> String {
        match code(style) {
            // Spaces with a colour would be bytes that are invisible.
            Some(code) if self.is_on && !text.trim().is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

/// `NO_COLOR` and `TERM=dumb` are conventions of terminals. On Windows the
/// question also turns colours on.
fn supported(terminal: &Term) -> bool {
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = env::var("TERM").is_ok_and(|kind| kind == "dumb");
    !no_color && !dumb && terminal.features().colors_supported()
}

/// The parameter of the escape sequence (ECMA-48, SGR).
fn code(style: TextStyle) -> Option<&'static str> {
    match style {
        TextStyle::Plain => None,
        TextStyle::Succeeded => Some("32"),
        TextStyle::Failed => Some("31"),
        TextStyle::Running => Some("36"),
        TextStyle::Unreachable => Some("33"),
        TextStyle::Faint => Some("2"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_a_choice() {
        let rows = [
            (ColorArg::Auto, true, true),
            (ColorArg::Auto, false, false),
            (ColorArg::Always, false, true),
            (ColorArg::Never, true, false),
        ];
        for (color, is_terminal, expected) in rows {
            assert_eq!(Painter::new(color, || is_terminal).is_on, expected, "{color:?} {is_terminal}");
        }
        assert_eq!(Painter::ON.paint(TextStyle::Failed, "failed"), "\x1b[31mfailed\x1b[0m");
        assert_eq!(Painter::ON.paint(TextStyle::Failed, "  "), "  ");
        assert_eq!(Painter::ON.paint(TextStyle::Plain, "a"), "a");
        assert_eq!(Painter::OFF.paint(TextStyle::Failed, "failed"), "failed");
    }
}
