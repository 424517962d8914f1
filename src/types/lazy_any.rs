//! A message of an operation, made when it is first used.

use std::sync::{Arc, OnceLock};

use crate::json::{InvalidJson, RawJson};
use crate::types::Any;
use crate::types::text::{SharedSource, SharedText, TextSpan};

/// The metadata or the response of an operation.
///
/// Of most operations in a long listing, only name and state are used. So this
/// stores the place of the message in the text of the operation, and makes the
/// [`Any`] at its first use.
#[derive(Clone, Default)]
pub(super) struct LazyAny {
    /// Where the text is, if there is one.
    span: Option<TextSpan>,
    any: OnceLock<Box<Any>>,
}

impl LazyAny {
    /// Checks the object `raw`, a part of `source`.
    pub(super) fn read<'a>(source: &SharedSource, raw: RawJson<'a>) -> Result<Self, InvalidJson> {
        if Any::leads_with_type(raw) {
            return Ok(Self { span: Some(source.span(raw)), any: OnceLock::new() });
        }
        Any::read(source, raw).map(|any| Some(any).into())
    }

    pub(super) fn is_some(&self) -> bool {
        self.span.is_some() || self.any.get().is_some()
    }

    /// Returns the message, of which `text` has the text.
    pub(super) fn get(&self, text: &Arc<str>) -> Option<&Any> {
        let make = |span| Box::new(Any::of_checked(SharedText::part(text, span)));
        match self.span {
            Some(span) => Some(self.any.get_or_init(|| make(span))),
            None => self.any.get().map(Box::as_ref),
        }
    }
}

impl From<Option<Any>> for LazyAny {
    fn from(any: Option<Any>) -> Self {
        let any = any.map_or_else(OnceLock::new, |any| OnceLock::from(Box::new(any)));
        Self { span: None, any }
    }
}
