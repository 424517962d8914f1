//! The headers of a response, in the form that both transports make.
//!
//! REST collects the header fields of the HTTP response, gRPC its initial and
//! its trailing metadata. Names are in lower case, as in HTTP/2 (RFC 9113
//! section 8.2). Repeated headers stay separate entries, in their order.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::http::is_sensitive;
use crate::util::redact::redacted;

/// The headers of one response; over gRPC its initial and trailing metadata.
///
/// [`Call::on_headers`](crate::Call::on_headers) passes them to a closure.
/// `Debug` redacts values that may be secret ([`is_sensitive`]).
///
/// ```
/// use longrunning::transport::Headers;
///
/// let headers = Headers::from_iter([("X-Request-Id", "4711"), ("trace-bin", "AAEC")]);
/// assert_eq!(headers.get("x-request-id"), Some("4711"));
/// assert_eq!(headers.get_bin("trace-bin"), Some(vec![0, 1, 2]));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Returns the first value of the header `name`, regardless of case.
    ///
    /// ```
    /// use longrunning::transport::Headers;
    ///
    /// let headers = Headers::from_iter([("Retry-After", "3")]);
    /// assert_eq!(headers.get("retry-after"), Some("3"));
    /// ```
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(each, _)| each.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the decoded bytes of the first value of `name`, for metadata
    /// whose name ends in `-bin`.
    ///
    /// The value is base64, padded or not. Returns `None` if it is something
    /// else.
    ///
    /// ```
    /// use longrunning::transport::Headers;
    ///
    /// let headers = Headers::from_iter([("trace-bin", "AAEC")]);
    /// assert_eq!(headers.get_bin("trace-bin"), Some(vec![0, 1, 2]));
    /// ```
    pub fn get_bin(&self, name: &str) -> Option<Vec<u8>> {
        decode_bin(self.get(name)?.as_bytes())
    }

    /// Returns names, in lower case, and values, in the order of the response.
    ///
    /// Invalid UTF-8 is replaced by U+FFFD.
    ///
    /// ```
    /// use longrunning::transport::Headers;
    ///
    /// let headers = Headers::from_iter([("Via", "a"), ("Via", "b")]);
    /// assert_eq!(headers.iter().collect::<Vec<_>>(), [("via", "a"), ("via", "b")]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Collects names of any case.
impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Self(pairs.map(|(name, value)| (name.as_ref().to_ascii_lowercase(), value.into())).collect())
    }
}

/// Prints names, and the values that are not secret.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            |(name, value)| (name, if is_sensitive(name) { "[redacted]".into() } else { redacted(value) });
        f.debug_map().entries(self.iter().map(shown)).finish()
    }
}

/// The closure that receives the headers of responses.
#[derive(Clone)]
pub(crate) struct HeadersObserver(Arc<dyn Fn(&Headers) + Send + Sync>);

impl HeadersObserver {
    pub(crate) fn new(observer: impl Fn(&Headers) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observer))
    }

    /// Calls the closure, on the thread that makes the attempt.
    pub(super) fn observe(&self, headers: &Headers) {
        (self.0)(headers);
    }
}

impl fmt::Debug for HeadersObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeadersObserver")
    }
}

/// Decodes a `-bin` value; of several joined values, the first.
///
/// ```text
/// AAEC/w==      00 01 02 ff
/// AAEC/w        00 01 02 ff     gRPC peers omit the padding
/// AAEC/w,AA==   00 01 02 ff     the rest belongs to other entries
/// AAEC_w        None            not the standard alphabet
/// ```
pub(super) fn decode_bin(value: &[u8]) -> Option<Vec<u8>> {
    BASE64.decode(value.split(|byte| *byte == b',').next()?).ok()
}

/// Padding may be there or not, as the [protocol of
/// gRPC](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)
/// requires of a receiver.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_may_be_secret_are_not_printed() {
        let headers = Headers::from_iter([("Set-Cookie", "CANARY"), ("x-request-id", "4711")]);
        assert_eq!(format!("{headers:?}"), r#"{"set-cookie": "[redacted]", "x-request-id": "4711"}"#);
    }

    #[test]
    fn bytes_of_binary_metadata() {
        let rows: [(&[u8], Option<&[u8]>); 6] = [
            (b"", Some(b"")),
            (b"AAEC/w==", Some(&[0, 1, 2, 255])),
            (b"AAEC/w", Some(&[0, 1, 2, 255])),
            (b"AAEC/w,AA==", Some(&[0, 1, 2, 255])),
            (b"AAEC_w", None),
            (b"A", None),
        ];
        for (value, decoded) in rows {
            assert_eq!(decode_bin(value).as_deref(), decoded, "{value:?}");
        }
    }
}
