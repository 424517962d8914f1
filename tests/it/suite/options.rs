//! The options that each of the calls takes, and what a configuration says of each method.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use longrunning::proto::google::longrunning as pb;
use longrunning::testing::Reply;
#[cfg(feature = "gzip")]
#[cfg(all(feature = "grpc", feature = "gzip"))]
use longrunning::transport::Compression;
use longrunning::{Backoff, ClientConfig, Code, Credentials, Operation, RetryPolicy, Status};

#[cfg(feature = "gzip")]
#[cfg(all(feature = "grpc", feature = "gzip"))]
use super::super::FACE;
use super::kit::{FakeServer, Method, NAME, done, secs, server, slept, unavailable};
use crate::kit::{Folder, KEY_FILE};

/// Makes each of the four calls on a server of its own, with options: name, server and outcome.
macro_rules! each_call {
    ($builder:expr, $replies:expr, |$call:ident| $with:expr) => {
        [
            each_call!(@ $builder, $replies, |client| { let $call = client.get(NAME); $with.send().map(drop) }),
            each_call!(@ $builder, $replies, |client| { let $call = client.list("operations"); $with.send().map(drop) }),
            each_call!(@ $builder, $replies, |client| { let $call = client.cancel(NAME); $with.send() }),
            each_call!(@ $builder, $replies, |client| { let $call = client.delete(NAME); $with.send() }),
        ]
    };
    (@ $builder:expr, $replies:expr, |$client:ident| $call:expr) => {{
        let server = server();
        server.reply($replies);
        let builder: fn(&FakeServer) -> super::kit::Builder = $builder;
        let $client = builder(&server).build().unwrap();
        let result = $call;
        (server, result)
    }};
}

#[test]
fn every_call_takes_a_retry() {
    let calls =
        each_call!(|server| server.client_builder().retry(RetryPolicy::never()), unavailable(), |call| {
            call.retry(RetryPolicy::default().max_attempts(2))
        });
    for (server, result) in calls {
        result.unwrap();
        assert_eq!(server.request_count(), 2, "{:?}", server.requests()[0].rpc());
    }
}

#[test]
fn every_call_takes_time_limits() {
    let calls = each_call!(|server| server.client_builder(), Reply::hang().times(9), |call| {
        call.attempt_timeout(secs(2.0)).total_timeout(secs(3.0))
    });
    for (server, result) in calls {
        let error = result.unwrap_err();
        assert_eq!((error.attempts(), server.elapsed()), (2, secs(3.0)), "{error}");
    }
}

#[test]
fn every_call_takes_metadata() {
    let calls = each_call!(|server| server.client_builder(), Reply::usual(), |call| {
        call.header("x-trace", "9").header("x-extra-bin", "AAE")
    });
    for (server, result) in calls {
        result.unwrap();
        let request = &server.requests()[0];
        assert_eq!(request.header("x-trace"), Some("9"), "{:?}", request.rpc());
        assert_eq!(request.header("x-extra-bin"), Some("AAE"), "{:?}", request.rpc());
    }
}

/// Over gRPC alone, as with Python: REST takes the option without effect.
#[test]
#[cfg(all(feature = "grpc", feature = "gzip"))]
fn every_call_takes_a_compression() {
    let encoding = |compression| match (FACE.is_rest(), compression) {
        (false, Compression::Gzip) => Some("gzip"),
        _ => None,
    };
    let of_call = each_call!(|server| server.client_builder(), Reply::usual(), |call| {
        call.compression(Compression::Gzip)
    });
    let of_client =
        each_call!(|server| server.client_builder().compression(Compression::Gzip), Reply::usual(), |call| {
            call
        });
    let call_first =
        each_call!(|server| server.client_builder().compression(Compression::Gzip), Reply::usual(), |call| {
            call.compression(Compression::Identity)
        });
    for (calls, compression) in
        [(of_call, Compression::Gzip), (of_client, Compression::Gzip), (call_first, Compression::Identity)]
    {
        for (server, result) in calls {
            result.unwrap();
            let request = &server.requests()[0];
            assert_eq!(request.header("grpc-encoding"), encoding(compression), "{:?}", request.rpc());
        }
    }
}

#[test]
fn a_configuration_holds_for_each_method() {
    let config = |method: &str, attempts: u32| {
        format!(
            r#"{{"name": [{{"service": "google.longrunning.Operations", "method": "{method}"}}],
                 "retryPolicy": {{"maxAttempts": {attempts}, "initialBackoff": "2s", "maxBackoff": "20s",
                     "backoffMultiplier": 1, "retryableStatusCodes": ["ABORTED"]}}}}"#
        )
    };
    let entries =
        [("GetOperation", 2), ("ListOperations", 3), ("CancelOperation", 4), ("DeleteOperation", 5)]
            .map(|(method, attempts)| config(method, attempts));
    let config = format!(r#"{{"methodConfig": [{}]}}"#, entries.join(","));
    let rows = [(Method::Get, 2), (Method::List, 3), (Method::Cancel, 4), (Method::Delete, 5)];
    for (method, attempts) in rows {
        let server = server();
        server.reply(Reply::from(Status::new(Code::Aborted, "no")).times(9));
        let config = ClientConfig::from_json(&config).unwrap();
        let client = server.client_builder().client_config(config).build().unwrap();
        assert_eq!(method.run(&client).unwrap_err().code(), Some(Code::Aborted));
        assert_eq!(server.request_count(), attempts, "{method:?}");
        assert_eq!(slept(&server), vec![1.5; attempts as usize - 1], "{method:?}");
    }
}

#[test]
fn options_of_the_client_hold_for_every_call() {
    let folder = Folder::new();
    let file = folder.file("key.json", KEY_FILE);
    for method in Method::ALL {
        let server = server();
        let client = server
            .client_builder()
            .credentials(Credentials::from_file(&file).unwrap())
            .scopes(["https://www.googleapis.com/auth/a", "https://www.googleapis.com/auth/b"])
            .quota_project("billing")
            .user_agent("nightly/1.4")
            .client_info("gccl/1.2")
            .build()
            .unwrap();
        method.run(&client).unwrap();
        let request = &server.requests()[0];
        let header = |name| request.header(name).unwrap_or_default();
        assert_eq!(header("x-goog-user-project"), "billing", "{method:?}");
        assert!(header("user-agent").starts_with("nightly/1.4 "), "{method:?}");
        assert!(header("x-goog-api-client").ends_with(" gccl/1.2"), "{method:?}");
        let claims = claims(header("authorization").strip_prefix("Bearer ").unwrap());
        assert_eq!(claims["iss"], "robot@test-project.iam.gserviceaccount.com", "{method:?}");
        let scopes = "https://www.googleapis.com/auth/a https://www.googleapis.com/auth/b";
        assert_eq!(claims["scope"], scopes, "{method:?}");
    }
}

#[test]
fn a_handle_takes_over_what_was_started() {
    let json = Operation::from_json(&format!(r#"{{"name": "{NAME}"}}"#)).unwrap();
    let proto = Operation::from(pb::Operation::default().name(NAME));
    for started in [json, proto] {
        let server = server();
        let handle = server.client().operation(&started);
        assert_eq!((handle.name(), handle.is_done(), handle.operation()), (NAME, false, Some(started)));
        assert_eq!(handle.poller().header("x-trace", "9").until_done().unwrap(), done());
        assert_eq!(server.requests()[0].header("x-trace"), Some("9"));
        assert_eq!((handle.is_done(), handle.operation()), (true, Some(done())));
    }
}

#[test]
fn a_policy_is_changed_on_a_clone() {
    let base = RetryPolicy::default().max_attempts(2);
    let delayed = base.clone().backoff(Backoff::exponential(secs(8.0), secs(8.0)));
    let other_codes = base.clone().codes([Code::Aborted]);
    let rows = [
        ("base", base, Code::Unavailable, vec![0.375]),
        ("delays", delayed, Code::Unavailable, vec![6.0]),
        ("codes", other_codes.clone(), Code::Aborted, vec![0.375]),
        ("codes, others", other_codes, Code::Unavailable, vec![]),
    ];
    for (row, policy, code, sleeps) in rows {
        let server = server();
        server.reply(Reply::from(Status::new(code, "no")).times(9));
        assert_eq!(server.client().get(NAME).retry(policy).send().unwrap_err().code(), Some(code), "{row}");
        assert_eq!(slept(&server), sleeps, "{row}");
    }
}

fn claims(token: &str) -> serde_json::Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
