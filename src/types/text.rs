//! Text that operations share with each other and with the messages inside
//! them.
//!
//! ```text
//! page:      {"operations":[{"name":"a",…},{"name":"b",…}, … ]}
//! block:                    {"name":"a",…},{"name":"b",…}          one Arc<str>, up to 16 KiB
//! operation:                ^^^^^^^^^^^^^^                         a TextSpan of the block
//! name:                              ^                             a TextSpan of the block
//! ```
//!
//! A span is 8 bytes and means nothing without its text; a [`SharedText`] has
//! both. The page itself is dropped: an operation that a program keeps holds
//! its block, not megabytes.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::json::{InvalidJson, RawJson};

/// A part of a text, with a reference to the whole.
#[derive(Clone)]
pub(super) struct SharedText {
    whole: Arc<str>,
    range: Range<usize>,
}

/// Where a part is in a text, in bytes.
#[derive(Clone, Copy)]
pub(super) struct TextSpan {
    start: u32,
    length: u32,
}

/// A text whose owner has a shared text: a part of that, or one of its own, for
/// example because the original has escapes.
#[derive(Clone)]
pub(super) enum TextPart {
    Shared(TextSpan),
    Own(Arc<str>),
}

impl SharedText {
    /// Returns the part at `span`.
    pub(super) fn part(whole: &Arc<str>, span: TextSpan) -> Self {
        Self { whole: Arc::clone(whole), range: span.range() }
    }

    /// Returns the text.
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

impl TextSpan {
    /// The longest text that spans can refer to, 4 GiB. Longer texts are
    /// refused before they are shared.
    pub(super) const MOST: usize = u32::MAX as usize;

    fn new(start: usize, length: usize) -> Self {
        // Nothing is cut off here: `OperationFields::read` rejects texts of more than
        // `MOST` bytes.
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { start: short(start), length: short(length) }
    }

    /// Returns the span as a range of bytes.
    fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.length as usize
    }

    /// Returns the text at this place; empty if `whole` is too short.
    pub(super) fn of(self, whole: &str) -> &str {
        whole.get(self.range()).unwrap_or_default()
    }
}

impl TextPart {
    /// Returns the text. `whole` is the shared text of the owner.
    pub(super) fn of<'t>(&'t self, whole: &'t str) -> &'t str {
        match self {
            Self::Shared(span) => span.of(whole),
            Self::Own(text) => text,
        }
    }
}

impl From<&str> for TextPart {
    fn from(text: &str) -> Self {
        Self::Own(text.into())
    }
}

impl From<String> for TextPart {
    fn from(text: String) -> Self {
        Self::Own(text.into())
    }
}

/// A value, or a sequence of values, and a copy of its text, of which
/// everything that is kept is a part.
///
/// One allocation serves all, and the document that contained the value is not
/// kept alive.
pub(super) struct SharedSource<'a> {
    /// The value in the document: positions are relative to it.
    raw: RawJson<'a>,
    copy: Arc<str>,
}

impl<'a> SharedSource<'a> {
    /// Copies the text of a value.
    pub(super) fn new(raw: RawJson<'a>) -> Self {
        Self { raw, copy: raw.text().into() }
    }

    /// Returns the whole text.
    pub(super) fn text(&self) -> Arc<str> {
        Arc::clone(&self.copy)
    }

    /// Returns where a value inside this one is in the copy.
    pub(super) fn span(&self, part: RawJson<'a>) -> TextSpan {
        TextSpan::new(part.start_in(self.raw), part.text().len())
    }

    /// Returns a value inside this one as a part of the copy.
    pub(super) fn part(&self, part: RawJson<'a>) -> SharedText {
        // `part` lies inside `raw`, and the copy begins where `raw` does.
        let start = part.start_in(self.raw);
        self.slice(start..start + part.text().len())
    }

    /// Returns a string inside this value, without its quotation marks: a part
    /// of the copy, or a text of its own if it has escapes.
    pub(super) fn string(&self, part: RawJson<'a>) -> Result<SharedText, InvalidJson> {
        // One further, after the quotation mark.
        let start = part.start_in(self.raw) + 1;
        Ok(match part.string()? {
            Cow::Borrowed(plain) => self.slice(start..start + plain.len()),
            // With escapes, the text of the string is nowhere in the document.
            Cow::Owned(unescaped) => unescaped.into(),
        })
    }

    /// Returns where a string inside this value is in the copy, or the string
    /// if it has escapes.
    pub(super) fn string_part(&self, part: RawJson<'a>) -> Result<TextPart, InvalidJson> {
        Ok(match part.string()? {
            Cow::Borrowed(plain) => TextPart::Shared(TextSpan::new(part.start_in(self.raw) + 1, plain.len())),
            Cow::Owned(unescaped) => unescaped.into(),
        })
    }

    /// Returns where a text is in the copy, or the text if it is not a part of
    /// it.
    pub(super) fn place(&self, text: &SharedText) -> TextPart {
        // By the address, not by the content: equal texts at different places
        // are not parts.
        match Arc::ptr_eq(&text.whole, &self.copy) {
            true => TextPart::Shared(TextSpan::new(text.range.start, text.range.len())),
            false => TextPart::Own(text.as_str().into()),
        }
    }

    fn slice(&self, range: Range<usize>) -> SharedText {
        SharedText { whole: self.text(), range }
    }
}
