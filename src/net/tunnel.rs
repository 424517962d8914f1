//! The way through a proxy: `CONNECT` ([RFC 9110 section 9.3.6](https://www.rfc-editor.org/rfc/rfc9110#CONNECT)).
//!
//! ureq has a connector for this, which gives the proxy the whole budget again for every part of its answer.

use std::io::{Read, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::Proxy;
use ureq::unversioned::transport::{Transport, TransportAdapter};

use crate::http::error::{HttpError, HttpErrorKind};
use crate::net::connect::{Peer, wrap};

/// Has the proxy at the other end of `to_proxy`, which carries the timeout, connect to `peer`.
pub(crate) fn open(
    mut to_proxy: TransportAdapter,
    proxy: &Proxy,
    peer: &Peer<'_>,
) -> Result<Box<dyn Transport>, ureq::Error> {
    to_proxy.write_all(request(proxy, peer).as_bytes())?;
    let head = head(&mut to_proxy)?;
    match status(&head) {
        Some(200..300) => Ok(to_proxy.into_inner()),
        status => Err(wrap(refused(status, !head.is_empty(), proxy, peer))),
    }
}

fn request(proxy: &Proxy, peer: &Peer<'_>) -> String {
    let credentials = credentials(proxy)
        .map(|credentials| format!("Proxy-Authorization: Basic {}\r\n", BASE64_STANDARD.encode(credentials)));
    format!("CONNECT {peer} HTTP/1.1\r\nHost: {peer}\r\n{}\r\n", credentials.unwrap_or_default())
}

fn credentials(proxy: &Proxy) -> Option<String> {
    let (user, password) = (proxy.username(), proxy.password());
    let given = user.is_some() || password.is_some();
    given.then(|| format!("{}:{}", user.unwrap_or_default(), password.unwrap_or_default()))
}

/// The answer to the end of its headers, as far as it comes. What follows belongs to the tunnel.
fn head(to_proxy: &mut TransportAdapter) -> Result<Vec<u8>, ureq::Error> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
        let mut byte = [0];
        if to_proxy.read(&mut byte)? == 0 {
            break;
        }
        head.extend(byte);
    }
    Ok(head)
}

/// The status of a whole answer; of 1.0 and 1.1, for there are proxies of either kind.
fn status(head: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(head.strip_suffix(b"\r\n\r\n")?).ok()?;
    let line = text.split("\r\n").next().filter(|line| line.starts_with("HTTP/1."))?;
    line.split(' ').nth(1).filter(|status| status.len() == 3)?.parse().ok()
}

fn refused(status: Option<u16>, answered: bool, proxy: &Proxy, peer: &Peer<'_>) -> HttpError {
    let why = match status {
        Some(407) if credentials(proxy).is_some() => {
            "it refused the user and password given (407)".to_owned()
        }
        Some(407) => "it wants a user and a password (407)".to_owned(),
        Some(status) => format!("it answered {status}"),
        None if answered => "it did not answer in HTTP/1.1".to_owned(),
        None => "it did not answer".to_owned(),
    };
    let message = format!("the proxy did not connect to {peer}: {why}");
    HttpError::new(HttpErrorKind::Proxy, message).transient(status.map_or(!answered, |status| status >= 500))
}

const MAX_HEAD: usize = 64 * 1024;
