//! The fields of an object that is not plainly a google.longrunning operation:
//! what decides about its form, name, state and error.
//!
//! They are collected in a second pass over the text, which only objects with
//! unusual fields need. Values stay as they are written, and each reader
//! decides which kinds it accepts.

use std::borrow::Cow;

use crate::json::{InvalidJson, RawJson};

/// The values that decide about the form, the name, the state and the error.
///
/// They are collected in a second pass, which only objects with unusual fields
/// need.
#[derive(Default)]
pub(super) struct ExtendedFields<'a> {
    pub(super) kind: Option<RawJson<'a>>,
    pub(super) name: Option<RawJson<'a>>,
    /// The name of an operation of Cloud DNS.
    pub(super) id: Option<RawJson<'a>>,
    pub(super) status: Option<RawJson<'a>>,
    pub(super) operation_type: Option<RawJson<'a>>,
    pub(super) self_link: Option<RawJson<'a>>,
    pub(super) target_link: Option<RawJson<'a>>,
    pub(super) target_project: Option<RawJson<'a>>,
    /// The URL of a zone or region; for GKE the bare word.
    pub(super) scope: Option<RawJson<'a>>,
    pub(super) error: Option<RawJson<'a>>,
    pub(super) status_message: Option<RawJson<'a>>,
    pub(super) http_code: Option<RawJson<'a>>,
    pub(super) http_message: Option<RawJson<'a>>,
    /// The lists of conditions of GKE.
    pub(super) conditions: Vec<RawJson<'a>>,
    /// Whether `status`, `state` or `currentState` is a string.
    pub(super) has_state: bool,
    /// Whether there is a field that only `google.longrunning.Operation` has,
    /// even if it is null.
    pub(super) is_longrunning: bool,
    /// The first names of fields, for messages.
    pub(super) names: Vec<String>,
    /// The number of fields.
    pub(super) count: usize,
}

impl<'a> ExtendedFields<'a> {
    /// Collects the fields of an object. A field that is null counts as absent,
    /// as in ProtoJSON.
    pub(super) fn read(raw: RawJson<'a>) -> Result<Self, InvalidJson> {
        let mut fields = Self::default();
        raw.reader().members(|name, reader| {
            let value = reader.value()?;
            fields.note(name);
            // Null counts as absent, but its name still says which type the
            // object has.
            match value.text() {
                "null" => fields.is_longrunning |= is_longrunning(name),
                _ => fields.set(name, value),
            }
            Ok(())
        })?;
        Ok(fields)
    }

    /// Counts a field.
    fn note(&mut self, name: &str) {
        self.count += 1;
        if self.names.len() < MOST_NAMES {
            self.names.push(name.to_owned());
        }
    }

    /// Stores the value of a field.
    fn set(&mut self, name: &str, value: RawJson<'a>) {
        let field = match name {
            "kind" => &mut self.kind,
            "name" => &mut self.name,
            "id" => &mut self.id,
            "status" => {
                self.has_state |= value.string().is_ok();
                &mut self.status
            }
            "state" | "currentState" => return self.has_state |= value.string().is_ok(),
            "operationType" => &mut self.operation_type,
            "selfLink" => &mut self.self_link,
            "targetLink" => &mut self.target_link,
            "targetProject" => &mut self.target_project,
            // An operation has at most one of the two; a global one has none.
            "zone" | "region" => &mut self.scope,
            "error" => &mut self.error,
            "statusMessage" => &mut self.status_message,
            "httpErrorStatusCode" => &mut self.http_code,
            "httpErrorMessage" => &mut self.http_message,
            "clusterConditions" | "nodepoolConditions" => return self.conditions.push(value),
            _ => return self.is_longrunning |= is_longrunning(name),
        };
        *field = Some(value);
    }
}

/// Returns whether only `google.longrunning.Operation` has a field of this
/// name.
fn is_longrunning(name: &str) -> bool {
    matches!(name, "done" | "response" | "metadata")
}

/// Returns a value that is a string, and not empty.
pub(super) fn text(value: Option<RawJson<'_>>) -> Option<Cow<'_, str>> {
    value?.string().ok().filter(|text| !text.is_empty())
}

/// The number of names that a message contains.
const MOST_NAMES: usize = 8;
