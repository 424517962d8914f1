//! google.longrunning.Operations, as the server implements it.

use serde_json::json;

use super::*;

#[test]
fn every_version_and_shape_of_name_is_found() {
    let server = FakeServer::start();
    let shapes = [
        "operations/42",
        "operations/a/b=+/c",
        "operations/ends/",
        "operations/a:b",
        "operations/x:cancel",
        "operations/50 % é✓",
        "projects/p/locations/l/operations/42",
        "projects/p/operations/x/operations/y",
        "1234567890",
    ];
    for name in shapes {
        server.insert(Operation::running(name));
    }
    let table = [
        ("/v1/operations/42", "operations/42"),
        ("/v1beta1/operations/42", "operations/42"),
        ("/v1/compute/operations/42", "operations/42"),
        ("/compute/v1/operations/42", "operations/42"),
        ("/operations/42", "operations/42"),
        ("/v1/operations/a/b%3D%2B/c", "operations/a/b=+/c"),
        ("/v1/operations/a/b=+/c", "operations/a/b=+/c"),
        ("/v1/operations/ends/", "operations/ends/"),
        ("/v1/operations/a%3Ab", "operations/a:b"),
        ("/v1/operations/a:b", "operations/a:b"),
        ("/v1/operations/x%3Acancel", "operations/x:cancel"),
        ("/v1/operations/50%20%25%20%C3%A9%E2%9C%93", "operations/50 % é✓"),
        ("/v2/projects/p/locations/l/operations/42", "projects/p/locations/l/operations/42"),
        ("/v1/projects/p/operations/x/operations/y", "projects/p/operations/x/operations/y"),
        ("/v1/operations/1234567890", "1234567890"),
        ("/v1/1234567890", "1234567890"),
        (
            "/v1beta1/operations?name=projects/p/operations/x/operations/y",
            "projects/p/operations/x/operations/y",
        ),
        ("/v1/operations/42?alt=json&$alt=json%3Benum-encoding%3Dint", "operations/42"),
    ];
    for (target, name) in table {
        let answer = get(&server, target);
        assert_eq!((answer.status, answer.json()), (200, json!({ "name": name })), "{target}");
    }
}

#[test]
fn unknown_names_and_methods_have_google_errors() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/42"));
    let answer = get(&server, "/v1/projects/p/operations/43");
    assert_eq!(answer.header("content-type"), Some("application/json; charset=UTF-8"));
    let message = "operation `projects/p/operations/43` was not found";
    let body = json!({ "error": { "code": 404, "message": message, "status": "NOT_FOUND" } });
    assert_eq!((answer.status, answer.json()), (404, body));
    let missing = [
        ("GET", "/v1/projects/p/operations/42"),
        ("GET", "/v1beta1/operations?name=operations/7"),
        ("DELETE", "/v1/operations/7"),
        ("POST", "/v1/operations/7:cancel"),
        ("POST", "/v1/operations/42"),
        ("POST", "/v1/operations/42%3Acancel"),
        ("PATCH", "/v1/operations/42"),
        ("GET", "/"),
        ("GET", "//?&=%"),
        ("BREW", "*"),
    ];
    for (method, target) in missing {
        let answer = Raw::connect(&server).request(method, target, "").answer();
        assert_eq!(
            (answer.status, &answer.json()["error"]["status"]),
            (404, &json!("NOT_FOUND")),
            "{target}"
        );
    }
    assert!(!server.operation("operations/42").unwrap().is_done());
}

#[test]
fn inserted_operations_are_returned_unchanged() {
    let server = FakeServer::start();
    let odd = r#"{ "done":true,"name":"operations/1", "response":{}, "later":[1.50, "x"] }"#;
    server.insert(Operation::from_json(odd).unwrap());
    assert_eq!(get(&server, "/v1/operations/1").text(), odd.trim());
    assert_eq!(get(&server, "/v1/operations").text(), format!(r#"{{"operations":[{}]}}"#, odd.trim()));
}

#[test]
fn an_operation_ends_after_a_time() {
    let server = FakeServer::start();
    let response = any(r#"{"@type":"type.googleapis.com/example.Index","rows":"9"}"#);
    server.advance(SECOND);
    server.insert(FakeOperation::new("operations/1").done_after(80 * SECOND).responds(response));
    server.advance(20 * SECOND);
    let running = get(&server, "/v1/operations/1").json();
    let metadata = |percent| json!({ "@type": "type.googleapis.com/google.protobuf.Struct", "value": { "percent": percent } });
    assert_eq!(running, json!({ "name": "operations/1", "metadata": metadata(25) }));
    server.advance(59 * SECOND);
    assert_eq!(get(&server, "/v1/operations/1").json()["metadata"], metadata(98));
    server.advance(SECOND);
    let done = get(&server, "/v1/operations/1").json();
    let response = json!({ "@type": "type.googleapis.com/example.Index", "rows": "9" });
    assert_eq!(
        done,
        json!({ "name": "operations/1", "metadata": metadata(100), "done": true, "response": response })
    );
}

#[test]
fn an_operation_ends_at_a_poll() {
    let server = FakeServer::start();
    let error = Status::new(Code::ResourceExhausted, "out of disk");
    let progress = |percent| any(&format!(r#"{{"@type":"example/Progress","percent":{percent}}}"#));
    server.insert(FakeOperation::new("operations/1").done_at_poll(4).fails(error).progress(progress));
    assert!(!server.operation("operations/1").unwrap().is_done());
    for percent in [25, 50] {
        assert_eq!(get(&server, "/v1/operations/1").json()["metadata"]["percent"], percent);
    }
    // A list call is a look too, and the operation itself can be read without one.
    assert!(get(&server, "/v1/operations?filter=done=true").text() == "{}");
    assert!(!server.operation("operations/1").unwrap().is_done());
    let done = get(&server, "/v1/operations/1").json();
    assert_eq!(
        (&done["done"], &done["error"]["code"], &done["metadata"]["percent"]),
        (&json!(true), &json!(8), &json!(100))
    );
    assert_eq!(get(&server, "/v1/operations/1").json(), done);
}

#[test]
fn an_operation_given_as_running_can_end_too() {
    let server = FakeServer::start();
    let metadata = any(r#"{"@type":"example/Metadata","verb":"export"}"#);
    let running = Operation::running("operations/1").with_metadata(metadata);
    server.insert(FakeOperation::from(running).done_after(SECOND));
    server.insert(FakeOperation::new("operations/2").done_after(Duration::ZERO));
    server.insert(FakeOperation::new("operations/3").done_at_poll(0));
    let failed = Operation::failed("operations/4", Status::new(Code::Internal, ""));
    server.insert(FakeOperation::from(failed.clone()).done_after(SECOND));
    for name in ["operations/2", "operations/3", "operations/4"] {
        assert!(server.operation(name).unwrap().is_done(), "{name}");
    }
    assert_eq!(get(&server, "/v1/operations/1").json()["metadata"]["verb"], "export");
    server.advance(SECOND);
    let done = get(&server, "/v1/operations/1").json();
    let empty = json!({ "@type": "type.googleapis.com/google.protobuf.Empty" });
    assert_eq!((&done["metadata"]["verb"], &done["response"]), (&json!("export"), &empty));
    assert_eq!(server.operation("operations/4"), Some(failed));
}

#[test]
fn cancel_ends_what_is_running() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1").with_metadata(any(r#"{"@type":"x/M","n":1}"#)));
    server.insert(FakeOperation::new("projects/p/operations/2"));
    server.insert(FakeOperation::new("operations/3").ignores_cancel().done_after(SECOND));
    server.insert(Operation::failed("operations/4", Status::new(Code::Internal, "no")));
    for name in ["operations/1", "projects/p/operations/2", "operations/3", "operations/4"] {
        let answer = post(&server, &format!("/v1/{name}:cancel"), "{}");
        assert_eq!((answer.status, answer.text()), (200, "{}"), "{name}");
    }
    let code = |name: &str| get(&server, &format!("/v1/{name}")).json()["error"]["code"].clone();
    assert_eq!((code("operations/1"), code("projects/p/operations/2")), (json!(1), json!(1)));
    assert_eq!((code("operations/3"), code("operations/4")), (json!(null), json!(13)));
    assert_eq!(get(&server, "/v1/operations/1").json()["metadata"]["n"], 1);
    server.advance(SECOND);
    assert!(get(&server, "/v1/operations/3").json()["response"].is_object());
}

#[test]
fn delete_removes_the_operation() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    server.insert(Operation::running("operations/2"));
    let answer = delete(&server, "/v1/operations/1");
    assert_eq!((answer.status, answer.text()), (200, "{}"));
    assert_eq!(delete(&server, "/v1/operations/1").status, 404);
    assert_eq!(names(&get(&server, "/v1/operations").json()), ["operations/2"]);
}

#[test]
fn lists_are_found_under_collection_and_parent() {
    let server = FakeServer::start();
    for name in [
        "operations/1",
        "projects/p/operations/2",
        "projects/q/operations/3",
        "projects/p/locations/l/operations/4",
        "5",
    ] {
        server.insert(Operation::running(name));
    }
    let table: [(&str, &[&str]); 9] = [
        ("/v1/operations", &["operations/1", "5"]),
        ("/v1beta1/operations", &["operations/1", "5"]),
        ("/v1/projects/p/operations", &["projects/p/operations/2"]),
        ("/v1/projects/p", &["projects/p/operations/2"]),
        ("/v1/projects/-/operations", &["projects/p/operations/2", "projects/q/operations/3"]),
        ("/v1/projects/p/locations/l/operations", &["projects/p/locations/l/operations/4"]),
        ("/v1/compute/projects/q/operations", &["projects/q/operations/3"]),
        ("/v1/operations?name=projects/q", &["projects/q/operations/3"]),
        ("/v1/projects/none/operations", &[]),
    ];
    for (target, expected) in table {
        assert_eq!(names(&get(&server, target).json()), expected, "{target}");
    }
}

#[test]
fn lists_are_filtered() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    server.insert(FakeOperation::new("operations/2").done_after(SECOND));
    server.insert(Operation::failed("operations/3", Status::new(Code::Internal, "")));
    let list = |filter: &str| names(&get(&server, &format!("/v1/operations?filter={filter}")).json());
    assert_eq!(list("done%3Dtrue"), ["operations/3"]);
    assert_eq!(list("done+%3D%20false"), ["operations/1", "operations/2"]);
    assert_eq!(list(""), ["operations/1", "operations/2", "operations/3"]);
    server.advance(SECOND);
    assert_eq!(list("done=true"), ["operations/2", "operations/3"]);
}

#[test]
fn bad_list_arguments_are_named() {
    let server = FakeServer::builder().with(Rpc::Wait).start().unwrap();
    server.insert(FakeOperation::new("operations/1"));
    let table = [
        ("filter=state=RUNNING", "filter"),
        ("pageSize=-1", "pageSize"),
        ("pageSize=many", "pageSize"),
        ("pageToken=x", "pageToken"),
        ("pageToken=MC4w", "pageToken"),
        ("pageToken=%F0%9F%92%A9", "pageToken"),
    ];
    let wait = ["timeout=3", "timeout=-1s", "timeout=infs", "timeout=1e9s"];
    let wait = wait.iter().map(|query| (format!("/v1/operations/1:wait?{query}"), "timeout"));
    let list = table.iter().map(|(query, field)| (format!("/v1/operations?{query}"), *field));
    for (target, field) in list.chain(wait) {
        let answer = get(&server, &target);
        let error = &answer.json()["error"];
        assert_eq!((answer.status, &error["status"]), (400, &json!("INVALID_ARGUMENT")), "{target}");
        assert_eq!(error["details"][0]["@type"], "type.googleapis.com/google.rpc.BadRequest");
        assert_eq!(error["details"][0]["fieldViolations"][0]["field"], field, "{target}");
    }
}

#[test]
fn pages_have_every_operation_once_and_in_order() {
    for (count, page_size) in [(0, 1), (1, 1), (7, 3), (9, 3), (10, 3), (100, 7), (1000, 1000), (1001, 1000)]
    {
        let server = FakeServer::start();
        let inserted: Vec<String> =
            (0..count).map(|number| format!("operations/{}", number * 7919 % 1009)).collect();
        for (number, name) in inserted.iter().enumerate() {
            match number % 3 {
                0 => server.insert(Operation::running(name)),
                1 => server.insert(FakeOperation::new(name)),
                _ => server.insert(Operation::failed(name, Status::new(Code::Internal, ""))),
            }
            server.insert(Operation::running(format!("projects/p/{name}")));
        }
        let done =
            inserted.iter().enumerate().filter(|(number, _)| number % 3 == 2).map(|(_, name)| name.clone());
        let tables = [("", inserted.clone()), ("&filter=done=true", done.collect())];
        for (filter, expected) in tables {
            let pages = pages(&server, &format!("/v1/operations?pageSize={page_size}{filter}"));
            assert_eq!(pages.concat(), expected, "{count} {page_size} {filter}");
            assert_eq!(
                pages.len(),
                expected.len().div_ceil(page_size).max(1),
                "{count} {page_size} {filter}"
            );
        }
    }
}

fn pages(server: &FakeServer, target: &str) -> Vec<Vec<String>> {
    let (mut pages, mut token) = (Vec::new(), String::new());
    let mut connection = Raw::connect(server);
    loop {
        let page = connection.get(&format!("{target}&pageToken={token}")).json();
        pages.push(names(&page));
        match page["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => return pages,
        }
    }
}

#[test]
fn page_tokens_survive_changes_and_belong_to_their_query() {
    let server = FakeServer::start();
    for number in 0..4 {
        server.insert(Operation::running(format!("operations/{number}")));
    }
    let page = get(&server, "/v1/operations?pageSize=2").json();
    let token = page["nextPageToken"].as_str().unwrap();
    assert_eq!(delete(&server, "/v1/operations/1").status, 200);
    assert_eq!(delete(&server, "/v1/operations/2").status, 200);
    server.insert(Operation::running("operations/0"));
    server.insert(Operation::running("operations/4"));
    let rest = get(&server, &format!("/v1/operations?page_size=5&page_token={token}")).json();
    assert_eq!(names(&rest), ["operations/3", "operations/4"]);
    for query in ["&filter=done=true", "&returnPartialSuccess=true"] {
        let answer = get(&server, &format!("/v1/operations?pageToken={token}{query}"));
        assert_eq!(answer.status, 400, "{query}");
    }
}

#[test]
fn page_sizes_have_a_default_and_a_maximum() {
    let server = FakeServer::builder().page_size(2).max_page_size(3).start().unwrap();
    for number in 0..5 {
        server.insert(Operation::running(format!("operations/{number}")));
    }
    for (query, size) in [("", 2), ("?pageSize=0", 2), ("?pageSize=1", 1), ("?pageSize=100", 3)] {
        let page = get(&server, &format!("/v1/operations{query}")).json();
        assert_eq!(names(&page).len(), size, "{query}");
    }
}

#[test]
fn unreachable_places_are_last_or_fail_the_call() {
    let server = FakeServer::start();
    server.insert(Operation::running("projects/p/locations/a/operations/1"));
    server.set_unreachable(["projects/p/locations/b"]);
    let answer = get(&server, "/v1/projects/p/locations/-/operations");
    assert_eq!((answer.status, &answer.json()["error"]["status"]), (503, &json!("UNAVAILABLE")));
    let target = "/v1/projects/p/locations/-/operations?returnPartialSuccess=true";
    let page = get(&server, target).json();
    assert_eq!((names(&page).len(), &page["unreachable"]), (1, &json!(null)));
    let token = page["nextPageToken"].as_str().unwrap();
    let last = get(&server, &format!("{target}&pageToken={token}")).json();
    assert_eq!(last, json!({ "unreachable": ["projects/p/locations/b"] }));
    server.set_unreachable([""; 0]);
    assert_eq!(get(&server, "/v1/projects/p/locations/-/operations").status, 200);
}

#[test]
fn wait_returns_when_done_or_at_the_timeout() {
    let server = FakeServer::builder().with(Rpc::Wait).max_wait(10 * SECOND).start().unwrap();
    server.insert(FakeOperation::new("operations/1").done_after(9 * SECOND));
    let body = |timeout: &str| json!({ "timeout": timeout }).to_string();
    let running = post(&server, "/v1/operations/1:wait", &body("3.5s"));
    assert_eq!((running.status, &running.json()["done"]), (200, &json!(null)));
    assert_eq!(server.elapsed(), Duration::from_millis(3500));
    post(&server, "/v1/operations/1:wait?timeout=1.5s", "");
    get(&server, "/v1/operations/1:wait?timeout=1s");
    assert_eq!(server.elapsed(), 6 * SECOND);
    let done = post(&server, "/v1/operations/1:wait", &body("5s"));
    assert_eq!((&done.json()["done"], server.elapsed()), (&json!(true), 9 * SECOND));
    post(&server, "/v1/operations/1:wait", "");
    assert_eq!((server.elapsed(), post(&server, "/v1/operations/2:wait", "{}").status), (9 * SECOND, 404));
    server.insert(FakeOperation::new("operations/3"));
    post(&server, "/v1/operations/3:wait", &body("3600s"));
    assert_eq!(server.elapsed(), 19 * SECOND, "the server clamps");
    assert_eq!(post(&server, "/v1/operations/3:wait", "{").status, 400);
}

#[test]
fn wait_in_real_time_sees_what_others_do() {
    let server = FakeServer::builder().with(Rpc::Wait).real_time().start().unwrap();
    server.insert(FakeOperation::new("operations/1"));
    let mut waiting = Raw::connect(&server);
    waiting.request("POST", "/v1/operations/1:wait", r#"{"timeout":"60s"}"#);
    while server.request_count() == 0 {
        thread::yield_now();
    }
    post(&server, "/v1/operations/1:cancel", "{}");
    assert_eq!(waiting.answer().json()["error"]["code"], 1);
    let start = Instant::now();
    server.insert(FakeOperation::new("operations/2").done_after(Duration::from_millis(3)));
    let done = post(&server, "/v1/operations/2:wait", "{}");
    assert_eq!(done.json()["done"], true);
    assert!(start.elapsed() >= Duration::from_millis(3), "by a clock that is not the server's");
}

#[test]
fn methods_can_be_unimplemented() {
    let server =
        FakeServer::builder().without(Rpc::Cancel).without(Rpc::Delete).without(Rpc::List).start().unwrap();
    server.insert(Operation::running("operations/1"));
    let calls = [
        ("POST", "/v1/operations/1:cancel"),
        ("POST", "/v1/operations/1:wait"),
        ("GET", "/v1/operations/1:wait?timeout=1s"),
        ("DELETE", "/v1/operations/1"),
        ("GET", "/v1/operations"),
    ];
    for (method, target) in calls {
        let answer = Raw::connect(&server).request(method, target, "").answer();
        assert_eq!(
            (answer.status, &answer.json()["error"]["status"]),
            (501, &json!("UNIMPLEMENTED")),
            "{target}"
        );
    }
    assert_eq!(get(&server, "/v1/operations/1").status, 200);
}

#[test]
fn tokens_are_checked_and_can_be_revoked() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    server.require_token("one");
    let with = |header: &str| {
        let request = format!("GET /v1/operations/1 HTTP/1.1\r\n{header}\r\n");
        Raw::connect(&server).send(request).answer()
    };
    server.reply(Operation::running("operations/scripted"));
    for header in
        ["", "authorization: Bearer two\r\n", "authorization: Basic one\r\n", "authorization: one\r\n"]
    {
        let answer = with(header);
        assert_eq!(
            (answer.status, &answer.json()["error"]["status"]),
            (401, &json!("UNAUTHENTICATED")),
            "{header}"
        );
        assert!(answer.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer ")));
    }
    assert_eq!(with("Authorization: bearer one\r\n").json()["name"], "operations/scripted");
    assert_eq!(with("authorization: Bearer one\r\n").status, 200);
    server.require_token("two");
    assert_eq!(with("authorization: Bearer one\r\n").status, 401);
    assert_eq!(with("authorization: Bearer two\r\n").status, 200);
    server.check_tokens(|token| token.starts_with('t'));
    assert_eq!(with("authorization: Bearer three\r\n").status, 200);
    server.allow_anonymous();
    assert_eq!(with("").status, 200);
    assert_eq!(server.requests()[1].header("authorization"), Some("Bearer two"));
}

#[test]
fn ten_thousand_operations_are_listed() {
    let server = FakeServer::start();
    let metadata = any(
        r#"{"@type":"example/Metadata","text":"some hundred bytes of metadata are what most services give"}"#,
    );
    for number in 0..10_000 {
        let name = format!("projects/p/locations/l/operations/{number}");
        match number % 2 {
            0 => server.insert(Operation::running(name).with_metadata(metadata.clone())),
            _ => server.insert(FakeOperation::new(name).done_after(3600 * SECOND)),
        }
    }
    assert_eq!(pages(&server, "/v1/projects/p/locations/l/operations?pageSize=1000").len(), 10);
}

#[test]
fn responses_are_protobuf_if_the_request_selects_it() {
    use crate::proto::google::longrunning as pb;
    use prost::Message;

    let server = FakeServer::start();
    server.insert(Operation::running("operations/1").with_metadata(Any::pack(&"text".to_owned())));
    for alt in ["alt=proto", "$alt=proto", "%24alt=proto%3Benum-encoding%3Dint"] {
        let answer = get(&server, &format!("/v1/operations/1?{alt}"));
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("application/x-protobuf")),
            "{alt}"
        );
        let operation = Operation::from(pb::Operation::decode(&*answer.body).unwrap());
        assert_eq!(operation.to_json(), get(&server, "/v1/operations/1?alt=json").text(), "{alt}");
    }
    let page = get(&server, "/v1/operations?alt=proto&pageSize=1");
    let page = pb::ListOperationsResponse::decode(&*page.body).unwrap();
    assert_eq!(page.operations[0].name, "operations/1");
    let missing = get(&server, "/v1/operations/2?alt=proto");
    let status = crate::proto::google::rpc::Status::decode(&*missing.body).unwrap();
    assert_eq!((missing.status, status.code), (404, 5));
    server.reply(Reply::status(503));
    let scripted = get(&server, "/v1/operations/2?alt=proto");
    let status = crate::proto::google::rpc::Status::decode(&*scripted.body).unwrap();
    assert_eq!((scripted.status, status.code), (503, 14));
    let cancelled = post(&server, "/v1/operations/1:cancel?alt=proto", "{}");
    assert_eq!((cancelled.status, cancelled.body.len()), (200, 0));
    server.insert(Operation::succeeded("operations/3", any(r#"{"@type":"x/y.Z"}"#)));
    let unspeakable = get(&server, "/v1/operations/3?alt=proto");
    let status = crate::proto::google::rpc::Status::decode(&*unspeakable.body).unwrap();
    assert_eq!((unspeakable.status, status.code, status.message.contains("y.Z")), (500, 13, true));
}
