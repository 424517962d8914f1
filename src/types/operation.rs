//! Work that outlives the call that started it.

use std::any;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::json::{Invalid, Raw, Reader, Writer, bounded};
use crate::types::any::deserialize;
use crate::types::text::{Source, Text};
use crate::types::{Any, Code, Outcome, Status};

/// The state of a long-running operation: a [`google.longrunning.Operation`].
///
/// One that came from a server keeps the server's text, so that nothing is lost. Clones share it. Two
/// operations are equal if their name, `done`, metadata, response and error are; fields that this crate does
/// not know, and the order of the fields, make no difference.
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
    name: Text,
    pub(super) done: bool,
    pub(super) metadata: Option<Any>,
    pub(super) response: Option<Any>,
    pub(super) error: Option<Box<Status>>,
    /// What the server sent, unless the operation was put together here.
    text: Option<Arc<str>>,
}

impl Operation {
    /// Makes an operation that is not done.
    pub fn running(name: impl Into<String>) -> Self {
        let name = name.into().into();
        Self { name, done: false, metadata: None, response: None, error: None, text: None }
    }

    /// Makes an operation that is done and has a response.
    ///
    /// ```
    /// use longrunning::{Any, Operation};
    ///
    /// let op = Operation::succeeded("operations/42", Any::pack(&()));
    /// assert_eq!(op.outcome().to_string(), "succeeded");
    /// ```
    pub fn succeeded(name: impl Into<String>, response: impl Into<Any>) -> Self {
        Self { done: true, response: Some(response.into()), ..Self::running(name) }
    }

    /// Makes an operation that is done and failed.
    pub fn failed(name: impl Into<String>, error: Status) -> Self {
        Self { done: true, error: Some(Box::new(error)), ..Self::running(name) }
    }

    /// Sets the metadata; [`to_json`](Self::to_json) then gives what this crate knows of the operation.
    #[must_use]
    pub fn with_metadata(self, metadata: impl Into<Any>) -> Self {
        Self { metadata: Some(metadata.into()), text: None, ..self }
    }

    /// Reads the JSON form of an operation, [leniently](https://protobuf.dev/programming-guides/json/).
    ///
    /// Unknown fields and types are kept, not refused. Where a field occurs twice, the last one counts.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the text is no JSON, a field is of the wrong kind (the message
    /// gives its path), or values nest deeper than 127 levels.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        Reader::document(text, Self::read).map_err(|invalid| invalid.into_error(&subject(text)))
    }

    /// The JSON form: exactly what the server sent, if the operation came from one.
    ///
    /// Of an operation that was put together, or came as protobuf, it is canonical ProtoJSON. Then bytes of a
    /// type without a JSON form here stand as base64 under `value`.
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
        if let Some(text) = &self.text {
            return text.as_ref().into();
        }
        let mut writer = Writer::default();
        // Nothing here can be refused: the messages came as JSON, or fall back to base64.
        let _ = self.write(&mut writer);
        writer.finish()
    }

    /// The name that the service gave it, as it came: perhaps empty, and not checked.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Whether the work is over.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// How the work is getting on, in a message of the service's own.
    pub fn metadata(&self) -> Option<&Any> {
        self.metadata.as_ref()
    }

    /// What the work gave; see [`outcome`](Self::outcome) for whether that counts.
    pub fn response(&self) -> Option<&Any> {
        self.response.as_ref()
    }

    /// Why the work failed; see [`outcome`](Self::outcome) for whether that counts.
    pub fn error(&self) -> Option<&Status> {
        self.error.as_deref()
    }

    /// What came of the work, as far as it is known.
    ///
    /// An operation that is done with neither response nor error succeeded. One with both, or with an error of
    /// code 0, is [`Malformed`](Outcome::Malformed).
    pub fn outcome(&self) -> Outcome<'_> {
        match (self.done, self.error(), self.response()) {
            (false, ..) => Outcome::Running,
            (true, Some(_), Some(_)) => Outcome::Malformed("both `error` and `response` are set"),
            (true, Some(error), None) if error.code() == Code::Ok => Outcome::Malformed("`error` has code 0"),
            (true, Some(error), None) => Outcome::Failed(error),
            (true, None, response) => Outcome::Succeeded(response),
        }
    }

    /// Reads the response of an operation that succeeded into a serde type of yours.
    ///
    /// See [`Any::decode`] for what `T` is given. Where there is no response, that is an empty message: `()`, a
    /// struct whose fields may all be absent, or an `Option`.
    ///
    /// # Errors
    ///
    /// [`Operation`](crate::ErrorKind::Operation) if the operation failed, with its status.
    /// [`Decode`](crate::ErrorKind::Decode) if `T` does not fit, or the operation is malformed or not done.
    pub fn into_response<T: DeserializeOwned>(self) -> Result<T, Error> {
        let name = bounded(self.name());
        match self.outcome() {
            Outcome::Running => Err(Error::decode(format!("operation `{name}` is not done"))),
            Outcome::Succeeded(Some(response)) => {
                response.decode_as(&format!("response of operation `{name}`"))
            }
            Outcome::Succeeded(None) => deserialize("null", "{}").map_err(|cause| {
                let wants = any::type_name::<T>();
                Error::decode(format!("operation `{name}` has no response, expected `{wants}`"))
                    .with_source(cause)
            }),
            Outcome::Failed(_) => Err(Error::operation_failed(self)),
            Outcome::Malformed(why) => Err(Error::decode(format!("operation `{name}` is malformed: {why}"))),
        }
    }

    /// Reads the operation that the reader stands at.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Invalid> {
        let mut fields = Fields::default();
        let raw = reader.fields(|name, reader| {
            let value = Some(reader.value()?);
            match name {
                "name" => fields.name = value,
                "done" => fields.done = value,
                "metadata" => fields.metadata = value,
                "response" => fields.response = value,
                "error" => fields.error = value,
                _ => {}
            }
            Ok(())
        })?;
        raw.check_depth()?;
        let source = Source::new(raw);
        Ok(Self {
            name: field("name", fields.name, |raw| source.string(raw))?
                .unwrap_or_else(|| String::new().into()),
            done: field("done", fields.done, Raw::boolean)?.unwrap_or_default(),
            metadata: field("metadata", fields.metadata, |raw| Any::read(&source, raw))?,
            response: field("response", fields.response, |raw| Any::read(&source, raw))?,
            error: field("error", fields.error, |raw| Status::read(&source, raw))?.map(Box::new),
            text: Some(source.text()),
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), Invalid> {
        writer.object(|writer| {
            if !self.name().is_empty() {
                writer.member("name");
                writer.string(self.name());
            }
            if let Some(metadata) = &self.metadata {
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
            if let Some(response) = &self.response {
                writer.member("response");
                response.write(writer)?;
            }
            Ok(())
        })
    }
}

/// The values of the fields, before there is a copy of the text to share.
#[derive(Default)]
struct Fields<'a> {
    name: Option<Raw<'a>>,
    done: Option<Raw<'a>>,
    metadata: Option<Raw<'a>>,
    response: Option<Raw<'a>>,
    error: Option<Raw<'a>>,
}

fn field<'a, T>(
    name: &str,
    value: Option<Raw<'a>>,
    read: impl FnOnce(Raw<'a>) -> Result<T, Invalid>,
) -> Result<Option<T>, Invalid> {
    value.map(|raw| read(raw).map_err(|invalid| invalid.at(name))).transpose()
}

/// What an error calls the operation: by its name, if that can be read.
fn subject(text: &str) -> String {
    let mut subject = "operation".to_owned();
    let _ = Reader::document(text, |reader| {
        reader.fields(|field, reader| {
            let value = reader.value()?;
            if field == "name" {
                subject = format!("operation `{}`", bounded(&value.string()?));
            }
            Ok(())
        })
    });
    subject
}

impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
            && self.done == other.done
            && self.metadata == other.metadata
            && self.response == other.response
            && self.error == other.error
    }
}

/// Prints the name, the outcome and the types of the messages.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("name", &self.name())
            .field("outcome", &format_args!("{}", self.outcome()))
            .field("metadata", &self.metadata)
            .field("response", &self.response)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    fn operation(json: &str) -> Operation {
        Operation::from_json(json).unwrap()
    }

    #[test]
    fn outcomes_of_odd_answers() {
        let table = [
            ("empty", "{}", "running"),
            (
                "defaults printed",
                r#"{"name":"","metadata":null,"done":false,"error":null,"response":null}"#,
                "running",
            ),
            ("nulls", r#"{"name":null,"done":null}"#, "running"),
            ("response before done", r#"{"response":{"@type":"x/y"}}"#, "running"),
            ("error before done", r#"{"done":false,"error":{"code":5}}"#, "running"),
            ("neither", r#"{"done":true}"#, "succeeded"),
            ("null response", r#"{"done":true,"response":null}"#, "succeeded"),
            ("empty response", r#"{"done":true,"response":{},"metadata":{}}"#, "succeeded"),
            ("null error", r#"{"done":true,"response":{"@type":"x/y"},"error":null}"#, "succeeded"),
            ("unknown fields", r#"{"done":true,"new":{"deep":[1]},"state":"ODD"}"#, "succeeded"),
            (
                "cancelled",
                r#"{"done":true,"error":{"code":1,"message":"by user"}}"#,
                "failed: CANCELLED: by user",
            ),
            (
                "unknown code",
                r#"{"done":true,"error":{"code":77,"message":"m","details":[]}}"#,
                "failed: code 77: m",
            ),
            ("code 0", r#"{"done":true,"error":{"code":0}}"#, "malformed: `error` has code 0"),
            ("no code", r#"{"done":true,"error":{}}"#, "malformed: `error` has code 0"),
            (
                "both",
                r#"{"done":true,"error":{"code":5},"response":{"@type":"x/y"}}"#,
                "malformed: both `error` and `response` are set",
            ),
            (
                "the last of two",
                r#"{"done":false,"done":true,"error":{"code":2},"error":{"code":3}}"#,
                "failed: INVALID_ARGUMENT",
            ),
            ("null is not the last", r#"{"done":true,"done":null}"#, "succeeded"),
            ("keys with escapes", r#"{"d\u006fne":true}"#, "succeeded"),
        ];
        for (name, json, outcome) in table {
            assert_eq!(operation(json).outcome().to_string(), outcome, "{name}");
            assert_eq!(operation(json).to_json(), json, "{name}");
        }
    }

    #[test]
    fn everything_is_accessible() {
        let json = r#"{"name":"projects/p/operations/a/","metadata":{"@type":"x/M","n":1},"done":true,
            "error":{"code":5,"details":[{"@type":"x/D"}]},"response":{"@type":"x/R"}}"#;
        let op = operation(&format!("\r\n {json} \t"));
        assert_eq!(
            (op.name(), op.is_done(), op.to_json().as_str()),
            ("projects/p/operations/a/", true, json)
        );
        assert_eq!(op.metadata().unwrap().json().unwrap(), r#"{"@type":"x/M","n":1}"#);
        assert_eq!(op.response().unwrap().type_name(), "R");
        assert_eq!(op.error().unwrap().details()[0].json().unwrap(), r#"{"@type":"x/D"}"#);
        assert_eq!(operation(r#"{"name":"op\u00e9rations\/1"}"#).name(), "op\u{e9}rations/1");
        let debug = r#"Operation { name: "", outcome: running, metadata: Some(Any("M", 13 bytes of JSON)), response: None }"#;
        assert_eq!(format!("{:?}", operation(r#"{"metadata":{"@type":"M"}}"#)), debug);
    }

    #[test]
    fn errors_name_the_operation_and_the_path() {
        let table = [
            (r#"{"name":7}"#, "operation is not valid: `name`: expected a string, found a number"),
            (
                r#"{"name":"\ud800"}"#,
                "operation is not valid: `name`: expected whole surrogate pairs in a string",
            ),
            (
                r#"{"done":"true","name":"operations/42"}"#,
                "operation `operations/42` is not valid: `done`: expected a boolean, found a string",
            ),
            (
                r#"{"name":"o","metadata":[]}"#,
                "operation `o` is not valid: `metadata`: expected an object, found an array",
            ),
            (
                r#"{"name":"o","response":"SECRET"}"#,
                "operation `o` is not valid: `response`: expected an object, found a string",
            ),
            (
                r#"{"name":"o","error":{"code":"SECRET"}}"#,
                "operation `o` is not valid: `error.code`: expected a 32-bit integer, found a string",
            ),
            (
                r#"{"name":"o","error":{"details":[{},{"@type":true}]}}"#,
                "operation `o` is not valid: `error.details[1].@type`: expected a string, found a boolean",
            ),
            (r#"{"name":"o","done":tru}"#, "operation `o` is not valid JSON"),
            ("\u{feff}{}", "operation is not valid JSON"),
            ("{} SECRET", "operation is not valid JSON"),
            ("[]", "operation is not valid: expected an object, found an array"),
            ("", "operation is not valid JSON"),
        ];
        for (json, message) in table {
            let error = Operation::from_json(json).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.kind()), (message, ErrorKind::Decode), "{json}");
            assert!(!format!("{error:#} {error:?}").contains("SECRET"), "{error:#}");
        }
        let error =
            Operation::from_json(&format!(r#"{{"name":"{}\n","done":1}}"#, "n".repeat(9999))).unwrap_err();
        assert!(error.to_string().len() < 300, "{error}");
    }

    #[test]
    fn nesting_deeper_than_serde_json_follows_is_refused() {
        for place in ["metadata", "response", "new", "error"] {
            let nested = |depth: usize| {
                let (open, close) = (r#"{"a":"#.repeat(depth - 1), "}".repeat(depth - 1));
                format!(r#"{{"{place}":{open}1{close}}}"#)
            };
            assert_eq!(operation(&nested(127)).to_json(), nested(127));
            for depth in [128, 200, 100_000] {
                let error = Operation::from_json(&nested(depth)).unwrap_err();
                assert_eq!(
                    error.to_string(),
                    "operation is not valid: expected at most 127 levels of nesting"
                );
            }
        }
    }

    #[test]
    fn responses() {
        let done = |rest: &str| operation(&format!(r#"{{"name":"operations/42","done":true{rest}}}"#));
        assert_eq!(
            done(r#","response":{"@type":"x/google.protobuf.Int32Value","value":7}"#)
                .into_response::<u8>()
                .unwrap(),
            7
        );
        done("").into_response::<()>().unwrap();
        done(r#","response":{}"#).into_response::<()>().unwrap();
        assert_eq!(done("").into_response::<Option<u8>>().unwrap(), None);
        let table = [
            (
                operation(r#"{"name":"operations/42"}"#),
                ErrorKind::Decode,
                "operation `operations/42` is not done",
            ),
            (
                done(r#","error":{"code":8,"message":"out of disk"}"#),
                ErrorKind::Operation,
                "operation `operations/42` failed: RESOURCE_EXHAUSTED: out of disk",
            ),
            (
                done(r#","error":{}"#),
                ErrorKind::Decode,
                "operation `operations/42` is malformed: `error` has code 0",
            ),
            (done(""), ErrorKind::Decode, "operation `operations/42` has no response, expected `u8`"),
            (
                done(r#","response":{"@type":"x/y.Z"}"#),
                ErrorKind::Decode,
                "response of operation `operations/42` of type `y.Z` does not decode into `u8`",
            ),
        ];
        for (op, kind, message) in table {
            let error = op.clone().into_response::<u8>().unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
            let failed = kind == ErrorKind::Operation;
            assert_eq!(
                (error.status(), error.operation()),
                if failed { (op.error(), Some(&op)) } else { (None, None) }
            );
        }
    }

    #[test]
    fn operations_put_together_here() {
        let metadata = Any::from_json(r#"{"@type":"x/M","percent":40}"#).unwrap();
        let table = [
            (Operation::running("a\"b"), r#"{"name":"a\"b"}"#),
            (
                Operation::running("o").with_metadata(metadata),
                r#"{"name":"o","metadata":{"@type":"x/M","percent":40}}"#,
            ),
            (
                Operation::succeeded("o", Any::pack(&7i64)),
                r#"{"name":"o","done":true,"response":{"@type":"type.googleapis.com/google.protobuf.Int64Value","value":"7"}}"#,
            ),
            (
                Operation::failed("o", Status::new(Code::Aborted, "m")),
                r#"{"name":"o","done":true,"error":{"code":10,"message":"m"}}"#,
            ),
            (
                operation(r#"{"new":1,"done":true}"#).with_metadata(Any::pack(&())),
                r#"{"metadata":{"@type":"type.googleapis.com/google.protobuf.Empty"},"done":true}"#,
            ),
        ];
        for (op, json) in table {
            assert_eq!(op.to_json(), json);
            assert_eq!(operation(json).to_json(), json);
        }
        let spaced = operation(r#"{ "new":1, "done": true, "name": "o" }"#);
        assert_eq!(spaced, operation(r#"{"name":"o","done":true}"#));
        assert_ne!(spaced, Operation::running("o"));
    }

    #[test]
    fn parts_outlive_the_document_and_the_operation() {
        fn shareable<T: Send + Sync + 'static>(_: &T) {}
        let op = operation(r#"{"metadata":{"@type":"x/M","n":1}}"#);
        shareable(&op);
        let metadata = op.metadata().cloned();
        drop(op);
        assert_eq!(metadata.unwrap().json().unwrap(), r#"{"@type":"x/M","n":1}"#);
    }

    /// Any JSON value, with odd white space and spellings.
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|flag| flag.to_string()),
            any::<u64>().prop_map(|number| number.to_string()),
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
            any::<String>().prop_map(|string| serde_json::Value::from(string).to_string()),
            Just(r#""\u00e9\/\ud83d\ude00""#.to_owned()),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let members = prop::collection::vec(("[a-z@]{1,5}", inner.clone()), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(" ,\n"))),
                members.prop_map(|members| object(&members)),
            ]
        })
    }

    fn object(members: &[(String, String)]) -> String {
        let members: Vec<_> = members.iter().map(|(key, value)| format!(" \"{key}\" :\t{value}")).collect();
        format!("{{{} }}", members.join(","))
    }

    proptest! {
        #[test]
        fn to_json_is_what_from_json_took(
            name in any::<String>(),
            unknown in prop::collection::vec(("[a-z]{6,8}[0-9]", json()), 0..4),
            fields in prop::collection::vec(("[a-z]{1,5}", json()), 0..4),
            at in 0..4usize,
        ) {
            let mut members = unknown;
            let known = [
                ("name", serde_json::Value::from(name.as_str()).to_string()),
                ("done", "true".into()),
                ("metadata", object(&fields)),
                ("response", object(&[("@type".into(), r#""x/y.Z""#.into())])),
            ];
            for (key, value) in known {
                members.insert(at.min(members.len()), (key.into(), value));
            }
            let text = object(&members);
            let op = Operation::from_json(&text).unwrap();
            prop_assert_eq!(op.to_json(), text);
            prop_assert_eq!(op.name(), name);
            prop_assert_eq!(op.metadata().unwrap().json().unwrap(), object(&fields));
            prop_assert_eq!(op.response().unwrap().type_name(), "y.Z");
            prop_assert_eq!(serde_json::to_string(&op).unwrap(), op.to_json());
        }

        #[test]
        fn no_text_makes_it_panic(text in "[{}\\[\\]\":,@a-z0-9 \\\\\u{e9}-]{0,60}|.{0,60}") {
            let _ = Operation::from_json(&text);
            let _ = Any::from_json(&text).map(|any| any.decode::<serde_json::Value>());
            let _ = Status::from_error_body(&text, 500);
        }
    }
}
