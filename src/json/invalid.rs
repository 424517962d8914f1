//! What is wrong with a document, and where; never what it says.

use std::error::Error;
use std::fmt;

use crate::excerpt::excerpt;
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
    /// The text is no JSON from this byte on.
    Broken(usize),
    /// The text stops before its end, as after a connection that broke unnoticed.
    EndsEarly,
    /// It is JSON, but not what is expected.
    Unexpected(String),
}

impl Invalid {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self::of(Problem::Unexpected(problem.into()))
    }

    pub(super) fn too_deep() -> Self {
        Self::new(format!("expected at most {MAX_DEPTH} levels of nesting"))
    }

    pub(super) fn broken(offset: usize) -> Self {
        Self::of(Problem::Broken(offset))
    }

    pub(super) fn ends_early() -> Self {
        Self::of(Problem::EndsEarly)
    }

    fn of(problem: Problem) -> Self {
        Self(Box::new(Inner { path: String::new(), problem }))
    }

    /// Puts a field, or an index in brackets, in front of the path.
    pub(crate) fn at(mut self, field: &str) -> Self {
        let dot = if self.0.path.is_empty() || self.0.path.starts_with('[') { "" } else { "." };
        self.0.path = format!("{field}{dot}{}", self.0.path);
        self
    }

    /// Whether the document is JSON at all.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.0.problem, Problem::Unexpected(_))
    }

    /// Whether the document could be the start of a valid one.
    pub(crate) fn is_cut_short(&self) -> bool {
        matches!(self.0.problem, Problem::EndsEarly)
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.problem {
            Problem::Broken(offset) => write!(f, "unexpected text at byte {offset}"),
            Problem::EndsEarly => f.write_str("the text ends early"),
            Problem::Unexpected(problem) if self.0.path.is_empty() => f.write_str(problem),
            Problem::Unexpected(problem) => write!(f, "`{}`: {problem}", excerpt(&self.0.path)),
        }
    }
}

impl Error for Invalid {}
