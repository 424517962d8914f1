//! Scripted responses and faults, as they are on the wire.

use std::time::UNIX_EPOCH;

use serde_json::json;

use super::*;
use crate::system::is_wine;
use crate::types::OperationPage;

#[test]
fn scripted_responses_precede_the_operations_in_order() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    let mut page = OperationPage::new(vec![Operation::running("operations/3")], "next");
    page.unreachable = vec!["projects/p".into()];
    server.reply(Operation::running("operations/2"));
    server.reply(page);
    server.reply(vec![Operation::running("operations/4"), Operation::running("operations/5")]);
    server.reply(());
    assert_eq!(server.pending_replies(), 4);
    let bodies: Vec<String> = (0..5).map(|_| get(&server, "/v1/operations/1").text().to_owned()).collect();
    let expected = [
        r#"{"name":"operations/2"}"#,
        r#"{"operations":[{"name":"operations/3"}],"nextPageToken":"next","unreachable":["projects/p"]}"#,
        r#"{"operations":[{"name":"operations/4"},{"name":"operations/5"}]}"#,
        "{}",
        r#"{"name":"operations/1"}"#,
    ];
    assert_eq!(
        (bodies.iter().map(String::as_str).collect::<Vec<_>>(), server.pending_replies()),
        (expected.into(), 0)
    );
}

#[test]
fn statuses_are_google_error_bodies() {
    let server = FakeServer::start();
    let detail = r#"{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s","more":1.50}"#;
    server.reply(Status::new(Code::Unavailable, "draining \"now\"").with_detail(any(detail)));
    server.reply(Status::new(Code::Other(77), ""));
    let answer = get(&server, "/");
    assert_eq!(answer.header("content-type"), Some("application/json; charset=UTF-8"));
    let body = format!(
        r#"{{"error":{{"code":503,"message":"draining \"now\"","status":"UNAVAILABLE","details":[{detail}]}}}}"#
    );
    assert_eq!((answer.status, answer.text()), (503, body.as_str()));
    let answer = get(&server, "/");
    assert_eq!((answer.status, answer.text()), (500, r#"{"error":{"code":500,"message":""}}"#));
}

#[test]
fn scripted_responses_match_their_requests() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    server.reply_to("POST", ":cancel", Reply::status(503).times(2));
    server.reply_when(|request| request.header("x-trace") == Some("7"), Reply::status(418));
    server.reply_to("GET", "operations/9", Reply::status(429).times(usize::MAX));
    assert_eq!(get(&server, "/v1/operations/1").status, 200);
    let cancels = [(); 3].map(|()| post(&server, "/v1/operations/1:cancel", "{}").status);
    assert_eq!(cancels, [503, 503, 200]);
    let traced = Raw::connect(&server).send("GET / HTTP/1.1\r\nX-Trace: 7\r\n\r\n").answer();
    assert_eq!(traced.status, 418);
    assert_eq!([(); 3].map(|()| get(&server, "/v1/operations/9").status), [429; 3]);
    assert_eq!(server.pending_replies(), usize::MAX);
    server.clear_replies();
    assert_eq!((server.pending_replies(), get(&server, "/v1/operations/9").status), (0, 404));
    server.reply(Reply::status(500).times(0));
    assert_eq!(server.pending_replies(), 0);
}

#[test]
fn odd_responses_are_sent_unchanged() {
    let server = FakeServer::start();
    let html = "text/html; charset=UTF-8";
    let json = "application/json; charset=UTF-8";
    let table = [
        (
            "error in a 200",
            Reply::json(200, r#"{"error":{"code":5}}"#),
            200,
            Some(json),
            r#"{"error":{"code":5}}"#,
        ),
        (
            "garbage",
            Reply::json(200, "{} and more").header("Content-Type", "text/plain"),
            200,
            Some("text/plain"),
            "{} and more",
        ),
        ("empty", Reply::empty(), 200, None, ""),
        ("no content", Reply::status(204), 204, None, ""),
        ("plain success", Reply::status(200), 200, Some(json), "{}"),
        ("redirect", Reply::redirect("http://x/"), 307, None, ""),
        ("shortened", Reply::json(200, "{} and more").shorten_to(2), 200, Some(json), "{}"),
        ("chunked", Reply::json(200, "12345").chunked(), 200, Some(json), "12345"),
        ("close-delimited", Reply::json(200, "12345").close_delimited(), 200, Some(json), "12345"),
        ("spaces", Reply::huge(3), 200, Some(json), "   "),
    ];
    for (case, reply, status, content_type, body) in table {
        server.reply(reply);
        let answer = get(&server, "/");
        assert_eq!(
            (answer.status, answer.header("content-type"), answer.text()),
            (status, content_type, body),
            "{case}"
        );
        let has_length = answer.header("content-length").is_some();
        assert_eq!(has_length, !["no content", "chunked", "close-delimited"].contains(&case), "{case}");
    }
    server.reply(Reply::html(502));
    let page = get(&server, "/");
    assert_eq!((page.status, page.header("content-type")), (502, Some(html)));
    assert!(page.text().starts_with("<!DOCTYPE html>"));
}

#[test]
fn headers_are_set_replaced_and_left_out() {
    let server = FakeServer::start();
    server.set_wall(UNIX_EPOCH + Duration::from_secs(784_111_777));
    let reply =
        Reply::status(503).header("Retry-After", "1").header("retry-after", "3").without_header("Date");
    server.reply(reply);
    let answer = get(&server, "/");
    assert_eq!((answer.header("retry-after"), answer.header("date")), (Some("3"), None));
    assert_eq!(answer.head.to_ascii_lowercase().matches("retry-after").count(), 1);
    let dates = [Some(0), Some(-2), Some(i64::MIN), Some(i64::MAX), None].map(|offset| {
        server.set_date_offset(offset);
        get(&server, "/").header("date").map(str::to_owned)
    });
    let expected = [
        Some("Sun, 06 Nov 1994 08:49:37 GMT"),
        Some("Sun, 06 Nov 1994 08:49:35 GMT"),
        Some("Thu, 01 Jan 1970 00:00:00 GMT"),
    ];
    assert_eq!(dates.each_ref().map(Option::as_deref)[..3], expected);
    assert_eq!(dates[4], None);
    assert_eq!(server.wall(), UNIX_EPOCH + Duration::from_secs(784_111_777));
}

#[test]
fn gzip_is_what_others_read() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    server.reply(Reply::usual().gzip());
    server.reply(Reply::huge(10 << 20).gzip());
    let mut connection = Raw::connect(&server);
    let answer = connection.get("/v1/operations/1");
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    // One stored block: a header of 10 bytes, one of 5, the data, a checksum, the
    // length.
    let body = br#"{"name":"operations/1"}"#;
    assert_eq!(answer.body[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    assert_eq!(answer.body[15..15 + body.len()], *body);
    let bomb = connection.get("/v1/operations/1");
    assert_eq!(bomb.header("content-encoding"), Some("gzip"));
    assert!(bomb.body.len() < (10 << 20) / 150);
}

#[test]
fn connections_break_where_the_reply_says() {
    let server = FakeServer::start();
    let body = r#"{"name":"operations/1"}"#;
    let answer = |reply: Reply| {
        server.reply(reply.without_header("date"));
        let mut connection = Raw::connect(&server);
        connection.request("GET", "/v1/operations/1", "");
        let mut bytes = Vec::new();
        let ended = connection.0.read_to_end(&mut bytes).map_err(|error| error.kind());
        (String::from_utf8(bytes).unwrap(), ended.map(|_| ()))
    };
    let reset = Err(ErrorKind::ConnectionReset);
    let head =
        "HTTP/1.1 200 OK\r\ncontent-length: 23\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n";
    let json = || Reply::json(200, body);
    let table = [
        ("close", Reply::close(), String::new(), Ok(())),
        ("reset", Reply::reset(), String::new(), reset),
        ("reset for want of streams", Reply::reset_stream(7), String::new(), reset),
        ("close for want of a farewell", Reply::go_away(), String::new(), Ok(())),
        ("cut in the status line", json().truncate_head_at(5), "HTTP/".into(), Ok(())),
        ("reset after the headers", json().reset_at(0), head.into(), reset),
        ("reset in the body", json().reset_at(4), format!("{head}{}", &body[..4]), reset),
        ("cut in the body", json().truncate_at(4), format!("{head}{}", &body[..4]), Ok(())),
        ("cut behind the body", json().truncate_at(99), format!("{head}{body}"), Ok(())),
        ("banner", Reply::raw("SSH-2.0-x\r\n"), "SSH-2.0-x\r\n".into(), Ok(())),
    ];
    for (case, reply, bytes, end) in table {
        let (got, ended) = answer(reply);
        let is_same = ended == end || end == reset && is_wine();
        assert!(got == bytes && is_same, "{case}: {got:?} {ended:?}");
    }
    let (got, ended) = answer(json().chunked().truncate_at(4));
    assert!(got.ends_with(&format!("\r\n\r\n4\r\n{}\r\n", &body[..4])) && ended.is_ok(), "{got}");
}

#[test]
fn requests_with_a_body_can_be_reset_too() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    server.reply(Reply::usual().reset_at(0));
    let mut connection = Raw::connect(&server);
    connection.request("POST", "/v1/operations/1:cancel", "{}").head();
    let rest = connection.rest();
    assert!(rest == Err(ErrorKind::ConnectionReset) || is_wine(), "{rest:?}");
    assert!(server.operation("operations/1").unwrap().is_done(), "the answer was lost, not the call");
    assert_eq!(server.requests()[0].body(), b"{}");
}

#[test]
fn virtual_delays_take_no_time_and_end_at_the_budget() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    let clock = &server.backend.clock;
    server.reply(Reply::usual().delay(3600 * SECOND));
    assert_eq!(get(&server, "/v1/operations/1").status, 200, "without a budget there is no end");
    clock.socket_deadline(clock.now() + 10 * SECOND);
    server.reply(Reply::usual().delay(9 * SECOND));
    assert_eq!((get(&server, "/v1/operations/1").status, server.elapsed()), (200, 3609 * SECOND));
    let late = [Reply::usual().delay(10 * SECOND), Reply::hang(), Reply::usual().delay(Duration::MAX)];
    for (index, reply) in late.into_iter().enumerate() {
        server.reply(reply);
        let mut connection = Raw::connect(&server);
        connection.request("GET", "/v1/operations/1", "").head();
        assert_eq!(connection.rest(), Ok(Vec::new()), "an answer that never gets its body");
        assert_eq!(server.elapsed(), (3619 + 10 * index as u32) * SECOND);
    }
    assert!(server.sleeps().is_empty(), "the client did not sleep");
}

#[test]
fn a_virtual_wait_ends_at_the_budget() {
    let server = FakeServer::builder().with(Rpc::Wait).start().unwrap();
    server.insert(FakeOperation::new("operations/1").done_after(20 * SECOND));
    server.backend.clock.socket_deadline(server.backend.clock.now() + 5 * SECOND);
    let mut connection = Raw::connect(&server);
    connection.request("POST", "/v1/operations/1:wait", r#"{"timeout":"30s"}"#).head();
    assert_eq!((connection.rest(), server.elapsed()), (Ok(Vec::new()), 5 * SECOND));
}

#[test]
fn a_drip_is_sent_in_pieces_and_cut_by_the_budget() {
    let server = FakeServer::start();
    server.reply(Reply::json(200, "1234567").drip(2, SECOND));
    assert_eq!((get(&server, "/").text(), server.elapsed()), ("1234567", 4 * SECOND));
    server.reply(Reply::json(200, "1234567").chunked().drip(3, SECOND));
    assert_eq!((get(&server, "/").text(), server.elapsed()), ("1234567", 7 * SECOND));
    server.reply(Reply::raw("HTTP/1.1 200 OK\r\n").drip(1, SECOND));
    assert_eq!(Raw::connect(&server).request("GET", "/", "").rest().unwrap().len(), 17);
    assert_eq!(server.elapsed(), 24 * SECOND);
    server.backend.clock.socket_deadline(server.backend.clock.now() + 3 * SECOND);
    server.reply(Reply::json(200, "1234567").drip(2, SECOND));
    let mut connection = Raw::connect(&server);
    let head = connection.request("GET", "/", "").head();
    assert!(head.contains("content-length: 7\r\n"));
    assert_eq!((connection.rest(), server.elapsed()), (Ok(b"1234".into()), 27 * SECOND));
}

#[test]
fn a_client_of_its_own_time_is_left_hanging() {
    for server in [FakeServer::start(), FakeServer::builder().real_time().start().unwrap()] {
        server.reply(Reply::hang().times(2));
        let mut connections = [Raw::connect(&server), Raw::connect(&server)];
        for connection in &mut connections {
            connection.request("GET", "/", "");
            connection.0.get_ref().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
            let ended = connection.rest().unwrap_err();
            assert!(matches!(ended, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{ended}");
        }
        // One client leaves and its thread ends; the other is still there when the
        // server ends.
        let [one, mut other] = connections;
        let holders = Arc::strong_count(&server.backend);
        drop(one);
        while Arc::strong_count(&server.backend) == holders {
            thread::yield_now();
        }
        other.0.get_ref().set_read_timeout(Some(20 * SECOND)).unwrap();
        drop(server);
        assert_eq!(other.rest(), Ok(Vec::new()));
    }
}

#[test]
fn real_delays_are_real() {
    let server = FakeServer::builder().real_time().start().unwrap();
    let start = Instant::now();
    server.reply(Reply::status(200).delay(Duration::from_millis(3)));
    assert_eq!(get(&server, "/").status, 200);
    server.reply(Reply::json(200, "123").drip(1, Duration::from_millis(1)));
    assert_eq!(get(&server, "/").text(), "123");
    assert!(start.elapsed() >= Duration::from_millis(6), "by a clock that is not the server's");
}

#[test]
fn kept_connections_close_early() {
    let server = FakeServer::start();
    server.reply(Reply::status(200).then_close());
    let mut connection = Raw::connect(&server);
    let answer = connection.get("/");
    assert_eq!((answer.status, answer.header("connection"), connection.rest()), (200, None, Ok(Vec::new())));
    server.reply(Reply::status(200).then_close_on_next_request());
    server.reply(Reply::status(418));
    let mut connection = Raw::connect(&server);
    assert_eq!(connection.get("/one").status, 200);
    assert_eq!(connection.request("GET", "/two", "").rest(), Ok(Vec::new()));
    assert_eq!(get(&server, "/two").status, 418, "the closed one took no answer");
    let came: Vec<_> = server.requests().iter().map(|r| (r.target().to_owned(), r.connection())).collect();
    assert_eq!(came, [("/".into(), 1), ("/one".into(), 2), ("/two".into(), 2), ("/two".into(), 3)]);
    for reply in [Reply::status(200).header("Connection", "close"), Reply::status(200).close_delimited()] {
        server.reply(reply);
        let mut connection = Raw::connect(&server);
        assert_eq!(connection.request("GET", "/", "").head().matches("onnection: close\r\n").count(), 1);
        assert_eq!(connection.rest().map(|rest| rest.len()), Ok(2));
    }
}

#[test]
fn a_client_that_leaves_during_a_huge_response_has_no_effect_on_others() {
    let server = FakeServer::start();
    server.reply(Reply::huge(u64::MAX).chunked());
    let mut connection = Raw::connect(&server);
    let head = connection.request("GET", "/", "").head();
    assert!(head.contains("transfer-encoding: chunked"));
    drop(connection);
    assert_eq!(get(&server, "/").json()["error"]["code"], json!(404));
}
