//! Text that an operation shares with the messages inside it.

use std::ops::Range;
use std::sync::Arc;

use crate::json::Raw;

/// A part of a text; clones share the whole.
#[derive(Clone)]
pub(super) struct Text {
    whole: Arc<str>,
    range: Range<usize>,
}

impl Text {
    /// Shares the part of `whole` that `part` is a slice of.
    pub(super) fn part(whole: &Arc<str>, part: Raw<'_>) -> Self {
        let part = part.text();
        let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
        let range = start..start.wrapping_add(part.len());
        match whole.get(range.clone()) {
            Some(shared) if shared.len() == part.len() => Self { whole: Arc::clone(whole), range },
            _ => Self::from(part),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        self.whole.get(self.range.clone()).unwrap_or_default()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { whole: text.into(), range: 0..text.len() }
    }
}
