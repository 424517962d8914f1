//! The words for what TLS refused, on either side.

use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError, ClientConnection, Error};

use crate::net::error::{NetError, NetErrorKind};

use super::alpn::AlpnProtocol;

/// What TLS refused when `conn` failed with this error, if it was that.
///
/// A peer that refuses says why and closes. When that is while we send, sending fails, and the reason is still
/// to be read.
pub(super) fn refusal(
    error: &io::Error,
    conn: &mut ClientConnection,
    sock: &mut impl io::Read,
) -> Option<Error> {
    // This is how the streams of rustls hand on its errors.
    if let Some(error) = error.get_ref().and_then(|error| error.downcast_ref()) {
        return Some(Error::clone(error));
    }
    while is_end(error) && conn.read_tls(sock).is_ok_and(|read| read > 0) {
        if let Err(error) = conn.process_new_packets() {
            return Some(error);
        }
    }
    None
}

/// Whether the peer has closed the connection.
pub(super) fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// The error for a handshake, or a connection, that TLS refused.
///
/// `presented` says whether we had a client certificate to show.
pub(super) fn refused(
    error: &Error,
    peer: impl fmt::Display,
    presented: bool,
    alpn: Option<AlpnProtocol>,
) -> NetError {
    let message = match error {
        Error::InvalidCertificate(why) => format!("cannot trust {peer}: its certificate {}", flaw(why)),
        Error::AlertReceived(alert) => format!("{peer} {}", complaint(*alert, presented, alpn)),
        Error::InvalidMessage(_) => format!("{peer} does not speak TLS"),
        _ => format!("cannot agree on TLS with {peer}"),
    };
    NetError::new(NetErrorKind::Tls, message).with_source(error.clone())
}

/// The error for a server that asked for a client certificate, was shown none, and closed without a word.
///
/// Transient, since there may be another reason: many servers ask and do not insist.
pub(super) fn unshown(peer: impl fmt::Display) -> NetError {
    let message =
        format!("{peer} closed the connection before an answer, and had asked for a client certificate");
    NetError::new(NetErrorKind::Closed, message)
}

fn flaw(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another name"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not for a server"
        }
        CertificateError::BadSignature => "is not signed by the issuer that it names",
        CertificateError::Revoked => "is revoked",
        CertificateError::UnknownIssuer => "comes from an unknown issuer",
        _ => "is refused",
    }
}

/// The alerts of RFC 8446 section 6.2 that concern certificates can only mean ours.
fn complaint(alert: AlertDescription, presented: bool, alpn: Option<AlpnProtocol>) -> &'static str {
    use AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired if presented => "requires another client certificate than the one given",
        Alert::CertificateExpired if presented => {
            "refused the client certificate: it has expired or is not valid yet"
        }
        Alert::CertificateRevoked if presented => "refused the client certificate: it is revoked",
        Alert::UnknownCA if presented => "refused the client certificate: it comes from an unknown issuer",
        Alert::AccessDenied
        | Alert::BadCertificate
        | Alert::CertificateUnknown
        | Alert::DecryptError
        | Alert::UnsupportedCertificate
            if presented =>
        {
            "refused the client certificate"
        }
        // Some servers say `bad_certificate` when there is none.
        Alert::BadCertificate | Alert::CertificateRequired | Alert::CertificateUnknown => {
            "requires a client certificate"
        }
        Alert::NoApplicationProtocol => alpn.map_or("refused the TLS connection", |alpn| alpn.missing),
        _ => "refused the TLS connection",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_about_the_client_certificate() {
        use AlertDescription as Alert;
        let alpn = AlpnProtocol { id: b"x", missing: "does not offer x" };
        const REFUSED: &str = "a:1 refused the TLS connection";
        const NEEDED: &str = "a:1 requires a client certificate";
        let rows = [
            (
                Alert::CertificateRequired,
                NEEDED,
                "a:1 requires another client certificate than the one given",
            ),
            (Alert::BadCertificate, NEEDED, "a:1 refused the client certificate"),
            (Alert::CertificateUnknown, NEEDED, "a:1 refused the client certificate"),
            (Alert::UnsupportedCertificate, REFUSED, "a:1 refused the client certificate"),
            (Alert::AccessDenied, REFUSED, "a:1 refused the client certificate"),
            (Alert::CertificateRevoked, REFUSED, "a:1 refused the client certificate: it is revoked"),
            (
                Alert::CertificateExpired,
                REFUSED,
                "a:1 refused the client certificate: it has expired or is not valid yet",
            ),
            (
                Alert::UnknownCA,
                REFUSED,
                "a:1 refused the client certificate: it comes from an unknown issuer",
            ),
            (Alert::HandshakeFailure, REFUSED, REFUSED),
            (Alert::NoApplicationProtocol, "a:1 does not offer x", "a:1 does not offer x"),
        ];
        for (alert, without, with) in rows {
            for (presented, message) in [(false, without), (true, with)] {
                let error = refused(&Error::AlertReceived(alert), "a:1", presented, Some(alpn));
                assert_eq!(error.to_string(), message, "{alert:?}");
                assert_eq!((error.kind, error.transient), (NetErrorKind::Tls, false));
            }
        }
    }
}
