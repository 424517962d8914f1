use serde_json::json;

use super::*;
use crate::auth::scripted::ScriptedClient;
use crate::error::ErrorKind;
use crate::http::HttpResponse;
use crate::util::env::SystemEnv;

#[test]
fn the_refresh_token_is_exchanged_and_its_successor_is_kept() {
    let user = AuthorizedUser::from_value(login()).unwrap();
    let clone = user.clone();
    let http = ScriptedClient::json([
        r#"{"access_token": "a1", "expires_in": 3599, "refresh_token": "CANARY-refresh-2"}"#,
        r#"{"access_token": "a2", "expires_in": 3599}"#,
        r#"{"access_token": "a3", "expires_in": 3599, "refresh_token": ""}"#,
    ]);
    let scopes = ["s1".to_owned(), "s2".to_owned()];
    let rows: [(&str, &AuthorizedUser, &[String], &str, &str); 3] = [
        ("the token of the file", &user, &[], "CANARY-refresh-1", "a1"),
        ("its successor", &user, &scopes, "CANARY-refresh-2", "a2"),
        ("clones have it too", &clone, &[], "CANARY-refresh-2", "a3"),
    ];
    for (name, user, scopes, sent, expected) in rows {
        let token = user.token(&TokenRequest { scopes, ..http.request() }).expect(name);
        assert_eq!(token.text(), expected, "{name}");
        let seen = http.take().remove(0);
        assert_eq!(seen.line, "POST https://oauth2.googleapis.com/token", "{name}");
        let mut form = json!({
            "grant_type": "refresh_token", "client_id": "id-1", "client_secret": "CANARY-secret-1",
            "refresh_token": sent, "rapt": "CANARY-rapt-1",
        });
        if !scopes.is_empty() {
            form["scope"] = "s1 s2".into();
        }
        assert_eq!(json!(seen.form()), form, "{name}");
    }
}

#[test]
fn an_expired_login_says_what_to_do() {
    let host = "oauth2.googleapis.com responded with 400";
    let login_again = "run `gcloud auth application-default login`";
    let rows = [
        (
            "revoked",
            r#"{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}"#,
            format!(
                "the login has expired or was revoked, {login_again}: {host}: invalid_grant: \
                 Token has been expired or revoked."
            ),
            false,
        ),
        (
            "reauthentication",
            r#"{"error": "invalid_grant", "error_subtype": "invalid_rapt", "error_description": "reauth"}"#,
            format!("a new login is wanted, {login_again}: {host}: invalid_grant: invalid_rapt: reauth"),
            false,
        ),
        ("something else", r#"{"error": "invalid_scope"}"#, format!("{host}: invalid_scope"), false),
        ("passing", r#"{"error": "internal_failure"}"#, format!("{host}: internal_failure"), true),
    ];
    for (name, body, message, transient) in rows {
        let http = ScriptedClient::new([Ok(HttpResponse::new(400, body))]);
        let user = AuthorizedUser::from_value(login()).unwrap();
        let error = user.token(&http.request()).expect_err(name);
        assert_eq!((error.to_string(), error.is_transient()), (message, transient), "{name}");
    }
}

#[test]
fn files_are_checked() {
    let missing = "credentials JSON lacks `client_id` and `client_secret` and `refresh_token`";
    let rows = [
        ("nothing in it", json!({}), missing),
        ("empty", json!({"client_id": "", "client_secret": null, "refresh_token": ""}), missing),
        (
            "another type",
            with("type", "service_account"),
            "credentials JSON is of type `service_account`: expected `authorized_user`",
        ),
        (
            "another universe",
            with("universe_domain", "example.goog"),
            "credentials JSON is of the universe `example.goog`: expected `googleapis.com`, the only one with \
             logins of users",
        ),
        (
            "a foreign host",
            with("token_uri", "https://evil.example/token?CANARY"),
            "credentials JSON names the host `evil.example` in `token_uri`, which the policy does not allow: \
             expected a host of `googleapis.com`, see `CredentialsPolicy`",
        ),
        (
            "plain http",
            with("token_uri", "http://oauth2.googleapis.com/token"),
            "credentials JSON cannot be used: `token_uri` at `oauth2.googleapis.com` is not https \
             (plain http is accepted for loopback only)",
        ),
    ];
    for (name, file, message) in rows {
        let error = AuthorizedUser::from_value(file).expect_err(name);
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Config, message), "{name}");
        assert!(!format!("{error:#?}").contains("CANARY"), "{name}");
    }
}

#[test]
fn credentials_know_account_universe_and_quota_project() {
    let rows = [
        ("as gcloud writes it", login(), "user `me@example.com`", Some("billing"), false),
        ("no account", with("account", ""), "authorized user", Some("billing"), false),
        (
            "gcloud's client",
            with("client_id", GCLOUD_CLIENT_ID),
            "user `me@example.com`",
            Some("billing"),
            true,
        ),
        ("no quota project", with("quota_project_id", ""), "user `me@example.com`", None, false),
    ];
    for (name, file, label, quota_project, wants) in rows {
        let user = AuthorizedUser::from_value(file).expect(name);
        let credentials = Credentials::from(user).resolve(&SystemEnv).expect(name);
        assert_eq!(format!("{credentials:?}"), format!("Credentials({label})"), "{name}");
        assert_eq!(credentials.quota_project(), quota_project, "{name}");
        assert_eq!(credentials.wants_quota_project(), wants, "{name}");
        assert_eq!(credentials.universe_domain(), Some("googleapis.com"), "{name}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let printed = format!("{:#?}", AuthorizedUser::from_value(login()).unwrap());
    assert!(printed.contains("me@example.com") && !printed.contains("CANARY"), "{printed}");
}

fn with(field: &str, value: &str) -> Value {
    let mut file = login();
    file[field] = value.into();
    file
}

fn login() -> Value {
    json!({
        "type": "authorized_user", "account": "me@example.com", "client_id": "id-1",
        "client_secret": "CANARY-secret-1", "refresh_token": "CANARY-refresh-1",
        "rapt_token": "CANARY-rapt-1", "quota_project_id": "billing", "universe_domain": "googleapis.com",
    })
}
