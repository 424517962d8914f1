//! A cursor over a JSON document.
//!
//! A single pass gives the parts of a message together with the exact text of
//! the whole. [`scan`] finds where values end; serde_json reads those that it
//! does not take, and finds what is wrong with them.
//!
//! ```text
//! {"name": "operations/42", "metadata": {"@type": …}, "done": true}
//!  members calls `member` with each key; it reads or skips the value
//!                                       └ a RawJson: this slice
//! ```
//!
//! A method that takes a closure requires it to read exactly one value, as the
//! grammar does. Memory does not grow with the document, and only the closures
//! recurse.

use std::borrow::Cow;
use std::mem;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::scan::{QUOTES, ScannedValue, plain_string, scan, scan_members, trim_start};
use crate::json::{InvalidJson, MAX_DEPTH};

/// A position in a JSON document, which moves over what it reads.
pub(crate) struct JsonReader<'a> {
    /// The text that was not read yet.
    rest: &'a str,
    /// The length of the whole document, from which offsets are computed.
    length: usize,
    /// The depth of the deepest value since the innermost open bracket.
    deepest: usize,
}

/// One valid JSON value as it stands in a document, without white space around
/// it.
#[derive(Clone, Copy)]
pub(crate) struct RawJson<'a> {
    text: &'a str,
    start: usize,
    /// How many objects and arrays stand in one another; 0 for a scalar.
    depth: usize,
    /// Whether no string in it has an escape. If false, one may have.
    is_plain: bool,
}

impl<'a> JsonReader<'a> {
    /// Reads a document to its end; only white space may follow the value.
    pub(crate) fn document<T>(
        text: &'a str,
        read: impl FnOnce(&mut Self) -> Result<T, InvalidJson>,
    ) -> Result<T, InvalidJson> {
        let mut reader = Self { rest: text, length: text.len(), deepest: 0 };
        let value = read(&mut reader)?;
        if reader.peek().is_some() { Err(reader.broken()) } else { Ok(value) }
    }

    /// Calls `member` with the key of each member of an object; it has to read
    /// the value. An error gets the key in front of its path.
    ///
    /// A key that occurs twice is passed on twice; the caller decides which one
    /// counts.
    pub(crate) fn members(
        &mut self,
        mut member: impl FnMut(&str, &mut Self) -> Result<(), InvalidJson>,
    ) -> Result<RawJson<'a>, InvalidJson> {
        self.brackets(b'{', b'}', "an object", |reader| {
            let key = reader.key()?;
            if !reader.eat(b':') {
                return Err(reader.broken());
            }
            member(&key, reader).map_err(|invalid| invalid.at(&key))
        })
    }

    /// Like [`members`](Self::members) for the fields of a message, where null
    /// stands for an absent field.
    pub(crate) fn fields(
        &mut self,
        mut field: impl FnMut(&str, &mut Self) -> Result<(), InvalidJson>,
    ) -> Result<RawJson<'a>, InvalidJson> {
        self.members(|name, reader| if reader.at_null() { reader.skip() } else { field(name, reader) })
    }

    /// Reads the value of each field of a message and passes it to `field`, in
    /// one scan of the object.
    ///
    /// If the scanner does not take the object, serde_json reads it, and
    /// `field` may be called again for fields that it has received before.
    pub(crate) fn values(
        &mut self,
        mut field: impl FnMut(&str, RawJson<'a>),
    ) -> Result<RawJson<'a>, InvalidJson> {
        self.peek();
        let (text, start) = (self.rest, self.offset());
        let object = scan_members(text, |name, at, value| {
            let value = RawJson::scanned(text.get(at..).unwrap_or_default(), start + at, value);
            if value.text != "null" {
                field(name, value);
            }
        });
        match object {
            Some(object) => Ok(self.pass(object)),
            // From the start. A field that `field` has seen comes again, with the same value.
            None => self.fields(|name, reader| {
                field(name, reader.value()?);
                Ok(())
            }),
        }
    }

    /// Calls `element` at each element of an array; it has to read it.
    ///
    /// An error gets the index in front of its path: `[2].name`.
    pub(crate) fn elements(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), InvalidJson>,
    ) -> Result<RawJson<'a>, InvalidJson> {
        let mut index = 0;
        self.brackets(b'[', b']', "an array", |reader| {
            element(reader).map_err(|invalid| invalid.at(&format!("[{index}]")))?;
            index += 1;
            Ok(())
        })
    }

    /// Reads any value, however deep.
    ///
    /// The value is checked to its end, so a slice of it is always valid JSON.
    pub(crate) fn value(&mut self) -> Result<RawJson<'a>, InvalidJson> {
        self.peek();
        if let Some(value) = scan(self.rest) {
            return Ok(self.pass(value));
        }
        let start = self.offset();
        let value: &RawValue = self.take()?;
        let text = value.get();
        let depth = depth(text);
        self.deepest = self.deepest.max(depth);
        Ok(RawJson { text, start, depth, is_plain: !text.contains('\\') })
    }

    /// Reads any value and drops it. It is checked like every other one.
    pub(crate) fn skip(&mut self) -> Result<(), InvalidJson> {
        self.value().map(drop)
    }

    /// Returns whether the next value is `null`, by its first byte: no other
    /// value begins like it, and reading it finds what is not JSON.
    pub(crate) fn at_null(&mut self) -> bool {
        self.peek() == Some(b'n')
    }

    /// Returns the next byte that is not white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.rest = trim_start(self.rest);
        self.rest.as_bytes().first().copied()
    }

    /// Reads an object or an array; `item` reads one member or element.
    ///
    /// It tracks the depth without a stack: `deepest` is that of the items
    /// while the bracket is open, and afterwards the larger of that and what
    /// was before.
    fn brackets(
        &mut self,
        open: u8,
        close: u8,
        what: &str,
        mut item: impl FnMut(&mut Self) -> Result<(), InvalidJson>,
    ) -> Result<RawJson<'a>, InvalidJson> {
        self.peek();
        let (text, start) = (self.rest, self.offset());
        if !self.eat(open) {
            return Err(self.value()?.expected(what));
        }
        let mut more = !self.eat(close);
        // Put aside, so that `deepest` is that of these items alone.
        let around = mem::take(&mut self.deepest);
        while more {
            item(self)?;
            more = self.eat(b',');
            if !more && !self.eat(close) {
                return Err(self.broken());
            }
        }
        let depth = 1 + self.deepest;
        self.deepest = around.max(depth);
        let text = text.get(..text.len() - self.rest.len()).unwrap_or_default();
        Ok(RawJson { text, start, depth, is_plain: false })
    }

    /// A key is nearly always plain: serde_json takes those with escapes, and
    /// what is no key.
    fn key(&mut self) -> Result<Cow<'a, str>, InvalidJson> {
        self.peek();
        match plain_string(self.rest) {
            Some(key) => {
                self.advance(key.len() + QUOTES);
                Ok(Cow::Borrowed(key))
            }
            None => self.take().map(|JsonKey(key)| key),
        }
    }

    /// Reads one value by serde_json, and moves over it. Its errors become a
    /// position, because their text may quote the document.
    fn take<T: Deserialize<'a>>(&mut self) -> Result<T, InvalidJson> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter();
        match values.next() {
            Some(Ok(value)) => {
                self.rest = self.rest.get(values.byte_offset()..).unwrap_or_default();
                Ok(value)
            }
            // At the position of the value, not of the error inside of it.
            Some(Err(cause)) if !cause.is_eof() => Err(InvalidJson::broken(self.offset())),
            _ => Err(InvalidJson::ends_early()),
        }
    }

    /// Moves over `byte`, if it comes next, and returns whether it did.
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.advance(1);
        }
        found
    }

    /// Moves on over a value that was scanned, and returns it.
    fn pass(&mut self, value: ScannedValue) -> RawJson<'a> {
        let raw = RawJson::scanned(self.rest, self.offset(), value);
        self.advance(value.end);
        self.deepest = self.deepest.max(value.depth);
        raw
    }

    /// Moves on over `length` bytes and returns them.
    fn advance(&mut self, length: usize) -> &'a str {
        let (passed, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest;
        passed
    }

    /// Returns the position in bytes.
    fn offset(&self) -> usize {
        self.length - self.rest.len()
    }

    /// Returns the error for what comes next: something that does not belong
    /// here, or the end of the text.
    fn broken(&self) -> InvalidJson {
        if self.rest.is_empty() { InvalidJson::ends_early() } else { InvalidJson::broken(self.offset()) }
    }
}

/// A key with escapes.
#[derive(Deserialize)]
struct JsonKey<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> RawJson<'a> {
    /// Creates the value at the start of `text`, which is at `start` in the
    /// document.
    fn scanned(text: &'a str, start: usize, value: ScannedValue) -> Self {
        let ScannedValue { end, depth, is_plain } = value;
        Self { text: text.get(..end).unwrap_or_default(), start, depth, is_plain }
    }

    /// Returns the text of the value, as it is in the document.
    pub(crate) fn text(self) -> &'a str {
        self.text
    }

    /// Returns where the value starts and ends in the document.
    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// Returns whether no string in the value has an escape. If false, one may
    /// have.
    pub(crate) fn is_plain(self) -> bool {
        self.is_plain
    }

    /// Stands at the start of the value.
    pub(crate) fn reader(self) -> JsonReader<'a> {
        JsonReader { rest: self.text, length: self.start + self.text.len(), deepest: 0 }
    }

    /// Refuses a value that nests deeper than serde_json would follow, because
    /// a program may parse it later.
    pub(crate) fn check_depth(self) -> Result<(), InvalidJson> {
        if self.depth <= MAX_DEPTH { Ok(()) } else { Err(InvalidJson::too_deep()) }
    }

    /// Returns the error for a value of the wrong kind; it names the kind,
    /// never the value.
    pub(crate) fn expected(self, what: &str) -> InvalidJson {
        // The first byte determines the kind of a valid value.
        let found = match self.text.as_bytes().first() {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        };
        InvalidJson::new(format!("expected {what}, found {found}"))
    }
}

/// Counts the levels of a valid value, outside of strings.
///
/// ```text
/// 5         0
/// []        1
/// [[],{}]   2
/// "[["      0
/// ```
pub(super) fn depth(value: &str) -> usize {
    let (mut depth, mut deepest, mut in_string) = (0usize, 0, false);
    let mut bytes = value.bytes();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, InvalidJson> {
        let mut seen = Vec::new();
        let outcome = JsonReader::document(text, |reader| {
            reader.fields(|name, reader| {
                seen.push(format!("{name}={}", reader.value()?.text()));
                Ok(())
            })
        });
        outcome.map(|_| seen)
    }

    #[test]
    fn values_are_slices_of_the_document() {
        let text = " { \"a\" : [ 1, 2 ]\t,\r\n\"b\\u0063\":{\"x\":null} , \"n\" : null,\"s\":\"}\" } \n";
        assert_eq!(read(text).unwrap(), ["a=[ 1, 2 ]", "bc={\"x\":null}", "s=\"}\""]);
        assert_eq!(read("{}").unwrap(), Vec::<String>::new());
        let raw = JsonReader::document(text, |reader| reader.members(|_, reader| reader.skip())).unwrap();
        assert_eq!(raw.text(), text.trim());
    }

    #[test]
    fn broken_documents() {
        let table = [
            ("byte order mark", "\u{feff}{}", "unexpected text at byte 0"),
            ("trailing text", "{} x", "unexpected text at byte 3"),
            ("second document", "{}{}", "unexpected text at byte 2"),
            ("HTML", "<html>", "unexpected text at byte 0"),
            ("trailing comma", r#"{"a":1,}"#, "unexpected text at byte 7"),
            ("no comma", r#"{"a":1 "b":2}"#, "unexpected text at byte 7"),
            ("no colon", r#"{"a" 1}"#, "unexpected text at byte 5"),
            ("key without quotes", "{a:1}", "unexpected text at byte 1"),
            ("control character", "{\"a\":\"\n\"}", "unexpected text at byte 5"),
            ("bad escape", r#"{"a":"\x"}"#, "unexpected text at byte 5"),
            ("bad number", r#"{"a":01}"#, "unexpected text at byte 5"),
            ("vertical tab", "{\u{b}}", "unexpected text at byte 1"),
            ("wide space", "{\u{a0}}", "unexpected text at byte 1"),
            ("empty", "", "the text ends early"),
            ("white space", " \n", "the text ends early"),
            ("ends in the object", "{", "the text ends early"),
            ("ends in a key", r#"{"a"#, "the text ends early"),
            ("ends after a key", r#"{"a""#, "the text ends early"),
            ("ends before a value", r#"{"a":"#, "the text ends early"),
            ("ends in a value", r#"{"a":{"b":["#, "the text ends early"),
            ("ends after a value", r#"{"a":1"#, "the text ends early"),
            ("ends after a comma", r#"{"a":1,"#, "the text ends early"),
        ];
        for (name, text, expected) in table {
            let error = read(text).unwrap_err();
            assert_eq!(error.to_string(), expected, "{name}");
            assert_eq!(error.is_cut_short(), expected == "the text ends early", "{name}");
            assert!(!error.is_json(), "{name}");
        }
        let error = read("[]").unwrap_err();
        assert_eq!(error.to_string(), "expected an object, found an array");
        assert!(error.is_json() && !error.is_cut_short());
    }

    #[test]
    fn paths_lead_to_the_value() {
        let text = r#"{"a":[{},{"b":{"c\n":7}}]}"#;
        let outcome = JsonReader::document(text, |reader| {
            reader.fields(|_, reader| {
                let list = reader.elements(|reader| {
                    let object = reader.fields(|_, reader| {
                        let inner = reader.fields(|_, reader| reader.value()?.string().map(drop));
                        inner.map(drop)
                    });
                    object.map(drop)
                });
                list.map(drop)
            })
        });
        let error = outcome.map(drop).unwrap_err();
        assert_eq!(error.to_string(), r"`a[1].b.c\n`: expected a string, found a number");
    }

    #[test]
    fn depth_is_counted_outside_strings() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let strings = format!(r#"{{"a":"\"{}\\"}}"#, "[{".repeat(200));
        let siblings = format!("[{}]", ["[[]]"; 200].join(","));
        let table = [
            ("at the limit", nested(127), true),
            ("beyond the limit", nested(128), false),
            ("200", nested(200), false),
            ("a million", nested(1_000_000), false),
            ("strings", strings, true),
            ("siblings", siblings, true),
            ("objects", format!("{}1{}", r#"{"a":"#.repeat(128), "}".repeat(128)), false),
        ];
        for (name, text, expected) in table {
            let raw = JsonReader::document(&text, JsonReader::value).unwrap();
            assert_eq!(raw.check_depth().is_ok(), expected, "{name}");
            let serde = serde_json::from_str::<serde_json::Value>(&text);
            assert_eq!(serde.is_ok(), expected, "{name}: serde_json");
        }
    }
}
