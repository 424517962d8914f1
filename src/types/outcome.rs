//! What came of an operation.

use std::fmt;

use crate::types::{Any, Status};

/// What is known of an operation's result, from [`Operation::outcome`](crate::Operation::outcome).
///
/// `Display` gives `running`, `succeeded`, `failed: RESOURCE_EXHAUSTED: out of disk` or `malformed:` with a
/// reason.
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
    /// Not done, whatever else the operation says.
    Running,
    /// Done without an error; some services send no response.
    Succeeded(Option<&'a Any>),
    /// Done, and failed or cancelled ([`Code::Cancelled`](crate::Code::Cancelled)).
    Failed(&'a Status),
    /// Done, with fields that contradict each other in the way that is told; the operation has them all.
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
