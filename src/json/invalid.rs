//! What is wrong with a document, and where; never what it says.

use std::error::Error as StdError;
use std::fmt;

use crate::error::Error;
use crate::json::MAX_DEPTH;

/// A document that is not what it should be.
#[derive(Debug)]
pub(crate) struct Invalid(Box<Inner>);

#[derive(Debug)]
struct Inner {
    path: String,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Meaning(String),
    Syntax(Syntax),
}

/// The text is no JSON.
#[derive(Debug)]
struct Syntax {
    offset: usize,
    ended: bool,
}

impl Invalid {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(Box::new(Inner { path: String::new(), problem: Problem::Meaning(problem.into()) }))
    }

    pub(super) fn too_deep() -> Self {
        Self::new(format!("expected at most {MAX_DEPTH} levels of nesting"))
    }

    pub(super) fn syntax(offset: usize, ended: bool) -> Self {
        Self(Box::new(Inner { path: String::new(), problem: Problem::Syntax(Syntax { offset, ended }) }))
    }

    /// Puts a field, or an index in brackets, in front of the path.
    pub(crate) fn at(mut self, field: &str) -> Self {
        let dot = if self.0.path.is_empty() || self.0.path.starts_with('[') { "" } else { "." };
        self.0.path = format!("{field}{dot}{}", self.0.path);
        self
    }

    pub(crate) fn into_error(self, subject: &str) -> Error {
        let Inner { path, problem } = *self.0;
        match problem {
            Problem::Syntax(syntax) => {
                Error::decode(format!("{subject} is not valid JSON")).with_source(syntax)
            }
            Problem::Meaning(problem) if path.is_empty() => {
                Error::decode(format!("{subject} is not valid: {problem}"))
            }
            Problem::Meaning(problem) => {
                Error::decode(format!("{subject} is not valid: `{}`: {problem}", bounded(&path)))
            }
        }
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { ended: true, .. } => f.write_str("the text ends early"),
            Self { offset, .. } => write!(f, "unexpected text at byte {offset}"),
        }
    }
}

impl StdError for Syntax {}

/// Whether a document stops before its end, as after a connection that broke unnoticed.
pub(crate) fn ended_early(error: &Error) -> bool {
    let syntax = error.source().and_then(|source| source.downcast_ref::<Syntax>());
    syntax.is_some_and(|syntax| syntax.ended)
}

/// At most 200 bytes of a text that came from outside, on one line.
pub(crate) fn bounded(text: &str) -> String {
    let mut line = String::new();
    for char in text.chars() {
        let start = line.len();
        if char.is_control() {
            line.extend(char.escape_default())
        } else {
            line.push(char)
        }
        if line.len() > LIMIT {
            line.truncate(start);
            return line + "…";
        }
    }
    line
}

const LIMIT: usize = 197;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_on_one_line() {
        assert_eq!(bounded("a\nb\u{1b}[0m\u{e9}"), r"a\nb\u{1b}[0m\u{e9}".replace(r"\u{e9}", "\u{e9}"));
        assert_eq!(bounded(&"x".repeat(197)), "x".repeat(197));
        for text in ["x".repeat(198), "\u{1f600}".repeat(100), "\0".repeat(100), "x".repeat(1 << 20)] {
            let line = bounded(&text);
            assert!(line.len() <= 200 && line.ends_with('…'), "{line}");
        }
    }
}
