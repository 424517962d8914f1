//! Trusted roots: the certificates of authorities by which servers are
//! verified.
//!
//! Everything that can be wrong with them is an error when the client is built,
//! not at the first handshake. The choices:
//!
//! ```text
//! Mozilla    compiled in (webpki-roots)    + extra roots   verified by webpki
//! Pem        given by the user             + extra roots   verified by webpki
//! None       nothing                       + extra roots   verified by webpki
//! Platform   the operating system's        + extra roots   verified by the system
//! ```

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

use crate::net::error::{NetError, NetErrorKind};
use crate::net::options::{NetOptions, Roots};

use super::verifier::ExplainingVerifier;

/// The builder of rustls, which requires verification before anything else.
type Builder<State> = ConfigBuilder<ClientConfig, State>;

/// Sets the verification of servers.
///
/// # Errors
///
/// `Tls`, if the PEM has no usable root, or if the choice needs a feature that
/// is off.
pub(super) fn trust(
    builder: Builder<WantsVerifier>,
    options: &NetOptions,
) -> Result<Builder<WantsClientCert>, NetError> {
    let mut extra = Vec::new();
    // Each text by itself, so that one without a certificate is noticed among
    // others.
    for pem in &options.extra_roots {
        extra.extend(usable(&pem.0)?);
    }
    if let Roots::Platform = options.roots {
        let inner = platform(extra, builder.crypto_provider().clone())?;
        let verifier = Arc::new(ExplainingVerifier { inner, roots: Arc::new(RootCertStore::empty()) });
        // rustls calls every verifier of one's own dangerous. This one is that
        // of the platform, with other messages.
        return Ok(builder.dangerous().with_custom_certificate_verifier(verifier));
    }
    let store = store(&options.roots, extra)?;
    if store.is_empty() {
        // `WebPkiServerVerifier` refuses an empty store. With none,
        // verification fails always, and there is nothing to explain.
        return Ok(builder.with_root_certificates(store));
    }
    // The provider of the settings, not the one of the process, which another
    // crate may have set.
    let provider = builder.crypto_provider().clone();
    let roots = Arc::new(store);
    let inner =
        WebPkiServerVerifier::builder_with_provider(roots.clone(), provider).build().map_err(|error| {
            NetError::new(NetErrorKind::Tls, "failed to use the root certificates").with_source(error)
        })?;
    let verifier = Arc::new(ExplainingVerifier { inner, roots });
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier))
}

/// Returns the roots of a choice, and the extra ones.
fn store(roots: &Roots, extra: Vec<CertificateDer<'static>>) -> Result<RootCertStore, NetError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::Mozilla => store.extend(mozilla()?),
        // `usable` has tried each one, so all are added.
        Roots::Pem(pem) => drop(store.add_parsable_certificates(usable(pem)?)),
        Roots::None | Roots::Platform => {}
    }
    store.add_parsable_certificates(extra);
    Ok(store)
}

/// Returns the certificates in `pem` that can be roots, at least one.
///
/// Others are counted in a warning, and are no error: bundles of operating
/// systems may contain some that webpki rejects. PEM blocks of other kinds,
/// such as keys, are skipped.
///
/// # Errors
///
/// `Tls` if the PEM is malformed, or has no certificate that can be used.
fn usable(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, NetError> {
    let unreadable =
        |error| NetError::new(NetErrorKind::Tls, "failed to read the root certificates").with_source(error);
    let mut certificates: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(unreadable)?;
    let found = certificates.len();
    // Only adding a certificate shows whether it can be a root.
    certificates.retain(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok());
    match found - certificates.len() {
        _ if certificates.is_empty() => {
            let message =
                format!("no usable root certificate: {found} in the PEM text given, expected at least 1");
            return Err(NetError::new(NetErrorKind::Tls, message));
        }
        0 => {}
        unusable => log::warn!("{unusable} of {found} root certificates cannot be used"),
    }
    Ok(certificates)
}

/// Returns Mozilla's roots.
#[cfg(feature = "webpki-roots")]
fn mozilla() -> Result<impl IntoIterator<Item = TrustAnchor<'static>>, NetError> {
    Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned())
}

/// Fails, since they are not compiled in.
#[cfg(not(feature = "webpki-roots"))]
fn mozilla() -> Result<Vec<TrustAnchor<'static>>, NetError> {
    Err(no_feature("Mozilla", "webpki-roots"))
}

/// Returns the verifier of the operating system.
#[cfg(all(feature = "platform-verifier", not(target_os = "android")))]
fn platform(
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, NetError> {
    match rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider) {
        Ok(verifier) => Ok(Arc::new(verifier)),
        Err(error) => Err(no_platform().with_source(error)),
    }
}

/// Returns the verifier of Android, which accepts no extra roots.
#[cfg(all(feature = "platform-verifier", target_os = "android"))]
fn platform(
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, NetError> {
    if !extra.is_empty() {
        let message = "Android cannot trust extra roots on top of its own: put them into its trust store";
        return Err(NetError::new(NetErrorKind::Tls, message));
    }
    match rustls_platform_verifier::Verifier::new(provider) {
        Ok(verifier) => Ok(Arc::new(verifier)),
        Err(error) => Err(no_platform().with_source(error)),
    }
}

/// Returns the error for a trust store that cannot be opened.
#[cfg(feature = "platform-verifier")]
fn no_platform() -> NetError {
    NetError::new(NetErrorKind::Tls, "failed to use the trust store of the operating system")
}

/// Fails, since it is not compiled in.
#[cfg(not(feature = "platform-verifier"))]
fn platform(
    _: Vec<CertificateDer<'static>>,
    _: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, NetError> {
    Err(no_feature("Platform", "platform-verifier"))
}

/// Returns the error for roots whose feature is off.
#[cfg(not(all(feature = "webpki-roots", feature = "platform-verifier")))]
fn no_feature(roots: &str, feature: &str) -> NetError {
    let message =
        format!("roots `{roots}` need feature `{feature}`, which is off: turn it on or choose other roots");
    NetError::new(NetErrorKind::Tls, message)
}

#[cfg(all(test, feature = "webpki-roots"))]
mod tests {
    use super::*;
    use crate::http::tests::x509::{Key, Params};

    #[test]
    fn extra_roots_replace_none() {
        let own = Params::authority().self_signed(&Key::generate());
        let of_mozilla = webpki_roots::TLS_SERVER_ROOTS.len();
        assert!(of_mozilla > 100);
        assert_eq!(store(&Roots::Mozilla, Vec::new()).unwrap().len(), of_mozilla);
        assert_eq!(store(&Roots::Mozilla, vec![own]).unwrap().len(), of_mozilla + 1);
    }
}
