//! The metadata or the response of an operation, made when it is first used.

use std::sync::{Arc, OnceLock};

use crate::json::{InvalidJson, RawJson};
use crate::types::Any;
use crate::types::text::{SharedSource, SharedText, TextSpan};

/// The metadata or the response of an operation.
///
/// Of most operations in a long listing, only the name and the state are used.
/// So this stores where the message is in the text of the operation, 8 bytes,
/// and makes the [`Any`] at its first use. There are three states: absent
/// (neither field is set), in the text (`span`), or a value (`any` alone).
#[derive(Clone, Default)]
pub(super) struct LazyAny {
    /// Where the text is, if there is one.
    span: Option<TextSpan>,
    /// The message, once it was used. Boxed, because most operations never need
    /// it.
    any: OnceLock<Box<Any>>,
}

impl LazyAny {
    /// Takes the object `raw`, a part of `source`.
    ///
    /// An object whose type comes first needs no further check. Any other is
    /// read at once, so that an invalid `@type` is an error of the operation,
    /// not of a later use.
    pub(super) fn read<'a>(source: &SharedSource, raw: RawJson<'a>) -> Result<Self, InvalidJson> {
        // Nothing in such an object can fail later, so `get` needs no error.
        if Any::leads_with_type(raw) {
            return Ok(Self { span: Some(source.span(raw)), any: OnceLock::new() });
        }
        Any::read(source, raw).map(|any| Some(any).into())
    }

    /// Returns whether there is a message, without making it.
    pub(super) fn is_some(&self) -> bool {
        self.span.is_some() || self.any.get().is_some()
    }

    /// Returns the message. `text` is the text of the operation that it was
    /// read from.
    pub(super) fn get(&self, text: &Arc<str>) -> Option<&Any> {
        let make = |span| Box::new(Any::of_checked(SharedText::part(text, span)));
        match self.span {
            // Two threads may get here at once; one of them makes the value.
            Some(span) => Some(self.any.get_or_init(|| make(span))),
            None => self.any.get().map(Box::as_ref),
        }
    }
}

/// A message that was created by a program, or decoded from bytes.
impl From<Option<Any>> for LazyAny {
    fn from(any: Option<Any>) -> Self {
        let any = any.map_or_else(OnceLock::new, |any| OnceLock::from(Box::new(any)));
        Self { span: None, any }
    }
}
