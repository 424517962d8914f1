//! gRPC at the level of HTTP/2.

use std::task::Poll;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http::Request;
use prost::Message;

use super::raw2::{Broken, Raw2, frame};
use super::*;
use crate::proto::google::longrunning as pb;
use crate::proto::google::rpc;
use crate::system::is_wine;
use crate::types::OperationPage;

#[test]
fn all_methods_work_on_the_operations_of_the_server() {
    let server = FakeServer::builder().with(Rpc::Wait).page_size(2).start().unwrap();
    for number in 1..=3 {
        server.insert(FakeOperation::new(format!("projects/p/operations/{number}")).done_after(60 * SECOND));
    }
    let mut connection = Raw2::connect(&server);
    let name = "projects/p/operations/1".to_owned();
    let got: pb::Operation = connection.get(&name).unwrap().message();
    let metadata = prost_types::Struct::decode(&*got.metadata.unwrap().value).unwrap();
    assert_eq!(
        (got.name.as_str(), got.done, metadata.fields.contains_key("percent")),
        (name.as_str(), false, true)
    );
    for parent in ["projects/p", "projects/p/operations"] {
        let mut request = pb::ListOperationsRequest { name: parent.into(), ..Default::default() };
        let page: pb::ListOperationsResponse = connection.call("ListOperations", &request).unwrap().message();
        assert_eq!(page.operations.len(), 2);
        request.page_token = page.next_page_token;
        let page: pb::ListOperationsResponse = connection.call("ListOperations", &request).unwrap().message();
        assert_eq!(
            (page.operations[0].name.as_str(), page.next_page_token.as_str()),
            ("projects/p/operations/3", "")
        );
    }
    let cancel = pb::CancelOperationRequest { name: name.clone() };
    assert_eq!(connection.call("CancelOperation", &cancel).unwrap().body, frame(0, b""));
    assert!(server.operation(&name).unwrap().is_done());
    connection
        .call("DeleteOperation", &pb::DeleteOperationRequest { name: name.clone() })
        .unwrap()
        .message::<()>();
    assert_eq!(server.operation(&name), None);
    let timeout = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    let name = "projects/p/operations/2".to_owned();
    let mut wait = pb::WaitOperationRequest { name, timeout: timeout(20) };
    let waited: pb::Operation = connection.call("WaitOperation", &wait).unwrap().message();
    assert_eq!((waited.done, server.elapsed()), (false, 20 * SECOND));
    wait.timeout = None;
    let waited: pb::Operation = connection.call("WaitOperation", &wait).unwrap().message();
    assert_eq!((waited.done, server.elapsed()), (true, 60 * SECOND));
    let rpcs: Vec<_> = server.requests().iter().map(|request| request.rpc().unwrap()).collect();
    use Rpc::{Cancel, Delete, Get, List, Wait};
    assert_eq!(rpcs, [Get, List, List, List, List, Cancel, Delete, Wait, Wait]);
    assert!(server.requests().iter().all(|request| request.connection() == 1));
}

#[test]
fn requests_are_recorded_as_they_came() {
    let server = FakeServer::start();
    let request = pb::ListOperationsRequest { name: "projects/p".into(), page_size: 7, ..Default::default() };
    let headers = [("grpc-timeout", "10S"), ("X-Trace", "7")];
    let body = frame(0, &request.encode_to_vec());
    Raw2::connect(&server).call_with("ListOperations", &headers, &body).unwrap();
    get(&server, "/v1/projects/p/operations?pageSize=7");
    let requests = server.requests();
    let recorded = &requests[0];
    assert_eq!(
        (recorded.method(), recorded.path()),
        ("POST", "/google.longrunning.Operations/ListOperations")
    );
    assert_eq!((recorded.header("grpc-timeout"), recorded.header("x-trace")), (Some("10S"), Some("7")));
    assert_eq!(
        (recorded.header(":authority"), recorded.body()),
        (Some("x"), request.encode_to_vec().as_slice())
    );
    for request in &requests {
        assert_eq!((request.rpc(), request.name()), (Some(Rpc::List), Some("projects/p/operations")));
        assert_eq!(request.message::<pb::ListOperationsRequest>().unwrap().page_size, 7);
        assert_eq!(request.message::<pb::GetOperationRequest>(), None);
    }
}

#[test]
fn errors_are_statuses() {
    let server = FakeServer::start();
    let info = crate::types::rpc::ErrorInfo::new("STOCKOUT", "example.com");
    let status = Status::new(Code::Unavailable, "50 % \"é\"\n").with_detail(info);
    server.reply(status.clone());
    server.reply(Reply::from(status.clone()).header("Retry-After", "3"));
    server.reply(Reply::status(404));
    server.reply(Status::new(Code::Other(77), ""));
    let mut connection = Raw2::connect(&server);
    let answer = connection.get("x").unwrap();
    assert_eq!((answer.status, answer.body.len(), answer.trailers.is_none()), (200, 0, true));
    assert_eq!(answer.header("grpc-status"), Some("14"));
    assert_eq!(answer.header("grpc-message"), Some("50 %25 \"%C3%A9\"%0A"));
    let details = STANDARD_NO_PAD.decode(answer.header("grpc-status-details-bin").unwrap()).unwrap();
    assert_eq!(Status::from(rpc::Status::decode(&*details).unwrap()).to_json(), status.to_json());
    assert_eq!(connection.get("x").unwrap().header("retry-after"), Some("3"));
    assert_eq!(connection.get("x").unwrap().header("grpc-status"), Some("5"));
    let odd = connection.get("x").unwrap();
    assert_eq!((odd.header("grpc-status"), odd.header("grpc-message")), (Some("77"), None));
    let missing = connection.get("operations/7").unwrap();
    assert_eq!(missing.header("grpc-message"), Some("operation `operations/7` was not found"));
    let nothing = connection.call("WatchOperation", &()).unwrap();
    assert_eq!(nothing.header("grpc-status"), Some("12"));
    let broken = connection.call_with("GetOperation", &[], b"\0\0\0\0\x01\xff").unwrap();
    assert_eq!(broken.header("grpc-status"), Some("13"));
    let page = pb::ListOperationsRequest { name: "operations".into(), page_size: -1, ..Default::default() };
    let refused = connection.call("ListOperations", &page).unwrap();
    assert_eq!(
        (refused.header("grpc-status"), refused.header("grpc-status-details-bin").is_some()),
        (Some("3"), true)
    );
}

#[test]
fn tokens_are_checked() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    server.require_token("CANARY-1");
    let mut connection = Raw2::connect(&server);
    let request = frame(0, &pb::GetOperationRequest { name: "operations/1".into() }.encode_to_vec());
    let mut status = |headers: &[(&str, &str)]| {
        connection
            .call_with("GetOperation", headers, &request)
            .unwrap()
            .said("grpc-status")
            .map(str::to_owned)
    };
    assert_eq!(status(&[]).as_deref(), Some("16"));
    assert_eq!(status(&[("authorization", "Bearer CANARY-1")]).as_deref(), Some("0"));
    server.require_issued_tokens();
    assert_eq!(status(&[("authorization", "Bearer CANARY-1")]).as_deref(), Some("16"));
}

#[test]
fn responses_that_are_not_grpc_are_sent_unchanged() {
    let server = FakeServer::start();
    let table = [
        ("proxy", Reply::html(503).header("retry-after", "9"), 503, "text/html; charset=UTF-8"),
        ("captive portal", Reply::html(200), 200, "text/html; charset=UTF-8"),
        ("JSON", Reply::json(429, "{}"), 429, "application/json; charset=UTF-8"),
        ("redirect", Reply::redirect("http://x/").header("content-type", "x/y"), 307, "x/y"),
    ];
    for (case, reply, status, content_type) in table {
        server.reply(reply);
        let answer = Raw2::connect(&server).get("x").unwrap();
        assert_eq!((answer.status, answer.header("content-type")), (status, Some(content_type)), "{case}");
        assert_eq!((answer.said("grpc-status"), answer.trailers.is_none()), (None, true), "{case}");
        assert_eq!(answer.header("retry-after"), (case == "proxy").then_some("9"), "{case}");
    }
}

#[test]
fn replies_make_messages() {
    let server = FakeServer::start();
    let mut connection = Raw2::connect(&server);
    server.reply(Operation::running("operations/2"));
    assert_eq!(connection.get("x").unwrap().message::<pb::Operation>().name, "operations/2");
    server.reply(OperationPage::new(vec![Operation::running("operations/3")], "next"));
    let page: pb::ListOperationsResponse = connection.get("x").unwrap().message();
    assert_eq!((page.operations[0].name.as_str(), page.next_page_token.as_str()), ("operations/3", "next"));
    for reply in [Reply::from(()), Reply::status(200), Reply::status(204)] {
        server.reply(reply);
        assert_eq!(connection.get("x").unwrap().body, frame(0, b""));
    }
    server.reply(Reply::from(Operation::running("o")).shorten_to(2));
    assert_eq!(connection.get("x").unwrap().body, frame(0, b"\n\x01"), "a message that is no protobuf");
    server.reply(Reply::huge(200_000));
    assert_eq!(connection.get("x").unwrap().body, frame(0, &[b' '; 200_000]));
    server.reply(Reply::from(Operation::running("o")).without_header("grpc-status"));
    let answer = connection.get("x").unwrap();
    assert_eq!((answer.body.len(), answer.said("grpc-status")), (8, None));
    server.reply(Reply::empty());
    let answer = connection.get("x").unwrap();
    assert_eq!((answer.body.len(), answer.said("grpc-status")), (0, Some("0")));
    server.reply(Operation::succeeded("o", any(r#"{"@type":"x/y.Z"}"#)));
    let answer = connection.get("x").unwrap();
    let message = answer.header("grpc-message").unwrap();
    assert!(message.contains("cannot encode this in protobuf") && message.contains("y.Z"), "{message}");
}

#[test]
fn gzip_is_flagged() {
    let server = FakeServer::start();
    let mut connection = Raw2::connect(&server);
    server.reply(Reply::from(Operation::running("o")).gzip());
    let answer = connection.get("x").unwrap();
    assert_eq!((answer.header("grpc-encoding"), answer.body[0]), (Some("gzip"), 1));
    assert_eq!(answer.body[5..7], [0x1f, 0x8b]);
    server.insert(Operation::running("operations/1"));
    let packed =
        super::super::gzip::stored(&pb::GetOperationRequest { name: "operations/1".into() }.encode_to_vec());
    let answer =
        connection.call_with("GetOperation", &[("grpc-encoding", "gzip")], &frame(1, &packed)).unwrap();
    let status = if cfg!(feature = "gzip") { "0" } else { "12" };
    assert_eq!(answer.said("grpc-status"), Some(status));
}

#[test]
fn responses_break_where_the_reply_says() {
    let server = FakeServer::start();
    let operation = || Reply::from(Operation::running("operations/1"));
    let unavailable = || Reply::from(Status::new(Code::Unavailable, "no"));
    // Whether the head came, how much of the body, and the end.
    let table = [
        ("close", Reply::close(), false, 0, Broken::Closed),
        ("reset", Reply::reset(), false, 0, Broken::Reset),
        ("refused stream", Reply::reset_stream(7), false, 0, Broken::Stream(7)),
        ("go away", Reply::go_away(), false, 0, Broken::GoAway),
        ("cut in the head", operation().truncate_head_at(12), false, 0, Broken::Closed),
        ("cut behind the head", operation().truncate_at(0), true, 0, Broken::Closed),
        ("cut in the prefix", operation().truncate_at(3), true, 3, Broken::Closed),
        ("cut in the message", operation().truncate_at(9), true, 9, Broken::Closed),
        ("reset in the message", operation().reset_at(9), true, 9, Broken::Reset),
        ("cut before the status", unavailable().truncate_at(0), true, 0, Broken::Closed),
        ("banner", Reply::raw("SSH-2.0-x\r\n"), false, 0, Broken::Malformed),
    ];
    for (case, reply, has_head, length, end) in table {
        server.reply(reply);
        let (answer, ended) = *Raw2::connect(&server).get("x").expect_err(case);
        assert_eq!((answer.status == 200, answer.body.len()), (has_head, length), "{case}");
        assert!(ended == end || end == Broken::Reset && is_wine(), "{case}: {ended:?}");
        assert_eq!(answer.said("grpc-status"), None, "{case}");
    }
    server.reply(operation().truncate_at(99));
    Raw2::connect(&server).get("x").expect("cut behind the end").message::<pb::Operation>();
}

#[test]
fn connections_end_with_and_without_a_word() {
    let server = FakeServer::start();
    server.reply(Reply::status(200).then_close());
    let mut connection = Raw2::connect(&server);
    connection.get("x").unwrap();
    assert_eq!(connection.end(), Ok(()));
    server.reply(Reply::status(200).then_go_away());
    let mut connection = Raw2::connect(&server);
    connection.get("x").expect("the answer still comes").message::<()>();
    assert_eq!(connection.get("x").unwrap_err().1, Broken::GoAway);
    server.reply(Reply::status(200).then_close_on_next_request());
    let mut connection = Raw2::connect(&server);
    connection.get("x").unwrap();
    assert_eq!(connection.get("y").unwrap_err().1, Broken::Closed);
    assert_eq!(server.request_count(), 4);
    server.reply(Reply::reset_stream(11));
    let mut connection = Raw2::connect(&server);
    assert_eq!(connection.get("x").unwrap_err().1, Broken::Stream(11));
    connection.get("operations/1").expect("the connection stays");
    assert_eq!(server.requests()[4].connection(), server.requests()[5].connection());
}

#[test]
fn a_ping_precedes_the_response() {
    let server = FakeServer::start();
    server.reply(Reply::status(200).after_ping().times(2));
    let mut connection = Raw2::connect(&server);
    for _ in 0..2 {
        connection.get("x").unwrap();
    }
    // A client that does not return it gets no response.
    server.reply(Reply::status(200).after_ping());
    let mut deaf = TcpStream::connect(server.address()).unwrap();
    deaf.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    deaf.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    // HEADERS with END_STREAM: `:method: GET`, `:scheme: http`, `:path: /` from the
    // static table.
    deaf.write_all(b"\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84").unwrap();
    let mut seen = Vec::new();
    while deaf.read(&mut [0; 1]).map(|_| seen.push(0)).is_ok() {}
    assert_eq!((server.request_count(), server.pending_replies()), (3, 0));
    // SETTINGS and its acknowledgement, WINDOW_UPDATE, PING: no HEADERS.
    assert!(seen.len() < 80, "{}", seen.len());
}

#[test]
fn virtual_delays_end_at_the_budget() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    let mut connection = Raw2::connect(&server);
    server.reply(Reply::usual().delay(3600 * SECOND));
    connection.get("operations/1").expect("without a budget there is no end");
    let clock = &server.backend.clock;
    clock.socket_deadline(clock.now() + 10 * SECOND);
    server.reply(Reply::usual().delay(9 * SECOND));
    connection.get("operations/1").unwrap();
    assert_eq!(server.elapsed(), 3609 * SECOND);
    for (index, reply) in [Reply::usual().delay(10 * SECOND), Reply::hang()].into_iter().enumerate() {
        server.reply(reply);
        let (answer, ended) = *connection.get("operations/1").unwrap_err();
        assert_eq!((answer.status, ended), (200, Broken::Stream(8)), "CANCEL after the head");
        assert_eq!(server.elapsed(), (3619 + 10 * index as u32) * SECOND);
    }
    connection.get("operations/1").expect("the connection stays");
    server.reply(Reply::usual().drip(4, 3 * SECOND));
    let (answer, ended) = *connection.get("operations/1").unwrap_err();
    assert_eq!((answer.body.len(), ended), (12, Broken::Stream(8)));
}

#[test]
fn a_client_of_its_own_time_may_give_up() {
    for server in [FakeServer::start(), FakeServer::builder().real_time().start().unwrap()] {
        server.insert(Operation::running("operations/1"));
        server.reply(Reply::hang());
        let mut connection = Raw2::connect(&server);
        let request = Request::post("http://x/google.longrunning.Operations/GetOperation");
        let mut requests = connection.requests.clone();
        connection.drive(|cx| requests.poll_ready(cx)).unwrap();
        let (response, mut sending) = requests.send_request(request.body(()).unwrap(), false).unwrap();
        sending.send_data(Bytes::from_static(b"\0\0\0\0\0"), true).unwrap();
        connection.drive(|_| if server.request_count() == 1 { Poll::Ready(()) } else { Poll::Pending });
        // Both dropped: RST_STREAM.
        drop((response, sending));
        connection.get("operations/1").unwrap().message::<pb::Operation>();
    }
}

#[test]
fn rest_is_spoken_over_http2_too() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    let mut connection = Raw2::connect(&server);
    let answer =
        connection.exchange(Request::get("http://x/v1/operations/1").body(()).unwrap(), b"").unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, br#"{"name":"operations/1"}"#.as_slice()));
    let token =
        Request::get("http://x/computeMetadata/v1/project/project-id").header("metadata-flavor", "Google");
    assert_eq!(connection.exchange(token.body(()).unwrap(), b"").unwrap().status, 200);
    let missing =
        connection.exchange(Request::get("http://x/v1/operations/2").body(()).unwrap(), b"").unwrap();
    assert_eq!(missing.status, 404);
}

#[test]
fn the_end_of_the_server_ends_connections() {
    let server = FakeServer::start();
    let backend = Arc::downgrade(&server.backend);
    let mut used = Raw2::connect(&server);
    used.get("x").unwrap();
    let idle = Raw2::connect(&server);
    let half = TcpStream::connect(server.address()).unwrap();
    (&half).write_all(b"PRI * HTTP").unwrap();
    drop(server);
    assert!(backend.upgrade().is_none(), "every thread has ended");
    for connection in [used, idle] {
        // However: our own farewell may find the socket closed.
        let _ended = connection.end();
    }
}

#[test]
fn a_connection_may_serve_so_many_requests_only() {
    let server = FakeServer::builder().requests_per_connection(2).start().unwrap();
    let mut connection = Raw2::connect(&server);
    connection.get("x").unwrap();
    connection.get("x").unwrap();
    assert_eq!(connection.get("x").unwrap_err().1, Broken::GoAway);
    let mut connection = Raw::connect(&server);
    assert_eq!(connection.get("/").header("connection"), None);
    assert_eq!(connection.get("/").header("connection"), Some("close"));
    assert_eq!((connection.rest(), server.request_count()), (Ok(Vec::new()), 4));
}
