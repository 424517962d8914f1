//! The way through a proxy: `CONNECT` ([RFC 9110 section 9.3.6](https://www.rfc-editor.org/rfc/rfc9110#CONNECT)).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::connection::{Connection, IoLimit};
use super::error::{ConnectionError, NetError, NetErrorKind};
use super::peer::Peer;
use super::proxy::ProxyServer;

/// Requests the proxy at the other end of `connection` to connect to `peer`.
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

fn request(proxy: &ProxyServer, peer: &Peer<'_>) -> String {
    let credentials = proxy
        .credentials()
        .map(|credentials| format!("Proxy-Authorization: Basic {}\r\n", BASE64_STANDARD.encode(credentials)));
    format!("CONNECT {peer} HTTP/1.1\r\nHost: {peer}\r\n{}\r\n", credentials.unwrap_or_default())
}

/// Returns the response to the end of its headers, as far as it comes.
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

/// Returns the status of a whole response; of 1.0 and 1.1, for there are
/// proxies of either kind.
fn status(head: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(head.strip_suffix(b"\r\n\r\n")?).ok()?;
    let line = text.split("\r\n").next().filter(|line| line.starts_with("HTTP/1."))?;
    line.split(' ').nth(1).filter(|status| status.len() == 3)?.parse().ok()
}

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
    NetError::new(NetErrorKind::Proxy, message).transient(status.map_or(!responded, |status| status >= 500))
}

const MAX_HEAD: usize = 64 * 1024;
