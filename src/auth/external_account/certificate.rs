//! A workload certificate (X.509): mutual TLS authenticates the client to the
//! Security Token Service, and the subject token repeats the certificate with
//! its chain.
//!
//! ```text
//! certificate, key ─┬─ TLS ──────────► sts.mtls.googleapis.com
//! trust chain ──────┴─ subject token ► in the form
//! ```
//!
//! Both have to be the same certificate. A daemon replaces the files at any
//! time, so they are read once for each token, and the HTTP client is made from
//! exactly what was read.

use std::fmt;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::file;
use crate::auth::key_file::KeyFile;
use crate::auth::sts::TokenExchange;
use crate::auth::{AccessToken, TokenError, TokenRequest};
use crate::error::Error;
use crate::http::{ClientCertificate, HttpClient, HttpError};
use crate::net::certificate::CertificatePair;
use crate::net::machine_certificate::{self, machine_certificate};
use crate::net::mtls_host;
use crate::util::env::Env;
use crate::util::file::ReadLimits;
use crate::util::secret::Secret;
use crate::util::sync::lock;
use crate::util::url::UrlParts;

/// `credential_source.certificate` of a file, before or after the environment
/// was read.
#[derive(Clone, Debug)]
pub(super) struct WorkloadCertificate {
    /// The path of a certificate configuration; `None` is that of the machine.
    config: Option<String>,
    /// The path of a file with intermediate certificates.
    trust_chain: Option<String>,
    /// Known once the environment is.
    identity: Option<Arc<WorkloadIdentity>>,
}

/// A certificate, and the HTTP client that presents it.
struct WorkloadIdentity {
    /// Where the certificate is.
    certificate: ClientCertificate,
    /// The client for a certificate. It is replaced if certificate or key have
    /// changed, so that the connection presents what the subject token
    /// contains.
    client: Mutex<Option<(CertificatePair, Arc<dyn HttpClient>)>>,
}

impl WorkloadCertificate {
    /// Reads the object `certificate`.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Config`, unless it names exactly one configuration.
    pub(super) fn from_key_file(mut file: KeyFile) -> Result<Self, Error> {
        let config = file.text(LOCATION)?.filter(|path| !path.is_empty());
        let is_default = file.flag(DEFAULT)?.unwrap_or_default();
        match (&config, is_default) {
            (Some(_), true) => {
                return Err(
                    file.error(format_args!("has both `{LOCATION}` and `{DEFAULT}`: expected one of them"))
                );
            }
            (None, false) => {
                return Err(file.error(format_args!(
                    "lacks `{LOCATION}`, and `{DEFAULT}` is not true: expected one of them"
                )));
            }
            _ => {}
        }
        let trust_chain = file.text("trust_chain_path")?.filter(|path| !path.is_empty());
        Ok(Self { config, trust_chain, identity: None })
    }

    /// Finds the certificate in the environment. It is not read yet.
    pub(super) fn resolve(&self, env: &dyn Env) -> Result<Self, String> {
        let certificate = match &self.config {
            // Not opened yet: the file may be mounted later.
            Some(path) => ClientCertificate::from_config_file(path),
            None => machine_certificate(env, machine_certificate::BUNDLE.as_ref()).ok_or(
                "finds no client certificate on this machine: expected `certificate_config.json` in gcloud's folder, \
                 or its path in GOOGLE_API_CERTIFICATE_CONFIG",
            )?,
        };
        let identity = WorkloadIdentity { certificate, client: Mutex::default() };
        Ok(Self { identity: Some(Arc::new(identity)), ..self.clone() })
    }

    /// Exchanges the certificate for an access token.
    pub(super) fn token(
        &self,
        request: &TokenRequest<'_>,
        exchange: &TokenExchange,
    ) -> Result<AccessToken, TokenError> {
        let Some(identity) = &self.identity else {
            return Err(TokenError::permanent("has no client certificate"));
        };
        let limits = ReadLimits { deadline: request.deadline, stop: request.stop };
        let pair = identity.certificate.load(&limits).map_err(HttpError::from)?;
        let subject_token = self.subject_token(&pair, request)?;
        let http = identity.client(pair, request)?;
        exchange.token(&TokenRequest { http: &*http, ..*request }, &subject_token)
    }

    /// Returns a JSON array of certificates, DER in base64, beginning with that
    /// of the workload.
    ///
    /// As in google-auth, the file of the trust chain may begin with it or with
    /// the next one.
    fn subject_token(
        &self,
        pair: &CertificatePair,
        request: &TokenRequest<'_>,
    ) -> Result<Secret, TokenError> {
        let origin = &pair.certificate.origin;
        let certificates = certificates(origin, &pair.certificate.text)?;
        // TLS sends the first one as that of the client, too.
        let leaf = certificates.into_iter().next();
        let leaf =
            leaf.ok_or_else(|| TokenError::permanent(format!("{origin} holds no certificate in PEM")))?;
        let mut chain = vec![STANDARD.encode(&leaf)];
        if let Some(path) = &self.trust_chain {
            let origin = format!("trust chain file `{}`", crate::util::file::shown(path.as_ref()));
            let text = file::read(path.as_ref(), &origin, request)?;
            let others: Vec<_> = certificates_of_chain(&origin, &text, &leaf)?;
            chain.extend(others.iter().map(|certificate| STANDARD.encode(certificate)));
        }
        Ok(Secret::new(serde_json::Value::from(chain).to_string()))
    }
}

impl WorkloadIdentity {
    /// Returns the client that presents this certificate.
    fn client(
        &self,
        pair: CertificatePair,
        request: &TokenRequest<'_>,
    ) -> Result<Arc<dyn HttpClient>, TokenError> {
        // Held while a client is made: two callers with the same new
        // certificate need only one. Nothing is sent meanwhile.
        let mut client = lock(&self.client);
        if let Some((_, client)) = client.as_ref().filter(|(known, _)| *known == pair) {
            return Ok(Arc::clone(client));
        }
        // From memory, because the files may be replaced before the client
        // reads them.
        let (certificate, key) = (pair.certificate.text.to_vec(), pair.key.text.to_vec());
        let made = request.http.with_client_certificate(ClientCertificate::from_pem(certificate, key))?;
        *client = Some((pair, Arc::clone(&made)));
        Ok(made)
    }
}

impl fmt::Debug for WorkloadIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WorkloadIdentity").field(&self.certificate).finish()
    }
}

/// Returns the token URL for mutual TLS, because the other hosts of Google do
/// not request a client certificate. A host that is not Google's stays as it
/// is.
///
/// ```text
/// None                                    https://sts.mtls.UNIVERSE/v1/token
/// https://sts.googleapis.com/v1/token     https://sts.mtls.googleapis.com/v1/token
/// https://localhost:8443/token            https://localhost:8443/token
/// ```
pub(super) fn token_url(given: Option<String>, universe_domain: &str) -> String {
    let Some(url) = given else { return format!("https://sts.mtls.{universe_domain}/v1/token") };
    UrlParts::split(&url)
        .filter(|parts| parts.user.is_none())
        .and_then(|UrlParts { scheme, authority, host, target, .. }| {
            let (mtls, port) = (mtls_host::to_mtls(host)?, authority.strip_prefix(host)?);
            Some([scheme, "://", &mtls, port, target].concat())
        })
        .unwrap_or(url)
}

/// Returns the certificates of a PEM text; `origin` is what messages call it.
fn certificates(origin: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TokenError> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| TokenError::permanent(format!("{origin} is no proper PEM")).with_source(error))
}

/// Returns the certificates of a trust chain without `leaf`, which may be the
/// first one.
fn certificates_of_chain(
    origin: &str,
    pem: &[u8],
    leaf: &CertificateDer<'_>,
) -> Result<Vec<CertificateDer<'static>>, TokenError> {
    let mut chain = certificates(origin, pem)?;
    if chain.first() == Some(leaf) {
        chain.remove(0);
    }
    // Behind another one, it is not clear which certificate signed which.
    match chain.contains(leaf) {
        true => Err(TokenError::permanent(format!(
            "{origin} holds the certificate of the workload behind another one: expected it at the top, or not at all"
        ))),
        false => Ok(chain),
    }
}

/// The field with the path of a configuration.
const LOCATION: &str = "certificate_config_location";
/// The field that selects the configuration of the machine.
const DEFAULT: &str = "use_default_certificate_config";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_url_is_that_for_mutual_tls() {
        let rows = [
            (None, "googleapis.com", "https://sts.mtls.googleapis.com/v1/token"),
            (None, "example.goog", "https://sts.mtls.example.goog/v1/token"),
            (
                Some("https://sts.googleapis.com/v1/token?x=sts.googleapis.com"),
                "googleapis.com",
                "https://sts.mtls.googleapis.com/v1/token?x=sts.googleapis.com",
            ),
            (
                Some("https://sts.mtls.googleapis.com/v1/token"),
                "googleapis.com",
                "https://sts.mtls.googleapis.com/v1/token",
            ),
            (
                Some("https://STS.googleapis.com:443/v1/token"),
                "googleapis.com",
                "https://sts.mtls.googleapis.com:443/v1/token",
            ),
            (Some("https://sts.example.com/v1/token"), "googleapis.com", "https://sts.example.com/v1/token"),
            (Some("http://127.0.0.1:8080/v1/token"), "googleapis.com", "http://127.0.0.1:8080/v1/token"),
        ];
        for (given, universe, expected) in rows {
            assert_eq!(token_url(given.map(str::to_owned), universe), expected);
        }
    }
}
