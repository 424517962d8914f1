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

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an Any at the end of other bytes.
    fn read(fields: &[u8]) -> Option<AnyBytes> {
        let whole: Arc<[u8]> = [b"name", fields].concat().into();
        AnyBytes::read(&whole, WireSpan { bytes: &whole[4..], start: 4 })
    }

    #[test]
    fn fields_that_occur_once_are_found() {
        let url = |text: u8| [0x0a, 1, text];
        let value = |byte: u8| [0x12, 1, byte];
        let found = |fields: &[u8]| read(fields).map(|any| (any.type_url().to_owned(), any.value().to_vec()));
        let rows = [
            ("nothing", vec![], Some(("", vec![]))),
            ("both", [url(b'u'), value(7)].concat(), Some(("u", vec![7]))),
            ("the other order", [value(7), url(b'u')].concat(), Some(("u", vec![7]))),
            ("an unknown field", [&url(b'u')[..], &[0x18, 5]].concat(), Some(("u", vec![]))),
            ("two URLs", [url(b'u'), url(b'v')].concat(), None),
            ("two values", [value(7), value(8)].concat(), None),
            ("a URL that is a number", vec![0x08, 1], None),
            ("a value that is a number", vec![0x10, 1], None),
            ("a URL that is no text", url(0xff).to_vec(), None),
            ("half a field", vec![0x0a, 2, b'u'], None),
        ];
        for (row, fields, expected) in rows {
            let expected = expected.map(|(url, value)| (url.to_owned(), value));
            assert_eq!(found(&fields), expected, "{row}");
        }
    }

    #[test]
    fn both_fields_make_two_equal() {
        let any = |type_url: &str, value: &[u8]| {
            AnyBytes::from(prost_types::Any { type_url: type_url.into(), value: value.into() })
        };
        let read = read(&[0x0a, 1, b'u', 0x12, 1, 7]).unwrap();
        assert_eq!(read, any("u", &[7]), "wherever the bytes are");
        for other in [any("u", &[8]), any("v", &[7]), any("", b"u\x07")] {
            assert_ne!(read, other);
        }
    }
}
