//! Certificates of either side, checked by grpcio's own TLS.

use longrunning::ErrorKind;
use longrunning::http::{ClientCertificate, HttpOptions, ProxySetting, Roots};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::json;

use super::{GrpcServer, Seen, builder};
use crate::python::Python;

#[test]
fn server_is_trusted_by_its_authority() {
    let Some(python) = Python::find() else { return };
    let authority = Authority::new();
    let (certificate, key) = authority.sign("localhost");
    let server = GrpcServer::start(&python, &json!({ "certificate": certificate, "key": key }));
    let url = format!("https://localhost:{}", server.port);
    let client = builder(&url, authority.roots()).build().unwrap();
    let mut peers = Vec::new();
    for _ in 0..3 {
        let seen: Seen = client.get("operations/seen").send().unwrap().metadata().unwrap().decode().unwrap();
        peers.push(seen.peer);
    }
    assert!(peers.iter().all(|peer| *peer == peers[0]), "{peers:?}");

    let stranger = builder(&url, Authority::new().roots()).build().unwrap();
    let error = stranger.get("operations/seen").send().unwrap_err();
    // Both authorities have one name.
    let why = "its certificate is not signed by the issuer that it names";
    let message =
        format!("GetOperation `operations/seen`: failed to verify localhost:{}: {why}", server.port);
    assert_eq!(error.to_string(), message);
    assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Transport, false));

    let other = builder(&format!("https://127.0.0.1:{}", server.port), authority.roots()).build().unwrap();
    let error = other.get("operations/seen").send().unwrap_err();
    assert!(error.to_string().contains("failed to verify 127.0.0.1"), "{error}");
}

#[test]
fn client_shows_its_certificate() {
    let Some(python) = Python::find() else { return };
    let authority = Authority::new();
    let (certificate, key) = authority.sign("localhost");
    let order = json!({ "certificate": certificate, "key": key, "clients": authority.pem });
    let server = GrpcServer::start(&python, &order);
    let url = format!("https://localhost:{}", server.port);
    let options = || HttpOptions::new().roots(authority.roots()).proxy(ProxySetting::None);
    let shown = |(certificate, key): (String, String)| {
        let options = options().client_certificate(ClientCertificate::from_pem(certificate, key));
        let client = builder(&url, authority.roots()).http_options(options).build().unwrap();
        client.get("operations/seen").send()
    };
    let seen: Seen = shown(authority.sign("snail.example")).unwrap().metadata().unwrap().decode().unwrap();
    let name: String = "snail.example".bytes().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(seen.auth["x509_subject_alternative_name"], json!([name]), "{}", seen.auth);

    let client = builder(&url, authority.roots()).build().unwrap();
    let error = client.get("operations/seen").send().unwrap_err();
    // BoringSSL, as grpcio uses it, closes without a word.
    let why = "closed the connection before a response, and had requested a client certificate";
    let message = format!("GetOperation `operations/seen`: localhost:{} {why}", server.port);
    assert_eq!(error.to_string(), message);
    assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Transport, true));

    let error = shown(Authority::new().sign("snail.example")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
}

/// Signs certificates.
pub(super) struct Authority {
    pub(super) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority");
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    pub(super) fn roots(&self) -> Roots {
        Roots::Pem(self.pem.clone().into())
    }

    /// A certificate for a name, and its key.
    pub(super) fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}
