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

use std::any;
use std::fmt;
use std::sync::{Arc, LazyLock};

use prost::{Message, Name};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::json::{InvalidJson, JsonReader, JsonWriter, RawJson};
use crate::types::any::deserialize;
use crate::types::extended::{self, ExtendedOperation, OperationForm};
use crate::types::lazy_any::LazyAny;
use crate::types::operation_fields::OperationFields;
use crate::types::text::{SharedSource, TextPart, TextSpan};
use crate::types::{Any, Code, MalformedReason, Outcome, Status};
use crate::util::excerpt::shown_name;
use crate::util::redact::Masked;

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
    source: Arc<str>,
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

impl Operation {
    /// Creates an operation that is not done.
    ///
    /// ```
    /// use longrunning::{Operation, Outcome};
    ///
    /// let op = Operation::running("operations/42");
    /// assert!(matches!(op.outcome(), Outcome::Running));
    /// ```
    pub fn running(name: impl Into<String>) -> Self {
        Self::named(name.into().into())
    }

    /// Creates an operation that is not done. The others start from it.
    pub(super) fn named(name: TextPart) -> Self {
        Self {
            source: no_text(),
            name,
            done: false,
            metadata: LazyAny::default(),
            response: LazyAny::default(),
            error: None,
            form: OperationForm::Longrunning,
            target_link: None,
            text: None,
        }
    }

    /// Creates an operation that is done and has a response.
    ///
    /// ```
    /// use longrunning::{Any, Operation};
    ///
    /// let op = Operation::succeeded("operations/42", Any::pack(&()));
    /// assert_eq!(op.outcome().to_string(), "succeeded");
    /// ```
    pub fn succeeded(name: impl Into<String>, response: impl Into<Any>) -> Self {
        Self { done: true, response: Some(response.into()).into(), ..Self::running(name) }
    }

    /// Creates an operation that is done and failed.
    ///
    /// ```
    /// use longrunning::{Code, Operation, Status};
    ///
    /// let op = Operation::failed("operations/42", Status::new(Code::Aborted, "conflict"));
    /// assert_eq!(op.error().map(Status::code), Some(Code::Aborted));
    /// ```
    pub fn failed(name: impl Into<String>, error: Status) -> Self {
        Self { done: true, error: Some(Box::new(error)), ..Self::running(name) }
    }

    /// Sets the metadata.
    ///
    /// [`to_json`](Self::to_json) then writes the known fields, not the text of
    /// the server.
    ///
    /// ```
    /// use longrunning::{Any, Operation};
    ///
    /// let metadata = Any::from_json(r#"{"@type": "type.googleapis.com/x.Metadata", "rows": 9}"#)?;
    /// let op = Operation::running("operations/42").with_metadata(metadata);
    /// assert_eq!(op.metadata().map(|any| any.type_name()), Some("x.Metadata"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn with_metadata(self, metadata: impl Into<Any>) -> Self {
        // The text of the server has other metadata, so it is dropped, and with
        // it the form, whose metadata is the whole text.
        let form = OperationForm::Longrunning;
        Self { metadata: Some(metadata.into()).into(), text: None, form, target_link: None, ..self }
    }

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
            return text.of(&self.source).into();
        }
        let mut writer = JsonWriter::default();
        // Nothing here can be refused: the messages came as JSON, or fall back to
        // base64.
        let _ = self.write(&mut writer);
        writer.finish()
    }

    /// Returns the name that the service gave the operation.
    ///
    /// It is not checked and may be empty: some services give no name to an
    /// operation that is done from the start.
    pub fn name(&self) -> &str {
        self.name.of(&self.source)
    }

    /// Returns whether the operation is done, whether it succeeded or failed.
    ///
    /// ```
    /// use longrunning::{Code, Operation, Status};
    ///
    /// assert!(!Operation::running("operations/42").is_done());
    /// assert!(Operation::failed("operations/42", Status::new(Code::Aborted, "conflict")).is_done());
    /// ```
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Returns the metadata: a message of the service about the progress of the
    /// work.
    ///
    /// For an [extended operation](OperationForm) it is the whole operation as
    /// JSON, without `@type`. [`Progress::of`](crate::Progress::of) reads
    /// percentages and times from any type.
    ///
    /// ```
    /// use longrunning::Operation;
    ///
    /// let op = Operation::from_json(
    ///     r#"{"name": "operations/42", "metadata": {"@type": "type.googleapis.com/x.Metadata", "rows": 9}}"#,
    /// )?;
    /// assert_eq!(op.metadata().map(|any| any.type_name()), Some("x.Metadata"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn metadata(&self) -> Option<&Any> {
        self.metadata.get(&self.source)
    }

    /// Returns the response, the result of the work.
    ///
    /// [`outcome`](Self::outcome) says whether it is valid,
    /// [`into_response`](Self::into_response) decodes it.
    ///
    /// ```
    /// use longrunning::{Any, Operation};
    ///
    /// let op = Operation::succeeded("operations/42", Any::pack(&String::from("ready")));
    /// assert_eq!(op.response().map(|any| any.unpack::<String>()).transpose()?.as_deref(), Some("ready"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn response(&self) -> Option<&Any> {
        self.response.get(&self.source)
    }

    /// Returns the error with which the work failed.
    ///
    /// [`outcome`](Self::outcome) says whether it is valid.
    ///
    /// ```
    /// use longrunning::Operation;
    ///
    /// let op = Operation::from_json(r#"{"done": true, "error": {"code": 8, "message": "out of disk"}}"#)?;
    /// assert_eq!(op.error().map(|error| error.to_string()).as_deref(), Some("RESOURCE_EXHAUSTED: out of disk"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn error(&self) -> Option<&Status> {
        self.error.as_deref()
    }

    /// Returns the form in which the service sent the operation.
    ///
    /// ```
    /// use longrunning::{Operation, OperationForm};
    ///
    /// assert_eq!(Operation::running("operations/42").form(), OperationForm::Longrunning);
    /// ```
    pub fn form(&self) -> OperationForm {
        self.form
    }

    /// Returns the URL of the resource that an [extended](OperationForm)
    /// operation creates, changes or deletes.
    ///
    /// It is `None` for other operations, and for those of Cloud DNS. Such an
    /// operation has no response: the resource at this URL is the result.
    ///
    /// ```
    /// use longrunning::Operation;
    ///
    /// let operation = Operation::from_json(
    ///     r#"{"kind": "compute#operation", "name": "operation-1", "status": "DONE",
    ///         "targetLink": "https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/vm"}"#,
    /// )?;
    /// assert!(operation.target_link().is_some_and(|link| link.ends_with("/instances/vm")));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn target_link(&self) -> Option<&str> {
        self.target_link.as_ref().map(|link| link.of(&self.source))
    }

    /// Returns whether the operation runs, succeeded, failed, or is malformed.
    ///
    /// An operation that is done with neither response nor error succeeded. An
    /// operation with both, or with an error of code 0, is
    /// [`Malformed`](Outcome::Malformed).
    ///
    /// ```
    /// use longrunning::{Operation, Outcome};
    ///
    /// let op = Operation::from_json(r#"{"name": "operations/42", "done": true, "error": {"code": 8}}"#)?;
    /// match op.outcome() {
    ///     Outcome::Failed(status) => println!("failed: {status}"),
    ///     other => println!("{other}"),
    /// }
    /// # assert!(matches!(op.outcome(), Outcome::Failed(_)));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn outcome(&self) -> Outcome<'_> {
        let malformed = |fields, error| Outcome::Malformed(MalformedReason::new(fields, error));
        match (self.done, self.error(), self.response()) {
            // `done` alone decides: some services fill in an error or a
            // response early.
            (false, ..) => Outcome::Running,
            (true, Some(error), Some(_)) => malformed("both `error` and `response` are set", error),
            (true, Some(error), None) if error.code() == Code::Ok => malformed("`error` has code 0", error),
            (true, Some(error), None) => Outcome::Failed(error),
            // Without a response too: `google.protobuf.Empty` is left out by
            // some servers.
            (true, None, response) => Outcome::Succeeded(response),
        }
    }

    /// Decodes the response of an operation that succeeded with serde.
    ///
    /// [`Any::decode`] describes the input of `T`. A missing response is an
    /// empty message: it decodes to `()`, a struct without required fields,
    /// or an `Option`.
    ///
    /// An [extended operation](OperationForm) has no response. It is decoded
    /// itself, so a `T` with the field `targetLink` gets the URL of the
    /// resource; `()` accepts it too.
    ///
    /// ```
    /// use longrunning::Operation;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Index {
    ///     rows: String,
    /// }
    ///
    /// let op = Operation::from_json(
    ///     r#"{"name": "operations/42", "done": true,
    ///         "response": {"@type": "type.googleapis.com/x.Index", "rows": "9"}}"#,
    /// )?;
    /// assert_eq!(op.into_response::<Index>()?.rows, "9");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Operation`](crate::ErrorKind::Operation) if the operation failed, with
    /// its status. [`Decode`](crate::ErrorKind::Decode) if the response
    /// does not fit `T`, or the operation is malformed or not done.
    pub fn into_response<T: DeserializeOwned>(self) -> Result<T, Error> {
        let name = shown_name(self.name());
        match self.outcome() {
            Outcome::Running => Err(Error::decode(format!("operation `{name}` is not done"))),
            Outcome::Succeeded(Some(response)) => {
                response.decode_as(&format!("response of operation `{name}`"))
            }
            Outcome::Succeeded(None) if self.form.is_extended() => {
                // An extended operation always has its text: only JSON has this
                // form, and `with_metadata` ends it.
                let text = self.text.map_or("", |span| span.of(&self.source));
                deserialize(text, "null").map_err(|cause| {
                    let wants = any::type_name::<T>();
                    Error::decode(format!("operation `{name}` does not decode into `{wants}`"))
                        .with_source(cause)
                })
            }
            // `null` first, so that an `Option` becomes `None`; `{}` is for
            // structs.
            Outcome::Succeeded(None) => deserialize("null", "{}").map_err(|cause| {
                let wants = any::type_name::<T>();
                Error::decode(format!("operation `{name}` has no response, expected `{wants}`"))
                    .with_source(cause)
            }),
            Outcome::Failed(_) => Err(Error::operation_failed(self)),
            Outcome::Malformed(reason) => Err(Error::operation_malformed(self.name(), reason)),
        }
    }

    /// Returns the response of an operation that succeeded as a prost message.
    ///
    /// [`Any::unpack`] describes which responses can be read so: those in
    /// protobuf bytes
    /// ([`DataFormat::Proto`](crate::transport::DataFormat::Proto), gRPC). A
    /// missing response is an empty message.
    ///
    /// ```
    /// use longrunning::{Any, Operation};
    /// use longrunning::rpc::ErrorInfo;
    ///
    /// let op = Operation::succeeded("operations/42", Any::pack(&ErrorInfo::new("STOCKOUT", "compute.googleapis.com")));
    /// assert_eq!(op.into_message::<ErrorInfo>()?.reason, "STOCKOUT");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Operation`](crate::ErrorKind::Operation) if the operation failed, with
    /// its status. [`Decode`](crate::ErrorKind::Decode) if the response is
    /// no `M`, or the operation is malformed or not done.
    pub fn into_message<M: Message + Name + Default>(self) -> Result<M, Error> {
        match self.outcome() {
            Outcome::Succeeded(Some(response)) => response.unpack(),
            Outcome::Succeeded(None) => Ok(M::default()),
            _ => self.into_response::<()>().map(|()| M::default()),
        }
    }

    /// Returns the operation unless it failed or is malformed; a running one is
    /// returned too.
    pub(crate) fn into_succeeded(self) -> Result<Self, Error> {
        match self.outcome() {
            Outcome::Failed(_) => Err(Error::operation_failed(self)),
            Outcome::Malformed(reason) => Err(Error::operation_malformed(self.name(), reason)),
            Outcome::Running | Outcome::Succeeded(_) => Ok(self),
        }
    }

    /// Returns how long the text is of which this holds a part.
    #[cfg(test)]
    pub(super) fn shared_length(&self) -> usize {
        self.source.len()
    }

    /// Returns whether both operations are parts of one text.
    #[cfg(test)]
    pub(super) fn shares_text_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
    }

    /// Returns whether a field shows that this is an operation. One that has
    /// just been started may have a name only, so `false` proves nothing.
    pub(super) fn is_recognised(&self) -> bool {
        self.form.is_extended() || self.done || self.metadata.is_some() || self.response.is_some()
    }

    /// Completes the bare name of an extended operation: `operation-1` becomes
    /// `projects/p/zones/z/operations/operation-1` in `projects/p/zones/z`.
    /// Names with a slash stay.
    pub(super) fn completed_in(self, collection: &str) -> Self {
        if !self.form.is_extended() || self.name().is_empty() || self.name().contains('/') {
            return self;
        }
        let name = format!("{collection}/operations/{}", self.name());
        self.renamed(name)
    }

    /// Sets the name. The text of the server does not change.
    pub(super) fn renamed(self, name: String) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Reads the operation at which the reader is.
    pub(super) fn read(reader: &mut JsonReader<'_>) -> Result<Self, InvalidJson> {
        let mut fields = OperationFields::default();
        let raw = fields.read(reader)?;
        Self::of_fields(&fields, raw, &SharedSource::new(raw))
    }

    /// Reads the fields of the object `raw`, which is a part of `source`.
    pub(super) fn of_fields<'a>(
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
            source: source.text(),
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
            source: source.text(),
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

/// Returns the text of operations that a program creates: one empty text for
/// all.
fn no_text() -> Arc<str> {
    static EMPTY: LazyLock<Arc<str>> = LazyLock::new(Arc::default);
    Arc::clone(&EMPTY)
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
