use std::time::Duration;

use std::time::Instant;

use super::*;
use crate::error::ErrorKind;
use crate::http::Unplugged;
use crate::util::clock::SystemClock;

#[test]
fn only_a_provider_can_answer_a_refusal_with_another_token() {
    let account = || ServiceAccount::from_json(KEY_FILE).unwrap();
    let provider = |_: &TokenRequest<'_>| Ok(AccessToken::new("t"));
    let rows = [
        ("anonymous", Credentials::anonymous(), None, false),
        ("fixed", Credentials::bearer("t").unwrap(), Some("Bearer t"), false),
        ("provider", Credentials::provider(provider), Some("Bearer t"), true),
        ("service account", account().into(), Some("Bearer ey"), true),
    ];
    for (name, credentials, expected, replay) in rows {
        let authorizer =
            credentials.authorizer(Purpose::default(), Arc::new(SystemClock), Arc::new(Unplugged));
        let first = authorizer.authorization(Instant::now() + MINUTE, None).unwrap();
        let value = first.as_ref().map(Authorization::value).unwrap_or_default();
        assert!(value.starts_with(expected.unwrap_or_default()), "{name}");
        assert_eq!(first.is_some(), expected.is_some(), "{name}");
        let generation = first.map_or(0, |authorization| authorization.generation());
        assert_eq!(authorizer.invalidate(generation), replay, "{name}");
        let second = authorizer.authorization(Instant::now() + MINUTE, None).unwrap();
        let renewed = second.is_some_and(|authorization| authorization.generation() != generation);
        assert_eq!(renewed, replay, "{name}");
    }
}

#[test]
fn bearer_tokens_are_checked() {
    let rows = [("empty", ""), ("line break", "CANARY-1\n"), ("header injection", "CANARY-2\r\nx: y")];
    for (name, token) in rows {
        let error = Credentials::bearer(token).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Config, "{name}");
        assert!(error.to_string().starts_with("the bearer token "), "{name}: {error}");
    }
}

#[test]
fn the_file_names_the_quota_project() {
    let mut file: serde_json::Value = serde_json::from_str(KEY_FILE).unwrap();
    file["quota_project_id"] = "billing".into();
    let account = ServiceAccount::from_value(file).unwrap();
    assert_eq!(Credentials::from(account).quota_project(), Some("billing"));
    assert_eq!(Credentials::anonymous().quota_project(), None);
}

#[test]
fn nothing_that_can_be_printed_shows_a_secret() {
    let account = ServiceAccount::from_json(KEY_FILE).unwrap();
    let signed = account.token(&TokenRequest::new(MINUTE, &Unplugged)).unwrap();
    let fixed = Credentials::bearer("CANARY-bearer-1").unwrap();
    let from_provider = Credentials::provider(|_: &TokenRequest<'_>| Ok(AccessToken::new("CANARY-token-2")));
    let bad = Credentials::provider(|_: &TokenRequest<'_>| Ok(AccessToken::new("CANARY-token-3\n")));
    let authorizers = [&fixed, &from_provider, &Credentials::from(account.clone())].map(|credentials| {
        credentials.authorizer(Purpose::default(), Arc::new(SystemClock), Arc::new(Unplugged))
    });
    let sent = authorizers
        .each_ref()
        .map(|authorizer| authorizer.authorization(Instant::now() + MINUTE, None).unwrap().unwrap());
    let errors = [
        Credentials::bearer("CANARY-bearer-4\n").unwrap_err(),
        bad.authorizer(Purpose::default(), Arc::new(SystemClock), Arc::new(Unplugged))
            .authorization(Instant::now() + MINUTE, None)
            .unwrap_err(),
        ServiceAccount::from_json(r#"{"client_email": "x", "private_key": "CANARY-key-5"}"#).unwrap_err(),
        ServiceAccount::from_json(r#"{"client_email": {"CANARY-key-6": 1}}"#).unwrap_err(),
        ServiceAccount::from_json(r#"{"private_key": "CANARY-key-7"#).unwrap_err(),
    ];
    let printed = format!(
        "{account:#?} {signed:#?} {fixed:#?} {from_provider:#?} {authorizers:#?} {sent:#?} {:#?} {errors:#?} {}",
        Credentials::from(account.clone()),
        errors.each_ref().map(|error| format!("{error} {error:#}")).join(" "),
    );
    assert!(printed.contains("robot@test-project.iam.gserviceaccount.com"), "{printed}");
    assert!(!printed.contains("CANARY"), "{printed}");
    let jwts = [signed.text(), sent[2].value()];
    let signatures = jwts.iter().flat_map(|jwt| jwt.split('.'));
    let key_lines = KEY_FILE.split("\\n").filter(|line| line.len() == 64);
    assert!(key_lines.clone().count() > 20);
    for secret in signatures.chain(key_lines) {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
}

#[test]
fn credentials_can_be_shared_between_threads() {
    fn check<T: Clone + Send + Sync + 'static>() {}
    check::<Credentials>();
    check::<ServiceAccount>();
    check::<AccessToken>();
    check::<TokenError>();
}

const KEY_FILE: &str = include_str!("../../tests/fixtures/keys/service_account.json");
const MINUTE: Duration = Duration::from_secs(60);
