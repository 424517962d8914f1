//! Starts: what is sent, how often, and what the handle knows.

use longrunning::auth::{AccessToken, TokenError, TokenRequest};
use longrunning::testing::{FakeOperation, Reply};
use longrunning::{Code, Credentials, Error, ErrorKind, Operation, Status};

use super::super::FACE;
use super::kit::{Client, FakeServer, NAME, done, hinted, secs, slept, status, told, unavailable};

const RPC: &str = "google.cloud.run.v2.Jobs/RunJob";
const PATH: &str = "/v2/projects/p/locations/l/jobs/j:run";

fn path() -> &'static str {
    if FACE.is_rest() { PATH } else { RPC }
}

/// A server with a method that starts an operation, which is done at its second poll.
fn server() -> FakeServer {
    let server = FakeServer::start();
    serves(&server, FakeOperation::new(NAME).done_at_poll(2));
    server
}

fn serves(server: &FakeServer, operation: impl Into<FakeOperation>) {
    match FACE.is_rest() {
        true => server.on_start("POST", "/v2/{name=projects/*/locations/*/jobs/*}:run", operation),
        #[cfg(feature = "grpc")]
        false => server.on_start_rpc(RPC, operation),
        #[cfg(not(feature = "grpc"))]
        false => drop(operation),
    }
}

fn is_start(request: &longrunning::testing::RecordedRequest) -> bool {
    request.path().trim_start_matches('/') == path().trim_start_matches('/')
}

fn starts(server: &FakeServer) -> usize {
    server.requests().iter().filter(|request| is_start(request)).count()
}

fn start(client: &Client, is_idempotent: bool) -> Result<String, Error> {
    client.start(path()).idempotent(is_idempotent).send().map(|handle| handle.name().to_owned())
}

#[test]
fn a_handle_holds_the_response_and_goes_on_with_it() {
    let server = server();
    let handle = server.client().start(path()).send().unwrap();
    assert_eq!((handle.name(), handle.is_done(), server.request_count()), (NAME, false, 1));
    assert!(handle.until_done().unwrap().is_done() && handle.is_done());
    assert_eq!(server.request_count(), 3);
}

#[test]
fn what_is_done_at_once_is_not_polled() {
    for operation in [done(), Operation::succeeded("", longrunning::Any::pack(&()))] {
        let server = FakeServer::start();
        serves(&server, operation.clone());
        let handle = server.client().start(path()).send().unwrap();
        assert!(handle.until_done().unwrap().is_done() && handle.refresh().unwrap().is_done());
        assert_eq!((handle.name(), server.request_count()), (operation.name(), 1));
    }
}

/// Before, while and after the request is sent: how often it arrives, and whether something may have been started.
#[test]
fn a_start_is_never_sent_twice() {
    let quota = || Status::new(Code::ResourceExhausted, "no").into();
    // An answer, what is told, requests of one that is sent once, whether it leaves doubt, requests of an idempotent one.
    let mut rows: Vec<(&str, Reply, &str, usize, bool, usize)> = vec![
        ("closed before a response", Reply::close(), "Transport", 1, true, 2),
        ("reset before a response", Reply::reset(), "Transport", 1, true, 2),
        ("started, and reset", Reply::usual().reset_at(0), "Transport", 1, true, 2),
        ("half a head", Reply::usual().truncate_head_at(9), "Transport", 1, true, 2),
        ("half a response", Reply::usual().truncate_at(3), "Transport", 1, true, 2),
        ("no response", Reply::hang(), "Timeout", 1, true, 1),
        ("UNAVAILABLE", unavailable(), "Service UNAVAILABLE", 1, true, 2),
        ("UNAVAILABLE with a hint", hinted(unavailable(), 1), "Service UNAVAILABLE", 1, true, 2),
        ("quota", quota(), "Service RESOURCE_EXHAUSTED", 1, false, 1),
        ("quota with a hint", hinted(quota(), 1), "Service RESOURCE_EXHAUSTED", 1, false, 2),
        ("INTERNAL", status(Code::Internal), "Service INTERNAL", 1, true, 1),
        ("UNKNOWN", status(Code::Unknown), "Service UNKNOWN", 1, true, 1),
        ("DEADLINE_EXCEEDED", status(Code::DeadlineExceeded), "Service DEADLINE_EXCEEDED", 1, true, 1),
        ("CANCELLED", status(Code::Cancelled), "Service CANCELLED", 1, true, 1),
        ("ABORTED", status(Code::Aborted), "Service ABORTED", 1, false, 1),
        ("ALREADY_EXISTS", status(Code::AlreadyExists), "Service ALREADY_EXISTS", 1, false, 1),
        ("INVALID_ARGUMENT", status(Code::InvalidArgument), "Service INVALID_ARGUMENT", 1, false, 1),
        ("NOT_FOUND", status(Code::NotFound), "Service NOT_FOUND", 1, false, 1),
        ("PERMISSION_DENIED", status(Code::PermissionDenied), "Service PERMISSION_DENIED", 1, false, 1),
        ("UNAUTHENTICATED", status(Code::Unauthenticated), "Service UNAUTHENTICATED", 1, false, 1),
        ("a page of a proxy", Reply::html(503), "Service UNAVAILABLE", 1, true, 2),
    ];
    if FACE.is_rest() {
        rows.push(("408", Reply::status(408), "Service FAILED_PRECONDITION", 1, true, 2));
        rows.push(("a page as a success", Reply::html(200), "Decode", 1, true, 1));
        rows.push(("a redirect", Reply::redirect("https://example.com/"), "Transport", 1, true, 1));
    } else {
        rows.push(("ENHANCE_YOUR_CALM", Reply::reset_stream(11), "Service RESOURCE_EXHAUSTED", 1, false, 1));
        rows.push(("an error of HTTP/2", Reply::reset_stream(2), "Service INTERNAL", 1, true, 1));
    }
    for (row, reply, expected, sent, doubt, sent_if_idempotent) in rows {
        let server = server();
        server.reply(reply.clone());
        let result = start(&server.client(), false);
        assert_eq!(told(&result), expected, "{row}: {result:?}");
        let error = result.unwrap_err();
        assert_eq!((starts(&server), slept(&server).len()), (sent, 0), "{row}");
        assert_eq!((error.may_have_started(), error.attempts()), (doubt, 1), "{row}: {error}");
        assert_eq!(
            error.to_string().contains("may have started an operation: look for it, by `list`"),
            doubt,
            "{row}: {error}"
        );

        let server = self::server();
        server.reply(reply);
        let result = start(&server.client(), true);
        assert_eq!(starts(&server), sent_if_idempotent, "{row}, idempotent: {result:?}");
        assert_eq!(result.is_ok(), sent_if_idempotent > 1, "{row}, idempotent: {result:?}");
    }
}

/// On a connection that was just used, so that it is not a new one that fails.
#[test]
fn a_pooled_connection_that_fails_is_no_reason_to_send_it_again() {
    for (row, reply) in [("reset", Reply::reset()), ("closed", Reply::close())] {
        let server = server();
        let client = server.client();
        client.list("operations").send().unwrap();
        server.reply(reply.clone());
        let error = start(&client, false).unwrap_err();
        assert!(error.may_have_started(), "{row}: {error}");
        assert_eq!((starts(&server), server.request_count()), (1, 2), "{row}");
        let connections: Vec<_> = server.requests().iter().map(|request| request.connection()).collect();
        assert_eq!(connections[0], connections[1], "{row}: the connection was reused");

        client.list("operations").send().unwrap();
        server.reply(reply);
        assert_eq!(start(&client, true).unwrap(), NAME, "{row}");
        assert_eq!(
            (starts(&server), slept(&server)),
            (3, vec![]),
            "{row}: an idempotent one is sent again at once"
        );
    }
}

#[test]
fn a_start_that_was_refused_or_never_sent_is_repeated() {
    let server = server();
    let tried = std::sync::atomic::AtomicU32::new(0);
    let provider = move |_: &TokenRequest<'_>| match tried.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    {
        0 => Err(TokenError::transient("not now")),
        _ => Ok(AccessToken::new("t1")),
    };
    let client = server.client_builder().credentials(Credentials::provider(provider)).build().unwrap();
    assert_eq!(start(&client, false).unwrap(), NAME);
    assert_eq!((starts(&server), slept(&server).len()), (1, 1), "without a token nothing is sent");
    if !FACE.is_rest() {
        for (row, reply) in [("REFUSED_STREAM", Reply::reset_stream(7)), ("GOAWAY", Reply::go_away())] {
            let server = self::server();
            server.reply(reply);
            assert_eq!(start(&server.client(), false).unwrap(), NAME, "{row}");
            assert_eq!((starts(&server), slept(&server).len()), (2, 1), "{row}");
        }
    }
}

#[test]
fn a_start_is_sent_once_more_with_a_fresh_token() {
    let server = server();
    let given = std::sync::atomic::AtomicU32::new(0);
    let provider = move |_: &TokenRequest<'_>| {
        let number = given.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        Ok(AccessToken::new(format!("t{number}")))
    };
    let client = server.client_builder().credentials(Credentials::provider(provider)).build().unwrap();
    server.require_token("t2");
    assert_eq!(start(&client, false).unwrap(), NAME);
    assert_eq!((starts(&server), slept(&server).len()), (2, 0));
    server.require_token("t9");
    let error = start(&client, false).unwrap_err();
    assert_eq!((error.code(), error.may_have_started()), (Some(Code::Unauthenticated), false));
    assert_eq!(starts(&server), 3, "a second refusal within seconds brings no other token");
}

#[test]
fn a_service_may_need_a_moment_to_find_the_operation() {
    let server = server();
    let unknown = |_: &longrunning::testing::RecordedRequest| true;
    let handle = server.client().start(path()).send().unwrap();
    server.reply_when(unknown, status(Code::NotFound));
    assert!(!handle.refresh().unwrap().is_done(), "the response of the start");
    (0..4).for_each(|_| server.reply_when(unknown, status(Code::NotFound)));
    assert!(handle.until_done().unwrap().is_done());

    let server = self::server();
    let handle = server.client().start(path()).send().unwrap();
    server.advance(secs(30.0));
    server.reply(status(Code::NotFound).times(9));
    assert_eq!(handle.refresh().unwrap_err().code(), Some(Code::NotFound));
    let error = handle.until_done().unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Some(Code::NotFound), 1), "30 s are over");
}

#[test]
fn an_attempt_of_a_start_has_a_minute() {
    let server = server();
    server.reply(Reply::usual().delay(secs(50.0)));
    start(&server.client(), false).unwrap();
    server.reply(Reply::usual().delay(secs(50.0)));
    let client = server.client_builder().attempt_timeout(secs(10.0)).build().unwrap();
    let error = start(&client, false).unwrap_err();
    assert_eq!((error.kind(), error.may_have_started()), (ErrorKind::Timeout, true));
}

#[test]
fn an_operation_that_failed_at_once_is_a_result() {
    let server = FakeServer::start();
    serves(&server, Operation::failed(NAME, Status::new(Code::Internal, "out of disk")));
    let handle = server.client().start(path()).send().unwrap();
    assert_eq!(handle.error().map(|status| status.code()), Some(Code::Internal));
}
