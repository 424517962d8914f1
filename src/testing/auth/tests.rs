//! The endpoints over raw HTTP: what they take, and how they say what they do
//! not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::testing::{FakeServer, Reply, SubjectToken};
use crate::types::Operation;

mod federation;
mod metadata;

#[test]
fn a_refresh_token_gets_an_access_token() {
    let server = FakeServer::start();
    let form = login_form(&server.auth().authorized_user_file());
    let (status, body) = post_form(&server, "/token", &form);
    let expected =
        json!({"access_token": "CANARY-access-token-1", "expires_in": 3600, "token_type": "Bearer"});
    assert_eq!((status, body), (200, expected));
    let (_, body) = post_form(&server, "/token", &format!("{form}&scope=a+b"));
    assert_eq!((body["scope"].as_str(), server.auth().issued()), (Some("a b"), 2));
}

#[test]
fn errors_of_a_refresh_name_the_mistake() {
    let rows = [
        ("", "", 200, ""),
        ("grant_type=refresh_token&", "", 400, "invalid_request: Missing required parameter: grant_type"),
        (
            "client_secret=CANARY-client-secret",
            "client_secret=x",
            401,
            "invalid_client: The OAuth client was not found.",
        ),
        ("token-1", "token-2", 400, "invalid_grant: Token has been expired or revoked."),
        (
            "grant_type=refresh_token",
            "grant_type=password",
            400,
            "unsupported_grant_type: Invalid grant_type: password",
        ),
        ("grant_type", "scopes=a&grant_type", 400, "invalid_request: Unknown parameter: scopes"),
        (
            "grant_type",
            "scope=a&scope=b&grant_type",
            400,
            "invalid_request: Parameter not allowed to repeat: scope",
        ),
    ];
    let server = FakeServer::start();
    let form = login_form(&server.auth().authorized_user_file());
    for (from, to, status, expected) in rows {
        assert_refusal(post_form(&server, "/token", &form.replace(from, to)), status, expected);
    }
    let json = [("content-type", "application/json")];
    let expected =
        "invalid_request: content-type is `application/json`: expected `application/x-www-form-urlencoded`";
    assert_refusal(json_of(send(&server, "POST", "/token", &json, "{}")), 400, expected);
}

#[test]
fn refresh_tokens_are_rotated_revoked_and_want_a_proof() {
    let server = FakeServer::start();
    let old = login_form(&server.auth().rotate_refresh_tokens().authorized_user_file());
    let (_, body) = post_form(&server, "/token", &old);
    assert_eq!(body["refresh_token"], "CANARY-refresh-token-2");
    assert_refusal(
        post_form(&server, "/token", &old),
        400,
        "invalid_grant: Token has been expired or revoked.",
    );

    let new = login_form(&server.auth().authorized_user_file());
    server.auth().require_reauthentication();
    let (status, body) = post_form(&server, "/token", &new);
    assert_eq!(
        (status, &body["error"], &body["error_subtype"]),
        (400, &json!("invalid_grant"), &json!("invalid_rapt"))
    );
    assert_eq!(post_form(&server, "/token", &format!("{new}&rapt=CANARY-rapt")).0, 200);

    let new = login_form(&server.auth().authorized_user_file());
    server.auth().revoke_logins();
    assert_refusal(
        post_form(&server, "/token", &new),
        400,
        "invalid_grant: Token has been expired or revoked.",
    );
}

#[test]
fn the_signature_and_the_claims_of_an_assertion_are_checked() {
    let server = FakeServer::start();
    let now = server.backend.date.since_epoch().as_secs();
    let aud = format!("{}/token", server.url());
    let good = json!({"iss": "a@b", "scope": "s", "aud": aud, "iat": now - 10, "exp": now + 3590});
    let exchange = |jwt: &str| post_form(&server, "/token", &format!("grant_type={GRANT}&assertion={jwt}"));
    let untrusted = "invalid_grant: Invalid JWT: no key is trusted yet, see `FakeAuth::trust_key`";
    assert_refusal(exchange(&sign(&good)), 400, untrusted);
    server.auth().trust_key(include_str!("../../../tests/fixtures/keys/rsa4096.public.pem")).unwrap();
    let unknown = "invalid_grant: Invalid JWT: no trusted key has made the signature";
    assert_refusal(exchange(&sign(&good)), 400, unknown);
    server.auth().trust_key(include_str!("../../../tests/fixtures/keys/rsa2048.public.pem")).unwrap();
    assert_eq!(exchange(&sign(&good)).0, 200);

    let google = "https://oauth2.googleapis.com/token";
    let wrong_aud = format!("`aud` is `https://x/`: expected `{google}` or `{aud}`");
    let rows = [
        ("aud", json!(google), None),
        ("sub", json!("someone@example.com"), None),
        ("iat", json!(now), None),
        ("iat", json!(now + 2), Some("`iat` is 2 s in the future")),
        ("iat", json!(now - 20), Some("lives 3610 s: expected 3600 s at most")),
        ("iat", json!("yesterday"), Some("`iat` is not a number of seconds since 1970")),
        ("exp", json!(now), Some("`exp` was 0 s ago")),
        ("aud", json!("https://x/"), Some(wrong_aud.as_str())),
        ("aud", Value::Null, Some("`aud` is null: expected a text")),
        ("iss", json!(""), Some("`iss` is \"\": expected a text")),
        ("scope", json!(["s"]), Some("`scope` is [\"s\"]: expected a text")),
    ];
    for (claim, value, expected) in rows {
        let mut claims = good.clone();
        claims[claim] = value;
        let answer = exchange(&sign(&claims));
        match expected {
            None => assert_eq!(answer.0, 200, "{claim}: {answer:?}"),
            Some(why) => assert_refusal(answer, 400, &format!("invalid_grant: Invalid JWT: {why}")),
        }
    }
    let changed = sign(&good).replacen('.', ".e", 1);
    assert_refusal(exchange(&changed), 400, unknown);
    let padded = sign(&good) + "==";
    assert_refusal(
        exchange(&padded),
        400,
        "invalid_grant: Invalid JWT: signature is not base64url without padding",
    );
    // What the `date` header says is the time of the server.
    server.set_date_offset(Some(-60));
    assert_refusal(exchange(&sign(&good)), 400, "invalid_grant: Invalid JWT: `iat` is 50 s in the future");
}

#[test]
fn only_issued_tokens_are_accepted() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    server.require_issued_tokens();
    let get = |token: &str| {
        let header = [("authorization", format!("Bearer {token}"))];
        let header = header.each_ref().map(|(name, value)| (*name, value.as_str()));
        let (status, body) = json_of(send(&server, "GET", "/v1/operations/1", &header, ""));
        (status, body["error"]["message"].as_str().unwrap_or_default().to_owned())
    };
    let refused = |why: &str| (401, format!("request had invalid authentication credentials: {why}"));
    assert_eq!(get("x"), refused("this server has not given the access token, or has revoked it"));
    assert_eq!(send(&server, "GET", "/v1/operations/1", &[], "").0, 401);
    let form = login_form(&server.auth().token_lifetime(Duration::from_secs(60)).authorized_user_file());
    let (_, body) = post_form(&server, "/token", &form);
    let token = body["access_token"].as_str().unwrap();
    assert_eq!((get(token).0, &body["expires_in"]), (200, &json!(60)));
    server.advance(Duration::from_secs(61));
    assert_eq!(get(token), refused("the access token has expired 1 s ago"));
    let (_, body) = post_form(&server, "/token", &form);
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(get(token).0, 200);
    server.auth().revoke_tokens();
    assert_eq!(get(token).0, 401);

    let now = server.backend.date.since_epoch().as_secs();
    let key = include_str!("../../../tests/fixtures/keys/rsa2048.pkcs1.pem");
    server.auth().service_account_file(key).unwrap();
    let claims = |access: Value| {
        let mut claims = json!({"iss": "a@b", "sub": "a@b", "iat": now, "exp": now + 60});
        claims.as_object_mut().unwrap().append(&mut access.as_object().unwrap().clone());
        get(&sign(&claims))
    };
    assert_eq!(claims(json!({"scope": "s"})).0, 200);
    assert_eq!(claims(json!({"aud": "https://x/"})).0, 200);
    let rows = [
        (json!({}), "expected either `scope` or `aud`"),
        (json!({"scope": "s", "aud": "https://x/"}), "expected either `scope` or `aud`"),
        (json!({"scope": "s", "aud": null}), "`aud` is null: expected a text"),
        (json!({"aud": "https://x"}), "`aud` is `https://x`: expected `https://HOST/`"),
        (json!({"scope": "s", "sub": "other@b"}), "`sub` is `other@b`: expected `a@b`"),
    ];
    for (access, why) in rows {
        assert_eq!(claims(access), refused(&format!("invalid JWT: {why}")));
    }
}

#[test]
fn scripts_precede_token_endpoints_which_need_no_token() {
    let server = FakeServer::start();
    server.require_token("x");
    let form = login_form(&server.auth().authorized_user_file());
    server.reply_to("POST", "/token", Reply::status(503));
    assert_eq!(post_form(&server, "/token", &form).0, 503);
    assert_eq!(post_form(&server, "/token", &form).0, 200);
}

#[test]
fn keys_that_cannot_be_read_are_refused_without_being_shown() {
    let server = FakeServer::start();
    for pem in ["", "CANARY", include_str!("../../../tests/fixtures/keys/ec.pkcs8.pem")] {
        let errors = [server.auth().trust_key(pem).err(), server.auth().service_account_file(pem).err()];
        for error in errors.map(Option::unwrap) {
            assert!(error.to_string().contains("cannot be read: expected"), "{error}");
            assert!(!format!("{error:#} {error:?}").contains("CANARY"), "{error:?}");
        }
    }
}

#[test]
fn nothing_printed_shows_a_secret() {
    let server = FakeServer::start();
    let form = login_form(&server.auth().authorized_user_file());
    post_form(&server, "/token", &form);
    let printed = format!("{server:?} {:?} {:?}", server.auth(), server.requests());
    assert!(!printed.contains("CANARY"), "{printed}");
}

fn login_form(file: &str) -> String {
    let file: Value = serde_json::from_str(file).unwrap();
    let field = |name: &str| file[name].as_str().unwrap().to_owned();
    format!(
        "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
        field("client_id"),
        field("client_secret"),
        field("refresh_token")
    )
}

/// Signs with the key of `rsa2048.pkcs8.pem`, by other code than that of this
/// crate.
fn sign(claims: &Value) -> String {
    let pem = include_str!("../../../tests/fixtures/keys/rsa2048.pkcs8.pem");
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": "RS256", "typ": "JWT"})), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn post_form(server: &FakeServer, path: &str, form: &str) -> (u16, Value) {
    json_of(send(server, "POST", path, &[FORM], form))
}

fn json_of((status, _, body): (u16, String, String)) -> (u16, Value) {
    (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
}

fn assert_refusal((status, body): (u16, Value), expected_status: u16, expected: &str) {
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let found = match text("error") {
        "" => String::new(),
        error => format!("{error}: {}", text("error_description")),
    };
    assert_eq!((status, found.as_str()), (expected_status, expected));
}

fn send(
    server: &FakeServer,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let (host, length) = (server.address(), body.len());
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), format!("{head}\r\n"), body.to_owned())
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
