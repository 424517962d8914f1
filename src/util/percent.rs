//! Percent-encoding of URLs (RFC 3986).
//!
//! Names of operations go into paths, options into queries. What is encoded
//! depends on the place:
//!
//! ```text
//! function         left as it is                        a/b c%20
//! encode           unreserved characters                a%2Fb%20c%2520
//! encode_path      unreserved characters and /          a/b%20c%2520
//! encode_invalid   all that may stand in a path, and %  a/b%20c%20
//! ```

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Encodes a query value or one path segment: all but the unreserved
/// characters.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Encodes a path, in which `/` stays as it is.
pub(crate) fn encode_path(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, RESERVED_IN_PATHS).into()
}

/// Appends a text to a buffer, encoded as by [`encode`].
pub(crate) fn push_encoded(target: &mut String, text: &str) {
    target.extend(utf8_percent_encode(text, RESERVED));
}

/// Encodes what cannot stand in a path at all, in a path that the caller has
/// encoded. Escapes and delimiters stay as they are.
pub(crate) fn encode_invalid(text: &str) -> String {
    utf8_percent_encode(text, INVALID_IN_PATHS).to_string()
}

/// Decodes a text.
///
/// Invalid escapes stay as they are, and bytes that are not UTF-8 become
/// U+FFFD. A caller that must not accept the former checks with
/// [`escapes_are_valid`] before.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Decodes a name of several segments as services do: an escaped `/` stays
/// escaped, because it is a part of its segment.
///
/// ```text
/// operations/a%20b       operations/a b
/// operations/a%2Fb       operations/a%2Fb
/// operations/a%252Fb     operations/a%2Fb
/// ```
///
/// The last two are one name: [`encode_path`] sends `a%2Fb` as `a%252Fb`. The
/// rule is that of `google/api/http.proto` for variables of several segments.
pub(crate) fn decode_path(text: &str) -> String {
    decode(&text.replace("%2F", "%252F").replace("%2f", "%252f"))
}

/// Returns whether two hexadecimal digits follow each `%`. A text without `%`
/// is valid.
pub(crate) fn escapes_are_valid(text: &str) -> bool {
    let is_hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    text.split('%').skip(1).all(|after| after.as_bytes().get(..2).is_some_and(is_hex))
}

/// Decodes a value of a query or a form, in which a plus is a space
/// (`application/x-www-form-urlencoded`).
#[cfg(any(test, feature = "testing"))]
pub(crate) fn decode_form(text: &str) -> String {
    decode(&text.replace('+', " "))
}

/// Everything but the unreserved characters of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// All that is not a `pchar` of RFC 3986 §3.3, without `/` and `%`.
const INVALID_IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What [`encode_path`] encodes.
const RESERVED_IN_PATHS: &AsciiSet = &RESERVED.remove(b'/');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encode("aZ09-._~"), "aZ09-._~");
        assert_eq!(encode("a/b c%é+:\n"), "a%2Fb%20c%25%C3%A9%2B%3A%0A");
        assert_eq!(encode_path("a/b:c/"), "a/b%3Ac/");
    }

    #[test]
    fn an_escaped_slash_is_no_slash() {
        for name in ["a%2Fb/c%2fd", "a b/%/é"] {
            assert_eq!(decode_path(&encode_path(name)), name);
        }
        assert_eq!(decode_path("a%2Fb/c%2fd%20%C3%A9"), "a%2Fb/c%2fd é");
        assert!(
            escapes_are_valid("a%2Fb%c3") && !["%", "a%2", "%zz", "%é"].into_iter().any(escapes_are_valid)
        );
    }

    #[test]
    fn invalid_escapes_stay() {
        assert_eq!(decode("a%2Fb+%zz%C3%A9%"), "a/b+%zzé%");
        assert_eq!(decode_form("a%2Bb+c"), "a+b c");
    }
}
