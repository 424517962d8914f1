//! The text of an error, and its causes.
//!
//! ```text
//! GetOperation `operations/42`: NOT_FOUND: expired (http://…) (4 attempts in 11.8 s); ADVICE
//! └ call, if one was made ────┘ └ message ───────┘ └ URL ───┘ └ if more than one ──┘
//! ```
//!
//! `{}` is one line without causes, for users. `{:#}` has the causes too, for
//! logs. `Debug` is the latter, since `unwrap` prints it.

use std::error::Error as StdError;
use std::fmt;

use crate::types::Code;
use crate::util::excerpt::{shown, shown_name};
use crate::util::redact::redacted;

use super::{Error, Seconds};

impl fmt::Display for Error {
    /// Writes `ATTEMPTED: WHAT HAPPENED (ATTEMPTS): CAUSES; WHAT TO DO`, of
    /// which only the alternate form has the causes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        WithoutAdvice(self).fmt(f)?;
        self.0.advice.map_or(Ok(()), |advice| write!(f, "; {advice}"))
    }
}

/// Writes an error without what to do, for a longer message around it.
pub(super) struct WithoutAdvice<'a>(pub(super) &'a Error);

impl fmt::Display for WithoutAdvice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(error) = self;
        let inner = &error.0;
        if let (Some(method), Some(name)) = (inner.method, &inner.name) {
            write!(f, "{method} `{}`: ", shown_name(name))?;
        }
        f.write_str(&inner.message)?;
        // For `NOT_FOUND` the URL is shown, because it is often the path that is missing:
        // a wrong version, a wrong host.
        if let (Some(_), Some(url), Some(Code::NotFound)) = (inner.method, error.url(), error.code()) {
            write!(f, " ({})", shown(url))?;
        }
        // A single attempt is what a reader expects, so only more are counted.
        if inner.attempts > 1 && inner.method.is_some() {
            write!(f, " ({} attempts in {} s)", inner.attempts, Seconds(inner.elapsed))?;
        }
        if f.alternate() {
            // Each cause is text of another crate or of the program, so it is
            // redacted.
            let mut cause = error.source();
            while let Some(error) = cause {
                write!(f, ": {}", redacted(&error.to_string()))?;
                cause = error.source();
            }
        }
        Ok(())
    }
}

/// Prints the kind and the text with its causes. Bodies, headers and URLs with
/// queries are not in it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.0.kind).field("message", &format!("{self:#}")).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // The message of a wait names its fault, so the chain continues with the cause of
        // the fault.
        let of_fault = || self.fault().and_then(StdError::source);
        let own = self.0.source.as_ref().map(|source| &**source as &(dyn StdError + 'static));
        own.or_else(of_fault)
    }
}
