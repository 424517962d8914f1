//! The types of messages in an `Any`.

use prost_reflect::{DescriptorPool, MessageDescriptor};

use crate::json::InvalidJson;
use crate::types::known::{self, KnownType};
use crate::util::excerpt::excerpt;

/// The kinds of Any that there are.
pub(super) enum AnyKind {
    /// Another Any, under `value`.
    Any,
    Known(KnownType),
    Described(MessageDescriptor),
}

impl AnyKind {
    /// A descriptor goes before a type that is known here, unless that has a
    /// JSON form of its own.
    pub(super) fn find(name: &str, pool: &DescriptorPool) -> Result<Self, InvalidJson> {
        let known = KnownType::find(name);
        match (known, pool.get_message_by_name(name)) {
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

pub(super) fn type_name(url: &str) -> &str {
    known::type_name(url)
}

pub(super) fn not_bytes(cause: prost::DecodeError) -> InvalidJson {
    InvalidJson::new(known::why_not_decoded(&cause))
}

pub(super) const ANY: &str = "google.protobuf.Any";

pub(super) const NULL: &str = "google.protobuf.NullValue";
