//! The client certificate in use, and how it is replaced.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, Error};

use crate::net::certificate::{ClientCertificate, Pair};
use crate::net::error::{NetError, NetErrorKind};
use crate::process::unlocked;
use crate::util::file::{self, ReadLimits};
use crate::util::sync::lock;

pub(super) struct Identity {
    certificate: ClientCertificate,
    /// The settings without a client certificate.
    plain: Arc<ClientConfig>,
    /// None in a forked child that has not read it yet.
    current: Mutex<Option<Current>>,
}

struct Current {
    pair: Pair,
    config: Arc<ClientConfig>,
}

impl Identity {
    pub(super) fn new(certificate: &ClientCertificate, plain: Arc<ClientConfig>) -> Result<Self, NetError> {
        let loaded = certificate.load(&ReadLimits::within(file::SETUP_TIMEOUT, None))?;
        let current = Current::new(loaded, &plain)?;
        Ok(Self { certificate: certificate.clone(), plain, current: Mutex::new(Some(current)) })
    }

    /// The one of a forked child: with the certificate of the parent, or the one that there is now.
    pub(super) fn inherited(&self, plain: Arc<ClientConfig>) -> Self {
        let known = unlocked(&self.current, |current| current.as_ref().map(Current::inherited)).flatten();
        Self { certificate: self.certificate.clone(), plain, current: Mutex::new(known) }
    }

    /// The settings for a new connection: those of the certificate as it is now, else the last good ones.
    pub(super) fn config(&self) -> Arc<ClientConfig> {
        // Not under the lock: a slow source must not hold up other connections.
        let loaded = self.certificate.load(&ReadLimits::within(RELOAD_TIMEOUT, None));
        let mut current = lock(&self.current);
        let renewed = loaded.and_then(|pair| match &*current {
            Some(current) if current.pair == pair => Ok(None),
            _ => Current::new(pair, &self.plain).map(Some),
        });
        match renewed {
            Ok(None) => {}
            Ok(Some(new)) => {
                log::debug!("the client certificate was replaced");
                *current = Some(new);
            }
            Err(error) => log::warn!("keeping the client certificate as it was: {error}"),
        }
        current.as_ref().map_or_else(|| self.plain.clone(), |current| current.config.clone())
    }
}

impl Current {
    fn inherited(&self) -> Self {
        Self { pair: self.pair.clone(), config: Arc::new(without_sessions(&self.config)) }
    }

    fn new(pair: Pair, plain: &ClientConfig) -> Result<Self, NetError> {
        let mut config = plain.clone();
        let key = certified(&pair, config.crypto_provider())?;
        // With a new resolver rustls resumes no session of the old one, which would show the old certificate.
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(key));
        pair.key.path.as_deref().inspect(|path| file::warn_if_exposed(path));
        Ok(Self { pair, config: Arc::new(config) })
    }
}

/// The same settings with a session store of their own.
pub(super) fn without_sessions(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    config.resumption = Resumption::default();
    config
}

fn certified(pair: &Pair, provider: &rustls::crypto::CryptoProvider) -> Result<CertifiedKey, NetError> {
    let Pair { certificate, key } = pair;
    let tls = |message: String| NetError::new(NetErrorKind::Tls, message);
    let unusable = |origin: &str, error| tls(format!("{origin} cannot be used")).with_source(error);
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&certificate.text)
        .collect::<Result<_, _>>()
        .map_err(|error| tls(format!("{} is no proper PEM", certificate.origin)).with_source(error))?;
    if chain.is_empty() {
        return Err(tls(format!("{} holds no certificate in PEM", certificate.origin)));
    }
    let der = PrivateKeyDer::from_pem_slice(&key.text).map_err(|error| match error {
        PemError::NoItemsFound => tls(format!("{} holds no unencrypted private key in PEM", key.origin)),
        error => tls(format!("{} is no proper PEM", key.origin)).with_source(error),
    })?;
    CertifiedKey::from_der(chain, der, provider).map_err(|error| match error {
        Error::InconsistentKeys(_) if key.origin == certificate.origin => {
            tls(format!("{} holds a key that does not belong to its certificate", key.origin))
        }
        Error::InconsistentKeys(_) => {
            tls(format!("{} does not belong to {}", key.origin, certificate.origin))
        }
        Error::InvalidCertificate(_) => unusable(&certificate.origin, error),
        error => unusable(&key.origin, error),
    })
}

/// Pipes have been read when the client was built, so this is for one in the place of a file: no connection waits
/// for its writer.
const RELOAD_TIMEOUT: Duration = Duration::from_millis(50);
