//! The endpoints over raw HTTP: what they take, and how they say what they do not.

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
fn what_is_wrong_with_a_refresh_is_said() {
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
    let now = server.core.server_time().as_secs();
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
fn only_tokens_that_were_given_are_let_in() {
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

    let now = server.core.server_time().as_secs();
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
fn all_of_a_token_exchange_is_checked() {
    let server = FakeServer::start();
    let url = "urn%3Aietf%3Aparams%3Aoauth%3A";
    let audience = "%2F%2Fiam.googleapis.com%2Fprojects%2F123456789012%2Flocations%2Fglobal%2FworkloadIdentityPools%2Ffake-pool%2Fproviders%2Ffake-provider";
    let form = format!(
        "grant_type={url}grant-type%3Atoken-exchange&audience={audience}&scope=s&requested_token_type={url}token-type%3Aaccess_token\
         &subject_token=CANARY-subject-token&subject_token_type={url}token-type%3Ajwt"
    );
    let (status, body) = post_form(&server, "/v1/token", &form);
    assert_eq!(
        (status, &body["issued_token_type"]),
        (200, &json!("urn:ietf:params:oauth:token-type:access_token"))
    );
    let workforce = form.replace(
        "projects%2F123456789012%2Flocations%2Fglobal%2FworkloadIdentityPools",
        "locations%2Fglobal%2FworkforcePools",
    );
    let once = format!("{workforce}&options=%7B%22userProject%22%3A%22p%22%7D");
    let twice = once.replace('%', "%25").replace("%25", "%");
    for form in [&once, &twice] {
        assert_eq!(post_form(&server, "/v1/token", form).0, 200);
    }
    let rows = [
        (
            "token-exchange",
            "exchange",
            "invalid_request: Invalid grant_type: `urn:ietf:params:oauth:grant-type:exchange`, expected `urn:ietf:params:oauth:grant-type:token-exchange`",
        ),
        ("requested_token_type", "token_type", "invalid_request: Unknown parameter: token_type"),
        ("scope=s&", "", "invalid_request: Missing required parameter: scope"),
        (
            "subject_token=CANARY-subject-token",
            "subject_token=x",
            "invalid_grant: The subject token is not of this provider.",
        ),
        (
            "token-type%3Ajwt",
            "token-type%3Ax",
            "invalid_request: Invalid subject_token_type: `urn:ietf:params:oauth:token-type:x`",
        ),
        (
            "audience=%2F%2Fiam.googleapis.com%2F",
            "audience=",
            "invalid_target: no provider of identities `projects/123456789012/locations/global/workloadIdentityPools/fake-pool/providers/fake-provider`",
        ),
        ("scope=s", "scope=s&options=x", "invalid_request: Invalid options: not a JSON object"),
        (
            "scope=s",
            "scope=s&options=%7B%7D",
            "invalid_request: Invalid options: expected `userProject` and nothing else",
        ),
        (
            "scope=s",
            "scope=s&options=%7B%22userProject%22%3A%22p%22%7D",
            "invalid_request: Invalid options: `userProject` is for workforce pools without a client",
        ),
    ];
    for (from, to, expected) in rows {
        assert_refusal(post_form(&server, "/v1/token", &form.replace(from, to)), 400, expected);
    }
    let refresh = "grant_type=refresh_token&refresh_token=CANARY-refresh-token-1";
    let good = STANDARD.encode("fake-client.apps.googleusercontent.com:CANARY-client-secret");
    let rows = [
        ("/v1/token", &form, good.as_str(), 200),
        ("/v1/token", &form, "YTpi", 401),
        ("/v1/oauthtoken", &refresh.to_owned(), good.as_str(), 200),
        ("/v1/oauthtoken", &refresh.to_owned(), good.trim_end_matches('='), 401),
    ];
    for (path, form, pair, expected) in rows {
        let basic = format!("Basic {pair}");
        let headers = [FORM, ("authorization", basic.as_str())];
        assert_eq!(send(&server, "POST", path, &headers, form).0, expected, "{path} {pair}");
    }
    assert_refusal(
        post_form(&server, "/v1/oauthtoken", refresh),
        401,
        "invalid_client: client authentication is missing",
    );
}

#[test]
fn a_service_account_is_impersonated_by_those_with_a_token() {
    let server = FakeServer::start();
    server.set_wall(std::time::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let form = login_form(&server.auth().authorized_user_file());
    let token = |scope: &str| {
        let (_, body) = post_form(&server, "/token", &format!("{form}{scope}"));
        format!("Bearer {}", body["access_token"].as_str().unwrap())
    };
    let (all, narrow) = (token(""), token("&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fpubsub"));
    let path = "/v1/projects/-/serviceAccounts/a%40b:generateAccessToken";
    let good = json!({"scope": ["s"], "lifetime": "600s"});
    let post = |path: &str, token: &str, body: &Value| {
        let headers = [("content-type", "application/json"), ("authorization", token)];
        json_of(send(&server, "POST", path, &headers, &body.to_string()))
    };
    let rows = [
        (path, all.as_str(), json!({"delegates": ["projects/-/serviceAccounts/c@d"]}), 200, ""),
        (
            path,
            "Bearer x",
            json!({}),
            401,
            "Request had invalid authentication credentials: this server has not given the access token, or has revoked it",
        ),
        (path, "x", json!({}), 401, "Request had invalid authentication credentials: no access token"),
        (
            path,
            &narrow,
            json!({}),
            403,
            "Request had insufficient authentication scopes: `https://www.googleapis.com/auth/pubsub`, expected one of [\"https://www.googleapis.com/auth/cloud-platform\", \"https://www.googleapis.com/auth/iam\"]",
        ),
        (path, &all, json!({"scope": []}), 400, "scope is []: expected a list of scopes"),
        (path, &all, json!({"scope": ["a b"]}), 400, "scope is [\"a b\"]: expected a list of scopes"),
        (path, &all, json!({"lifetime": "43201s"}), 400, "lifetime is `43201s`: expected `1s` to `43200s`"),
        (
            path,
            &all,
            json!({"delegates": ["a"]}),
            400,
            "delegate `a`: expected `projects/-/serviceAccounts/{email}`",
        ),
        (
            "/v1/a:generateAccessToken",
            &all,
            json!({}),
            404,
            "`/v1/a:generateAccessToken` is no service account: expected `projects/-/serviceAccounts/{email}`",
        ),
    ];
    for (path, token, change, status, expected) in rows {
        let mut body = good.clone();
        body.as_object_mut().unwrap().append(&mut change.as_object().unwrap().clone());
        let (found, answer) = post(path, token, &body);
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert_eq!((found, message), (status, expected), "{change}");
    }
    let (status, body) = post(path, &all, &json!({"scope": ["s"], "x": 1}));
    assert!(status == 400 && body.to_string().contains("unknown field"), "{body}");
    let (_, body) = post(path, &all, &good);
    assert_eq!(body["expireTime"], "2027-01-15T08:10:00Z");
}

#[test]
fn the_metadata_server_wants_its_header_and_sends_it() {
    let server = FakeServer::start();
    server.auth().universe_domain("example.goog");
    let flavor = ("metadata-flavor", "Google");
    let account = "/computeMetadata/v1/instance/service-accounts";
    let email = "robot@fake-project.iam.gserviceaccount.com";
    let rows = [
        ("/", vec![flavor], 200, "computeMetadata/\n"),
        ("/computeMetadata/v1/project/project-id", vec![flavor], 200, "fake-project"),
        ("/computeMetadata/v1/universe/universe-domain", vec![flavor], 200, "example.goog"),
        (&format!("{account}/default/email"), vec![flavor], 200, email),
        (&format!("{account}/other@x/email"), vec![flavor], 404, "Not Found\n"),
        ("/computeMetadata/v1/x", vec![flavor], 404, "Not Found\n"),
        ("/computeMetadata/v1/project/project-id", vec![], 403, "Missing Metadata-Flavor:Google header.\n"),
        (
            "/computeMetadata/v1/project/project-id",
            vec![flavor, ("x-forwarded-for", "1.2.3.4")],
            403,
            "Requests with X-Forwarded-For are refused.\n",
        ),
    ];
    for (path, headers, status, expected) in rows {
        let (found, head, body) = send(&server, "GET", path, &headers, "");
        assert_eq!((found, body.as_str()), (status, expected), "{path}");
        assert!(head.contains("Metadata-Flavor: Google\r\n"), "{head}");
    }
    let token = |account: &str, query: &str| {
        let path = format!("/computeMetadata/v1/instance/service-accounts/{account}/token{query}");
        let (_, body) = json_of(send(&server, "GET", &path, &[flavor], ""));
        (body["access_token"].as_str().unwrap().to_owned(), body["expires_in"].as_u64().unwrap())
    };
    // The same token until it is about to expire.
    let (first, life) = token("default", "");
    assert_eq!(life, 3600);
    server.advance(Duration::from_secs(3300));
    assert_eq!(token(&email.replace('@', "%40"), ""), (first.clone(), 300));
    assert_ne!(token("default", "?scopes=a,b").0, first);
    server.advance(Duration::from_secs(60));
    assert_ne!(token("default", "").0, first);
}

#[test]
fn the_metadata_server_of_aws_wants_a_session() {
    let server = FakeServer::start();
    let put = |seconds: &str| {
        let (status, _, body) = send(
            &server,
            "PUT",
            "/latest/api/token",
            &[("X-aws-ec2-metadata-token-ttl-seconds", seconds)],
            "",
        );
        (status, body)
    };
    assert_eq!((put("0").0, put("21601").0, put("x").0), (400, 400, 400));
    let (_, session) = put("300");
    let get = |path: &str, session: &str| {
        let (status, _, body) = send(&server, "GET", path, &[("x-aws-ec2-metadata-token", session)], "");
        (status, body)
    };
    let zone = "/latest/meta-data/placement/availability-zone";
    assert_eq!(get(zone, &session), (200, "us-east-2b".into()));
    assert_eq!(get("/latest/meta-data/iam/security-credentials", &session), (200, "fake-role".into()));
    let (_, keys) = get("/latest/meta-data/iam/security-credentials/fake-role", &session);
    assert!(keys.contains(r#""SecretAccessKey":"CANARY-aws-secret""#), "{keys}");
    assert_eq!(get("/latest/meta-data/iam/security-credentials/x", &session).0, 404);
    assert_eq!(get(zone, "x"), (401, "this server has not given the session token".into()));
    server.advance(Duration::from_secs(300));
    assert_eq!(get(zone, &session), (401, "the session token has expired".into()));
}

#[test]
fn faults_come_first_and_the_token_check_does_not_apply() {
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

#[test]
fn files_are_made_for_every_source() {
    let server = FakeServer::start();
    let auth = server.auth();
    let sources = [
        SubjectToken::Aws,
        SubjectToken::Executable("x"),
        SubjectToken::File("y".as_ref()),
        SubjectToken::Url,
    ];
    for source in sources {
        let file: Value =
            serde_json::from_str(&auth.impersonated_file(&auth.external_account_file(source))).unwrap();
        assert_eq!(file["type"], "external_account");
        assert!(
            file["service_account_impersonation_url"].as_str().unwrap().starts_with(&server.url()),
            "{file}"
        );
    }
    let file: Value = serde_json::from_str(&auth.impersonated_file(&auth.authorized_user_file())).unwrap();
    assert_eq!(
        (&file["type"], &file["source_credentials"]["type"]),
        (&json!("impersonated_service_account"), &json!("authorized_user"))
    );
    assert_eq!(auth.impersonated_file("x"), "x");
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

/// Signs with the key of `rsa2048.pkcs8.pem`, by other code than that of this crate.
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
