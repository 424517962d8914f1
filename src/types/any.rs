//! A message of any type, as it arrived.

use std::any;
use std::borrow::Cow;
use std::fmt;

use prost::{Message, Name};
use serde::de::DeserializeOwned;

use crate::error::{Error, TYPED_RESULTS};
use crate::json::{InvalidJson, JsonReader, JsonWriter, RawJson, encode_base64};
use crate::types::known::{self, KnownType, why_not_decoded};
use crate::types::message::JsonMessage;
use crate::types::packed::PackedAny;
use crate::types::text::{SharedSource, SharedText};
use crate::util::excerpt::excerpt;

/// A message of any type, kept as it came: JSON text from REST, protobuf bytes
/// from gRPC.
///
/// It is only interpreted on request, so a program can keep, show and pass on a
/// type that it does not know, without loss. [`decode`](Self::decode) reads the
/// JSON into a type of yours, [`unpack`](Self::unpack) gives a protobuf
/// message. Two of them are equal if they have the same text, or the same type
/// URL and bytes.
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

#[derive(Clone)]
enum AnyForm {
    /// The URL is kept apart only where it does not come first in the text,
    /// free of escapes.
    JsonMessage {
        text: SharedText,
        type_url: Option<Box<str>>,
    },
    Proto(PackedAny),
}

impl Any {
    /// Creates an `Any` from the JSON form of a message: an object with the URL
    /// of its type under `@type`.
    ///
    /// The text is kept. An object without `@type` is accepted too, since some
    /// servers send `{}` as an empty response.
    ///
    /// ```
    /// use longrunning::Any;
    ///
    /// let any = Any::from_json(r#"{"@type": "type.googleapis.com/google.protobuf.Duration", "value": "90s"}"#)?;
    /// assert_eq!(any.unpack::<prost_types::Duration>()?.seconds, 90);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the text is not a JSON object,
    /// nests deeper than 127 levels, or has an `@type` that is not a
    /// string.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let any = JsonReader::document(text, JsonReader::value).and_then(|raw| {
            raw.check_depth()?;
            Self::read(&SharedSource::new(raw), raw)
        });
        any.map_err(|invalid| Error::invalid("any", invalid))
    }

    /// Creates an `Any` from its protobuf form. The bytes are neither copied
    /// nor checked.
    pub fn from_proto(any: prost_types::Any) -> Self {
        Self(AnyForm::Proto(any.into()))
    }

    /// Encodes a protobuf message.
    ///
    /// ```
    /// use longrunning::Any;
    ///
    /// let any = Any::pack(&prost_types::Duration { seconds: 90, nanos: 0 });
    /// assert_eq!(any.type_url(), "type.googleapis.com/google.protobuf.Duration");
    /// assert_eq!(any.json()?, r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"90s"}"#);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn pack<M: Message + Name>(message: &M) -> Self {
        Self::from_proto(prost_types::Any { type_url: M::type_url(), value: message.encode_to_vec() })
    }

    /// Returns the URL of the type, such as
    /// `type.googleapis.com/google.protobuf.Duration`, or an empty string.
    pub fn type_url(&self) -> &str {
        match &self.0 {
            AnyForm::JsonMessage { type_url: Some(url), .. } => url,
            AnyForm::JsonMessage { text, type_url: None } => leading_type(text.as_str()).unwrap_or_default(),
            AnyForm::Proto(any) => any.type_url(),
        }
    }

    /// Returns the name of the type, such as `google.protobuf.Duration`: the
    /// part of the URL after the last `/`.
    ///
    /// Compare this and not the URL, whose first part differs between services.
    ///
    /// ```
    /// use longrunning::Any;
    ///
    /// let any = Any::from_json(r#"{"@type": "types.example.com/x.Index"}"#)?;
    /// assert_eq!(any.type_name(), "x.Index");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn type_name(&self) -> &str {
        known::type_name(self.type_url())
    }

    /// Returns the JSON form: the text as it arrived, or the conversion of
    /// bytes of a known type.
    ///
    /// The known types are those of `google.protobuf` with a JSON form of their
    /// own (durations, timestamps, wrappers, structs, field masks, `Empty`
    /// and `Any`), `google.rpc.Status` and its [details](crate::rpc).
    ///
    /// ```
    /// use longrunning::Any;
    /// use longrunning::rpc::ErrorInfo;
    ///
    /// let any = Any::pack(&ErrorInfo::new("STOCKOUT", "compute.googleapis.com"));
    /// assert!(any.json()?.contains(r#""reason":"STOCKOUT""#));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the bytes are of another type,
    /// or are invalid.
    pub fn json(&self) -> Result<Cow<'_, str>, Error> {
        let any = match &self.0 {
            AnyForm::JsonMessage { text, .. } => return Ok(Cow::Borrowed(text.as_str())),
            AnyForm::Proto(any) => any,
        };
        let mut writer = JsonWriter::default();
        match known::write(any.type_url(), any.value(), &mut writer) {
            Ok(()) => Ok(Cow::Owned(writer.finish())),
            Err(invalid) => Err(Error::not_converted(self.type_name(), "JSON", invalid)),
        }
    }

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

    /// Decodes like [`decode`](Self::decode), with a name for the message in
    /// the error.
    pub(super) fn decode_as<T: DeserializeOwned>(&self, what: &str) -> Result<T, Error> {
        let json = self.json()?;
        let name = self.type_name();
        let payload = JsonReader::document(&json, |reader| payload(reader, name));
        let payload = payload.map_err(|invalid| Error::invalid(what, invalid))?;
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

    /// Returns the protobuf form: the bytes as they arrived, or the conversion
    /// of JSON of a [known](Self::json) type.
    ///
    /// ```
    /// use longrunning::Any;
    ///
    /// let any = Any::from_json(r#"{"@type": "type.googleapis.com/google.protobuf.Duration", "value": "90s"}"#)?;
    /// assert_eq!(any.to_proto()?.value, [8, 90]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if it is JSON of another type, or
    /// invalid.
    pub fn to_proto(&self) -> Result<prost_types::Any, Error> {
        let text = match &self.0 {
            AnyForm::JsonMessage { text, .. } => text.as_str(),
            AnyForm::Proto(any) => return Ok(any.to_proto()),
        };
        JsonReader::document(text, JsonMessage::read)
            .map_err(|invalid| Error::not_converted(self.type_name(), "protobuf", invalid))
    }

    #[cfg(feature = "reflect")]
    pub(super) fn as_proto(&self) -> Option<prost_types::Any> {
        if let AnyForm::Proto(any) = &self.0 { Some(any.to_proto()) } else { None }
    }

    #[cfg(feature = "reflect")]
    pub(super) fn as_text(&self) -> Option<&str> {
        if let AnyForm::JsonMessage { text, .. } = &self.0 { Some(text.as_str()) } else { None }
    }

    /// Creates an `Any` of the object `raw`, which shares the text of `source`.
    pub(super) fn read<'a>(source: &SharedSource, raw: RawJson<'a>) -> Result<Self, InvalidJson> {
        let text = source.part(raw);
        if Self::leads_with_type(raw) {
            return Ok(Self::of_checked(text));
        }
        let type_url = Some(known::type_url(raw)?.into());
        Ok(Self(AnyForm::JsonMessage { text, type_url }))
    }

    /// Returns whether the type's URL comes first in a JSON value, and has no
    /// escapes.
    pub(super) fn leads_with_type(raw: RawJson<'_>) -> bool {
        let json = raw.text();
        (raw.is_plain() && json.starts_with(r#"{"@type":""#)) || leading_type(json).is_some()
    }

    /// Creates an `Any` of an object that [leads with its
    /// type](Self::leads_with_type).
    pub(super) fn of_checked(text: SharedText) -> Self {
        Self(AnyForm::JsonMessage { text, type_url: None })
    }

    /// Creates an `Any` that shares the bytes of a larger message.
    pub(super) fn from_packed(packed: PackedAny) -> Self {
        Self(AnyForm::Proto(packed))
    }

    /// Writes the JSON form or, if there is none, the bytes as base64 under
    /// `value`.
    pub(super) fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        let any = match (self.json(), &self.0) {
            (Ok(json), _) => {
                writer.raw(&json);
                return Ok(());
            }
            (Err(_), AnyForm::Proto(any)) => any,
            (Err(_), AnyForm::JsonMessage { .. }) => return Ok(()),
        };
        writer.object(|writer| {
            writer.member("@type");
            writer.string(any.type_url());
            writer.member("value");
            writer.string(&encode_base64(any.value()));
            Ok(())
        })
    }
}

/// Returns the type's URL where it comes first and has no escapes, as all
/// servers write it.
fn leading_type(json: &str) -> Option<&str> {
    let member = json.strip_prefix('{')?.trim_start().strip_prefix("\"@type\"")?;
    let value = member.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let (url, _) = value.split_once('"')?;
    (!url.contains('\\')).then_some(url)
}

/// Returns the JSON from which the caller's type is deserialized: the fields
/// without `@type`, or the `value`.
fn payload(reader: &mut JsonReader<'_>, type_name: &str) -> Result<String, InvalidJson> {
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
                    fields.raw(raw.text());
                }
            }
            Ok(())
        });
        any.map(drop)
    })?;
    Ok(if own_form { value.to_owned() } else { fields.finish() })
}

/// Some servers give it an empty `value`.
const EMPTY: &str = "google.protobuf.Empty";

/// Reads `T` from `json`, or else from `fallback`; the error says why `json`
/// does not do.
pub(super) fn deserialize<T: DeserializeOwned>(json: &str, fallback: &str) -> Result<T, TypeMismatch> {
    serde_json::from_str(json)
        .or_else(|cause| serde_json::from_str(fallback).map_err(|_| TypeMismatch::new(&cause)))
}

/// Why serde could not make the caller's type; quotes no more of the message
/// than an error may.
#[derive(Debug)]
pub(super) struct TypeMismatch(String);

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

/// Prints the type and the size.
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
mod tests {
    use std::collections::BTreeMap;
    use std::error::Error as _;

    use serde::Deserialize;
    use serde_json::Value;

    use super::*;
    use crate::proto::google::longrunning::GetOperationRequest;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Index {
        rows: Option<String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Nothing {}

    fn any(json: &str) -> Any {
        Any::from_json(json).unwrap()
    }

    #[test]
    fn type_urls() {
        let table = [
            (r#"{"@type":"type.googleapis.com/x.Y"}"#, "type.googleapis.com/x.Y", "x.Y"),
            (r#" { "@type" : "a/b/x.Y" , "n":1 } "#, "a/b/x.Y", "x.Y"),
            (r#"{"n":{"@type":"no"},"@type":"x.Y"}"#, "x.Y", "x.Y"),
            (r#"{"@type":"x\/\u0059"}"#, "x/Y", "Y"),
            (r#"{"\u0040type":"x/Y"}"#, "x/Y", "Y"),
            (r#"{"@type":"x/"}"#, "x/", ""),
            (r#"{"@type":null}"#, "", ""),
            (r#"{"@typed":"x/Y"}"#, "", ""),
            ("{}", "", ""),
        ];
        for (json, url, name) in table {
            assert_eq!((any(json).type_url(), any(json).type_name()), (url, name), "{json}");
            assert_eq!(any(json).json().unwrap(), json.trim(), "{json}");
        }
    }

    #[test]
    fn what_is_no_any() {
        let table = [
            ("null", "any is not valid: expected an object, found null"),
            ("[]", "any is not valid: expected an object, found an array"),
            (r#""x""#, "any is not valid: expected an object, found a string"),
            (r#"{"@type":{}}"#, "any is not valid: `@type`: expected a string, found an object"),
            ("{", "any is not valid JSON"),
            ("{}{}", "any is not valid JSON"),
        ];
        for (json, message) in table {
            assert_eq!(Any::from_json(json).unwrap_err().to_string(), message, "{json}");
        }
    }

    #[test]
    fn decode_gives_the_fields_or_the_value() {
        let index = any(r#"{"rows":"9","@type":"x/Index"}"#);
        assert_eq!(index.decode::<Index>().unwrap(), Index { rows: Some("9".into()) });
        assert_eq!(index.decode::<BTreeMap<String, String>>().unwrap(), [("rows".into(), "9".into())].into());
        let value = any(r#"{"@type":"x/Mine","value":1,"na\"me":null}"#);
        assert_eq!(value.decode::<Value>().unwrap(), serde_json::json!({"value": 1, "na\"me": null}));
        let duration = any(r#"{"@type":"x/google.protobuf.Duration","value":"1.5s"}"#);
        assert_eq!(duration.decode::<String>().unwrap(), "1.5s");
        let wide = any(r#"{"@type":"x/google.protobuf.UInt64Value","value":18446744073709551615}"#);
        assert_eq!(wide.decode::<u64>().unwrap(), u64::MAX);
        let null = any(r#"{"@type":"x/google.protobuf.Value","value":null}"#);
        assert_eq!(null.decode::<Value>().unwrap(), Value::Null);
        let nested = any(r#"{"@type":"x/google.protobuf.Any","value":{"@type":"x/Index","rows":"9"}}"#);
        assert_eq!(nested.decode::<Any>().unwrap().decode::<Index>().unwrap().rows.unwrap(), "9");
        let bytes = Any::pack(&prost_types::Duration { seconds: 3, nanos: 0 });
        assert_eq!(bytes.decode::<String>().unwrap(), "3s");
    }

    #[test]
    fn empty_decodes_into_whatever_is_empty() {
        let empties = [
            any(r#"{"@type":"x/google.protobuf.Empty"}"#),
            any(r#"{"@type":"x/google.protobuf.Empty","value":{}}"#),
            any("{}"),
            Any::pack(&()),
        ];
        for empty in empties {
            empty.decode::<()>().unwrap();
            assert_eq!(empty.decode::<Nothing>().unwrap(), Nothing {});
            assert_eq!(empty.decode::<Index>().unwrap(), Index::default());
            assert_eq!(empty.decode::<Value>().unwrap(), serde_json::json!({}));
        }
        any(r#"{"@type":"x/Other"}"#).decode::<()>().unwrap_err();
    }

    #[test]
    fn decode_says_what_it_has_and_wants() {
        let error = any(r#"{"@type":"x/Index","rows":9}"#).decode::<Index>().unwrap_err();
        let wants = any::type_name::<Index>();
        assert_eq!(
            error.to_string(),
            format!("any of type `Index` does not decode into `{wants}`; {TYPED_RESULTS}")
        );
        assert_eq!(error.source().unwrap().to_string(), "invalid type: integer `9`, expected a string");
        let long = format!(r#"{{"@type":"x/{0}","rows":"{0}"}}"#, "long".repeat(1000));
        let error = any(&long).decode::<BTreeMap<String, u8>>().unwrap_err();
        assert!(error.to_string().len() < 400, "{error}");
        let cause = error.source().unwrap().to_string();
        assert!(cause.starts_with("invalid type: string \"long") && cause.len() <= 200, "{cause}");
        let unknown = Any::pack(&GetOperationRequest::default());
        let error = unknown.decode::<Value>().unwrap_err();
        let message = "cannot convert an any of type `google.longrunning.GetOperationRequest` to JSON: \
                       no descriptor of type `google.longrunning.GetOperationRequest` is known here: use `unpack`, or `in_json` with descriptors; see docs/typed-results.md";
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn unpack_compares_names_and_not_hosts() {
        let request = GetOperationRequest { name: "operations/42".into() };
        assert_eq!(Any::pack(&request).unpack::<GetOperationRequest>().unwrap(), request);
        let json =
            any(r#"{"@type":"example.com/google.protobuf.UInt64Value","value":"18446744073709551615"}"#);
        assert_eq!(json.unpack::<u64>().unwrap(), u64::MAX);
        let error = Any::pack(&request).unpack::<u64>().unwrap_err();
        let message = "any is of type `google.longrunning.GetOperationRequest`, expected \
                       `google.protobuf.UInt64Value`; see docs/typed-results.md";
        assert_eq!(error.to_string(), message);
        let json = any(r#"{"@type":"x/google.longrunning.GetOperationRequest","name":"operations/42"}"#);
        let message = "cannot convert an any of type `google.longrunning.GetOperationRequest` to protobuf: \
                       no descriptor of type `google.longrunning.GetOperationRequest` is known here: use `decode`, or `in_proto` with descriptors; see docs/typed-results.md";
        assert_eq!(json.unpack::<GetOperationRequest>().unwrap_err().to_string(), message);
        let broken = prost_types::Any { type_url: "x/google.protobuf.UInt64Value".into(), value: vec![0xff] };
        let message = "cannot unpack an any of type `google.protobuf.UInt64Value`: the bytes are not valid for the type; \
                       see docs/typed-results.md";
        assert_eq!(Any::from(broken).unpack::<u64>().unwrap_err().to_string(), message);
    }

    #[test]
    fn equality_and_debug() {
        let json = r#"{"@type":"x/google.protobuf.Duration","value":"3s"}"#;
        assert_eq!(any(json), any(&format!(" {json}\n")));
        assert_ne!(any(json), any(&json.replace(':', ": ")));
        assert_ne!(any(json), Any::pack(&prost_types::Duration { seconds: 3, nanos: 0 }));
        assert_eq!(format!("{:?}", any(json)), r#"Any("google.protobuf.Duration", 51 bytes of JSON)"#);
        assert_eq!(
            format!("{:?}", Any::pack(&7i64)),
            r#"Any("google.protobuf.Int64Value", 2 bytes of protobuf)"#
        );
    }
}
