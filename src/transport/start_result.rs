//! From the response of a start to the operation in it.
//!
//! Not every method returns an operation: some return it in a field, some
//! return the resource at once, and some have several outcomes. A wrong guess
//! is costly: a resource that is taken for a running operation is polled for a
//! day. So the fields decide.
//!
//! | response | read as |
//! |---|---|
//! | `{"name": …, "done": …, …}`, or a name alone | the operation |
//! | `{"operation": {…}, …}` | the operation in the field |
//! | `{"kind": "compute#operation", …}` | an extended operation |
//! | `{"name": …, "labels": …}` | an error: a resource, no operation |
//! | empty | an error: no operation |
//!
//! Every error here is about a request that was accepted. It keeps the body,
//! which may be the only trace of the result.

use crate::error::Error;
use crate::json::JsonReader;
use crate::types::Operation;
use crate::util::excerpt::excerpt;

/// The body of a successful response: text over REST, or the bytes of a message
/// over gRPC and with `alt=proto`.
#[derive(Clone, Copy)]
pub(super) enum StartPayload<'a> {
    Json(&'a str),
    Proto(&'a [u8]),
}

/// Reads the operation of a response to a start: the body itself, or its field
/// `operation`.
///
/// This is the one place where the body of such a response becomes an
/// operation, over REST and over gRPC.
pub(super) fn start_result(payload: StartPayload<'_>) -> Result<Operation, Error> {
    // A body that cannot be read may still be an operation, which then runs.
    // The error keeps the body, so that the program can look for it.
    read(payload).map_err(|error| match (error.is_no_operation(), payload) {
        (true, _) => error,
        (false, StartPayload::Json(text)) => error.sent(true).with_response_body(text),
        (false, StartPayload::Proto(bytes)) => {
            error.sent(true).with_response_body(&String::from_utf8_lossy(bytes))
        }
    })
}

/// Reads the payload. An error with `is_no_operation` is certain; every other
/// one leaves open whether an operation runs.
fn read(payload: StartPayload<'_>) -> Result<Operation, Error> {
    match payload {
        StartPayload::Json(text) if text.trim_ascii().is_empty() => Err(no_operation("it is empty", text)),
        StartPayload::Json(text) => from_json(text),
        StartPayload::Proto([]) => Err(no_operation("it is empty", "")),
        StartPayload::Proto(bytes) => {
            let operation = Operation::from_protobuf(bytes)?;
            match is_named_or_done(&operation) {
                true => Ok(operation),
                false => Err(no_operation("it has no `name`", &String::from_utf8_lossy(bytes))),
            }
        }
    }
}

/// Reads the form that the names of the fields tell.
fn from_json(text: &str) -> Result<Operation, Error> {
    let shape = StartShape::of(text)?;
    let operation = match shape.wrapped {
        Some(wrapped) if !shape.is_operation() => Operation::from_json(wrapped)?,
        // It has a `status`, as operations of Compute Engine have and as
        // resources have while they are created. So the parser of operations
        // decides.
        None if shape.may_be_extended() => {
            Operation::from_json(text).map_err(|error| match shape.has_kind || shape.has_type {
                true => error,
                // It has a state, as resources have too.
                false => error.note("the request was accepted").sent(true).accepted(text),
            })?
        }
        None if !shape.is_operation() => return Err(no_operation(&shape.described(), text)),
        _ => Operation::from_json(text)?,
    };
    match is_named_or_done(&operation) {
        true => Ok(operation),
        false => Err(no_operation("it has no `name`", text)),
    }
}

/// Returns whether an operation can be polled, or does not have to be: services
/// leave the name out only of what was done at once.
fn is_named_or_done(operation: &Operation) -> bool {
    operation.is_done() || !operation.name().is_empty()
}

/// The shape of an object, by its fields. Values are looked at only as far as
/// they distinguish operations from resources.
#[derive(Default)]
struct StartShape<'a> {
    has_name: bool,
    /// It has a field that is specific to operations: `done`, `metadata`,
    /// `response` or `error`.
    has_state: bool,
    /// Its kind is that of an operation.
    has_kind: bool,
    /// Its type is that of an operation of GKE.
    has_type: bool,
    /// The names of all fields but those, in their order.
    others: Vec<String>,
    /// The object in the field `operation`.
    wrapped: Option<&'a str>,
}

impl<'a> StartShape<'a> {
    /// Reads the fields of the object.
    ///
    /// # Errors
    ///
    /// That of a response that is no operation, for JSON of another kind;
    /// `Decode` for a text that is not JSON.
    fn of(text: &'a str) -> Result<Self, Error> {
        let mut shape = Self::default();
        let read = JsonReader::document(text, |reader| {
            reader.fields(|name, reader| {
                let value = reader.value()?;
                match name {
                    "name" => shape.has_name = true,
                    "done" | "metadata" | "response" | "error" => shape.has_state = true,
                    other => shape.others.push(other.to_owned()),
                }
                shape.has_kind |=
                    name == "kind" && value.string().is_ok_and(|kind| kind.ends_with("#operation"));
                shape.has_type |= name == "operationType";
                if name == "operation" && value.text().starts_with('{') {
                    shape.wrapped = Some(value.text());
                }
                Ok(())
            })
        });
        match read {
            Ok(_) => Ok(shape),
            Err(invalid) if invalid.is_json() => Err(no_operation("it is no JSON object", text)),
            Err(invalid) => Err(Error::invalid("response", invalid)),
        }
    }

    /// Returns whether it is an operation and not the resource that a method
    /// returns at once: a name alone, a field that only operations have, or the
    /// kind of one, as a fresh operation of Cloud Storage has.
    fn is_operation(&self) -> bool {
        let has_kind_alone = self.has_kind && !self.has_status();
        self.has_state || self.has_name && (self.others.is_empty() || has_kind_alone)
    }

    /// Returns whether it has the state of an extended operation, as resources
    /// have too.
    fn may_be_extended(&self) -> bool {
        !self.is_operation() && self.has_status()
    }

    fn has_status(&self) -> bool {
        self.others.iter().any(|name| name == "status")
    }

    /// Returns the names of the fields for a message, the first eight of them.
    fn described(&self) -> String {
        let names = self.has_name.then_some("name").into_iter().chain(self.others.iter().map(String::as_str));
        let names: Vec<_> = names.take(MOST_FIELDS).map(|name| format!("`{}`", excerpt(name))).collect();
        match names.is_empty() {
            true => "it has no fields".to_owned(),
            false => format!("its fields are {}", names.join(", ")),
        }
    }
}

/// Returns the error for a response of another kind, with its body.
fn no_operation(what: &str, body: &str) -> Error {
    let message = format!("the request was accepted, but the response is no operation: {what}");
    Error::decode(message).sent(true).accepted(body)
}

/// As many field names as fit into a message.
const MOST_FIELDS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_found() {
        let rows = [
            (r#"{"name":"operations/1"}"#, "operations/1"),
            (r#"{"name":"operations/1","new":7,"metadata":{"@type":"x/y"}}"#, "operations/1"),
            (r#"{"done":true,"response":{}}"#, ""),
            (
                r#"{"kind":"storage#operation","name":"o","selfLink":"https://x/storage/v1/b/B/operations/o"}"#,
                "b/B/operations/o",
            ),
            (r#"{"name":"operations/1","done":false,"operation":{"name":"operations/2"}}"#, "operations/1"),
            (r#"{"kind":"x","operation":{"name":"operations/2","n":18446744073709551616}}"#, "operations/2"),
        ];
        for (text, name) in rows {
            assert_eq!(start_result(StartPayload::Json(text)).unwrap().name(), name, "{text}");
        }
        let wrapped = r#"{"operation": {"name":"operations/2","done":false,"n":18446744073709551616}}"#;
        let operation = start_result(StartPayload::Json(wrapped)).unwrap();
        assert_eq!(operation.to_json(), r#"{"name":"operations/2","done":false,"n":18446744073709551616}"#);
    }

    #[test]
    fn other_responses_were_accepted_all_the_same() {
        let rows = [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("{}", "it has no fields"),
            ("[]", "it is no JSON object"),
            (r#"{"name":"projects/p/topics/t","labels":{}}"#, "its fields are `name`, `labels`"),
            (r#"{"kind":"storage#bucket","name":"b"}"#, "its fields are `name`, `kind`"),
            (r#"{"operation":"operations/1"}"#, "its fields are `operation`"),
            (r#"{"done":false}"#, "it has no `name`"),
            (r#"{"operation":{"metadata":{}}}"#, "it has no `name`"),
        ];
        for (text, why) in rows {
            let error = start_result(StartPayload::Json(text)).expect_err(text);
            let expected = format!("the request was accepted, but the response is no operation: {why}");
            assert_eq!((error.kind(), error.to_string()), (crate::ErrorKind::Decode, expected), "{text}");
            assert_eq!(error.response_body(), Some(text));
        }
        assert!(start_result(StartPayload::Json("{\"name\":")).unwrap_err().is_cut_short());
        assert!(start_result(StartPayload::Proto(b"")).unwrap_err().response_body().is_some());
        let error = start_result(StartPayload::Proto(b"\xff")).unwrap_err();
        assert!(error.was_sent() && !error.is_no_operation());
    }
}
