//! JSON as the server sent it: on one line for programs, on several for people.
//!
//! Nothing is parsed into values and written again: numbers keep their digits,
//! members their order, unknown fields their place. Only white space between
//! tokens changes.

/// Returns the text on one line: without the white space between tokens.
/// Strings cannot contain line breaks in JSON, so the result has none.
///
/// ```text
/// { "name": "a b",      →  {"name":"a b","size":1.0}
///   "size": 1.0 }
/// ```
pub(crate) fn fold(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for (token, part) in JsonParts::of(json) {
        if token != Token::Space {
            line.push_str(part);
        }
    }
    line
}

/// Returns the text indented by two spaces a level: a member or an element a
/// line, with `margin` in front of all lines but the first. An empty object or
/// list stays in one piece.
///
/// ```text
/// {"a":[1,2],"b":{}}  →  {
///                          "a": [
///                            1,
///                            2
///                          ],
///                          "b": {}
///                        }
/// ```
pub(crate) fn indent(json: &str, margin: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let new_line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(margin);
        text.push_str(&"  ".repeat(depth));
    };
    let mut opened = false;
    for (token, part) in JsonParts::of(json).filter(|(token, _)| *token != Token::Space) {
        if token == Token::Close {
            depth = depth.saturating_sub(1);
        }
        // An empty object or list stays in one piece.
        if (opened && token != Token::Close) || (!opened && token == Token::Close) {
            new_line(&mut text, depth);
        }
        text.push_str(part);
        // Whether the last token has opened something, so that an empty pair
        // stays together.
        opened = token == Token::Open;
        match token {
            Token::Open => depth += 1,
            Token::Comma => new_line(&mut text, depth),
            Token::Colon => text.push(' '),
            Token::Close | Token::Space | Token::Value => {}
        }
    }
    text
}

/// The kinds of tokens that white space depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Space,
    /// `{` or `[`.
    Open,
    /// `}` or `]`.
    Close,
    Comma,
    Colon,
    /// A string, a number or a word.
    Value,
}

/// The parts of a valid JSON text. Of any other text it returns some parts that
/// make it up, and no text is lost.
struct JsonParts<'a>(&'a str);

impl<'a> JsonParts<'a> {
    /// Begins at the start of the text.
    fn of(json: &'a str) -> Self {
        Self(json)
    }
}

impl<'a> Iterator for JsonParts<'a> {
    type Item = (Token, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.0.as_bytes();
        let until = |end: fn(u8) -> bool| bytes.iter().position(|byte| end(*byte)).unwrap_or(bytes.len());
        let (token, length) = match bytes.first()? {
            b'{' | b'[' => (Token::Open, 1),
            b'}' | b']' => (Token::Close, 1),
            b',' => (Token::Comma, 1),
            b':' => (Token::Colon, 1),
            b'"' => (Token::Value, string_length(bytes)),
            byte if is_space(*byte) => (Token::Space, until(|byte| !is_space(byte))),
            _ => (Token::Value, until(|byte| is_space(byte) || b"{}[],:\"".contains(&byte))),
        };
        // Every token ends before an ASCII byte or at the end, so it never
        // splits a letter.
        let (part, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some((token, part))
    }
}

/// Returns the length of the string that the text starts with, quotes included;
/// that of the whole text if it does not end.
fn string_length(bytes: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    bytes.len()
}

/// The white space of RFC 8259.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_between_tokens_goes() {
        let rows = [
            ("white space", " { \"a\" : 1 ,\r\n\t\"b\" : [ ] }\n", r#"{"a":1,"b":[]}"#),
            ("strings", r#"{"a b": " \" {x} \\", "c": "\\"}"#, r#"{"a b":" \" {x} \\","c":"\\"}"#),
            (
                "numbers",
                "[ 18446744073709551616 , 1.0e+400 , -0.10 ]",
                "[18446744073709551616,1.0e+400,-0.10]",
            ),
            ("words", "[ true , null ]", "[true,null]"),
            ("other letters", "{ \"é\" : \"\u{2028}ü\" }", "{\"é\":\"\u{2028}ü\"}"),
        ];
        for (row, json, line) in rows {
            assert_eq!(fold(json), line, "{row}");
            assert_eq!(fold(&indent(json, "  ")), line, "{row}");
        }
    }

    #[test]
    fn people_see_a_member_a_line() {
        let shown = indent(r#"{"a":{"b":[1,2],"c":{},"d":[]},"e":"x"}"#, "> ");
        let lines = [
            "{",
            r#">   "a": {"#,
            r#">     "b": ["#,
            ">       1,",
            ">       2",
            ">     ],",
            r#">     "c": {},"#,
            r#">     "d": []"#,
            ">   },",
            r#">   "e": "x""#,
            "> }",
        ];
        assert_eq!(shown, lines.join("\n"));
        assert_eq!(indent("{}", ""), "{}");
        assert_eq!(indent("7", ""), "7");
    }

    #[test]
    fn what_is_no_json_does_no_harm() {
        for text in ["", "\"", "{\"a", "}", "é", "\u{0}", "]]]", "\"\\"] {
            assert_eq!(fold(text), text);
            let _ = indent(text, "");
        }
    }
}
