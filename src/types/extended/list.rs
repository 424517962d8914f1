//! Distinguishes lists of operations from lists of something else.

use crate::json::{InvalidJson, JsonReader};
use crate::util::excerpt::excerpt;

use super::recognize::with_fields;

/// The fields of a list, without its operations.
#[derive(Default)]
pub(in crate::types) struct ListShape {
    kind: String,
    /// `operations` or `items` is there.
    has_list: bool,
    has_error: bool,
    others: Vec<String>,
    count: usize,
}

impl ListShape {
    pub(in crate::types) fn has_list(&mut self) {
        self.has_list = true;
    }

    /// Takes note of a field that is neither a list of operations, nor a token,
    /// nor about unreachable places.
    pub(in crate::types) fn other(
        &mut self,
        name: &str,
        reader: &mut JsonReader<'_>,
    ) -> Result<(), InvalidJson> {
        let value = reader.value()?;
        match name {
            "kind" => self.kind = value.string().unwrap_or_default().into(),
            "error" => self.has_error = true,
            _ => {}
        }
        self.count += 1;
        if self.others.len() < MOST_NAMES {
            self.others.push(name.to_owned());
        }
        Ok(())
    }

    /// Refuses a list that has content, but no operations: it would look empty.
    pub(in crate::types) fn check(&self) -> Result<(), InvalidJson> {
        if self.has_list || self.has_error || self.count == 0 || is_list_of_operations(&self.kind) {
            return Ok(());
        }
        let kind = match self.kind.as_str() {
            "" => "an object".to_owned(),
            kind => format!("a `{}`", excerpt(kind)),
        };
        let fields = with_fields(&self.others, self.count);
        Err(InvalidJson::new(format!("expected `operations` or `items`, found {kind} {fields}")))
    }
}

/// Reads a warning, which names a place whose operations are missing; `None` if
/// none are.
pub(in crate::types) fn missing_place(warning: &serde_json::Value, scope: Option<&str>) -> Option<String> {
    let text =
        |name: &str| warning.get(name).and_then(|value| value.as_str()).filter(|text| !text.is_empty());
    if COMPLETE.contains(&text("code").unwrap_or_default()) {
        return None;
    }
    let data = warning.get("data").and_then(|data| data.as_array()).into_iter().flatten();
    let named = data.filter(|entry| entry.get("key").is_some_and(|key| key == "scope"));
    let named = named.filter_map(|entry| entry.get("value")?.as_str()).next();
    let place = scope.or(named).or(text("region")).or(text("message")).or(text("code"));
    place.map(str::to_owned)
}

fn is_list_of_operations(kind: &str) -> bool {
    kind.starts_with("compute#operations")
        || matches!(
            kind,
            "compute#operationList"
                | "compute#operationAggregatedList"
                | "deploymentmanager#operationsListResponse"
                | "sql#operationsList"
                | "dns#managedZoneOperationsListResponse"
                | "storage#operations"
        )
}

/// Codes of warnings on complete lists.
const COMPLETE: [&str; 2] = ["NO_RESULTS_ON_PAGE", "MAX_RESULTS_EXCEEDS_LIMIT"];

const MOST_NAMES: usize = 8;
