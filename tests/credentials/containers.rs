//! Keys of containers on AWS: ECS, Fargate and EKS Pod Identity.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use longrunning::http::{
    HttpAgent, HttpClient, HttpError, HttpOptions, HttpRequest, HttpResponse, ProxySetting, Roots,
};
use longrunning::testing::{FakeServer, Reply, SubjectToken};
use longrunning::{Error, ErrorKind, OperationsClient};

use crate::kit::{Folder, NAME, asked, load, server};

const FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const RELATIVE_URI: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
const KEYS: &str = "GET /v2/credentials/fake-task";
const EXCHANGE: &str = "POST /v1/token";

#[test]
fn the_endpoint_comes_after_the_environment_and_before_the_metadata_server() {
    let keys = [
        ("AWS_ACCESS_KEY_ID", "ASIAFAKEACCESSKEY"),
        ("AWS_SECRET_ACCESS_KEY", "CANARY-aws-secret"),
        ("AWS_SESSION_TOKEN", "CANARY-aws-token"),
    ];
    let zone = "GET /latest/meta-data/placement/availability-zone";
    let rows: [(&str, &[(&str, &str)], &[&str], &[&str]); 4] = [
        ("container", &[], &[], &[KEYS, EXCHANGE]),
        ("keys of the environment", &keys, &[], &[EXCHANGE]),
        ("half of the keys", &keys[..1], &[], &[KEYS, EXCHANGE]),
        ("region of the machine", &[], &["AWS_REGION"], &["PUT /latest/api/token", zone, KEYS, EXCHANGE]),
    ];
    for (name, set, unset, expected) in rows {
        let server = server();
        let mut env = server.auth().container_environment();
        env.extend(set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        env.retain(|name, _| !unset.contains(&name.as_str()));
        let client = client(&server, env).unwrap();
        client.get(NAME).send().unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(asked(&server), expected, "{name}");
    }
}

#[test]
fn the_token_file_is_read_anew_for_every_token() {
    let (server, folder) = (server(), Folder::new());
    let mut env = server.auth().container_environment();
    // The file goes before the variable, which is out of date here.
    let path = folder.file("token", &env[TOKEN]);
    env.insert(TOKEN_FILE.into(), path.clone());
    env.insert(TOKEN.into(), "CANARY-old".into());
    let client = client(&server, env).unwrap();
    for _ in 0..3 {
        client.get(NAME).send().unwrap_or_else(|error| panic!("{error:#}"));
        server.advance(Duration::from_secs(3600));
        let rotated = server.auth().rotate_container_token().container_environment();
        fs::write(&path, format!("{}\n", rotated[TOKEN])).unwrap();
    }
    assert_eq!(asked(&server), [KEYS, EXCHANGE].repeat(3));
}

#[test]
fn what_goes_wrong_is_named_without_secrets() {
    let folder = Folder::new();
    let rows = [
        ("a token that adds a header", "CANARY\r\nx-evil: 1", "holds a line break"),
        ("no token", " \n", "is empty"),
    ];
    for (name, token, expected) in rows {
        let server = server();
        let mut env = server.auth().container_environment();
        let path = folder.file("token", token);
        env.insert(TOKEN_FILE.into(), path.clone());
        let error = client(&server, env).unwrap().get(NAME).send().unwrap_err();
        assert_eq!((error.kind(), server.request_count()), (ErrorKind::Auth, 0), "{name}: {error:#}");
        let named = format!("AWS authorization token file `{path}` {expected}");
        assert!(error.to_string().contains(&named) && !is_leak(&error), "{name}: {error:#}");
    }
    let server = server();
    let mut env = server.auth().container_environment();
    env.insert(TOKEN_FILE.into(), "/nonexistent/token".into());
    let error = client(&server, env).unwrap().get(NAME).send().unwrap_err();
    assert!(
        error.to_string().contains("AWS authorization token file `/nonexistent/token` does not exist"),
        "{error:#}"
    );

    for (reply, expected) in [
        (Reply::status(401), "127.0.0.1 responded with 401"),
        (
            Reply::json(200, r#"{"AccessKeyId": "CANARY-1", "SecretAccessKey": 2}"#),
            "gave no AWS security credentials",
        ),
        (Reply::json(404, r#"{"message": "CANARY-2"}"#), "127.0.0.1 responded with 404"),
    ] {
        let server = self::server();
        server.reply_to("GET", "/v2/credentials", reply);
        let error =
            client(&server, server.auth().container_environment()).unwrap().get(NAME).send().unwrap_err();
        assert!(error.to_string().contains(expected) && !is_leak(&error), "{error:#}");
    }
}

#[test]
fn plain_http_to_another_host_is_refused_when_the_client_is_built() {
    let server = server();
    let mut env = server.auth().container_environment();
    env.insert(FULL_URI.into(), "http://credentials.example.com/".into());
    let error = client(&server, env).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let expected = "cannot use `AWS_CONTAINER_CREDENTIALS_FULL_URI`: plain http to credentials.example.com is not allowed";
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_relative_uri_leads_to_the_host_of_ecs() {
    let server = server();
    let mut env = server.auth().container_environment();
    env.remove(FULL_URI);
    env.insert(RELATIVE_URI.into(), "/v2/credentials/fake-task".into());
    let options = HttpOptions::new().roots(Roots::None).proxy(ProxySetting::None);
    let ecs = Ecs { agent: HttpAgent::new(&options).unwrap(), server: server.url() };
    let file = server.auth().external_account_file(SubjectToken::Aws);
    let builder = server.client_builder().environment(env).credentials(load(&file)).http_client(ecs);
    builder.build().unwrap().get(NAME).send().unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(asked(&server), [KEYS, EXCHANGE]);
}

/// Leads requests for the host of ECS to a fake server.
#[derive(Debug)]
struct Ecs {
    agent: HttpAgent,
    server: String,
}

impl HttpClient for Ecs {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let url = request.url.replace("http://169.254.170.2/", &format!("{}/", self.server));
        let mut request = *request;
        request.url = &url;
        self.agent.send(&request)
    }
}

fn client(server: &FakeServer, env: BTreeMap<String, String>) -> Result<OperationsClient, Error> {
    let file = server.auth().external_account_file(SubjectToken::Aws);
    server.client_builder().environment(env).credentials(load(&file)).build()
}

fn is_leak(error: &Error) -> bool {
    format!("{error} {error:#} {error:?} {error:#?}").contains("CANARY")
}
