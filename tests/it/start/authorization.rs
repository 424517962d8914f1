//! Headers for requests of the program's own.

use longrunning::auth::{AccessToken, TokenRequest};
use longrunning::{Credentials, Error, ErrorKind, OperationsClient, OperationsClientBuilder};

use super::{PATH, server};
use crate::kit::KEY_FILE;

fn builder(credentials: impl Into<Credentials>) -> OperationsClientBuilder {
    OperationsClient::builder("run.googleapis.com").credentials(credentials).environment([("A", "b")])
}

fn headers(builder: OperationsClientBuilder) -> Result<Vec<(String, String)>, Error> {
    let headers = builder.build().unwrap().authorization_headers()?;
    assert!(!format!("{headers:?}").contains("CANARY"), "{headers:?}");
    Ok(headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[test]
fn they_are_those_of_the_clients_own_calls() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let bearer = || Credentials::bearer("CANARY-token-1").unwrap();
    let project = pair("x-goog-user-project", "billing");
    assert_eq!(headers(builder(bearer())).unwrap(), [pair("authorization", "Bearer CANARY-token-1")]);
    assert_eq!(
        headers(builder(bearer()).quota_project("billing")).unwrap(),
        [pair("authorization", "Bearer CANARY-token-1"), project.clone()]
    );
    let environment = builder(bearer()).environment([("GOOGLE_CLOUD_QUOTA_PROJECT", "billing")]);
    assert_eq!(headers(environment).unwrap()[1], project);
    let key = Credentials::api_key("CANARY-key-1").unwrap();
    assert_eq!(headers(builder(key)).unwrap(), [pair("x-goog-api-key", "CANARY-key-1")]);
    assert_eq!(headers(builder(Credentials::anonymous())).unwrap(), []);
    let jwt = headers(builder(Credentials::from_json(KEY_FILE).unwrap())).unwrap();
    assert!(jwt[0].1.starts_with("Bearer ey"));
}

#[test]
fn a_token_is_fetched_once_for_both() {
    let given = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = std::sync::Arc::clone(&given);
    let provider = move |_: &TokenRequest<'_>| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        Ok(AccessToken::new(format!("t{number}")).expires_in(std::time::Duration::from_secs(3600)))
    };
    let client = builder(Credentials::provider(provider)).build().unwrap();
    for _ in 0..3 {
        assert_eq!(client.authorization_headers().unwrap().get("Authorization"), Some("Bearer t1"));
    }
    #[cfg(feature = "async")]
    {
        let client = longrunning::OperationsAsyncClient::from(client);
        let headers = pollster::block_on(client.authorization_headers()).unwrap();
        assert_eq!(headers.get("authorization"), Some("Bearer t1"));
    }
    assert_eq!(given.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn none_are_given_for_plain_http() {
    let server = server();
    let client =
        server.client_builder().credentials(Credentials::bearer("CANARY-1").unwrap()).build().unwrap();
    client.start(PATH).send().unwrap();
    let error = client.authorization_headers().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("is not https"), "{error}");
    assert_eq!(server.client().authorization_headers().unwrap().iter().count(), 0, "anonymous");
}

#[test]
fn failures_are_those_of_a_call() {
    let refuses = |_: &TokenRequest<'_>| Err(longrunning::auth::TokenError::permanent("no"));
    let error = headers(builder(Credentials::provider(refuses))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);

    #[derive(Debug)]
    struct Own;
    impl longrunning::transport::Transport for Own {}
    let client = OperationsClient::over(Own).build().unwrap();
    assert_eq!(client.authorization_headers().unwrap_err().kind(), ErrorKind::Config);
    let error = client.start("/v1/x").send().unwrap_err();
    assert_eq!(error.code(), Some(longrunning::Code::Unimplemented));
}
