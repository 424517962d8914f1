//! Responses that are not the service's own, and acknowledgements in all shapes.

use longrunning::testing::{FakeServer, Reply};
#[cfg(feature = "grpc")]
use longrunning::transport::TransportKind;
use longrunning::{Code, Error, ErrorKind, OperationsClient, Status};

use crate::kit::{NAME, done, running, secs, server, slept, told, unavailable};

/// Cancels and deletes with this response, each on a server of its own.
fn acknowledged(reply: &Reply) -> [Result<(), Error>; 2] {
    let [cancelling, deleting] = [server(), server()];
    for server in [&cancelling, &deleting] {
        server.reply(reply.clone());
    }
    [cancelling.client().cancel(NAME).send(), deleting.client().delete(NAME).send()]
}

fn typed(content_type: &str, body: &str) -> Reply {
    Reply::json(200, body).header("content-type", content_type)
}

#[test]
fn acknowledgements_in_all_shapes() {
    let failed = r#"{"name":"operations/42","done":true,"error":{"code":1,"message":"cancelled"}}"#;
    let rows = [
        ("no content", Reply::status(204)),
        ("accepted", Reply::status(202)),
        ("empty", Reply::empty()),
        ("empty HTML", typed("text/html", "")),
        ("blank", typed("application/json", " \r\n\t")),
        ("an object", typed("application/json", "{}")),
        ("an object as text", typed("text/plain", "{}")),
        ("an object as HTML", typed("text/html", "{}")),
        ("an operation", typed("application/json", &done().to_json())),
        ("an operation that failed", typed("application/json", failed)),
        ("fields of its own", typed("application/json", r#"{"status":"deleted","code":200}"#)),
        ("no error", typed("application/json", r#"{"error":null}"#)),
        ("a list", typed("application/json", "[]")),
        ("null", typed("application/json", "null")),
        ("a string", typed("application/json", r#""ok""#)),
        ("a number", typed("application/json", "1")),
        ("a byte order mark", typed("application/json", "\u{feff}{}")),
        ("a byte order mark alone", typed("text/plain", "\u{feff}")),
        (
            "a byte order mark before an operation",
            typed("application/json", &format!("\u{feff}{}", done().to_json())),
        ),
    ];
    for (row, reply) in rows {
        for result in acknowledged(&reply) {
            result.unwrap_or_else(|error| panic!("{row}: {error}"));
        }
    }
}

#[test]
fn what_acknowledges_nothing() {
    let rows = [
        ("an HTML page", Reply::html(200), "Decode", true),
        ("text", typed("text/plain", "upstream connect error"), "Decode", true),
        ("text as JSON", typed("application/json", "OK"), "Decode", true),
        (
            "not compressed",
            typed("application/json", r#"{"a":"long enough"}"#).header("content-encoding", "gzip"),
            "Decode",
            true,
        ),
        ("an error", Reply::json(200, r#"{"error":{"status":"ABORTED"}}"#), "Service ABORTED", false),
        (
            "an error with a byte order mark",
            Reply::json(200, "\u{feff}{\"error\":{\"status\":\"ABORTED\"}}"),
            "Service ABORTED",
            false,
        ),
    ];
    for (row, reply, expected, is_unknown) in rows {
        for (result, verb) in acknowledged(&reply).into_iter().zip(["cancelled", "deleted"]) {
            assert_eq!(told(&result), expected, "{row}");
            let message = result.unwrap_err().to_string();
            let unknown = format!("; the outcome is unknown: the operation may or may not have been {verb}");
            assert_eq!(message.ends_with(&unknown), is_unknown, "{row}: {message}");
        }
    }
}

/// A page in front of the service is an outage if the service was reached before, and else probably a wrong URL.
#[test]
fn a_wait_tolerates_pages_once_it_has_seen_its_operation() {
    let pages = [
        Reply::html(200),
        typed("text/plain", "upstream connect error"),
        typed("application/json", "upstream connect error"),
        typed("application/json", "{upstream connect error}"),
        Reply::json(200, vec![0xff; 50]),
    ];
    for page in pages {
        for (seen, count, expected) in
            [(true, 5, "ok"), (true, 6, "Decode"), (false, 1, "ok"), (false, 2, "Decode")]
        {
            let server = server();
            if seen {
                server.reply(running());
            }
            for _ in 0..count {
                server.reply(page.clone());
            }
            server.reply(done());
            let result = server.client().poller(NAME).until_done();
            assert_eq!(told(&result), expected, "seen: {seen}, {count} pages: {result:?}");
        }
    }
}

/// The 404 of a front end means the path, that of the service the operation.
#[test]
fn a_404_of_a_front_end_is_about_the_path() {
    const GOOGLE: &str = "<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title><style>*{margin:0}</style>\
        <p><b>404.</b> <ins>That’s an error.</ins><p>The requested URL <code>/v9/x</code> was not found on this server.";
    let no_method =
        "this is not a response of the service: the method does not exist at this endpoint and version";
    let page = |text: &str| Reply::json(404, text).header("content-type", "text/html");
    let rows = [
        (
            page(GOOGLE),
            "HTTP 404: Error 404 (Not Found)!!1 The requested URL /v9/x was not found on this server.;",
            true,
        ),
        (page("Not Found").header("content-type", "text/plain"), "NOT_FOUND: HTTP 404: Not Found;", true),
        (Reply::html(404), "NOT_FOUND: HTTP 404: Error 404 …;", true),
        (Status::new(Code::NotFound, "expired").into(), "NOT_FOUND: expired", false),
        (Reply::json(404, r#"{"code":5,"message":"expired"}"#), "NOT_FOUND: expired", false),
        (Reply::json(404, ""), "NOT_FOUND: HTTP 404;", true),
        (Reply::json(404, vec![0xff; 50]), "NOT_FOUND: HTTP 404;", true),
        (Reply::json(404, "\u{feff}{\"code\":5,\"message\":\"expired\"}"), "NOT_FOUND: expired", false),
    ];
    for (reply, text, is_front_end) in rows {
        let server = server();
        server.reply(reply);
        let error = server.client().get(NAME).send().unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Service, Some(Code::NotFound)), "{error}");
        let message = error.to_string();
        let url = server.url() + "/v1/operations/42";
        assert!(message.starts_with(&format!("GetOperation `{NAME}`: NOT_FOUND: ")), "{message}");
        assert!(message.ends_with(&format!(" ({url})")), "{message}");
        assert!(message.contains(text), "{message}");
        assert_eq!(message.contains(no_method), is_front_end, "{message}");
    }
}

#[test]
fn a_404_of_a_front_end_does_not_confirm_a_deletion() {
    let rows = [
        (Reply::html(404), "Service NOT_FOUND"),
        (Reply::json(404, ""), "Service NOT_FOUND"),
        (Status::new(Code::NotFound, "gone").into(), "ok"),
    ];
    for (last, expected) in rows {
        let server = server();
        server.reply(unavailable());
        server.reply(last);
        assert_eq!(told(&server.client().delete(NAME).send()), expected);
    }
}

#[cfg(feature = "grpc")]
#[test]
fn not_found_names_the_url_over_grpc() {
    let server = FakeServer::start();
    let client = server.client_builder().transport(TransportKind::Grpc).build().unwrap();
    let error = client.get(NAME).send().unwrap_err();
    let url = server.url() + "/google.longrunning.Operations/GetOperation";
    assert!(error.to_string().ends_with(&format!(" ({url})")), "{error}");
}

#[test]
fn the_url_has_no_query() {
    let server = FakeServer::start();
    server.reply(Status::new(Code::NotFound, "gone"));
    let error = server.client().list("operations").filter("secret").send().unwrap_err();
    assert_eq!(error.url(), Some(&*(server.url() + "/v1/operations")));
}

/// RFC 9110 section 8.4.1: codings are compared without regard to case, and `x-gzip` is `gzip`.
#[cfg(feature = "gzip")]
#[test]
fn gzip_by_other_names() {
    for name in ["gzip", "GZIP", "x-gzip", "X-GZip", "gzip, identity"] {
        let server = server();
        server.reply(Reply::usual().gzip().header("content-encoding", name));
        assert_eq!(server.client().get(NAME).send().unwrap(), done(), "{name}");
        let page = Reply::html(503).gzip().header("content-encoding", name);
        server.reply(page.times(5));
        let error = server.client().get(NAME).send().unwrap_err();
        assert!(error.to_string().contains("UNAVAILABLE: HTTP 503: Error 503"), "{name}: {error}");
    }
}

/// The status of an error says more than a body that cannot be read.
#[test]
fn an_error_in_an_unknown_encoding_keeps_its_status() {
    let server = server();
    server.reply(Reply::html(503).header("content-encoding", "br"));
    server.client().get(NAME).send().unwrap();
    assert_eq!((server.request_count(), slept(&server).len()), (2, 1));
}

#[test]
fn a_timeout_is_told_once() {
    let check = |client: OperationsClient, server: &FakeServer| {
        server.reply(Reply::hang());
        let call = client.get(NAME).total_timeout(secs(10.0)).attempt_timeout(secs(10.0));
        let message = format!("{:#}", call.send().unwrap_err());
        assert_eq!(message.matches("in time").count() + message.matches("timed out").count(), 1, "{message}");
    };
    let server = server();
    check(server.client(), &server);
    #[cfg(feature = "grpc")]
    {
        let over_grpc =
            |server: &FakeServer| server.client_builder().transport(TransportKind::Grpc).build().unwrap();
        check(over_grpc(&server), &server);
        server.reply(Status::new(Code::DeadlineExceeded, "Deadline Exceeded"));
        let error = over_grpc(&server).get(NAME).send().unwrap_err();
        assert_eq!(told(&Err::<(), _>(error)), "Service DEADLINE_EXCEEDED", "it was not ours");
    }
}
