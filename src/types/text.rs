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

/// A copy of a part of a document, which shares it with whatever is made of the
/// values in it.
///
/// One allocation serves all, and the document does not stay alive.
pub(super) struct SharedSource {
    /// Where the part starts in the document.
    start: usize,
    copy: Arc<str>,
}

impl SharedSource {
    /// Copies a value.
    pub(super) fn new(raw: RawJson<'_>) -> Self {
        Self { start: raw.range().start, copy: raw.text().into() }
    }

    /// Copies the part of a document that starts with `first`: as many values
    /// as fit into `size` bytes if all are as long, and at least this one.
    pub(super) fn block(document: &str, first: RawJson<'_>, size: usize) -> Self {
        let Range { start, end } = first.range();
        // With a comma.
        let length = end - start + 1;
        let mut end = (start + length * (size / length)).clamp(end, document.len());
        while !document.is_char_boundary(end) {
            end -= 1;
        }
        Self { start, copy: document.get(start..end).unwrap_or_default().into() }
    }

    /// Returns whether a value of the document is in the part.
    pub(super) fn contains(&self, value: RawJson<'_>) -> bool {
        let Range { start, end } = value.range();
        self.start <= start && end <= self.start + self.copy.len()
    }

    /// Returns the whole text.
    pub(super) fn text(&self) -> Arc<str> {
        Arc::clone(&self.copy)
    }

    /// Returns where a value is in the copy.
    pub(super) fn span(&self, value: RawJson<'_>) -> TextSpan {
        TextSpan::new(self.start_of(value), value.text().len())
    }

    /// Returns a value as a part of the copy.
    pub(super) fn part(&self, value: RawJson<'_>) -> SharedText {
        let start = self.start_of(value);
        self.slice(start..start + value.text().len())
    }

    /// Returns a string without its quotation marks: a part of the copy, or a
    /// text of its own if it has escapes.
    pub(super) fn string(&self, value: RawJson<'_>) -> Result<SharedText, InvalidJson> {
        // One further, after the quotation mark.
        let start = self.start_of(value) + 1;
        Ok(match value.string()? {
            Cow::Borrowed(plain) => self.slice(start..start + plain.len()),
            // With escapes, the text of the string is nowhere in the document.
            Cow::Owned(unescaped) => unescaped.into(),
        })
    }

    /// Returns where a string is in the copy, or the string if it has escapes.
    pub(super) fn string_part(&self, value: RawJson<'_>) -> Result<TextPart, InvalidJson> {
        Ok(match value.string()? {
            Cow::Borrowed(plain) => TextPart::Shared(TextSpan::new(self.start_of(value) + 1, plain.len())),
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

    fn start_of(&self, value: RawJson<'_>) -> usize {
        value.range().start.saturating_sub(self.start)
    }

    fn slice(&self, range: Range<usize>) -> SharedText {
        SharedText { whole: self.text(), range }
    }
}
