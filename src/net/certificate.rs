//! The client's own certificate, for servers that ask who is calling.

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
/// Both are PEM: the certificate first, then those of the authorities in
/// between, and a key in PKCS#8, PKCS#1 or SEC1 form without a passphrase; both
/// may be in one text or file. They are read when the client is built, and must
/// then belong together, and again for each new connection: when they have
/// changed, new connections use the new ones and resume no session of the old.
/// If they cannot be used (a certificate is already replaced, its key not yet),
/// the client goes on with those it has and writes a warning to the log.
///
/// Supported keys are RSA of 2048 to 4096 bits, ECDSA on P-256 (secp256r1) and
/// P-384 (secp384r1), and Ed25519. Keys on other curves, such as P-521
/// (secp521r1) and secp256k1, are refused when the client is built.
///
/// The certificate is presented to every https server that requests one, and
/// never to a proxy. `Debug` names its source.
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
    origin: String,
    load: Arc<Load>,
}

/// Reads certificate and key; pipes for as long as the limits allow.
type Load = dyn Fn(&ReadLimits<'_>) -> Result<CertificatePair, NetError> + Send + Sync;

/// The last certificate that a [`ClientCertificate`] returned.
#[derive(Clone, PartialEq)]
pub(crate) struct CertificatePair {
    pub(crate) certificate: Pem,
    pub(crate) key: Pem,
}

/// PEM, and what messages call it.
#[derive(Clone, PartialEq)]
pub(crate) struct Pem {
    pub(crate) origin: String,
    pub(crate) text: Zeroizing<Vec<u8>>,
    pub(crate) path: Option<PathBuf>,
}

impl ClientCertificate {
    /// Takes PEM that is in memory. It never changes, so the client ends with
    /// its validity.
    pub fn from_pem(certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
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

    /// Reads two files, or one when both paths are the same.
    ///
    /// Each has at most 1 MiB. A pipe is read once, when the client is built,
    /// for at most 30 seconds. On Unix, a key file that other users can read is
    /// warned about.
    pub fn from_files(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let (certificate, key) = (certificate.into(), key.into());
        let origin = format!("files `{}` and `{}`", file::shown(&certificate), file::shown(&key));
        let (certificate, key) = sources(certificate, key);
        Self::new(origin, move |limits| CertificatePair::read(&certificate, &key, limits))
    }

    /// Reads the files that a [`certificate_config.json`] names as
    /// `cert_configs.workload`.
    ///
    /// Certificates that are kept elsewhere (PKCS#11, key chains) are not
    /// supported.
    ///
    /// [`certificate_config.json`]: https://google.aip.dev/auth/4114
    pub fn from_config_file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::from_config(format!("certificate configuration `{}`", file::shown(&path)), path)
    }

    /// Reads a configuration file that an environment variable names.
    pub(crate) fn from_config_of(path: impl Into<PathBuf>, variable: &str) -> Self {
        let path = path.into();
        let origin = format!("certificate configuration `{}` (of {variable})", file::shown(&path));
        Self::from_config(origin, path)
    }

    fn from_config(origin: String, path: PathBuf) -> Self {
        let config = FileSource::new(path);
        Self::new(origin.clone(), move |limits| {
            let (certificate, key) = configured(&origin, &config, limits)?;
            let (certificate, key) = sources(certificate, key);
            CertificatePair::read(&certificate, &key, limits)
        })
    }

    /// Uses `source` to get certificate and key, in this order, as PEM.
    ///
    /// It is asked when the client is built and for each new connection, on the
    /// thread that makes the call: keep what costs time. Its errors count
    /// as those of the options at first, later only as a warning in the log.
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
                    .with_source(Foreign(error))
            })?;
            let (certificate, key) = (Zeroizing::new(certificate), Zeroizing::new(key));
            Ok(CertificatePair::given("the client certificate", certificate, "the client key", key))
        })
    }

    fn new(
        origin: String,
        load: impl Fn(&ReadLimits<'_>) -> Result<CertificatePair, NetError> + Send + Sync + 'static,
    ) -> Self {
        Self { origin, load: Arc::new(load) }
    }

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
    fn given(
        certificate: &str,
        certificate_text: Zeroizing<Vec<u8>>,
        key: &str,
        key_text: Zeroizing<Vec<u8>>,
    ) -> Self {
        let pem = |origin: &str, text| Pem { origin: origin.to_owned(), text, path: None };
        Self { certificate: pem(certificate, certificate_text), key: pem(key, key_text) }
    }

    fn read(certificate: &FileSource, key: &FileSource, limits: &ReadLimits<'_>) -> Result<Self, NetError> {
        let read = |what: &str, source: &FileSource| {
            let path = source.path();
            let origin = format!("{what} file `{}`", file::shown(path));
            let text = read(&origin, source, limits)?;
            Ok(Pem { origin, text, path: Some(path.to_owned()) })
        };
        let pem = read("client certificate", certificate)?;
        // A file of both is read once: it may be replaced at any time.
        let key = if key.path() == certificate.path() {
            Pem { origin: pem.origin.clone(), text: pem.text.clone(), path: pem.path.clone() }
        } else {
            read("client key", key)?
        };
        Ok(Self { certificate: pem, key })
    }
}

fn sources(certificate: PathBuf, key: PathBuf) -> (FileSource, FileSource) {
    (FileSource::new(certificate), FileSource::new(key))
}

fn configured(
    origin: &str,
    config: &FileSource,
    limits: &ReadLimits<'_>,
) -> Result<(PathBuf, PathBuf), NetError> {
    let text = read(origin, config, limits)?;
    let refuse = |why: &str| NetError::new(NetErrorKind::Tls, format!("{origin} {why}"));
    // Not the parser's own words: they quote the text, which may be that of another
    // file, with secrets.
    let config: CertificateConfig = serde_json::from_slice(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        refuse(&format!("does not give `cert_path` and `key_path` (line {line}, column {column})"))
    })?;
    match config.cert_configs.workload {
        Some(WorkloadPaths { cert_path, key_path }) => Ok((cert_path, key_path)),
        None => Err(refuse("has no `cert_configs.workload`: only certificates in files are supported")),
    }
}

fn read(origin: &str, source: &FileSource, limits: &ReadLimits<'_>) -> Result<Zeroizing<Vec<u8>>, NetError> {
    source.read(limits).map_err(|error| {
        let described = NetError::new(NetErrorKind::Tls, format!("{origin} {}", error.why));
        match error.cause {
            Some(cause) => described.with_source(cause),
            None => described,
        }
    })
}

#[derive(Deserialize)]
struct CertificateConfig {
    cert_configs: CertConfigs,
}

#[derive(Deserialize)]
struct CertConfigs {
    workload: Option<WorkloadPaths>,
}

#[derive(Deserialize)]
struct WorkloadPaths {
    cert_path: PathBuf,
    key_path: PathBuf,
}

/// A boxed error is none itself.
#[derive(Debug)]
struct Foreign(Box<dyn StdError + Send + Sync>);

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Foreign {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}
