//! Certificate verification by rustls, with the reason where rustls has none.
//!
//! ring does not verify signatures of short RSA keys. rustls then reports a bad
//! signature, or an algorithm that is not supported, which sends users in the
//! wrong direction. The verifier here looks for a short key in that case:
//!
//! ```text
//! rustls fails in            the key that may be short
//! verify_server_cert         that of an authority, which signed a certificate
//! verify_tls1x_signature     that of the server, which signed the handshake
//! ```
//!
//! It decides nothing itself. Every method calls the verifier inside and
//! returns its decision; only an error is replaced by another error.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme,
};

use super::rsa_key::{rsa_bits, rsa_bits_of_content};

/// Decides as the verifier inside does. It changes only errors, never whether
/// there is one.
#[derive(Debug)]
pub(super) struct ExplainingVerifier {
    /// The verifier that decides.
    pub(super) inner: Arc<dyn ServerCertVerifier>,
    /// The trusted roots; empty for those of the platform, which are not known
    /// here.
    pub(super) roots: Arc<RootCertStore>,
}

/// An RSA key that is shorter than ring accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WeakKey {
    /// The length of its modulus.
    pub(super) bits: usize,
    /// Whether it is the key of an authority above the server, not that of the
    /// server.
    pub(super) is_authority: bool,
}

impl WeakKey {
    /// Returns the weak key in an error that [`ExplainingVerifier`] has made.
    pub(super) fn of(error: &CertificateError) -> Option<Self> {
        match error {
            CertificateError::Other(OtherError(error)) => error.downcast_ref().copied(),
            _ => None,
        }
    }

    /// Looks for a weak key among the authorities that may have signed the
    /// chain: the intermediate certificates, and the roots that a certificate
    /// names.
    fn of_authority(chain: &[&CertificateDer<'_>], roots: &RootCertStore) -> Option<Self> {
        // The subject of a root is searched in the DER of the certificates,
        // where the issuer is. A parser of names would be more code, and a
        // false hit changes a message only.
        let is_named = |name: &[u8]| {
            let names = |der: &[u8]| der.windows(name.len().max(1)).any(|window| window == name);
            chain.iter().any(|certificate| names(certificate))
        };
        let named = roots.roots.iter().filter(|root| is_named(&root.subject));
        let of_root = |bits| Self { bits, is_authority: true };
        chain.iter().skip(1).find_map(|certificate| Self::find(certificate, true)).or_else(|| {
            let mut keys = named.filter_map(|root| rsa_bits_of_content(&root.subject_public_key_info));
            keys.find(|bits| *bits < MIN_RSA_BITS).map(of_root)
        })
    }

    /// Returns the key of a certificate if it is weak.
    fn find(certificate: &CertificateDer<'_>, is_authority: bool) -> Option<Self> {
        let key = ParsedCertificate::try_from(certificate).ok()?.subject_public_key_info();
        let bits = rsa_bits(&key).filter(|bits| *bits < MIN_RSA_BITS)?;
        Some(Self { bits, is_authority })
    }
}

impl fmt::Display for WeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RSA key of {} bits", self.bits)
    }
}

impl std::error::Error for WeakKey {}

/// Replaces an error about a signature, if a weak key is the reason.
fn explained(error: Error, mut weak: impl FnMut() -> Option<WeakKey>) -> Error {
    use CertificateError::{
        BadSignature, UnsupportedSignatureAlgorithmContext, UnsupportedSignatureAlgorithmForPublicKeyContext,
    };
    match error {
        Error::InvalidCertificate(
            BadSignature
            | UnsupportedSignatureAlgorithmContext { .. }
            | UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
        ) => match weak() {
            // Still an invalid certificate: the alert for the server depends on
            // it.
            Some(weak) => Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(weak)))),
            None => error,
        },
        error => error,
    }
}

/// Forwards each method, so that none falls back to a default that is weaker
/// than the verifier inside.
impl ServerCertVerifier for ExplainingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let chain: Vec<_> = [end_entity].into_iter().chain(intermediates).collect();
        verified.map_err(|error| explained(error, || WeakKey::of_authority(&chain, &self.roots)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = self.inner.verify_tls12_signature(message, cert, dss);
        verified.map_err(|error| explained(error, || WeakKey::find(cert, false)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = self.inner.verify_tls13_signature(message, cert, dss);
        verified.map_err(|error| explained(error, || WeakKey::find(cert, false)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.inner.requires_raw_public_keys()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.inner.root_hint_subjects()
    }
}

/// The shortest RSA key, in bits, whose signatures ring verifies.
const MIN_RSA_BITS: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::tests::x509::{Key, Params};

    const AUTHORITY: Params = Params {
        names: Vec::new(),
        common_name: "authority",
        years: (1975, 4096),
        is_authority: true,
        is_for_clients: false,
        permitted: None,
    };

    /// Returns a certificate of the authority for an RSA key of this length.
    fn certificate(params: &Params, bits: usize) -> CertificateDer<'static> {
        params.signed_by(&Key::public_rsa(bits), &AUTHORITY, &Key::generate())
    }

    #[test]
    fn keys_of_2048_bits_are_not_weak() {
        let (leaf, below) = (Params::of("localhost"), Params { common_name: "below", ..AUTHORITY });
        let none = RootCertStore::empty();
        let strong = certificate(&leaf, 2048);
        for (bits, is_weak) in [(1024, true), (2047, true), (2048, false), (4096, false)] {
            for is_authority in [false, true] {
                let found = WeakKey::find(&certificate(&leaf, bits), is_authority);
                assert_eq!(found, is_weak.then_some(WeakKey { bits, is_authority }), "{bits}");
            }
            let of_authority = is_weak.then_some(WeakKey { bits, is_authority: true });
            let intermediate = certificate(&below, bits);
            assert_eq!(WeakKey::of_authority(&[&strong, &intermediate], &none), of_authority, "{bits}");
            // The key of the server has signed no certificate.
            assert_eq!(WeakKey::of_authority(&[&intermediate], &none), None, "{bits}");
            let mut roots = RootCertStore::empty();
            roots.add(certificate(&AUTHORITY, bits)).unwrap();
            assert_eq!(WeakKey::of_authority(&[&strong], &roots), of_authority, "{bits}");
        }
    }

    #[test]
    fn roots_that_no_certificate_names_have_signed_none() {
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&Params { common_name: "another", ..AUTHORITY }, 1024)).unwrap();
        let leaf = certificate(&Params::of("localhost"), 2048);
        assert_eq!(WeakKey::of_authority(&[&leaf], &roots), None);
    }

    /// A verifier whose every method returns something else than the default.
    #[derive(Debug)]
    struct UnusualVerifier(Vec<DistinguishedName>);

    impl ServerCertVerifier for UnusualVerifier {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Err(Error::DecryptError)
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(Error::DecryptError)
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(Error::DecryptError)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED448]
        }

        fn requires_raw_public_keys(&self) -> bool {
            true
        }

        fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
            Some(&self.0)
        }
    }

    #[test]
    fn methods_return_what_the_verifier_inside_returns() {
        let inner = Arc::new(UnusualVerifier(vec![DistinguishedName::in_sequence(b"a name")]));
        let names = inner.0.as_ptr();
        let verifier = ExplainingVerifier { inner, roots: Arc::new(RootCertStore::empty()) };
        assert_eq!(verifier.supported_verify_schemes(), [SignatureScheme::ED448]);
        assert!(verifier.requires_raw_public_keys());
        assert_eq!(
            verifier.root_hint_subjects().map(|names| (names.as_ptr(), names.len())),
            Some((names, 1))
        );
    }
}
