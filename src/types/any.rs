//! A message of any type, as it came.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use prost::{Message, Name};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::json::{Invalid, Raw};
use crate::types::text::Text;

/// A message of any type, kept as it came: as JSON text or as protobuf bytes.
#[derive(Clone, PartialEq)]
pub struct Any(Form);

#[derive(Clone)]
enum Form {
    Json { text: Text, type_url: Box<str> },
    Proto(prost_types::Any),
}

impl Any {
    /// Takes a JSON object with the type's URL under `@type`.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let raw = Raw::document(text);
        Self::read(&Arc::from(raw.text()), raw).map_err(|invalid| invalid.into_error("any"))
    }

    /// Takes protobuf bytes with the type's URL.
    pub fn from_proto(any: prost_types::Any) -> Self {
        Self(Form::Proto(any))
    }

    /// Encodes a protobuf message.
    pub fn pack<M: Message + Name>(message: &M) -> Self {
        Self(Form::Proto(prost_types::Any { type_url: M::type_url(), value: message.encode_to_vec() }))
    }

    /// The URL of the type, such as `type.googleapis.com/google.protobuf.Duration`; empty if none was given.
    pub fn type_url(&self) -> &str {
        match &self.0 {
            Form::Json { type_url, .. } => type_url,
            Form::Proto(any) => &any.type_url,
        }
    }

    /// The name of the type: what follows the last `/` of the URL.
    pub fn type_name(&self) -> &str {
        let url = self.type_url();
        url.rsplit_once('/').map_or(url, |(_, name)| name)
    }

    /// The JSON text.
    pub fn json(&self) -> Result<Cow<'_, str>, Error> {
        match &self.0 {
            Form::Json { text, .. } => Ok(Cow::Borrowed(text.as_str())),
            Form::Proto(_) => Err(Error::decode(format!("any of type `{}` has no JSON", self.type_name()))),
        }
    }

    /// Decodes the JSON into a type of the caller's.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let json = self.json()?;
        serde_json::from_str(&json).map_err(|cause| {
            let (has, wants) = (self.type_name(), std::any::type_name::<T>());
            Error::decode(format!("any of type `{has}` does not decode into `{wants}`")).with_source(cause)
        })
    }

    /// Decodes a protobuf message.
    pub fn unpack<M: Message + Name + Default>(&self) -> Result<M, Error> {
        let (has, wants) = (self.type_name(), M::full_name());
        match &self.0 {
            Form::Proto(any) if has == wants => M::decode(&*any.value).map_err(|cause| {
                Error::decode(format!("any of type `{has}` is not valid")).with_source(cause)
            }),
            _ => Err(Error::decode(format!("any of type `{has}` cannot be unpacked as `{wants}`"))),
        }
    }

    /// Reads the object `raw`, a part of `whole`.
    pub(super) fn read(whole: &Arc<str>, raw: Raw<'_>) -> Result<Self, Invalid> {
        let mut type_url = Box::default();
        raw.fields(|name, value| {
            if name == "@type" {
                type_url = value.string().map_err(|invalid| invalid.at("@type"))?.into();
            }
            Ok(())
        })?;
        Ok(Self(Form::Json { text: Text::part(whole, raw), type_url }))
    }
}

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Json { text, .. }, Self::Json { text: other, .. }) => text.as_str() == other.as_str(),
            (Self::Proto(any), Self::Proto(other)) => any == other,
            _ => false,
        }
    }
}

impl fmt::Debug for Any {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Any").field(&self.type_name()).finish()
    }
}

impl From<prost_types::Any> for Any {
    fn from(any: prost_types::Any) -> Self {
        Self::from_proto(any)
    }
}
