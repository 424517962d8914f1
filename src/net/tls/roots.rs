//! The certificates that servers are trusted by.

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

type Builder<State> = ConfigBuilder<ClientConfig, State>;

/// Makes everything that can be wrong with the roots an error now, not at the
/// first handshake.
pub(super) fn trust(
    builder: Builder<WantsVerifier>,
    options: &NetOptions,
) -> Result<Builder<WantsClientCert>, NetError> {
    let mut extra = Vec::new();
    for pem in &options.extra_roots {
        extra.extend(usable(&pem.0)?);
    }
    if let Roots::Platform = options.roots {
        let inner = platform(extra, builder.crypto_provider().clone())?;
        let verifier = Arc::new(ExplainingVerifier { inner, roots: Arc::new(RootCertStore::empty()) });
        // What is dangerous is a verifier of one's own; this is that of the platform.
        return Ok(builder.dangerous().with_custom_certificate_verifier(verifier));
    }
    let store = store(&options.roots, extra)?;
    if store.is_empty() {
        // The builder of a verifier refuses this, and no certificate is verified that
        // could need an explanation.
        return Ok(builder.with_root_certificates(store));
    }
    let provider = builder.crypto_provider().clone();
    let roots = Arc::new(store);
    let inner =
        WebPkiServerVerifier::builder_with_provider(roots.clone(), provider).build().map_err(|error| {
            NetError::new(NetErrorKind::Tls, "failed to use the root certificates").with_source(error)
        })?;
    let verifier = Arc::new(ExplainingVerifier { inner, roots });
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier))
}

fn store(roots: &Roots, extra: Vec<CertificateDer<'static>>) -> Result<RootCertStore, NetError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::Mozilla => store.extend(mozilla()?),
        Roots::Pem(pem) => drop(store.add_parsable_certificates(usable(pem)?)),
        Roots::None | Roots::Platform => {}
    }
    store.add_parsable_certificates(extra);
    Ok(store)
}

/// Returns the certificates in `pem` that can be roots, at least one.
fn usable(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, NetError> {
    let unreadable =
        |error| NetError::new(NetErrorKind::Tls, "failed to read the root certificates").with_source(error);
    let mut certificates: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(unreadable)?;
    let found = certificates.len();
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

#[cfg(feature = "webpki-roots")]
fn mozilla() -> Result<impl IntoIterator<Item = TrustAnchor<'static>>, NetError> {
    Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned())
}

#[cfg(not(feature = "webpki-roots"))]
fn mozilla() -> Result<Vec<TrustAnchor<'static>>, NetError> {
    Err(no_feature("Mozilla", "webpki-roots"))
}

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

#[cfg(feature = "platform-verifier")]
fn no_platform() -> NetError {
    NetError::new(NetErrorKind::Tls, "failed to use the trust store of the operating system")
}

#[cfg(not(feature = "platform-verifier"))]
fn platform(
    _: Vec<CertificateDer<'static>>,
    _: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, NetError> {
    Err(no_feature("Platform", "platform-verifier"))
}

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
