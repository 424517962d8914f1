//! Decisions that save a second pass: the result is the same without them, so
//! that tests of whole operations do not notice them.

use super::operation_fields::OperationFields;
use super::*;
use crate::json::JsonReader;

#[test]
fn only_objects_with_other_fields_are_read_twice() {
    let rows = [
        (r#"{"name":"o"}"#, false),
        (r#"{"name":"o","error":{}}"#, false),
        (r#"{"name":"o","status":"DONE"}"#, true),
        (r#"{"kind":"x#operation"}"#, true),
        (r#"{"status":"DONE","done":true}"#, false),
        (r#"{"status":"DONE","metadata":{}}"#, false),
        (r#"{"status":"DONE","response":{}}"#, false),
    ];
    for (json, twice) in rows {
        let mut fields = OperationFields::default();
        JsonReader::document(json, |reader| fields.read(reader).map(drop)).unwrap();
        assert_eq!(fields.may_be_extended(), twice, "{json}");
    }
}

#[test]
fn a_type_that_comes_first_needs_no_check() {
    let rows = [
        (r#"{"@type":"x/y","n":1}"#, true),
        (r#"{ "@type" : "x/y" }"#, true),
        (r#"{"n":1,"@type":"x/y"}"#, false),
        (r#"{"@type":"x\/y"}"#, false),
        (r#"{"@type":7}"#, false),
        ("{}", false),
    ];
    for (json, leads) in rows {
        let raw = JsonReader::document(json, JsonReader::value).unwrap();
        assert_eq!(Any::leads_with_type(raw), leads, "{json}");
    }
}

#[test]
fn an_any_inside_needs_a_type_unless_it_is_empty() {
    let outer = |inner: &str| {
        let url = "type.googleapis.com/google.protobuf.Any";
        Any::from_json(&format!(r#"{{"@type":"{url}","value":{inner}}}"#)).unwrap().to_proto()
    };
    assert!(outer("{}").unwrap().value.is_empty());
    assert!(outer(r#"{"n":1}"#).is_err());
}
