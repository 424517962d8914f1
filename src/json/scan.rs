//! Finds the end of a JSON value, in a fraction of the time that serde_json
//! takes for it.
//!
//! Most bytes of a page belong to strings that are never read, so the scanner
//! only steps over them: eight bytes at once inside a string, without building
//! anything. It keeps a stack of one bit for each open bracket, and no
//! recursion.
//!
//! The scanner returns nothing for invalid JSON and for values of more than
//! [`MOST_LEVELS`] levels. serde_json then reads the value and makes the error.
//! So the scanner may be stricter than serde_json, but not more lenient; a test
//! compares the two on changed texts.
//!
//! ```text
//! {"a": [1, 2], "b": "x"} …     end 23, depth 2, plain
//! "x\n" …                       end 5, depth 0, not plain
//! {"a": 1,}                     None: serde_json says what is wrong
//! ```

/// A valid value at the start of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ScannedValue {
    /// Where it ends, in bytes.
    pub(crate) end: usize,
    /// The number of nested objects and arrays; 0 for a scalar.
    pub(crate) depth: usize,
    /// Whether no string in it has an escape, keys included. Its strings can
    /// then be used as they are.
    pub(crate) is_plain: bool,
}

/// Scans the value at the start of `text`, before which there is no white
/// space.
///
/// Text after the value is not read, except for the byte after a number or a
/// word, which has to end it.
///
/// ```text
/// begin        scalar: read it. `{`, `[`: open, and the first value comes next
/// after value  `,`: the next value comes. `}`, `]`: close, and this ends a value too
/// in objects   a key and a colon come before each value
/// ```
pub(crate) fn scan(text: &str) -> Option<ScannedValue> {
    let mut scanner = JsonScanner::new(text);
    let mut next = scanner.take()?;
    // A loop and no recursion, so that no nesting exhausts the stack.
    loop {
        let mut has_next = false;
        match next {
            b'"' => scanner.string()?,
            b'{' | b'[' => {
                scanner.open(next)?;
                next = scanner.next()?;
                has_next = !scanner.close(next);
            }
            b't' => scanner.word(b"rue")?,
            b'f' => scanner.word(b"alse")?,
            b'n' => scanner.word(b"ull")?,
            _ => scanner.number(next)?,
        }
        // A value is followed by a comma, or by the ends of the objects and arrays of
        // which it is the last.
        while !has_next {
            if scanner.depth == 0 {
                return scanner.value(text);
            }
            next = scanner.next()?;
            has_next = next == b',';
            if has_next {
                // A key or a value must follow, so `{"a":1,}` and `[1,]` are rejected.
                next = scanner.next()?;
            } else {
                scanner.close(next).then_some(())?;
            }
        }
        if scanner.is_in_object() {
            next = scanner.key(next)?;
        }
    }
}

/// Scans the object at the start of `text`; calls `member` with each key, the
/// place of its value, and the value.
///
/// An object with an escape in a key is left to serde_json.
///
/// ```text
/// {"name": "o", "done": true}    member("name", 9, …), member("done", 22, …)
/// {}                             no call
/// {"n\u0061me": "o"}             None
/// ```
///
/// If it returns `None`, `member` may have been called for the members before.
pub(crate) fn scan_members<'t>(
    text: &'t str,
    mut member: impl FnMut(&'t str, usize, ScannedValue),
) -> Option<ScannedValue> {
    let (mut depth, mut is_plain) = (1, true);
    let mut rest = trim_start(text.strip_prefix('{')?);
    let mut end = rest.strip_prefix('}');
    while end.is_none() {
        let key = plain_string(rest)?;
        rest = trim_start(rest.get(key.len() + QUOTES..)?);
        rest = trim_start(rest.strip_prefix(':')?);
        let value = scan(rest)?;
        member(key, text.len() - rest.len(), value);
        depth = depth.max(1 + value.depth);
        is_plain &= value.is_plain;
        rest = trim_start(rest.get(value.end..)?);
        match rest.strip_prefix(',') {
            Some(more) => rest = trim_start(more),
            None => end = Some(rest.strip_prefix('}')?),
        }
    }
    Some(ScannedValue { end: text.len() - end?.len(), depth, is_plain })
}

/// Returns the text in quotation marks at the start of `text`, if it is a valid
/// string without escapes.
///
/// ```text
/// "name": …    name
/// "a\"b"       None: it has an escape
/// "a           None: it does not end
/// ```
pub(crate) fn plain_string(text: &str) -> Option<&str> {
    let text = text.strip_prefix('"')?;
    let (byte, rest) = special(text.as_bytes())?;
    (byte == b'"').then(|| text.get(..text.len() - rest.len() - 1)).flatten()
}

/// Removes white space at the start of a text: the four characters of JSON, not
/// those of Unicode.
#[inline]
pub(super) fn trim_start(text: &str) -> &str {
    match text.as_bytes() {
        [0..=b' ', ..] => text.get(text.len() - after_space(text.as_bytes()).len()..).unwrap_or_default(),
        _ => text,
    }
}

/// Bytes of a string besides its content, without escapes.
pub(super) const QUOTES: usize = 2;

/// The most nested levels: as many as there are bits in
/// [`JsonScanner::objects`].
const MOST_LEVELS: usize = 64;

/// A scanner in the middle of a value.
struct JsonScanner<'t> {
    /// The bytes that were not read yet.
    rest: &'t [u8],
    /// The number of objects and arrays that are open.
    depth: usize,
    /// The largest depth so far.
    deepest: usize,
    /// One bit for each open object or array, the innermost the lowest: 1 for
    /// an object.
    objects: u64,
    /// Whether a string had an escape.
    has_escapes: bool,
}

impl<'t> JsonScanner<'t> {
    /// Starts at the beginning of `text`.
    fn new(text: &'t str) -> Self {
        Self { rest: text.as_bytes(), depth: 0, deepest: 0, objects: 0, has_escapes: false }
    }

    /// Takes the next byte; `None` at the end.
    #[inline]
    fn take(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    /// Takes the next byte that is not white space.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        if matches!(self.rest, [b' ' | b'\t' | b'\r' | b'\n', ..]) {
            self.rest = after_space(self.rest);
        }
        self.take()
    }

    /// Opens an object or array, unless that is too deep for the stack of bits:
    /// then serde_json reads the value.
    #[inline]
    fn open(&mut self, bracket: u8) -> Option<()> {
        if self.depth == MOST_LEVELS {
            return None;
        }
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        // No outer level is shifted out, because the check above allows as many levels
        // as there are bits.
        self.objects = self.objects << 1 | u64::from(bracket == b'{');
        Some(())
    }

    /// Closes the innermost object or array, if `bracket` is its end.
    #[inline]
    fn close(&mut self, bracket: u8) -> bool {
        let closes = bracket == if self.is_in_object() { b'}' } else { b']' };
        if closes {
            self.depth -= 1;
            self.objects >>= 1;
        }
        closes
    }

    /// Returns whether the innermost open bracket is that of an object. Outside
    /// of all brackets no bit is set.
    #[inline]
    fn is_in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    /// Reads the rest of a string, after its quotation mark. Control characters
    /// are not allowed in it (RFC 8259 section 7).
    #[inline]
    fn string(&mut self) -> Option<()> {
        loop {
            let (byte, rest) = special(self.rest)?;
            self.rest = rest;
            match byte {
                b'"' => return Some(()),
                b'\\' => {
                    self.has_escapes = true;
                    self.rest = escape(rest)?;
                }
                _ => return None,
            }
        }
    }

    /// Reads a key, whose first byte was taken, and takes the first byte of its
    /// value.
    #[inline]
    fn key(&mut self, first: u8) -> Option<u8> {
        (first == b'"').then_some(())?;
        self.string()?;
        (self.next()? == b':').then_some(())?;
        self.next()
    }

    /// Reads the rest of `true`, `false` or `null`, after its first letter.
    fn word(&mut self, rest_of_word: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(rest_of_word)?;
        Some(())
    }

    /// Reads the rest of a number, whose first byte was taken.
    ///
    /// ```text
    /// -0   1.5   2E+10    numbers
    /// 01   .5   1.   -    None, at once or at the next delimiter
    /// ```
    fn number(&mut self, first: u8) -> Option<()> {
        let first = if first == b'-' { self.take()? } else { first };
        match first {
            // JSON has no leading zeros. A digit after this one is no delimiter, so what comes next rejects it.
            b'0' => {}
            b'1'..=b'9' => self.more_digits(),
            _ => return None,
        }
        if let [b'.', rest @ ..] = self.rest {
            self.rest = rest;
            self.digits()?;
        }
        if let [b'e' | b'E', rest @ ..] = self.rest {
            self.rest = match rest {
                [b'+' | b'-', rest @ ..] => rest,
                rest => rest,
            };
            self.digits()?;
        }
        Some(())
    }

    /// Reads one digit or more.
    fn digits(&mut self) -> Option<()> {
        self.take()?.is_ascii_digit().then(|| self.more_digits())
    }

    /// Reads any number of digits.
    fn more_digits(&mut self) {
        while let [b'0'..=b'9', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Returns the value that was scanned, at the start of `text`.
    fn value(&self, text: &str) -> Option<ScannedValue> {
        let first = text.as_bytes().first();
        // serde_json wants a delimiter after numbers and words.
        let is_delimited = matches!(first, Some(b'"' | b'{' | b'['))
            || self.rest.first().is_none_or(|byte| b" \t\r\n\"[]{},:".contains(byte));
        let end = text.len() - self.rest.len();
        is_delimited.then_some(ScannedValue { end, depth: self.deepest, is_plain: !self.has_escapes })
    }
}

/// Returns the text after white space.
fn after_space(mut text: &[u8]) -> &[u8] {
    // Four spaces at once, for the indentation of lines.
    while let [b' ', b' ', b' ', b' ', rest @ ..] = text {
        text = rest;
    }
    while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = text {
        text = rest;
    }
    text
}

/// Returns the text after an escape, whose backslash was read.
///
/// It is marked as cold: few strings of operations have one.
#[cold]
fn escape(text: &[u8]) -> Option<&[u8]> {
    let (escaped, rest) = text.split_first()?;
    match escaped {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(rest),
        // Half of a surrogate pair is found where the string is used.
        b'u' => {
            let (digits, rest) = rest.split_first_chunk::<4>()?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(rest)
        }
        _ => None,
    }
}

/// Returns the next byte that ends or interrupts a string (`"`, `\` or a
/// control character), and the text after it.
#[inline]
fn special(mut text: &[u8]) -> Option<(u8, &[u8])> {
    // Eight bytes at a time, the first one lowest, so that trailing zeros count the
    // bytes before the special one.
    while let Some((word, rest)) = text.split_first_chunk() {
        let found = specials(u64::from_le_bytes(*word));
        if found != 0 {
            let (byte, rest) = text.get((found.trailing_zeros() / 8) as usize..)?.split_first()?;
            return Some((*byte, rest));
        }
        text = rest;
    }
    short_special(text)
}

/// Does the same for the last bytes of a text, fewer than eight.
#[cold]
fn short_special(text: &[u8]) -> Option<(u8, &[u8])> {
    let at = text.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))?;
    let (byte, rest) = text.get(at..)?.split_first()?;
    Some((*byte, rest))
}

/// Sets the highest bit of a byte where `word` has `"`, `\` or a control
/// character.
///
/// Both parts subtract in all bytes at once. A borrow may set further bits
/// above the first that is right, so only the lowest of all is meaningful.
///
/// ```text
/// bytes    a  b  "  c  \  d  e  f
/// found    0  0  80 ?  ?  ?  ?  ?      23 trailing zeros: byte 2
/// ```
#[inline]
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    // With this bit changed, `"` is 0x20 and next to the control characters.
    let quote_or_control = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    let found = (quote_or_control | backslash) & (ONES * 0x80);
    // Both set the bit for some bytes beyond ASCII too, which have it in `word`. Most words have
    // neither, so that the second test is seldom made.
    if found == 0 { 0 } else { found & !word }
}

#[cfg(test)]
mod tests;
