//! Each kind of credentials gets a token that the service takes, by the requests that it needs and no others.

use std::time::Duration;

use longrunning::auth::{MetadataServer, ServiceAccount};
use longrunning::testing::{FakeServer, Reply};
use longrunning::{Credentials, ErrorKind};
use serde_json::{Value, json};

use crate::kit::{Folder, KEY, NAME, asked, client, exchanging, files, form, load, server};

#[test]
fn every_file_gets_a_token_that_the_service_takes() {
    let names = files(&server(), &Folder::new()).into_iter().map(|(name, _)| name);
    for name in names {
        let (server, folder) = (server(), Folder::new());
        let file = files(&server, &folder).into_iter().find(|(found, _)| *found == name).unwrap().1;
        let client = client(&server, load(&file));
        for _ in 0..3 {
            client.get(NAME).send().unwrap_or_else(|error| panic!("{name}: {error:#}"));
        }
        assert_eq!(asked(&server), expected(name), "{name}");
    }
}

#[test]
fn every_file_can_act_as_a_service_account() {
    let names = files(&server(), &Folder::new()).into_iter().map(|(name, _)| name);
    for name in names {
        let (server, folder) = (server(), Folder::new());
        let file = files(&server, &folder).into_iter().find(|(found, _)| *found == name).unwrap().1;
        let client = client(&server, load(&server.auth().impersonated_file(&file)));
        for _ in 0..3 {
            client.get(NAME).send().unwrap_or_else(|error| panic!("{name}: {error:#}"));
        }
        let mut lines = expected(name);
        lines.push(IMPERSONATE);
        assert_eq!(asked(&server), lines, "{name}");
    }
}

pub(crate) fn expected(name: &str) -> Vec<&'static str> {
    match name {
        "service account" => vec![],
        "user" => vec!["POST /token"],
        "workforce user" => vec!["POST /v1/oauthtoken"],
        "file" | "executable" => vec!["POST /v1/token"],
        "url" => vec!["GET /subject-token", "POST /v1/token"],
        "aws" => vec![
            "PUT /latest/api/token",
            "GET /latest/meta-data/placement/availability-zone",
            "GET /latest/meta-data/iam/security-credentials",
            "GET /latest/meta-data/iam/security-credentials/fake-role",
            "POST /v1/token",
        ],
        _ => panic!("{name}"),
    }
}

#[test]
fn a_service_account_signs_for_scopes_or_an_audience_or_exchanges_its_assertion() {
    let account = |server: &FakeServer| {
        ServiceAccount::from_json(&server.auth().service_account_file(KEY).unwrap()).unwrap()
    };
    type Make<'a> = &'a dyn Fn(&FakeServer) -> ServiceAccount;
    let rows: [(&str, Make<'_>, &[&str]); 5] = [
        ("scopes", &|server| account(server).scopes(["a", "b"]), &[]),
        ("audience", &|server| account(server).audience("https://run.googleapis.com/"), &[]),
        ("endpoint", &|server| account(server).audience_of_endpoint(), &[]),
        ("exchange", &exchanging, &["POST /token"]),
        ("subject", &|server| exchanging(server).subject("someone@example.com"), &["POST /token"]),
    ];
    for (name, make, expected) in rows {
        let server = server();
        client(&server, make(&server)).get(NAME).send().unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(asked(&server), expected, "{name}");
    }
}

#[test]
fn the_clock_of_the_server_decides_about_assertions() {
    let rows = [(0, true), (3500, true), (-9, true), (-11, false), (3600, false)];
    for (offset, accepted) in rows {
        let server = server();
        server.set_date_offset(Some(offset));
        let account = exchanging(&server);
        let result = client(&server, account).get(NAME).send();
        assert_eq!(result.is_ok(), accepted, "{offset}: {result:?}");
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
        }
    }
}

#[test]
fn a_key_that_nobody_trusts_is_refused_and_the_answer_is_told() {
    let server = server();
    let account = exchanging(&server);
    let (other, trusted) = (FakeServer::start(), "rsa4096");
    let public = include_str!("../fixtures/keys/rsa4096.public.pem");
    other.auth().trust_key(public).unwrap_or_else(|error| panic!("{trusted}: {error}"));
    let error =
        client(&other, account.token_uri(format!("{}/token", other.url()))).get(NAME).send().unwrap_err();
    assert!(
        error.to_string().contains("invalid_grant: Invalid JWT: no trusted key has made the signature"),
        "{error}"
    );
    assert_eq!((error.kind(), asked(&other).len()), (ErrorKind::Auth, 1));
}

#[test]
fn rotated_refresh_tokens_are_kept() {
    let server = server();
    let file = server.auth().rotate_refresh_tokens().authorized_user_file();
    let client = client(&server, load(&file));
    for _ in 0..3 {
        client.get(NAME).send().unwrap();
        server.advance(Duration::from_secs(3600));
    }
    let requests = server.requests();
    let tokens: Vec<_> = requests
        .iter()
        .filter(|request| request.path() == "/token")
        .map(|request| form(request.body()).into_iter().find(|(name, _)| name == "refresh_token").unwrap().1)
        .collect();
    assert_eq!(tokens, ["CANARY-refresh-token-1", "CANARY-refresh-token-2", "CANARY-refresh-token-3"]);
}

#[test]
fn a_login_that_is_over_says_what_to_do() {
    let rows: [(&str, fn(&FakeServer)); 2] = [
        ("the login has expired or was revoked, run `gcloud auth application-default login`", |server| {
            server.auth().revoke_logins();
        }),
        ("a new login is wanted, run `gcloud auth application-default login`", |server| {
            server.auth().require_reauthentication();
        }),
    ];
    for (expected, end) in rows {
        let server = server();
        let client = client(&server, load(&server.auth().authorized_user_file()));
        end(&server);
        let error = client.get(NAME).send().unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!((error.kind(), asked(&server).len()), (ErrorKind::Auth, 1));
    }
}

#[test]
fn the_scopes_of_the_client_reach_every_endpoint() {
    let scopes = ["https://www.googleapis.com/auth/a", "https://www.googleapis.com/auth/b"];
    let joined = scopes.join(" ");
    let names = files(&server(), &Folder::new()).into_iter().map(|(name, _)| name);
    for name in names {
        let (server, folder) = (server(), Folder::new());
        let file = files(&server, &folder).into_iter().find(|(found, _)| *found == name).unwrap().1;
        for (file, field) in [(file.clone(), "scope"), (server.auth().impersonated_file(&file), "JSON")] {
            server.take_requests();
            let mut environment = server.environment();
            environment.insert("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES".into(), "1".into());
            let builder = server.client_builder().environment(environment).credentials(load(&file));
            builder.scopes(scopes).build().unwrap().get(NAME).send().unwrap();
            let requests = server.requests();
            let Some(last) = requests.iter().rfind(|request| !request.target().contains(NAME)) else {
                continue;
            };
            match field {
                "JSON" => {
                    let body: Value = serde_json::from_slice(last.body()).unwrap();
                    assert_eq!(body, json!({ "scope": scopes, "lifetime": "3600s" }), "{name}");
                }
                // RFC 8693 has none for this grant: those of the login hold.
                _ if name == "workforce user" => {}
                _ => assert!(form(last.body()).contains(&("scope".into(), joined.clone())), "{name}"),
            }
        }
    }
}

#[test]
fn the_metadata_server_is_asked_for_its_universe_and_a_token() {
    let server = server();
    let email = "robot@fake-project.iam.gserviceaccount.com";
    client(&server, MetadataServer::new().service_account(email)).get(NAME).send().unwrap();
    let account = format!("/computeMetadata/v1/instance/service-accounts/{email}/token");
    assert_eq!(
        asked(&server),
        ["GET /computeMetadata/v1/universe/universe-domain".into(), format!("GET {account}")]
    );

    let server = self::server();
    server.auth().universe_domain("example.goog");
    let error = client(&server, MetadataServer::new()).get(NAME).send().unwrap_err();
    assert!(error.to_string().contains("is of the universe `example.goog`"), "{error}");
    assert_eq!(server.auth().issued(), 0);
}

#[test]
fn revoked_tokens_are_replaced_once() {
    let server = server();
    let client = client(&server, load(&server.auth().authorized_user_file()));
    client.get(NAME).send().unwrap();
    server.auth().revoke_tokens();
    client.get(NAME).send().unwrap();
    assert_eq!((server.auth().issued(), server.request_count()), (2, 5));
}

#[test]
fn faults_of_every_endpoint_are_retried_with_the_call() {
    let names = files(&server(), &Folder::new()).into_iter().map(|(name, _)| name);
    let faults = || [Reply::status(503), Reply::status(429), Reply::reset(), Reply::html(502)];
    for name in names {
        for fault in faults() {
            let (server, folder) = (server(), Folder::new());
            let file = files(&server, &folder).into_iter().find(|(found, _)| *found == name).unwrap().1;
            let client = client(&server, load(&server.auth().impersonated_file(&file)));
            let steps = expected(name).len() + 1;
            for step in 0..steps {
                server
                    .reply_when(move |request| !request.target().contains(NAME), Reply::usual().times(step));
                server.reply_when(|request| !request.target().contains(NAME), fault.clone());
                client.get(NAME).send().unwrap_or_else(|error| panic!("{name} {step} {fault:?}: {error:#}"));
                server.advance(Duration::from_secs(3600));
            }
            assert_eq!(server.pending_replies(), 0);
        }
    }
}

#[test]
fn the_description_of_a_refusal_is_shown_in_whole() {
    let description: String = (0..64).map(|number| format!("{number:03} ")).collect();
    let oauth = json!({"error": "invalid_grant", "error_description": &description}).to_string();
    let api = json!({"error": {"status": "PERMISSION_DENIED", "message": &description}}).to_string();
    for (name, part, body) in [
        ("user", "/token", &oauth),
        ("workforce user", "/v1/oauthtoken", &oauth),
        ("file", "/v1/token", &oauth),
        ("file", ":generateAccessToken", &api),
    ] {
        let (server, folder) = (server(), Folder::new());
        let file = files(&server, &folder).into_iter().find(|(found, _)| *found == name).unwrap().1;
        server.reply_to("POST", part, Reply::json(403, body.as_str()));
        let error =
            client(&server, load(&server.auth().impersonated_file(&file))).get(NAME).send().unwrap_err();
        assert!(error.to_string().ends_with(&format!(": {}", description.trim())), "{name}: {error}");
    }
}

#[test]
fn credentials_are_shared_by_clients_and_tokens_are_not() {
    let server = server();
    let credentials: Credentials = load(&server.auth().authorized_user_file());
    for _ in 0..2 {
        client(&server, credentials.clone()).get(NAME).send().unwrap();
    }
    assert_eq!(server.auth().issued(), 2);
}

const IMPERSONATE: &str =
    "POST /v1/projects/-/serviceAccounts/robot@fake-project.iam.gserviceaccount.com:generateAccessToken";
