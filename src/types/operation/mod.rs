//! The state of a long-running operation, as
//! [AIP-151](https://google.aip.dev/151) defines it.
//!
//! An [`Operation`] is made in three ways: from JSON, where it shares the text;
//! from protobuf bytes (in [`convert`](super::convert)); or by a program, with
//! the constructors. In all of them it is a plain value that does not change.
//!
//! | | [`to_json`](Operation::to_json) | [`to_proto`](Operation::to_proto) |
//! |---|---|---|
//! | from JSON | the text that was read | known types only |
//! | from bytes | bytes of unknown types as base64 | the bytes that were read |
//!
//! What the fields mean together is in [`outcome`](Operation::outcome); this
//! module does not judge them before.

use std::fmt;

use crate::types::Status;
use crate::types::extended::OperationForm;
use crate::types::lazy_any::LazyAny;
use crate::types::text::{SharedData, TextPart, TextSpan};
use crate::util::redact::Masked;

// rustdoc lists the methods of a type in the order of the modules: constructors
// come first.
mod fields;

mod json;

mod result;

/// The state of a long-running operation: a [`google.longrunning.Operation`].
///
/// An operation from a server keeps the server's text, so that nothing is lost.
/// Clones share it. Two operations are equal if their name, `done`, metadata,
/// response and error are; fields that this crate does not know, and the order
/// of the fields, make no difference.
///
/// ```
/// use longrunning::{Operation, Outcome};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Index {
///     rows: String,
/// }
///
/// let op = Operation::from_json(
///     r#"{"name": "operations/42", "done": true,
///         "response": {"@type": "type.googleapis.com/x.Index", "rows": "9"}}"#,
/// )?;
/// assert!(matches!(op.outcome(), Outcome::Succeeded(Some(_))));
/// let index: Index = op.into_response()?;
/// assert_eq!(index.rows, "9");
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// [`google.longrunning.Operation`]: https://google.aip.dev/151
#[derive(Clone)]
pub struct Operation {
    /// The text of which the other fields are parts: that of this operation, or
    /// of several on its page. It is empty if a program created the operation.
    pub(super) source: SharedData,
    /// Of an extended operation: the name by which it can be polled, which its
    /// text need not contain.
    name: TextPart,
    pub(super) done: bool,
    pub(super) metadata: LazyAny,
    pub(super) response: LazyAny,
    pub(super) error: Option<Box<Status>>,
    /// Where the operation came from: it decides how `metadata` is to be read.
    form: OperationForm,
    /// Only extended operations have it.
    target_link: Option<TextPart>,
    /// The text of the server, unless a program created or changed the
    /// operation.
    text: Option<TextSpan>,
}

/// Compares what the service said, not how: the text, the form and the link are
/// left out.
impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
            && self.done == other.done
            && self.metadata() == other.metadata()
            && self.response() == other.response()
            && self.error == other.error
    }
}

/// Prints the name, the outcome and the types of the messages.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("name", &Masked(self.name()))
            .field("outcome", &format_args!("{}", self.outcome()))
            .field("metadata", &self.metadata())
            .field("response", &self.response())
            .finish()
    }
}

#[cfg(test)]
mod tests;
