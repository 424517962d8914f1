use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::token::NOT_DELEGATED;
use super::*;
use crate::auth::scopes::CLOUD_PLATFORM;
use crate::auth::scripted::ScriptedClient;
use crate::auth::{Credentials, TokenProvider, TokenRequest};
use crate::error::ErrorKind;
use crate::http::{HttpResponse, Unplugged};
use crate::util::env::SystemEnv;

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

#[test]
fn an_exchange_sends_an_assertion_for_the_right_endpoint() {
    type Change = fn(ServiceAccount) -> ServiceAccount;
    let google = "https://oauth2.googleapis.com/token";
    let own = "http://127.0.0.1:9/token";
    let rows: [(&str, Option<&str>, Change, &str, &str, Option<&str>, &str); 8] = [
        ("on request", None, |a| a.exchange_token(), google, google, None, CLOUD_PLATFORM),
        ("subject", None, |a| a.subject("u@x"), google, google, Some("u@x"), CLOUD_PLATFORM),
        ("scopes", None, |a| a.exchange_token().scopes(["s1", "s2"]), google, google, None, "s1 s2"),
        (
            "old files",
            Some("https://accounts.google.com/o/oauth2/token"),
            |a| a.exchange_token(),
            "https://accounts.google.com/o/oauth2/token",
            google,
            None,
            CLOUD_PLATFORM,
        ),
        (
            "a private endpoint of Google",
            Some("https://oauth2-corp.p.googleapis.com/token"),
            |a| a.exchange_token(),
            "https://oauth2-corp.p.googleapis.com/token",
            google,
            None,
            CLOUD_PLATFORM,
        ),
        (
            "chosen by the program",
            None,
            |a| a.exchange_token().token_uri("http://127.0.0.1:9/token"),
            own,
            own,
            None,
            CLOUD_PLATFORM,
        ),
        (
            "chosen in place of one that is not allowed",
            Some("https://evil.example/token"),
            |a| a.exchange_token().token_uri("http://127.0.0.1:9/token"),
            own,
            own,
            None,
            CLOUD_PLATFORM,
        ),
        ("no subject", None, |a| a.subject("").exchange_token(), google, google, None, CLOUD_PLATFORM),
    ];
    for (name, token_uri, change, url, aud, sub, scope) in rows {
        let mut file = key_file();
        file["token_uri"] = token_uri.into();
        let account = change(ServiceAccount::from_value(file).unwrap());
        let http = ScriptedClient::json([r#"{"access_token": "a", "expires_in": "600"}"#]);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let token = account.token(&TokenRequest { now, ..http.request() }).expect(name);
        assert_eq!((token.text(), token.lifetime(now)), ("a", Duration::from_secs(600)), "{name}");
        let seen = http.take().remove(0);
        assert_eq!(seen.line, format!("POST {url}"), "{name}");
        let form = seen.form();
        assert_eq!(form.keys().collect::<Vec<_>>(), ["assertion", "grant_type"], "{name}");
        assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer", "{name}");
        let mut claims = json!({
            "iss": "robot@test-project.iam.gserviceaccount.com", "aud": aud, "scope": scope,
            "iat": 1_799_999_990, "exp": 1_800_003_590,
        });
        if let Some(sub) = sub {
            claims["sub"] = sub.into();
        }
        assert_eq!(claims_of(&form["assertion"]), claims, "{name}");
    }
}

#[test]
fn what_cannot_be_exchanged_is_refused_before_anything_is_sent() {
    type Change = fn(ServiceAccount) -> ServiceAccount;
    let rows: [(&str, &str, &str, Change, &str); 6] = [
        (
            "another universe",
            "universe_domain",
            "example.goog",
            |a| a.exchange_token(),
            "in the universe `example.goog` it can only sign them itself",
        ),
        (
            "a subject in another universe",
            "universe_domain",
            "example.goog",
            |a| a.subject("u@x"),
            "in the universe `example.goog` it can only sign them itself",
        ),
        (
            "an audience",
            "type",
            "service_account",
            |a| a.audience("https://x/").exchange_token(),
            "an audience is for self-signed ones, expected scopes",
        ),
        (
            "the audience of the endpoint",
            "type",
            "service_account",
            |a| a.audience_of_endpoint().subject("u@x"),
            "an audience is for self-signed ones, expected scopes",
        ),
        (
            "plain http",
            "type",
            "service_account",
            |a| a.exchange_token().token_uri("http://x.example/"),
            "`token_uri` is not https (plain http is accepted for loopback only)",
        ),
        (
            "no URL",
            "type",
            "service_account",
            |a| a.exchange_token().token_uri("x.example"),
            "`token_uri` is not an absolute URL",
        ),
    ];
    let email = "robot@test-project.iam.gserviceaccount.com";
    for (name, field, value, change, why) in rows {
        let mut file = key_file();
        file[field] = value.into();
        let account = change(ServiceAccount::from_value(file).unwrap());
        let message = format!("service account `{email}` cannot exchange its tokens: {why}");
        assert_refused(name, &account, &message);
    }
    let mut file = key_file();
    file["token_uri"] = "https://evil.example/token".into();
    let account = ServiceAccount::from_value(file).unwrap();
    assert!(account.token(&TokenRequest::new(Duration::ZERO, &Unplugged)).is_ok(), "nothing is sent there");
    let message = "credentials JSON names the host `evil.example` in `token_uri`, which the policy does not \
                   allow: expected a host of `googleapis.com`, see `CredentialsPolicy`";
    assert_refused("a foreign host", &account.exchange_token(), message);
}

fn assert_refused(name: &str, account: &ServiceAccount, message: &str) {
    let http = ScriptedClient::default();
    let error = account.token(&http.request()).expect_err(name);
    assert_eq!((error.to_string().as_str(), error.is_transient()), (message, false), "{name}");
    assert!(http.take().is_empty(), "{name}");
    let built = Credentials::from(account.clone()).resolve(&SystemEnv).expect_err(name);
    assert_eq!((built.kind(), built.to_string().as_str()), (ErrorKind::Config, message), "{name}");
}

#[test]
fn a_refused_delegation_says_who_can_allow_it() {
    let refusal = r#"{"error": "unauthorized_client", "error_description": "Client is unauthorized."}"#;
    let plain = "oauth2.googleapis.com responded with 401: unauthorized_client: Client is unauthorized.";
    let rows =
        [("no subject", false, plain.to_owned()), ("subject", true, format!("{NOT_DELEGATED}: {plain}"))];
    for (name, subject, message) in rows {
        let account = ServiceAccount::from_json(KEY_FILE).unwrap().exchange_token();
        let account = if subject { account.subject("u@x") } else { account };
        let http = ScriptedClient::new([Ok(HttpResponse::new(401, refusal))]);
        let error = account.token(&http.request()).expect_err(name);
        assert_eq!((error.to_string(), error.is_transient()), (message, false), "{name}");
    }
}

#[test]
fn the_audience_can_be_that_of_the_endpoint() {
    let account = ServiceAccount::from_json(KEY_FILE).unwrap().audience_of_endpoint();
    let rows = [
        ("https://run.googleapis.com", Some("https://run.googleapis.com/")),
        (
            "https://europe-west1-run.googleapis.com:8443",
            Some("https://europe-west1-run.googleapis.com:8443/"),
        ),
        ("https://run.mtls.googleapis.com", Some("https://run.googleapis.com/")),
        ("https://run.mtls.sandbox.googleapis.com", Some("https://run.sandbox.googleapis.com/")),
        ("", None),
    ];
    for (endpoint, expected) in rows {
        let scopes = ["ignored".to_owned()];
        let request =
            TokenRequest { endpoint, scopes: &scopes, ..TokenRequest::new(Duration::ZERO, &Unplugged) };
        match (account.token(&request), expected) {
            (Ok(token), Some(expected)) => {
                let claims = claims_of(token.text());
                assert_eq!((claims["aud"].as_str(), claims.get("scope")), (Some(expected), None));
            }
            (Err(error), None) => {
                assert_eq!(error.to_string(), "there is no endpoint to take the audience from");
            }
            (result, _) => panic!("{endpoint}: {result:?}"),
        }
    }
}

fn claims_of(jwt: &str) -> Value {
    let claims = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}
