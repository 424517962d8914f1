//! The client certificate in use, and how it is replaced.
//!
//! A certificate is bound into the settings of rustls, so a new certificate
//! means new settings:
//!
//! ```text
//! config() ─► read the PEM ─┬─ as before ──► the same settings
//!                           ├─ new ────────► new settings, which are kept
//!                           └─ unusable ───► a warning, and the same settings
//! ```
//!
//! Connections that are open keep the certificate of their handshake.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, Error};

use crate::net::certificate::{CertificatePair, ClientCertificate};
use crate::net::error::{NetError, NetErrorKind};
use crate::util::file::{self, ReadLimits};
use crate::util::process::unlocked;
use crate::util::sync::lock;

use super::client_auth::ClientCertificateResolver;

/// A client certificate, with the settings that present it.
pub(super) struct TlsIdentity {
    /// The source of the certificate.
    certificate: ClientCertificate,
    /// The settings without a client certificate.
    plain: Arc<ClientConfig>,
    /// The last certificate that was usable. `None` in a forked child that has
    /// not read it yet.
    current: Mutex<Option<CurrentIdentity>>,
}

/// A certificate that was read, and the settings that present it.
struct CurrentIdentity {
    /// As it was read, to compare with the next one.
    pair: CertificatePair,
    /// Given to each new connection until the certificate changes.
    config: Arc<ClientConfig>,
}

impl TlsIdentity {
    /// Reads the certificate for the first time.
    ///
    /// # Errors
    ///
    /// `Tls`, if it cannot be read, or if certificate and key do not match.
    pub(super) fn new(certificate: &ClientCertificate, plain: Arc<ClientConfig>) -> Result<Self, NetError> {
        let loaded = certificate.load(&ReadLimits::within(file::SETUP_TIMEOUT, None))?;
        // A certificate that does not fit is an error of `build`, not of the
        // first connection.
        let current = CurrentIdentity::new(loaded, &plain)?;
        Ok(Self { certificate: certificate.clone(), plain, current: Mutex::new(Some(current)) })
    }

    /// Returns the identity for a forked child: with the certificate of the
    /// parent, unless a thread of the parent held the lock. Then the child
    /// reads it at the next connection.
    pub(super) fn inherited(&self, plain: Arc<ClientConfig>) -> Self {
        let known =
            unlocked(&self.current, |current| current.as_ref().map(CurrentIdentity::inherited)).flatten();
        Self { certificate: self.certificate.clone(), plain, current: Mutex::new(known) }
    }

    /// Returns the settings for a new connection: those of the certificate as
    /// it is now, else the last ones that were usable.
    pub(super) fn config(&self) -> Arc<ClientConfig> {
        // Not under the lock: a slow source must not hold up other connections.
        let loaded = self.certificate.load(&ReadLimits::within(RELOAD_TIMEOUT, None));
        let mut current = lock(&self.current);
        let renewed = loaded.and_then(|pair| match &*current {
            // The bytes are compared. Times of files change without their
            // contents, and the other way round on coarse file systems.
            Some(current) if current.pair == pair => Ok(None),
            _ => CurrentIdentity::new(pair, &self.plain).map(Some),
        });
        match renewed {
            Ok(None) => {}
            Ok(Some(new)) => {
                log::debug!("the client certificate was replaced");
                *current = Some(new);
            }
            // A file that is half written must not break a client that works.
            // The next connection reads it again.
            Err(error) => log::warn!("keeping the client certificate as it was: {error}"),
        }
        current.as_ref().map_or_else(|| self.plain.clone(), |current| current.config.clone())
    }
}

impl CurrentIdentity {
    /// Returns the same certificate without the sessions of the parent.
    fn inherited(&self) -> Self {
        Self { pair: self.pair.clone(), config: Arc::new(without_sessions(&self.config)) }
    }

    /// Makes settings that present this certificate.
    fn new(pair: CertificatePair, plain: &ClientConfig) -> Result<Self, NetError> {
        let mut config = plain.clone();
        let key = certified(&pair, config.crypto_provider())?;
        // rustls compares resolvers. With a new one it does not resume sessions
        // of the old one, in which the old certificate counts.
        config.client_auth_cert_resolver = Arc::new(ClientCertificateResolver(Some(Arc::new(key))));
        // Once for each new key, not for each connection.
        pair.key.path.as_deref().inspect(|path| file::warn_if_exposed(path));
        Ok(Self { pair, config: Arc::new(config) })
    }
}

/// Returns the same settings with a session store of their own.
pub(super) fn without_sessions(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    // Two processes must not use the same ticket: a server may accept each one
    // only once.
    config.resumption = Resumption::default();
    config
}

/// Parses certificate and key, and checks that they match.
///
/// # Errors
///
/// `Tls`, with a message that names the text that cannot be used:
///
/// ```text
/// client key file `/k.pem` holds no unencrypted private key in PEM
/// client key file `/k.pem` does not belong to client certificate file `/c.pem`
/// client key file `/k.pem` holds an ECDSA key on P-521 (secp521r1), which is
///     not supported: expected RSA of 2048 to 4096 bits, …
/// ```
fn certified(
    pair: &CertificatePair,
    provider: &rustls::crypto::CryptoProvider,
) -> Result<CertifiedKey, NetError> {
    let CertificatePair { certificate, key } = pair;
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
    // Looked at before `from_der` takes the key.
    let kind = key_kind(&der);
    CertifiedKey::from_der(chain, der, provider).map_err(|error| match error {
        Error::InconsistentKeys(_) if key.origin == certificate.origin => {
            tls(format!("{} holds a key that does not belong to its certificate", key.origin))
        }
        Error::InconsistentKeys(_) => {
            tls(format!("{} does not belong to {}", key.origin, certificate.origin))
        }
        Error::InvalidCertificate(_) => unusable(&certificate.origin, error),
        error @ Error::General(_) => match kind {
            Some(kind) => {
                let origin = &key.origin;
                tls(format!("{origin} holds {kind}, which is not supported: expected {SUPPORTED_KEYS}"))
                    .with_source(error)
            }
            None => unusable(&key.origin, error),
        },
        error => unusable(&key.origin, error),
    })
}

/// How long to wait for a pipe. Pipes were read when the client was built, so
/// this is for a pipe that has taken the place of a file: no connection waits
/// for its writer.
const RELOAD_TIMEOUT: Duration = Duration::from_millis(50);

/// Describes a private key that cannot be loaded, by the object identifiers in
/// its DER; `None` if it is of a supported kind or unknown. It only makes the
/// message better.
fn key_kind(key: &PrivateKeyDer<'_>) -> Option<&'static str> {
    let has = |oid: &[u8]| key.secret_der().windows(oid.len()).any(|window| window == oid);
    if SUPPORTED_CURVES.iter().any(|oid| has(oid)) {
        return None;
    }
    match key {
        PrivateKeyDer::Pkcs1(_) => Some("an RSA key of another length"),
        _ => KEY_KINDS.iter().find(|(oid, _)| has(oid)).map(|(_, kind)| *kind),
    }
}

/// The keys that ring supports.
const SUPPORTED_KEYS: &str = "RSA of 2048 to 4096 bits, ECDSA on P-256 or P-384, or Ed25519";

/// P-256, P-384 and Ed25519 as the DER of an `OBJECT IDENTIFIER`, with tag and
/// length.
const SUPPORTED_CURVES: [&[u8]; 3] = [
    &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
    &[6, 5, 0x2b, 0x81, 4, 0, 0x22],
    &[6, 3, 0x2b, 0x65, 0x70],
];

/// Object identifiers, and what messages call such a key. A curve comes before
/// the algorithm that it belongs to, because the first match is used.
const KEY_KINDS: [(&[u8], &str); 10] = [
    (&[6, 5, 0x2b, 0x81, 4, 0, 0x23], "an ECDSA key on P-521 (secp521r1)"),
    (&[6, 5, 0x2b, 0x81, 4, 0, 0x21], "an ECDSA key on P-224 (secp224r1)"),
    (&[6, 5, 0x2b, 0x81, 4, 0, 0x0a], "an ECDSA key on secp256k1"),
    (&[6, 9, 0x2b, 0x24, 3, 3, 2, 8, 1, 1], "an ECDSA key on a Brainpool curve"),
    (&[6, 3, 0x2b, 0x65, 0x71], "an Ed448 key"),
    (&[6, 3, 0x2b, 0x65, 0x6e], "an X25519 key"),
    (&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1], "a DSA key"),
    (&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0a], "an RSA key for RSA-PSS only"),
    (&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], "an RSA key of another length"),
    (&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], "an ECDSA key on another curve"),
];
