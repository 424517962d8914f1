//! The response of an exchange.

use std::fmt;

use super::sensitive::RedactedHeaders;

/// One response, read to its end.
///
/// An implementation of [`HttpClient`](super::HttpClient) creates it with
/// [`new`](Self::new). `Debug` prints only the length of the body, and redacts
/// header values that may be secret.
#[non_exhaustive]
#[derive(Clone)]
pub struct HttpResponse {
    /// The status code, of any class.
    pub status: u16,
    /// Names (lowercase) and values.
    pub headers: Vec<(String, String)>,
    /// The body, after decoding `content-encoding`.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// Creates a response without headers.
    ///
    /// ```
    /// use longrunning::http::HttpResponse;
    ///
    /// let response = HttpResponse::new(200, r#"{"name":"operations/42"}"#);
    /// assert_eq!((response.status, response.headers.len()), (200, 0));
    /// ```
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Appends a header.
    ///
    /// ```
    /// use longrunning::http::HttpResponse;
    ///
    /// let response = HttpResponse::new(503, "").with_header("Retry-After", "3");
    /// assert_eq!(response.header("retry-after"), Some("3"));
    /// ```
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        // As HTTP clients return them, so that readers need not care about
        // case.
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Returns the first value of the header `name`, regardless of case.
    ///
    /// ```
    /// use longrunning::http::HttpResponse;
    ///
    /// let response = HttpResponse::new(200, "{}").with_header("Content-Type", "application/json");
    /// assert_eq!(response.header("content-type"), Some("application/json"));
    /// assert_eq!(response.header("etag"), None);
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(each, _)| each.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Returns the content type without its parameters, as it was written;
    /// empty if there is none.
    pub(crate) fn media_type(&self) -> &str {
        self.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default().trim()
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self.headers.iter().map(|(name, value)| (&**name, &**value));
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &RedactedHeaders(headers))
            .field("body", &self.body.len())
            .finish()
    }
}
