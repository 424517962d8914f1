//! Secrets are named CANARY here: none may turn up in a log line, an error, or anything else that is printed.

use std::error::Error as _;
use std::fmt::Debug;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longrunning::auth::{AccessToken, ServiceAccount, TokenError, TokenRequest};
use longrunning::http::{HttpMethod, HttpOptions, HttpRequest, HttpResponse, ProxySetting};
use longrunning::testing::Reply;
use longrunning::{Credentials, Error, OperationsClient, Status};

use crate::kit::{KEY_FILE, Method, NAME, Unreachable, server, unavailable};
use crate::listener::{heard, listen, wire};

/// Whether a text has a secret in it: one of those below, or a part of the private key.
fn is_leak(text: &str) -> bool {
    text.contains("CANARY")
        || text.contains(&STANDARD.encode("CANARY"))
        || key_lines().any(|line| text.contains(line))
}

fn key_lines() -> impl Iterator<Item = &'static str> {
    KEY_FILE.split("\\n").filter(|line| line.len() == 64)
}

#[test]
fn no_secret_is_logged_or_printed() {
    listen();
    let mut printed = Vec::new();
    let mut print = |value: &dyn Debug| printed.push(format!("{value:?} {value:#?}"));
    for credentials in credentials() {
        print(&credentials);
        for reply in faults() {
            let server = server();
            let builder = server
                .client_builder()
                .credentials(credentials.clone())
                .header("x-goog-api-key", "CANARY-key-1");
            print(&builder);
            let client = builder.build().unwrap();
            print(&client);
            print(&client.get(NAME).header("cookie", "CANARY-cookie-3"));
            for method in Method::ALL {
                server.reply(reply.clone());
                if let Err(error) = method.run(&client) {
                    print(&error);
                    print(&texts(&error));
                }
            }
            server
                .client_builder()
                .credentials(credentials.clone())
                .http_client(Unreachable::new())
                .build()
                .unwrap()
                .get(NAME)
                .send()
                .unwrap_err();
            print(&server.requests());
        }
    }
    for error in refusals() {
        print(&error);
        print(&texts(&error));
    }
    let headers = [
        ("authorization".into(), "Bearer CANARY-token-4".into()),
        ("x-goog-api-key".into(), "CANARY-5".into()),
    ];
    print(
        &HttpRequest::new(HttpMethod::Get, "https://x/?key=CANARY-query-6")
            .headers(&headers)
            .body(b"CANARY-body-7"),
    );
    print(&HttpResponse::new(200, "CANARY-body-8").with_header("set-cookie", "CANARY-cookie-9"));
    print(&AccessToken::new("CANARY-token-10"));
    print(&HttpOptions::new().proxy(ProxySetting::Url("http://u:CANARY-11@proxy.example:3128".into())));

    assert_eq!(printed.iter().find(|text| is_leak(text)), None);
    assert!(heard(|line| is_leak(&line.text)).is_empty());
    for who in ["longrunning", "ureq"] {
        assert!(!heard(|line| line.target.starts_with(who)).is_empty(), "{who} logs nothing");
    }
    assert!(printed.len() > 500, "{}", printed.len());
}

/// Not even where ureq shows all bytes that it writes.
#[test]
fn no_secret_is_in_the_dump_of_a_request() {
    listen();
    let server = server();
    server.require_token("CANARY-token-15");
    let credentials = Credentials::bearer("CANARY-token-15").unwrap();
    let client = server.client_builder().credentials(credentials).build().unwrap();
    client.cancel(NAME).header("x-my-token", "CANARY-16").send().unwrap();
    let request = server.requests().remove(0);
    assert_eq!(request.header("x-my-token"), Some("CANARY-16"));
    let wire = wire();
    assert!(wire.contains("POST /v1/") && wire.contains("authorization: hidden-"), "{wire}");
    assert!(wire.contains("x-my-token: hidden-") && !wire.contains("CANARY"), "{wire}");
}

#[test]
fn the_net_has_no_holes() {
    for text in ["a CANARY-token-1 b", "Q0FOQVJZ", key_lines().next().unwrap()] {
        assert!(is_leak(text), "{text}");
    }
    assert!(!is_leak("canary") && key_lines().count() > 20);
}

fn credentials() -> Vec<Credentials> {
    let fresh =
        |_: &TokenRequest<'_>| Ok(AccessToken::new("CANARY-token-12").expires_in(Duration::from_secs(60)));
    let unusable = |_: &TokenRequest<'_>| Ok(AccessToken::new("CANARY-token-13\r\nx: y"));
    let sealed = |_: &TokenRequest<'_>| Err(TokenError::transient("the vault is sealed"));
    vec![
        Credentials::bearer("CANARY-token-14").unwrap(),
        Credentials::provider(fresh),
        Credentials::provider(unusable),
        Credentials::provider(sealed),
        ServiceAccount::from_json(KEY_FILE).unwrap().into(),
    ]
}

/// Good and bad ends, with bodies that must not be repeated.
fn faults() -> Vec<Reply> {
    vec![
        Reply::usual(),
        Reply::status(401),
        Reply::status(401).times(2),
        Reply::status(403),
        unavailable(),
        Reply::html(502),
        Reply::html(200),
        Reply::reset(),
        Reply::hang(),
        Reply::usual().gzip().truncate_at(8),
        Reply::json(200, r#"{"name":"CANARY-body-15"#),
        Reply::json(200, r#"{"done":"CANARY-body-16"}"#),
        Reply::json(200, "CANARY-body-17"),
        Reply::raw("CANARY-body-18\r\n\r\n"),
        Reply::redirect("https://elsewhere.example/"),
        Reply::status(200).header("x-large", "CANARY".repeat(20_000)),
        Reply::status(200).header("set-cookie", "CANARY-cookie-21"),
    ]
}

/// What is refused before anything is sent.
fn refusals() -> Vec<Error> {
    let builder = |endpoint: &str| OperationsClient::builder(endpoint).credentials(Credentials::anonymous());
    let key = |json: &str| ServiceAccount::from_json(json).unwrap_err();
    let proxy = |url: &str| {
        let options = HttpOptions::new().proxy(ProxySetting::Url(url.into()));
        builder("https://x").http_options(options).build().unwrap_err()
    };
    vec![
        Credentials::bearer("CANARY-token-22\n").unwrap_err(),
        builder("https://user:CANARY-password-23@x").build().unwrap_err(),
        builder("http://user:CANARY-password-24@example.com/").build().unwrap_err(),
        builder("https://x").header("authorization", "Bearer CANARY-token-25").build().unwrap_err(),
        builder("https://x").header("x-a", "CANARY-header-26\r\n").build().unwrap_err(),
        proxy("ftp://user:CANARY-password-27@x"),
        proxy("http://user:CANARY-password-28@"),
        key(r#"{"type":"service_account","client_email":"x","private_key":"CANARY-key-29"}"#),
        key(r#"{"private_key": "CANARY-key-30"#),
        key(&KEY_FILE.replace("robot@", "").replacen("MII", "XXX", 1)),
        Error::from(Status::new(longrunning::Code::Internal, "nothing secret")),
    ]
}

/// All that an error says of itself and of its causes.
fn texts(error: &Error) -> Vec<String> {
    let mut texts = vec![format!("{error} {error:#}")];
    let mut cause = error.source();
    while let Some(source) = cause {
        texts.push(format!("{source} {source:?}"));
        cause = source.source();
    }
    texts
}
