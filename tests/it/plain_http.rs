//! Plain http beyond loopback: for anonymous clients that allow it, and never with credentials.

#[cfg(unix)]
use longrunning::Operation;
use longrunning::auth::{AccessToken, TokenRequest};
use longrunning::http::{ClientCertificate, HttpOptions};
use longrunning::testing::FakeServer;
use longrunning::transport::TransportKind;
use longrunning::{Credentials, Error, ErrorKind, OperationsClient, OperationsClientBuilder};

/// The server under an address that is not one of loopback, as far as a client can know.
fn elsewhere(server: &FakeServer) -> String {
    server.url().replace("127.0.0.1", "0.0.0.0")
}

fn kinds() -> Vec<TransportKind> {
    let kinds = ["rest", "grpc"].iter().map(|kind| kind.parse());
    kinds.filter_map(Result::ok).collect()
}

fn builder(endpoint: &str, kind: TransportKind) -> OperationsClientBuilder {
    let nothing: [(&str, &str); 0] = [];
    OperationsClient::builder(endpoint).transport(kind).environment(nothing).allow_plain_http(true)
}

// Where that address is this machine.
#[cfg(unix)]
#[test]
fn anonymous_clients_may_use_it() -> Result<(), Error> {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    for kind in kinds() {
        let endpoint = elsewhere(&server);
        let client = builder(&endpoint, kind).credentials(Credentials::anonymous()).build()?;
        client.get("operations/1").header("x-goog-request-reason", "test").send()?;
        let requests = server.take_requests();
        assert_eq!(requests.len(), 1, "{kind}");
        let secret = requests[0].headers().find(|(name, _)| longrunning::http::is_sensitive(name));
        assert!(secret.is_none_or(|(name, _)| name == ":authority"), "{kind}: {secret:?}");
        // Over gRPC and REST alike, the service may be named by one endpoint and asked at another.
        let other = builder("https://run.googleapis.com", kind).api_endpoint(&endpoint);
        other.credentials(Credentials::anonymous()).build()?.get("operations/1").send()?;
        assert_eq!(server.take_requests().len(), 1, "{kind}");
    }
    Ok(())
}

#[test]
fn it_has_to_be_allowed() {
    for kind in kinds() {
        let client = builder("http://emulator:8080", kind).allow_plain_http(false);
        let error = client.credentials(Credentials::anonymous()).build().unwrap_err();
        let message = "endpoint `http://emulator:8080` is not https (plain http is accepted for loopback only, and by \
                       `allow_plain_http` for anonymous clients)";
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Config, message), "{kind}");
    }
}

#[test]
fn no_credentials_go_over_it() -> Result<(), Error> {
    let server = FakeServer::start();
    let token = |_: &TokenRequest<'_>| Ok(AccessToken::new("CANARY-1"));
    let rows = [
        ("default credentials", None),
        ("a token", Some(Credentials::bearer("CANARY-2")?)),
        ("a token file", Some(Credentials::token_file("/nonexistent"))),
        ("an API key", Some(Credentials::api_key("CANARY-3")?)),
        ("a provider", Some(Credentials::provider(token))),
    ];
    let endpoint = elsewhere(&server);
    for (row, credentials) in rows {
        for kind in kinds() {
            let client = builder(&endpoint, kind);
            let client = credentials.iter().cloned().fold(client, OperationsClientBuilder::credentials);
            let error = client.build().expect_err(row);
            let message = format!(
                "endpoint `{endpoint}` is plain http, over which credentials could be read on the way: use \
                 `Credentials::anonymous()`, or an https endpoint"
            );
            assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, message), "{row}, {kind}");
        }
    }
    assert_eq!(server.request_count(), 0);
    Ok(())
}

#[test]
fn no_client_certificate_is_presented_over_it() {
    let certificate = || ClientCertificate::from_files("client.crt", "client.key");
    for kind in kinds() {
        let client = || builder("http://emulator:8080", kind).credentials(Credentials::anonymous());
        let rows = [
            ("of the options", client().http_options(HttpOptions::new().client_certificate(certificate()))),
            (
                "by the environment",
                client()
                    .client_cert_source(certificate())
                    .environment([("GOOGLE_API_USE_CLIENT_CERTIFICATE", "true")]),
            ),
        ];
        for (row, client) in rows {
            let error = client.build().expect_err(row);
            let message = "endpoint `http://emulator:8080` is plain http, over which no client certificate can be \
                           presented: leave it out, or use an https endpoint";
            assert_eq!(
                (error.kind(), error.to_string().as_str()),
                (ErrorKind::Config, message),
                "{row}, {kind}"
            );
        }
    }
}

#[test]
fn no_header_with_a_credential_goes_over_it() -> Result<(), Error> {
    let server = FakeServer::start();
    let endpoint = elsewhere(&server);
    let rows = [("x-goog-api-key", "CANARY-1"), ("cookie", "CANARY-2"), ("x-a", "ya29.CANARY-3")];
    for (name, value) in rows {
        for kind in kinds() {
            let client = || builder(&endpoint, kind).credentials(Credentials::anonymous());
            let errors = [
                client().build()?.get("operations/1").header(name, value).send().unwrap_err(),
                client().header(name, value).build()?.list("operations").send().unwrap_err(),
                client().header(name, value).build()?.poller("operations/1").until_done().unwrap_err(),
            ];
            for error in errors {
                let message = format!(
                    "endpoint `{endpoint}` is plain http, over which header `{name}` may be a credential: leave it out, \
                     or use an https endpoint"
                );
                assert_eq!(error.kind(), ErrorKind::Config, "{name}, {kind}: {error}");
                assert!(error.to_string().contains(&message), "{name}, {kind}: {error}");
                assert!(!format!("{error:?} {error:#}").contains("CANARY"), "{name}, {kind}");
            }
        }
    }
    assert_eq!(server.request_count(), 0);
    Ok(())
}
