//! The transports of this crate, by value and by name.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::util::excerpt::brief;

/// The protocol of a client; for [`OperationsClientBuilder::transport`].
///
/// It parses from the names `rest` and `grpc`.
///
/// Over gRPC the calling thread drives an HTTP/2 connection itself, without a
/// runtime or another thread. A connection carries one call at a time and is
/// pooled, as the [`HttpOptions`](crate::http::HttpOptions) say. Frames that
/// arrived meanwhile (pings, settings, `GOAWAY`) are processed before it is
/// reused. A call is sent once more, without counting as an attempt, if
/// the server certainly has not processed it (`REFUSED_STREAM`, `GOAWAY`), or
/// if a pooled connection was closed before a response. Roots, client
/// certificates and proxies are those of REST.
///
/// | | REST | gRPC |
/// |---|---|---|
/// | name of a listing | parent or collection | as the service's gRPC method expects it, sent as it is given |
/// | `wait` | needs a binding | works where the service has it |
/// | [`header`](crate::Call::header) | header | metadata; values of names that end in `-bin` are bytes in base64; names with `grpc-` are refused |
/// | timeout | on the socket | on the socket, and in the request (`grpc-timeout`) |
/// | size limit of a response | 32 and 64 MiB | 4 MiB, or `message_limit` |
/// | endpoint | may have a base path | scheme, host and port |
///
/// ```
/// use longrunning::transport::TransportKind;
///
/// let kind: TransportKind = "rest".parse()?;
/// assert_eq!(kind, TransportKind::Rest);
/// assert_eq!(kind.to_string(), "rest");
/// assert!("carrier-pigeon".parse::<TransportKind>().is_err());
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// [`OperationsClientBuilder::transport`]: crate::OperationsClientBuilder::transport
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TransportKind {
    /// HTTP/1.1 and JSON, by the bindings of the service. The default.
    #[default]
    Rest,
    /// gRPC: HTTP/2 and protobuf. Needs feature `grpc`, and over TLS a server
    /// that offers `h2`; plain http is HTTP/2 from the first byte.
    #[cfg(feature = "grpc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
    Grpc,
}

impl TransportKind {
    /// Returns the name that parses to this kind: `rest` or `grpc`.
    ///
    /// ```
    /// use longrunning::transport::TransportKind;
    ///
    /// assert_eq!(TransportKind::default().as_str(), "rest");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            #[cfg(feature = "grpc")]
            Self::Grpc => "grpc",
        }
    }
}

impl fmt::Display for TransportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Parses the names, in lower case.
///
/// # Errors
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config) for any other name, and for
/// `grpc` without its feature.
impl FromStr for TransportKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "rest" => Ok(Self::Rest),
            #[cfg(feature = "grpc")]
            "grpc" => Ok(Self::Grpc),
            #[cfg(not(feature = "grpc"))]
            "grpc" => Err(Error::config("transport `grpc` needs feature `grpc`, which is off: turn it on")),
            _ => {
                let shown = brief(name);
                Err(Error::config(format!("transport `{shown}` is not known: expected `rest` or `grpc`")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!("rest".parse::<TransportKind>().unwrap(), TransportKind::default());
        let shown = "grpc".parse::<TransportKind>().map(|kind| kind.to_string()).map_err(|e| e.to_string());
        let off = "transport `grpc` needs feature `grpc`, which is off: turn it on".to_owned();
        assert_eq!(shown, if cfg!(feature = "grpc") { Ok("grpc".to_owned()) } else { Err(off) });
        let long = "x".repeat(50);
        for (name, what) in [("gRPC", "gRPC"), ("", ""), ("a\nb", "a\\nb"), (&long, &long[..40])] {
            let message = format!("transport `{what}` is not known: expected `rest` or `grpc`");
            assert_eq!(name.parse::<TransportKind>().unwrap_err().to_string(), message);
        }
    }
}
