//! Operations as JSON and as protobuf.

use longrunning::proto::google::longrunning as pb;
use longrunning::{Operation, OperationForm};
use prost::Message;
use serde_json::Value;

use super::messages::check_error;

/// Valid operations keep every value, and are written as they were read.
pub fn operation_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Operation::from_json(text) {
        Err(error) => check_error(&error),
        Ok(operation) => {
            // Numbers out of the range of `f64` are valid, but not values of serde_json.
            if let Ok(value) = serde_json::from_str(text) {
                check_parts(&operation, &value);
            }
            check_round_trip(&operation);
        }
    }
}

fn check_parts(operation: &Operation, sent: &Value) {
    if let Some(Value::String(name)) = sent.get("name") {
        // The names of other forms come from their links.
        assert!(operation.name() == name || operation.form() != OperationForm::Longrunning);
    }
    for (part, any) in [("metadata", operation.metadata()), ("response", operation.response())] {
        if let (Some(any), Some(sent)) = (any, sent.get(part)) {
            let kept: Value = serde_json::from_str(&any.json().expect("it came as JSON")).unwrap();
            assert_eq!(&kept, sent, "{part}");
        }
    }
}

/// Operations of protobuf have the same JSON after it was read and written.
pub fn operation_proto(data: &[u8]) {
    let Ok(message) = pb::Operation::decode(data) else { return };
    let operation = Operation::from(message.clone());
    assert_eq!(operation.name(), message.name);
    assert_eq!(operation.is_done(), message.done);
    if let (Some(any), Some(sent)) = (operation.metadata(), &message.metadata) {
        assert_eq!(any.type_url(), sent.type_url);
        assert_eq!(&any.to_proto().expect("it came as protobuf"), sent);
        if let Err(error) = any.json() {
            check_error(&error);
        }
    }
    let _ = operation.outcome().to_string();
    check_round_trip(&operation);
}

fn check_round_trip(operation: &Operation) {
    let written = operation.to_json();
    let again = Operation::from_json(&written).unwrap_or_else(|error| panic!("{error:#}: {written}"));
    assert_eq!(again.to_json(), written);
    assert_eq!((again.name(), again.is_done()), (operation.name(), operation.is_done()));
}

/// What the scanner accepts, serde_json accepts too, with the same end.
#[cfg(fuzzing)]
pub fn json_scan(data: &[u8]) {
    use serde_json::value::RawValue;
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((end, depth)) = longrunning::fuzzing::scan(text) else { return };
    let value = &text[..end];
    let raw: &RawValue = serde_json::from_str(value).unwrap_or_else(|error| panic!("{error}: {value}"));
    assert_eq!(raw.get(), value, "white space in front, or behind");
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    assert_eq!(values.next().unwrap().unwrap().get(), value);
    // Numbers too large for `f64` are valid, but not values of serde_json.
    if let Ok(parsed) = serde_json::from_str::<Value>(value) {
        // Equal keys become one.
        assert!(depth_of(&parsed) <= depth, "{value}");
    }
}

#[cfg(fuzzing)]
fn depth_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth_of).max().unwrap_or_default(),
        _ => 0,
    }
}
