//! A cursor over a JSON document.
//!
//! serde_json reads the values; the places between them are followed here, so that a single pass gives the
//! parts of a message together with the exact text of the whole.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{Invalid, MAX_DEPTH};

/// Stands somewhere in a JSON document and moves on over what it reads.
pub(crate) struct Reader<'a> {
    rest: &'a str,
    length: usize,
}

/// One valid JSON value as it stands in a document, without white space around it.
#[derive(Clone, Copy)]
pub(crate) struct Raw<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Reader<'a> {
    /// Reads a document to its end.
    pub(crate) fn document<T>(
        text: &'a str,
        read: impl FnOnce(&mut Self) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        let mut reader = Self { rest: text, length: text.len() };
        let value = read(&mut reader)?;
        if reader.peek().is_some() { Err(reader.broken()) } else { Ok(value) }
    }

    /// Calls `member` with the key of each member of an object; it has to read the value.
    pub(crate) fn members(
        &mut self,
        mut member: impl FnMut(&str, &mut Self) -> Result<(), Invalid>,
    ) -> Result<Raw<'a>, Invalid> {
        self.brackets(b'{', b'}', "an object", |reader| {
            let Key(key) = reader.take()?;
            if !reader.eat(b':') {
                return Err(reader.broken());
            }
            member(&key, reader).map_err(|invalid| invalid.at(&key))
        })
    }

    /// Like [`members`](Self::members) for the fields of a message, where null stands for an absent field.
    pub(crate) fn fields(
        &mut self,
        mut field: impl FnMut(&str, &mut Self) -> Result<(), Invalid>,
    ) -> Result<Raw<'a>, Invalid> {
        self.members(|name, reader| if reader.at_null() { reader.skip() } else { field(name, reader) })
    }

    /// Calls `element` at each element of an array; it has to read it.
    pub(crate) fn elements(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Invalid>,
    ) -> Result<Raw<'a>, Invalid> {
        let mut index = 0;
        self.brackets(b'[', b']', "an array", |reader| {
            element(reader).map_err(|invalid| invalid.at(&format!("[{index}]")))?;
            index += 1;
            Ok(())
        })
    }

    /// Reads any value, however deep.
    pub(crate) fn value(&mut self) -> Result<Raw<'a>, Invalid> {
        self.peek();
        let start = self.offset();
        let value: &RawValue = self.take()?;
        Ok(Raw { text: value.get(), start })
    }

    pub(crate) fn skip(&mut self) -> Result<(), Invalid> {
        self.value().map(drop)
    }

    pub(crate) fn at_null(&mut self) -> bool {
        self.peek() == Some(b'n')
    }

    /// The next byte that is not white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let byte = *self.rest.as_bytes().first()?;
        if byte > b' ' {
            return Some(byte);
        }
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        self.rest.as_bytes().first().copied()
    }

    fn brackets(
        &mut self,
        open: u8,
        close: u8,
        what: &str,
        mut item: impl FnMut(&mut Self) -> Result<(), Invalid>,
    ) -> Result<Raw<'a>, Invalid> {
        self.peek();
        let (text, start) = (self.rest, self.offset());
        if !self.eat(open) {
            return Err(self.value()?.expected(what));
        }
        let mut more = !self.eat(close);
        while more {
            item(self)?;
            more = self.eat(b',');
            if !more && !self.eat(close) {
                return Err(self.broken());
            }
        }
        Ok(Raw { text: text.get(..text.len() - self.rest.len()).unwrap_or_default(), start })
    }

    fn take<T: Deserialize<'a>>(&mut self) -> Result<T, Invalid> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter();
        match values.next() {
            Some(Ok(value)) => {
                self.rest = self.rest.get(values.byte_offset()..).unwrap_or_default();
                Ok(value)
            }
            Some(Err(cause)) => Err(Invalid::syntax(self.offset(), cause.is_eof())),
            None => Err(Invalid::syntax(self.length, true)),
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        found
    }

    fn offset(&self) -> usize {
        self.length - self.rest.len()
    }

    fn broken(&self) -> Invalid {
        Invalid::syntax(self.offset(), self.rest.is_empty())
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Raw<'a> {
    pub(crate) fn text(self) -> &'a str {
        self.text
    }

    /// Where the value starts within `outer`, a value of the same document around it.
    pub(crate) fn start_in(self, outer: Raw<'_>) -> usize {
        self.start.saturating_sub(outer.start)
    }

    /// Stands at the start of the value.
    pub(crate) fn reader(self) -> Reader<'a> {
        Reader { rest: self.text, length: self.start + self.text.len() }
    }

    /// Refuses what serde_json would refuse to take apart, because it nests too deep.
    pub(crate) fn check_depth(self) -> Result<(), Invalid> {
        // Counting is many times as fast as following the strings, and enough for nearly all documents.
        let brackets: usize = self.text.as_bytes().chunks(255).map(opening).sum();
        if brackets <= MAX_DEPTH || self.depth() <= MAX_DEPTH { Ok(()) } else { Err(Invalid::too_deep()) }
    }

    fn depth(self) -> usize {
        let (mut depth, mut deepest, mut in_string) = (0usize, 0, false);
        let mut bytes = self.text.bytes();
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
        let found = match self.text.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        };
        Invalid::new(format!("expected {what}, found {found}"))
    }
}

/// How many of at most 255 bytes are `{` or `[`, which differ in one bit.
fn opening(bytes: &[u8]) -> usize {
    bytes.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>().into()
}
