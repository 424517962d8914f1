//! The values of metadata, by their names without regard to case and underscores.

use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::json::parse_timestamp;
use crate::types::{Any, Status};

/// The fields of metadata, and of the parts that tell of progress too.
pub(super) struct Fields {
    metadata: Map<String, Value>,
}

impl Fields {
    pub(super) fn read(metadata: &Any) -> Option<Self> {
        let Ok(Value::Object(mut fields)) = serde_json::from_str(&metadata.json().ok()?) else { return None };
        if metadata.type_name() == STRUCT
            && let Some(Value::Object(value)) = fields.remove("value")
        {
            fields = value;
        }
        Some(Self { metadata: fields })
    }

    /// Reads the first value of the first of these names that can be read, from the outside in.
    pub(super) fn find<T>(&self, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        self.levels().into_iter().find_map(|level| {
            names.iter().find_map(|name| {
                level.iter().filter(|(key, _)| plain(key) == *name).find_map(|(_, value)| read(value))
            })
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

    /// The metadata, and the parts in them that have names of parts which tell of progress.
    fn levels(&self) -> Vec<&Map<String, Value>> {
        let mut levels = vec![&self.metadata];
        let mut from = 0;
        for _ in 0..DEPTH {
            let inner: Vec<_> = levels[from..].iter().flat_map(|level| level.iter()).flat_map(part).collect();
            from = levels.len();
            levels.extend(inner);
        }
        levels
    }
}

/// The objects that a field holds, if it may tell of progress.
fn part<'a>((key, value): (&'a String, &'a Value)) -> Vec<&'a Map<String, Value>> {
    let key = plain(key);
    let tells = key == "common" || key == "status" || key.contains("progress") || key.ends_with("metadata");
    match value {
        Value::Object(object) if tells => vec![object],
        Value::Array(elements) if tells => elements.iter().filter_map(Value::as_object).collect(),
        _ => Vec::new(),
    }
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

/// Some services overshoot a little; more is no percentage.
const MOST_PERCENT: f64 = 110.0;
