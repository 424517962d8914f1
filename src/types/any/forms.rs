//! The two forms of an [`Any`]: how one is created, read and converted to the
//! other.

use std::borrow::Cow;

use prost::{Message, Name};

use super::{Any, AnyForm};
use crate::error::Error;
use crate::json::{InvalidJson, JsonReader, JsonWriter, RawJson, encode_base64};
use crate::types::any_bytes::AnyBytes;
use crate::types::known;
use crate::types::message::JsonMessage;
use crate::types::text::{SharedSource, SharedText};

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
        // One pass over the text: syntax and depth. The content is read when it
        // is used.
        let any = JsonReader::document(text, JsonReader::value).and_then(|raw| {
            raw.check_depth()?;
            Self::read(&SharedSource::new(raw), raw)
        });
        any.map_err(|invalid| Error::invalid("any", invalid))
    }

    /// Creates an `Any` from its protobuf form. The bytes are not checked:
    /// [`unpack`](Self::unpack) does that.
    ///
    /// ```
    /// use longrunning::Any;
    ///
    /// let any = Any::from_proto(prost_types::Any { type_url: "x/y.Z".into(), value: vec![8, 9] });
    /// assert_eq!(any.type_name(), "y.Z");
    /// ```
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
    /// `type.googleapis.com/google.protobuf.Duration`; empty if the message has
    /// none.
    ///
    /// ```
    /// use longrunning::Any;
    ///
    /// assert_eq!(Any::pack(&()).type_url(), "type.googleapis.com/google.protobuf.Empty");
    /// assert_eq!(Any::from_json("{}")?.type_url(), "");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
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
            // Converted at each call: a conversion is rare, and keeping it
            // would double the memory.
            Ok(()) => Ok(Cow::Owned(writer.finish())),
            Err(invalid) => Err(Error::not_converted(self.type_name(), "JSON", invalid)),
        }
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

    /// Returns the message if it has the form of bytes.
    #[cfg(feature = "reflect")]
    pub(in crate::types) fn as_proto(&self) -> Option<prost_types::Any> {
        if let AnyForm::Proto(any) = &self.0 { Some(any.to_proto()) } else { None }
    }

    /// Returns the text if it has the form of JSON.
    #[cfg(feature = "reflect")]
    pub(in crate::types) fn as_text(&self) -> Option<&str> {
        if let AnyForm::JsonMessage { text, .. } = &self.0 { Some(text.as_str()) } else { None }
    }

    /// Creates an `Any` of the object `raw`, which shares the text of `source`.
    /// Fails if its `@type` is not a string.
    pub(in crate::types) fn read<'a>(source: &SharedSource, raw: RawJson<'a>) -> Result<Self, InvalidJson> {
        let text = source.part(raw);
        if Self::leads_with_type(raw) {
            return Ok(Self::of_checked(text));
        }
        // A second pass finds the type wherever it is; few servers need it.
        let type_url = Some(known::type_url(raw)?.into());
        Ok(Self(AnyForm::JsonMessage { text, type_url }))
    }

    /// Returns whether the type URL comes first in a JSON object, and has no
    /// escapes. Such an object needs no further check.
    pub(in crate::types) fn leads_with_type(raw: RawJson<'_>) -> bool {
        let json = raw.text();
        // The first test is for the spelling without spaces and a message
        // without escapes, which is the common one and needs no second look.
        (raw.is_plain() && json.starts_with(r#"{"@type":""#)) || leading_type(json).is_some()
    }

    /// Creates an `Any` of an object that [leads with its
    /// type](Self::leads_with_type).
    pub(in crate::types) fn of_checked(text: SharedText) -> Self {
        Self(AnyForm::JsonMessage { text, type_url: None })
    }

    /// Creates an `Any` that shares the bytes of a larger message.
    pub(in crate::types) fn from_bytes(bytes: AnyBytes) -> Self {
        Self(AnyForm::Proto(bytes))
    }

    /// Writes the JSON form or, if there is none, the bytes as base64 under
    /// `value`.
    ///
    /// So an operation with bytes of an unknown type still has a JSON text, and
    /// no byte is lost in it.
    pub(in crate::types) fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        let any = match (self.json(), &self.0) {
            (Ok(json), _) => {
                writer.raw(&json);
                return Ok(());
            }
            (Err(_), AnyForm::Proto(any)) => any,
            // Text is its own JSON form, so this does not happen.
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

/// Returns the type URL if it comes first and has no escapes, as nearly all
/// servers write it.
///
/// ```text
/// {"@type":"type.googleapis.com/x.Y","rows":9}     type.googleapis.com/x.Y
/// { "@type" : "x/Y" }                              x/Y
/// {"rows":9,"@type":"x/Y"}                         nothing
/// {"@type":"x\/Y"}                                 nothing
/// ```
fn leading_type(json: &str) -> Option<&str> {
    let member = json.strip_prefix('{')?.trim_start().strip_prefix("\"@type\"")?;
    let value = member.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let (url, _) = value.split_once('"')?;
    (!url.contains('\\')).then_some(url)
}
