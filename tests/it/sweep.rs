//! Many operations put away at once: which ones, how, and what is told of it.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use longrunning::rpc::ErrorInfo;
use longrunning::testing::{FakeServer, RecordedRequest, Reply};
use longrunning::{Code, ErrorKind, Operation, OperationPage, RetryPolicy, Status, StopToken};
use prost_types::Timestamp;

use crate::kit::{any, lines, told};

const PARENT: &str = "projects/p";

/// Twelve operations, of which every third is done.
fn server() -> FakeServer {
    let server = FakeServer::start();
    for number in 0..12 {
        let name = format!("projects/p/operations/{number}");
        server.insert(if number % 3 == 0 {
            Operation::succeeded(name, any("{}"))
        } else {
            Operation::running(name)
        });
    }
    server
}

/// What became of the operations: `d` deleted, `c` cancelled, `.` as it was.
fn fates(server: &FakeServer) -> String {
    let fate = |number| match server.operation(&format!("projects/p/operations/{number}")) {
        None => 'd',
        Some(operation) if operation.error().is_some() => 'c',
        Some(_) => '.',
    };
    (0..12).map(fate).collect()
}

#[test]
fn running_ones_are_cancelled_and_done_ones_deleted() {
    for concurrency in [0, 1, 4, 1000] {
        let server = server();
        let client = server.client();
        let mut seen = BTreeSet::new();
        let report =
            client.cancel_all(PARENT).page_size(5).concurrency(concurrency).run_with(|name, result| {
                assert!(result.is_ok() && seen.insert(name.to_owned()), "{name}");
            });
        assert_eq!(fates(&server), ".cc.cc.cc.cc", "{concurrency}");
        let report = report.unwrap();
        assert_eq!(report.to_string(), "12 listed, 8 matched: 8 done, 0 failed, 0 not tried");
        assert_eq!((report.skipped, report.undated, seen.len()), (4, 0, 8));
        assert_eq!(server.request_count(), 3 + 8);
        let report = client.delete_done(PARENT).concurrency(concurrency).run().unwrap();
        assert_eq!(fates(&server), "dddddddddddd", "{concurrency}: a cancelled one is done");
        assert_eq!(report.succeeded, 12);
        let report = client.delete_done(PARENT).run().unwrap();
        assert_eq!(report.to_string(), "0 listed, 0 matched: 0 done, 0 failed, 0 not tried");
    }
}

#[test]
fn an_operation_on_two_pages_is_one() {
    let server = server();
    let page = |numbers: [u32; 2], next: &str| {
        let [one, other] =
            numbers.map(|number| format!(r#"{{"name":"projects/p/operations/{number}","done":true}}"#));
        Reply::json(200, format!(r#"{{"operations":[{one},{other}],"nextPageToken":"{next}"}}"#))
    };
    server.reply(page([0, 3], "a"));
    server.reply(page([3, 6], ""));
    let report = server.client().delete_done(PARENT).run().unwrap();
    assert_eq!(report.to_string(), "3 listed, 3 matched: 3 done, 0 failed, 0 not tried");
    assert_eq!(server.request_count(), 2 + 3);
}

/// The filter is the service's own, and what it lets through is looked at again.
#[test]
fn a_filter_is_passed_on_and_not_trusted() {
    let server = server();
    let client = server.client();
    let report = client.delete_done(PARENT).filter("done = false").run().unwrap();
    assert_eq!((report.listed, report.skipped, report.matched), (8, 8, 0));
    assert_eq!(lines(&server), ["GET /v1/projects/p/operations?filter=done%20%3D%20false"]);
    assert_eq!(fates(&server), "............");
}

#[test]
fn a_dry_run_changes_nothing() {
    let server = server();
    let mut names = Vec::new();
    let report = server.client().cancel_all(PARENT).dry_run(true).run_with(|name, result| {
        assert!(result.is_ok());
        names.push(name.to_owned());
    });
    let report = report.unwrap();
    assert_eq!(report.to_string(), "12 listed, 8 matched: 0 done, 0 failed, 8 not tried");
    assert_eq!((names.len(), names[0].as_str()), (8, "projects/p/operations/1"));
    assert_eq!((fates(&server).as_str(), server.request_count()), ("............", 1));
}

/// Young ones stay, and so do those that do not tell their age.
#[test]
fn age_is_read_from_metadata() {
    let server = FakeServer::start();
    let ago = |seconds| Timestamp::from(server.wall() - Duration::from_secs(seconds)).to_string();
    let ahead = Timestamp::from(server.wall() + Duration::from_secs(9)).to_string();
    let table = [
        ("old", format!(r#"{{"@type":"x/y.M_Metadata","createTime":"{}"}}"#, ago(3601)), false),
        ("just", format!(r#"{{"@type":"x/y.M_Metadata","create_time":"{}"}}"#, ago(3600)), false),
        ("young", format!(r#"{{"@type":"x/y.M_Metadata","createTime":"{}"}}"#, ago(3599)), true),
        ("future", format!(r#"{{"@type":"x/y.M_Metadata","createTime":"{ahead}"}}"#), true),
        ("silent", r#"{"@type":"x/y.M_Metadata"}"#.to_owned(), true),
        ("resource", format!(r#"{{"@type":"x/y.Service","createTime":"{}"}}"#, ago(9999)), true),
    ];
    for (id, metadata, _) in &table {
        let done = Operation::succeeded(format!("operations/{id}"), any("{}"));
        server.insert(done.with_metadata(any(metadata)));
    }
    let report =
        server.client().delete_done("operations").older_than(Duration::from_secs(3600)).run().unwrap();
    for (id, _, stays) in &table {
        assert_eq!(server.operation(&format!("operations/{id}")).is_some(), *stays, "{id}");
    }
    let told = "6 listed, 2 matched: 2 done, 0 failed, 0 not tried, 2 of unknown age skipped: \
                its metadata have no `createTime`, `startTime` or the like";
    assert_eq!((report.to_string().as_str(), report.skipped), (told, 2));
    server.set_wall(SystemTime::UNIX_EPOCH);
    let report = server.client().delete_done("operations").older_than(Duration::ZERO).run().unwrap();
    assert_eq!((report.matched, report.skipped), (0, 2), "a clock that is wrong makes nothing old");
}

#[test]
fn one_failure_does_not_stop_the_others() {
    let server = server();
    server.reply_to("POST", "operations/4:cancel", Status::new(Code::FailedPrecondition, "too late"));
    server.reply_to("POST", "operations/5:cancel", Status::new(Code::PermissionDenied, "not yours"));
    server.reply_to(
        "POST",
        "operations/7:cancel",
        Reply::from(Status::new(Code::Unavailable, "draining")).times(2),
    );
    let mut failed = Vec::new();
    let report = server.client().cancel_all(PARENT).concurrency(1).run_with(|name, result| {
        if let Err(error) = result {
            assert_eq!(error.name(), Some(name));
            failed.push(error.to_string());
        }
    });
    let report = report.unwrap();
    assert_eq!(report.to_string(), "12 listed, 8 matched: 6 done, 2 failed, 0 not tried");
    let expected = "CancelOperation `projects/p/operations/4`: FAILED_PRECONDITION: too late";
    assert_eq!((failed.len(), failed[0].as_str()), (2, expected));
    assert_eq!(report.first_error.unwrap().code(), Some(Code::FailedPrecondition));
    assert_eq!(fates(&server), ".cc....cc.cc");
}

/// Older APIs say so with 403.
#[test]
fn a_used_up_quota_does_not_end_it() {
    let quota =
        Status::new(Code::PermissionDenied, "slow down").with_detail(ErrorInfo::new("rateLimitExceeded", ""));
    let server = FakeServer::start();
    (0..30).for_each(|number| server.insert(Operation::running(format!("operations/{number}"))));
    server.reply_to("POST", ":cancel", Reply::from(quota).times(1000));
    let report = server.client().cancel_all("operations").concurrency(1).run().unwrap();
    assert_eq!((report.failed, report.untried), (30, 0));
}

/// Ten refusals and nothing else: the eleventh would be no other. One call that worked, or failed otherwise, is hope.
#[test]
fn refusals_end_it_if_there_is_nothing_else() {
    let refused = |code| Reply::from(Status::new(code, "no")).times(1000);
    let rows = [
        (Code::PermissionDenied, 0, 10),
        (Code::Unimplemented, 0, 10),
        (Code::Unauthenticated, 0, 10),
        (Code::Internal, 0, 30),
        (Code::PermissionDenied, 1, 30),
    ];
    for (code, working, tried) in rows {
        let server = FakeServer::start();
        (0..30).for_each(|number| server.insert(Operation::running(format!("operations/{number}"))));
        server.reply_to("POST", ":cancel", Reply::usual().times(working));
        server.reply_to("POST", ":cancel", refused(code));
        let sweep = server.client().cancel_all("operations").retry(RetryPolicy::never());
        let report = sweep.concurrency(1).run().unwrap();
        let found = (report.succeeded, report.failed, report.untried);
        assert_eq!(found, (working, tried - working, 30 - tried), "{code} after {working}");
        assert_eq!(report.first_error.unwrap().code(), Some(code));
    }
}

#[test]
fn nothing_is_changed_after_half_a_listing() {
    let server = server();
    server.reply(Reply::usual());
    server.reply(Status::new(Code::Internal, "broken"));
    let result = server.client().cancel_all(PARENT).page_size(5).retry(RetryPolicy::never()).run();
    assert_eq!(told(&result), "Service INTERNAL");
    assert_eq!(fates(&server), "............");
    for sweep in [server.client().delete_done("a//b"), server.client().cancel_all(PARENT).header("host", "x")]
    {
        let sent = server.request_count();
        assert!(matches!(sweep.run().unwrap_err().kind(), ErrorKind::Binding | ErrorKind::Config));
        assert_eq!(server.request_count(), sent);
    }
}

#[test]
fn a_stop_leaves_the_rest() {
    let server = server();
    let token = StopToken::new();
    let stopper = token.clone();
    let stops_at_third = move |request: &RecordedRequest| {
        if request.target().ends_with("operations/4:cancel") {
            stopper.stop();
        }
        false
    };
    server.reply_when(stops_at_third, Reply::usual());
    let sweep = server.client().cancel_all(PARENT).concurrency(1).stop(&token);
    let report = sweep.clone().run().unwrap();
    assert_eq!((report.succeeded + report.failed, report.untried), (3, 5), "{report}");
    assert_eq!(sweep.run().unwrap_err().kind(), ErrorKind::Stopped);
}

#[test]
fn a_listing_without_end_is_limited() {
    for (limit, kind) in
        [("step", ErrorKind::Timeout), ("all", ErrorKind::Timeout), ("pages", ErrorKind::Stopped)]
    {
        let server = FakeServer::start();
        let delay = Duration::from_millis(100);
        for number in 0..1000 {
            let empty = OperationPage::new(Vec::new(), format!("t{number}"));
            server.reply(Reply::from(empty).delay(delay));
        }
        let sweep = server.client().cancel_all(PARENT);
        let sweep = match limit {
            "step" => sweep.total_timeout(delay.mul_f64(10.5)),
            "all" => sweep.iteration_timeout(delay.mul_f64(10.5)),
            _ => sweep.max_pages(10),
        };
        let error = sweep.run().unwrap_err();
        assert_eq!((error.kind(), error.page_token().is_some()), (kind, true), "{limit}: {error}");
        assert!(server.requests().len() <= 11, "{limit}: {}", server.request_count());
    }
}

#[test]
fn no_call_is_started_after_the_time_for_all() {
    let server = server();
    server.reply_to("POST", ":cancel", Reply::usual().delay(Duration::from_secs(1)).times(100));
    let sweep = server.client().cancel_all(PARENT).concurrency(1);
    let report = sweep.iteration_timeout(Duration::from_millis(3500)).run().unwrap();
    assert_eq!((report.succeeded, report.untried), (4, 4), "{report}");
}

#[test]
fn timeouts_reach_every_request() {
    let server = server();
    server.reply_to("POST", ":cancel", Reply::hang().times(100));
    let sweep = server.client().cancel_all(PARENT).concurrency(1).retry(RetryPolicy::never());
    let report = sweep.attempt_timeout(Duration::from_secs(2)).run().unwrap();
    assert_eq!((report.failed, server.elapsed()), (8, Duration::from_secs(16)), "{report}");
    let sweep = server.client().cancel_all(PARENT).concurrency(1).total_timeout(Duration::from_secs(3));
    assert_eq!((sweep.run().unwrap().failed, server.elapsed()), (8, Duration::from_secs(16 + 24)));
}

#[test]
fn options_reach_every_request() {
    let server = server();
    let sweep = server.client().delete_done(PARENT).quota_project("billing").header("x-trace", "9");
    assert_eq!(sweep.run().unwrap().succeeded, 4);
    for request in server.requests() {
        assert_eq!(
            (request.header("x-goog-user-project"), request.header("x-trace")),
            (Some("billing"), Some("9"))
        );
    }
}
