//! Holes that were found in other clients, each by the number of its description: none of them is here.
//!
//! 1 to 3, secrets that are logged and printed, are in `secrets.rs`; 10, secrets that stay in memory, is in
//! `memory.rs`.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use longrunning::auth::MetadataServer;
use longrunning::testing::{FakeServer, Reply};
use longrunning::{Credentials, ErrorKind};
use serde_json::json;

use crate::kit::{NAME, asked, client, exchanging, load, server};

#[test]
fn hole_4_no_time_in_an_answer_causes_a_panic() {
    let lifetimes = [
        "-1",
        "0",
        "1",
        "\"3599\"",
        "\"x\"",
        "1e18",
        "1e308",
        "18446744073709551616",
        "null",
        "true",
        "[]",
        "{}",
    ];
    for lifetime in lifetimes {
        let server = server();
        server.allow_anonymous();
        let client = client(&server, load(&server.auth().authorized_user_file()));
        let text = format!(r#"{{"access_token": "t", "expires_in": {lifetime}}}"#);
        server.reply_to("POST", "/token", Reply::json(200, text).times(usize::MAX));
        for _ in 0..3 {
            client.get(NAME).send().unwrap_or_else(|error| panic!("{lifetime}: {error:#}"));
            server.advance(Duration::from_secs(1));
        }
    }
}

#[test]
fn hole_4_no_expire_time_causes_a_panic() {
    let rows = [
        ("2001-01-01T00:00:00Z", false),
        ("1900-01-01T00:00:00Z", false),
        ("9999-12-31T23:59:59Z", true),
        ("9999-12-31T23:59:59.999999999-14:00", true),
        ("10000-01-01T00:00:00Z", true),
        ("tomorrow", true),
        ("", true),
    ];
    for (time, accepted) in rows {
        let server = server();
        server.allow_anonymous();
        let file = server.auth().impersonated_file(&server.auth().authorized_user_file());
        let client = client(&server, load(&file));
        let body = json!({"accessToken": "t", "expireTime": time}).to_string();
        server.reply_to("POST", ":generateAccessToken", Reply::json(200, body).times(usize::MAX));
        let result = client.get(NAME).total_timeout(Duration::from_secs(20)).send();
        assert_eq!(result.is_ok(), accepted, "{time}: {result:?}");
    }
}

#[test]
fn hole_5_one_refusal_does_not_end_the_credentials() {
    for credentials in [
        |server: &FakeServer| load(&server.auth().authorized_user_file()),
        |server: &FakeServer| exchanging(server).into(),
    ] {
        let server = server();
        let client = client(&server, credentials(&server));
        server.reply_to("POST", "/token", Reply::json(400, r#"{"error": "invalid_grant"}"#));
        for _ in 0..3 {
            assert_eq!(client.get(NAME).send().unwrap_err().kind(), ErrorKind::Auth);
        }
        assert_eq!(asked(&server), ["POST /token"], "the refusal is remembered");
        server.advance(Duration::from_secs(31));
        client.get(NAME).send().unwrap();

        // And a refused renewal does not take away a token that still works.
        server.advance(Duration::from_secs(3600 - 200));
        server.reply_to("POST", "/token", Reply::json(400, r#"{"error": "invalid_grant"}"#));
        for _ in 0..3 {
            client.get(NAME).send().unwrap();
        }
        assert_eq!(asked(&server).len(), 3);
        server.advance(Duration::from_secs(31));
        client.get(NAME).send().unwrap();
        assert_eq!((asked(&server).len(), server.auth().issued()), (4, 2));
    }
}

#[test]
fn hole_6_no_name_leads_to_another_path() {
    let names = [
        "operations/../../v2/projects/p:delete",
        "operations/%2e%2e/%2E%2E/v2/projects/p:delete",
        "operations/.%2e/x",
        "operations\\..\\..\\v2\\projects\\p",
        "operations/./42",
        "operations/42\r\nx-goog-user-project: evil",
        "operations/42\n",
        "operations//42",
        "/operations/42",
    ];
    let server = server();
    let client = client(&server, load(&server.auth().authorized_user_file()));
    for name in names {
        for error in [
            client.get(name).send().unwrap_err(),
            client.delete(name).send().unwrap_err(),
            client.cancel(name).send().unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Binding, "{name}: {error}");
        }
    }
    assert_eq!(server.request_count(), 0, "nothing was sent, not even for a token");

    server.allow_anonymous();
    for (name, path) in [
        ("operations/42?alt=media", "/v1/operations/42%3Falt%3Dmedia"),
        ("operations/x:cancel#", "/v1/operations/x%3Acancel%23"),
    ] {
        client.get(name).send().unwrap_err();
        let requests = server.take_requests();
        assert_eq!(requests.last().map(|request| request.target()), Some(path), "{name}");
    }
}

#[test]
fn hole_7_no_answer_is_read_without_a_limit() {
    let rows = [
        ("user", Reply::huge(1 << 40)),
        ("user", Reply::huge(1 << 32).gzip()),
        ("metadata", Reply::huge(1 << 40).header("metadata-flavor", "Google")),
        ("impersonated", Reply::huge(1 << 40)),
    ];
    for (name, reply) in rows {
        let server = server();
        let user = server.auth().authorized_user_file();
        let credentials = match name {
            "user" => load(&user),
            "impersonated" => load(&server.auth().impersonated_file(&user)),
            _ => MetadataServer::new().into(),
        };
        server.reply(reply.times(usize::MAX));
        let error = client(&server, credentials).get(NAME).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth, "{name}: {error}");
        assert!(asked(&server).len() == 1, "{name}: not tried again: {:?}", asked(&server));
    }
}

#[test]
fn hole_8_no_token_request_takes_longer_than_its_call() {
    let rows: [(&str, fn(&FakeServer) -> Credentials); 5] = [
        ("user", |server| load(&server.auth().authorized_user_file())),
        ("exchange", |server| exchanging(server).into()),
        ("metadata", |_| MetadataServer::new().into()),
        ("workforce user", |server| load(&server.auth().external_account_authorized_user_file())),
        ("impersonated", |server| {
            load(&server.auth().impersonated_file(&server.auth().authorized_user_file()))
        }),
    ];
    for (name, credentials) in rows {
        let slow = Reply::usual().drip(1, Duration::from_secs(1));
        for reply in [Reply::hang(), slow] {
            let server = server();
            let client = client(&server, credentials(&server));
            server.reply(reply.times(usize::MAX));
            let error = client.get(NAME).total_timeout(Duration::from_secs(25)).send().unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Auth | ErrorKind::Timeout), "{name}: {error}");
            assert!(server.elapsed() <= Duration::from_secs(25), "{name}: {:?}", server.elapsed());
            assert!(asked(&server).len() >= 2, "{name}: tried again: {:?}", asked(&server));
        }
    }
}

#[test]
fn hole_9_a_crowd_causes_one_token_request() {
    let server = server();
    let client = client(&server, load(&server.auth().authorized_user_file()));
    for expiry in 1..=3 {
        let start = Barrier::new(CROWD);
        thread::scope(|scope| {
            for _ in 0..CROWD {
                scope.spawn(|| {
                    start.wait();
                    client.get(NAME).send().unwrap();
                });
            }
        });
        assert_eq!(server.auth().issued(), expiry);
        server.advance(Duration::from_secs(3600));
    }
}

#[test]
fn hole_9_a_refusal_is_not_tried_again() {
    for (status, error) in [(400, "invalid_grant"), (401, "invalid_client"), (403, "access_denied")] {
        let server = server();
        let client = client(&server, load(&server.auth().authorized_user_file()));
        let body = json!({ "error": error }).to_string();
        server.reply_to("POST", "/token", Reply::json(status, body).times(usize::MAX));
        let start = Barrier::new(CROWD);
        thread::scope(|scope| {
            for _ in 0..CROWD {
                scope.spawn(|| {
                    start.wait();
                    assert_eq!(client.get(NAME).send().unwrap_err().kind(), ErrorKind::Auth);
                });
            }
        });
        assert_eq!(asked(&server), ["POST /token"], "{error}");
        assert_eq!(server.sleeps(), [Duration::ZERO; 0]);
    }
}

const CROWD: usize = 64;
