//! The whole client behind TLS that wants to know who is calling.

use std::error::Error as _;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::{env, thread};

use longrunning::http::{ClientCertificate, HttpOptions, ProxySetting, Roots};
use longrunning::transport::TransportKind;
use longrunning::{Credentials, ErrorKind, OperationsClient, OperationsClientBuilder};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::kit::Folder;

#[test]
fn certificate_is_shown_where_the_environment_asks() {
    let service = Service::start();
    let folder = Folder::new();
    let [(crt, key), (other_crt, other_key)] = [(); 2].map(|()| service.client());
    let crt_path = folder.file("crt", &crt);
    let key_path = folder.file("key", &key);
    let config = format!(
        r#"{{"cert_configs": {{"workload": {{"cert_path": {crt_path:?}, "key_path": {key_path:?}}}}}}}"#
    );
    let config = folder.file("certificate_config.json", &config);
    let gcloud = folder.path().to_str().unwrap();
    let source = || ClientCertificate::from_pem(other_crt.as_str(), other_key.as_str());
    let use_it = ("GOOGLE_API_USE_CLIENT_CERTIFICATE", "true");
    let rows = [
        ("unset", service.builder().environment([("CLOUDSDK_CONFIG", gcloud)]), None),
        ("unset, with a source", service.builder().client_cert_source(source()), None),
        (
            "configuration",
            service.builder().environment([use_it, ("GOOGLE_API_CERTIFICATE_CONFIG", config.as_str())]),
            Some(&crt),
        ),
        ("gcloud's", service.builder().environment([use_it, ("CLOUDSDK_CONFIG", gcloud)]), Some(&crt)),
        (
            "source before the machine's",
            service.builder().environment([use_it, ("CLOUDSDK_CONFIG", gcloud)]).client_cert_source(source()),
            Some(&other_crt),
        ),
        (
            "options, whatever the environment says",
            service
                .builder()
                .environment([("GOOGLE_API_USE_CLIENT_CERTIFICATE", "false")])
                .http_options(service.http_options().client_certificate(source())),
            Some(&other_crt),
        ),
    ];
    for (name, builder, shown) in rows {
        let before = service.connections.load(Ordering::SeqCst);
        let answer = builder.build().unwrap().get("operations/42").send();
        match shown {
            Some(shown) => {
                assert_eq!(answer.unwrap().name(), "operations/42", "{name}");
                assert_eq!(service.shown.lock().unwrap().last(), Some(&der(shown)), "{name}");
            }
            None => {
                let error = answer.unwrap_err();
                let message = format!(
                    "GetOperation `operations/42`: localhost:{} requires a client certificate",
                    service.port
                );
                assert_eq!(error.to_string(), message, "{name}");
                assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1), "{name}");
            }
        }
        assert_eq!(service.connections.load(Ordering::SeqCst) - before, 1, "{name}");
    }
}

#[test]
fn certificate_that_cannot_be_used_fails_at_build() {
    let service = Service::start();
    let ((crt, _), (_, key)) = (service.client(), service.client());
    let builders = [
        service
            .builder()
            .environment([("GOOGLE_API_USE_CLIENT_CERTIFICATE", "true")])
            .client_cert_source(ClientCertificate::from_pem(crt.as_str(), key.as_str())),
        service
            .builder()
            .http_options(service.http_options().client_certificate(ClientCertificate::from_pem(crt, key))),
    ];
    for builder in builders {
        let error = builder.build().unwrap_err();
        assert_eq!(error.to_string(), "the client key does not belong to the client certificate");
        assert_eq!(error.kind(), ErrorKind::Config);
    }
    let missing = env::temp_dir().join("longrunning-no-such-file");
    let error = service
        .builder()
        .environment([
            ("GOOGLE_API_USE_CLIENT_CERTIFICATE", "true"),
            ("GOOGLE_API_CERTIFICATE_CONFIG", missing.to_str().unwrap()),
        ])
        .build()
        .unwrap_err();
    let told = error.to_string();
    assert!(told.ends_with("(of GOOGLE_API_CERTIFICATE_CONFIG) does not exist"), "{told}");
    assert!(error.source().is_some());
}

#[test]
fn proxy_comes_from_the_environment_of_the_client() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let proxy = format!("http://user:CANARY-proxy-1@{address}");
    let asked = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let head = head(&mut client);
        client.write_all(b"HTTP/1.1 407 x\r\n\r\n").unwrap();
        head
    });
    let client = OperationsClient::builder("run.googleapis.com")
        .credentials(Credentials::anonymous())
        .environment([("HTTPS_PROXY", proxy)])
        .http_options(HttpOptions::new().roots(Roots::None))
        .build()
        .unwrap();
    let error = client.get("operations/42").send().unwrap_err();
    let why =
        "the proxy did not connect to run.googleapis.com:443: it refused the user and password given (407)";
    let via = format!("(proxy {address}, set by `HTTPS_PROXY`)");
    assert_eq!(error.to_string(), format!("GetOperation `operations/42`: {why} {via}"));
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 1));
    assert!(!format!("{error:?} {client:?}").contains("CANARY"));
    assert!(asked.join().unwrap().starts_with("CONNECT run.googleapis.com:443 HTTP/1.1\r\n"));
}

#[test]
fn unusable_proxy_settings_fail_the_client_that_needs_them() {
    let built = |endpoint: &str, transport, setting: &str| {
        OperationsClient::builder(endpoint)
            .transport(transport)
            .credentials(Credentials::anonymous())
            .environment([("HTTPS_PROXY", setting)])
            .http_options(HttpOptions::new().roots(Roots::None))
            .build()
    };
    let transports = [
        TransportKind::Rest,
        #[cfg(feature = "grpc")]
        TransportKind::Grpc,
    ];
    for transport in transports {
        for (setting, flaw) in [
            ("http://user:CANARY-proxy-2@proxy.test:99999", "its port is not a number from 1 to 65535"),
            ("socks5://user:CANARY-proxy-3@proxy.test:1080", "SOCKS proxies are not supported"),
        ] {
            let error = built("https://run.googleapis.com", transport, setting).unwrap_err();
            let message = format!("invalid proxy URL in `HTTPS_PROXY`: {flaw}, expected `http://host:port`");
            assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, message), "{transport:?}");
            assert!(!error.is_transient() && !format!("{error:?}").contains("CANARY"), "{transport:?}");
            built("http://127.0.0.1:1", transport, setting).expect("loopback needs no proxy");
        }
    }
}

/// A service with a certificate for `localhost` that takes only clients with one of the same authority.
struct Service {
    port: u16,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    connections: Arc<AtomicUsize>,
    shown: Arc<Mutex<Vec<CertificateDer<'static>>>>,
}

impl Service {
    fn start() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority");
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let config = Arc::new(config(&pem, &issuer));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, shown) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (counter, seen) = (connections.clone(), shown.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
                let mut wire =
                    StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream.unwrap());
                if wire.conn.complete_io(&mut wire.sock).is_err() {
                    continue;
                }
                head(&mut wire);
                seen.lock().unwrap().push(wire.conn.peer_certificates().unwrap()[0].clone().into_owned());
                let body = r#"{"name":"operations/42"}"#;
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                wire.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { port, pem, issuer, connections, shown }
    }

    fn http_options(&self) -> HttpOptions {
        HttpOptions::new().roots(Roots::Pem(self.pem.clone().into())).proxy(ProxySetting::None)
    }

    fn builder(&self) -> OperationsClientBuilder {
        OperationsClient::builder(format!("https://localhost:{}", self.port))
            .credentials(Credentials::anonymous())
            .environment::<&str, &str>([])
            .http_options(self.http_options())
    }

    /// Certificate and key of a new client.
    fn client(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["client".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

pub(crate) fn config(authority: &str, issuer: &Issuer<'static, KeyPair>) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(der(authority)).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap()
}

fn der(pem: &str) -> CertificateDer<'static> {
    rustls::pki_types::pem::PemObject::from_pem_slice(pem.as_bytes()).unwrap()
}

pub(crate) fn head(client: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}
