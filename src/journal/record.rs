//! The lines of a journal.
//!
//! Each line is an object with one member, whose name says what happened:
//!
//! ```text
//! {"longrunning_journal":1}
//! {"add":{"name":"operations/42","endpoint":"https://host","started":"…"}}
//! {"finish":{"endpoint":"https://host","name":"operations/42","operation":{…}}}
//! {"forget":{"endpoint":"https://host","name":"operations/42"}}
//! ```
//!
//! Readers ignore fields and lines that they do not know, so later versions can
//! add both without a new version number. A change that earlier versions must
//! not ignore needs a new number in the header.

use prost::Message;

use crate::error::Error;
use crate::json::{InvalidJson, JsonReader, JsonWriter, RawJson, encode_base64};
use crate::pending::{Pending, same_endpoint};
use crate::proto::google::longrunning as proto;
use crate::types::{Any, Operation};

/// The first line, with the version of the format.
pub(super) const HEADER: &str = "{\"longrunning_journal\":1}\n";

/// The only version of the format so far.
const VERSION: u64 = 1;

/// The identity of an operation: its endpoint, in one spelling for all
/// (`same_endpoint`), and its name.
pub(super) type JournalKey = (Option<String>, String);

/// Returns the identity of an operation.
pub(super) fn key(pending: &Pending) -> JournalKey {
    (pending.endpoint().map(same_endpoint), pending.name().to_string())
}

/// The contents of one line, without the result: that is read from the file
/// when it is needed.
#[derive(Debug, PartialEq)]
pub(super) enum JournalRecord {
    /// The operation is pending from here on.
    Add(Pending),
    /// The operation has a result, which is in this line.
    Finish(JournalKey),
    /// The operation is removed.
    Forget(JournalKey),
    /// A line of a later version, without effect here.
    Other,
}

impl JournalRecord {
    /// Reads a line, with or without its line feed.
    pub(super) fn read(line: &str) -> Result<Self, InvalidJson> {
        let mut record = None;
        JsonReader::document(line, |reader| {
            reader.members(|kind, reader| {
                match kind {
                    // Of several known members in one line, the last one
                    // counts. This crate writes one.
                    "add" => record = Some(Self::Add(pending(reader.value()?)?)),
                    "finish" => record = Some(Self::Finish(body(reader)?.0)),
                    "forget" => record = Some(Self::Forget(body(reader)?.0)),
                    _ => reader.skip()?,
                }
                Ok(())
            })
        })?;
        Ok(record.unwrap_or(Self::Other))
    }
}

/// Returns the line that adds an operation.
///
/// # Errors
///
/// `ErrorKind::Config` if it cannot be written as JSON.
pub(super) fn add(pending: &Pending) -> Result<String, Error> {
    let pending = serde_json::to_string(pending)
        .map_err(|cause| Error::config("pending operation cannot be written as JSON").with_source(cause))?;
    Ok(line("add", |writer| writer.raw(&pending)))
}

/// Returns the line with a result.
///
/// It holds the operation as JSON, which people can read, or as base64 of its
/// protobuf bytes if it contains a type whose JSON form this crate does not
/// know.
pub(super) fn finish(key: &JournalKey, operation: &Operation) -> String {
    let proto = if is_opaque(operation) { operation.to_proto().ok() } else { None };
    line("finish", |writer| {
        keyed(writer, key, |writer| match proto {
            Some(message) => {
                writer.member("operation_proto");
                writer.string(&encode_base64(&message.encode_to_vec()));
            }
            None => {
                writer.member("operation");
                // A record is one line. Line ends in JSON text are always white
                // space: in strings they are escaped.
                writer.raw(&operation.to_json().replace(['\n', '\r'], " "));
            }
        });
    })
}

/// Returns the line that removes an operation.
pub(super) fn forget(key: &JournalKey) -> String {
    line("forget", |writer| keyed(writer, key, |_| {}))
}

/// Reads the operation from a line that [`finish`] wrote.
///
/// # Errors
///
/// `ErrorKind::Decode` if the line does not hold one.
pub(super) fn operation(line: &str) -> Result<Operation, Error> {
    let (mut name, mut stored) = (String::new(), None);
    let document = JsonReader::document(line, |reader| {
        reader.members(|_, reader| {
            ((_, name), stored) = body(reader)?;
            Ok(())
        })
    });
    let invalid = |invalid| Error::invalid("record of a journal", invalid);
    document.map_err(invalid)?;
    match stored {
        // The JSON of an extended operation has a bare name, so the name comes
        // from the record.
        Some(StoredResult::Json(json)) => Ok(Operation::from_json(json.text())?.requested_as(&name)),
        Some(StoredResult::Proto(base64)) => {
            let message = proto::Operation::decode(&*base64.bytes().map_err(invalid)?);
            message.map(Operation::from).map_err(|cause| {
                Error::decode("record of a journal does not hold an operation").with_source(cause)
            })
        }
        None => Err(Error::decode("record of a journal does not hold an operation")),
    }
}

/// Checks the first line, with its line feed.
///
/// # Errors
///
/// Says what is wrong with the file; reads on after its name.
pub(super) fn check_header(line: &[u8]) -> Result<(), String> {
    let mut version = None;
    let line = line.strip_suffix(b"\n").unwrap_or_default().trim_ascii_end();
    let read = std::str::from_utf8(line).ok().and_then(|line| {
        let document = JsonReader::document(line, |reader| {
            reader.members(|name, reader| match name {
                "longrunning_journal" => {
                    version = Some(reader.value()?.integer::<u64>("a version")?);
                    Ok(())
                }
                _ => reader.skip(),
            })
        });
        document.ok()
    });
    match (read, version) {
        (Some(_), Some(VERSION)) => Ok(()),
        (Some(_), Some(other)) => {
            Err(format!("is of version {other}, and this program knows version {VERSION}: use a later one"))
        }
        _ => Err(format!("is no journal: its first line is not `{}`", HEADER.trim_end())),
    }
}

/// Reads the body of an `add`.
fn pending(raw: RawJson<'_>) -> Result<Pending, InvalidJson> {
    serde_json::from_str(raw.text()).map_err(|_| InvalidJson::new("expected a pending operation"))
}

/// A result as a record holds it.
enum StoredResult<'a> {
    Json(RawJson<'a>),
    Proto(RawJson<'a>),
}

/// Reads which operation a record is about, and its result, if it holds one.
fn body<'a>(reader: &mut JsonReader<'a>) -> Result<(JournalKey, Option<StoredResult<'a>>), InvalidJson> {
    let (mut endpoint, mut name, mut stored) = (None, None, None);
    reader.fields(|field, reader| {
        let value = reader.value()?;
        match field {
            "endpoint" => endpoint = Some(same_endpoint(&value.string()?)),
            "name" => name = Some(value.string()?.into_owned()),
            "operation" => stored = Some(StoredResult::Json(value)),
            "operation_proto" => stored = Some(StoredResult::Proto(value)),
            _ => {}
        }
        Ok(())
    })?;
    // Without a name, nothing can be done with the line.
    let name = name.ok_or_else(|| InvalidJson::new("expected a name"))?;
    Ok(((endpoint, name), stored))
}

/// Returns whether a message of the operation is bytes of a type whose JSON
/// form is not known.
fn is_opaque(operation: &Operation) -> bool {
    let details = operation.error().map_or(&[][..], |error| error.details());
    let messages = [operation.metadata(), operation.response()].into_iter().flatten().chain(details);
    messages.map(Any::json).any(|json| json.is_err())
}

/// Returns a line with one member.
fn line(kind: &str, value: impl FnOnce(&mut JsonWriter)) -> String {
    let mut writer = JsonWriter::default();
    // An object of one level is never too deep.
    let _ = writer.object(|writer| {
        writer.member(kind);
        value(writer);
        Ok(())
    });
    let mut line = writer.finish();
    line.push('\n');
    line
}

/// Writes the object that names an operation, with more members by `rest`.
fn keyed(writer: &mut JsonWriter, (endpoint, name): &JournalKey, rest: impl FnOnce(&mut JsonWriter)) {
    let _ = writer.object(|writer| {
        if let Some(endpoint) = endpoint {
            writer.member("endpoint");
            writer.string(endpoint);
        }
        writer.member("name");
        writer.string(name);
        rest(writer);
        Ok(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extended_operation_keeps_its_name() {
        let name = "projects/p/managedZones/z/operations/7";
        let operation = Operation::from_json(r#"{"kind":"dns#operation","id":"7","status":"done"}"#).unwrap();
        let line = finish(&(None, name.to_owned()), &operation.requested_as(name));
        assert_eq!(super::operation(&line).unwrap().name(), name);
    }
}
