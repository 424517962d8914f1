//! The values of metadata by name, without regard to case and underscores.
//!
//! Metadata have their progress at the top, or in a part: `genericMetadata`,
//! `progress`, `common`. The parts are found down to two levels, and read from
//! the outside in, so that a field at the top wins. The number of parts and
//! elements is limited: metadata of a hostile server must not take long.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::json::parse_timestamp;
use crate::types::{Any, Status};

/// Reads metadata as an object. `None` for bytes that have no JSON form, and
/// for any other JSON value. A `google.protobuf.Struct` is its content.
pub(super) fn read(metadata: &Any) -> Option<Map<String, Value>> {
    // A tree: metadata are small, and are read only if a program wants the
    // progress.
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
    /// All of it: failures are searched at any depth.
    metadata: &'a Map<String, Value>,
    /// The metadata first, then the parts, from the outside in.
    parts: Vec<ProgressPart<'a>>,
}

/// A part: one object, or the objects of a list.
struct ProgressPart<'a> {
    /// The objects; one for a part that is no list.
    elements: Vec<FieldLevel<'a>>,
    /// The number of elements that the list will have. It is larger than their
    /// number if the service has not sent all of them yet.
    expected: usize,
}

/// The values of one object by their plain names. Two spellings of a name in
/// one object are two values.
type FieldLevel<'a> = BTreeMap<String, Vec<&'a Value>>;

impl<'a> ProgressFields<'a> {
    /// Finds the parts of metadata.
    pub(super) fn of(metadata: &'a Map<String, Value>) -> Self {
        let mut parts = vec![ProgressPart { elements: vec![level(metadata)], expected: 1 }];
        let mut from = 0;
        for _ in 0..DEPTH {
            let outer = parts.get(from..).unwrap_or_default().iter();
            // The elements of a list are not searched for further parts: the list is one
            // value.
            let outer = outer.filter_map(|part| part.elements.first().filter(|_| part.expected == 1));
            // Hostile metadata may nest thousands of objects with matching
            // names.
            let room = MOST_PARTS.saturating_sub(parts.len());
            let inner: Vec<_> = outer.flat_map(parts_of).take(room).collect();
            from = parts.len();
            parts.extend(inner);
        }
        Self { metadata, parts }
    }

    /// Returns the first value that `read` accepts: by the part, from the
    /// outside in, then by the order of the names.
    pub(super) fn find<T>(&self, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        self.parts.iter().flat_map(|part| &part.elements).find_map(|level| first(level, names, &read))
    }

    /// Returns a percentage of the first part that has one. For a list it is
    /// the mean of its elements; those without a number have not begun, and
    /// count as zero.
    pub(super) fn mean(&self, names: &[&str], read: impl Fn(&Value) -> Option<f64>) -> Option<f64> {
        let read = |value: &Value| mean_of(value, &read);
        self.parts.iter().find_map(|part| {
            let found: Vec<f64> =
                part.elements.iter().filter_map(|level| first(level, names, read)).collect();
            (!found.is_empty()).then(|| found.iter().sum::<f64>() / part.expected as f64)
        })
    }

    /// Returns a number of units of the first part that has one, added up over
    /// the elements of a list.
    pub(super) fn sum(&self, name: &str) -> Option<u64> {
        self.parts.iter().find_map(|part| {
            let found = part.elements.iter().filter_map(|level| first(level, &[name], units));
            found.reduce(u64::saturating_add)
        })
    }

    /// Returns a time; one that is no RFC 3339 timestamp counts as absent.
    pub(super) fn time(&self, names: &[&str]) -> Option<SystemTime> {
        self.find(names, |value| parse_timestamp(value.as_str()?)?.try_into().ok())
    }

    /// Returns a text; an empty one counts as absent.
    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        self.find(names, |value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned))
    }

    /// Returns every value, at any depth, that looks like a `google.rpc.Status`
    /// of a failure.
    pub(super) fn failures(&self) -> Vec<Status> {
        let mut found = Vec::new();
        self.metadata.values().for_each(|value| collect(value, &mut found));
        found
    }

    /// Returns the largest number of failures that a counter or a summary of
    /// errors has: several may count the same failures.
    pub(super) fn counted_failures(&self) -> Option<u64> {
        let levels = || self.parts.iter().flat_map(|part| &part.elements);
        let counters = levels().filter_map(|level| first(level, FAILURE_COUNTS, units));
        let groups = levels().flat_map(|level| COUNTER_GROUPS.iter().filter_map(|name| level.get(*name)));
        let groups = groups.flatten().filter_map(|value| failures_of_group(value));
        // Not the sum: a counter and a summary count the same failures.
        counters.chain(groups).max()
    }
}

/// Returns the first value of the first of these names that `read` accepts.
fn first<T>(level: &FieldLevel<'_>, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    names.iter().find_map(|name| level.get(*name)?.iter().find_map(|value| read(value)))
}

/// Reads a number, or the mean of a list of numbers, in which missing ones
/// count as zero.
fn mean_of(value: &Value, read: impl Fn(&Value) -> Option<f64>) -> Option<f64> {
    let Value::Array(elements) = value else { return read(value) };
    let is_number = |value: &Value| value.is_number() || value.is_string();
    if !elements.iter().any(is_number) {
        return None;
    }
    let sum: f64 = elements.iter().filter_map(read).sum();
    Some(sum / elements.len() as f64)
}

/// Adds up the failures of a group of counters. Bytes are not counted: they
/// belong to an object that is.
///
/// ```text
/// "counter":{"success":"97","failure":"3"}                         3
/// "counters":{"objectsFromSourceFailed":"2","bytesFailed":"9"}     2
/// "errorBreakdowns":[{"errorCode":5,"errorCount":"4"}]             4
/// ```
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

/// Returns the values of an object by their plain names.
fn level(fields: &Map<String, Value>) -> FieldLevel<'_> {
    let mut level = FieldLevel::new();
    for (key, value) in fields {
        level.entry(plain(key)).or_default().push(value);
    }
    level
}

/// Returns the parts in an object: the objects and lists of objects in fields
/// that may describe progress.
fn parts_of<'a>(level: &FieldLevel<'a>) -> Vec<ProgressPart<'a>> {
    let describes = |key: &str| {
        key == "common" || key == "status" || key.contains("progress") || key.ends_with("metadata")
    };
    let values = level.iter().filter(|(key, _)| describes(key)).flat_map(|(_, values)| values);
    values.filter_map(|value| part_of(value, statements(level))).collect()
}

/// Returns a value as a part; `None` if it is no object and no list of objects,
/// or a list that is too long. `statements` is the least number of elements to
/// expect.
fn part_of(value: &Value, statements: usize) -> Option<ProgressPart<'_>> {
    match value {
        Value::Object(object) => Some(ProgressPart { elements: vec![level(object)], expected: 1 }),
        Value::Array(elements) if elements.len() <= MOST_ELEMENTS => {
            let levels: Vec<_> = elements.iter().filter_map(Value::as_object).map(level).collect();
            // Statements that have not begun have no element yet.
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

/// Returns a name in lower case and without `_`: `progressPercent`,
/// `progress_percent` and `ProgressPercent` are one name.
fn plain(key: &str) -> String {
    key.chars().filter(|char| *char != '_').map(|char| char.to_ascii_lowercase()).collect()
}

/// Collects the failures in a value. An object that is a failure is not
/// searched further.
fn collect(value: &Value, found: &mut Vec<Status>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
        // Parsed again from its text: a Status keeps the details as they were
        // sent.
        Value::Object(fields) if is_failure(fields) => {
            found.extend(Status::from_json(&value.to_string()));
        }
        Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// Returns whether an object is a failure: a code that is not OK, a message,
/// and no fields but those of a status.
///
/// An object with more fields is a state of the service's own, which may have a
/// `code` for something else.
fn is_failure(fields: &Map<String, Value>) -> bool {
    let code = fields.get("code").and_then(ProgressNumber::of).map(|code| code.value);
    code.is_some_and(|code| code != 0.0 && code.fract() == 0.0)
        && fields.get("message").is_some_and(Value::is_string)
        && fields.keys().all(|key| matches!(key.as_str(), "code" | "message" | "details" | "@type"))
}

/// A number as services write it: as a JSON number or as text, with or without
/// a percent sign. It is finite and not negative.
pub(super) struct ProgressNumber {
    value: f64,
    /// Whether it has a percent sign.
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
        // Some services write -1 for an unknown number.
        (f64::is_finite(value) && value >= 0.0).then_some(Self { value, has_sign })
    }

    pub(super) fn value(&self) -> f64 {
        self.value
    }

    /// Returns the number as a percentage; `None` if it is too large for one.
    pub(super) fn percent(&self) -> Option<f64> {
        (self.value <= MOST_PERCENT).then(|| self.value.min(100.0))
    }

    /// Returns a number from 0 to 1 as a percentage; `None` for a larger one.
    pub(super) fn fraction(&self) -> Option<f64> {
        (self.value <= 1.0).then_some(self.value * 100.0)
    }

    /// Returns a number under a name that does not say which of the two it is:
    /// less than 1 is a fraction, unless it has a percent sign.
    pub(super) fn percent_or_fraction(&self) -> Option<f64> {
        if self.value < 1.0 && !self.has_sign { self.fraction() } else { self.percent() }
    }
}

/// Returns a number of units. Text is parsed as an integer, because 64 bits do
/// not fit a JSON number without loss.
pub(super) fn units(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        number => number.as_u64(),
    }
}

/// The type whose JSON is under `value`.
const STRUCT: &str = "google.protobuf.Struct";

/// Counters of failures beside the other fields, in lower case without `_`.
const FAILURE_COUNTS: &[&str] = &[
    "failurecount",
    "failurescount",
    "failedcount",
    "failedfilecount",
    "failedobjectcount",
    "failedrequestcount",
];

/// Fields that group counters, in Cloud Healthcare, Storage Transfer, Storage
/// Batch Operations and Parallelstore.
const COUNTER_GROUPS: &[&str] = &["counter", "counters", "errorbreakdowns", "errorsummary", "errorsummaries"];

/// How many levels of parts are searched, as in `genericMetadata: { progress: {
/// percent } }`.
const DEPTH: usize = 2;

/// The limit on parts. Metadata have a few; more are a list of something else.
const MOST_PARTS: usize = 100;

/// The limit on elements of a list, more than the statements of any schema
/// change. A longer list is ignored.
const MOST_ELEMENTS: usize = 10_000;

/// The largest percentage. Some services overshoot a little; a larger number
/// means something else.
const MOST_PERCENT: f64 = 110.0;
