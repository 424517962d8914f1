//! Trust: the TLS settings that ureq gets, and the words for what TLS refused.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, RootCertStore};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::error::{HttpError, HttpErrorKind};
use super::options::Roots;

/// Checks `roots` and makes the TLS settings.
///
/// The provider is named here, so that neither the process-wide one nor a feature of another crate decides,
/// and every case in which ureq would panic at the first handshake is an error now.
pub(super) fn config(roots: &Roots) -> Result<TlsConfig, HttpError> {
    // A client certificate goes here too: check it with `rustls::sign::CertifiedKey::from_der` first, because
    // ureq panics when certificate and key do not belong together.
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(root_certs(roots)?)
        .build())
}

fn root_certs(roots: &Roots) -> Result<RootCerts, HttpError> {
    match roots {
        Roots::Mozilla if cfg!(feature = "webpki-roots") => Ok(RootCerts::WebPki),
        Roots::Mozilla => Err(no_feature("Mozilla", "webpki-roots")),
        Roots::Platform if cfg!(feature = "platform-verifier") => Ok(RootCerts::PlatformVerifier),
        Roots::Platform => Err(no_feature("Platform", "platform-verifier")),
        Roots::Pem(pem) => parse(pem),
        Roots::None => Ok(RootCerts::new_with_certs(&[])),
    }
}

fn no_feature(roots: &str, feature: &str) -> HttpError {
    let message =
        format!("roots `{roots}` need feature `{feature}`, which is off: turn it on or choose other roots");
    HttpError::new(HttpErrorKind::Tls, message)
}

fn parse(pem: &[u8]) -> Result<RootCerts, HttpError> {
    let unreadable =
        |error| HttpError::new(HttpErrorKind::Tls, "cannot read the root certificates").with_source(error);
    let blocks: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(unreadable)?;
    let found = blocks.len();
    // ureq skips in silence what rustls cannot use; whether anything is left must be known now.
    let (usable, _) = RootCertStore::empty().add_parsable_certificates(blocks.iter().cloned());
    if usable == 0 {
        let message =
            format!("no usable root certificate: {found} in the PEM text given, expected at least 1");
        return Err(HttpError::new(HttpErrorKind::Tls, message));
    }
    Ok(blocks.iter().map(|der| Certificate::from_der(der).to_owned()).into())
}

/// The error of rustls in an I/O error, which is how ureq hands it on.
pub(super) fn refusal(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// The error for a handshake, or a connection, that TLS refused.
pub(super) fn refused(error: rustls::Error, peer: impl fmt::Display) -> HttpError {
    let message = match &error {
        rustls::Error::InvalidCertificate(why) => {
            format!("cannot trust {peer}: its certificate {}", flaw(why))
        }
        rustls::Error::AlertReceived(_) => format!("{peer} refused the TLS connection"),
        rustls::Error::InvalidMessage(_) => format!("{peer} does not speak TLS"),
        _ => format!("cannot agree on TLS with {peer}"),
    };
    HttpError::new(HttpErrorKind::Tls, message).with_source(error)
}

fn flaw(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another name"
        }
        CertificateError::Revoked => "is revoked",
        CertificateError::UnknownIssuer => "comes from an unknown issuer",
        _ => "is refused",
    }
}
