//! The fields of an operation, before there is a copy of its text.

use crate::json::{InvalidJson, JsonReader, RawJson};
use crate::types::text::TextSpan;

/// The values of the fields, and the whole object.
#[derive(Default)]
pub(super) struct OperationFields<'a> {
    pub(super) name: Option<RawJson<'a>>,
    pub(super) done: Option<RawJson<'a>>,
    pub(super) metadata: Option<RawJson<'a>>,
    pub(super) response: Option<RawJson<'a>>,
    pub(super) error: Option<RawJson<'a>>,
    pub(super) kind: Option<RawJson<'a>>,
    /// There are fields that no google.longrunning operation has.
    has_others: bool,
}

impl<'a> OperationFields<'a> {
    /// Finds the fields of the operation that the reader stands at, and returns
    /// the whole object.
    ///
    /// In place, because moving the fields takes as long as finding some of
    /// them.
    pub(super) fn read(&mut self, reader: &mut JsonReader<'a>) -> Result<RawJson<'a>, InvalidJson> {
        let fields = self;
        let raw = reader.values(|name, value| {
            let value = Some(value);
            match name {
                "name" => fields.name = value,
                "done" => fields.done = value,
                "metadata" => fields.metadata = value,
                "response" => fields.response = value,
                "error" => fields.error = value,
                "kind" => (fields.kind, fields.has_others) = (value, true),
                _ => fields.has_others = true,
            }
        })?;
        raw.check_depth()?;
        match raw.text().len() {
            ..=TextSpan::MOST => Ok(raw),
            _ => Err(InvalidJson::new("expected at most 4 GiB")),
        }
    }

    /// Only then is there a second look at the fields.
    pub(super) fn may_be_extended(&self) -> bool {
        self.has_others && self.done.is_none() && self.metadata.is_none() && self.response.is_none()
    }
}
