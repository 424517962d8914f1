//! Rows of the fault table that only HTTP has, and a table of `Retry-After`.

use std::sync::{Arc, Mutex};

use longrunning::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use longrunning::testing::Reply;
use longrunning::{ErrorKind, Operation};

use crate::kit::{Method, NAME, Unreachable, done, running, secs, server, slept, told, unavailable};

#[test]
fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        for method in Method::ALL {
            let server = server();
            server.reply(Reply::status(status).header("location", server.url() + "/v1/operations/42"));
            let result = method.run(&server.client());
            let row = format!("75: {status} {method:?}");
            assert_eq!((server.request_count(), told(&result).as_str()), (1, "Transport"), "{row}");
            assert_eq!(result.unwrap_err().http_status(), Some(status), "{row}");
        }
    }
}

#[test]
fn nobody_listens() {
    for method in Method::ALL {
        let server = server();
        let client = server.client_builder().http_client(Unreachable::new()).build().unwrap();
        let error = method.run(&client).unwrap_err();
        if method == Method::Poll {
            assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Timeout, secs(99.95)), "11 {method:?}");
            assert!(error.attempts() > 20 && format!("{error:#}").contains("failed to connect"), "{error:#}");
        } else {
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 5), "11 {method:?}");
            assert_eq!(slept(&server), [0.375, 0.75, 1.5, 3.0], "11 {method:?}");
        }
        assert_eq!(server.request_count(), 0, "11 {method:?}");
    }
}

#[test]
fn what_is_no_delay_is_no_wish() {
    let rows = [
        ("negative", "-7", 0.375),
        ("fraction", "1.5", 0.375),
        ("words", "a while", 0.375),
        ("with space around", " 7 ", 7.0),
    ];
    for (row, wish, expected) in rows {
        let server = server();
        server.reply(unavailable().header("retry-after", wish));
        server.client().get(NAME).send().unwrap();
        assert_eq!(slept(&server), [expected], "{row}");
    }
    let server = server();
    server.reply(unavailable().header("retry-after", "99999999999999999999"));
    let error = server.client().get(NAME).send().unwrap_err();
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(u64::MAX)), "more than there is");
}

#[test]
fn an_error_in_a_200_has_its_wish_too() {
    let server = server();
    let detail = r#"{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"99s"}"#;
    server.reply(Reply::json(
        200,
        format!(r#"{{"error":{{"status":"RESOURCE_EXHAUSTED","details":[{detail}]}}}}"#),
    ));
    assert_eq!(server.client().get(NAME).send().unwrap_err().retry_after(), Some(secs(99.0)));
}

/// Gives these answers, whatever it is asked.
#[derive(Debug)]
struct Scripted(Mutex<Vec<Result<HttpResponse, HttpError>>>);

impl HttpClient for Scripted {
    fn send(&self, _: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        self.0.lock().unwrap().remove(0)
    }
}

/// A machine without file descriptors cannot connect; nothing was sent then.
#[test]
fn failures_to_connect_leave_no_doubt() {
    let cause = || std::io::Error::other("too many open files");
    let refused =
        || Err(HttpError::new(HttpErrorKind::Connect, "failed to connect to x").with_source(cause()));
    for method in Method::ALL {
        let gone = HttpResponse::new(404, r#"{"error":{"status":"NOT_FOUND","message":"gone"}}"#);
        let body = done().to_json().replacen('{', r#"{"operations":[],"#, 1);
        for (last, expected) in [(HttpResponse::new(200, body), "ok"), (gone, "Service NOT_FOUND")] {
            let server = server();
            let http = Scripted(Mutex::new(vec![refused(), Ok(last)]));
            let client = server.client_builder().http_client(http).build().unwrap();
            let result = method.run(&client);
            let delay = if method == Method::Poll { 0.5 } else { 0.375 };
            assert_eq!((told(&result).as_str(), slept(&server)), (expected, vec![delay]), "74 {method:?}");
            let message = result.map_or_else(|error| error.to_string(), |()| String::new());
            assert!(!message.contains(IN_DOUBT), "11 {method:?}: {message}");
        }
    }
}

#[test]
fn a_host_that_does_not_exist_ends_a_wait_unless_it_was_reached_before() {
    let unknown = || Err(HttpError::new(HttpErrorKind::Resolve, "failed to find host `x`").transient(false));
    let reply = |operation: Operation| Ok(HttpResponse::new(200, operation.to_json()));
    let rows = [
        ("never reached", vec![unknown()], 1),
        ("reached before", vec![reply(running()), unknown(), unknown(), reply(done())], 4),
        ("gone for good", std::iter::once(reply(running())).chain((0..9).map(|_| unknown())).collect(), 7),
    ];
    for (row, replies, polls) in rows {
        let (server, left) = (server(), replies.len() - polls);
        let http = Arc::new(Scripted(Mutex::new(replies)));
        let client = server.client_builder().http_client(Shared(Arc::clone(&http))).build().unwrap();
        let result = client.poller(NAME).until_done();
        assert_eq!(http.0.lock().unwrap().len(), left, "{row}");
        match result {
            Ok(operation) => assert!(operation.is_done(), "{row}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Transport, "{row}: {error}"),
        }
    }
}

/// A client that the test keeps too.
#[derive(Debug)]
struct Shared(Arc<Scripted>);

impl HttpClient for Shared {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        self.0.send(request)
    }
}

const IN_DOUBT: &str = "; an earlier attempt may have cancelled it";
