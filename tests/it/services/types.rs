//! The bodies of the tables have only fields that their messages have.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::table::ServiceRow;

/// Each message with its fields: `name:type`, and `[]` at the end for a list. Those of googleapis are under their full
/// names, those of discovery documents under `document/schema`.
const TYPES: &str = include_str!("../../fixtures/services/types.tsv");

/// The same for all messages that are parts of extended operations and of their lists.
const EXTENDED_TYPES: &str = include_str!("../../fixtures/services/extended-types.tsv");

type MessageTypes = BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>;

static KNOWN: LazyLock<MessageTypes> = LazyLock::new(|| {
    let lines = TYPES.lines().chain(EXTENDED_TYPES.lines()).filter(|line| !line.starts_with('#'));
    let message = |line: &'static str| {
        let (name, fields) = line.split_once('\t').unwrap();
        (name, fields.split_whitespace().filter_map(|field| field.split_once(':')).collect())
    };
    lines.map(message).collect()
});

#[test]
fn bodies_have_only_fields_of_their_messages() {
    for row in ServiceRow::all() {
        for (name, body) in [(row.response_type, row.response), (row.metadata_type, row.metadata)] {
            let mut fields = object(body);
            let url = fields.remove("@type");
            let short = name.rsplit('/').next().unwrap();
            assert_eq!(url, Some(format!("type.googleapis.com/{short}").into()), "{}", row.service);
            check(name, &fields).unwrap_or_else(|why| panic!("{}: {why}", row.service));
        }
    }
}

/// Fields that a message does not have, and values of another type, are found at any depth.
#[test]
fn wrong_bodies_are_found() {
    let rows = [
        ("google.cloud.run.v2.Execution", r#"{"succeededCount": 1}"#, ""),
        (
            "google.cloud.run.v2.Execution",
            r#"{"succesCount": 1}"#,
            "`google.cloud.run.v2.Execution` has no field `succesCount`",
        ),
        (
            "google.cloud.run.v2.Execution",
            r#"{"succeeded_count": 1}"#,
            "`google.cloud.run.v2.Execution` has no field `succeeded_count`",
        ),
        (
            "compute.v1/Operation",
            r#"{"progress": "40"}"#,
            r#"`compute.v1/Operation.progress` is int32, not "40""#,
        ),
        ("compute.v1/Operation", r#"{"id": 7}"#, "`compute.v1/Operation.id` is uint64, not 7"),
        (
            "compute.v1/Operation",
            r#"{"error": {"errors": [{"reason": "X"}]}}"#,
            "`compute.v1/Operation.error.errors` has no field `reason`",
        ),
        (
            "compute.v1/Operation",
            r#"{"error": {"errors": {}}}"#,
            "`compute.v1/Operation.error.errors` is compute.v1/Operation.error.errors[]",
        ),
        ("compute.v1/Operation", r#"{"zone": ["z"]}"#, "`compute.v1/Operation.zone` is string"),
        (
            "compute.v1/OperationAggregatedList",
            r#"{"items": {"zones/z": {"items": []}}}"#,
            "`compute.v1/OperationsScopedList` has no field `items`",
        ),
        (
            "container.v1/Operation",
            r#"{"kind": "container#operation"}"#,
            "`container.v1/Operation` has no field `kind`",
        ),
        (
            "dns.v1/Operation",
            r#"{"status": "DONE"}"#,
            r#"`dns.v1/Operation.status` is enum<pending|done>, not "DONE""#,
        ),
        (
            "sqladmin.v1/Operation",
            r#"{"startTime": "2026-01-01T02:00:00-08:00"}"#,
            r#"`sqladmin.v1/Operation.startTime` is google.protobuf.Timestamp, not "2026-01-01T02:00:00-08:00""#,
        ),
        (
            "storage.v1/GoogleLongrunningOperation",
            r#"{"done": "true"}"#,
            r#"`storage.v1/GoogleLongrunningOperation.done` is bool, not "true""#,
        ),
        ("storage.v1/Nothing", "{}", "no message `storage.v1/Nothing`"),
    ];
    for (name, body, why) in rows {
        assert_eq!(check(name, &object(body)).err().unwrap_or_default(), why, "{name} {body}");
    }
}

/// Returns the field of a message that has the time of the end. Samples of what runs are without it.
pub(super) fn end_field(name: &str) -> Option<&'static str> {
    let ends = ["endTime", "finishTime", "doneTime", "completionTime"];
    let fields = KNOWN.get(name)?.iter();
    let mut ends = fields.filter(|(field, of)| ends.contains(field) && **of == "google.protobuf.Timestamp");
    ends.next().map(|(field, _)| *field)
}

/// Checks a body without `@type`.
pub(super) fn check_body(whose: &str, name: &str, body: &str) {
    check(name, &object(body)).unwrap_or_else(|why| panic!("{whose}: {why}\n{body}"));
}

fn object(body: &str) -> Map<String, Value> {
    let Value::Object(fields) = serde_json::from_str(body).unwrap() else { panic!("{body}") };
    fields
}

fn check(name: &str, fields: &Map<String, Value>) -> Result<(), String> {
    if name.starts_with("google.protobuf.") {
        let known = ["google.protobuf.Any", "google.protobuf.Empty", "google.protobuf.Struct"];
        let is_plain = known.contains(&name) && fields.keys().all(|key| key == "value");
        return if is_plain { Ok(()) } else { Err(format!("`{name}` has other fields than `value`")) };
    }
    let message = KNOWN.get(name).ok_or_else(|| format!("no message `{name}`"))?;
    for (key, value) in fields {
        let of = message.get(key.as_str()).ok_or_else(|| format!("`{name}` has no field `{key}`"))?;
        let (of, values) = match (of.strip_suffix("[]"), value) {
            (Some(of), Value::Array(values)) => (of, values.iter().collect()),
            (None, Value::Array(_)) | (Some(_), _) => return Err(format!("`{name}.{key}` is {of}")),
            (None, value) => (*of, vec![value]),
        };
        for value in values {
            check_value(&format!("{name}.{key}"), of, value)?;
        }
    }
    Ok(())
}

fn check_value(field: &str, of: &str, value: &Value) -> Result<(), String> {
    let of_entries = of.strip_prefix("map<").and_then(|of| of.strip_suffix('>'));
    match (value, of_entries) {
        (Value::Object(entries), Some(of)) => {
            entries.values().try_for_each(|value| check_value(field, of, value))
        }
        (Value::Object(any), None) if of == "map" => check_any(field, any),
        (Value::Object(fields), None) => check(of, fields),
        (value, _) if fits(of, value) => Ok(()),
        (value, _) => Err(format!("`{field}` is {of}, not {value}")),
    }
}

/// The metadata or the response of an operation, as discovery documents have them.
fn check_any(field: &str, any: &Map<String, Value>) -> Result<(), String> {
    let mut fields = any.clone();
    let url = fields.remove("@type").ok_or_else(|| format!("`{field}` has no `@type`"))?;
    check(url.as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default(), &fields)
}

/// Whether a value has the JSON form of a field that is no message with fields.
fn fits(of: &str, value: &Value) -> bool {
    let values = of.strip_prefix("enum<").and_then(|of| of.strip_suffix('>'));
    if let Some(values) = values {
        return value.as_str().is_some_and(|value| values.split('|').any(|known| known == value));
    }
    match of {
        "string" | "enum" | "bytes" => value.is_string(),
        "google.protobuf.Timestamp" => value.as_str().is_some_and(|text| text.ends_with('Z')),
        "google.protobuf.Duration" => value.as_str().is_some_and(|text| text.ends_with('s')),
        "bool" => value.is_boolean(),
        "int64" => value.as_str().is_some_and(|text| text.parse::<i64>().is_ok()),
        "uint64" => value.as_str().is_some_and(|text| text.parse::<u64>().is_ok()),
        "int32" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "uint32" => value.as_u64().is_some_and(|number| u32::try_from(number).is_ok()),
        "double" | "float" => value.is_number(),
        _ => false,
    }
}
