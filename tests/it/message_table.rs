//! The messages in `docs/errors.md` are those that the library returns.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, thread};

use longrunning::auth::{AccessToken, ServiceAccount, TokenError, TokenRequest};
use longrunning::http::{
    HttpClient, HttpError, HttpErrorKind, HttpOptions, HttpRequest, HttpResponse, ProxySetting, Roots,
};
use longrunning::rpc::RetryInfo;
use longrunning::testing::{FakeServer, Reply};
use longrunning::{
    Binding, Bindings, Code, Credentials, Error, Journal, OnTimeout, Operation, OperationsClient,
    OperationsClientBuilder, RetryPolicy, Status, StopToken,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

use crate::kit::{Folder, NAME, running, secs, server, unavailable};

const PAGE: &str = include_str!("../../docs/errors.md");

const BEGIN: &str = "<!-- messages -->\n";
const END: &str = "<!-- /messages -->";

const HOW_TO_UPDATE: &str =
    "to write it anew, run `UPDATE_MESSAGES=1 cargo test --all-features --test it message_table`";

/// Private words for what the official documentation has words for.
const AVOIDED: [&str; 6] = ["answer", "answered", "asked", "bear", "nobody", "whoever"];

/// Errors with one cause.
struct MessageGroup {
    cause: &'static str,
    rows: Vec<MessageRow>,
}

/// When an error happens, the error, and what to do about it.
type MessageRow = (&'static str, Error, &'static str);

#[test]
fn the_page_has_the_messages() {
    let table = [
        configuration(),
        names(),
        credentials(),
        connection(),
        tls(),
        proxy(),
        http_status(),
        body(),
        service(),
        operation(),
        time(),
        wait(),
        listing(),
        start(),
        journal(),
    ]
    .map(|group| section(&group))
    .concat()
    // As Windows joins them.
    .replace(r"/nowhere\", "/nowhere/")
        + "\n";
    if env::var_os("UPDATE_MESSAGES").is_some() {
        return update(&table);
    }
    let shown =
        PAGE.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).expect("the page has the marks").0;
    for (shown, written) in shown.lines().zip(table.lines()) {
        assert_eq!(shown, written, "{HOW_TO_UPDATE}");
    }
    assert_eq!(shown.len(), table.len(), "{HOW_TO_UPDATE}");
}

fn update(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has the first mark");
    let (_, after) = rest.split_once(END).expect("the page has the second mark");
    fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
}

/// A heading and a table, and what holds for all messages.
fn section(group: &MessageGroup) -> String {
    let mut text = format!("\n### {}\n\n| when | message | what to do |\n|---|---|---|\n", group.cause);
    for (when, error, remedy) in &group.rows {
        let message = stable(&error.to_string());
        assert!(!message.contains(char::is_control) && !message.ends_with(['.', ':', ';', ' ']), "{message}");
        let mut words = message.split(|c: char| !c.is_alphanumeric());
        assert!(!words.any(|word| AVOIDED.contains(&word)), "{message}");
        // It says what was attempted, and of what kind the failure is.
        let says_both = [": ", "` ", " is ", " has "].iter().any(|link| message.contains(link));
        assert!(says_both && !remedy.is_empty(), "{when}: {message}");
        text += &format!("| {when} | `` {} `` | {remedy} |\n", message.replace('|', "\\|"));
    }
    text
}

/// Without what differs from run to run: ports of this machine and folders for tests.
fn stable(message: &str) -> String {
    let (mut text, mut rest) = (String::new(), message);
    while let Some((before, after)) = rest.split_once("127.0.0.1:") {
        text += &format!("{before}HOST");
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    text += rest;
    match (text.find(&*folders()), text.find("pending.jsonl")) {
        (Some(start), Some(end)) => format!("{}{}", &text[..start], &text[end..]),
        _ => text,
    }
}

fn folders() -> String {
    env::temp_dir().display().to_string()
}

fn configuration() -> MessageGroup {
    let builder = || OperationsClient::builder("https://example.com").credentials(Credentials::anonymous());
    let failed = |built: Result<OperationsClient, Error>| built.unwrap_err();
    let plain = OperationsClient::builder("http://example.com").build();
    let proxy = HttpOptions::new().proxy(ProxySetting::Url("socks5://127.0.0.1:1080".into()));
    let rows = vec![
        (
            "the endpoint is plain http to another machine",
            failed(plain),
            "use https; for an emulator set `allow_plain_http` and `Credentials::anonymous()`",
        ),
        (
            "the proxy is of a kind that is not supported",
            failed(builder().http_options(proxy).build()),
            "use an http proxy, or `ProxySetting::None`",
        ),
        (
            "a header belongs to the client",
            failed(builder().header("host", "x").build()),
            "leave the header out, or use the option for it",
        ),
        (
            "the user agent cannot be sent",
            failed(builder().user_agent("a\nb").build()),
            "use printable ASCII",
        ),
        ("the version is no path prefix", Bindings::version("/v1").unwrap_err(), "leave out the slash"),
        ("a path template is wrong", Binding::get("v1").unwrap_err(), "mend the template at this byte"),
        (
            "the URL is of another service",
            server().client().get("https://run.googleapis.com/v2/operations/42").send().unwrap_err(),
            "use a client for the endpoint of the operation",
        ),
    ];
    MessageGroup { cause: "Configuration", rows }
}

fn names() -> MessageGroup {
    let server = server();
    let narrow = Bindings::default().get([Binding::get("/v1/{name=operations/**}").unwrap()]);
    let client = server.client_builder().bindings(narrow).build().unwrap();
    let failed = |name: &str| client.get(name).send().unwrap_err();
    let rows = vec![
        ("no binding fits the name", failed("jobs/7"), "correct the name, or add a binding"),
        ("the name is that of a collection", failed("operations"), "use `list`, or name an operation"),
        ("the name begins with a slash", failed("/x"), "leave out the slash"),
        ("the name has an empty part", failed("a//b"), "correct the name"),
        ("the name leads to another path", failed("a/../b"), "correct the name"),
        (
            "the method has no binding",
            client.wait(NAME).send().unwrap_err(),
            "add a binding for it, or poll: `poller` needs none",
        ),
    ];
    MessageGroup { cause: "Names", rows }
}

fn credentials() -> MessageGroup {
    let server = server();
    let failed = |credentials| {
        let builder = server.client_builder().credentials(credentials).retry(RetryPolicy::never());
        builder.build().unwrap().get(NAME).send().unwrap_err()
    };
    fn vault(_: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        Err(TokenError::transient("the vault is sealed"))
    }
    let nothing = [("CLOUDSDK_CONFIG", "/nowhere"), ("GCE_METADATA_HOST", "127.0.0.1:1")];
    let builder = server.client_builder().environment(nothing).retry(RetryPolicy::never());
    let adc = builder.credentials(Credentials::application_default()).build().unwrap();
    let no_login = adc.get(NAME).send().unwrap_err();
    server.require_token("fresh");
    let other_token = failed(Credentials::bearer("stale").unwrap());
    let rows = vec![
        ("there are no credentials", no_login, "log in with gcloud, or set credentials"),
        (
            "a credentials file does not exist",
            ServiceAccount::from_file("/nowhere/key.json").unwrap_err(),
            "correct the path",
        ),
        (
            "a credentials file is of another type",
            ServiceAccount::from_json(r#"{"type": "authorized_user"}"#).unwrap_err(),
            "use `Credentials::from_file`, which takes every type",
        ),
        ("a key is incomplete", ServiceAccount::from_json("{}").unwrap_err(), "download the key again"),
        (
            "a token provider has no token now",
            failed(Credentials::provider(vault)),
            "wait: the next call tries again",
        ),
        ("the service refuses the token", other_token, "renew the token; check its scope"),
    ];
    MessageGroup { cause: "Credentials", rows }
}

/// What one attempt returns for this reply.
fn get(reply: impl Into<Reply>) -> Error {
    let server = server();
    server.reply(reply);
    let client = server.client_builder().retry(RetryPolicy::never()).build().unwrap();
    client.get(NAME).send().unwrap_err()
}

/// What a client built so returns.
fn with(change: impl FnOnce(OperationsClientBuilder) -> OperationsClientBuilder) -> Error {
    let server = server();
    match change(server.client_builder().retry(RetryPolicy::never())).build() {
        Ok(client) => client.get(NAME).send().unwrap_err(),
        Err(error) => error,
    }
}

fn connection() -> MessageGroup {
    let retried = server().client_builder().api_endpoint("http://127.0.0.1:1").build().unwrap();
    let rows = vec![
        (
            "nothing listens there",
            retried.get(NAME).send().unwrap_err(),
            "check host and port, and that no firewall is in between",
        ),
        ("the host does not exist", with(|builder| builder.http_client(UnknownHost)), "correct the endpoint"),
        ("the server resets the connection", get(Reply::reset()), "use `https://` if the server expects TLS"),
        (
            "the response is cut short",
            get(Reply::usual().truncate_at(9)),
            "call again; look at proxies in between",
        ),
        ("the server speaks another protocol", get(Reply::raw("SSH-2.0-OpenSSH_9.6\r\n")), "check the port"),
    ];
    MessageGroup { cause: "Connection", rows }
}

/// What DNS says differs from machine to machine, so this is said by a client of the program.
#[derive(Debug)]
struct UnknownHost;

impl HttpClient for UnknownHost {
    fn send(&self, _: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let error = HttpError::new(HttpErrorKind::Resolve, "failed to find host `run.gogleapis.com`");
        Err(error.transient(false))
    }
}

fn tls() -> MessageGroup {
    let unknown = secure_server();
    let fake = server();
    let rows = vec![
        (
            "the issuer of the certificate is unknown",
            with(|builder| builder.api_endpoint(format!("https://{unknown}")).http_options(direct())),
            "trust its authority by `HttpOptions::extra_roots`, such as that of an inspecting proxy",
        ),
        (
            "the server does not speak TLS",
            with(|builder| {
                builder.api_endpoint(format!("https://{}", fake.address())).http_options(direct())
            }),
            "check the port; `http://` is for emulators",
        ),
    ];
    MessageGroup { cause: "TLS", rows }
}

/// Without the trusted roots and the proxy of the machine.
fn direct() -> HttpOptions {
    HttpOptions::new().roots(Roots::Pem(CERTIFICATE.to_vec())).proxy(ProxySetting::None)
}

fn proxy() -> MessageGroup {
    let through = |proxy: SocketAddr| {
        let proxy = ProxySetting::Url(format!("http://{proxy}"));
        let options = HttpOptions::new().roots(Roots::None).proxy(proxy);
        with(|builder| builder.api_endpoint("https://service.invalid").http_options(options))
    };
    let (wants_login, refuses) = (proxy_that_says("407 Proxy"), proxy_that_says("403 Forbidden"));
    let rows = vec![
        ("the proxy wants a login", through(wants_login), "put `user:password@` in front of its host"),
        ("the proxy refuses the host", through(refuses), "let the proxy pass it, or add it to `NO_PROXY`"),
        (
            "nothing listens at the proxy",
            through("127.0.0.1:1".parse().unwrap()),
            "correct the setting that the message names",
        ),
    ];
    MessageGroup { cause: "Proxy", rows }
}

fn http_status() -> MessageGroup {
    let rows = vec![
        (
            "a redirect, as to a login page",
            get(Reply::redirect("https://login.example/")),
            "use the endpoint that the service documents",
        ),
        ("a page with status 404", get(Reply::html(404)), "check endpoint and version"),
        (
            "a page with status 403",
            get(Reply::html(403)),
            "look at proxies and access rules in front of the service",
        ),
        (
            "a page with status 502, five times",
            get_with_retries(Reply::html(502)),
            "call again later; raise `total_timeout`",
        ),
    ];
    MessageGroup { cause: "HTTP status", rows }
}

fn get_with_retries(reply: impl Into<Reply>) -> Error {
    let server = server();
    server.reply(reply.into().times(5));
    server.client().get(NAME).send().unwrap_err()
}

fn body() -> MessageGroup {
    let text = Reply::json(200, "no healthy upstream").header("content-type", "text/plain");
    let rows = vec![
        ("a page instead of JSON", get(Reply::html(200)), "check the endpoint"),
        ("text instead of JSON", get(text), "look at the proxy that sends it"),
        ("an empty body", get(Reply::empty()), "call again"),
        ("JSON that is cut", get(Reply::json(200, r#"{"name":"#)), "call again"),
        (
            "JSON that is no operation",
            get(Reply::json(200, r#"{"name":7}"#)),
            "check that the method returns operations",
        ),
        (
            "an encoding that was not requested",
            get(Reply::status(200).header("content-encoding", "br")),
            "look at the proxy that encodes it",
        ),
        (
            "a body above the limit",
            get(Reply::huge(33 << 20)),
            "list with a smaller `page_size`; over gRPC, raise `message_limit`",
        ),
    ];
    MessageGroup { cause: "Body", rows }
}

fn service() -> MessageGroup {
    let status = |code, message: &str| get(Status::new(code, message));
    let quota = Status::new(Code::ResourceExhausted, "quota").with_detail(RetryInfo::after(secs(90.0)));
    let rows = vec![
        (
            "`NOT_FOUND`",
            status(Code::NotFound, "operation expired"),
            "check name, version and region; services delete operations",
        ),
        (
            "`PERMISSION_DENIED`",
            status(Code::PermissionDenied, "permission `run.operations.get` denied"),
            "grant the permission",
        ),
        ("`UNAUTHENTICATED`", status(Code::Unauthenticated, "invalid credentials"), "renew the credentials"),
        (
            "`INVALID_ARGUMENT`",
            status(Code::InvalidArgument, "filter: unknown field `x`"),
            "correct the request",
        ),
        (
            "`UNIMPLEMENTED`",
            status(Code::Unimplemented, "no such method"),
            "the service does not have the method, or has it in another version",
        ),
        (
            "`UNAVAILABLE`, five times",
            get_with_retries(unavailable()),
            "call again later; raise `total_timeout`",
        ),
        (
            "`RESOURCE_EXHAUSTED` with a long delay",
            get_with_retries(quota),
            "wait as long, or raise `total_timeout`",
        ),
        (
            "a second attempt of `cancel`",
            {
                let server = server();
                server.reply(Reply::hang());
                server.reply(Status::new(Code::FailedPrecondition, "it is done"));
                server.client().cancel(NAME).send().unwrap_err()
            },
            "look at the operation",
        ),
    ];
    MessageGroup { cause: "Service", rows }
}

fn operation() -> MessageGroup {
    let failed = Operation::failed(NAME, Status::new(Code::ResourceExhausted, "out of disk"));
    let read = |json: &str| Operation::from_json(json).unwrap().into_response::<Vec<u8>>().unwrap_err();
    let rows = vec![
        ("the work failed", failed.into_response::<()>().unwrap_err(), "mend the cause, and start again"),
        ("it is not done", read(r#"{"name":"operations/42"}"#), "wait for it"),
        ("it has no response", read(r#"{"name":"operations/42","done":true}"#), "decode its metadata, or expect `()`"),
        (
            "the response is of another type",
            Operation::from_json(r#"{"name":"operations/42","done":true,"response":{"@type":"type.googleapis.com/google.protobuf.StringValue","value":"x"}}"#)
                .unwrap().into_response::<Vec<u8>>().unwrap_err(),
            "decode the type that the service documents",
        ),
    ];
    MessageGroup { cause: "Operation", rows }
}

fn time() -> MessageGroup {
    let server = server();
    let none_left = server.client().get(NAME).total_timeout(Duration::ZERO).send().unwrap_err();
    let rows = vec![
        ("no response in time", get(Reply::hang()), "raise `attempt_timeout`"),
        ("the whole time is over before an attempt", none_left, "raise `total_timeout`"),
    ];
    MessageGroup { cause: "Time", rows }
}

fn wait() -> MessageGroup {
    let server = FakeServer::start();
    server.insert(running());
    let poller = || server.client().poller(NAME).total_timeout(secs(900.0));
    let stop = StopToken::new();
    stop.stop();
    let stopped = poller().stop(&stop).until_done().unwrap_err();
    let outage = server.client_builder().api_endpoint("http://127.0.0.1:1").build().unwrap();
    let cancelled = {
        let server = FakeServer::start();
        server.insert(running());
        server
            .client()
            .poller(NAME)
            .total_timeout(secs(900.0))
            .on_timeout(OnTimeout::Cancel)
            .until_done()
            .unwrap_err()
    };
    let rows = vec![
        (
            "the operation outlasts `total_timeout`",
            poller().until_done().unwrap_err(),
            "wait again: it continues",
        ),
        ("the same, with `OnTimeout::Cancel`", cancelled, "wait again: it may take a while to end"),
        ("a stop token ends the wait", stopped, "wait again, if you want its result"),
        (
            "the service cannot be reached",
            outage.poller(NAME).total_timeout(secs(60.0)).until_done().unwrap_err(),
            "check the endpoint; wait again",
        ),
        (
            "polls fail for `max_outage`",
            outage.poller(NAME).max_outage(secs(30.0)).until_done().unwrap_err(),
            "the same; raise `max_outage`",
        ),
    ];
    MessageGroup { cause: "Wait", rows }
}

fn listing() -> MessageGroup {
    let server = FakeServer::builder().page_size(1).start().unwrap();
    for number in 0..3 {
        server.insert(Operation::running(format!("operations/{number}")));
    }
    let list = || server.client().list("operations");
    let rows = vec![
        (
            "more pages than `max_pages`",
            list().max_pages(2).into_iter().find_map(Result::err).unwrap(),
            "continue with `Error::page_token`",
        ),
        (
            "the iteration timeout is over",
            {
                let mut pages = list().iteration_timeout(secs(5.0)).pages();
                pages.next().unwrap().unwrap();
                server.advance(secs(5.0));
                pages.next().unwrap().unwrap_err()
            },
            "continue with `Error::page_token`",
        ),
    ];
    MessageGroup { cause: "Listing", rows }
}

fn start() -> MessageGroup {
    let path = "/v2/projects/p/locations/l/jobs/j:run";
    let failed = |reply: Reply, is_idempotent| {
        let server = FakeServer::start();
        server.reply(reply);
        server.client().start(path).idempotent(is_idempotent).send().unwrap_err()
    };
    let rows = vec![
        ("it may have started", failed(unavailable(), false), "look with `list` before you start again"),
        ("the same, with a request id", failed(unavailable().times(9), true), "start again with the same id"),
        (
            "the service refuses it",
            failed(Status::new(Code::PermissionDenied, "no").into(), false),
            "grant the permission; nothing was started",
        ),
        (
            "the response is no operation",
            failed(Reply::json(200, r#"{"labels":{}}"#), false),
            "read `Error::response_body`; the method returns no operation",
        ),
        (
            "the path has no slash",
            FakeServer::start().client().start("v2/x").send().unwrap_err(),
            "write the whole path",
        ),
    ];
    MessageGroup { cause: "Start", rows }
}

fn journal() -> MessageGroup {
    let folder = Folder::new();
    let other = folder.file("pending.jsonl", "name,state\noperations/1,running\n");
    let rows = vec![
        ("the file is no journal", Journal::open(&other).unwrap_err(), "name another file"),
        (
            "the folder does not exist",
            Journal::open("/nowhere/pending.jsonl").unwrap_err(),
            "create the folder",
        ),
    ];
    MessageGroup { cause: "Journal", rows }
}

/// Speaks TLS, with a certificate of an authority that nothing trusts.
fn secure_server() -> SocketAddr {
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let config =
        Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            // It fails: the client does not accept the certificate.
            let _ = connection.complete_io(&mut stream);
        }
    });
    address
}

/// Refuses to connect to anything, with this status line.
fn proxy_that_says(status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes());
        }
    });
    address
}

const CERTIFICATE: &[u8] = include_bytes!("../../lro/tests/fixtures/server.pem");
const KEY: &[u8] = include_bytes!("../../lro/tests/fixtures/server.key.pem");
