//! Every exit status, and the words and hints that come with it.

use std::fs;

use longrunning::rpc::ErrorInfo;
use longrunning::testing::Reply;
use longrunning::{Code, Status};

use crate::kit::{Lro, full_server, lro, server};
#[cfg(unix)]
use crate::wait::interrupted;

#[test]
fn zero_when_all_is_well() {
    let server = full_server();
    lro("wait operations/done").asks(&server).runs().exits(0);
}

#[test]
fn one_when_the_service_could_not_be_asked() {
    lro("--endpoint http://127.0.0.1:1 --retries 0 get operations/1")
        .runs()
        .exits(1)
        .says("lro: GetOperation `operations/1`: failed to connect to 127.0.0.1:1");
    let server = server();
    server.reply(Reply::json(200, "[]"));
    lro("get operations/1").asks(&server).runs().exits(1);
    server.reply(Status::new(Code::Internal, "broken"));
    lro("get operations/1")
        .asks(&server)
        .runs()
        .exits(1)
        .says("lro: GetOperation `operations/1`: INTERNAL: broken");
}

#[test]
fn two_for_what_cannot_be_used() {
    let rows = [
        ("get", "lro: the following required arguments were not provided"),
        ("get operations/1 --wrong", "lro: unexpected argument '--wrong' found"),
        ("frobnicate", "lro: unrecognized subcommand 'frobnicate'"),
        ("get operations/1 --total-timeout 5", "lro: invalid value '5' for '--total-timeout <DURATION>'"),
        ("get operations/1 --format xml", "lro: invalid value 'xml' for '--format <FORMAT>'"),
        ("list --page-size 0", "lro: invalid value '0' for '--page-size <N>'"),
        ("get operations/1", "lro: no endpoint for `operations/1`"),
        ("get operations/1 --endpoint http://example.com", "lro: endpoint `http://example.com` is not https"),
        ("get operations/../x --endpoint a.example", "lro: name `operations/../x` has a `.` or `..` segment"),
        ("get operations/1 --endpoint a.example --api-version v1?", "lro: version `v1?` is no path prefix"),
        ("get operations/1 --endpoint a.example --header x", "lro: --header has no colon"),
        ("get operations/1 --endpoint a.example --header host:x", "lro: header `host`"),
        (
            "get operations/1 --endpoint a.example --transport grpc --api-version v1",
            "lro: --api-version is part of URLs, which --transport grpc has none of",
        ),
        (
            "get operations/1 --endpoint a.example --credentials /no/where",
            "lro: --credentials, --access-token-file, --api-key-file, --anonymous and",
        ),
        ("wait", "lro: no operation to wait for"),
        ("man frobnicate", "lro: there is no command `frobnicate`"),
        ("serve --script /nowhere.json", "lro: scenario `/nowhere.json` cannot be read"),
    ];
    for (line, message) in rows {
        lro(line).runs().exits(2).prints("").says(message);
    }
    Lro::new(&["get", "a", "--endpoint", "a.example", "--credentials", "/no/where"])
        .runs()
        .exits(2)
        .says("lro: credentials file `/no/where` does not exist");
}

#[test]
fn three_when_an_operation_failed() {
    let server = full_server();
    let waited = lro("wait operations/failed --format json").asks(&server).runs().exits(3);
    assert!(waited.stdout.starts_with(r#"{"name":"operations/failed","#), "{waited:#?}");
    waited.says("lro: operation `operations/failed` failed: RESOURCE_EXHAUSTED: out of disk");
}

#[test]
fn four_when_an_operation_still_runs_at_the_limit() {
    let server = full_server();
    let (url, rest) =
        (server.url(), format!("--anonymous --total-timeout {BRIEFLY} wait operations/running"));
    let line = match cfg!(windows) {
        true => format!("lro --endpoint {url} {rest}"),
        false => format!("LRO_ENDPOINT={url} lro {rest}"),
    };
    lro(&format!("wait operations/running --total-timeout {BRIEFLY}"))
        .asks(&server)
        .runs()
        .exits(4)
        .prints("")
        .says("lro: operation `operations/running` still running after ")
        .says(&format!("lro: continue with: {line}"));
}

#[test]
fn five_when_an_operation_is_not_found() {
    let server = full_server();
    for line in ["get operations/0", "cancel operations/0", "delete operations/0", "wait operations/0"] {
        lro(line)
            .asks(&server)
            .runs()
            .exits(5)
            .says("lro: hint: services delete operations some time after they finish");
    }
    server.reply(Reply::html(404));
    lro("get operations/0")
        .asks(&server)
        .runs()
        .exits(5)
        .says("lro: hint: --endpoint or --api-version is wrong: the service is not there");
    server.reply(Status::new(Code::NotFound, "no such location here: ask eu-run.googleapis.com"));
    lro("get operations/0")
        .asks(&server)
        .runs()
        .exits(5)
        .says("lro: hint: the service names another endpoint: try --endpoint eu-run.googleapis.com");
}

#[test]
fn six_without_credentials_or_with_wrong_ones() {
    let server = full_server();
    Lro::new(&["get", "operations/done"])
        .asks(&server)
        .runs()
        .exits(6)
        .says("lro: no application default credentials: GOOGLE_APPLICATION_CREDENTIALS is unset")
        .says(
            "lro: hint: select others with --credentials, --access-token-file, --api-key-file or --anonymous",
        );
    server.require_token("CANARY-right");
    lro("get operations/done")
        .asks(&server)
        .runs()
        .exits(6)
        .says("lro: GetOperation `operations/done`: UNAUTHENTICATED");
    let file = std::env::temp_dir().join(format!("lro-codes-{}", std::process::id()));
    fs::write(&file, "CANARY-wrong").unwrap();
    let refused = Lro::new(&["get", "operations/done", "-v", "--access-token-file"])
        .word(file.to_string_lossy())
        .asks(&server)
        .runs()
        .exits(6)
        .says("lro: hint: the ");
    fs::remove_file(&file).unwrap();
    assert!(!refused.stderr.contains("CANARY"), "{refused:#?}");
}

#[test]
fn what_was_denied_is_named() {
    let rows = [
        (
            "Cloud Run Admin API has not been used in project 7 before or it is disabled. Enable it by visiting \
             https://console.developers.google.com/apis/api/run.googleapis.com/overview?project=7 then retry.",
            Some("SERVICE_DISABLED"),
            [("service", "run.googleapis.com"), ("activationUrl", "https://console.example/enable")],
            "run.googleapis.com is off: switch it on at https://console.example/enable (SERVICE_DISABLED)",
        ),
        (
            "Permission 'run.operations.get' denied on resource '//run.googleapis.com/projects/p/locations/l' \
             (or it may not exist).",
            Some("IAM_PERMISSION_DENIED"),
            [("permission", "run.operations.get"), ("resource", "projects/p/locations/l")],
            "the caller lacks run.operations.get on projects/p/locations/l: grant it, or use other \
             credentials (IAM_PERMISSION_DENIED)",
        ),
        (
            "The caller does not have permission",
            None,
            [("", ""), ("", "")],
            "the caller lacks a permission: grant it, or use other credentials",
        ),
    ];
    let server = full_server();
    for (message, reason, facts, hint) in rows {
        let mut status = Status::new(Code::PermissionDenied, message);
        if let Some(reason) = reason {
            let mut info = ErrorInfo::new(reason, "googleapis.com");
            info.metadata.extend(facts.map(|(name, value)| (name.to_owned(), value.to_owned())));
            status = status.with_detail(info);
        }
        server.reply(status);
        let denied = lro("get operations/done").asks(&server).runs().exits(1);
        let expected =
            format!("lro: GetOperation `operations/done`: PERMISSION_DENIED: {message}\nlro: hint: {hint}\n");
        assert_eq!(denied.stderr, expected);
    }
}

/// The order of the help: signals, 2, 6, 1, 5, 3, 4.
#[test]
fn of_several_the_gravest_counts() {
    let server = full_server();
    let wait =
        |names: &str| lro(&format!("wait --total-timeout {BRIEFLY} {names}")).asks(&server).runs().code;
    assert_eq!(wait("operations/done operations/running"), 4);
    assert_eq!(wait("operations/running operations/failed operations/done"), 3);
    assert_eq!(wait("operations/failed operations/0 operations/running"), 5);
    let denied = Status::new(Code::PermissionDenied, "no");
    server.reply_to("GET", "operations/denied", Reply::from(denied).times(2));
    assert_eq!(wait("operations/denied operations/failed operations/0"), 1);
    server.reply_to("GET", "operations/who", Status::new(Code::Unauthenticated, "who?"));
    assert_eq!(wait("operations/0 operations/who operations/denied"), 6);
    server.reply_to("GET", "operations/who", Status::new(Code::Unauthenticated, "who?"));
    assert_eq!(wait("operations/who operations/../x operations/failed"), 2);
}

#[test]
#[cfg(unix)]
fn an_interruption_counts_more_than_a_failure() {
    let server = full_server();
    let until = ["running: running", "operation `operations/failed` failed"];
    interrupted(&server, "wait operations/failed operations/running", &until, "INT").exits(130);
}

/// Long enough for a poll of each operation: Wine is slow.
const BRIEFLY: &str = if cfg!(windows) { "2s" } else { "100ms" };
