//! The tunnel through a proxy: `CONNECT` ([RFC 9110 section
//! 9.3.6](https://www.rfc-editor.org/rfc/rfc9110#CONNECT)).
//!
//! ```text
//! CONNECT run.googleapis.com:443 HTTP/1.1
//! Host: run.googleapis.com:443
//! Proxy-Authorization: Basic dXNlcjpwYXNz     if the proxy URL has a user
//!
//! HTTP/1.1 200 Connection established         from here on, bytes of the server
//! ```
//!
//! The proxy sees host and port and nothing else. Servers with plain `http` are
//! reached by `CONNECT` too, so there is one way through a proxy and no request
//! in absolute form. The only authentication scheme is Basic.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::connection::{Connection, IoLimit};
use super::error::{ConnectionError, NetError, NetErrorKind};
use super::peer::Peer;
use super::proxy::ProxyServer;

/// Requests the proxy at the other end of `connection` to connect to `peer`.
/// After that, the connection carries the bytes of the peer.
///
/// # Errors
///
/// `Proxy` if it does not respond with 2xx. 5xx and a missing response are
/// transient.
pub(super) fn open(
    connection: &mut dyn Connection,
    proxy: &ProxyServer,
    peer: &Peer<'_>,
    limit: IoLimit<'_>,
) -> Result<(), ConnectionError> {
    connection.write(request(proxy, peer).as_bytes(), limit)?;
    let head = head(connection, limit)?;
    match status(&head) {
        Some(200..300) => Ok(()),
        status => Err(ConnectionError::Refused(refused(status, !head.is_empty(), proxy, peer))),
    }
}

/// Returns the request. It holds the password, so it is not logged.
fn request(proxy: &ProxyServer, peer: &Peer<'_>) -> String {
    let credentials = proxy
        // A proxy at an `http://` URL receives the password in the clear. With
        // `https://` it is inside TLS.
        .credentials()
        .map(|credentials| format!("Proxy-Authorization: Basic {}\r\n", BASE64_STANDARD.encode(credentials)));
    format!("CONNECT {peer} HTTP/1.1\r\nHost: {peer}\r\n{}\r\n", credentials.unwrap_or_default())
}

/// Returns the response up to the end of its headers, or what came of it before
/// the connection ended or 64 KiB were full.
///
/// It is read byte by byte, because what follows belongs to the tunnel.
fn head(connection: &mut dyn Connection, limit: IoLimit<'_>) -> Result<Vec<u8>, ConnectionError> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
        let mut byte = [0];
        if connection.read(&mut byte, limit)? == 0 {
            break;
        }
        head.extend(byte);
    }
    Ok(head)
}

/// Returns the status of a complete response of HTTP/1.0 or 1.1: there are
/// proxies of either version.
fn status(head: &[u8]) -> Option<u16> {
    // Without the blank line the response was cut off, and its status means
    // nothing.
    let text = std::str::from_utf8(head.strip_suffix(b"\r\n\r\n")?).ok()?;
    let line = text.split("\r\n").next().filter(|line| line.starts_with("HTTP/1."))?;
    line.split(' ').nth(1).filter(|status| status.len() == 3)?.parse().ok()
}

/// Returns the error for a proxy that did not open the tunnel; `responded` says
/// whether it sent anything.
///
/// ```text
/// 407           it requires credentials (407)
/// 503           it responded with 503                      transient
/// not HTTP      its response is not HTTP/1.1
/// closed        it did not respond                         transient
/// ```
fn refused(status: Option<u16>, responded: bool, proxy: &ProxyServer, peer: &Peer<'_>) -> NetError {
    let why = match status {
        Some(407) if proxy.credentials().is_some() => {
            "it refused the user and password given (407)".to_owned()
        }
        Some(407) => "it requires credentials (407)".to_owned(),
        Some(status) => format!("it responded with {status}"),
        None if responded => "its response is not HTTP/1.1".to_owned(),
        None => "it did not respond".to_owned(),
    };
    let message = format!("the proxy did not connect to {peer}: {why}");
    // A proxy with 5xx cannot reach the server at the moment, and one that
    // sends nothing may be restarting. A 4xx will not change.
    NetError::new(NetErrorKind::Proxy, message).transient(status.map_or(!responded, |status| status >= 500))
}

/// The longest head of a response, in bytes. No proxy needs as much, and a
/// wrong peer may send for ever.
const MAX_HEAD: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Instant;

    use super::*;
    use crate::net::options::ProxySetting;
    use crate::net::proxy::ProxyRoutes;

    #[test]
    fn refusals_of_the_proxy_are_explained() {
        let env = BTreeMap::from([("HTTPS_PROXY".to_owned(), "http://u:p@proxy.test:3128".to_owned())]);
        let routes = ProxyRoutes::new(&ProxySetting::Environment, &env).unwrap();
        let peer = Peer { tls: true, host: "example.com", port: 443 };
        let proxy = routes.to(&peer).unwrap().unwrap();
        let rows = [
            (Some(407), true, "it refused the user and password given (407)"),
            (Some(403), true, "it responded with 403"),
            (Some(503), true, "it responded with 503"),
            (None, true, "its response is not HTTP/1.1"),
            (None, false, "it did not respond"),
        ];
        for (status, responded, why) in rows {
            let error = refused(status, responded, proxy, &peer);
            assert_eq!(error.to_string(), format!("the proxy did not connect to example.com:443: {why}"));
        }
    }

    /// A proxy that sends the same byte for ever.
    struct EndlessConnection;

    impl Connection for EndlessConnection {
        fn read(&mut self, into: &mut [u8], _: IoLimit<'_>) -> Result<usize, ConnectionError> {
            into.fill(b'x');
            Ok(into.len())
        }

        fn write(&mut self, _: &[u8], _: IoLimit<'_>) -> Result<(), ConnectionError> {
            Ok(())
        }

        fn is_silent(&mut self) -> bool {
            false
        }

        fn is_tls(&self) -> bool {
            false
        }
    }

    #[test]
    fn no_more_than_64_kib_are_read() {
        let limit = IoLimit::new(Instant::now(), None);
        assert_eq!(head(&mut EndlessConnection, limit).unwrap().len(), 64 * 1024);
    }
}
