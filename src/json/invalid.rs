//! The error in a document and its place, without any of the contents.

use std::error::Error;
use std::fmt;

use crate::json::MAX_DEPTH;
use crate::util::excerpt::excerpt;

/// A document that is not what it should be.
#[derive(Debug)]
pub(crate) struct InvalidJson(Box<InvalidDetail>);

#[derive(Debug)]
struct InvalidDetail {
    path: String,
    problem: JsonProblem,
}

#[derive(Debug)]
enum JsonProblem {
    /// The text is no JSON from this byte on.
    Broken(usize),
    /// The text stops before its end, as after a connection that broke
    /// unnoticed.
    EndsEarly,
    /// It is JSON, but not what is expected.
    Unexpected(String),
}

impl InvalidJson {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self::of(JsonProblem::Unexpected(problem.into()))
    }

    pub(super) fn too_deep() -> Self {
        Self::new(format!("expected at most {MAX_DEPTH} levels of nesting"))
    }

    pub(super) fn broken(offset: usize) -> Self {
        Self::of(JsonProblem::Broken(offset))
    }

    pub(super) fn ends_early() -> Self {
        Self::of(JsonProblem::EndsEarly)
    }

    fn of(problem: JsonProblem) -> Self {
        Self(Box::new(InvalidDetail { path: String::new(), problem }))
    }

    /// Adds a field, or an index in brackets, in front of the path.
    pub(crate) fn at(mut self, field: &str) -> Self {
        let dot = if self.0.path.is_empty() || self.0.path.starts_with('[') { "" } else { "." };
        self.0.path = format!("{field}{dot}{}", self.0.path);
        self
    }

    /// Returns whether the document is JSON at all.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.0.problem, JsonProblem::Unexpected(_))
    }

    /// Returns whether the document could be the start of a valid one.
    pub(crate) fn is_cut_short(&self) -> bool {
        matches!(self.0.problem, JsonProblem::EndsEarly)
    }
}

impl fmt::Display for InvalidJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.problem {
            JsonProblem::Broken(offset) => write!(f, "unexpected text at byte {offset}"),
            JsonProblem::EndsEarly => f.write_str("the text ends early"),
            JsonProblem::Unexpected(problem) if self.0.path.is_empty() => f.write_str(problem),
            JsonProblem::Unexpected(problem) => write!(f, "`{}`: {problem}", excerpt(&self.0.path)),
        }
    }
}

impl Error for InvalidJson {}
