//! The fields of an operation in JSON, found in one pass.
//!
//! The values are parts of the text that is read; nothing is copied or
//! converted yet. So a page can find the fields of many operations first, and
//! then copy their text in one block.

use crate::json::{InvalidJson, JsonReader, RawJson};
use crate::types::text::TextSpan;

/// The values of the fields. A field that occurs twice has its last value, as
/// in ProtoJSON.
#[derive(Default)]
pub(super) struct OperationFields<'a> {
    pub(super) name: Option<RawJson<'a>>,
    pub(super) done: Option<RawJson<'a>>,
    pub(super) metadata: Option<RawJson<'a>>,
    pub(super) response: Option<RawJson<'a>>,
    pub(super) error: Option<RawJson<'a>>,
    /// Not a field of google.longrunning: extended operations have it.
    pub(super) kind: Option<RawJson<'a>>,
    /// Whether there are fields that no google.longrunning operation has.
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
        // Checked once here, for everything inside: later readers recurse.
        raw.check_depth()?;
        match raw.text().len() {
            ..=TextSpan::MOST => Ok(raw),
            _ => Err(InvalidJson::new("expected at most 4 GiB")),
        }
    }

    /// Returns whether a second pass has to find out if this is an extended
    /// operation.
    ///
    /// Most google.longrunning operations have `done`, metadata or a response,
    /// and no other fields; they are never read twice.
    pub(super) fn may_be_extended(&self) -> bool {
        self.has_others && self.done.is_none() && self.metadata.is_none() && self.response.is_none()
    }
}
