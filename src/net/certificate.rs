//! The client certificate, for servers that authenticate their clients (mutual
//! TLS).
//!
//! A [`ClientCertificate`] is a source of PEM, and `tls::identity` decides when
//! to read it. Certificates of workloads live for hours, and a daemon replaces
//! the files meanwhile. So the source is read for each new connection, and must
//! be cheap.
//!
//! ```text
//! from_pem           PEM in memory, which never changes
//! from_files         two files, or one with both
//! from_config_file   the files that a certificate_config.json names (AIP-4114)
//! from_source        a function of the user
//! ```

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::util::file::{self, FileSource, ReadLimits};

use super::error::{NetError, NetErrorKind};

/// A client certificate and its private key, for mutual TLS.
///
/// Both are PEM. The certificate comes first, followed by intermediate
/// certificates. The key is in PKCS#8, PKCS#1 or SEC1 form without a
/// passphrase. Both may be in one text or file.
///
/// They are read when the client is built, and must match then. They are read
/// again for each new connection. If they have changed, new connections present
/// the new certificate, and do not resume sessions of the old one. If they
/// cannot be used, for instance because the certificate is replaced already and
/// its key is not, the client keeps the ones that it has, and logs a warning.
///
/// Supported keys are RSA of 2048 to 4096 bits, ECDSA on P-256 (secp256r1) and
/// P-384 (secp384r1), and Ed25519. Keys on other curves, such as P-521
/// (secp521r1) and secp256k1, are rejected when the client is built.
///
/// The certificate is presented to every `https` server that requests one, and
/// never to a proxy. `Debug` prints where it comes from.
///
/// ```
/// use longrunning::http::{ClientCertificate, HttpAgent, HttpOptions};
///
/// let certificate = ClientCertificate::from_files("/etc/pki/client.crt", "/etc/pki/client.key");
/// let error = HttpAgent::new(&HttpOptions::new().client_certificate(certificate)).unwrap_err();
/// assert_eq!(error.to_string(), "client certificate file `/etc/pki/client.crt` does not exist");
/// ```
#[derive(Clone)]
pub struct ClientCertificate {
    /// Where it comes from, for `Debug`.
    origin: String,
    /// Reads the PEM anew; called without locks.
    load: Arc<Load>,
}

/// Reads certificate and key. The limits are for pipes.
type Load = dyn Fn(&ReadLimits<'_>) -> Result<CertificatePair, NetError> + Send + Sync;

/// A certificate and its key, as a [`ClientCertificate`] returned them. Pairs
/// are compared, to notice that they were replaced.
#[derive(Clone, PartialEq)]
pub(crate) struct CertificatePair {
    /// The certificate, followed by intermediate ones.
    pub(crate) certificate: Pem,
    /// The private key; the same text as the certificate if one file has both.
    pub(crate) key: Pem,
}

/// PEM, and where it comes from.
#[derive(Clone, PartialEq)]
pub(crate) struct Pem {
    /// What messages call it: `client key file `/etc/key.pem``.
    pub(crate) origin: String,
    /// The text itself, at most 1 MiB if it comes from a file.
    pub(crate) text: Zeroizing<Vec<u8>>,
    /// The file, if it is one, to warn about its mode.
    pub(crate) path: Option<PathBuf>,
}

impl ClientCertificate {
    /// Uses PEM that is in memory. It never changes, so connections fail when
    /// the certificate expires.
    ///
    /// ```
    /// use longrunning::http::{ClientCertificate, HttpAgent, HttpOptions};
    ///
    /// let certificate = ClientCertificate::from_pem("no certificate", "no key");
    /// let error = HttpAgent::new(&HttpOptions::new().client_certificate(certificate)).unwrap_err();
    /// assert_eq!(error.to_string(), "the client certificate holds no certificate in PEM");
    /// ```
    pub fn from_pem(certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        // Wiped when the client is dropped. Copies that the caller has are the
        // caller's.
        let (certificate, key) = (Zeroizing::new(certificate.into()), Zeroizing::new(key.into()));
        Self::new("PEM in memory".to_owned(), move |_| {
            Ok(CertificatePair::given(
                "the client certificate",
                certificate.clone(),
                "the client key",
                key.clone(),
            ))
        })
    }

    /// Reads two files, or one if both paths are the same.
    ///
    /// Each has at most 1 MiB. A pipe is read once, when the client is built,
    /// for at most 30 seconds. On Unix, a key file that other users can read
    /// causes a warning in the log.
    pub fn from_files(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let (certificate, key) = (certificate.into(), key.into());
        let origin = format!("files `{}` and `{}`", file::shown(&certificate), file::shown(&key));
        let (certificate, key) = sources(certificate, key);
        Self::new(origin, move |limits| CertificatePair::read(&certificate, &key, limits))
    }

    /// Reads the files that a [`certificate_config.json`] names as
    /// `cert_configs.workload`.
    ///
    /// Both the configuration and the files are read again for each new
    /// connection. Certificates in other places (PKCS#11, key chains) are not
    /// supported.
    ///
    /// ```
    /// use longrunning::http::{ClientCertificate, HttpAgent, HttpOptions};
    ///
    /// let certificate = ClientCertificate::from_config_file("/missing/certificate_config.json");
    /// let error = HttpAgent::new(&HttpOptions::new().client_certificate(certificate)).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "certificate configuration `/missing/certificate_config.json` does not exist"
    /// );
    /// ```
    ///
    /// [`certificate_config.json`]: https://google.aip.dev/auth/4114
    pub fn from_config_file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::from_config(format!("certificate configuration `{}`", file::shown(&path)), path)
    }

    /// Reads a configuration file that an environment variable names, which
    /// messages mention.
    pub(crate) fn from_config_of(path: impl Into<PathBuf>, variable: &str) -> Self {
        let path = path.into();
        let origin = format!("certificate configuration `{}` (of {variable})", file::shown(&path));
        Self::from_config(origin, path)
    }

    /// Reads the files that a configuration names; `origin` is what messages
    /// call the configuration.
    fn from_config(origin: String, path: PathBuf) -> Self {
        let config = FileSource::new(path);
        Self::new(origin.clone(), move |limits| {
            // The paths may change too, so they are read each time.
            let (certificate, key) = configured(&origin, &config, limits)?;
            let (certificate, key) = sources(certificate, key);
            CertificatePair::read(&certificate, &key, limits)
        })
    }

    /// Uses a function that returns certificate and key, in this order, as PEM.
    ///
    /// It is called when the client is built and for each new connection, on
    /// the thread that makes the call. So it should cache what takes time. If
    /// it fails when the client is built, that is an error of the options.
    /// Later it is only a warning in the log, and the client keeps the
    /// certificate that it has.
    ///
    /// ```
    /// use longrunning::http::{ClientCertificate, HttpAgent, HttpOptions};
    ///
    /// let certificate = ClientCertificate::from_source(|| Err("the agent is locked".into()));
    /// let error = HttpAgent::new(&HttpOptions::new().client_certificate(certificate)).unwrap_err();
    /// assert_eq!(error.to_string(), "the client certificate source failed");
    /// ```
    pub fn from_source<S>(source: S) -> Self
    where
        S: Fn() -> Result<(Vec<u8>, Vec<u8>), Box<dyn StdError + Send + Sync>> + Send + Sync + 'static,
    {
        Self::new("source".to_owned(), move |_| {
            let (certificate, key) = source().map_err(|error| {
                NetError::new(NetErrorKind::Tls, "the client certificate source failed")
                    .with_source(SourceError(error))
            })?;
            let (certificate, key) = (Zeroizing::new(certificate), Zeroizing::new(key));
            Ok(CertificatePair::given("the client certificate", certificate, "the client key", key))
        })
    }

    /// Creates a certificate from a function that reads it.
    fn new(
        origin: String,
        load: impl Fn(&ReadLimits<'_>) -> Result<CertificatePair, NetError> + Send + Sync + 'static,
    ) -> Self {
        Self { origin, load: Arc::new(load) }
    }

    /// Reads certificate and key now.
    ///
    /// # Errors
    ///
    /// `Tls`, with a message that names the file.
    pub(crate) fn load(&self, limits: &ReadLimits<'_>) -> Result<CertificatePair, NetError> {
        (self.load)(limits)
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientCertificate").field(&self.origin).finish()
    }
}

impl CertificatePair {
    /// Creates a pair from texts that are in memory, and the names of both in
    /// messages.
    fn given(
        certificate: &str,
        certificate_text: Zeroizing<Vec<u8>>,
        key: &str,
        key_text: Zeroizing<Vec<u8>>,
    ) -> Self {
        let pem = |origin: &str, text| Pem { origin: origin.to_owned(), text, path: None };
        Self { certificate: pem(certificate, certificate_text), key: pem(key, key_text) }
    }

    /// Reads a pair from files.
    fn read(certificate: &FileSource, key: &FileSource, limits: &ReadLimits<'_>) -> Result<Self, NetError> {
        let read = |what: &str, source: &FileSource| {
            let path = source.path();
            let origin = format!("{what} file `{}`", file::shown(path));
            let text = read(&origin, source, limits)?;
            Ok(Pem { origin, text, path: Some(path.to_owned()) })
        };
        let pem = read("client certificate", certificate)?;
        // A file with both is read once: between two reads it may be replaced.
        let key = if key.path() == certificate.path() {
            Pem { origin: pem.origin.clone(), text: pem.text.clone(), path: pem.path.clone() }
        } else {
            read("client key", key)?
        };
        Ok(Self { certificate: pem, key })
    }
}

/// Returns the sources of two files; each keeps what it has read of a pipe.
fn sources(certificate: PathBuf, key: PathBuf) -> (FileSource, FileSource) {
    (FileSource::new(certificate), FileSource::new(key))
}

/// Returns the paths that a configuration names.
fn configured(
    origin: &str,
    config: &FileSource,
    limits: &ReadLimits<'_>,
) -> Result<(PathBuf, PathBuf), NetError> {
    let text = read(origin, config, limits)?;
    let refuse = |why: &str| NetError::new(NetErrorKind::Tls, format!("{origin} {why}"));
    // Not the parser's own message, which quotes the text. The file may be
    // another one by mistake, with secrets.
    let config: CertificateConfig = serde_json::from_slice(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        refuse(&format!("does not give `cert_path` and `key_path` (line {line}, column {column})"))
    })?;
    match config.cert_configs.workload {
        Some(WorkloadPaths { cert_path, key_path }) => Ok((cert_path, key_path)),
        None => Err(refuse("has no `cert_configs.workload`: only certificates in files are supported")),
    }
}

/// Reads a file; `origin` is what messages call it.
fn read(origin: &str, source: &FileSource, limits: &ReadLimits<'_>) -> Result<Zeroizing<Vec<u8>>, NetError> {
    source.read(limits).map_err(|error| {
        let described = NetError::new(NetErrorKind::Tls, format!("{origin} {}", error.why));
        match error.cause {
            Some(cause) => described.with_source(cause),
            None => described,
        }
    })
}

/// The fields of a `certificate_config.json` that are used.
#[derive(Deserialize)]
struct CertificateConfig {
    cert_configs: CertConfigs,
}

/// The kinds of certificates; others than `workload` are ignored.
#[derive(Deserialize)]
struct CertConfigs {
    workload: Option<WorkloadPaths>,
}

/// Where certificate and key of a workload are.
#[derive(Deserialize)]
struct WorkloadPaths {
    cert_path: PathBuf,
    key_path: PathBuf,
}

/// Makes a boxed error an [`Error`](StdError), which a box of one is not.
#[derive(Debug)]
struct SourceError(Box<dyn StdError + Send + Sync>);

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for SourceError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn causes_of_a_failed_source_are_kept() {
        let certificate = ClientCertificate::from_source(|| {
            let locked = io::Error::other("the agent is locked");
            Err(NetError::new(NetErrorKind::Tls, "no certificate").with_source(locked).into())
        });
        let error = certificate.load(&ReadLimits::within(file::SETUP_TIMEOUT, None)).err().unwrap();
        let source = error.source().unwrap();
        assert_eq!(source.to_string(), "no certificate");
        assert_eq!(source.source().unwrap().to_string(), "the agent is locked");
    }
}
