//! A service that cannot be reached, that fails, that asks for a pause, that never comes to an end.

use std::net::TcpListener;

use longrunning::testing::{FakeOperation, Reply};
use longrunning::{Any, Code, OperationPage, Status};

use crate::kit::{Lro, full_server, lro, server};

const BRIEFLY: &str = "--total-timeout 3s";

/// An endpoint where nothing listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("127.0.0.1:{}", listener.local_addr().unwrap().port())
}

fn wait_for_nothing(host: &str, line: &str) -> Lro {
    lro("wait operations/1 --poll-interval 100ms --endpoint").word(format!("http://{host}")).and(line)
}

#[test]
fn lines_say_that_the_service_cannot_be_reached() {
    let host = nowhere();
    let ran = wait_for_nothing(&host, BRIEFLY).runs().exits(1);
    let start = format!("lro: cannot reach {host} for ");
    let line = ran.stderr.lines().find(|line| line.starts_with(&start));
    let line = line.unwrap_or_else(|| panic!("{ran:#?}"));
    assert!(line.ends_with(" s: connection refused; retrying"), "{line}");
    assert_eq!(ran.stderr.matches("cannot reach").count(), 1, "few lines: {ran:#?}");
}

#[test]
fn one_line_for_many_operations() {
    let host = nowhere();
    let names: Vec<_> = (0..20).map(|number| format!("operations/{number}")).collect();
    let ran = wait_for_nothing(&host, &names.join(" ")).and(BRIEFLY).runs().exits(1);
    assert_eq!(ran.stderr.matches("cannot reach").count(), 1, "{ran:#?}");
}

#[test]
fn bars_say_it_too() {
    let host = nowhere();
    let ran = wait_for_nothing(&host, "--progress always").and(BRIEFLY).runs().exits(1);
    let part = format!("cannot reach {host} for ");
    assert!(ran.stderr.contains(&part) && ran.stderr.contains("  unreachable for "), "{ran:#?}");
    let ran = wait_for_nothing(&host, "--progress never").and(BRIEFLY).runs().exits(1);
    assert!(!ran.stderr.contains("cannot reach"), "{ran:#?}");
}

#[test]
fn a_service_that_answers_with_errors_is_reached() {
    let server = server();
    server.insert(FakeOperation::new("operations/1").done_at_poll(1));
    server.reply(Reply::from(Status::new(Code::Unavailable, "draining")).times(20));
    let ran = lro("wait operations/1 --poll-interval 100ms").asks(&server).runs().exits(0);
    let host = server.url().replace("http://", "");
    let line = format!("lro: {host} has failed for 1 s: UNAVAILABLE: draining; retrying\n");
    assert!(ran.stderr.contains(&line), "{ran:#?}");
    // The operation is done by then.
    assert!(!ran.stderr.contains("cannot reach"), "{ran:#?}");
}

#[test]
fn a_pause_that_the_service_asks_for_is_said() {
    let server = full_server();
    let status = Status::new(Code::Unavailable, "maintenance");
    server.reply(Reply::from(status).header("retry-after", "86400"));
    let ran = lro("wait operations/running --poll-interval 100ms --total-timeout 3s").asks(&server).runs();
    let ran = ran.exits(4);
    let said = ran.stderr.lines().find(|line| line.contains("UNAVAILABLE: maintenance; retrying in "));
    assert!(said.is_some_and(|line| line.ends_with(", as the service requests")), "{ran:#?}");
}

#[test]
fn an_outage_can_end_the_wait() {
    let ran = wait_for_nothing(&nowhere(), "--max-outage 500ms --total-timeout 1h").runs().exits(1);
    assert!(ran.stderr.contains("onnection refused"), "{ran:#?}");
    let ran = wait_for_nothing(&nowhere(), "--max-outage 0s --total-timeout 1h").runs().exits(1);
    assert!(ran.stderr.contains("onnection refused"), "{ran:#?}");
}

#[test]
#[cfg(unix)]
fn nothing_is_claimed_of_an_operation_that_was_never_reached() {
    let server = full_server();
    server.reply_to("GET", "operations/other", Reply::status(503).times(usize::MAX));
    let rows = [
        ("operations/other", "the state of 1 of 1 operations is unknown"),
        (
            "operations/other operations/running",
            "1 of 2 operations are not done and continue to run, the state of 1 is unknown",
        ),
        ("operations/running", "1 of 1 operations are not done and continue to run"),
    ];
    for (names, expected) in rows {
        let mut until = Vec::new();
        until.extend(names.contains("other").then_some(" has failed for "));
        until.extend(names.contains("running").then_some("running: running"));
        let line = format!("wait --poll-interval 100ms {names}");
        let ran = crate::wait::interrupted(&server, &line, &until, "INT").exits(130);
        assert!(ran.stderr.contains(&format!("lro: interrupted; {expected}\n")), "{ran:#?}");
        ran.says("lro: continue with: ");
    }
}

#[test]
fn what_can_never_work_ends_the_wait_at_once() {
    let ran = lro("wait operations/1 --endpoint https://no-such-host.invalid").runs().exits(1);
    assert!(ran.stderr.contains("no-such-host.invalid"), "{ran:#?}");
    let ran = Lro::new(&["wait", "operations/1", "--endpoint", "https://run.googleapis.com"])
        .and("--access-token-file /no/such/token")
        .runs()
        .exits(6);
    assert!(ran.stderr.contains("/no/such/token"), "{ran:#?}");
}

#[test]
fn a_listing_without_end_ends() {
    let server = full_server();
    for number in 0..100_000 {
        server.reply(OperationPage::new(Vec::new(), format!("t{number}")));
    }
    let ran = lro("list --total-timeout 500ms").asks(&server).runs().exits(1);
    ran.says("lro: ListOperations `operations`: ").says("lro: hint: continue with --page-token t");
}

#[test]
fn partial_failures_are_warnings() {
    let server = server();
    let failure = |number: usize| format!(r#"{{"code":5,"message":"bucket {number} is gone"}}"#);
    let failures = |count| (0..count).map(failure).collect::<Vec<_>>().join(",");
    let rows = [
        ("one", format!(r#""partialFailures":[{}]"#, failures(1)), 1, ""),
        ("many", format!(r#""partialFailures":[{}]"#, failures(30)), 5, "30 parts of `operations/1` failed"),
        ("a counter", r#""failureCount":"3""#.to_owned(), 0, "3 parts of `operations/1` failed"),
        ("none", r#""failureCount":0"#.to_owned(), 0, ""),
    ];
    for (row, fields, lines, counted) in rows {
        let metadata = Any::from_json(&format!(r#"{{"@type":"x/y.Z",{fields}}}"#)).unwrap();
        server.insert(FakeOperation::new("operations/1").metadata(metadata).done_at_poll(1));
        let ran = lro("wait operations/1").asks(&server).runs().exits(0);
        let start = "lro: warning: part of `operations/1` failed: NOT_FOUND: bucket ";
        let warned = ran.stderr.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!(warned, lines, "{row}: {ran:#?}");
        let all = lines + usize::from(!counted.is_empty());
        assert_eq!(ran.stderr.matches("warning: ").count(), all, "{row}: {ran:#?}");
        assert!(ran.stderr.contains(counted), "{row}: {ran:#?}");
    }
}
