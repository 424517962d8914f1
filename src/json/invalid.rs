//! The error in a document and its place, without any of the contents.
//!
//! A response may contain secrets, so an error never quotes a value. It names a
//! path of fields (`` `a[1].b` ``), a kind of value, or the byte at which the
//! text stops being JSON. The three problems are different to a caller: a text
//! that ends early is a broken connection, other text is not JSON, and JSON of
//! another shape is another message.

use std::error::Error;
use std::fmt;

use crate::json::MAX_DEPTH;
use crate::util::excerpt::excerpt;

/// A document that is not what it should be. In a box, so that results of the
/// parser stay small.
#[derive(Debug)]
pub(crate) struct InvalidJson(Box<InvalidDetail>);

/// The problem, and where it is.
#[derive(Debug)]
struct InvalidDetail {
    /// The fields and indices that lead to the value; empty for the whole
    /// document.
    path: String,
    problem: JsonProblem,
}

/// The problem of a document.
#[derive(Debug)]
enum JsonProblem {
    /// The text is no JSON from this byte on.
    Broken(usize),
    /// The text stops before its end, as after a connection that broke
    /// unnoticed.
    EndsEarly,
    /// It is JSON, but not what is expected:
    /// `expected an object, found a number`.
    Unexpected(String),
}

impl InvalidJson {
    /// Creates the error for JSON of another shape.
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self::of(JsonProblem::Unexpected(problem.into()))
    }

    /// Creates the error for a document that nests too deep.
    pub(super) fn too_deep() -> Self {
        Self::new(format!("expected at most {MAX_DEPTH} levels of nesting"))
    }

    /// Creates the error for a text that is not JSON from this byte on.
    pub(super) fn broken(offset: usize) -> Self {
        Self::of(JsonProblem::Broken(offset))
    }

    /// Creates the error for a text that could be the start of a valid
    /// document.
    pub(super) fn ends_early() -> Self {
        Self::of(JsonProblem::EndsEarly)
    }

    /// Creates an error without a path.
    fn of(problem: JsonProblem) -> Self {
        Self(Box::new(InvalidDetail { path: String::new(), problem }))
    }

    /// Adds a field, or an index in brackets, in front of the path.
    ///
    /// Each level of a reader adds its own on the way out, so the path costs
    /// nothing unless there is an error.
    ///
    /// ```text
    /// [1]  b.c   →  [1].b.c        a  [1].b.c  →  a[1].b.c
    /// ```
    pub(crate) fn at(mut self, field: &str) -> Self {
        let dot = if self.0.path.is_empty() || self.0.path.starts_with('[') { "" } else { "." };
        self.0.path = format!("{field}{dot}{}", self.0.path);
        self
    }

    /// Returns whether the document is JSON at all, only of another shape.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.0.problem, JsonProblem::Unexpected(_))
    }

    /// Returns whether the document could be the start of a valid one, as after
    /// a connection that broke unnoticed. Such an error is transient.
    pub(crate) fn is_cut_short(&self) -> bool {
        matches!(self.0.problem, JsonProblem::EndsEarly)
    }
}

/// Prints the path and the problem. The path has names of a server, which are
/// escaped and bounded.
///
/// ```text
/// unexpected text at byte 7
/// the text ends early
/// `a[1].b`: expected a string, found a number
/// ```
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

/// Has no source: what serde_json says may quote the document.
impl Error for InvalidJson {}
