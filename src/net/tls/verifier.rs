//! Certificate verification by rustls, with the reason where rustls has none.

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

/// Decides as the verifier inside. Only errors are changed, never whether there
/// is one.
#[derive(Debug)]
pub(super) struct ExplainingVerifier {
    pub(super) inner: Arc<dyn ServerCertVerifier>,
    /// The trusted roots, if they are known here.
    pub(super) roots: Arc<RootCertStore>,
}

/// An RSA key that is shorter than what rustls accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WeakKey {
    pub(super) bits: usize,
    /// Whose key it is: that of the server, or of an authority above it.
    pub(super) is_authority: bool,
}

impl WeakKey {
    /// Returns the reason in an error that [`ExplainingVerifier`] has made.
    pub(super) fn of(error: &CertificateError) -> Option<Self> {
        match error {
            CertificateError::Other(OtherError(error)) => error.downcast_ref().copied(),
            _ => None,
        }
    }

    /// Looks for a weak key among the authorities that may have signed.
    fn of_authority(chain: &[&CertificateDer<'_>], roots: &RootCertStore) -> Option<Self> {
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

/// A signature that is not valid because its key is not accepted at all.
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
            Some(weak) => Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(weak)))),
            None => error,
        },
        error => error,
    }
}

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

/// The signature schemes that ring supports.
const MIN_RSA_BITS: usize = 2048;
