//! The values of metadata, by their names without regard to case and underscores.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::json::parse_timestamp;
use crate::types::{Any, Status};

/// Metadata as an object.
pub(super) fn read(metadata: &Any) -> Option<Map<String, Value>> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(&metadata.json().ok()?) else { return None };
    if metadata.type_name() == STRUCT
        && let Some(Value::Object(value)) = fields.remove("value")
    {
        fields = value;
    }
    Some(fields)
}

/// The fields of metadata, and of the parts that tell of progress too.
pub(super) struct Fields<'a> {
    metadata: &'a Map<String, Value>,
    /// The metadata, and the parts in them that have names of parts which tell of progress, from the outside in.
    levels: Vec<Level<'a>>,
}

/// Values by plain names.
type Level<'a> = BTreeMap<String, Vec<&'a Value>>;

impl<'a> Fields<'a> {
    pub(super) fn of(metadata: &'a Map<String, Value>) -> Self {
        let mut levels = vec![level(metadata)];
        let mut from = 0;
        for _ in 0..DEPTH {
            let parts = levels.get(from..).unwrap_or_default().iter().flat_map(parts);
            let room = MOST_PARTS.saturating_sub(levels.len());
            let inner: Vec<_> = parts.take(room).map(level).collect();
            from = levels.len();
            levels.extend(inner);
        }
        Self { metadata, levels }
    }

    /// Reads the first value of the first of these names that can be read, from the outside in.
    pub(super) fn find<T>(&self, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        self.levels.iter().find_map(|level| {
            names.iter().find_map(|name| level.get(*name)?.iter().find_map(|value| read(value)))
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
}

fn level(fields: &Map<String, Value>) -> Level<'_> {
    let mut level = Level::new();
    for (key, value) in fields {
        level.entry(plain(key)).or_default().push(value);
    }
    level
}

/// The objects in the fields that may tell of progress.
fn parts<'a>(level: &Level<'a>) -> Vec<&'a Map<String, Value>> {
    let tells = |key: &str| {
        key == "common" || key == "status" || key.contains("progress") || key.ends_with("metadata")
    };
    let values = level.iter().filter(|(key, _)| tells(key)).flat_map(|(_, values)| values);
    values
        .flat_map(|value| match value {
            Value::Object(object) => vec![object],
            Value::Array(elements) => elements.iter().filter_map(Value::as_object).collect(),
            _ => Vec::new(),
        })
        .collect()
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

/// A code that is not OK and a message, and nothing else that a status does not have.
fn is_failure(fields: &Map<String, Value>) -> bool {
    let code = fields.get("code").and_then(Number::of).map(|code| code.value);
    code.is_some_and(|code| code != 0.0 && code.fract() == 0.0)
        && fields.get("message").is_some_and(Value::is_string)
        && fields.keys().all(|key| matches!(key.as_str(), "code" | "message" | "details" | "@type"))
}

/// A number as services write it: as such or as text, with or without a percent sign.
pub(super) struct Number {
    value: f64,
    has_sign: bool,
}

impl Number {
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

/// As in `genericMetadata: { progress: { percent } }`.
const DEPTH: usize = 2;

/// More parts than this are a list of something, or an attack.
const MOST_PARTS: usize = 100;

/// Some services overshoot a little; more is no percentage.
const MOST_PERCENT: f64 = 110.0;
