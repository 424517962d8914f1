use serde_json::Value;

use super::*;
use crate::auth::scripted::{ScriptedClient, load, local_url, now};
use crate::error::ErrorKind;

#[test]
fn a_service_account_asks_for_another_one() {
    let server = ScriptedClient::responses([(200, answer("2027-01-15T09:00:00Z"))]);
    let mut file = file(serde_json::from_str(KEY_FILE).unwrap());
    file["delegates"] = json!(["projects/-/serviceAccounts/between@p"]);
    file["quota_project_id"] = "billing".into();
    let credentials = load(&file).unwrap();
    assert_eq!(format!("{credentials:?}"), "Credentials(impersonated service account `robot@p`)");
    let given = server.token(&credentials, &["a", "b"]).unwrap();
    assert_eq!((given.text(), given.lifetime(now())), ("CANARY-1", Duration::from_secs(3600)));
    let [request] = &server.take()[..] else { panic!("one request") };
    assert_eq!(request.line, format!("POST http://127.0.0.1{PATH}"));
    assert_eq!(
        request.json(),
        json!({
            "delegates": ["projects/-/serviceAccounts/between@p"],
            "scope": ["a", "b"],
            "lifetime": "3600s",
        })
    );
    let claims = request.headers["authorization"].split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(
        &base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap(),
    )
    .unwrap();
    assert_eq!(claims["scope"], IAM, "the source can do nothing else");
}

#[test]
fn a_user_is_asked_for_no_scopes_and_the_file_may_say_some() {
    let rows: [(&str, Value, &[&str], Value); 3] = [
        ("of the client", json!(["f1"]), &["c1"], json!(["c1"])),
        ("of the file", json!(["f1", "f2"]), &[], json!(["f1", "f2"])),
        ("default", Value::Null, &[], json!(["https://www.googleapis.com/auth/cloud-platform"])),
    ];
    for (name, scopes, client, expected) in rows {
        let login = r#"{"access_token":"CANARY-2","expires_in":3599}"#.to_owned();
        let server = ScriptedClient::responses([(200, login), (200, answer("2027-01-15T09:00:00Z"))]);
        let mut file = file(json!({"type": "authorized_user", "client_id": "id", "client_secret": "s",
                "refresh_token": "r", "token_uri": local_url("/token")}));
        file["scopes"] = scopes;
        server.token(&load(&file).expect(name), client).expect(name);
        let [user, account] = &server.take()[..] else { panic!("{name}: two requests") };
        assert_eq!(user.field("scope"), None, "{name}");
        assert_eq!(account.headers["authorization"], "Bearer CANARY-2", "{name}");
        assert_eq!(account.json()["scope"], expected, "{name}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_named() {
    let key: Value = serde_json::from_str(KEY_FILE).unwrap();
    let with = |name: &str, value: Value| {
        let mut file = file(key.clone());
        file[name] = value;
        file
    };
    let rows = [
        ("no url", with(URL, Value::Null), "credentials JSON lacks `service_account_impersonation_url`"),
        ("no source", with(SOURCE, Value::Null), "credentials JSON lacks `source_credentials`"),
        (
            "a source without a type",
            with(SOURCE, json!({})),
            "`source_credentials` of credentials JSON lacks `type`",
        ),
        (
            "a source that is impersonated",
            with(SOURCE, file(key.clone())),
            "`source_credentials` of credentials JSON is impersonated itself: \
             expected `delegates` for a chain of accounts",
        ),
        (
            "a source of another cloud",
            with(SOURCE, json!({"type": "gdch_service_account"})),
            "`source_credentials` of credentials JSON is of type `gdch_service_account` (Google Distributed Cloud), which is not supported: \
             give its tokens by a `TokenProvider` of your own",
        ),
        (
            "no service account",
            with(URL, "https://iamcredentials.googleapis.com/:generateAccessToken".into()),
            "credentials JSON names no service account in `service_account_impersonation_url`: \
             expected `…/E-MAIL:generateAccessToken`",
        ),
        (
            "scopes in one text",
            with("scopes", "a b".into()),
            "credentials JSON has a string as `scopes`: expected a list of strings",
        ),
    ];
    for (name, file, expected) in rows {
        let error = load(&file).expect_err(name);
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Config, expected), "{name}");
    }
}

#[test]
fn answers_are_read_leniently_and_never_panic() {
    let in_an_hour = Ok(Duration::from_secs(3600));
    let unknown = Ok(Duration::from_secs(300));
    let late = "the token that h gave expired 1 s ago by the clock of this machine, which may be ahead";
    let rows = [
        ("UTC", answer("2027-01-15T09:00:00Z"), in_an_hour),
        ("a fraction", answer("2027-01-15T08:00:00.123456789Z"), Ok(Duration::from_secs(1))),
        ("an offset", answer("2027-01-15T10:30:00+01:30"), in_an_hour),
        ("lowercase", answer("2027-01-15t09:00:00z"), in_an_hour),
        ("a blank", answer(" 2027-01-15 09:00:00.000-00:00 "), in_an_hour),
        ("far away", answer("9999-12-31T23:59:59Z"), Ok(Duration::from_secs(43_200))),
        ("no time", answer("soon"), unknown),
        ("missing time", r#"{"accessToken":"CANARY-1"}"#.into(), unknown),
        ("past", answer("2027-01-15T07:59:59Z"), Err((late, true))),
        ("now", answer("2027-01-15T08:00:00Z"), Err(("expired 0 s ago", true))),
        ("before 1970", answer("0001-01-01T00:00:00Z"), Err(("expired 1800000000 s ago", true))),
        (
            "no token",
            r#"{"expireTime":"2027-01-15T09:00:00Z"}"#.into(),
            Err(("the response of h lacks `accessToken`", false)),
        ),
        (
            "an empty token",
            r#"{"accessToken":""}"#.into(),
            Err(("the response of h lacks `accessToken`", false)),
        ),
        ("cut", r#"{"accessToken":"CANARY-1""#.into(), Err(("the response of h ends early", true))),
        (
            "html",
            "<html>CANARY-3".into(),
            Err(("the response of h is not that of generateAccessToken", false)),
        ),
    ];
    for (name, body, expected) in rows {
        match (parse(body.as_bytes(), "h", now()), expected) {
            (Ok(token), Ok(lifetime)) => {
                assert_eq!((token.text(), token.lifetime(now())), ("CANARY-1", lifetime), "{name}");
            }
            (Err(error), Err((part, transient))) => {
                assert!(error.to_string().contains(part), "{name}: {error}");
                assert_eq!(error.is_transient(), transient, "{name}");
                assert!(!format!("{error:#?}").contains("CANARY"), "{name}");
            }
            (result, _) => panic!("{name}: {result:?}"),
        }
    }
}

#[test]
fn other_credentials_impersonate_an_account() {
    let path = std::env::temp_dir().join(format!("longrunning-impersonate-{}", std::process::id()));
    std::fs::write(&path, "CANARY-2\n").unwrap();
    let provider = |request: &TokenRequest<'_>| {
        assert!(request.scopes.is_empty(), "the default scopes suffice");
        Ok(AccessToken::new("CANARY-2"))
    };
    let google = "googleapis.com";
    let rows = [
        ("a token", Credentials::bearer("CANARY-2").unwrap(), google),
        ("a token file", Credentials::token_file(&path), google),
        ("a provider", Credentials::provider(provider), google),
        (
            "another cloud",
            Credentials::provider(provider).with_universe_domain("cloud.example"),
            "cloud.example",
        ),
    ];
    for (row, source, universe) in rows {
        let server = ScriptedClient::responses([(200, answer("2027-01-15T09:00:00Z"))]);
        let credentials = source.impersonate("robot@p.iam.gserviceaccount.com").expect(row);
        let token = server.token(&credentials, &["a"]).expect(row);
        assert_eq!((token.text(), token.lifetime(now())), ("CANARY-1", Duration::from_secs(3600)), "{row}");
        let [request] = &server.take()[..] else { panic!("{row}: one request") };
        let path = "/v1/projects/-/serviceAccounts/robot%40p.iam.gserviceaccount.com:generateAccessToken";
        assert_eq!(request.line, format!("POST https://iamcredentials.{universe}{path}"), "{row}");
        assert_eq!(request.headers["authorization"], "Bearer CANARY-2", "{row}");
        assert_eq!(request.json(), json!({ "scope": ["a"], "lifetime": "3600s" }), "{row}");
        let resolved = credentials.resolve(&crate::auth::scripted::environment(&[])).expect(row);
        assert_eq!(resolved.universe_domain(), Some(universe), "{row}");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn what_cannot_be_impersonated_is_refused() {
    for account in ["", "a/b", "projects/-/serviceAccounts/a@b", "a b", "../x", "ya29.CANARY"] {
        let error = Credentials::anonymous().impersonate(account).expect_err(account);
        assert_eq!(error.kind(), ErrorKind::Config, "{account}");
        assert!(!error.to_string().contains("CANARY"), "{error}");
    }
    for source in [Credentials::anonymous(), Credentials::api_key("CANARY").unwrap()] {
        let credentials = source.impersonate("robot@p").unwrap();
        let error = credentials.resolve(&crate::auth::scripted::environment(&[])).unwrap_err();
        let message = "impersonated service account `robot@p` has source credentials without access tokens";
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Config, message));
    }
}

fn file(source: Value) -> Value {
    json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": local_url(PATH),
        "source_credentials": source,
    })
}

fn answer(time: &str) -> String {
    json!({"accessToken": "CANARY-1", "expireTime": time}).to_string()
}

const PATH: &str = "/v1/projects/-/serviceAccounts/robot@p:generateAccessToken";
const KEY_FILE: &str = include_str!("../../../tests/fixtures/keys/service_account.json");
