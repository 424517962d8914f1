//! Distinguishes lists of operations from lists of something else.
//!
//! A list call to a wrong URL, such as that of instances, gets a valid response
//! with other content. It would look like an empty list, and a program would
//! wait for nothing. So a response is accepted only if it can be a list of
//! operations:
//!
//! | response | |
//! |---|---|
//! | `{"operations":[…]}`, `{"items":[…]}` of operations | accepted |
//! | `{}`, `{"nextPageToken":"t"}` | accepted: an empty page |
//! | `{"kind":"compute#operationList","id":"…"}` | accepted: an empty page |
//! | `{"kind":"compute#instanceList","id":"…"}`, `{"name":"x"}` | an error |

use crate::json::{InvalidJson, JsonReader};
use crate::util::excerpt::excerpt;

use super::recognize::with_fields;

/// The fields of a list, without its operations.
#[derive(Default)]
pub(in crate::types) struct ListShape {
    kind: String,
    /// Whether `operations` or `items` is there.
    has_list: bool,
    /// Whether `error` is there: the error of the call is reported elsewhere.
    has_error: bool,
    /// The first names of other fields, for the message.
    others: Vec<String>,
    /// The number of other fields.
    count: usize,
}

impl ListShape {
    /// Notes that the list of operations is there.
    pub(in crate::types) fn has_list(&mut self) {
        self.has_list = true;
    }

    /// Notes a field that is neither a list of operations, nor a token, nor
    /// about unreachable places.
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
        // A message names only a few, however many fields a server sends.
        if self.others.len() < MOST_NAMES {
            self.others.push(name.to_owned());
        }
        Ok(())
    }

    /// Returns an error for an object that has content but no operations, and
    /// no `kind` of a list of operations.
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

/// Returns the place whose operations are missing according to a warning;
/// `None` if the warning says something else.
///
/// ```text
/// {"code":"UNREACHABLE","data":[{"key":"scope","value":"zones/z"}]}    zones/z
/// {"code":"NO_RESULTS_ON_PAGE"}                                        None
/// ```
///
/// `scope` is the place of the warning in an aggregated list, which counts
/// first.
pub(in crate::types) fn missing_place(warning: &serde_json::Value, scope: Option<&str>) -> Option<String> {
    let text =
        |name: &str| warning.get(name).and_then(|value| value.as_str()).filter(|text| !text.is_empty());
    if COMPLETE.contains(&text("code").unwrap_or_default()) {
        return None;
    }
    let data = warning.get("data").and_then(|data| data.as_array()).into_iter().flatten();
    let named = data.filter(|entry| entry.get("key").is_some_and(|key| key == "scope"));
    let named = named.filter_map(|entry| entry.get("value")?.as_str()).next();
    // The most exact place first; a warning without any is named by its text.
    let place = scope.or(named).or(text("region")).or(text("message")).or(text("code"));
    place.map(str::to_owned)
}

/// Returns whether a `kind` is that of a list of operations.
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

/// The number of names that a message contains.
const MOST_NAMES: usize = 8;
