//! HTTP/1.1 with all kinds of clients.

use std::sync::Barrier;

use super::*;

#[test]
fn a_connection_is_kept_for_many_requests() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    let mut connection = Raw::connect(&server);
    for _ in 0..3 {
        assert_eq!(connection.get("/v1/operations/1").status, 200);
    }
    assert_eq!(get(&server, "/v1/operations/1").status, 200);
    let connections: Vec<u64> = server.requests().iter().map(RecordedRequest::connection).collect();
    assert_eq!(connections, [1, 1, 1, 2]);
    assert_eq!((server.take_requests().len(), server.requests().len(), server.request_count()), (4, 0, 4));
}

#[test]
fn requests_arrive_in_any_pieces() {
    let server = FakeServer::start();
    let request = "POST /v1/operations/1:cancel HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n\
                   3;note=x\r\n{\"a\r\n2\r\n\":\r\nA\r\n 123456789\r\n1\r\n}\r\n0\r\ntrailer: x\r\n\r\n";
    for size in [1, 2, 7, 50, 1000] {
        let mut connection = Raw::connect(&server);
        // Two on one connection, the second right behind the first.
        for piece in request.repeat(2).as_bytes().chunks(size) {
            connection.send(piece);
        }
        assert_eq!((connection.answer().status, connection.answer().status), (404, 404), "{size}");
    }
    for request in server.requests() {
        assert_eq!((request.method(), request.body()), ("POST", br#"{"a": 123456789}"#.as_slice()));
    }
}

#[test]
fn bodies_are_awaited_and_continued() {
    let server = FakeServer::start();
    let mut connection = Raw::connect(&server);
    connection.send("POST / HTTP/1.1\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n");
    assert_eq!(connection.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(connection.send("hello").answer().status, 404);
    let body = "x".repeat(1 << 20);
    assert_eq!(connection.request("POST", "/", &body).answer().status, 404);
    let bodies: Vec<usize> = server.requests().iter().map(|request| request.body().len()).collect();
    assert_eq!(bodies, [5, 1 << 20]);
}

#[test]
fn old_and_closing_clients_see_the_end() {
    let server = FakeServer::start();
    let table = [
        ("GET / HTTP/1.0\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", true),
        ("\r\n\r\nGET / HTTP/1.1\nhost: x\n\n", false),
    ];
    for (request, closes) in table {
        let mut connection = Raw::connect(&server);
        let answer = connection.send(request).answer();
        assert_eq!((answer.status, answer.header("connection") == Some("close")), (404, closes), "{request}");
        match closes {
            true => assert_eq!(connection.rest(), Ok(Vec::new())),
            false => assert_eq!(connection.get("/").status, 404),
        }
    }
}

#[test]
fn head_has_no_body() {
    let server = FakeServer::start();
    server.insert(Operation::running("operations/1"));
    let mut connection = Raw::connect(&server);
    let head = connection.request("HEAD", "/v1/operations/1", "").head();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("content-length: 23\r\n"), "{head}");
    assert_eq!(connection.get("/v1/operations/1").status, 200);
}

#[test]
fn invalid_requests_are_refused() {
    let server = FakeServer::start();
    let long = "x".repeat(70_000);
    let table = [
        ("garbage", "\u{16}\u{3}\u{1}garbage\r\n\r\n".to_owned(), 400),
        ("too few words", "GET /\r\n\r\n".into(), 400),
        ("too many words", "GET / x HTTP/1.1\r\n\r\n".into(), 400),
        ("HTTP/2, misspelt", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".into(), 400),
        ("header without colon", "GET / HTTP/1.1\r\nhost\r\n\r\n".into(), 400),
        ("bad length", "POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n".into(), 400),
        ("two lengths", "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx".into(), 400),
        (
            "length and chunks",
            "POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n".into(),
            400,
        ),
        ("bad chunk", "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n".into(), 400),
        ("chunk without end", "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n".into(), 400),
        (
            "huge chunk",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n".into(),
            413,
        ),
        ("huge body", "POST / HTTP/1.1\r\ncontent-length: 33554433\r\n\r\n".into(), 413),
        ("length beyond numbers", format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n", u64::MAX), 413),
        ("long target", format!("GET /{long} HTTP/1.1\r\n\r\n"), 431),
        ("long header", format!("GET / HTTP/1.1\r\nx: {long}\r\n\r\n"), 431),
    ];
    for (case, request, status) in table {
        let mut connection = Raw::connect(&server);
        let answer = connection.send(request).answer();
        assert_eq!((answer.status, answer.header("connection")), (status, Some("close")), "{case}");
        assert_eq!(answer.json()["error"]["code"], status, "{case}");
        connection.0.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(connection.rest(), Ok(Vec::new()), "{case}");
    }
    assert!(server.requests().is_empty());
    Raw::connect(&server).send([0xff, 0xfe, b'\r', b'\n']);
    assert_eq!(get(&server, "/").status, 404, "it is still there");
}

#[test]
fn many_clients_are_served_at_once() {
    let server = FakeServer::start();
    for number in 0..100 {
        server.insert(FakeOperation::new(format!("operations/{number}")).done_at_poll(2));
    }
    let (server, barrier) = (&server, &Barrier::new(50));
    thread::scope(|scope| {
        for thread in 0..50 {
            scope.spawn(move || {
                let mut connection = Raw::connect(server);
                barrier.wait();
                for number in [thread * 2, thread * 2 + 1] {
                    let target = format!("/v1/operations/{number}");
                    assert_eq!(connection.get(&target).json()["done"], serde_json::Value::Null);
                    assert_eq!(connection.get(&target).json()["done"], true);
                }
            });
        }
    });
    assert_eq!(server.request_count(), 200);
}

#[test]
fn dropping_the_server_ends_its_threads_and_connections() {
    let server = FakeServer::start();
    let address = server.address();
    let backend = Arc::downgrade(&server.backend);
    let mut idle = Raw::connect(&server);
    let mut used = Raw::connect(&server);
    let mut halfway = Raw::connect(&server);
    halfway.send("POST / HTTP/1.1\r\ncontent-length: 100\r\n\r\nhalf");
    assert_eq!(used.get("/").status, 404);
    drop(server);
    assert!(backend.upgrade().is_none(), "every thread has ended");
    for connection in [&mut idle, &mut used] {
        assert_eq!(connection.rest(), Ok(Vec::new()));
    }
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_port_can_be_chosen_once() {
    let server = FakeServer::start();
    let port = server.address().port();
    let error = FakeServer::builder().port(port).start().unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Config);
    assert_eq!(error.to_string(), format!("failed to listen on `127.0.0.1:{port}`: expected a free port"));
    assert_eq!(server.url(), format!("http://127.0.0.1:{port}"));
}

#[test]
fn a_closure_that_panics_ends_its_connection_only() {
    let server = FakeServer::start();
    server.reply_when(
        |request| if request.path() == "/panic" { panic!("as told") } else { false },
        Reply::empty(),
    );
    let rest = Raw::connect(&server).request("GET", "/panic", "").rest();
    assert!(rest.is_err() || rest == Ok(Vec::new()), "no answer");
    assert_eq!(get(&server, "/v1/operations").status, 200);
}
