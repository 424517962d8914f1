//! Decoding of an [`Any`] into a type of the program: by serde, or as a prost
//! message.
//!
//! Errors name both types, and quote the message only as far as an excerpt
//! goes.

use std::any;
use std::fmt;

use prost::{Message, Name};
use serde::de::DeserializeOwned;

use super::{Any, AnyForm};
use crate::error::{Error, TYPED_RESULTS};
use crate::json::{InvalidJson, JsonReader, JsonWriter};
use crate::types::known::{KnownType, why_not_decoded};
use crate::util::excerpt::excerpt;

/// Typed results.
impl Any {
    /// Decodes the message with serde.
    ///
    /// `T` is deserialized from the fields of the message, without `@type`. A
    /// type with a JSON form of its own, such as
    /// `google.protobuf.Duration`, is deserialized from its `value`: here the string `1.5s`. An
    /// `Empty` decodes to `()` and to a struct without fields.
    ///
    /// ```
    /// use longrunning::Any;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Index {
    ///     rows: u64,
    /// }
    ///
    /// let any = Any::from_json(r#"{"@type": "type.googleapis.com/x.Index", "rows": 9}"#)?;
    /// assert_eq!(any.decode::<Index>()?.rows, 9);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the message does not fit `T`,
    /// with serde's error as the source, or if it consists of bytes that
    /// [`json`](Self::json) cannot convert.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.decode_as("any")
    }

    /// Decodes like [`decode`](Self::decode). Errors call the message `what`,
    /// such as "response of operation `operations/42`".
    pub(in crate::types) fn decode_as<T: DeserializeOwned>(&self, what: &str) -> Result<T, Error> {
        // From text this borrows, from bytes of a known type it converts.
        let json = self.json()?;
        let name = self.type_name();
        let payload = JsonReader::document(&json, |reader| payload(reader, name));
        let payload = payload.map_err(|invalid| Error::invalid(what, invalid))?;
        // An empty message is `{}` for a struct and `null` for `()` and
        // `Option`; serde accepts one or the other.
        let absent = matches!(name, "" | EMPTY) && payload == "{}";
        let fallback = if absent { "null" } else { &payload };
        deserialize(&payload, fallback).map_err(|cause| {
            let (has, wants) = (excerpt(name), any::type_name::<T>());
            Error::decode(format!("{what} of type `{has}` does not decode into `{wants}`; {TYPED_RESULTS}"))
                .with_source(cause)
        })
    }

    /// Decodes the message as a prost message, if its type is `M`.
    ///
    /// Bytes can be of any type, JSON text of the types that
    /// [`json`](Self::json) lists. Others can be [decoded](Self::decode),
    /// and so can `Struct`, `Value`, `ListValue` and `FieldMask`, which have no
    /// name in prost-types.
    ///
    /// ```
    /// use longrunning::Any;
    /// use longrunning::rpc::ErrorInfo;
    ///
    /// let any = Any::from_json(r#"{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "STOCKOUT"}"#)?;
    /// assert_eq!(any.unpack::<ErrorInfo>()?.reason, "STOCKOUT");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the message has another type, is
    /// invalid, or is JSON of an unknown type.
    pub fn unpack<M: Message + Name + Default>(&self) -> Result<M, Error> {
        let (has, wants) = (self.type_name(), M::full_name());
        if has != wants {
            let has = excerpt(has);
            return Err(Error::decode(format!(
                "any is of type `{has}`, expected `{wants}`; {TYPED_RESULTS}"
            )));
        }
        // The names are equal, so the bytes are of this type.
        let message = match &self.0 {
            AnyForm::Proto(any) => M::decode(any.value()),
            AnyForm::JsonMessage { .. } => M::decode(&*self.to_proto()?.value),
        };
        message.map_err(|cause| {
            let why = why_not_decoded(&cause);
            Error::decode(format!("cannot unpack an any of type `{has}`: {why}; {TYPED_RESULTS}"))
                .with_source(cause)
        })
    }
}

/// Returns the JSON from which the caller's type is deserialized: the `value`
/// of a type with a JSON form of its own, else the fields without `@type`.
///
/// ```text
/// {"@type":"…/google.protobuf.Duration","value":"1.5s"}    "1.5s"
/// {"@type":"…/x.Index","rows":9}                           {"rows":9}
/// {"@type":"…/google.protobuf.Empty","value":{}}           {}
/// ```
fn payload(reader: &mut JsonReader<'_>, type_name: &str) -> Result<String, InvalidJson> {
    // Only these types have their value under `value`; in any other it is a
    // field.
    let own_form = KnownType::find(type_name).is_some_and(|known| known.own_form);
    let mut value = "null";
    let mut fields = JsonWriter::default();
    fields.object(|fields| {
        let any = reader.members(|name, reader| {
            let raw = reader.value()?;
            match name {
                "value" if own_form => value = raw.text(),
                "@type" => {}
                _ if type_name == EMPTY => {}
                _ => {
                    fields.member(name);
                    // Unparsed, so numbers keep all their digits until serde
                    // reads them.
                    fields.raw(raw.text());
                }
            }
            Ok(())
        });
        any.map(drop)
    })?;
    Ok(if own_form { value.to_owned() } else { fields.finish() })
}

/// The name of the empty message. Some servers give it an empty `value`, which
/// is dropped.
const EMPTY: &str = "google.protobuf.Empty";

/// Deserializes `T` from `json`, or else from `fallback`. The error is that for
/// `json`.
pub(in crate::types) fn deserialize<T: DeserializeOwned>(
    json: &str,
    fallback: &str,
) -> Result<T, TypeMismatch> {
    serde_json::from_str(json)
        // The first error is reported: it is about the text that the server
        // sent.
        .or_else(|cause| serde_json::from_str(fallback).map_err(|_| TypeMismatch::new(&cause)))
}

/// The error of serde for the type of the program, as an excerpt: it may quote
/// the message.
#[derive(Debug)]
pub(in crate::types) struct TypeMismatch(String);

impl TypeMismatch {
    fn new(cause: &serde_json::Error) -> Self {
        // The position would refer to the payload, which the caller does not see.
        let place = format!(" at line {} column {}", cause.line(), cause.column());
        Self(excerpt(cause.to_string().trim_end_matches(&place)))
    }
}

impl fmt::Display for TypeMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TypeMismatch {}
