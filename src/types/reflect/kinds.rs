//! The ways in which the message of an `Any` can be converted.

use prost_reflect::{DescriptorPool, MessageDescriptor};

use crate::json::InvalidJson;
use crate::types::known::{self, KnownType};
use crate::util::excerpt::excerpt;

/// How the message of an Any is converted.
pub(super) enum AnyKind {
    /// Another Any, under `value`.
    Any,
    /// A type with a conversion in this crate.
    Known(KnownType),
    /// A type of the pool.
    Described(MessageDescriptor),
}

impl AnyKind {
    /// Returns how a type is converted.
    ///
    /// A type with a JSON form of its own always has that form. For any other,
    /// a descriptor of the program goes first: it may be newer than the types
    /// of this crate.
    pub(super) fn find(name: &str, pool: &DescriptorPool) -> Result<Self, InvalidJson> {
        let known = KnownType::find(name);
        match (known, pool.get_message_by_name(name)) {
            // Any goes first: its content may be of a type of the pool.
            _ if name == ANY => Ok(Self::Any),
            (Some(known), _) if known.own_form => Ok(Self::Known(known)),
            (_, Some(descriptor)) => Ok(Self::Described(descriptor)),
            (Some(known), None) => Ok(Self::Known(known)),
            (None, None) => {
                let name = excerpt(name);
                Err(InvalidJson::new(format!("no descriptor of type `{name}` is in the pool or known here")))
            }
        }
    }
}

/// Returns the type of a message with a JSON form of its own, but Any.
pub(super) fn own_form(name: &str) -> Option<KnownType> {
    KnownType::find(name).filter(|known| known.own_form && name != ANY)
}

/// Returns the full name of a type from its URL.
pub(super) fn type_name(url: &str) -> &str {
    known::type_name(url)
}

/// Returns the error for bytes that prost cannot decode.
pub(super) fn not_bytes(cause: prost::DecodeError) -> InvalidJson {
    InvalidJson::new(known::why_not_decoded(&cause))
}

pub(super) const ANY: &str = "google.protobuf.Any";

/// The enum whose only value is JSON's null.
pub(super) const NULL: &str = "google.protobuf.NullValue";
