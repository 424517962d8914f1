//! Every global option, as the server sees it.

use std::fs;
use std::time::Duration;

use longrunning::testing::Reply;
use longrunning::{Any, Code, Operation, Status};

use crate::kit::{Lro, full_server, lro, server};

#[test]
fn endpoint_and_version() {
    let (server, other) = (full_server(), server());
    lro("get operations/done --api-version v1beta1 --endpoint")
        .word(server.url())
        .asks(&other)
        .runs()
        .exits(0);
    assert_eq!(server.requests()[0].target(), "/v1beta1/operations/done");
    assert_eq!(other.request_count(), 0, "the option wins over the environment");
}

#[test]
fn options_stand_before_or_behind_the_command() {
    let server = full_server();
    let before = lro("--format json --progress never wait operations/done").asks(&server).runs().exits(0);
    let behind = lro("wait operations/done --format json --progress never").asks(&server).runs().exits(0);
    assert_eq!(before.stdout, behind.stdout);
}

#[test]
fn what_stands_behind_the_command_counts_and_headers_add_up() {
    let server = full_server();
    let ran = lro(
        "--format json --header x-a:1 --quota-project a get operations/done --format text --header x-b:2",
    )
    .and("--quota-project b")
    .asks(&server)
    .runs()
    .exits(0);
    assert!(ran.stdout.contains("state     succeeded"), "{ran:#?}");
    let request = &server.requests()[0];
    assert_eq!((request.header("x-a"), request.header("x-b")), (Some("1"), Some("2")));
    assert_eq!(request.header("x-goog-user-project"), Some("b"));
}

#[test]
fn formats() {
    let server = full_server();
    let by = |options: &str| lro("get operations/done").and(options).asks(&server).runs().exits(0).stdout;
    assert!(by("--format json").starts_with(r#"{"name":"operations/done","#));
    assert!(by("--format text").contains("state     succeeded"));
    assert_eq!(by("--format name"), "operations/done\n");
    assert_eq!(by(""), by("--format text"));
}

#[test]
fn anonymous() {
    let server = full_server();
    Lro::new(&["get", "operations/done"]).asks(&server).runs().exits(6);
    Lro::new(&["get", "operations/done", "--anonymous"]).asks(&server).runs().exits(0);
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[test]
fn headers_and_quota_project() {
    let server = full_server();
    lro("get operations/done --quota-project billing --header x-a:1 --header")
        .word("X-Goog-Request-Reason: ticket 1: it's")
        .asks(&server)
        .runs()
        .exits(0);
    let request = &server.requests()[0];
    assert_eq!(request.header("x-goog-user-project"), Some("billing"));
    assert_eq!(request.header("x-a"), Some("1"));
    assert_eq!(request.header("x-goog-request-reason"), Some("ticket 1: it's"));
    assert!(request.header("user-agent").unwrap().starts_with("lro/"));
    assert_eq!(request.header("authorization"), None);
}

#[test]
fn default_credentials() {
    let server = full_server();
    server.require_issued_tokens();
    let mut run = Lro::new(&["get", "operations/done"]).asks(&server).variable("NO_GCE_CHECK", "false");
    for (name, value) in server.environment() {
        run = run.variable(&name, &value);
    }
    run.runs().exits(0);
    assert!(server.requests()[0].path().starts_with("/computeMetadata/v1/"));
}

#[test]
fn a_credentials_file() {
    let server = full_server();
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/keys/service_account.json");
    Lro::new(&["get", "operations/done", "--credentials", key]).asks(&server).runs().exits(0);
    assert!(server.requests()[0].header("authorization").unwrap().starts_with("Bearer ey"));
}

#[test]
fn an_access_token_file_is_read_again_when_it_changes() {
    let server = full_server();
    let file = std::env::temp_dir().join(format!("lro-token-{}", std::process::id()));
    fs::write(&file, "first\n").unwrap();
    let renewed = file.clone();
    // The first poll brings the second token about.
    server.check_tokens(move |token| {
        fs::write(&renewed, "second-token\n").unwrap();
        token == "second-token"
    });
    let run = Lro::new(&["wait", "operations/third", "--poll-interval", "10ms", "--access-token-file"]);
    run.word(file.to_string_lossy()).asks(&server).runs().exits(0);
    fs::remove_file(&file).unwrap();
}

/// `<(command)` of a shell, with commands that are slow or hang.
#[cfg(unix)]
#[test]
fn files_may_be_pipes() {
    let server = full_server();
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/keys/service_account.json");
    let run = |script: &str, arguments: &[&str]| {
        let mut command = std::process::Command::new("bash");
        command.args(["-c", script, env!("CARGO_BIN_EXE_lro"), "get", "operations/done"]);
        let output = command.args(arguments).env("LRO_ENDPOINT", server.url()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let slow = "exec \"$0\" \"$@\" --access-token-file <(sleep 1; echo token)";
    assert_eq!(run(slow, &[]), (Some(0), String::new()));
    assert_eq!(server.take_requests()[0].header("authorization"), Some("Bearer token"));
    let credentials = format!("exec \"$0\" \"$@\" --credentials <(sleep 1; cat '{key}')");
    assert_eq!(run(&credentials, &[]), (Some(0), String::new()));
    for option in ["--access-token-file", "--credentials"] {
        // Without the standard error of the test, which would be open until it ends.
        let hangs = format!("exec \"$0\" \"$@\" {option} <(exec sleep 20 2>/dev/null)");
        let (code, stderr) = run(&hangs, &["--total-timeout", "300ms"]);
        assert!(code == Some(6) || code == Some(2), "{stderr}");
        assert!(stderr.contains("is a pipe whose writer did not finish within the timeout"), "{stderr}");
        let (code, stderr) = run(&format!("exec \"$0\" \"$@\" {option} <(false)"), &[]);
        assert!(code == Some(6) || code == Some(2), "{stderr}");
        assert!(stderr.contains("is a pipe that was closed before anything was written"), "{stderr}");
    }
}

#[test]
fn names_on_standard_input_that_do_not_end() {
    let server = full_server();
    let run = lro("cancel - --total-timeout 200ms").asks(&server);
    let child = run.starts();
    // The test holds the other end open.
    let ran = crate::kit::Ran::of_open(child).exits(2);
    assert!(ran.stderr.contains("cannot read names from standard input: it did not end"), "{ran:#?}");
}

#[test]
fn retries() {
    let server = full_server();
    server.reply(Reply::status(503).times(10));
    lro("get operations/done --retries 0").asks(&server).runs().exits(1);
    assert_eq!(server.take_requests().len(), 1);
    lro("get operations/done --retries 1").asks(&server).runs().exits(1);
    assert_eq!(server.take_requests().len(), 2);
}

#[test]
fn retries_of_a_wait() {
    let server = full_server();
    let broken = || Status::new(Code::Internal, "broken");
    server.reply(broken());
    lro("wait operations/done --retries 0").asks(&server).runs().exits(1);
    server.reply(broken());
    lro("wait operations/done --retries 1 --poll-interval 10ms").asks(&server).runs().exits(0);
}

#[test]
fn time_limits() {
    let server = full_server();
    server.reply(Reply::hang().times(20));
    let ran = lro("get operations/done --retries 0 --attempt-timeout 100ms").asks(&server).runs().exits(1);
    ran.says("lro: GetOperation `operations/done`: no response from 127.0.0.1")
        .says("lro: hint: the limits are --attempt-timeout and --total-timeout");
    lro("get operations/done --total-timeout 200ms").asks(&server).runs().exits(1);
    lro("get operations/done --timeout 200ms").asks(&server).runs().exits(1);
    server.clear_replies();
    server.reply(Reply::usual().delay(Duration::from_millis(50)));
    lro("get operations/done --attempt-timeout 1h30m --total-timeout 2h").asks(&server).runs().exits(0);
}

#[test]
fn transport() {
    let server = full_server();
    server.insert(Operation::succeeded("operations/empty", Any::pack(&())));
    lro("get operations/empty --transport rest").asks(&server).runs().exits(0);
    let ran = lro("get operations/empty --transport grpc").asks(&server).runs();
    assert!(ran.exits(0).stdout.contains("state     succeeded"));
    assert_eq!(server.requests()[1].target(), "/google.longrunning.Operations/GetOperation");
}

#[test]
fn verbose_tells_what_is_sent() {
    let server = full_server();
    for option in ["-v", "--verbose"] {
        server.reply(Reply::status(503));
        let ran = lro("get operations/done").and(option).asks(&server).runs().exits(0);
        let lines: Vec<_> = ran.stderr.lines().collect();
        assert!(lines.len() >= 2 && lines.iter().all(|line| line.starts_with("lro: ")), "{ran:#?}");
        assert!(ran.stderr.contains("operations/done") && ran.stderr.contains("UNAVAILABLE"), "{ran:#?}");
        let sent = format!("lro: REST: GET {}/v1/operations/done: status ", server.url());
        assert!(ran.stderr.contains(&format!("{sent}503 after ")), "{ran:#?}");
        ran.says(&format!("{sent}200 after "));
        lro("get operations/failed --transport grpc").and(option).asks(&server).runs().exits(0).says(&format!(
            "lro: gRPC: {}/google.longrunning.Operations/GetOperation `operations/failed`: status OK after ",
            server.url()
        ));
    }
    lro("get operations/done").asks(&server).runs().exits(0).says_nothing();
}
