//! One event, one classification: the tables of `docs/errors.md`, played over real sockets on every transport.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use longrunning::auth::{AccessToken, TokenError, TokenRequest};
use longrunning::http::{HttpMethod, HttpOptions, HttpRequest, ProxySetting, Roots};
use longrunning::rpc::{ErrorInfo, QuotaFailure, RetryInfo};
use longrunning::testing::{FakeServer, Reply};
#[cfg(feature = "grpc")]
use longrunning::transport::TransportKind;
use longrunning::{
    Any, Code, Credentials, Error, Operation, OperationsClient, OperationsClientBuilder, RetryPolicy, Status,
};

use crate::kit::{NAME, secs, server, told, unavailable};

const PAGE: &str = include_str!("../../docs/errors.md");

/// How an event is made to happen.
enum Play {
    /// The server sends this.
    Reply(fn() -> Reply),
    /// A client built so meets it at every attempt.
    Client(fn(OperationsClientBuilder) -> OperationsClientBuilder),
}

use Play::{Client, Reply as Sends};

/// Each event of the page, and how it happens over REST and, where that differs, over gRPC.
fn events() -> Vec<(&'static str, Play, Option<Play>)> {
    let mut events = vec![
        ("`UNAVAILABLE` with a hint", Sends(|| with_retry_info(Code::Unavailable)), None),
        (
            "`UNAVAILABLE` with `grpc-retry-pushback-ms: -1`",
            Sends(|| unavailable().header("grpc-retry-pushback-ms", "-1")),
            None,
        ),
        ("`RESOURCE_EXHAUSTED` with a hint", Sends(|| with_retry_info(Code::ResourceExhausted)), None),
        (
            "`PERMISSION_DENIED` for a quota, by its reason",
            Sends(|| denied(ErrorInfo::new("RATE_LIMIT_EXCEEDED", "googleapis.com")).into()),
            Some(Sends(|| denied(QuotaFailure::default()).into())),
        ),
        (
            "`PERMISSION_DENIED` for a quota, in the older form",
            Sends(|| Reply::json(403, LEGACY_QUOTA)),
            None,
        ),
        ("`PERMISSION_DENIED` with `RetryInfo`", Sends(|| with_retry_info(Code::PermissionDenied)), None),
        ("`UNKNOWN` in an HTTP 503", Sends(|| Reply::json(503, r#"{"error":{"status":"UNKNOWN"}}"#)), None),
        ("a bare `google.rpc.Status` with a hint", Sends(|| Reply::json(500, BARE)), None),
        (
            "an error in an HTTP 200",
            Sends(|| Reply::json(200, r#"{"error":{"status":"UNAVAILABLE"}}"#)),
            None,
        ),
        ("a bare `google.rpc.Status` in an HTTP 200", Sends(|| Reply::json(200, BARE)), None),
        ("`RST_STREAM` with `INTERNAL_ERROR`", Sends(|| Reply::reset_stream(2)), None),
        ("a response without a `grpc-status`", Sends(|| Reply::usual().without_header("grpc-status")), None),
        ("HTTP 429 with `Retry-After`", Sends(|| Reply::html(429).header("retry-after", "7")), None),
        ("HTTP 200 with an HTML page", Sends(|| Reply::html(200)), None),
        ("HTTP 200 with text", Sends(text), None),
        (
            "HTTP 200 with text that is labelled as JSON",
            Sends(|| Reply::json(200, "upstream connect error")),
            None,
        ),
        (
            "labelled gzip, and is not",
            Sends(|| Reply::json(200, r#"{"name":"operations/42"}"#).header("content-encoding", "gzip")),
            Some(Sends(|| Reply::usual().header("grpc-encoding", "gzip"))),
        ),
        (
            "an encoding that was not requested",
            Sends(|| Reply::json(200, "{}").header("content-encoding", "br")),
            Some(Sends(|| Reply::usual().header("grpc-encoding", "br"))),
        ),
        ("an empty response", Sends(Reply::empty), None),
        ("a response that is cut short", Sends(|| Reply::usual().truncate_at(1)), None),
        ("a compressed response that is cut short", Sends(|| Reply::usual().gzip().shorten_to(12)), None),
        (
            "JSON or protobuf that is no operation",
            Sends(|| Reply::json(200, r#"{"name":7}"#)),
            Some(Sends(|| Reply::huge(3))),
        ),
        (
            "a response above the size limit",
            Sends(|| Reply::huge(33 << 20).gzip()),
            Some(Sends(|| Reply::huge(5 << 20))),
        ),
        ("a response that is not HTTP", Sends(|| Reply::raw("SSH-2.0-OpenSSH_9.6\r\n")), None),
        ("connection refused", Client(|builder| builder.api_endpoint("http://127.0.0.1:1")), None),
        ("connection reset before a response", Sends(Reply::reset), None),
        ("connection closed before a response", Sends(Reply::close), None),
        ("no response within the attempt timeout", Sends(Reply::hang), None),
        ("a proxy that refuses to connect (407)", Client(behind_a_proxy), None),
        ("an unusable proxy setting", Client(with_an_unusable_proxy), None),
        ("an unusable proxy setting of a token request", Client(with_an_unusable_proxy_for_tokens), None),
        (
            "an access token that is not available now",
            Client(|builder| builder.credentials(failing(|| TokenError::transient("the vault is sealed")))),
            None,
        ),
        (
            "credentials that are refused",
            Client(|builder| builder.credentials(failing(|| TokenError::permanent("log in again")))),
            None,
        ),
    ];
    events.extend(CODES.map(|(event, play)| (event, Sends(play), None)));
    events.extend(PAGES.map(|(event, play)| (event, Sends(play), None)));
    events
}

macro_rules! codes {
    ($($code:ident $name:literal),*) => {
        [$((concat!("`", $name, "`"), || Status::new(Code::$code, "no").into())),*]
    };
}

const CODES: [(&str, fn() -> Reply); 16] = codes![
    Cancelled "CANCELLED", Unknown "UNKNOWN", InvalidArgument "INVALID_ARGUMENT", DeadlineExceeded "DEADLINE_EXCEEDED",
    NotFound "NOT_FOUND", AlreadyExists "ALREADY_EXISTS", PermissionDenied "PERMISSION_DENIED",
    ResourceExhausted "RESOURCE_EXHAUSTED", FailedPrecondition "FAILED_PRECONDITION", Aborted "ABORTED",
    OutOfRange "OUT_OF_RANGE", Unimplemented "UNIMPLEMENTED", Internal "INTERNAL", Unavailable "UNAVAILABLE",
    DataLoss "DATA_LOSS", Unauthenticated "UNAUTHENTICATED"
];

macro_rules! pages {
    ($($status:literal),*) => { [$((concat!("HTTP ", $status), || Reply::html($status))),*] };
}

const PAGES: [(&str, fn() -> Reply); 13] =
    pages![302, 400, 401, 403, 404, 407, 408, 429, 500, 501, 502, 503, 504];

#[test]
fn the_page_lists_the_events_that_are_played() {
    let listed: BTreeSet<_> = rows().iter().map(|row| row.event).collect();
    let played: BTreeSet<_> = events().iter().map(|(event, ..)| *event).collect();
    assert_eq!(listed, played);
    assert_eq!((rows().len(), events().len()), (listed.len(), played.len()), "each once");
}

#[test]
fn events_over_rest() {
    check(|builder| builder, |row| row.rest, |rest, _| rest);
}

#[cfg(feature = "grpc")]
#[test]
fn events_over_grpc() {
    check(
        |builder| builder.transport(TransportKind::Grpc),
        |row| row.grpc,
        |rest, grpc| grpc.unwrap_or(rest),
    );
}

/// `wait` without a binding is no response of the service: nothing was sent.
#[test]
fn a_method_without_a_binding_is_not_sent() {
    let server = server();
    let error = server.client().wait(NAME).send().unwrap_err();
    assert_eq!(told(&Err::<(), _>(error.clone())), "Binding UNIMPLEMENTED");
    assert_eq!((error.attempts(), error.http_status(), server.request_count()), (0, None, 0));
    assert!(!error.is_transient() && error.to_string().starts_with("no request was sent: "), "{error}");
}

/// Plays each row of the page that can happen, and reports all that differ.
fn check(
    over: impl Fn(OperationsClientBuilder) -> OperationsClientBuilder,
    happens: impl Fn(&Row) -> bool,
    choose: impl Fn(Play, Option<Play>) -> Play,
) {
    let mut wrong = Vec::new();
    let rows = rows();
    for (event, rest, grpc) in events() {
        let row = rows.iter().find(|row| row.event == event).unwrap();
        if happens(row) {
            let event = Event { play: choose(rest, grpc), over: &over };
            wrong.extend(event.differs_from(row).map(|found| format!("{}: {found}", row.event)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One event over one transport.
struct Event<'a> {
    play: Play,
    over: &'a dyn Fn(OperationsClientBuilder) -> OperationsClientBuilder,
}

impl Event<'_> {
    fn differs_from(&self, row: &Row) -> Option<String> {
        let error = self.returned();
        let code = error.code().map_or("none".to_owned(), |code| format!("`{code}`"));
        let found = [format!("`{:?}`", error.kind()), code, self.call(), self.wait()];
        let is_consistent = error.is_transient() == (row.call == "retried");
        let expected = [row.kind, row.code, row.call, row.wait];
        (found != expected || !is_consistent).then(|| format!("{found:?}, expected {expected:?}: {error:#}"))
    }

    /// A server at which the event happens a number of times, and a client for it; an error if no client can be built.
    fn start(&self, times: usize) -> Result<(FakeServer, OperationsClient), Error> {
        let server = FakeServer::start();
        // Of a type that has a form in JSON and in protobuf.
        let response = Any::pack(&prost_types::Duration { seconds: 9, nanos: 0 });
        server.insert(Operation::succeeded(NAME, response));
        let builder = (self.over)(server.client_builder());
        let builder = match self.play {
            Sends(reply) => {
                server.reply(reply().times(times));
                builder
            }
            Client(change) => change(builder),
        };
        Ok((server, builder.build()?))
    }

    fn returned(&self) -> Error {
        match self.start(1) {
            Ok((_server, client)) => client.get(NAME).retry(RetryPolicy::never()).send().unwrap_err(),
            Err(error) => error,
        }
    }

    fn call(&self) -> String {
        let attempts = match self.start(1).map(|(_server, client)| client.get(NAME).send()) {
            Ok(Ok(_)) => 2,
            Ok(Err(error)) | Err(error) => error.attempts(),
        };
        if attempts > 1 { "retried" } else { "returned" }.to_owned()
    }

    /// How many in a row a wait tolerates; a wait for many is the same.
    fn wait(&self) -> String {
        let one = self.tolerated(|client| client.poller(NAME).total_timeout(secs(1000.0)).until_done());
        let many = self.tolerated(|client| {
            let mut items = client.poll_many([NAME]).total_timeout(secs(1000.0)).into_iter();
            items.next().expect("there is one operation")
        });
        if one == many { one } else { format!("{one}, for many {many}") }
    }

    fn tolerated(&self, wait: impl Fn(&OperationsClient) -> Result<Operation, Error>) -> String {
        let survives = |times: usize| {
            let result = self.start(times).and_then(|(_server, client)| wait(&client));
            // A client that never gets through waits to the end.
            result.map_or_else(|error| error.to_string().contains("it was not cancelled"), |_| true)
        };
        match [1, 2, 5, 6, 9].into_iter().take_while(|times| survives(*times)).last() {
            None => "ends".to_owned(),
            Some(1) => "tolerated once".to_owned(),
            Some(9) => "tolerated".to_owned(),
            Some(times) => format!("tolerated {times} times"),
        }
    }
}

/// A row of the page.
struct Row {
    event: &'static str,
    rest: bool,
    #[cfg_attr(not(feature = "grpc"), expect(dead_code))]
    grpc: bool,
    kind: &'static str,
    code: &'static str,
    call: &'static str,
    wait: &'static str,
}

fn rows() -> Vec<Row> {
    let lines = PAGE.lines().filter(|line| line.starts_with("| "));
    let cells = lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let rows = cells.filter(|cells| cells.len() == 7 && cells[0] != "event");
    rows.map(|cells| {
        let [event, rest, grpc, kind, code, call, wait] = cells[..] else { unreachable!("seven cells") };
        Row { event, rest: rest == "yes", grpc: grpc == "yes", kind, code, call, wait }
    })
    .collect()
}

fn with_retry_info(code: Code) -> Reply {
    Status::new(code, "later").with_detail(RetryInfo::after(secs(7.0))).into()
}

fn denied(detail: impl Into<Any>) -> Status {
    Status::new(Code::PermissionDenied, "quota").with_detail(detail)
}

fn text() -> Reply {
    Reply::json(200, "upstream connect error or disconnect/reset before headers")
        .header("content-type", "text/plain")
}

fn failing(error: fn() -> TokenError) -> Credentials {
    Credentials::provider(move |_: &TokenRequest<'_>| Err(error()))
}

/// A proxy of a kind that is not supported, on the way to the service.
fn with_an_unusable_proxy(builder: OperationsClientBuilder) -> OperationsClientBuilder {
    builder.api_endpoint("https://service.invalid").http_options(through("socks5://127.0.0.1:1"))
}

/// The same on the way to the token endpoint; the service is on this machine, which needs no proxy.
fn with_an_unusable_proxy_for_tokens(builder: OperationsClientBuilder) -> OperationsClientBuilder {
    let provider = |request: &TokenRequest<'_>| {
        let url = "https://token.invalid/";
        request.http.send(&HttpRequest::new(HttpMethod::Post, url).deadline(request.deadline))?;
        Ok(AccessToken::new("t"))
    };
    // A setting of the environment is refused only where a request needs it; one of the options when the client is built.
    let options = HttpOptions::new().roots(Roots::None);
    let builder = builder.environment([("HTTPS_PROXY", "http://proxy.invalid:99999")]).http_options(options);
    builder.credentials(Credentials::provider(provider))
}

fn through(proxy: &str) -> HttpOptions {
    HttpOptions::new().roots(Roots::None).proxy(ProxySetting::Url(proxy.to_owned()))
}

/// The client's proxy asks for credentials.
fn behind_a_proxy(builder: OperationsClientBuilder) -> OperationsClientBuilder {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ =
                stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
        }
    });
    builder.api_endpoint("https://service.invalid").http_options(through(&proxy))
}

const BARE: &str = r#"{"code":14,"message":"m","details":[
    {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}"#;

const LEGACY_QUOTA: &str = r#"{"error":{"code":403,"message":"m","errors":[
    {"domain":"usageLimits","reason":"userRateLimitExceeded","message":"m"}]}}"#;
