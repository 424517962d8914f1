//! What came of an operation.

use std::fmt;

use crate::types::{Any, Status};

/// What is known of an operation's result, from [`Operation::outcome`](crate::Operation::outcome).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome<'a> {
    /// Not done yet.
    Running,
    /// Done, with the response if there is one.
    Succeeded(Option<&'a Any>),
    /// Done, and failed or cancelled.
    Failed(&'a Status),
    /// Done, but the fields contradict each other; says how.
    Malformed(&'static str),
}

impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("running"),
            Self::Succeeded(_) => f.write_str("succeeded"),
            Self::Failed(status) => write!(f, "failed: {status}"),
            Self::Malformed(why) => write!(f, "malformed: {why}"),
        }
    }
}
