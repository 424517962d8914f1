//! The bytes of an [`Any`](super::Any), which share the memory of the operation
//! that contained them.
//!
//! An operation in protobuf contains two such messages at most, its metadata
//! and its response. Both are ranges of one copy of the operation: one
//! allocation in place of four, for two URLs and two values.

use std::fmt;
use std::ops::Range;
use std::str;
use std::sync::Arc;

use crate::types::wire::{self, WireSpan, WireValue};

/// A type URL and the bytes of a message, as ranges of shared bytes. The URL is
/// valid UTF-8.
///
/// ```text
/// operation: 0a 0d "operations/42"  12 … [ 0a url 12 value ]  2a … [ 0a url 12 value ]
/// metadata:                                  ^^^    ^^^^^
/// response:                                                             ^^^    ^^^^^
/// ```
///
/// A clone is a reference count, not a copy.
#[derive(Clone)]
pub(super) struct AnyBytes {
    /// The operation, or the URL and the value one after the other.
    whole: Arc<[u8]>,
    type_url: Range<usize>,
    value: Range<usize>,
}

impl AnyBytes {
    /// Finds the fields of the Any at `any`, a part of `whole`. `None` if a
    /// field is of the wrong wire type or occurs twice: prost then decides.
    pub(super) fn read(whole: &Arc<[u8]>, any: WireSpan<'_>) -> Option<Self> {
        let (mut type_url, mut value, mut plain) = (None, None, true);
        let read = wire::fields(any.bytes, |number, field| {
            match (number, field) {
                // `replace` returns the earlier value: a second one makes the
                // message unusual.
                (1, WireValue::Bytes(span)) => plain &= type_url.replace(span).is_none(),
                (2, WireValue::Bytes(span)) => plain &= value.replace(span).is_none(),
                (1 | 2, _) => plain = false,
                _ => {}
            }
            Ok(())
        });
        // Checked here once, so that `type_url` can return it without an error.
        let url_is_text = type_url.is_none_or(|url| str::from_utf8(url.bytes).is_ok());
        // Positions in the Any become positions in the whole.
        let range = |span: Option<WireSpan<'_>>| {
            span.map_or(0..0, |span| any.start + span.start..any.start + span.start + span.bytes.len())
        };
        (read.is_ok() && plain && url_is_text).then(|| Self {
            whole: Arc::clone(whole),
            type_url: range(type_url),
            value: range(value),
        })
    }

    /// Returns the type URL.
    pub(super) fn type_url(&self) -> &str {
        let url = self.whole.get(self.type_url.clone()).unwrap_or_default();
        str::from_utf8(url).unwrap_or_default()
    }

    /// Returns the bytes of the message.
    pub(super) fn value(&self) -> &[u8] {
        self.whole.get(self.value.clone()).unwrap_or_default()
    }

    /// Copies the message into its protobuf form.
    pub(super) fn to_proto(&self) -> prost_types::Any {
        prost_types::Any { type_url: self.type_url().into(), value: self.value().into() }
    }
}

impl From<prost_types::Any> for AnyBytes {
    fn from(any: prost_types::Any) -> Self {
        let url = any.type_url.len();
        let whole = [any.type_url.as_bytes(), &any.value].concat();
        Self { type_url: 0..url, value: url..whole.len(), whole: whole.into() }
    }
}

impl PartialEq for AnyBytes {
    fn eq(&self, other: &Self) -> bool {
        self.type_url() == other.type_url() && self.value() == other.value()
    }
}

impl fmt::Debug for AnyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.type_url(), self.value().len())
    }
}
