//! Messages for what TLS refused, on either side.
//!
//! rustls reports errors of the protocol, such as
//! `AlertReceived(BadCertificate)`. What a user can do depends on more: whether
//! a client certificate was requested or presented, and whether the server
//! supports the protocol inside. So the messages are made here, and the error
//! of rustls is the `source`.

use std::borrow::Cow;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError, ClientConnection, Error};

use crate::net::error::{NetError, NetErrorKind};

use super::alpn::AlpnProtocol;
use super::client_auth::TlsClientAuth;
use super::verifier::WeakKey;

/// Returns the error of TLS that made `conn` fail with `error`, if there was
/// one.
///
/// A peer that refuses sends an alert and closes. If that happens while we
/// send, sending fails, and the alert is still to be read. The loop ends with
/// the bytes that have arrived: at the end of the connection `read_tls` returns
/// zero.
pub(super) fn refusal(
    error: &io::Error,
    conn: &mut ClientConnection,
    sock: &mut impl io::Read,
) -> Option<Error> {
    // The streams of rustls wrap its errors like this.
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

/// Returns whether an error means that the peer has closed the connection.
pub(super) fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// Returns the error for a handshake, or a connection, that TLS refused.
///
/// ```text
/// failed to verify host:443: its certificate has expired
/// host:443 requires a client certificate
/// TLS handshake with host:443 failed: it does not speak TLS
/// ```
pub(super) fn refused(
    error: &Error,
    peer: impl fmt::Display,
    client_auth: TlsClientAuth,
    alpn: Option<AlpnProtocol>,
) -> NetError {
    // The texts of rustls are for programmers. They are in the source.
    let message = match error {
        Error::InvalidCertificate(why) => format!("failed to verify {peer}: its certificate {}", flaw(why)),
        Error::AlertReceived(alert) => format!("{peer} {}", complaint(*alert, client_auth, alpn)),
        Error::InvalidMessage(_) => format!("TLS handshake with {peer} failed: it does not speak TLS"),
        _ => format!("TLS handshake with {peer} failed"),
    };
    NetError::new(NetErrorKind::Tls, message).with_source(error.clone())
}

/// Returns the error for a connection that the server has closed before it sent
/// anything; `None` if client authentication cannot be the reason.
///
/// It is transient, since there may be another reason: many servers request a
/// certificate and do not insist on it.
pub(super) fn closed(peer: impl fmt::Display, client_auth: TlsClientAuth) -> Option<NetError> {
    let message = format!("{peer} closed the connection before a response{}", suspicion(client_auth)?);
    Some(NetError::new(NetErrorKind::Closed, message))
}

/// Returns the same for a server that closed during the handshake. Its kind is
/// `Connect`, because no connection was established.
pub(super) fn cut_handshake(peer: impl fmt::Display, client_auth: TlsClientAuth) -> Option<NetError> {
    let message = format!("{peer} closed the connection in the TLS handshake{}", suspicion(client_auth)?);
    Some(NetError::new(NetErrorKind::Connect, message))
}

/// Returns the part of a message about client authentication; `None` if no
/// certificate was requested.
fn suspicion(client_auth: TlsClientAuth) -> Option<&'static str> {
    match client_auth {
        TlsClientAuth::Missing => Some(", and had requested a client certificate"),
        TlsClientAuth::NotRequested => None,
        TlsClientAuth::Presented => Some(" after the client certificate was presented: it may not accept it"),
    }
}

/// Returns what is wrong with the certificate of a server; reads on after "its
/// certificate".
///
/// ```text
/// Expired          has expired
/// NotValidForName  is for another name
/// UnknownIssuer    comes from an unknown issuer
/// a weak key       has an RSA key that is too weak (1024 bits, expected …)
/// ```
fn flaw(error: &CertificateError) -> Cow<'static, str> {
    if let Some(WeakKey { bits, is_authority }) = WeakKey::of(error) {
        let whose =
            if is_authority { "is signed by an authority whose RSA key" } else { "has an RSA key that" };
        return format!("{whose} is too weak ({bits} bits, expected at least 2048)").into();
    }
    flaw_of_rustls(error).into()
}

/// Returns the same for an error that rustls made itself.
fn flaw_of_rustls(error: &CertificateError) -> &'static str {
    match error {
        // rustls has no variant for this, only the text of webpki.
        CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
            "is that of a certificate authority (CA:TRUE, the default of `openssl req -x509`), and not for a server"
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "is signed with an algorithm that is not supported"
        }
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

/// Returns what an alert of the server means; reads on after its name.
///
/// The alerts of RFC 8446 section 6.2 that concern certificates can only mean
/// ours, since a server does not verify its own.
///
/// ```text
/// alert                      presented              not presented
/// certificate_required       another one required   requires one
/// certificate_expired        refused: expired       refused the connection
/// bad_certificate            refused                requires one
/// handshake_failure          may not accept it      requires one, if requested
/// no_application_protocol    the words of ALPN      the words of ALPN
/// ```
fn complaint(
    alert: AlertDescription,
    client_auth: TlsClientAuth,
    alpn: Option<AlpnProtocol>,
) -> &'static str {
    use AlertDescription as Alert;
    let presented = client_auth == TlsClientAuth::Presented;
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
        // Some servers send `bad_certificate` if there is none.
        Alert::BadCertificate | Alert::CertificateRequired | Alert::CertificateUnknown => {
            "requires a client certificate"
        }
        // TLS 1.2 has no `certificate_required`; there it is
        // `handshake_failure` (RFC 5246 section 7.4.6).
        Alert::AccessDenied | Alert::HandshakeFailure if client_auth == TlsClientAuth::Missing => {
            "requires a client certificate"
        }
        Alert::HandshakeFailure if presented => {
            "refused the TLS connection after the client certificate was presented: it may not accept it"
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
        const UNSUITABLE: &str = "a:1 refused the client certificate";
        const PERHAPS: &str =
            "a:1 refused the TLS connection after the client certificate was presented: it may not accept it";
        const ANOTHER: &str = "a:1 requires another client certificate than the one given";
        const EXPIRED: &str = "a:1 refused the client certificate: it has expired or is not valid yet";
        const REVOKED: &str = "a:1 refused the client certificate: it is revoked";
        const UNKNOWN: &str = "a:1 refused the client certificate: it comes from an unknown issuer";
        const NO_ALPN: &str = "a:1 does not offer x";
        // For a server that requested none, one that requested one in vain, and one
        // that was presented one.
        let rows = [
            (Alert::CertificateRequired, [NEEDED, NEEDED, ANOTHER]),
            (Alert::BadCertificate, [NEEDED, NEEDED, UNSUITABLE]),
            (Alert::CertificateUnknown, [NEEDED, NEEDED, UNSUITABLE]),
            (Alert::UnsupportedCertificate, [REFUSED, REFUSED, UNSUITABLE]),
            (Alert::AccessDenied, [REFUSED, NEEDED, UNSUITABLE]),
            (Alert::CertificateRevoked, [REFUSED, REFUSED, REVOKED]),
            (Alert::CertificateExpired, [REFUSED, REFUSED, EXPIRED]),
            (Alert::UnknownCA, [REFUSED, REFUSED, UNKNOWN]),
            (Alert::HandshakeFailure, [REFUSED, NEEDED, PERHAPS]),
            (Alert::NoApplicationProtocol, [NO_ALPN; 3]),
        ];
        for (alert, messages) in rows {
            let states = [TlsClientAuth::NotRequested, TlsClientAuth::Missing, TlsClientAuth::Presented];
            for (client_auth, message) in states.into_iter().zip(messages) {
                let error = refused(&Error::AlertReceived(alert), "a:1", client_auth, Some(alpn));
                assert_eq!(error.to_string(), message, "{alert:?}");
                assert_eq!((error.kind, error.transient), (NetErrorKind::Tls, false));
            }
        }
    }
}
