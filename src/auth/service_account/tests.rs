use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::error::ErrorKind;
use crate::http::Unplugged;

#[test]
fn the_account_then_the_client_then_the_default_decides_what_a_token_is_good_for() {
    let account = || ServiceAccount::from_json(KEY_FILE).unwrap();
    let client = ["c1".to_owned(), "c2".to_owned()];
    let rows: [(&str, ServiceAccount, &[String], &str, &str); 8] = [
        ("default", account(), &[], "scope", CLOUD_PLATFORM),
        ("client", account(), &client, "scope", "c1 c2"),
        ("account", account().scopes(["a1", "a2"]), &client, "scope", "a1 a2"),
        ("audience", account().audience("https://x/"), &client, "aud", "https://x/"),
        ("the last one of both", account().audience("https://x/").scopes(["a1"]), &[], "scope", "a1"),
        ("the last one of both", account().scopes(["a1"]).audience("https://x/"), &[], "aud", "https://x/"),
        ("no scopes", account().audience("https://x/").scopes([""; 2]), &client, "scope", "c1 c2"),
        ("no audience", account().scopes(["a1"]).audience(""), &[], "scope", CLOUD_PLATFORM),
    ];
    for (name, account, scopes, claim, expected) in rows {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_999);
        let request = TokenRequest { scopes, now, ..TokenRequest::new(Duration::ZERO, &Unplugged) };
        let token = account.token(&request).expect(name);
        let claims = token.text().split('.').nth(1).expect(name);
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect(name)).expect(name);
        let email = "robot@test-project.iam.gserviceaccount.com";
        let mut all = json!({"iss": email, "sub": email, "iat": 1_799_999_990, "exp": 1_800_003_590});
        all[claim] = expected.into();
        assert_eq!(claims, all, "{name}");
        assert_eq!(
            token.lifetime(now),
            Duration::from_millis(3_589_001),
            "{name}: by the claim, not by the call"
        );
    }
}

#[test]
fn a_clock_before_1970_is_an_error() {
    let now = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let request = TokenRequest { now, ..TokenRequest::new(Duration::ZERO, &Unplugged) };
    let error = ServiceAccount::from_json(KEY_FILE).unwrap().token(&request).unwrap_err();
    assert_eq!(error.to_string(), "the clock of this machine is set before 1970");
    assert!(error.is_transient());
}

#[test]
fn fields_are_read_and_empty_ones_are_missing() {
    let account = ServiceAccount::from_json(KEY_FILE).unwrap();
    assert_eq!(account.private_key_id(), Some("test-only-key-1"));
    assert_eq!(account.project_id(), Some("test-project"));
    assert_eq!((account.universe_domain(), account.quota_project_id()), ("googleapis.com", None));

    let mut file = key_file();
    file["private_key_id"] = "".into();
    file["project_id"] = Value::Null;
    file["universe_domain"] = "example.goog".into();
    file["quota_project_id"] = "billing".into();
    file.as_object_mut().unwrap().remove("type");
    let account = ServiceAccount::from_value(file).unwrap();
    assert_eq!((account.private_key_id(), account.project_id()), (None, None));
    assert_eq!((account.universe_domain(), account.quota_project_id()), ("example.goog", Some("billing")));
}

#[test]
fn what_is_wrong_with_a_file_is_named_without_showing_it() {
    let with = |name: &str, value: Value| {
        let mut file = key_file();
        file[name] = value;
        file.to_string()
    };
    let rows = [
        ("empty", String::new(), "cannot be parsed as JSON: line 1, column 0"),
        (
            "not JSON",
            "{\n \"private_key\": \"CANARY-1\",,}".into(),
            "cannot be parsed as JSON: line 2, column 28",
        ),
        ("a string", "\"CANARY-2\"".into(), "is a string: expected a JSON object"),
        ("a list", "[\"CANARY-3\"]".into(), "is an array: expected a JSON object"),
        ("no fields", "{}".into(), "lacks `client_email` and `private_key`"),
        ("no e-mail", with("client_email", Value::Null), "lacks `client_email`"),
        ("an empty key", with("private_key", "".into()), "lacks `private_key`"),
        ("a number", with("client_email", 7.into()), "has a number as `client_email`: expected a string"),
        (
            "a nested key",
            with("private_key", json!({"pem": "CANARY-4"})),
            "has an object as `private_key`: expected a string",
        ),
        (
            "another type",
            with("type", "authorized_user".into()),
            "is of type `authorized_user`: expected `service_account`",
        ),
        (
            "garbage for a key",
            with("private_key", "CANARY-5".into()),
            "cannot be used: `private_key` holds no unencrypted private key in PEM: \
             expected `-----BEGIN PRIVATE KEY-----` and real line breaks",
        ),
        (
            "an EC key",
            with("private_key", include_str!("../../../tests/fixtures/keys/ec.pkcs8.pem").into()),
            "cannot be used: `private_key` is not an RSA key: \
             expected RSA of 2048 to 4096 bits, as PKCS#8 or PKCS#1",
        ),
    ];
    for (name, json, expected) in rows {
        let error = ServiceAccount::from_json(&json).expect_err(name);
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::Config, format!("credentials JSON {expected}"))
        );
        assert!(!format!("{error:#} {error:?}").contains("CANARY"), "{name}: {error:?}");
    }
}

fn key_file() -> Value {
    serde_json::from_str(KEY_FILE).unwrap()
}

const KEY_FILE: &str = include_str!("../../../tests/fixtures/keys/service_account.json");
