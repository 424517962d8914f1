//! Certificates for one test: an authority, and what it signs.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{
    ClientCertVerifierBuilder as ClientVerifierBuilder, NoClientAuth, WebPkiClientVerifier,
};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::x509::{Key, Params, certificate_pem};
use super::{HttpAgent, Roots, options};

/// An authority of its own for each test.
pub(crate) struct Authority {
    pub(crate) pem: String,
    params: Params,
    key: Key,
}

pub(crate) const VERSIONS: [&SupportedProtocolVersion; 2] =
    [&rustls::version::TLS12, &rustls::version::TLS13];

pub(crate) fn unchanged(_: &mut Params) {}

impl Authority {
    pub(crate) fn new(change: impl FnOnce(&mut Params)) -> Self {
        let (mut params, key) = (Params::authority(), Key::generate());
        change(&mut params);
        let pem = certificate_pem(&params.self_signed(&key));
        Self { pem, params, key }
    }

    /// An authority below this one, and the certificate for it.
    pub(crate) fn below(&self) -> Self {
        let key = Key::generate();
        let params = Params { common_name: "below", ..Params::authority() };
        let pem = certificate_pem(&params.signed_by(&key, &self.params, &self.key));
        Self { pem, params, key }
    }

    pub(crate) fn sign(
        &self,
        key: &Key,
        name: &str,
        change: impl FnOnce(&mut Params),
    ) -> CertificateDer<'static> {
        let mut params = Params { common_name: "leaf", ..Params::of(name) };
        change(&mut params);
        params.signed_by(key, &self.params, &self.key)
    }

    /// The settings of a server whose certificate is for `name`.
    pub(crate) fn server(&self, name: &str, change: impl FnOnce(&mut Params)) -> ServerConfig {
        self.serving(name, change, None, &VERSIONS)
    }

    /// The same, of these versions, with a view on the certificates of clients.
    pub(crate) fn serving(
        &self,
        name: &str,
        change: impl FnOnce(&mut Params),
        clients: Option<ClientVerifierBuilder>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ServerConfig {
        let key = Key::generate();
        let certificate = self.sign(&key, name, change);
        let clients = clients.map_or_else(|| Arc::new(NoClientAuth) as _, |clients| clients.build().unwrap());
        ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate], der(&key))
            .unwrap()
    }

    /// Clients must have a certificate of this authority.
    pub(crate) fn required(&self) -> ClientVerifierBuilder {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
    }

    /// Clients are asked for a certificate of this authority, and need none.
    pub(crate) fn wished(&self) -> ClientVerifierBuilder {
        self.required().allow_unauthenticated()
    }

    pub(crate) fn self_signed(name: &str) -> ServerConfig {
        let key = Key::generate();
        let certificate = Params { common_name: "of its own", ..Params::of(name) }.self_signed(&key);
        ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], der(&key))
            .unwrap()
    }

    /// A client that trusts this authority and no other.
    pub(crate) fn agent(&self) -> HttpAgent {
        HttpAgent::new(&options().roots(Roots::Pem(self.pem.clone().into_bytes()))).unwrap()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

fn der(key: &Key) -> PrivateKeyDer<'static> {
    PrivateKeyDer::try_from(key.pkcs8().to_vec()).unwrap()
}
