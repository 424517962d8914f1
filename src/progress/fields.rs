//! The values of metadata, by their names without regard to case and
//! underscores.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::json::parse_timestamp;
use crate::types::{Any, Status};

/// Reads metadata as an object.
pub(super) fn read(metadata: &Any) -> Option<Map<String, Value>> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(&metadata.json().ok()?) else { return None };
    if metadata.type_name() == STRUCT
        && let Some(Value::Object(value)) = fields.remove("value")
    {
        fields = value;
    }
    Some(fields)
}

/// The fields of metadata, and of the parts of them that describe progress.
pub(super) struct ProgressFields<'a> {
    metadata: &'a Map<String, Value>,
    /// The metadata first, then the parts, from the outside in.
    parts: Vec<ProgressPart<'a>>,
}

/// One object, or the objects of a list.
struct ProgressPart<'a> {
    elements: Vec<FieldLevel<'a>>,
    /// Larger than the number of elements if the service has not sent all of
    /// them yet.
    expected: usize,
}

/// The values of one object by their plain names.
type FieldLevel<'a> = BTreeMap<String, Vec<&'a Value>>;

impl<'a> ProgressFields<'a> {
    pub(super) fn of(metadata: &'a Map<String, Value>) -> Self {
        let mut parts = vec![ProgressPart { elements: vec![level(metadata)], expected: 1 }];
        let mut from = 0;
        for _ in 0..DEPTH {
            let outer = parts.get(from..).unwrap_or_default().iter();
            // The elements of a list are not searched for further parts: the list is one
            // value.
            let outer = outer.filter_map(|part| part.elements.first().filter(|_| part.expected == 1));
            let room = MOST_PARTS.saturating_sub(parts.len());
            let inner: Vec<_> = outer.flat_map(parts_of).take(room).collect();
            from = parts.len();
            parts.extend(inner);
        }
        Self { metadata, parts }
    }

    /// Reads the first value of the first of these names that can be read, from
    /// the outside in.
    pub(super) fn find<T>(&self, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        self.parts.iter().flat_map(|part| &part.elements).find_map(|level| first(level, names, &read))
    }

    /// Reads a percentage from the first part that has one. The percentage of a
    /// list is the mean of its elements, of which those without a number
    /// have not begun.
    pub(super) fn mean(&self, names: &[&str], read: impl Fn(&Value) -> Option<f64>) -> Option<f64> {
        let read = |value: &Value| mean_of(value, &read);
        self.parts.iter().find_map(|part| {
            let found: Vec<f64> =
                part.elements.iter().filter_map(|level| first(level, names, read)).collect();
            (!found.is_empty()).then(|| found.iter().sum::<f64>() / part.expected as f64)
        })
    }

    /// Reads numbers of units from the first part that has one, in all elements
    /// of a list.
    pub(super) fn sum(&self, name: &str) -> Option<u64> {
        self.parts.iter().find_map(|part| {
            let found = part.elements.iter().filter_map(|level| first(level, &[name], units));
            found.reduce(u64::saturating_add)
        })
    }

    pub(super) fn time(&self, names: &[&str]) -> Option<SystemTime> {
        self.find(names, |value| parse_timestamp(value.as_str()?)?.try_into().ok())
    }

    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        self.find(names, |value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned))
    }

    /// All that looks like a `google.rpc.Status` of a failure.
    pub(super) fn failures(&self) -> Vec<Status> {
        let mut found = Vec::new();
        self.metadata.values().for_each(|value| collect(value, &mut found));
        found
    }

    /// Returns the largest number of failures that a counter or a summary of
    /// errors has.
    pub(super) fn counted_failures(&self) -> Option<u64> {
        let levels = || self.parts.iter().flat_map(|part| &part.elements);
        let counters = levels().filter_map(|level| first(level, FAILURE_COUNTS, units));
        let groups = levels().flat_map(|level| COUNTER_GROUPS.iter().filter_map(|name| level.get(*name)));
        let groups = groups.flatten().filter_map(|value| failures_of_group(value));
        counters.chain(groups).max()
    }
}

/// Reads the first value of the first of these names that can be read.
fn first<T>(level: &FieldLevel<'_>, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    names.iter().find_map(|name| level.get(*name)?.iter().find_map(|value| read(value)))
}

/// Reads a number, or the mean of a list of numbers, of which those that are
/// missing count as zero.
fn mean_of(value: &Value, read: impl Fn(&Value) -> Option<f64>) -> Option<f64> {
    let Value::Array(elements) = value else { return read(value) };
    let is_number = |value: &Value| value.is_number() || value.is_string();
    if !elements.iter().any(is_number) {
        return None;
    }
    let sum: f64 = elements.iter().filter_map(read).sum();
    Some(sum / elements.len() as f64)
}

/// Adds up the failures of `counter: {success, failure}`, `counters:
/// {objectsFromSourceFailed}` or `errorBreakdowns: [{errorCode, errorCount}]`.
/// Bytes are not counted: they belong to an object that is.
fn failures_of_group(value: &Value) -> Option<u64> {
    let objects = match value {
        Value::Object(object) => vec![object],
        Value::Array(elements) => elements.iter().filter_map(Value::as_object).collect(),
        _ => return None,
    };
    let counts = objects.into_iter().flatten().filter(|(key, _)| {
        let key = plain(key);
        key == "errorcount" || (key.contains("fail") && !key.contains("bytes"))
    });
    counts.filter_map(|(_, value)| units(value)).reduce(u64::saturating_add)
}

fn level(fields: &Map<String, Value>) -> FieldLevel<'_> {
    let mut level = FieldLevel::new();
    for (key, value) in fields {
        level.entry(plain(key)).or_default().push(value);
    }
    level
}

/// Returns the objects and lists of objects in the fields that may describe
/// progress.
fn parts_of<'a>(level: &FieldLevel<'a>) -> Vec<ProgressPart<'a>> {
    let describes = |key: &str| {
        key == "common" || key == "status" || key.contains("progress") || key.ends_with("metadata")
    };
    let values = level.iter().filter(|(key, _)| describes(key)).flat_map(|(_, values)| values);
    values.filter_map(|value| part_of(value, statements(level))).collect()
}

fn part_of(value: &Value, statements: usize) -> Option<ProgressPart<'_>> {
    match value {
        Value::Object(object) => Some(ProgressPart { elements: vec![level(object)], expected: 1 }),
        Value::Array(elements) if elements.len() <= MOST_ELEMENTS => {
            let levels: Vec<_> = elements.iter().filter_map(Value::as_object).map(level).collect();
            let expected = elements.len().max(statements);
            (!levels.is_empty()).then_some(ProgressPart { elements: levels, expected })
        }
        _ => None,
    }
}

/// Returns how many statements the metadata of a schema change of Spanner have:
/// its `progress` has an element for each.
fn statements(level: &FieldLevel<'_>) -> usize {
    let values = level.get("statements").into_iter().flatten();
    values.filter_map(|value| value.as_array()).map(Vec::len).max().unwrap_or_default()
}

/// `progressPercent`, `progress_percent` and `ProgressPercent` are one name.
fn plain(key: &str) -> String {
    key.chars().filter(|char| *char != '_').map(|char| char.to_ascii_lowercase()).collect()
}

fn collect(value: &Value, found: &mut Vec<Status>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
        Value::Object(fields) if is_failure(fields) => {
            found.extend(Status::from_json(&value.to_string()));
        }
        Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// A code that is not OK and a message, and nothing else that a status does not
/// have.
fn is_failure(fields: &Map<String, Value>) -> bool {
    let code = fields.get("code").and_then(ProgressNumber::of).map(|code| code.value);
    code.is_some_and(|code| code != 0.0 && code.fract() == 0.0)
        && fields.get("message").is_some_and(Value::is_string)
        && fields.keys().all(|key| matches!(key.as_str(), "code" | "message" | "details" | "@type"))
}

/// A number as services write it: as such or as text, with or without a percent
/// sign.
pub(super) struct ProgressNumber {
    value: f64,
    has_sign: bool,
}

impl ProgressNumber {
    pub(super) fn of(value: &Value) -> Option<Self> {
        let (value, has_sign) = match value {
            Value::Number(number) => (number.as_f64()?, false),
            Value::String(text) => {
                let text = text.trim();
                let digits = text.strip_suffix('%').unwrap_or(text);
                (digits.trim_end().parse().ok()?, digits.len() < text.len())
            }
            _ => return None,
        };
        // Some services write -1 for what they do not know.
        (f64::is_finite(value) && value >= 0.0).then_some(Self { value, has_sign })
    }

    pub(super) fn value(&self) -> f64 {
        self.value
    }

    pub(super) fn percent(&self) -> Option<f64> {
        (self.value <= MOST_PERCENT).then(|| self.value.min(100.0))
    }

    pub(super) fn fraction(&self) -> Option<f64> {
        (self.value <= 1.0).then_some(self.value * 100.0)
    }

    /// Under a name that does not say which of the two it is.
    pub(super) fn percent_or_fraction(&self) -> Option<f64> {
        if self.value < 1.0 && !self.has_sign { self.fraction() } else { self.percent() }
    }
}

/// Exact, as 64-bit numbers in text are.
pub(super) fn units(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        number => number.as_u64(),
    }
}

const STRUCT: &str = "google.protobuf.Struct";

/// Counters of failures that stand beside the other fields, in lower case
/// without `_`.
const FAILURE_COUNTS: &[&str] = &[
    "failurecount",
    "failurescount",
    "failedcount",
    "failedfilecount",
    "failedobjectcount",
    "failedrequestcount",
];

/// Fields that group counters: Cloud Healthcare, Storage Transfer, Storage
/// Batch Operations, Parallelstore.
const COUNTER_GROUPS: &[&str] = &["counter", "counters", "errorbreakdowns", "errorsummary", "errorsummaries"];

/// As in `genericMetadata: { progress: { percent } }`.
const DEPTH: usize = 2;

/// Metadata have a few parts that describe progress; more are a list of
/// something else.
const MOST_PARTS: usize = 100;

/// More than the statements of any schema change.
const MOST_ELEMENTS: usize = 10_000;

/// Some services overshoot a little; more is no percentage.
const MOST_PERCENT: f64 = 110.0;
