//! Text that operations share with each other and with the messages inside
//! them.

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

/// The place of a text in a shared one, of at most [`TextSpan::MOST`] bytes.
#[derive(Clone, Copy)]
pub(super) struct TextSpan {
    start: u32,
    length: u32,
}

/// A text with an owner that has a shared text: a part of that, or one of its
/// own.
#[derive(Clone)]
pub(super) enum TextPart {
    Shared(TextSpan),
    Own(Arc<str>),
}

impl SharedText {
    pub(super) fn part(whole: &Arc<str>, span: TextSpan) -> Self {
        Self { whole: Arc::clone(whole), range: span.range() }
    }

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
    /// Longer texts are refused before they are shared.
    pub(super) const MOST: usize = u32::MAX as usize;

    fn new(start: usize, length: usize) -> Self {
        // Nothing is cut off here: `OperationFields::read` rejects texts of more than
        // `MOST` bytes.
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { start: short(start), length: short(length) }
    }

    fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.length as usize
    }

    pub(super) fn of(self, whole: &str) -> &str {
        whole.get(self.range()).unwrap_or_default()
    }
}

impl TextPart {
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

/// A value, or a row of values, with a copy of the text, which whatever is kept
/// of them shares.
///
/// One allocation serves all, and the document they came in does not stay
/// alive.
pub(super) struct SharedSource<'a> {
    raw: RawJson<'a>,
    copy: Arc<str>,
}

impl<'a> SharedSource<'a> {
    pub(super) fn new(raw: RawJson<'a>) -> Self {
        Self { raw, copy: raw.text().into() }
    }

    /// Returns the whole text.
    pub(super) fn text(&self) -> Arc<str> {
        Arc::clone(&self.copy)
    }

    /// Returns the place of a value that stands inside this one.
    pub(super) fn span(&self, part: RawJson<'a>) -> TextSpan {
        TextSpan::new(part.start_in(self.raw), part.text().len())
    }

    /// Shares a value that stands inside this one.
    pub(super) fn part(&self, part: RawJson<'a>) -> SharedText {
        let start = part.start_in(self.raw);
        self.slice(start..start + part.text().len())
    }

    /// Shares a string that stands inside this value, unless it is spelled with
    /// escapes.
    pub(super) fn string(&self, part: RawJson<'a>) -> Result<SharedText, InvalidJson> {
        // One further, after the quotation mark.
        let start = part.start_in(self.raw) + 1;
        Ok(match part.string()? {
            Cow::Borrowed(plain) => self.slice(start..start + plain.len()),
            // With escapes, the text of the string is nowhere in the document.
            Cow::Owned(unescaped) => unescaped.into(),
        })
    }

    /// Returns the place of a string that stands inside this value, unless it
    /// is spelled with escapes.
    pub(super) fn string_part(&self, part: RawJson<'a>) -> Result<TextPart, InvalidJson> {
        Ok(match part.string()? {
            Cow::Borrowed(plain) => TextPart::Shared(TextSpan::new(part.start_in(self.raw) + 1, plain.len())),
            Cow::Owned(unescaped) => unescaped.into(),
        })
    }

    /// Returns the place of a text, if it is a part of this one.
    pub(super) fn place(&self, text: &SharedText) -> TextPart {
        match Arc::ptr_eq(&text.whole, &self.copy) {
            true => TextPart::Shared(TextSpan::new(text.range.start, text.range.len())),
            false => TextPart::Own(text.as_str().into()),
        }
    }

    fn slice(&self, range: Range<usize>) -> SharedText {
        SharedText { whole: self.text(), range }
    }
}
