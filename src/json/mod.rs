//! ProtoJSON, read without leaving the text: every value is a slice of the document it came in.
//!
//! The rules are those of <https://protobuf.dev/programming-guides/json/>, read leniently.

mod invalid;
mod scalar;

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

pub(crate) use invalid::{Invalid, ended_early};

/// One JSON value as it stands in a document, without white space around it.
///
/// A value that came out of [`members`](Self::members) or [`elements`](Self::elements) is known to be valid JSON;
/// one from [`document`](Self::document) becomes so once it has been taken apart.
#[derive(Clone, Copy)]
pub(crate) struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// Takes a whole document; its syntax is not looked at yet.
    pub(crate) fn document(text: &'a str) -> Self {
        Self(text.trim_matches(WHITE_SPACE))
    }

    pub(crate) fn text(self) -> &'a str {
        self.0
    }

    /// Calls `field` with the name and the value of each field of a message; a null stands for an absent field.
    pub(crate) fn fields(
        self,
        mut field: impl FnMut(&str, Raw<'a>) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        self.members(|name, value| if value.is_null() { Ok(()) } else { field(name, value) })
    }

    /// Calls `member` with each key and value of an object, to the end even after a failure: that the text is
    /// broken or cut short outweighs whatever is wrong with one member.
    pub(crate) fn members(
        self,
        member: impl FnMut(&str, Raw<'a>) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        if !self.0.is_empty() && !self.0.starts_with('{') {
            return Err(self.expected("an object"));
        }
        let mut deserializer = serde_json::Deserializer::from_str(self.0);
        let outcome = deserializer.deserialize_map(Members(member)).map_err(Invalid::syntax)?;
        deserializer.end().map_err(Invalid::syntax)?;
        outcome
    }

    /// The elements of an array.
    pub(crate) fn elements(self) -> Result<Vec<Raw<'a>>, Invalid> {
        if !self.0.starts_with('[') {
            return Err(self.expected("an array"));
        }
        let elements: Vec<&RawValue> = serde_json::from_str(self.0).map_err(Invalid::syntax)?;
        Ok(elements.into_iter().map(|element| Raw(element.get())).collect())
    }

    /// Refuses what serde_json would refuse to take apart, because it nests too deep.
    pub(crate) fn check_depth(self) -> Result<(), Invalid> {
        // Counting is many times as fast as following the strings, and enough for all real documents.
        let brackets = self.0.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count();
        if brackets <= MAX_DEPTH || self.depth() <= MAX_DEPTH {
            return Ok(());
        }
        Err(Invalid::new(format!("expected at most {MAX_DEPTH} levels of nesting")))
    }

    fn depth(self) -> usize {
        let (mut depth, mut deepest, mut in_string) = (0usize, 0, false);
        let mut bytes = self.0.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => in_string = !in_string,
                b'\\' if in_string => drop(bytes.next()),
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        deepest
    }

    /// What is wrong when something else should stand here; names the kind of value, never the value.
    pub(crate) fn expected(self, what: &str) -> Invalid {
        let found = match self.0.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            Some(b'-' | b'0'..=b'9') => "a number",
            _ => "no JSON",
        };
        Invalid::new(format!("expected {what}, found {found}"))
    }
}

/// How deep serde_json follows nested values.
const MAX_DEPTH: usize = 127;

const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

struct Members<F>(F);

impl<'de, F: FnMut(&str, Raw<'de>) -> Result<(), Invalid>> Visitor<'de> for Members<F> {
    type Value = Result<(), Invalid>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut outcome = Ok(());
        while let Some(Key(key)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            if outcome.is_ok() {
                outcome = (self.0)(&key, Raw(value.get()));
            }
        }
        Ok(outcome)
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
