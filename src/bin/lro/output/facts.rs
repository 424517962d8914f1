//! What can be read from metadata that nobody has standardised.

use longrunning::Operation;
use serde_json::Value;

/// What an operation says about itself, where it says it in one of the usual ways.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Facts {
    /// From 0 to 100.
    pub(crate) percent: Option<f64>,
    /// RFC 3339, to the second.
    pub(crate) started: Option<String>,
    /// What is done, such as `create`.
    pub(crate) what: Option<String>,
    /// What it is at right now.
    pub(crate) status: Option<String>,
}

impl Facts {
    pub(crate) fn of(operation: &Operation) -> Self {
        let metadata = operation.metadata().and_then(|metadata| metadata.decode::<Value>().ok());
        metadata.map_or_else(Self::default, |metadata| Self::read(&metadata))
    }

    fn read(metadata: &Value) -> Self {
        let text = |names: &[&str]| {
            let text = find(metadata, names, DEPTH)?.as_str()?.trim();
            Some(text.to_owned()).filter(|text| !text.is_empty())
        };
        Self {
            percent: find(metadata, &PERCENT, DEPTH)
                .and_then(number)
                .filter(|percent| (0.0..=100.0).contains(percent)),
            started: text(&STARTED).map(to_the_second),
            what: text(&WHAT),
            status: text(&STATUS),
        }
    }
}

/// The first of the fields that there is, the outer ones before the inner ones.
fn find<'a>(value: &'a Value, names: &[&str], depth: usize) -> Option<&'a Value> {
    let fields = value.as_object()?;
    let here = names
        .iter()
        .find_map(|name| fields.get(*name))
        .filter(|value| value.is_string() || value.is_number());
    here.or_else(|| {
        let inner = depth.checked_sub(1)?;
        fields.values().find_map(|value| find(value, names, inner))
    })
}

/// A number, also as the string that ProtoJSON makes of an int64, also with a sign for percent.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim_end_matches(['%', ' ']).parse().ok())
}

fn to_the_second(time: String) -> String {
    match time.split_once('.') {
        Some((seconds, rest)) if rest.ends_with('Z') => format!("{seconds}Z"),
        _ => time,
    }
}

/// How deep metadata are searched: `genericMetadata`, `value` of a Struct, `progress`.
const DEPTH: usize = 2;

const PERCENT: [&str; 8] = [
    "progressPercent",
    "progressPercentage",
    "progress_percent",
    "percentComplete",
    "percentageComplete",
    "percent",
    "progress",
    "percentage",
];
const STARTED: [&str; 4] = ["createTime", "startTime", "insertTime", "create_time"];
const WHAT: [&str; 4] = ["verb", "operationType", "type", "target"];
const STATUS: [&str; 6] = ["statusMessage", "statusDetail", "statusDetails", "state", "stage", "status"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn percentages() {
        let rows = [
            ("plain", json!({"progressPercent": 40}), Some(40.0)),
            ("a string", json!({"progressPercentage": "40"}), Some(40.0)),
            ("with a sign", json!({"progress": "40 %"}), Some(40.0)),
            ("inside", json!({"genericMetadata": {"percent": 7.5}}), Some(7.5)),
            ("a Struct", json!({"@type": "t", "value": {"percent": 7}}), Some(7.0)),
            ("an object of that name", json!({"progress": {"percentComplete": 3}}), Some(3.0)),
            ("too much", json!({"percent": 140}), None),
            ("a word", json!({"progress": "fast"}), None),
            ("none", json!({"files": 3}), None),
            ("no object", json!([1]), None),
        ];
        for (row, metadata, percent) in rows {
            assert_eq!(Facts::read(&metadata).percent, percent, "{row}");
        }
    }

    #[test]
    fn texts() {
        let facts = Facts::read(&json!({
            "createTime": "2026-01-02T03:04:05.123456Z", "verb": "create", "statusMessage": " copying ",
        }));
        assert_eq!(facts.started.as_deref(), Some("2026-01-02T03:04:05Z"));
        assert_eq!((facts.what.as_deref(), facts.status.as_deref()), (Some("create"), Some("copying")));
    }
}
