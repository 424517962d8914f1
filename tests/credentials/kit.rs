//! What the tests share.

#[path = "../support/folder.rs"]
mod folder;

use std::path::Path;

use longrunning::auth::{CredentialsPolicy, ServiceAccount};
use longrunning::testing::{FakeServer, SubjectToken};
use longrunning::{Credentials, Operation, OperationsClient};

pub(crate) use folder::Folder;

pub(crate) const NAME: &str = "operations/42";

/// A throwaway key, see `tests/fixtures/keys`.
pub(crate) const KEY: &str = include_str!("../fixtures/keys/rsa2048.pkcs8.pem");

/// A server with one operation, for those with a token that it has given.
pub(crate) fn server() -> FakeServer {
    with_operation(FakeServer::start())
}

/// The same with the machine's clock.
pub(crate) fn real_time_server() -> FakeServer {
    with_operation(FakeServer::builder().real_time().start().unwrap())
}

fn with_operation(server: FakeServer) -> FakeServer {
    server.insert(Operation::running(NAME));
    server.require_issued_tokens();
    server
}

/// A client that may run the commands of its credentials.
pub(crate) fn client(server: &FakeServer, credentials: impl Into<Credentials>) -> OperationsClient {
    let mut environment = server.environment();
    environment.insert("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES".into(), "1".into());
    let builder = server.client_builder().environment(environment).credentials(credentials);
    builder.build().unwrap_or_else(|error| panic!("{error:#}"))
}

/// Loads a file that leads to the server.
pub(crate) fn load(file: &str) -> Credentials {
    let policy = CredentialsPolicy::trusting_the_file().host("127.0.0.1");
    Credentials::from_json_with(file, &policy).unwrap_or_else(|error| panic!("{error:#}"))
}

/// A service account that exchanges its assertions at the server.
pub(crate) fn exchanging(server: &FakeServer) -> ServiceAccount {
    let file = server.auth().service_account_file(KEY).unwrap();
    let account = ServiceAccount::from_json(&file).unwrap();
    account.exchange_token().token_uri(format!("{}/token", server.url()))
}

/// A file of every type and source, by name.
pub(crate) fn files(server: &FakeServer, folder: &Folder) -> Vec<(&'static str, String)> {
    let auth = server.auth();
    let token = folder.file("token", &auth.subject_token());
    let mut files = vec![
        ("service account", auth.service_account_file(KEY).unwrap()),
        ("user", auth.authorized_user_file()),
        ("workforce user", auth.external_account_authorized_user_file()),
        ("aws", auth.external_account_file(SubjectToken::Aws)),
        ("file", auth.external_account_file(SubjectToken::File(Path::new(&token)))),
        ("url", auth.external_account_file(SubjectToken::Url)),
    ];
    if cfg!(unix) {
        let command = format!("/bin/cat '{}'", folder.file("printed.json", &printed(server)));
        files.push(("executable", auth.external_account_file(SubjectToken::Executable(&command))));
    }
    files
}

/// What an executable has to print.
pub(crate) fn printed(server: &FakeServer) -> String {
    let token = server.auth().subject_token();
    format!(
        r#"{{"version": 1, "success": true, "token_type": "urn:ietf:params:oauth:token-type:id_token",
             "id_token": "{token}", "expiration_time": 4102444800}}"#
    )
}

/// The start lines of all requests but those for operations.
pub(crate) fn asked(server: &FakeServer) -> Vec<String> {
    let requests = server.requests();
    let lines = requests.iter().map(|request| format!("{} {}", request.method(), request.target()));
    lines.filter(|line| !line.contains(NAME)).collect()
}

/// The parameters of a form, decoded, in the order of their names.
pub(crate) fn form(body: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(body).unwrap();
    let mut fields: Vec<_> = text
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decode(value)))
        .collect();
    fields.sort();
    fields
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next().unwrap()).to_digit(16).unwrap() as u8;
        bytes.push(if byte == b'%' { digit() * 16 + digit() } else { byte });
    }
    String::from_utf8(bytes).unwrap()
}
