//! The fault table: what each method does about each fault. Rows are named by their number in the table
//! of faults. `events` plays the classification of each event, `docs/errors.md` says why some rows have no test.
//!
//! | rows | where they are tested |
//! |---|---|
//! | 12, 26 to 29 | the unit tests of `http`: they need a resolver, several addresses, or TLS |
//! | 31 (text, and pages for cancel and delete), 33 (a bare status), 51 (a quota), 76 | `events`, `status_pages` |
//! | 34 to 43 | `decoding` |
//! | 44, 64, 68 | `ending` |
//! | 45, 63, 67, 78 (without the rate) | `wait` |
//! | 47, 72 in a wait | `handle`, `progress` |
//! | 48 in a wait that has the server wait | `long_poll` |
//! | 49, 50, 52 to 57, 80 | `credentials`, `token_sources`, and the unit tests of `auth` |
//! | 58 to 61 | `list` |
//! | 62 (the message), 79 | the unit tests of `transport` and `auth`; `retry` and the example of `RetryBudget` |
//! | 65, 66, 72 | `timing` |
//! | 69 | `interrupted` |
//! | 70, and 76 where the proxy does not connect | the unit tests of `http` |
//! | 71 | the unit tests of `auth`: one token for ten thousand threads; those of `http`: `max_connections` |
//! | 73 | see `docs/errors.md` |

use std::time::Duration;

use longrunning::rpc::{ErrorInfo, Help, RetryInfo, help::Link};
use longrunning::testing::Reply;
use longrunning::{Code, Status};

use super::super::FACE;
use super::kit::{
    Face, FakeServer, Method, NAME, cut, done, hinted, secs, server, slept, status, told, unavailable,
};

/// One fault and what comes of it.
struct Row {
    name: &'static str,
    fault: fn(&FakeServer) -> Vec<Reply>,
    /// Of get, list, cancel, delete and poll.
    expected: [Expected; 5],
    /// Whether it can happen to the face.
    happens: bool,
}

/// Requests that arrive, seconds that are slept, and the result.
#[derive(Clone, Debug, PartialEq)]
struct Expected(usize, Vec<f64>, &'static str);

#[test]
fn faults_of_answers() {
    check(&[
        retried("1: 503 with Retry-After", 3.0, |_| vec![hinted(unavailable(), 3)]),
        retried("2: Retry-After as a date", 5.0, |server| vec![dated(server, 5)]).over_rest(),
        retried("2: a date counts from the server's own", 5.0, |server| {
            server.set_date_offset(Some(1000));
            vec![dated(server, 1005)]
        })
        .over_rest(),
        retried("2: without Date it counts from our clock", 5.0, |server| {
            server.set_date_offset(None);
            vec![dated(server, 5)]
        })
        .over_rest(),
        retried("2: a date that has passed", 0.0, |server| vec![dated(server, -3600)]).over_rest(),
        retried("2: garbage", 0.0, |_| vec![retry_after("soon")]).over_rest(),
        row(
            "2: in ten years",
            Expected(1, vec![], "Service UNAVAILABLE"),
            Expected(2, vec![99.95], "ok"),
            |server| vec![dated(server, 315_360_000)],
        )
        .over_rest(),
        retried("3: 429 with RetryInfo", 53.0, |_| vec![quota(Some(53.0))]),
        row(
            "3: 429 with RetryInfo beyond the total timeout",
            Expected(1, vec![], "Service RESOURCE_EXHAUSTED"),
            Expected(2, vec![70.0], "ok"),
            |_| vec![quota(Some(70.0))],
        ),
        row(
            "4: 429 without a hint",
            Expected(1, vec![], "Service RESOURCE_EXHAUSTED"),
            Expected(2, vec![20.0], "ok"),
            |_| vec![quota(None)],
        ),
        row("5: 500", Expected(1, vec![], "Service INTERNAL"), Expected(2, vec![0.5], "ok"), |_| {
            vec![status(Code::Internal)]
        }),
        retried("6: 502 of a proxy", 0.0, |_| vec![Reply::html(502)]),
        retried("6: 503 of a proxy", 0.0, |_| vec![Reply::html(503)]),
        retried("6: 504 of a proxy", 0.0, |_| vec![Reply::html(504)]),
        retried("7: 408", 0.0, |_| vec![Reply::status(408)]).over_rest(),
        retried("8: 503 with status UNKNOWN", 0.0, |_| vec![error(503, "UNKNOWN")]).over_rest(),
        returned("9: 409", "Service ABORTED", |_| vec![status(Code::Aborted)]),
        returned("9: 409 that is something else", "Service ALREADY_EXISTS", |_| {
            vec![status(Code::AlreadyExists)]
        }),
        returned("10: 499", "Service CANCELLED", |_| vec![status(Code::Cancelled)]),
        returned("31 in a poll: a captive portal that stays", "Decode", |_| {
            vec![Reply::html(200), Reply::html(200)]
        })
        .but(Method::Poll, Expected(2, vec![0.5], "Decode")),
        returned("31: 200 with HTML", "Decode", |_| vec![Reply::html(200)])
            .but(Method::Poll, Expected(2, vec![0.5], "ok")),
        retried("32: an empty answer", 0.0, |_| vec![Reply::empty()])
            .but(Method::Cancel, OK)
            .but(Method::Delete, OK),
        returned("33: an error in a 200", "Service NOT_FOUND", |_| vec![error(200, "NOT_FOUND")]).over_rest(),
        retried("33: an error in a 200 that may pass", 0.0, |_| vec![error(200, "UNAVAILABLE")]).over_rest(),
        retried("33: an error in a 200 with RetryInfo", 7.0, |_| vec![Reply::json(200, RETRY_IN_7_S)])
            .over_rest(),
        returned("48: UNIMPLEMENTED", "Service UNIMPLEMENTED", |_| vec![status(Code::Unimplemented)]),
        returned("51: 403", "Service PERMISSION_DENIED", |_| vec![status(Code::PermissionDenied)]),
        returned("76: 407", "Transport FAILED_PRECONDITION", |_| vec![Reply::html(407)]),
    ]);
}

#[test]
fn faults_of_connections() {
    check(&[
        retried("13: reset before a response", 0.0, |_| vec![Reply::reset()]),
        retried("13: closed before a response", 0.0, |_| vec![Reply::close()]),
        retried("16: cut inside the status line", 0.0, |_| vec![Reply::usual().truncate_head_at(10)]),
        retried("16: cut inside the headers", 0.0, |_| vec![Reply::usual().truncate_head_at(40)]),
        retried("17: cut inside the body", 0.0, |_| vec![Reply::usual().truncate_at(1)]).of_the_body(),
        retried("17: reset inside the body", 0.0, |_| vec![Reply::usual().reset_at(1)]).of_the_body(),
        retried("18: cut inside a chunk", 0.0, |_| vec![Reply::usual().chunked().truncate_at(1)])
            .of_the_body()
            .over_rest(),
        retried("18: a bad chunk size", 0.0, |_| vec![Reply::raw(BAD_CHUNK)]).over_rest(),
        retried("19: cut without HTTP noticing", 0.0, |_| {
            vec![Reply::usual().close_delimited().shorten_to(1)]
        })
        .over_json(),
        retried("20: cut inside gzip", 0.0, |_| vec![Reply::usual().gzip().shorten_to(12)]),
        returned("20: not compressed at all", "Decode", |_| vec![plain_as_gzip()])
            .but(Method::Poll, Expected(2, vec![0.5], "ok")),
        retried("21: an error body without end", 0.0, |_| {
            vec![Reply::json(503, vec![b' '; 1 << 20]).truncate_at(100_000)]
        }),
        returned("22: two ways to tell the length", "Transport", |_| vec![Reply::raw(TWO_FRAMINGS)])
            .over_rest(),
        returned("22: two lengths", "Transport", |_| vec![Reply::raw(TWO_LENGTHS)]).over_rest(),
        returned("23: 200 KB of headers", "Transport", |_| {
            vec![Reply::status(200).header("x-large", "x".repeat(200_000))]
        }),
        returned("30: no HTTP at all", "Transport", |_| vec![Reply::raw("SSH-2.0-OpenSSH_9.6\r\n")]),
        retried("46: the answer is lost, headers and all", 0.0, |_| vec![Reply::usual().truncate_head_at(0)]),
        sent_again("14: a stream that was refused", |_| vec![Reply::reset_stream(REFUSED)]).over_grpc(),
        sent_again("14: a connection that ended before the call", |_| vec![Reply::go_away()]).over_grpc(),
        retried("14: a stream that is refused twice", 0.0, |_| vec![Reply::reset_stream(REFUSED).times(2)])
            .counting(3)
            .over_grpc(),
        sent_once("15: a connection that ends with the call", |_| vec![Reply::usual().then_go_away()]),
        sent_once("a ping in the middle of the call", |_| vec![Reply::usual().after_ping()]).over_grpc(),
        row(
            "a stream that is reset",
            Expected(1, vec![], "Service INTERNAL"),
            Expected(2, vec![0.5], "ok"),
            |_| vec![Reply::reset_stream(INTERNAL)],
        )
        .over_grpc(),
        row("no status", Expected(1, vec![], "Service UNKNOWN"), Expected(2, vec![0.5], "ok"), |_| {
            vec![Reply::usual().without_header("grpc-status")]
        })
        .over_grpc(),
        returned("21: a message over 4 MiB", "Transport", |_| vec![Reply::huge(5 << 20)]).over_grpc(),
        sent_once("77: HTTP/1.0", |_| vec![answer("HTTP/1.0 200 OK\r\n\r\n")]).over_rest(),
        sent_once("77: 100 Continue", |_| {
            vec![answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")]
        })
        .over_rest(),
        sent_once("77: 103 Early Hints", |_| {
            vec![answer("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")]
        })
        .over_rest(),
    ]);
}

#[test]
fn slowness() {
    // A poll comes after a tenth of the time that has passed.
    let late = Expected(2, vec![1.0], "ok");
    let slow = [
        retried("24: headers drip", 0.0, |_| vec![answer("HTTP/1.1 200 OK\r\n\r\n").drip(1, secs(1.0))])
            .but(Method::Poll, late.clone())
            .over_rest(),
        retried("24: the body drips", 0.0, |_| vec![Reply::usual().drip(1, secs(6.0))])
            .but(Method::Poll, late.clone())
            .of_the_body(),
        retried("25: never an answer", 0.0, |_| vec![Reply::hang()]).but(Method::Poll, late.clone()),
    ];
    check(&slow);
    for row in slow.iter().filter(|row| row.happens) {
        let server = server();
        (row.fault)(&server).into_iter().for_each(|reply| server.reply(reply));
        server.client().get(NAME).send().unwrap();
        assert_eq!(server.elapsed(), secs(10.0 + 0.375), "{}: the attempt timeout is absolute", row.name);
    }
}

#[test]
fn answers_without_end() {
    let bomb = |_: &FakeServer| vec![Reply::huge(65 << 20).gzip()];
    check(&[returned("21: a gzip bomb", "Transport", bomb)]);
}

/// The server closes a connection that was kept from an earlier answer.
#[test]
fn kept_connections_that_break() {
    let faults: [(&str, fn(Reply) -> Reply, u64); 2] = [
        ("14: while the next request is under way", Reply::then_close_on_next_request, 3),
        ("15: while it is idle", Reply::then_close, 2),
    ];
    for (row, fault, arrived) in faults {
        for method in Method::ALL {
            let server = server();
            server.reply(fault(Reply::usual()));
            let client = server.client();
            client.get(NAME).send().unwrap();
            assert_eq!(told(&method.run(&client)), "ok", "{row} {method:?}");
            assert_eq!((server.request_count(), slept(&server)), (arrived, vec![]), "{row} {method:?}");
        }
    }
}

/// A refusal is not a response that was lost: what the retry finds is told as it is.
#[test]
fn only_lost_answers_leave_doubt() {
    let rows: [(&str, fn() -> Reply, bool); 6] = [
        ("reset", Reply::reset, true),
        ("timeout", Reply::hang, true),
        ("502", || Reply::html(502), true),
        ("UNAVAILABLE", unavailable, true),
        ("cut answer", cut, true),
        ("quota", || quota(Some(1.0)), false),
    ];
    for (row, first, doubt) in rows {
        let server = FakeServer::start();
        server.reply(first());
        server.reply(Status::new(Code::NotFound, "gone"));
        let deleted = server.client().delete(NAME).send();
        assert_eq!(told(&deleted), if doubt { "ok" } else { "Service NOT_FOUND" }, "46 {row}");

        for code in [Code::NotFound, Code::FailedPrecondition] {
            server.reply(first());
            server.reply(Status::new(code, "it is over"));
            let error = server.client().cancel(NAME).send().unwrap_err();
            assert_eq!(error.code(), Some(code), "47 {row}");
            assert_eq!(error.to_string().contains(IN_DOUBT), doubt, "47 {row}: {error}");
        }
    }
}

#[test]
fn refusals_without_a_retry_are_told_as_they_are() {
    for code in [Code::NotFound, Code::FailedPrecondition] {
        for method in Method::ALL {
            let server = server();
            server.reply(Status::new(code, "it is over"));
            let error = method.run(&server.client()).unwrap_err();
            assert_eq!((error.code(), error.attempts()), (Some(code), 1), "45, 47 {method:?}");
            assert!(!error.to_string().contains(IN_DOUBT), "{error}");
        }
    }
}

#[test]
fn details_of_a_refusal_are_typed() {
    let link = Link::default().description("Google developers console").url("https://console");
    let status = Status::new(Code::PermissionDenied, "the API is off")
        .with_detail(ErrorInfo::new("SERVICE_DISABLED", "googleapis.com"))
        .with_detail(Help::default().links([link.clone()]));
    for method in Method::ALL {
        let server = server();
        server.reply(status.clone());
        let error = method.run(&server.client()).unwrap_err();
        let status = error.status().unwrap();
        assert_eq!(status.detail::<ErrorInfo>().unwrap().reason, "SERVICE_DISABLED", "51 {method:?}");
        assert_eq!(status.detail::<Help>().unwrap().links, std::slice::from_ref(&link), "51 {method:?}");
    }
}

/// Runs every row against every method, each on a server of its own, and tells all that differ.
fn check(rows: &[Row]) {
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row.happens) {
        for (method, expected) in Method::ALL.into_iter().zip(&row.expected) {
            let server = server();
            (row.fault)(&server).into_iter().for_each(|reply| server.reply(reply));
            let result = method.run(&server.client());
            let told = told(&result);
            let found = (server.request_count() as usize, slept(&server), told.as_str());
            if found != (expected.0, expected.1.clone(), expected.2) {
                wrong.push(format!("{} {method:?}: {found:?}, expected {expected:?}: {result:?}", row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Retried by all, after the usual delay or what the server asks for.
fn retried(name: &'static str, hint: f64, fault: fn(&FakeServer) -> Vec<Reply>) -> Row {
    let after = |own: f64| Expected(2, vec![own.max(hint)], "ok");
    row(name, after(0.375), after(0.5), fault)
}

/// Given back at once by all.
fn returned(name: &'static str, result: &'static str, fault: fn(&FakeServer) -> Vec<Reply>) -> Row {
    let at_once = Expected(1, vec![], result);
    row(name, at_once.clone(), at_once, fault)
}

/// Sent once more at once: it was certainly not taken up.
fn sent_again(name: &'static str, fault: fn(&FakeServer) -> Vec<Reply>) -> Row {
    row(name, Expected(2, vec![], "ok"), Expected(2, vec![], "ok"), fault)
}

/// No fault at all.
fn sent_once(name: &'static str, fault: fn(&FakeServer) -> Vec<Reply>) -> Row {
    row(name, OK, OK, fault)
}

fn row(name: &'static str, call: Expected, poll: Expected, fault: fn(&FakeServer) -> Vec<Reply>) -> Row {
    Row { name, fault, expected: [call.clone(), call.clone(), call.clone(), call, poll], happens: true }
}

impl Row {
    /// Takes this many requests.
    fn counting(mut self, requests: usize) -> Self {
        self.expected.iter_mut().for_each(|expected| expected.0 = requests);
        self
    }

    /// A fault of HTTP/1.1 or of JSON.
    fn over_rest(self) -> Self {
        Self { happens: FACE.is_rest(), ..self }
    }

    /// A fault of JSON: bytes may end anywhere.
    fn over_json(self) -> Self {
        Self { happens: FACE == Face::RestJson, ..self }
    }

    /// A fault that needs something to happen to: an empty message is no bytes in binary.
    fn of_the_body(self) -> Self {
        match FACE {
            Face::RestProto => self.but(Method::Cancel, OK).but(Method::Delete, OK),
            _ => self,
        }
    }

    /// A fault of HTTP/2 or of gRPC.
    fn over_grpc(self) -> Self {
        Self { happens: !FACE.is_rest(), ..self }
    }

    fn but(mut self, method: Method, expected: Expected) -> Self {
        self.expected[method as usize] = expected;
        self
    }
}

/// Error codes of HTTP/2.
const REFUSED: u32 = 7;
const INTERNAL: u32 = 2;

const OK: Expected = Expected(1, Vec::new(), "ok");

fn retry_after(retry_after: &str) -> Reply {
    unavailable().header("retry-after", retry_after)
}

/// `Retry-After` as the date this many seconds from now.
fn dated(server: &FakeServer, seconds: i64) -> Reply {
    let shift = Duration::from_secs(seconds.unsigned_abs());
    let date = if seconds < 0 { server.wall() - shift } else { server.wall() + shift };
    retry_after(&httpdate::fmt_http_date(date))
}

fn quota(hint: Option<f64>) -> Reply {
    let status = Status::new(Code::ResourceExhausted, "slow down");
    match hint {
        Some(seconds) => status.with_detail(RetryInfo::after(secs(seconds))).into(),
        None => status.into(),
    }
}

fn error(http: u16, status: &str) -> Reply {
    Reply::json(http, format!(r#"{{"error":{{"code":{http},"message":"it is so","status":"{status}"}}}}"#))
}

/// A good response that is labelled gzip.
fn plain_as_gzip() -> Reply {
    match FACE.is_rest() {
        true => answer("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n"),
        false => Reply::from(done()).header("grpc-encoding", "gzip"),
    }
}

/// A good response to every method behind a head of one's own, which the end of the connection ends.
fn answer(head: &str) -> Reply {
    Reply::raw(head.to_owned() + &done().to_json().replacen('{', r#"{"operations":[],"#, 1))
}

const IN_DOUBT: &str = "; an earlier attempt may have cancelled it";

const RETRY_IN_7_S: &str = r#"{"error":{"code":503,"message":"draining","status":"UNAVAILABLE","details":[
    {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}}"#;

const BAD_CHUNK: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n";

const TWO_FRAMINGS: &str =
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";

const TWO_LENGTHS: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}\n";
