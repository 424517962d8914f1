//! Text that an operation shares with the messages inside it.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::json::{InvalidJson, RawJson};

/// A part of a text that is shared.
#[derive(Clone)]
pub(super) struct SharedText {
    whole: Arc<str>,
    range: Range<usize>,
}

impl SharedText {
    pub(super) fn as_str(&self) -> &str {
        self.whole.get(self.range.clone()).unwrap_or_default()
    }

    /// Shares a part of this text.
    pub(super) fn slice(&self, part: Range<usize>) -> Self {
        let start = self.range.start;
        Self { whole: Arc::clone(&self.whole), range: start + part.start..start + part.end }
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        Self { range: 0..text.len(), whole: text.into() }
    }
}

/// A value with a copy of its text, which whatever is kept of the value shares.
///
/// One allocation serves an operation, and the document it came in does not stay alive.
pub(super) struct SharedSource<'a> {
    raw: RawJson<'a>,
    copy: Arc<str>,
}

impl<'a> SharedSource<'a> {
    pub(super) fn new(raw: RawJson<'a>) -> Self {
        Self { raw, copy: raw.text().into() }
    }

    /// The whole text.
    pub(super) fn text(&self) -> Arc<str> {
        Arc::clone(&self.copy)
    }

    /// Shares a value that stands inside this one.
    pub(super) fn part(&self, part: RawJson<'a>) -> SharedText {
        self.slice(part.start_in(self.raw), part.text().len())
    }

    /// Shares a string that stands inside this value, unless it is spelled with escapes.
    pub(super) fn string(&self, part: RawJson<'a>) -> Result<SharedText, InvalidJson> {
        Ok(match part.string()? {
            Cow::Borrowed(plain) => self.slice(part.start_in(self.raw) + 1, plain.len()),
            Cow::Owned(unescaped) => unescaped.into(),
        })
    }

    fn slice(&self, start: usize, length: usize) -> SharedText {
        SharedText { whole: self.text(), range: start..start + length }
    }
}
