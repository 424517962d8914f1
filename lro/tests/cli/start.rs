//! `lro start`: what is sent, what is printed, and how it ends.

use std::fs;
use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer, Reply};
use longrunning::{Any, Code, Operation, Status};

use crate::kit::{Lro, lro};

const PATH: &str = "/v2/projects/p/locations/l/jobs/j:run";
const NAME: &str = "projects/p/locations/l/operations/1";

fn served(operation: FakeOperation) -> FakeServer {
    let server = FakeServer::builder().real_time().start().unwrap();
    for method in ["POST", "PATCH"] {
        server.on_start(method, "/v2/{name=projects/*/locations/*/jobs/*}:run", operation.clone());
    }
    for method in ["DELETE", "PUT", "GET"] {
        server.on_start(method, "/v2/projects/*/x", operation.clone());
    }
    server
}

fn server() -> FakeServer {
    let done = Any::from_json(r#"{"@type":"x/y.Execution","n":18446744073709551616}"#).unwrap();
    served(FakeOperation::new(NAME).done_after(Duration::from_millis(50)).responds(done))
}

fn start(server: &FakeServer, line: &str) -> Lro {
    lro(&format!("start {line}")).asks(server)
}

#[test]
fn it_prints_the_operation() {
    let server = server();
    let ran = start(&server, PATH).runs().exits(0);
    assert!(ran.stdout.contains(NAME) && ran.stdout.contains("running"), "{ran:#?}");
    assert_eq!(ran.stderr, "", "{ran:#?}");
    let ran = start(&server, PATH).and("--format json").runs().exits(0);
    assert!(ran.stdout.starts_with(&format!(r#"{{"name":"{NAME}-2""#)), "{ran:#?}");
    let requests = server.requests();
    assert_eq!((requests.len(), requests[0].method(), requests[0].path()), (2, "POST", PATH));
    assert_eq!((requests[0].body(), requests[0].header("content-length")), (&b""[..], Some("0")));
}

#[test]
fn a_url_says_where() {
    let server = server();
    let ran = lro(&format!("start {}{PATH} --wait --poll-interval 10ms", server.url())).runs().exits(0);
    assert!(ran.stdout.contains("18446744073709551616") || ran.stdout.contains("succeeded"), "{ran:#?}");
    Lro::new(&["start", "https://evil.example/v2/projects/p:x"])
        .runs()
        .exits(2)
        .says("lro: `https://evil.example/v2/projects/p:x` is not at a host of Google's");
    lro("start /v2/x").runs().exits(2).says("lro: no endpoint for `/v2/x`");
    start(&server, "/v2/x?a=b").runs().exits(2).says("lro: hint: give each parameter by --query NAME=VALUE");
}

#[test]
fn method_query_and_body_arrive() {
    let server = server();
    let file = std::env::temp_dir().join(format!("lro-start-{}.json", std::process::id()));
    fs::write(&file, "{\"from\": \"a file\"}\n").unwrap();
    start(&server, PATH)
        .and("--method PATCH --query a=1 --query a=x=y --query b=")
        .word("--data={\"n\": 1}")
        .runs()
        .exits(0);
    start(&server, PATH).word("--data").word(format!("@{}", file.display())).runs().exits(0);
    start(&server, PATH).and("--method POST --data -").input("[1]").runs().exits(0);
    for method in ["DELETE", "PUT", "GET"] {
        start(&server, "/v2/projects/p/x --method").and(method).runs().exits(0);
    }
    fs::remove_file(file).unwrap();
    let requests = server.requests();
    let found: Vec<_> = requests
        .iter()
        .map(|request| (request.method(), request.target(), String::from_utf8_lossy(request.body())))
        .collect();
    let query = format!("{PATH}?a=1&a=x%3Dy&b=");
    assert_eq!(
        found,
        [
            ("PATCH", &*query, "{\"n\": 1}".into()),
            ("POST", PATH, "{\"from\": \"a file\"}\n".into()),
            ("POST", PATH, "[1]".into()),
            ("DELETE", "/v2/projects/p/x", "".into()),
            ("PUT", "/v2/projects/p/x", "".into()),
            ("GET", "/v2/projects/p/x", "".into()),
        ]
    );
}

#[test]
fn what_cannot_be_sent_is_not_sent() {
    let server = server();
    let rows = [
        ("no JSON", start(&server, PATH).word("--data={"), "not valid JSON"),
        ("no file", start(&server, PATH).and("--data @/does/not/exist"), "cannot read --data file"),
        ("no JSON on standard input", start(&server, PATH).and("--data -").input("x"), "not valid JSON"),
        ("no pair", start(&server, PATH).and("--query a"), "expected NAME=VALUE"),
        ("a path that leads elsewhere", start(&server, "/v2/../v1/x"), "`.` or `..`"),
        ("no path", start(&server, "v2/x"), "does not start with `/`"),
        ("a method that there is not", start(&server, PATH).and("--method HEAD"), "invalid value 'HEAD'"),
        ("gRPC", start(&server, PATH).and("--transport grpc"), "over gRPC a start is a message"),
        ("options of a wait", start(&server, PATH).and("--on-timeout cancel"), "--wait"),
        (
            "an id that the service ignores",
            start(&server, "/sql/v1/projects/p/x").and("--request-id x"),
            "Cloud SQL",
        ),
    ];
    for (row, run, message) in rows {
        let ran = run.runs().exits(2);
        assert!(ran.stderr.contains(message), "{row}: {ran:#?}");
    }
    assert_eq!(server.request_count(), 0);
}

#[test]
fn it_says_if_something_may_have_been_started() {
    let rows = [
        ("503", Reply::status(503), 1, true),
        ("reset", Reply::usual().reset_at(0), 1, true),
        ("quota", Status::new(Code::ResourceExhausted, "no").into(), 1, false),
        ("not found", Status::new(Code::NotFound, "no such job").into(), 1, false),
        ("not authenticated", Status::new(Code::Unauthenticated, "who").into(), 6, false),
    ];
    for (row, reply, code, doubt) in rows {
        let server = server();
        server.reply(reply);
        let ran = start(&server, PATH).runs().exits(code);
        assert_eq!(ran.stderr.contains("may have started an operation"), doubt, "{row}: {ran:#?}");
        assert_eq!((server.request_count(), &*ran.stdout), (1, ""), "{row}");
    }
    let server = server();
    server.reply(Reply::json(200, r#"{"name":"projects/p/topics/t","labels":{}}"#));
    let ran = start(&server, PATH).runs().exits(1);
    assert_eq!(ran.stdout, "{\"name\":\"projects/p/topics/t\",\"labels\":{}}\n");
    assert!(ran.stderr.contains("the request was accepted"), "{ran:#?}");
}

#[test]
fn a_request_id_allows_retries() {
    let server = server();
    server.reply(Reply::status(503).header("retry-after", "0"));
    let ran = start(&server, PATH).and("--request-id auto").runs().exits(0);
    let requests = server.requests();
    let id = requests[0].query("requestId").unwrap();
    assert_eq!((requests.len(), requests[1].query("requestId").as_ref()), (2, Some(&id)));
    assert!(ran.stderr.contains(&id), "{ran:#?}");
    start(&server, PATH).and("--request-id").word("my-id").runs().exits(0);
    assert_eq!(server.requests()[2].query("requestId").as_deref(), Some("my-id"));
}

#[test]
fn with_wait_it_ends_as_wait_does() {
    let failed = Status::new(Code::Internal, "out of disk");
    let short = || FakeOperation::new(NAME).done_after(Duration::from_millis(50));
    let rows = [
        ("done", short(), "", 0),
        ("failed", short().fails(failed.clone()), "", 3),
        ("still running", FakeOperation::new(NAME), "--total-timeout 1s", 4),
        ("cancelled", FakeOperation::new(NAME), "--total-timeout 1s --on-timeout cancel", 4),
        ("done at once", Operation::succeeded(NAME, Any::pack(&())).into(), "", 0),
        ("failed at once", Operation::failed(NAME, failed).into(), "", 3),
    ];
    for (row, operation, options, code) in rows {
        let server = served(operation);
        let ran = start(&server, PATH).and("--wait --poll-interval 10ms").and(options).runs().exits(code);
        assert!(ran.stderr.contains(&format!("started `{NAME}`")), "{row}: {ran:#?}");
        let polled: Vec<_> =
            server.requests().iter().skip(1).map(|request| request.path().to_owned()).collect();
        assert_eq!(polled.is_empty(), row.ends_with("at once"), "{row}: {polled:?}");
        let path = format!("/v2/{NAME}");
        assert!(polled.iter().all(|polled| polled.starts_with(&path)), "{row}: {polled:?}");
        let url = format!("{}/v2/{NAME}", server.url());
        let goes_on = ran.stderr.contains("continue with: ") && ran.stderr.contains(&url);
        assert_eq!(goes_on, code == 4, "{row}: {ran:#?}");
    }
}

#[test]
fn a_wait_after_a_start_tolerates_that_the_operation_is_not_there_yet() {
    let server = server();
    server.reply_to("GET", NAME, Status::new(Code::NotFound, "not yet"));
    start(&server, PATH).and("--wait --poll-interval 10ms").runs().exits(0);
}

#[test]
fn a_journal_keeps_what_was_started() {
    let server = served(FakeOperation::new(NAME).done_after(Duration::from_secs(2)));
    let file = std::env::temp_dir().join(format!("lro-start-{}.jsonl", std::process::id()));
    let journal = || file.to_string_lossy().into_owned();
    let line = "--wait --poll-interval 10ms --total-timeout 500ms --journal";
    start(&server, PATH).and(line).word(journal()).runs().exits(4);
    assert!(fs::read_to_string(&file).unwrap().contains(r#""api_version":"v2""#));
    let ran = lro("wait --poll-interval 10ms --journal").word(journal()).runs().exits(0);
    assert!(ran.stdout.contains(NAME), "{ran:#?}");
    fs::remove_file(file).unwrap();
}

#[test]
fn a_dry_run_shows_the_request() {
    let server = server();
    let line = "--dry-run --method PATCH --query a=b --data";
    let ran = start(&server, PATH).and(line).word("{\"n\": 1}").runs().exits(0);
    let url = format!("{}{PATH}?a=b", server.url());
    assert!(ran.stdout.starts_with(&format!("PATCH {url}\n")), "{ran:#?}");
    let data = if cfg!(windows) { r#"--data "{\"n\": 1}""# } else { r#"--data '{"n": 1}'"# };
    assert!(ran.stdout.contains("curl --request PATCH") && ran.stdout.contains(data), "{ran:#?}");
    assert_eq!(server.request_count(), 0);
}
