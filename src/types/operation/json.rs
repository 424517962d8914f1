//! The JSON form of an [`Operation`], of google.longrunning or of a service with
//! a type of its own.
//!
//! An operation that was read from JSON writes the same text again. Only one that
//! a program created, or that came as bytes, is written field by field.

use crate::error::Error;
use crate::json::{InvalidJson, JsonReader, JsonWriter, RawJson};
use crate::types::Status;
use crate::types::extended::{self, ExtendedOperation, OperationForm};
use crate::types::lazy_any::LazyAny;
use crate::types::operation_fields::OperationFields;
use crate::types::text::SharedSource;
use crate::util::excerpt::shown_name;

use super::Operation;

impl Operation {
    /// Parses the JSON form of an operation, as leniently as
    /// [ProtoJSON](https://protobuf.dev/programming-guides/json/) parsers do.
    ///
    /// Unknown fields and types are kept. If a field occurs twice, the last one
    /// counts.
    ///
    /// ```
    /// use longrunning::Operation;
    ///
    /// let op = Operation::from_json(r#"{"name": "operations/42", "done": false}"#)?;
    /// assert_eq!(op.name(), "operations/42");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the text is not JSON, a field
    /// has the wrong type (the message contains its path), or values nest
    /// deeper than 127 levels.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        // The name for the error is looked up only if there is one.
        JsonReader::document(text, Self::read).map_err(|invalid| Error::invalid(&subject(text), invalid))
    }

    /// Returns the JSON form: exactly the text of the server, if the operation
    /// came as JSON.
    ///
    /// For other operations it is canonical ProtoJSON. Protobuf bytes of a type
    /// without a JSON form in this crate are written as base64 under
    /// `value`.
    ///
    /// ```
    /// use longrunning::Operation;
    ///
    /// let sent = r#"{"done": false, "name": "operations/42", "new": 18446744073709551615}"#;
    /// assert_eq!(Operation::from_json(sent)?.to_json(), sent);
    /// assert_eq!(Operation::running("operations/42").to_json(), r#"{"name":"operations/42"}"#);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        // Exactly what was sent, with unknown fields and the digits of all
        // numbers.
        if let Some(text) = self.text {
            return self.source.text(text).into();
        }
        let mut writer = JsonWriter::default();
        // Nothing here can be refused: the messages came as JSON, or fall back to
        // base64.
        let _ = self.write(&mut writer);
        writer.finish()
    }

    /// Reads the operation at which the reader is.
    pub(in crate::types) fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        let mut fields = OperationFields::default();
        let raw = fields.read(reader)?;
        Self::of_fields(&fields, raw, &SharedSource::new(raw))
    }

    /// Reads the fields of the object `raw`, which is a part of `source`.
    pub(in crate::types) fn of_fields<'a>(
        fields: &OperationFields<'a>,
        raw: RawJson<'a>,
        source: &SharedSource,
    ) -> Result<Self, InvalidJson> {
        // A second pass, only for what may be extended: most operations are
        // decided by the fields of the first.
        if fields.may_be_extended()
            && let Some(extended) = extended::read(source, raw)?
        {
            return Self::extended(source, raw, extended);
        }
        let is_of_storage = fields.kind.is_some_and(extended::is_of_storage);
        // An operation of Cloud Storage: its name does not occur in its URL.
        let linked = if is_of_storage { extended::name_by_link(source, raw)? } else { None };
        let name = match linked {
            Some(linked) => Some(source.place(&linked)),
            None => field("name", fields.name, |raw| source.string_part(raw))?,
        };
        let message = |name, raw| field(name, raw, |raw| LazyAny::read(source, raw));
        Ok(Self {
            source: source.data(),
            name: name.unwrap_or_else(|| String::new().into()),
            done: field("done", fields.done, RawJson::boolean)?.unwrap_or_default(),
            metadata: message("metadata", fields.metadata)?.unwrap_or_default(),
            response: message("response", fields.response)?.unwrap_or_default(),
            error: field("error", fields.error, |raw| Status::read(source, raw))?.map(Box::new),
            form: if is_of_storage { OperationForm::CloudStorage } else { OperationForm::Longrunning },
            target_link: None,
            // The whole object, in the block of its page.
            text: Some(source.span(raw)),
        })
    }

    /// Creates an extended operation. Its metadata is the whole object, so that
    /// no field is lost.
    fn extended<'a>(
        source: &SharedSource,
        raw: RawJson<'a>,
        parts: ExtendedOperation,
    ) -> Result<Self, InvalidJson> {
        let ExtendedOperation { form, name, done, error, target_link } = parts;
        Ok(Self {
            source: source.data(),
            name: source.place(&name),
            done,
            metadata: LazyAny::read(source, raw)?,
            response: LazyAny::default(),
            error,
            form,
            target_link: target_link.map(|link| source.place(&link)),
            text: Some(source.span(raw)),
        })
    }

    /// Writes canonical ProtoJSON: the fields in the order of the proto,
    /// without default values.
    fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        writer.object(|writer| {
            if !self.name().is_empty() {
                writer.member("name");
                writer.string(self.name());
            }
            if let Some(metadata) = self.metadata() {
                writer.member("metadata");
                metadata.write(writer)?;
            }
            if self.done {
                writer.member("done");
                writer.raw("true");
            }
            if let Some(error) = &self.error {
                writer.member("error");
                error.write(writer)?;
            }
            if let Some(response) = self.response() {
                writer.member("response");
                response.write(writer)?;
            }
            Ok(())
        })
    }
}

/// Reads a field if it is there; an error names the field.
fn field<'a, T>(
    name: &str,
    value: Option<RawJson<'a>>,
    read: impl FnOnce(RawJson<'a>) -> Result<T, InvalidJson>,
) -> Result<Option<T>, InvalidJson> {
    value.map(|raw| read(raw).map_err(|invalid| invalid.at(name))).transpose()
}

/// Returns how an error refers to the operation: by its name, if that can be
/// read.
fn subject(text: &str) -> String {
    let mut subject = "operation".to_owned();
    // As far as it gets: the text is invalid, and its name may come before the
    // fault.
    let _ = JsonReader::document(text, |reader| {
        reader.fields(|field, reader| {
            let value = reader.value()?;
            if field == "name" {
                subject = format!("operation `{}`", shown_name(&value.string()?));
            }
            Ok(())
        })
    });
    subject
}
