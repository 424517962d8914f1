//! External accounts whose subject token is a client certificate: the Security Token Service over mutual TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longrunning::auth::CredentialsPolicy;
use longrunning::http::{HttpOptions, ProxySetting, Roots};
use longrunning::testing::{FakeServer, SubjectToken};
use longrunning::{Credentials, Error, ErrorKind, OperationsClient};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::kit::{Folder, NAME, Unreachable, server};
use crate::network::{config, head};

#[test]
fn the_certificate_is_presented_and_its_chain_is_the_subject_token() {
    let (server, folder) = (server(), Folder::new());
    server.require_issued_tokens();
    let front = TlsFront::start(server.address());
    let leaf = front.issue(&folder);
    let both = folder.file(
        "both.pem",
        &format!("{}{}", fs::read_to_string(folder.path().join("crt")).unwrap(), front.pem),
    );
    let authority = folder.file("authority.pem", &front.pem);
    let rows = [
        ("no chain", Value::Null, vec![leaf.clone()]),
        ("chain without the certificate", json!(authority), vec![leaf.clone(), der(&front.pem)]),
        ("chain with the certificate", json!(both), vec![leaf.clone(), der(&front.pem)]),
    ];
    for (name, chain, expected) in rows {
        server.take_requests();
        let mut file = front.file(&server, &folder);
        file["credential_source"]["certificate"]["trust_chain_path"] = chain;
        let client = front.client(&server, &file, &[]).unwrap();
        client.get(NAME).send().unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(subject_token(&server), expected, "{name}");
        assert_eq!(front.presented.lock().unwrap().last(), Some(&leaf), "{name}");
    }
}

#[test]
fn a_certificate_that_was_replaced_is_the_next_one_in_both_places() {
    let (server, folder) = (server(), Folder::new());
    let front = TlsFront::start(server.address());
    front.issue(&folder);
    let file = front.file(&server, &folder);
    let client = front.client(&server, &file, &[]).unwrap();
    for _ in 0..3 {
        let leaf = front.issue(&folder);
        server.take_requests();
        client.get(NAME).send().unwrap();
        assert_eq!(
            (subject_token(&server), front.presented.lock().unwrap().last()),
            (vec![leaf.clone()], Some(&leaf))
        );
        server.advance(Duration::from_secs(3600));
    }
}

#[test]
fn the_configuration_of_the_machine_and_a_service_account_on_top() {
    let (server, folder) = (server(), Folder::new());
    server.require_issued_tokens();
    let front = TlsFront::start(server.address());
    let leaf = front.issue(&folder);
    let path = folder.path().join("certificate_config.json").to_str().unwrap().to_owned();
    let mut file = front.file(&server, &folder);
    file["credential_source"]["certificate"] = json!({"use_default_certificate_config": true});
    let file: Value = serde_json::from_str(&server.auth().impersonated_file(&file.to_string())).unwrap();
    let gcloud = folder.path().to_str().unwrap();
    for env in [[("GOOGLE_API_CERTIFICATE_CONFIG", path.as_str())], [("CLOUDSDK_CONFIG", gcloud)]] {
        server.take_requests();
        let client = front.client(&server, &file, &env).unwrap();
        client.get(NAME).send().unwrap_or_else(|error| panic!("{env:?}: {error:#}"));
        assert_eq!(subject_token(&server), std::slice::from_ref(&leaf), "{env:?}");
        assert_eq!(server.requests().len(), 3, "exchange, service account, call");
    }
    let error = front.client(&server, &file, &[("CLOUDSDK_CONFIG", "/nonexistent")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("finds no client certificate on this machine"), "{error}");
}

#[test]
fn what_is_wrong_is_named() {
    let (server, folder) = (server(), Folder::new());
    let front = TlsFront::start(server.address());
    front.issue(&folder);
    let crt = fs::read_to_string(folder.path().join("crt")).unwrap();
    let behind = folder.file("behind.pem", &format!("{}{crt}", front.pem));
    let rows = [
        (
            json!({"certificate_config_location": "/nonexistent/config.json"}),
            "certificate configuration `/nonexistent/config.json` does not exist",
        ),
        (json!({"certificate_config_location": behind}), "does not give `cert_path` and `key_path`"),
        (
            json!({"certificate_config_location": folder.path().join("certificate_config.json"), "trust_chain_path": "/nonexistent/chain.pem"}),
            "trust chain file `/nonexistent/chain.pem` does not exist",
        ),
        (
            json!({"certificate_config_location": folder.path().join("certificate_config.json"), "trust_chain_path": behind}),
            "holds the certificate of the workload behind another one",
        ),
    ];
    for (certificate, expected) in rows {
        let mut file = front.file(&server, &folder);
        file["credential_source"]["certificate"] = certificate;
        let error = front.client(&server, &file, &[]).unwrap().get(NAME).send().unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Auth, false), "{error:#}");
        assert!(error.to_string().contains(expected), "{error:#}");
    }
    let file = front.file(&server, &folder);
    let credentials = load(&file).unwrap();
    let builder = server.client_builder().credentials(credentials).http_client(Unreachable::new());
    let error = builder.build().unwrap().get(NAME).send().unwrap_err();
    assert!(error.to_string().contains("cannot present a client certificate"), "{error:#}");

    let either = |certificate: Value| {
        let mut file = front.file(&server, &folder);
        file["credential_source"]["certificate"] = certificate;
        load(&file).unwrap_err().to_string()
    };
    let both = json!({"certificate_config_location": "/x", "use_default_certificate_config": true});
    assert!(either(both).contains("has both"));
    for none in [json!({}), json!({"use_default_certificate_config": false})] {
        assert!(either(none).contains("lacks `certificate_config_location`"));
    }
    assert!(either(json!({"use_default_certificate_config": "CANARY"})).contains("has a string"));
    let error = Credentials::from_json(&file.to_string()).unwrap_err();
    assert!(error.to_string().contains("which the policy does not allow"), "{error}");
}

/// Takes connections with a client certificate of its authority, and passes requests on to a fake server.
struct TlsFront {
    port: u16,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    presented: Arc<Mutex<Vec<CertificateDer<'static>>>>,
}

impl TlsFront {
    fn start(server: SocketAddr) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority");
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let config = Arc::new(config(&pem, &issuer));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let presented = Arc::<Mutex<Vec<_>>>::default();
        let seen = Arc::clone(&presented);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut client = StreamOwned::new(connection, stream.unwrap());
                if client.conn.complete_io(&mut client.sock).is_ok() {
                    let leaf = client.conn.peer_certificates().unwrap()[0].clone().into_owned();
                    seen.lock().unwrap().push(leaf);
                    pass_on(&mut client, server);
                }
            }
        });
        Self { port, pem, issuer, presented }
    }

    /// Writes a new certificate, its key, and the configuration that names them; returns the certificate.
    fn issue(&self, folder: &Folder) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["client".to_owned()]).unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        let paths = [folder.file("crt", &pem), folder.file("key", &key.serialize_pem())];
        let config = json!({"cert_configs": {"workload": {"cert_path": paths[0], "key_path": paths[1]}}});
        folder.file("certificate_config.json", &config.to_string());
        der(&pem)
    }

    fn file(&self, server: &FakeServer, folder: &Folder) -> Value {
        let path = folder.path().join("certificate_config.json");
        let file = server.auth().external_account_file(SubjectToken::Certificate(&path));
        let mut file: Value = serde_json::from_str(&file).unwrap();
        file["token_url"] = format!("https://localhost:{}/v1/token", self.port).into();
        file
    }

    fn client(
        &self,
        server: &FakeServer,
        file: &Value,
        env: &[(&str, &str)],
    ) -> Result<OperationsClient, Error> {
        let options = HttpOptions::new().roots(Roots::Pem(self.pem.clone().into())).proxy(ProxySetting::None);
        let env = env.iter().map(|(name, value)| (*name, *value));
        server.client_builder().http_options(options).environment(env).credentials(load(file)?).build()
    }
}

/// One request and its response.
fn pass_on(client: &mut (impl Read + Write), server: SocketAddr) {
    let head = head(client).replacen("\r\n", "\r\nconnection: close\r\n", 1);
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    client.read_exact(&mut body).unwrap();
    let mut upstream = TcpStream::connect(server).unwrap();
    upstream.write_all(head.as_bytes()).unwrap();
    upstream.write_all(&body).unwrap();
    let mut response = Vec::new();
    upstream.read_to_end(&mut response).unwrap();
    client.write_all(&response).unwrap();
}

fn load(file: &Value) -> Result<Credentials, Error> {
    Credentials::from_value_with(file.clone(), &CredentialsPolicy::trusting_the_file())
}

/// The certificates of the last exchange.
fn subject_token(server: &FakeServer) -> Vec<CertificateDer<'static>> {
    let requests = server.requests();
    let exchange = requests.iter().rfind(|request| request.path() == "/v1/token").expect("an exchange");
    let body = String::from_utf8(exchange.body().to_vec()).unwrap();
    let token = body.split('&').find_map(|field| field.strip_prefix("subject_token=")).unwrap();
    let token = token.replace("%22", "\"").replace("%5B", "[").replace("%5D", "]").replace("%2C", ",");
    let token = token.replace("%2F", "/").replace("%2B", "+").replace("%3D", "=");
    let chain: Vec<String> = serde_json::from_str(&token).unwrap();
    chain.iter().map(|text| CertificateDer::from(STANDARD.decode(text).unwrap())).collect()
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}
