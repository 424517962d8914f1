//! Finds the end of a JSON value, in half the time that serde_json takes for
//! it.
//!
//! The scanner returns nothing for invalid JSON and for values of more than
//! [`MOST_LEVELS`] levels. serde_json then reads the value and makes the error.
//! So the scanner may be stricter than serde_json, but not more lenient.

/// A valid value at the start of a text.
#[derive(Debug, PartialEq)]
pub(crate) struct ScannedValue {
    /// Where it ends, in bytes.
    pub(crate) end: usize,
    /// How many objects and arrays stand in one another; 0 for a scalar.
    pub(crate) depth: usize,
}

/// Scans the value at the start of `text`, before which there is no white
/// space.
pub(crate) fn scan(text: &str) -> Option<ScannedValue> {
    let mut scanner = JsonScanner::new(text);
    // `begin` returns false after the opening bracket of a container, whose first
    // value comes next. So there is no recursion, and no nesting exhausts the
    // stack.
    while !scanner.begin()? || scanner.follow()? {}
    scanner.delimited().then_some(ScannedValue { end: scanner.at, depth: scanner.deepest })
}

/// Returns the text in quotation marks at the start of `text`, if it is a valid
/// string without escapes.
pub(crate) fn plain_string(text: &str) -> Option<&str> {
    let mut scanner = JsonScanner::new(text);
    (scanner.byte() == Some(b'"')).then_some(())?;
    scanner.at = 1;
    (scanner.special()? == b'"').then(|| text.get(1..scanner.at)).flatten()
}

/// As many as there are bits in [`JsonScanner::objects`].
const MOST_LEVELS: usize = 64;

struct JsonScanner<'t> {
    bytes: &'t [u8],
    at: usize,
    /// How many objects and arrays are open.
    depth: usize,
    deepest: usize,
    /// One bit for each of them, the innermost the lowest: 1 for an object.
    objects: u64,
}

impl<'t> JsonScanner<'t> {
    fn new(text: &'t str) -> Self {
        Self { bytes: text.as_bytes(), at: 0, depth: 0, deepest: 0, objects: 0 }
    }

    /// Reads a scalar or the beginning of an object or array; returns whether
    /// the value is complete.
    #[inline]
    fn begin(&mut self) -> Option<bool> {
        match self.byte()? {
            b'"' => self.string()?,
            b'{' => return self.open(1, b'}'),
            b'[' => return self.open(0, b']'),
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => self.number()?,
        }
        Some(true)
    }

    /// Moves from the end of a value to the start of the next; returns false at
    /// the end of the outermost.
    #[inline]
    fn follow(&mut self) -> Option<bool> {
        while self.depth > 0 {
            let next = self.space()?;
            self.at += 1;
            match (next, self.objects & 1) {
                (b'}', 1) | (b']', 0) => self.close(),
                // After a comma a key or a value must follow, so `{"a":1,}` and `[1,]` are rejected.
                (b',', 1) => return self.key().map(|()| true),
                (b',', _) => return self.space().map(|_| true),
                _ => return None,
            }
        }
        // `while !begin || follow` goes on while this is true.
        Some(false)
    }

    fn open(&mut self, object: u64, end: u8) -> Option<bool> {
        if self.depth == MOST_LEVELS {
            return None;
        }
        self.at += 1;
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        // No outer level is shifted out, because the check above allows as many levels
        // as there are bits.
        self.objects = self.objects << 1 | object;
        if self.space()? == end {
            self.at += 1;
            self.close();
            return Some(true);
        }
        if object == 1 {
            self.key()?;
        }
        Some(false)
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.objects >>= 1;
    }

    /// Reads a key and its colon, up to the value.
    fn key(&mut self) -> Option<()> {
        (self.space()? == b'"').then_some(())?;
        self.string()?;
        (self.space()? == b':').then_some(())?;
        self.at += 1;
        self.space().map(drop)
    }

    #[inline]
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.special()? {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    fn escape(&mut self) -> Option<()> {
        let escaped = *self.bytes.get(self.at + 1)?;
        self.at += 2;
        match escaped {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
            // Half of a surrogate pair is found where the string is used.
            b'u' => {
                let digits = self.bytes.get(self.at..self.at + 4)?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                self.at += 4;
            }
            _ => return None,
        }
        Some(())
    }

    /// Moves to the next byte that does not simply belong to a string, and
    /// returns it.
    #[inline]
    fn special(&mut self) -> Option<u8> {
        // Eight bytes at a time, the first one lowest, so that trailing zeros count the
        // bytes before the special one.
        while let Some(word) = self.bytes.get(self.at..)?.first_chunk() {
            let found = specials(u64::from_le_bytes(*word));
            if found != 0 {
                self.at += (found.trailing_zeros() / 8) as usize;
                return self.byte();
            }
            self.at += 8;
        }
        // Fewer than eight bytes are left of the text, so the string ends here or is
        // cut short.
        let rest = self.bytes.get(self.at..)?;
        self.at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))?;
        self.byte()
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes.get(self.at..)?.starts_with(word).then_some(())?;
        self.at += word.len();
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        self.at += usize::from(self.byte() == Some(b'-'));
        match self.byte()? {
            // JSON has no leading zeros. A digit after this one is no delimiter, so `follow` or `delimited`
            // rejects it.
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// Moves over white space, and returns the byte behind it.
    #[inline]
    fn space(&mut self) -> Option<u8> {
        loop {
            match self.byte()? {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Returns whether the value ends here for serde_json too, which wants a
    /// delimiter after numbers and words.
    fn delimited(&self) -> bool {
        let delimits_itself = matches!(self.bytes.first(), Some(b'"' | b'{' | b'['));
        let next = self.byte();
        delimits_itself || next.is_none_or(|byte| b" \t\r\n\"[]{},:".contains(&byte))
    }
}

/// Sets the highest bit of a byte where `word` has `"`, `\` or a control
/// character.
///
/// Both parts subtract in all bytes at once. A borrow may set further bits
/// above the first that is right, so only the lowest of all is meaningful.
#[inline]
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    // With this bit changed, `"` is 0x20 and next to the control characters.
    let quote_or_control = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (quote_or_control | backslash) & !word & (ONES * 0x80)
}

#[cfg(test)]
mod tests;
