mod aws;
#[cfg(unix)]
mod executable;

#[cfg(unix)]
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::auth::scripted::{STS_RESPONSE, ScriptedClient, environment, load, local_url, now};
use crate::error::ErrorKind;
use crate::folder::Folder;

#[test]
fn a_subject_token_is_exchanged_field_by_field() {
    let server = ScriptedClient::responses([(200, STS_RESPONSE)]);
    let folder = Folder::new();
    let mut file = external(json!({"file": folder.file("token", " CANARY-subject-2\r\n")}));
    file["client_id"] = "client~id".into();
    file["client_secret"] = "se?cret>".into();
    let token = server.token(&load(&file).unwrap(), &["a", "b"]).unwrap();
    assert_eq!((token.text(), token.lifetime(now())), ("CANARY-sts-1", Duration::from_secs(3600)));
    let received = server.take();
    assert_eq!(received[0].line, "POST http://127.0.0.1/v1/token");
    assert_eq!(received[0].headers["authorization"], "Basic Y2xpZW50fmlkOnNlP2NyZXQ+");
    let expected = [
        ("audience", AUDIENCE),
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("scope", "a b"),
        ("subject_token", "CANARY-subject-2"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
    ];
    assert_eq!(received[0].form(), environment(&expected));
}

#[test]
fn the_project_of_a_workforce_is_sent_encoded_once_and_never_next_to_a_client() {
    let folder = Folder::new();
    let source = json!({"file": folder.file("token", "subject")});
    let workforce = "//iam.googleapis.com/locations/global/workforcePools/p/providers/q";
    let rows = [
        ("workforce", workforce, None, Some(r#"{"userProject":"my project/1"}"#)),
        ("with a client", workforce, Some("id"), None),
    ];
    for (name, audience, client, expected) in rows {
        let server = ScriptedClient::responses([(200, STS_RESPONSE)]);
        let mut file = external(source.clone());
        file["audience"] = audience.into();
        file["workforce_pool_user_project"] = "my project/1".into();
        file["client_id"] = client.into();
        server.token(&load(&file).expect(name), &[]).expect(name);
        let request = &server.take()[0];
        assert_eq!(request.field("options").as_deref(), expected, "{name}");
        assert_eq!(request.headers.contains_key("authorization"), client.is_some(), "{name}");
        let default = "https://www.googleapis.com/auth/cloud-platform";
        assert_eq!(request.field("scope").as_deref(), Some(default), "{name}");
    }
    let mut workload = external(source);
    workload["workforce_pool_user_project"] = "p".into();
    assert_eq!(
        load(&workload).unwrap_err().to_string(),
        "credentials JSON has a `workforce_pool_user_project`, but its `audience` is no workforce pool"
    );
}

#[test]
fn a_service_account_is_impersonated_with_a_token_for_that_alone() {
    let generated = r#"{"accessToken":"CANARY-account-3","expireTime":"2027-01-15T09:00:00.5Z"}"#;
    let server = ScriptedClient::responses([(200, STS_RESPONSE), (200, generated)]);
    let folder = Folder::new();
    let mut file = external(json!({"file": folder.file("token", "subject")}));
    let path = "/v1/projects/-/serviceAccounts/robot@p.iam.gserviceaccount.com:generateAccessToken";
    file["service_account_impersonation_url"] = local_url(path).into();
    file["service_account_impersonation"] = json!({"token_lifetime_seconds": 600});
    file["quota_project_id"] = "billing".into();
    let credentials = load(&file).unwrap();
    assert_eq!(
        format!("{credentials:?}"),
        "Credentials(external account (file) as service account `robot@p.iam.gserviceaccount.com`)"
    );
    let resolved = credentials.resolve(&environment(&[])).unwrap();
    assert_eq!(resolved.quota_project(), Some("billing"));
    let token = server.token(&credentials, &["a", "b"]).unwrap();
    assert_eq!(token.text(), "CANARY-account-3");
    assert_eq!(token.lifetime(now()), Duration::from_millis(3_600_500));
    let [exchange, generate] = &server.take()[..] else { panic!("two requests") };
    assert_eq!(exchange.field("scope").as_deref(), Some("https://www.googleapis.com/auth/iam"));
    assert_eq!(generate.line, format!("POST http://127.0.0.1{path}"));
    assert_eq!(generate.headers["authorization"], "Bearer CANARY-sts-1");
    assert_eq!(generate.json(), json!({"scope": ["a", "b"], "lifetime": "600s"}));
}

#[cfg(unix)]
#[test]
fn a_file_is_read_anew_for_every_token_and_links_are_followed() {
    use std::os::unix::fs::symlink;

    let server = ScriptedClient::responses([(200, STS_RESPONSE); 3]);
    let folder = Folder::new();
    let link = folder.path().join("token");
    symlink(folder.file("first", "one"), &link).unwrap();
    let credentials = load(&external(json!({"file": link}))).unwrap();
    server.token(&credentials, &[]).unwrap();
    fs::remove_file(&link).unwrap();
    symlink(folder.file("second", "two"), &link).unwrap();
    server.token(&credentials, &[]).unwrap();
    folder.file("second", "three");
    server.token(&credentials, &[]).unwrap();
    let sent: Vec<_> = server.take().iter().map(|request| request.field("subject_token").unwrap()).collect();
    assert_eq!(sent, ["one", "two", "three"]);
}

#[test]
fn subject_tokens_are_text_or_a_field_of_json() {
    let folder = Folder::new();
    let json_format = json!({"type": "json", "subject_token_field_name": "t"});
    let text = json!({"type": "text"});
    let rows = [
        ("text", &text, "CANARY-4\n", Ok("CANARY-4")),
        ("json", &json_format, r#"{"x": {"t": 1}, "t": "CANARY\u002d4"}"#, Ok("CANARY-4")),
        ("a byte order mark", &text, "\u{feff}CANARY-4\n", Ok("CANARY-4")),
        ("json with a byte order mark", &json_format, "\u{feff}{\"t\": \"CANARY-4\"}", Ok("CANARY-4")),
        ("json for text", &text, r#"{"t": "CANARY-4"}"#, Err("holds JSON, expected the token alone")),
        ("quotes", &text, "\"CANARY-4\"", Err("holds a token in quotes, expected the token alone")),
        ("lines", &text, "CANARY-4\nCANARY-5\n", Err("has several lines, expected the token alone")),
        ("no text", &text, " \n", Err("is empty")),
        ("no json", &json_format, "CANARY-5", Err("is not a JSON object")),
        (
            "no field",
            &json_format,
            r#"{"u": "CANARY-6"}"#,
            Err("has no text as `t`, its `subject_token_field_name`"),
        ),
        ("a number", &json_format, r#"{"t": 7}"#, Err("has no text as `t`, its `subject_token_field_name`")),
        (
            "an empty field",
            &json_format,
            r#"{"t": ""}"#,
            Err("has no text as `t`, its `subject_token_field_name`"),
        ),
    ];
    for (name, format, content, expected) in rows {
        let server = ScriptedClient::responses([(200, STS_RESPONSE)]);
        let path = folder.file(name, content);
        let credentials = load(&external(json!({"file": path, "format": format}))).expect(name);
        match (server.token(&credentials, &[]), expected) {
            (Ok(_), Ok(expected)) => {
                assert_eq!(server.take()[0].field("subject_token").as_deref(), Some(expected), "{name}");
            }
            (Err(error), Err(expected)) => {
                assert_eq!(error.to_string(), format!("subject token file `{path}` {expected}"), "{name}");
                assert!(!error.is_transient(), "{name}");
            }
            (result, _) => panic!("{name}: {result:?}"),
        }
    }
    let missing = json!({"file": folder.path().join("missing")});
    let error = ScriptedClient::default().token(&load(&external(missing)).unwrap(), &[]).unwrap_err();
    assert!(error.to_string().ends_with("missing` does not exist"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
    let large = "x".repeat((1 << 20) + 1);
    let large = json!({"file": folder.file("large", &large)});
    let error = ScriptedClient::default().token(&load(&external(large)).unwrap(), &[]).unwrap_err();
    assert!(error.to_string().ends_with("large` is larger than 1 MiB"), "{error}");
}

#[test]
fn a_url_is_asked_with_its_headers_and_has_to_answer_200() {
    let rows = [
        ("found", 200, r#"{"t":"CANARY-7"}"#, Ok(())),
        (
            "another success",
            201,
            r#"{"t":"CANARY-7"}"#,
            Err(("127.0.0.1 responded with 201: expected 200", false)),
        ),
        ("missing", 404, "CANARY-8", Err(("127.0.0.1 responded with 404", false))),
        ("busy", 503, "CANARY-9", Err(("127.0.0.1 responded with 503", true))),
    ];
    for (name, status, body, expected) in rows {
        let server = ScriptedClient::responses([(status, body), (200, STS_RESPONSE)]);
        let accept = (status == 200).then_some("application/jwt");
        let mut headers = json!({"Metadata": "True", "Authorization": "Bearer CANARY-10"});
        if let Some(accept) = accept {
            headers["Accept"] = accept.into();
        }
        let credentials = load(&external(json!({
            "url": local_url("/identity?audience=x"),
            "headers": headers,
            "format": {"type": "json", "subject_token_field_name": "t"},
        })))
        .expect(name);
        let result = server.token(&credentials, &[]);
        let received = server.take();
        assert_eq!(received[0].line, "GET http://127.0.0.1/identity?audience=x");
        assert_eq!(received[0].headers["metadata"], "True");
        assert_eq!(received[0].headers["accept"], accept.unwrap_or("*/*"), "{name}");
        assert_eq!(received[0].headers["authorization"], "Bearer CANARY-10");
        match (result, expected) {
            (Ok(_), Ok(())) => assert_eq!(received[1].field("subject_token").as_deref(), Some("CANARY-7")),
            (Err(error), Err((message, transient))) => {
                assert_eq!(
                    (error.to_string().as_str(), error.is_transient()),
                    (message, transient),
                    "{name}"
                );
                assert_eq!(received.len(), 1, "{name}");
            }
            (result, _) => panic!("{name}: {result:?}"),
        }
    }
}

#[test]
fn what_is_wrong_with_a_file_is_named_without_showing_it() {
    let source = |source: Value| with("credential_source", source);
    let origin = "`credential_source` of credentials JSON";
    let sources = "`file`, `url`, `executable`, `certificate` or, for AWS, `environment_id`";
    let rows = [
        ("no audience", with("audience", Value::Null), "credentials JSON lacks `audience`".to_owned()),
        ("no source", source(Value::Null), "credentials JSON lacks `credential_source`".into()),
        ("an empty source", source(json!({})), format!("{origin} lacks {sources}")),
        (
            "two sources",
            source(json!({"file": "CANARY", "url": "https://x/CANARY"})),
            format!("{origin} has more than one of {sources}"),
        ),
        (
            "a certificate",
            source(json!({"certificate": {"trust_chain_path": "/chain.pem"}})),
            format!(
                "`certificate` of {origin} lacks `certificate_config_location`, and `use_default_certificate_config` is \
                 not true: expected one of them"
            ),
        ),
        (
            "json without a field",
            source(json!({"file": "f", "format": {"type": "json"}})),
            format!("`format` of {origin} is of type `json` and lacks `subject_token_field_name`"),
        ),
        (
            "another format",
            source(json!({"file": "f", "format": {"type": "xml"}})),
            format!("`format` of {origin} is of another `type` than `text` and `json`"),
        ),
        (
            "a header that is a list",
            source(json!({"url": "https://x", "headers": {"x": ["CANARY"]}})),
            format!("`headers` of {origin} has an array as `x`: expected a string"),
        ),
        (
            "plain http to another machine",
            source(json!({"url": "http://example.com/?t=CANARY"})),
            format!(
                "{origin} cannot be used: `url` at `example.com` is not https \
                 (plain http is accepted for loopback only)"
            ),
        ),
        (
            "a short life",
            with_impersonation(json!({"token_lifetime_seconds": 599})),
            "`service_account_impersonation` of credentials JSON has 599 as `token_lifetime_seconds`: \
             expected 600 to 43200 seconds"
                .into(),
        ),
        (
            "a long life",
            with_impersonation(json!({"token_lifetime_seconds": 43_201})),
            "`service_account_impersonation` of credentials JSON has 43201 as `token_lifetime_seconds`: \
             expected 600 to 43200 seconds"
                .into(),
        ),
        (
            "no account",
            with("service_account_impersonation_url", "https://iamcredentials.googleapis.com/v1".into()),
            "credentials JSON names no service account in `service_account_impersonation_url`: \
             expected `…/E-MAIL:generateAccessToken`"
                .into(),
        ),
    ];
    for (name, file, expected) in rows {
        let error = load(&file).expect_err(name);
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, expected), "{name}");
        assert!(!format!("{error:#?}").contains("CANARY"), "{name}");
    }
    assert!(load(&source(json!({"url": "http://169.254.169.254/metadata/identity/oauth2/token"}))).is_ok());
}

#[test]
fn an_endpoint_that_refuses_is_quoted_without_secrets() {
    let rows = [
        (
            "refused",
            400,
            r#"{"error":"invalid_grant","error_description":"The audience\r\nis wrong","subject_token":"CANARY-11"}"#,
            "127.0.0.1 responded with 400: invalid_grant: The audience is wrong",
            false,
        ),
        ("down", 503, "CANARY-12", "127.0.0.1 responded with 503", true),
        ("no token", 200, r#"{"expires_in":3600}"#, "the response of 127.0.0.1 lacks `access_token`", false),
    ];
    let folder = Folder::new();
    for (name, status, body, message, transient) in rows {
        let server = ScriptedClient::responses([(status, body)]);
        let source = json!({"file": folder.file("token", "CANARY-13")});
        let credentials = load(&external(source)).expect(name);
        let error = server.token(&credentials, &[]).expect_err(name);
        assert_eq!((error.to_string().as_str(), error.is_transient()), (message, transient), "{name}");
        assert!(!format!("{error:#?} {credentials:#?}").contains("CANARY"), "{name}");
    }
}

#[test]
fn no_time_left_is_a_transient_failure() {
    let folder = Folder::new();
    let server = ScriptedClient::responses([(200, STS_RESPONSE)]);
    let credentials = load(&external(json!({"file": folder.file("token", "t")}))).unwrap();
    let provider = credentials.resolve(&environment(&[])).unwrap().token_provider().unwrap();
    let http = crate::http::HttpAgent::new(&Default::default()).unwrap();
    let error = provider.token(&crate::auth::TokenRequest::new(Duration::ZERO, &http)).unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(server.take().is_empty());
    assert!(server.token_in(&[("UNUSED", "1")], &credentials, &[]).is_ok(), "10 s are enough");
}

fn external(source: Value) -> Value {
    json!({
        "type": "external_account",
        "audience": AUDIENCE,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": local_url("/v1/token"),
        "credential_source": source,
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut file = json!({
        "type": "external_account",
        "audience": AUDIENCE,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "client_secret": "CANARY-14",
        "credential_source": {"file": "/run/token"},
    });
    file[name] = value;
    file
}

fn with_impersonation(options: Value) -> Value {
    let mut file = with("service_account_impersonation", options);
    file["service_account_impersonation_url"] =
        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b:generateAccessToken".into();
    file
}

const AUDIENCE: &str =
    "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/pool/providers/aws";
