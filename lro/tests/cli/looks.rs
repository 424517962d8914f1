//! Colours, columns and details: how operations look to people.

use std::io::{BufRead, BufReader};

use longrunning::rpc::{ErrorInfo, Help, help::Link};
use longrunning::testing::Reply;
use longrunning::{Any, Code, Operation, Status};

use crate::kit::{full_server, lro, server};

#[test]
fn colours_are_for_terminals() {
    let server = full_server();
    let rows = [("", false), ("--color auto", false), ("--color never", false), ("--color always", true)];
    for (option, colourful) in rows {
        let ran = lro("wait operations/failed --progress auto").and(option).asks(&server).runs().exits(3);
        assert_eq!(ran.stderr.contains("\u{1b}[31mfailed in "), colourful, "{option}: {ran:#?}");
        for line in ["get operations/failed", "list"] {
            let ran = lro(line).and(option).asks(&server).runs().exits(0);
            assert_eq!(
                ran.stdout.contains("\u{1b}[31mfailed RESOURCE_EXHAUSTED"),
                colourful,
                "{line}: {ran:#?}"
            );
            let json = lro(line).and(option).and("--format json").asks(&server).runs().exits(0);
            assert!(!json.stdout.contains('\u{1b}'), "{json:#?}");
        }
    }
}

/// An operation of a time and with an end.
fn operation(name: &str, time: &str, end: &str) -> Operation {
    let metadata = format!(
        r#"{{"@type":"x/y.CopyMetadata","createTime":"{time}","verb":"copy","target":"projects/p/files/{name}"}}"#
    );
    let json = format!(r#"{{"name":"projects/p/operations/{name}","metadata":{metadata}{end}}}"#);
    Operation::from_json(&json).unwrap()
}

#[test]
fn a_listing_is_sorted() {
    let server = server();
    let done = r#","done":true,"response":{"@type":"x/y"}"#;
    server.insert(operation("b", "2026-01-02T00:00:00Z", ""));
    server.insert(operation("c", "2026-01-03T00:00:00Z", done));
    server.insert(operation("a", "2026-01-01T00:00:00Z", r#","done":true,"error":{"code":8}"#));
    for (key, expected) in [("name", "abc"), ("age", "cba"), ("state", "bac")] {
        let line = format!("list projects/p --sort {key} --format name --page-size 1");
        let listed = lro(&line).asks(&server).runs().exits(0);
        let ids: String = listed.stdout.lines().map(|line| line.rsplit('/').next().unwrap()).collect();
        assert_eq!(ids, expected, "{key}: {listed:#?}");
        assert!(listed.stdout.starts_with("projects/p/operations/"), "whole names, for pipes: {listed:#?}");
    }
    let listed = lro("list projects/p --sort name").asks(&server).runs().exits(0).stdout;
    let header: Vec<_> = listed.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["NAME", "STATE", "AGE", "DURATION", "VERB", "TARGET"]);
    let first: Vec<_> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!((first[0], *first.last().unwrap()), ("a", "files/a"), "without the common parent: {listed}");
}

#[test]
fn a_listing_is_printed_again_and_again() {
    let server = full_server();
    let mut child = lro("list --watch --interval 0s --format name").asks(&server).starts();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(12);
    let lines: Vec<_> = lines.map(Result::unwrap).collect();
    assert_eq!(lines[..4], lines[8..]);
    // It ends where its reader stops.
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_listing_that_fails_for_a_moment_is_watched_on() {
    let server = full_server();
    server.reply(Reply::usual());
    server.reply(Status::new(Code::Unavailable, "draining"));
    server.reply(Reply::usual());
    server.reply(Status::new(Code::PermissionDenied, "no"));
    let ran = lro("list --watch --interval 100ms --retries 0 --format name").asks(&server).runs().exits(1);
    assert_eq!(ran.stdout.lines().count(), 8, "{ran:#?}");
    let errors: Vec<_> = ran.stderr.lines().filter(|line| line.contains("ListOperations")).collect();
    assert!(errors.len() == 2 && errors[0].contains("draining") && errors[1].contains("no"), "{ran:#?}");
}

#[test]
fn an_empty_listing_says_so() {
    let server = full_server();
    let rows = [
        ("projects/q", "no operations under `projects/q`"),
        ("projects/q --filter done=false", "no operations under `projects/q` that the filter selects"),
        ("projects/q --format json", "no operations under `projects/q`"),
        ("projects/q --sort age", "no operations under `projects/q`"),
        (
            "projects/q/operations/42",
            "no operations under `projects/q/operations/42`: that is the name of an operation, which `lro get` shows",
        ),
    ];
    for (line, message) in rows {
        let ran = lro(&format!("list {line}")).asks(&server).runs().exits(0).prints("");
        assert_eq!(ran.stderr, format!("lro: {message}\n"), "{line}");
    }
    lro("list projects/q --limit 0").asks(&server).runs().exits(0).says_nothing();
}

#[test]
fn hints_fit_the_command() {
    let server = full_server();
    let rest = "--endpoint and --api-version must match, too";
    let forgotten = "services delete operations some time after they finish";
    let rows = [
        ("get operations/0", Code::NotFound, format!("{forgotten}; {rest}")),
        (
            "get operations/0 --transport grpc",
            Code::NotFound,
            format!("{forgotten}; --endpoint must match, too"),
        ),
        ("list projects/q", Code::NotFound, format!("the parent may not exist; {rest}")),
        (
            "list projects/q/operations/42",
            Code::InvalidArgument,
            "this is the name of an operation, which `lro get` shows; `lro list` takes its parent".to_owned(),
        ),
        (
            "list projects/q --transport grpc",
            Code::Unimplemented,
            "the service does not have this method over gRPC: try --transport rest".to_owned(),
        ),
    ];
    for (line, code, hint) in rows {
        server.reply(Status::new(code, "no"));
        let ran = lro(line).asks(&server).runs();
        assert!(ran.stderr.ends_with(&format!("lro: hint: {hint}\n")), "{line}: {ran:#?}");
    }
}

#[test]
fn an_error_is_shown_with_its_details() {
    let server = server();
    let status = Status::new(Code::FailedPrecondition, "not in this state")
        .with_detail(ErrorInfo::new("WRONG_STATE", "a.example"))
        .with_detail(
            Help::default().links([Link::default().description("States").url("https://a.example/s")]),
        )
        .with_detail(Any::from_json(r#"{"@type":"x/a.B","n":1}"#).unwrap());
    let metadata = Any::from_json(r#"{"@type":"x/a.M","n":{"m":2}}"#).unwrap();
    server.insert(Operation::failed("operations/1", status).with_metadata(metadata));
    let expected = "\
name      operations/1
state     failed FAILED_PRECONDITION
error     FAILED_PRECONDITION: not in this state
reason    WRONG_STATE of a.example
link      States: https://a.example/s
detail    {
            \"@type\": \"x/a.B\",
            \"n\": 1
          }
metadata  {
            \"@type\": \"x/a.M\",
            \"n\": {
              \"m\": 2
            }
          }
";
    lro("get operations/1").asks(&server).runs().exits(0).prints(expected).says_nothing();
}
