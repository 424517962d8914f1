//! The client's own certificate: shown, refused, replaced, and what cannot be
//! one.

use std::error::Error;
use std::fs;
use std::sync::{Arc, Mutex};

use rustls::SupportedProtocolVersion;

use crate::folder::Folder;

use super::super::{ClientCertificate, HttpErrorKind::Tls};
use super::authority::{Authority, VERSIONS, unchanged};
use super::server::{Act, Server, Session, ok, send};
use super::x509::{Key, Params, certificate_pem};
use super::{HttpAgent, Roots, agent, get, options};

const EC_PKCS8: &str = include_str!("../../../tests/fixtures/keys/ec.pkcs8.pem");
const EC_SEC1: &str = include_str!("../../../tests/fixtures/keys/ec.sec1.pem");
const RSA_PKCS8: &str = include_str!("../../../tests/fixtures/keys/rsa2048.pkcs8.pem");
const RSA_PKCS1: &str = include_str!("../../../tests/fixtures/keys/rsa2048.pkcs1.pem");

/// A certificate of `authority` for a new key, and the key.
fn pair(authority: &Authority, change: impl FnOnce(&mut Params)) -> (String, String) {
    let key = Key::generate();
    (certificate_pem(&authority.sign(&key, "client", change)), key.pem())
}

fn with(authority: &Authority, certificate: ClientCertificate) -> HttpAgent {
    let roots = Roots::Pem(authority.pem.clone().into_bytes());
    HttpAgent::new(&options().roots(roots).client_certificate(certificate)).unwrap()
}

/// A server that accepts only clients of the same authority, for a number of
/// connections with one request each.
fn strict(
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
    connections: usize,
) -> Server {
    let config = authority.serving("localhost", unchanged, Some(authority.required()), versions);
    Server::start_tls(vec![vec![Act::Read, ok("{}")]; connections], config)
}

fn url(server: &Server) -> String {
    format!("https://localhost:{}/", server.port)
}

fn der(pem: &str) -> Option<Vec<u8>> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    Some(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec())
}

#[test]
fn keys_of_every_form_are_taken() {
    let authority = Authority::new(unchanged);
    let rows = [
        ("PKCS#8, EC", EC_PKCS8, EC_PKCS8),
        ("SEC1", EC_PKCS8, EC_SEC1),
        ("PKCS#8, RSA", RSA_PKCS8, RSA_PKCS8),
        ("PKCS#1", RSA_PKCS8, RSA_PKCS1),
    ];
    for (name, pkcs8, key) in rows {
        let certificate = certificate_pem(&authority.sign(&Key::from_pem(pkcs8), "client", unchanged));
        for version in VERSIONS {
            let server = strict(&authority, &[version], 1);
            let agent = with(&authority, ClientCertificate::from_pem(certificate.as_str(), key));
            assert_eq!(get(&agent, &url(&server)).unwrap().body, b"{}", "{name}, {version:?}");
            assert_eq!(server.sessions()[0].client, der(&certificate), "{name}, {version:?}");
        }
    }
}

#[test]
fn authorities_in_between_are_shown_too() {
    let authority = Authority::new(unchanged);
    let below = authority.below();
    let (certificate, key) = pair(&below, unchanged);
    let server = strict(&authority, &VERSIONS, 1);
    let bundle = format!("{key}{certificate}{}", below.pem);
    let agent = with(&authority, ClientCertificate::from_pem(bundle.as_str(), bundle.as_str()));
    assert_eq!(get(&agent, &url(&server)).unwrap().body, b"{}");
}

#[test]
fn nothing_is_shown_to_a_server_that_does_not_ask() {
    let authority = Authority::new(unchanged);
    let (certificate, key) = pair(&authority, unchanged);
    let server = Server::start_tls(vec![vec![Act::Serve]], authority.server("localhost", unchanged));
    get(&with(&authority, ClientCertificate::from_pem(certificate, key)), &url(&server)).unwrap();
    assert_eq!(server.sessions(), [Session::default()]);
}

/// With TLS 1.3 the client has long sent its request when the server refuses.
#[test]
fn refusals() {
    type Client = fn(&Authority) -> Option<(String, String)>;
    let rows: &[(&str, Client, &str)] = &[
        ("none", |_| None, "requires a client certificate"),
        (
            "expired",
            |authority| Some(pair(authority, |leaf| leaf.years = (1975, 2020))),
            "refused the client certificate: it has expired or is not valid yet",
        ),
        (
            "not yet valid",
            |authority| Some(pair(authority, |leaf| leaf.years = (3000, 4096))),
            "refused the client certificate: it has expired or is not valid yet",
        ),
        (
            "unknown",
            |_| {
                let other = Authority::new(|params| {
                    params.common_name = "other";
                });
                Some(pair(&other, unchanged))
            },
            "refused the client certificate: it comes from an unknown issuer",
        ),
    ];
    for (name, client, message) in rows {
        for version in VERSIONS {
            let authority = Authority::new(unchanged);
            let server = strict(&authority, &[version], 1);
            let agent = match client(&authority) {
                Some((certificate, key)) => with(&authority, ClientCertificate::from_pem(certificate, key)),
                None => authority.agent(),
            };
            let error = get(&agent, &url(&server)).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("localhost:{} {message}", server.port),
                "{name}, {version:?}"
            );
            let found = (error.kind(), error.was_sent(), error.is_transient());
            assert_eq!(found, (Tls, version == VERSIONS[1], false), "{name}, {version:?}");
            assert!(error.source().unwrap().is::<rustls::Error>(), "{name}: {error:?}");
        }
    }
}

/// The server has often closed the connection before the request is on its way.
#[test]
fn refusal_is_read_when_the_connection_is_gone() {
    let authority = Authority::new(unchanged);
    let server = strict(&authority, &VERSIONS[1..], 50);
    for _ in 0..50 {
        let error = get(&authority.agent(), &url(&server)).unwrap_err();
        assert_eq!(error.kind(), Tls, "{error:?}");
    }
}

#[test]
fn pairs_that_cannot_be_used_are_an_error_at_once() {
    let authority = Authority::new(unchanged);
    let (certificate, key) = pair(&authority, unchanged);
    let (_, other) = pair(&authority, unchanged);
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let block = |name: &str| format!("-----BEGIN {name}-----\nAAAA\n-----END {name}-----\n");
    let cut = |pem: &str| pem[..pem.len() / 2].to_owned();
    let rows = [
        ("mismatch", certificate.clone(), other, "the client key does not belong to the client certificate"),
        (
            "no key",
            certificate.clone(),
            String::new(),
            "the client key holds no unencrypted private key in PEM",
        ),
        (
            "certificate for a key",
            certificate.clone(),
            certificate.clone(),
            "the client key holds no unencrypted private key in PEM",
        ),
        (
            "locked key",
            certificate.clone(),
            encrypted,
            "the client key holds no unencrypted private key in PEM",
        ),
        ("broken key", certificate.clone(), block("PRIVATE KEY"), "the client key cannot be used"),
        ("half a key", certificate.clone(), cut(&key), "the client key is no proper PEM"),
        ("no certificate", String::new(), key.clone(), "the client certificate holds no certificate in PEM"),
        (
            "key for a certificate",
            key.clone(),
            key.clone(),
            "the client certificate holds no certificate in PEM",
        ),
        ("broken certificate", block("CERTIFICATE"), key.clone(), "the client certificate cannot be used"),
        ("half a certificate", cut(&certificate), key, "the client certificate is no proper PEM"),
    ];
    for (name, certificate, key, message) in rows {
        let source = (certificate.clone().into_bytes(), key.clone().into_bytes());
        for given in [
            ClientCertificate::from_pem(certificate, key),
            ClientCertificate::from_source(move || Ok(source.clone())),
        ] {
            let error = HttpAgent::new(&options().client_certificate(given)).unwrap_err();
            assert_eq!(error.to_string(), message, "{name}: {error:?}");
            assert_eq!((error.kind(), error.is_transient()), (Tls, false), "{name}");
        }
    }
}

#[test]
fn keys_that_are_not_supported_are_named() {
    let certificate = pair(&Authority::new(unchanged), unchanged).0;
    let rows = [
        (include_str!("../../../tests/fixtures/keys/p521.pkcs8.pem"), "an ECDSA key on P-521 (secp521r1)"),
        (include_str!("../../../tests/fixtures/keys/p521.sec1.pem"), "an ECDSA key on P-521 (secp521r1)"),
        (include_str!("../../../tests/fixtures/keys/secp256k1.pkcs8.pem"), "an ECDSA key on secp256k1"),
        (include_str!("../../../tests/fixtures/keys/ed448.pkcs8.pem"), "an Ed448 key"),
        (include_str!("../../../tests/fixtures/keys/rsa1024.pkcs8.pem"), "an RSA key of another length"),
        (include_str!("../../../tests/fixtures/keys/rsa1024.pkcs1.pem"), "an RSA key of another length"),
    ];
    for (key, kind) in rows {
        let given = ClientCertificate::from_pem(certificate.as_str(), key);
        let error = HttpAgent::new(&options().client_certificate(given)).unwrap_err();
        let supported = "RSA of 2048 to 4096 bits, ECDSA on P-256 or P-384, or Ed25519";
        let message = format!("the client key holds {kind}, which is not supported: expected {supported}");
        assert_eq!(error.to_string(), message, "{error:?}");
    }
}

#[test]
fn servers_that_close_without_a_word_may_not_accept_the_certificate() {
    for version in VERSIONS {
        let authority = Authority::new(unchanged);
        let (certificate, key) = pair(&authority, unchanged);
        let presenting = with(&authority, ClientCertificate::from_pem(certificate, key));
        let rows = [
            (None, presenting, ""),
            (Some(authority.wished()), authority.agent(), ", and had requested a client certificate"),
        ];
        let (certificate, key) = pair(&authority, unchanged);
        let presenting = with(&authority, ClientCertificate::from_pem(certificate, key));
        let presented = (
            Some(authority.wished()),
            presenting,
            " after the client certificate was presented: it may not accept it",
        );
        for (clients, agent, more) in rows.into_iter().chain([presented]) {
            let config = authority.serving("localhost", unchanged, clients, &[version]);
            let server = Server::start_tls(vec![vec![Act::Read]], config);
            let error = get(&agent, &url(&server)).unwrap_err();
            let message = format!("localhost:{} closed the connection before a response{more}", server.port);
            assert_eq!(error.to_string(), message, "{version:?}: {error:?}");
            assert!(error.was_sent() && error.is_transient(), "{version:?}: {error:?}");
        }
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = Folder::new();
    let authority = Authority::new(unchanged);
    let (certificate, key) = pair(&authority, unchanged);
    let (crt, key) = (folder.file("crt", &certificate), folder.file("key", &key));
    let other = folder.file("other", &pair(&authority, unchanged).1);
    let both = folder.file("both", &format!("{certificate}{}", pair(&authority, unchanged).1));
    let missing = folder.path().join("missing");
    let config = |name: &str, text: &str| ClientCertificate::from_config_file(folder.file(name, text));
    let rows = [
        (ClientCertificate::from_files(&missing, &key), "client certificate file `…/missing` does not exist"),
        (ClientCertificate::from_files(&crt, &missing), "client key file `…/missing` does not exist"),
        (
            ClientCertificate::from_files(&crt, folder.path()),
            "client key file `…` is a folder, expected the path of a file",
        ),
        (
            ClientCertificate::from_files(&crt, &other),
            "client key file `…/other` does not belong to client certificate file `…/crt`",
        ),
        (
            ClientCertificate::from_files(&both, &both),
            "client certificate file `…/both` holds a key that does not belong to its certificate",
        ),
        (
            ClientCertificate::from_files(&crt, &crt),
            "client certificate file `…/crt` holds no unencrypted private key in PEM",
        ),
        (
            ClientCertificate::from_config_file(&missing),
            "certificate configuration `…/missing` does not exist",
        ),
        (
            config("cut", r#"{"cert_configs": {"workload": "CANARY-config-1"#),
            "certificate configuration `…/cut` does not give `cert_path` and `key_path` (line 1, column 46)",
        ),
        (
            config("pkcs11", r#"{"cert_configs": {"pkcs11": {"slot": "0x1"}}}"#),
            "certificate configuration `…/pkcs11` has no `cert_configs.workload`: only certificates in files are supported",
        ),
    ];
    for (given, message) in rows {
        let error = HttpAgent::new(&options().client_certificate(given)).unwrap_err();
        let told = error.to_string().replace(&crate::util::file::shown(folder.path()), "…");
        assert_eq!(told.replace('\\', "/"), message, "{error:?}");
        assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    }
}

#[test]
fn files_are_read_again() {
    let folder = Folder::new();
    let authority = Authority::new(unchanged);
    let [first, second, third] = [(); 3].map(|()| pair(&authority, unchanged));
    let (crt, key) = (folder.file("crt", &first.0), folder.file("key", &first.1));
    let quoted = |path: &String| format!("{path:?}");
    let config = format!(
        r#"{{"version": 1, "cert_configs": {{"workload": {{"cert_path": {}, "key_path": {}}}}}}}"#,
        quoted(&crt),
        quoted(&key)
    );
    let config = folder.file("certificate_config.json", &config);
    for given in [ClientCertificate::from_files(&crt, &key), ClientCertificate::from_config_file(config)] {
        folder.file("crt", &first.0);
        folder.file("key", &first.1);
        let server = strict(&authority, &VERSIONS, 6);
        let agent = with(&authority, given);
        let ask = || assert_eq!(get(&agent, &url(&server)).unwrap().body, b"{}");
        ask();
        ask();
        folder.file("crt", &second.0);
        folder.file("key", &second.1);
        ask();
        // Half of the next pair.
        folder.file("crt", &third.0);
        ask();
        fs::remove_file(&crt).unwrap();
        ask();
        folder.file("crt", &third.0);
        folder.file("key", &third.1);
        ask();
        let session = |resumed, pem: &str| Session { resumed, client: der(pem) };
        let expected = [
            session(false, &first.0),
            session(true, &first.0),
            session(false, &second.0),
            session(true, &second.0),
            session(true, &second.0),
            session(false, &third.0),
        ];
        assert_eq!(server.sessions(), expected);
    }
}

#[test]
fn source_is_asked_for_each_connection() {
    let authority = Authority::new(unchanged);
    let [first, second] = [(); 2].map(|()| pair(&authority, unchanged));
    let bytes = |(certificate, key): &(String, String)| (certificate.clone().into(), key.clone().into());
    let answers = vec![Err("out of order".into()), Ok(bytes(&second)), Ok(bytes(&first)), Ok(bytes(&first))];
    let answers: Arc<Mutex<Vec<Result<_, Box<dyn Error + Send + Sync>>>>> = Arc::new(Mutex::new(answers));
    let source = answers.clone();
    let given = ClientCertificate::from_source(move || source.lock().unwrap().pop().unwrap());
    let server = strict(&authority, &VERSIONS, 3);
    let agent = with(&authority, given);
    for _ in 0..3 {
        get(&agent, &url(&server)).unwrap();
    }
    let shown: Vec<_> = server.sessions().into_iter().map(|session| session.client).collect();
    assert_eq!(shown, [der(&first.0), der(&second.0), der(&second.0)]);
    assert!(answers.lock().unwrap().is_empty());
}

#[test]
fn keys_are_not_printed() {
    let given = ClientCertificate::from_pem("CANARY-certificate-1", "CANARY-key-2");
    let options = options().client_certificate(given);
    let error = HttpAgent::new(&options).unwrap_err();
    let source = ClientCertificate::from_source(|| Ok((b"CANARY-3".to_vec(), b"CANARY-4".to_vec())));
    let printed = format!("{options:?} {error:?} {error} {source:?} {:?}", agent());
    assert!(!printed.contains("CANARY"), "{printed}");
}

/// The server requests a certificate and needs none, so that only an end before
/// the response can be a refusal.
#[test]
fn an_end_within_the_response_is_no_refusal() {
    for version in VERSIONS {
        let authority = Authority::new(unchanged);
        let config = authority.serving("localhost", unchanged, Some(authority.wished()), &[version]);
        let server = Server::start_tls(vec![vec![Act::Read, send("HTTP/1.1 200 OK\r\n\r\n{")]], config);
        let error = get(&authority.agent(), &url(&server)).unwrap_err();
        let message = format!("response of localhost:{} was cut short", server.port);
        assert_eq!(error.to_string(), message, "{version:?}");
    }
}
