//! A message of any type, as it arrived.
//!
//! An [`Any`] has one of two forms, text or bytes, and keeps the form in which
//! it arrived. Conversions between the forms need to know the type;
//! [`known`](super::known) has the types that need no descriptors.
//!
//! | | [`decode`](Any::decode) | [`unpack`](Any::unpack) | [`json`](Any::json) | [`to_proto`](Any::to_proto) |
//! |---|---|---|---|---|
//! | JSON text | any type | known types | the text | known types |
//! | protobuf bytes | known types | any type | known types | the bytes |
//!
//! See [ProtoJSON](https://protobuf.dev/programming-guides/json/) for the JSON
//! form of `google.protobuf.Any`.

use std::fmt;

use crate::types::any_bytes::AnyBytes;
use crate::types::text::SharedText;

// rustdoc lists the methods of a type in the order of the modules: constructors
// come first.
mod forms;

mod decode;

pub(super) use decode::deserialize;

/// A message of any type, kept as it arrived: JSON text from REST, protobuf
/// bytes from gRPC.
///
/// It is only interpreted on request, so a program can keep, show and pass on a
/// type that it does not know, without loss. [`decode`](Self::decode)
/// deserializes the JSON into a type of yours, [`unpack`](Self::unpack) decodes
/// a protobuf message. Two values are equal if they have the same text, or the
/// same type URL and bytes.
///
/// ```
/// use longrunning::Any;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Progress {
///     percent: u8,
/// }
///
/// let any = Any::from_json(r#"{"@type": "type.googleapis.com/x.Progress", "percent": 40}"#)?;
/// assert_eq!(any.type_name(), "x.Progress");
/// assert_eq!(any.decode::<Progress>()?.percent, 40);
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Any(AnyForm);

/// The form in which the message arrived, or was created.
#[derive(Clone)]
enum AnyForm {
    /// A JSON object. Its URL is stored only if it does not come first in the
    /// text, or has escapes: nearly every server writes it first, and then it is
    /// read from the text.
    JsonMessage { text: SharedText, type_url: Option<Box<str>> },
    /// The type URL and the bytes of a message.
    Proto(AnyBytes),
}

impl PartialEq for AnyForm {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::JsonMessage { text, .. }, Self::JsonMessage { text: other, .. }) => {
                text.as_str() == other.as_str()
            }
            (Self::Proto(any), Self::Proto(other)) => any == other,
            _ => false,
        }
    }
}

/// Prints the type and the size, not the content: messages may contain secrets.
impl fmt::Debug for Any {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, form) = match &self.0 {
            AnyForm::JsonMessage { text, .. } => (text.as_str().len(), "JSON"),
            AnyForm::Proto(any) => (any.value().len(), "protobuf"),
        };
        write!(f, "Any({:?}, {size} bytes of {form})", self.type_name())
    }
}

#[cfg(test)]
mod tests;
