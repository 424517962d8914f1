use std::error::Error as _;
use std::io;

use super::*;
use crate::auth::scripted::ScriptedClient;
use crate::http::{HttpError, HttpErrorKind};

#[test]
fn answers_are_read_leniently() {
    let rows: [(&str, &str, Option<u64>); 9] = [
        (
            "as Google answers",
            r#"{"access_token": "a", "expires_in": 3599, "token_type": "Bearer"}"#,
            Some(3599),
        ),
        ("a string", r#"{"access_token": "a", "expires_in": "3599"}"#, Some(3599)),
        ("a fraction", r#"{"access_token": "a", "expires_in": 3599.0}"#, Some(3599)),
        ("negative", r#"{"access_token": "a", "expires_in": -5}"#, Some(0)),
        ("too large for a clock", r#"{"access_token": "a", "expires_in": 1e300}"#, None),
        ("not a number", r#"{"access_token": "a", "expires_in": "soon"}"#, None),
        ("null", r#"{"access_token": "a", "expires_in": null, "refresh_token": null}"#, None),
        ("no lifetime", r#"{"access_token": "a"}"#, None),
        ("unknown fields", r#"{"access_token": "a", "id_token": {"x": [1]}, "scope": "s"}"#, None),
    ];
    for (name, body, expected) in rows {
        let http = ScriptedClient::json([body]);
        let answer = post_form(&http.request(), URL, &[], &[]).expect(name);
        assert_eq!(answer.access_token.expose(), "a", "{name}");
        assert_eq!(answer.expires_in, expected.map(Duration::from_secs), "{name}");
        assert!(answer.refresh_token.is_none(), "{name}");
    }
    let http =
        ScriptedClient::json([r#"{"access_token": "a", "refresh_token": "r", "issued_token_type": "t"}"#]);
    let answer = post_form(&http.request(), URL, &[], &[]).unwrap();
    assert_eq!(answer.refresh_token.unwrap().expose(), "r");
}

#[test]
fn failures_say_what_may_be_said_and_whether_they_pass() {
    let host = "oauth2.googleapis.com";
    let long = "x".repeat(300);
    let rows = [
        (
            "OAuth",
            400,
            r#"{"error": "invalid_grant", "error_description": "Bad Request", "CANARY": "CANARY"}"#
                .to_owned(),
            format!("{host} responded with 400: invalid_grant: Bad Request"),
            false,
        ),
        (
            "with a subtype",
            400,
            r#"{"error": "invalid_grant", "error_subtype": "invalid_rapt", "error_description": "d"}"#.into(),
            format!("{host} responded with 400: invalid_grant: invalid_rapt: d"),
            false,
        ),
        (
            "as Google's APIs put it",
            403,
            r#"{"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no", "x": "CANARY"}}"#
                .into(),
            format!("{host} responded with 403: PERMISSION_DENIED: no"),
            false,
        ),
        ("too many", 429, String::new(), format!("{host} responded with 429"), true),
        ("too slow", 408, String::new(), format!("{host} responded with 408"), true),
        ("a page", 502, "<html>CANARY</html>".into(), format!("{host} responded with 502"), true),
        ("out of service", 503, "{}".into(), format!("{host} responded with 503"), true),
        (
            "passing by its name",
            400,
            r#"{"error": "server_error"}"#.into(),
            format!("{host} responded with 400: server_error"),
            true,
        ),
        (
            "passing by its description",
            400,
            r#"{"error": "e", "error_description": "internal_failure"}"#.into(),
            format!("{host} responded with 400: e: internal_failure"),
            true,
        ),
        ("unauthorized", 401, "CANARY".into(), format!("{host} responded with 401"), false),
        (
            "control characters",
            400,
            r#"{"error": "a\r\nb\u001b[31m", "error_description": ""}"#.into(),
            format!("{host} responded with 400: a b[31m"),
            false,
        ),
        (
            "a long description",
            400,
            format!(r#"{{"error": "e", "error_description": "{long}"}}"#),
            format!("{host} responded with 400: e: {}…", &long[..256]),
            false,
        ),
        (
            "a page in place of a token",
            200,
            "<html>CANARY</html>".into(),
            format!("the response of {host} is not the JSON of a token endpoint"),
            false,
        ),
        (
            "a token of another type",
            200,
            r#"{"access_token": {"CANARY": 1}}"#.into(),
            format!("the response of {host} is not the JSON of a token endpoint"),
            false,
        ),
        (
            "a body cut short",
            200,
            r#"{"access_token": "CANARY"#.into(),
            format!("the response of {host} ends early"),
            true,
        ),
        ("nothing", 200, String::new(), format!("the response of {host} ends early"), true),
        (
            "no token",
            200,
            r#"{"id_token": "CANARY"}"#.into(),
            format!("the response of {host} lacks `access_token`"),
            false,
        ),
        (
            "an empty token",
            200,
            r#"{"access_token": ""}"#.into(),
            format!("the response of {host} lacks `access_token`"),
            false,
        ),
    ];
    for (name, status, body, message, transient) in rows {
        let http = ScriptedClient::new([Ok(HttpResponse::new(status, body))]);
        let error = post_form(&http.request(), URL, &[], &[]).expect_err(name);
        assert_eq!((error.to_string(), error.is_transient()), (message, transient), "{name}");
        assert!(!format!("{error:?}").contains("CANARY"), "{name}");
    }
}

#[test]
fn a_redirect_is_named_by_its_host_and_not_followed() {
    let redirect = HttpResponse::new(307, "").with_header("location", "https://evil.example/?q=CANARY");
    let http = ScriptedClient::new([Ok(redirect)]);
    let error = post_form(&http.request(), URL, &[], &[]).unwrap_err();
    let message =
        "oauth2.googleapis.com responded with 307, a redirect to evil.example, which is not followed";
    assert_eq!((error.to_string().as_str(), error.is_transient()), (message, false));
    assert_eq!(http.take().len(), 1);
}

#[test]
fn a_failed_exchange_keeps_its_cause_and_its_nature() {
    let rows = [
        ("refused", HttpErrorKind::Connect, true),
        ("no answer in time", HttpErrorKind::Timeout, true),
        ("unknown certificate", HttpErrorKind::Tls, false),
        ("larger than 1 MiB", HttpErrorKind::TooLarge, false),
    ];
    for (name, kind, transient) in rows {
        let http =
            ScriptedClient::new([Err(HttpError::new(kind, name).with_source(io::Error::other("cable")))]);
        let error = post_form(&http.request(), URL, &[], &[]).expect_err(name);
        assert_eq!((error.to_string().as_str(), error.is_transient()), (name, transient));
        let cause = error.source().map(ToString::to_string);
        assert_eq!(cause.as_deref(), Some("cable"), "{name}: told once");
    }
}

#[test]
fn forms_are_encoded_and_bounded() {
    let http = ScriptedClient::json([r#"{"access_token": "a"}"#]);
    let request = TokenRequest::new(Duration::from_secs(7), &http);
    let form = [("grant_type", "urn:x:y"), ("secret", "a b+c&d=é%")];
    post_form(&request, URL, &form, &[("authorization", "Basic x")]).unwrap();
    let seen = http.take().remove(0);
    assert_eq!(seen.line, format!("POST {URL}"));
    assert_eq!(seen.body, "grant_type=urn%3Ax%3Ay&secret=a%20b%2Bc%26d%3D%C3%A9%25");
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!((&*seen.headers["authorization"], &*seen.headers["accept"]), ("Basic x", "application/json"));
    assert_eq!((seen.timeout.as_secs_f64().ceil(), seen.limit), (7.0, 1 << 20));
}

#[test]
fn json_is_posted() {
    let http = ScriptedClient::json(["one"]);
    let posted = post_json(&http.request(), URL, b"{}", &[("authorization", "Bearer t")]).unwrap();
    assert_eq!(&**posted, b"one");
    let [posted] = &http.take()[..] else { panic!("one request") };
    assert_eq!((&*posted.body, &*posted.headers["content-type"]), ("{}", "application/json"));
}

#[test]
fn no_secret_leaves_over_plain_http_but_to_this_machine() {
    let rows = [
        ("https", "https://x.example/token", None),
        ("loopback", "http://127.0.0.1:8080/token", None),
        (
            "plain http",
            "http://x.example/token",
            Some("its token URL at x.example is not https (plain http is accepted for loopback only)"),
        ),
        ("no URL", "x.example/token", Some("its token URL is not an absolute URL")),
        ("a password", "https://u:CANARY@x.example/", Some("its token URL has no valid host")),
    ];
    for (name, url, expected) in rows {
        let http = ScriptedClient::json([r#"{"access_token": "a"}"#]);
        let message = post_form(&http.request(), url, &[], &[]).err().map(|error| error.to_string());
        assert_eq!(message.as_deref(), expected, "{name}");
        assert_eq!(http.take().len(), usize::from(expected.is_none()), "{name}");
    }
}

const URL: &str = "https://oauth2.googleapis.com/token";
