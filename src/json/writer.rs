//! Writes JSON without white space.
//!
//! It only concatenates: strings are escaped by serde_json, everything else is
//! text that the caller has made or read. So a value that was read is written
//! again with every digit.

use crate::json::{InvalidJson, MAX_DEPTH};

/// JSON that grows at its end.
///
/// A value is written by one call; an object or an array by a call around those
/// of its contents. Separators are written by the writer, which looks at the
/// end of its text: no separator follows an opening bracket.
///
/// ```text
/// object(|w| { w.member("a"); w.raw("1"); w.member("b"); w.string("x\n"); Ok(()) })
///
/// {"a":1,"b":"x\n"}
/// ```
#[derive(Default)]
pub(crate) struct JsonWriter {
    text: String,
    /// The number of objects and arrays that are open.
    depth: usize,
}

impl JsonWriter {
    /// Returns the text.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    /// Writes an object; `members` writes each with [`member`](Self::member)
    /// and a value.
    ///
    /// # Errors
    ///
    /// That of `members`, and an object that would nest deeper than readers
    /// follow.
    pub(crate) fn object(
        &mut self,
        members: impl FnOnce(&mut Self) -> Result<(), InvalidJson>,
    ) -> Result<(), InvalidJson> {
        self.nested('{', '}', members)
    }

    /// Writes the key of the next member.
    pub(crate) fn member(&mut self, key: &str) {
        self.separate('{');
        self.string(key);
        self.text.push(':');
    }

    /// Writes an array of what `write` makes of each item.
    ///
    /// # Errors
    ///
    /// That of `write`, and an array that would nest deeper than readers
    /// follow.
    pub(crate) fn array<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<(), InvalidJson>,
    ) -> Result<(), InvalidJson> {
        self.nested('[', ']', |writer| {
            items.into_iter().try_for_each(|item| {
                writer.separate('[');
                write(writer, item)
            })
        })
    }

    /// Writes a string, escaped.
    pub(crate) fn string(&mut self, string: &str) {
        // Escaping has many cases, and serde_json is there anyway.
        self.text += &serde_json::Value::from(string).to_string();
    }

    /// Writes a text that is JSON already, as it is.
    pub(crate) fn raw(&mut self, json: &str) {
        self.text += json;
    }

    /// Writes brackets around what `write` writes.
    fn nested(
        &mut self,
        open: char,
        close: char,
        write: impl FnOnce(&mut Self) -> Result<(), InvalidJson>,
    ) -> Result<(), InvalidJson> {
        self.depth += 1;
        // A document that this crate writes must be one that it reads.
        if self.depth > MAX_DEPTH {
            return Err(InvalidJson::too_deep());
        }
        self.text.push(open);
        write(self)?;
        self.text.push(close);
        self.depth -= 1;
        Ok(())
    }

    /// Writes a comma, unless this is the first item.
    fn separate(&mut self, open: char) {
        // The bracket of this object or array is at the end only before its
        // first item: a nested value ends with a closing bracket.
        if !self.text.ends_with(open) {
            self.text.push(',');
        }
    }
}
