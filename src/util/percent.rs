//! Percent-encoding of URLs (RFC 3986).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Encodes a query value or one path segment: everything but unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Encodes a path, of which `/` stays.
pub(crate) fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, RESERVED_IN_PATHS).to_string()
}

/// Everything but the unreserved characters of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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
}
