//! A token as the whole content of a file.

/// Returns the token in a file that contains nothing else.
///
/// White space around it is ignored, since editors and `echo` leave a line
/// break at the end. So is a byte order mark, which some editors put in front.
///
/// # Errors
///
/// Says what the file contains instead, without any part of it:
///
/// ```text
/// {"access_token": …    holds JSON, expected the token alone
/// Bearer ya29.…         starts with `Bearer`, expected the token alone
/// two lines             has several lines, expected the token alone
/// ```
pub(super) fn token_text(bytes: &[u8]) -> Result<&str, &'static str> {
    // Windows PowerShell writes such files by default.
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err("is UTF-16 text, expected UTF-8");
    }
    let text = str::from_utf8(bytes).map_err(|_| "is not UTF-8 text")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    let is_bearer = text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer "));
    match text.chars().next() {
        None => Err(EMPTY),
        Some('{' | '[') => Err("holds JSON, expected the token alone"),
        Some('"' | '\'' | '`') => Err("holds a token in quotes, expected the token alone"),
        Some('-') if text.starts_with("-----BEGIN") => Err("holds PEM, expected the token alone"),
        _ if is_bearer => Err("starts with `Bearer`, expected the token alone"),
        _ if text.contains(['\n', '\r']) => Err("has several lines, expected the token alone"),
        _ => Ok(text),
    }
}

/// The error for a file that is about to be written, or has no content.
pub(super) const EMPTY: &str = "is empty";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_alone() {
        let rows: [(&str, &[u8], Result<&str, &str>); 15] = [
            ("plain", b"CANARY", Ok("CANARY")),
            ("white space around it", b"\r\n CANARY\t\n\n", Ok("CANARY")),
            ("a byte order mark", b"\xef\xbb\xbfCANARY\n", Ok("CANARY")),
            ("white space in it", b"CANARY CANARY", Ok("CANARY CANARY")),
            ("empty", b"", Err("is empty")),
            ("blank", b"\xef\xbb\xbf \n", Err("is empty")),
            (
                "JSON",
                b"\xef\xbb\xbf{\"access_token\": \"CANARY\"}\n",
                Err("holds JSON, expected the token alone"),
            ),
            ("a JSON array", b"[\"CANARY\"]", Err("holds JSON, expected the token alone")),
            ("quotes", b"\"CANARY\"\n", Err("holds a token in quotes, expected the token alone")),
            ("single quotes", b"'CANARY'", Err("holds a token in quotes, expected the token alone")),
            ("PEM", b"-----BEGIN PRIVATE KEY-----\nCANARY\n", Err("holds PEM, expected the token alone")),
            ("a header", b"bearer CANARY", Err("starts with `Bearer`, expected the token alone")),
            ("lines", b"CANARY\nCANARY\n", Err("has several lines, expected the token alone")),
            ("UTF-16", b"\xff\xfeC\0A\0", Err("is UTF-16 text, expected UTF-8")),
            ("no text", b"CANARY\xff", Err("is not UTF-8 text")),
        ];
        for (row, bytes, expected) in rows {
            assert_eq!(token_text(bytes), expected, "{row}");
        }
    }
}
