//! What is wrong with a document, and where.

use std::error::Error as _;

use crate::error::Error;

/// Where a document is not what it should be, without any of its contents.
#[derive(Debug)]
pub(crate) struct Invalid(Box<Inner>);

#[derive(Debug)]
struct Inner {
    path: String,
    problem: String,
    source: Option<serde_json::Error>,
}

impl Invalid {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(Box::new(Inner { path: String::new(), problem: problem.into(), source: None }))
    }

    /// The text is no JSON.
    pub(super) fn syntax(source: serde_json::Error) -> Self {
        Self(Box::new(Inner { path: String::new(), problem: String::new(), source: Some(source) }))
    }

    /// Puts a field in front of the path.
    pub(crate) fn at(mut self, field: &str) -> Self {
        let dot = if self.0.path.is_empty() || self.0.path.starts_with('[') { "" } else { "." };
        self.0.path = format!("{field}{dot}{}", self.0.path);
        self
    }

    /// Puts an index in front of the path.
    pub(crate) fn at_index(self, index: usize) -> Self {
        self.at(&format!("[{index}]"))
    }

    pub(crate) fn into_error(self, subject: &str) -> Error {
        let Inner { path, problem, source } = *self.0;
        match source {
            Some(source) => Error::decode(format!("{subject} is not valid JSON")).with_source(source),
            None if path.is_empty() => Error::decode(format!("{subject} is not valid: {problem}")),
            None => Error::decode(format!("{subject} is not valid: `{path}`: {problem}")),
        }
    }
}

/// Whether a document stops before its end, as after a connection that broke unnoticed.
pub(crate) fn ended_early(error: &Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<serde_json::Error>());
    source.is_some_and(serde_json::Error::is_eof)
}
