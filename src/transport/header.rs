//! The extra headers that a caller may set.
//!
//! They are checked when they are set, so an attempt can send them as they are.
//! A header that delimits a message, authorizes it or belongs to one connection
//! has one owner, the client: two owners could disagree, and a value of the
//! caller's could smuggle a second request (RFC 9112 section 11.2).

use std::fmt;

use crate::error::Error;
use crate::util::excerpt::{self, shown};

/// An extra header or, over gRPC, a metadata entry: checked, name in lower
/// case.
#[derive(Clone, PartialEq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Header {
    /// Checks a header of the caller's.
    ///
    /// The name becomes lower case, and blanks around the value are removed, as
    /// a receiver would do (RFC 9110 section 5.5).
    ///
    /// ```text
    /// X-Trace: " a\tb "     x-trace: "a\tb"
    /// Host: x               an error: set by the client
    /// x: "a\r\nb: c"        an error: control character
    /// ```
    ///
    /// # Errors
    ///
    /// `Config`. The message contains the name and never the value.
    pub(crate) fn new(name: &str, value: &str) -> Result<Self, Error> {
        let shown = shown(name).to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(Error::config(format!(
                "header name `{}` is not an HTTP token",
                excerpt::shown(name)
            )));
        }
        let name = name.to_ascii_lowercase();
        if let Some(instead) = reserved(&name) {
            return Err(Error::config(format!("header `{name}` is set by the client{instead}")));
        }
        // A line break would end the header and begin another one. Bytes beyond
        // ASCII have no defined meaning (RFC 9110 section 5.5).
        if !value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
            return Err(Error::config(format!(
                "value of header `{shown}` has a control or non-ASCII character"
            )));
        }
        Ok(Self { name, value: value.trim().to_owned() })
    }
}

// A value may be a secret of the caller's.
impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [redacted]", self.name)
    }
}

/// Checks a quota project, which becomes the value of `x-goog-user-project`.
///
/// Visible ASCII is accepted, since ids like `example.com:project` have
/// punctuation.
///
/// # Errors
///
/// `Config` if it is empty or has any other character.
pub(crate) fn check_quota_project(project: &str) -> Result<(), Error> {
    if project.is_empty() || !project.bytes().all(|byte| byte.is_ascii_graphic()) {
        let shown = shown(project);
        return Err(Error::config(format!("quota project `{shown}` is not a project id or number")));
    }
    Ok(())
}

/// Returns whether a byte is a `tchar` of RFC 9110 section 5.6.2, of which
/// header names are made.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Returns the end of the error message for a header that only the client may
/// set: what to use in its place, or nothing. `None` for all other headers.
///
/// ```text
/// grpc-timeout         ": use `attempt_timeout`"
/// grpc-encoding        ""
/// grpc-metadata-team   None
/// x-trace              None
/// ```
fn reserved(name: &str) -> Option<&'static str> {
    // Gateways turn `grpc-metadata-` into metadata, all other names with `grpc-`
    // belong to the protocol.
    if name.starts_with("grpc-") && !name.starts_with("grpc-metadata-") {
        return Some(if name == "grpc-timeout" { ": use `attempt_timeout`" } else { "" });
    }
    RESERVED.iter().find(|(reserved, _)| *reserved == name).map(|(_, instead)| *instead)
}

/// Headers with one owner, and the option to use in their place: credentials,
/// what delimits a message (RFC 9112), what concerns a connection only (RFC
/// 9110 section 7.6.1), and what turns one method into another.
const RESERVED: [(&str, &str); 26] = [
    ("accept", ""),
    ("accept-encoding", ""),
    ("authorization", ": use `credentials`"),
    ("connection", ""),
    ("content-encoding", ""),
    ("content-length", ""),
    ("content-type", ""),
    ("expect", ""),
    ("host", ": use the endpoint"),
    ("http2-settings", ""),
    ("keep-alive", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ": use the URL of the proxy, as in `http://user:password@host:port`"),
    ("proxy-connection", ""),
    ("range", ""),
    ("te", ""),
    ("trailer", ""),
    ("transfer-encoding", ""),
    ("upgrade", ""),
    ("user-agent", ": use `user_agent`"),
    ("x-goog-api-client", ": use `client_info`"),
    ("x-goog-request-params", ""),
    ("x-goog-user-project", ": use `quota_project`"),
    ("x-http-method", ""),
    ("x-http-method-override", ""),
    ("x-method-override", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_are_taken() {
        for (name, value) in [
            ("x-goog-request-reason", "ticket-1234"),
            ("X-Trace", " a\tb "),
            ("x", ""),
            ("Grpc-Metadata-Team", "a"),
            ("x-goog-api-key", "k"),
        ] {
            let header = Header::new(name, value).unwrap();
            assert_eq!((header.name, header.value), (name.to_lowercase(), value.trim().to_owned()));
        }
    }

    #[test]
    fn headers_that_are_refused() {
        let table = [
            ("", "v", "header name `` is not an HTTP token"),
            ("a b", "v", "header name `a b` is not an HTTP token"),
            ("a\r\nb", "v", "header name `a\\r\\nb` is not an HTTP token"),
            ("x", "a\r\nb: c", "value of header `x` has a control or non-ASCII character"),
            ("x", "é", "value of header `x` has a control or non-ASCII character"),
            ("Authorization", "v", "header `authorization` is set by the client: use `credentials`"),
            ("HOST", "v", "header `host` is set by the client: use the endpoint"),
            ("content-length", "1", "header `content-length` is set by the client"),
            ("TE", "gzip", "header `te` is set by the client"),
            ("Upgrade", "h2c", "header `upgrade` is set by the client"),
            ("Keep-Alive", "timeout=5", "header `keep-alive` is set by the client"),
            ("X-HTTP-Method-Override", "DELETE", "header `x-http-method-override` is set by the client"),
            ("grpc-timeout", "1S", "header `grpc-timeout` is set by the client: use `attempt_timeout`"),
            ("Grpc-Encoding", "gzip", "header `grpc-encoding` is set by the client"),
            (
                "Proxy-Authorization",
                "Basic CANARY",
                "header `proxy-authorization` is set by the client: \
                 use the URL of the proxy, as in `http://user:password@host:port`",
            ),
            (
                "x-goog-user-project",
                "p",
                "header `x-goog-user-project` is set by the client: use `quota_project`",
            ),
        ];
        for (name, value, message) in table {
            assert_eq!(Header::new(name, value).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn values_are_not_printed() {
        let header = Header::new("x-secret", "CANARY-header-1").unwrap();
        assert_eq!(format!("{header:?}"), "x-secret: [redacted]");
    }
}
