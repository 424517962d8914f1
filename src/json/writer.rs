//! Writes JSON without white space.

use crate::json::{InvalidJson, MAX_DEPTH};

/// JSON that grows at its end.
#[derive(Default)]
pub(crate) struct JsonWriter {
    text: String,
    depth: usize,
}

impl JsonWriter {
    /// Returns the text written so far.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    /// Writes an object; `members` writes each with [`member`](Self::member)
    /// and a value.
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

    pub(crate) fn string(&mut self, string: &str) {
        self.text += &serde_json::Value::from(string).to_string();
    }

    /// Writes what is JSON already.
    pub(crate) fn raw(&mut self, json: &str) {
        self.text += json;
    }

    fn nested(
        &mut self,
        open: char,
        close: char,
        write: impl FnOnce(&mut Self) -> Result<(), InvalidJson>,
    ) -> Result<(), InvalidJson> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(InvalidJson::too_deep());
        }
        self.text.push(open);
        write(self)?;
        self.text.push(close);
        self.depth -= 1;
        Ok(())
    }

    fn separate(&mut self, open: char) {
        if !self.text.ends_with(open) {
            self.text.push(',');
        }
    }
}
