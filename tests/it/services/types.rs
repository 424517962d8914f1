//! The bodies of the table have only fields that their messages have.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::table::ServiceRow;

/// Each message with its fields: `name:type`, and `[]` at the end for a list. Those of googleapis are under their full
/// names, those of discovery documents under `document/schema`.
const TYPES: &str = include_str!("../../fixtures/services/types.tsv");

type MessageTypes = BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>;

#[test]
fn bodies_have_only_fields_of_their_messages() {
    let types = types();
    for row in ServiceRow::all() {
        for (name, body) in [(row.response_type, row.response), (row.metadata_type, row.metadata)] {
            let Value::Object(mut fields) = serde_json::from_str(body).unwrap() else { panic!("{body}") };
            let url = fields.remove("@type");
            let short = name.rsplit('/').next().unwrap();
            assert_eq!(url, Some(format!("type.googleapis.com/{short}").into()), "{}", row.service);
            check(&types, row.service, name, &fields);
        }
    }
}

#[test]
fn a_field_that_a_message_has_not_is_found() {
    let types = types();
    let field = |name: &str| types["google.cloud.run.v2.Execution"].contains_key(name);
    assert!(field("succeededCount") && !field("succeeded_count") && !field("succesCount"));
}

/// Checks a body without `@type`.
pub(super) fn check_body(service: &str, name: &str, body: &str) {
    let Value::Object(fields) = serde_json::from_str(body).unwrap() else { panic!("{body}") };
    check(&types(), service, name, &fields);
}

fn check(types: &MessageTypes, service: &str, name: &str, fields: &Map<String, Value>) {
    if name.starts_with("google.protobuf.") {
        let known = ["google.protobuf.Any", "google.protobuf.Empty", "google.protobuf.Struct"];
        assert!(known.contains(&name) && fields.keys().all(|key| key == "value"), "{service}: {name}");
        return;
    }
    let message = types.get(name).unwrap_or_else(|| panic!("{service}: no message `{name}`"));
    for (key, value) in fields {
        let Some(of) = message.get(key.as_str()) else { panic!("{service}: `{name}` has no field `{key}`") };
        let (of, values) = match (of.strip_suffix("[]"), value) {
            (Some(of), Value::Array(values)) => (of, values.iter().collect()),
            (None, Value::Array(_)) | (Some(_), _) => panic!("{service}: `{name}.{key}` is {of}"),
            (None, value) => (*of, vec![value]),
        };
        for value in values {
            match value {
                Value::Object(any) if of == "map" => check_any(types, service, any),
                Value::Object(fields) => check(types, service, of, fields),
                value => assert!(fits(of, value), "{service}: `{name}.{key}` is {of}, not {value}"),
            }
        }
    }
}

/// The metadata or the response of an operation, as discovery documents have them.
fn check_any(types: &MessageTypes, service: &str, any: &Map<String, Value>) {
    let mut fields = any.clone();
    let url = fields.remove("@type").unwrap_or_else(|| panic!("{service}: no `@type`"));
    let name = url.as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
    check(types, service, name, &fields);
}

/// Whether a value has the JSON form of a field that is no message with fields.
fn fits(of: &str, value: &Value) -> bool {
    match of {
        "string" | "enum" | "bytes" => value.is_string(),
        "google.protobuf.Timestamp" => value.as_str().is_some_and(|text| text.ends_with('Z')),
        "google.protobuf.Duration" => value.as_str().is_some_and(|text| text.ends_with('s')),
        "bool" => value.is_boolean(),
        "int64" | "uint64" => value.as_str().is_some_and(|text| text.parse::<i64>().is_ok()),
        "int32" | "uint32" => value.as_i64().is_some(),
        "double" | "float" => value.is_number(),
        _ => false,
    }
}

fn types() -> MessageTypes {
    let lines = TYPES.lines().filter(|line| !line.starts_with('#'));
    let message = |line: &'static str| {
        let (name, fields) = line.split_once('\t').unwrap();
        (name, fields.split_whitespace().filter_map(|field| field.split_once(':')).collect())
    };
    lines.map(message).collect()
}
