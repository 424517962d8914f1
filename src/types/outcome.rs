//! The outcome of an operation: `done`, `error` and `response`, read as one
//! value.
//!
//! AIP-151 has `error` and `response` as alternatives of one field. In JSON a
//! server can send both, and an error without a code; then the outcome is
//! malformed.

use std::fmt;

use crate::types::{Any, Code, Status};
use crate::util::excerpt::long_excerpt;

/// The result of an operation, as far as it is known; from
/// [`Operation::outcome`](crate::Operation::outcome).
///
/// `Display` gives `running`, `succeeded`, `failed: RESOURCE_EXHAUSTED: out of
/// disk` or `malformed:` with a reason.
///
/// ```
/// use longrunning::{Code, Operation, Outcome, Status};
///
/// let op = Operation::failed("operations/42", Status::new(Code::Cancelled, ""));
/// match op.outcome() {
///     Outcome::Failed(status) if status.code() == Code::Cancelled => println!("cancelled"),
///     other => println!("{other}"),
/// }
/// assert_eq!(op.outcome().to_string(), "failed: CANCELLED");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome<'a> {
    /// Not done, even if it has an error or a response already.
    Running,
    /// Done without an error; some services send no response.
    Succeeded(Option<&'a Any>),
    /// Done, and failed or cancelled ([`Code::Cancelled`]).
    Failed(&'a Status),
    /// Done, with fields that contradict each other; the operation has them
    /// all.
    Malformed(MalformedReason<'a>),
}

/// Why an operation that is done is neither a success nor a failure.
///
/// `Display` names the fields, and the message of the error if there is one:
///
/// ```
/// use longrunning::{Operation, Outcome};
///
/// let operation = Operation::from_json(r#"{"done": true, "error": {"message": "out of disk"}}"#)?;
/// let Outcome::Malformed(reason) = operation.outcome() else { panic!("no code") };
/// assert_eq!(reason.to_string(), "`error` has code 0: out of disk");
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MalformedReason<'a> {
    /// Which fields contradict each other.
    fields: &'static str,
    /// The error, which is set in every malformed operation.
    error: &'a Status,
}

impl<'a> MalformedReason<'a> {
    /// Creates the reason. `fields` starts the text, such as "`error` has code
    /// 0".
    pub(super) fn new(fields: &'static str, error: &'a Status) -> Self {
        Self { fields, error }
    }
}

impl fmt::Display for MalformedReason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.error.code(), self.error.message()) {
            // The names of the fields say what is wrong; an error without a
            // message adds nothing.
            (_, "") => f.write_str(self.fields),
            // The code is the contradiction, so only the message is worth a
            // look.
            (Code::Ok, message) => write!(f, "{}: {}", self.fields, long_excerpt(message)),
            _ => write!(f, "{}: {}", self.fields, self.error),
        }
    }
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
