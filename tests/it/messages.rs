//! Every message that can reach a user, and what an error knows besides.

use std::error::Error as _;
use std::time::Duration;

use longrunning::auth::{AccessToken, ServiceAccount, TokenError, TokenRequest};
use longrunning::http::{HttpOptions, ProxySetting};
use longrunning::testing::{FakeServer, Reply};
use longrunning::{
    Backoff, Binding, Bindings, Code, Credentials, Error, ErrorKind, Operation, Operations, OperationsClient,
    Pages, Poller, RetryPolicy, Snapshots, Status,
};

use crate::kit::{NAME, Unreachable, any, running, secs, server, unavailable};

/// Asks for the operation, with these answers in line.
fn get(replies: impl IntoIterator<Item = Reply>) -> Error {
    let server = server();
    replies.into_iter().for_each(|reply| server.reply(reply));
    server.client().get(NAME).send().unwrap_err()
}

#[test]
fn messages_of_the_service() {
    let server = server();
    server.reply(Status::new(Code::NotFound, "operation expired"));
    let url = format!("{}/v1/operations/42", server.url());
    let error = server.client().get(NAME).send().unwrap_err();
    assert_eq!(error.url(), Some(&*url));
    let message = format!("GetOperation `operations/42`: NOT_FOUND: operation expired ({url})");
    check(error, (ErrorKind::Service, Some(Code::NotFound), 1, 0.0, &message));
    check(
        get([unavailable().times(5)]),
        (
            ErrorKind::Service,
            Some(Code::Unavailable),
            5,
            5.625,
            "GetOperation `operations/42`: UNAVAILABLE: draining (5 attempts in 5.6 s)",
        ),
    );
    check(
        get([Reply::html(502).times(5)]),
        (
            ErrorKind::Service,
            Some(Code::Unavailable),
            5,
            5.625,
            "GetOperation `operations/42`: UNAVAILABLE: HTTP 502: Error 502 … (5 attempts in 5.6 s)",
        ),
    );
    check(
        get([Reply::json(418, "")]),
        (
            ErrorKind::Service,
            Some(Code::FailedPrecondition),
            1,
            0.0,
            "GetOperation `operations/42`: FAILED_PRECONDITION: HTTP 418",
        ),
    );
    check(
        get([Reply::json(400, r#"{"error":"invalid_grant","error_description":"a\nb"}"#)]),
        (
            ErrorKind::Service,
            Some(Code::InvalidArgument),
            1,
            0.0,
            r"GetOperation `operations/42`: INVALID_ARGUMENT: invalid_grant: a\nb",
        ),
    );
    check(
        server.client().wait(NAME).send().unwrap_err(),
        (
            ErrorKind::Binding,
            Some(Code::Unimplemented),
            0,
            0.0,
            "no request was sent: no binding of WaitOperation is configured, see `Bindings`",
        ),
    );
    server.reply(Reply::hang());
    server.reply(Status::new(Code::FailedPrecondition, "it is done"));
    check(
        server.client().cancel(NAME).send().unwrap_err(),
        (
            ErrorKind::Service,
            Some(Code::FailedPrecondition),
            2,
            10.375,
            "CancelOperation `operations/42`: FAILED_PRECONDITION: it is done; \
         an earlier attempt may have cancelled it (2 attempts in 10.4 s)",
        ),
    );
}

#[test]
fn messages_of_starts() {
    let path = "/v2/projects/p/locations/l/jobs/j:run";
    let start = |reply: Reply, is_idempotent: bool| {
        let server = FakeServer::start();
        server.reply(reply);
        server.client().start(path).idempotent(is_idempotent).send().unwrap_err().to_string()
    };
    let look = "the request may have started an operation: look for it, by `list`";
    let rows = [
        (
            start(unavailable(), false),
            format!("start `{path}`: UNAVAILABLE: draining; {look}, before you start again"),
        ),
        (
            start(unavailable().times(9), true),
            format!(
                "start `{path}`: UNAVAILABLE: draining; {look}, or start again with the same id (5 attempts in 5.6 s)"
            ),
        ),
        (
            start(Status::new(Code::PermissionDenied, "no").into(), false),
            format!("start `{path}`: PERMISSION_DENIED: no"),
        ),
        (
            start(Reply::json(200, r#"{"labels":{}}"#), false),
            format!(
                "start `{path}`: the request was accepted, but the response is no operation: its fields are `labels`"
            ),
        ),
    ];
    for (message, expected) in rows {
        assert_eq!(message, expected);
    }
    let error = FakeServer::start().client().start("v2/x").send().unwrap_err();
    assert_eq!(
        error.to_string(),
        "path `v2/x` does not start with `/`: expected one like `/v2/projects/p/locations/l/jobs/j:run`"
    );
}

#[test]
fn messages_of_the_network() {
    let server = server();
    let host = server.address().to_string();
    let unreachable = server.client_builder().http_client(Unreachable::new()).build().unwrap();
    check(
        unreachable.get(NAME).send().unwrap_err(),
        (
            ErrorKind::Transport,
            None,
            5,
            5.625,
            "GetOperation `operations/42`: failed to connect to 127.0.0.1:1 (5 attempts in 5.6 s); check the endpoint and the network",
        ),
    );
    use ErrorKind::{Decode, Transport};
    let rows: [(Reply, ErrorKind, &str); 11] = [
        (
            Reply::reset(),
            Transport,
            "HOST closed the connection before a response (a server that expects TLS does so: use `https://`)",
        ),
        (Reply::usual().truncate_at(9), Transport, "response of HOST was cut short"),
        (Reply::html(200), Decode, "HOST returned an HTML page instead of JSON (HTTP 200): Error 200 …"),
        (
            Reply::json(200, "no healthy upstream").header("content-type", "text/plain"),
            Decode,
            "HOST returned `text/plain` instead of JSON (HTTP 200): no healthy upstream",
        ),
        (
            Reply::redirect("https://u:p@elsewhere.example/x?query"),
            Transport,
            "HOST redirected the request to `elsewhere.example`, which is not followed: check the endpoint",
        ),
        (
            Reply::redirect("/sign-in?next=x"),
            Transport,
            "HOST redirected the request to `/sign-in`, which is not followed: check the endpoint",
        ),
        (
            Reply::status(301),
            Transport,
            "HOST redirected the request to nowhere, which is not followed: check the endpoint",
        ),
        (Reply::empty(), Transport, "the response is empty"),
        (Reply::json(200, r#"{"name":"#), Transport, "the response ends early"),
        (Reply::raw("SSH-2.0-OpenSSH_9.6\r\n"), Transport, "response of HOST is not valid HTTP/1.1"),
        (
            Reply::status(200).header("content-encoding", "br"),
            Decode,
            "the response of HOST has content-encoding `br`, which was not requested",
        ),
    ];
    for (reply, kind, message) in rows {
        server.reply(reply);
        let client = server.client_builder().retry(RetryPolicy::never()).build().unwrap();
        let message = format!("GetOperation `operations/42`: {}", message.replace("HOST", &host));
        check(client.get(NAME).send().unwrap_err(), (kind, None, 1, 0.0, &message));
    }
    server.reply(Reply::json(407, ""));
    check(
        server.client().get(NAME).send().unwrap_err(),
        (
            ErrorKind::Transport,
            Some(Code::FailedPrecondition),
            1,
            0.0,
            "GetOperation `operations/42`: the proxy requires credentials: FAILED_PRECONDITION: HTTP 407",
        ),
    );
}

#[test]
fn messages_about_time() {
    let server = FakeServer::start();
    let host = server.address().to_string();
    server.reply(Reply::hang());
    let once = server.client_builder().retry(RetryPolicy::never()).build().unwrap();
    let message = format!("GetOperation `operations/42`: no response from {host} in time");
    check(once.get(NAME).send().unwrap_err(), (ErrorKind::Timeout, None, 1, 10.0, &message));
    let message = "GetOperation `operations/42`: timed out before the request was sent";
    check(
        once.get(NAME).total_timeout(secs(0.0)).send().unwrap_err(),
        (ErrorKind::Timeout, None, 0, 0.0, message),
    );
    server.insert(running());
    let every_half_minute = Backoff::from_fn(|_| Some(secs(30.0)));
    let poller = |total| once.poller(NAME).backoff(every_half_minute.clone()).total_timeout(secs(total));
    let message = "operation `operations/42` still running after 900 s (31 polls); it was not cancelled";
    check(poller(900.0).until_done().unwrap_err(), (ErrorKind::Timeout, None, 31, 899.95, message));
    let message = "operation `operations/42` still running after 0 s (1 poll); it was not cancelled";
    check(poller(0.0).until_done().unwrap_err(), (ErrorKind::Timeout, None, 1, 0.0, message));
    server.reply(Reply::hang());
    let message = format!(
        "operation `operations/42` not known to be done after 5 s (1 poll); it was not cancelled; \
         the last poll failed: no response from {host} in time"
    );
    check(poller(5.0).until_done().unwrap_err(), (ErrorKind::Timeout, None, 1, 5.0, &message));
}

#[test]
fn messages_about_operations() {
    let failed = Operation::failed(NAME, Status::new(Code::ResourceExhausted, "out of disk"));
    let error = failed.clone().into_response::<()>().unwrap_err();
    assert_eq!((error.operation(), error.status()), (Some(&failed), failed.error()));
    let message = "operation `operations/42` failed: RESOURCE_EXHAUSTED: out of disk";
    check(error, (ErrorKind::Operation, Some(Code::ResourceExhausted), 0, 0.0, message));
    let decode = |operation: &str, message: &str| {
        let error = Operation::from_json(operation).unwrap().into_response::<Vec<u8>>().unwrap_err();
        check(error, (ErrorKind::Decode, None, 0, 0.0, message));
    };
    decode(r#"{"name":"n"}"#, "operation `n` is not done");
    decode(r#"{"name":"n","done":true}"#, "operation `n` has no response, expected `alloc::vec::Vec<u8>`");
    decode(r#"{"done":true,"error":{}}"#, "operation `` is malformed: `error` has code 0");
    let message = "operation `n` is not valid: `response`: expected an object, found a number";
    check(
        Operation::from_json(r#"{"name":"n","response":1}"#).unwrap_err(),
        (ErrorKind::Decode, None, 0, 0.0, message),
    );
    check(
        get([Reply::json(200, "{}x")]),
        (ErrorKind::Decode, None, 1, 0.0, "GetOperation `operations/42`: operation is not valid JSON"),
    );
    check(
        get([Reply::json(200, b"{\xff")]),
        (ErrorKind::Decode, None, 1, 0.0, "GetOperation `operations/42`: the response is not UTF-8"),
    );
}

#[test]
fn messages_about_names() -> Result<(), Error> {
    let server = server();
    let narrow = Bindings::default().get([Binding::get("/v1/{name=operations/**}")?]);
    let client = server.client_builder().bindings(narrow).build()?;
    let rows = [
        ("jobs/7", "name `jobs/7` matches no binding of GetOperation: expected `operations/**`"),
        ("", "name `` is empty"),
        ("/x", "name `/x` starts with `/`"),
        ("a//b", "name `a//b` has an empty segment"),
        ("a/../b", "name `a/../b` has a `.` or `..` segment"),
        ("a\nb", r"name `a\nb` has a control character"),
        ("operations", "name `operations` is a collection: GetOperation takes an operation in it"),
    ];
    for (name, message) in rows {
        let facts = (ErrorKind::Binding, None, 0, 0.0, message);
        check(client.get(name).send().unwrap_err(), facts);
        check(client.poller(name).until_done().unwrap_err(), facts);
    }
    Ok(())
}

#[test]
fn messages_about_credentials() {
    let server = server();
    let get = |credentials: Credentials| {
        let client =
            server.client_builder().credentials(credentials).retry(RetryPolicy::never()).build().unwrap();
        client.get(NAME).send().unwrap_err()
    };
    fn sealed(_: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        Err(TokenError::transient("the vault\nis sealed").with_source("no key"))
    }
    check(
        get(Credentials::provider(sealed)),
        (
            ErrorKind::Auth,
            None,
            1,
            0.0,
            &format!(
                r"GetOperation `operations/42`: no access token from token provider `{}`: the vault\nis sealed",
                std::any::type_name_of_val(&sealed)
            ),
        ),
    );
    let user = r#"{"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}"#;
    let message = "GetOperation `operations/42`: no access token from authorized user: failed to connect to 127.0.0.1:1";
    let unreachable = || server.client_builder().retry(RetryPolicy::never()).http_client(Unreachable::new());
    let client = unreachable().credentials(Credentials::from_json(user).unwrap()).build().unwrap();
    check(client.get(NAME).send().unwrap_err(), (ErrorKind::Auth, None, 1, 0.0, message));
    let env = [("CLOUDSDK_CONFIG", "/nowhere"), ("GCE_METADATA_HOST", "127.0.0.1:1")];
    let client =
        unreachable().environment(env).credentials(Credentials::application_default()).build().unwrap();
    let file = std::path::Path::new("/nowhere").join("application_default_credentials.json");
    let message = format!(
        "GetOperation `operations/42`: no application default credentials: GOOGLE_APPLICATION_CREDENTIALS is unset, \
         `{}` does not exist, no metadata server responded; `gcloud auth application-default login` would make some",
        file.display()
    );
    check(client.get(NAME).send().unwrap_err(), (ErrorKind::Auth, None, 1, 0.0, &message));
    let long = Credentials::provider(|_: &TokenRequest<'_>| Err(TokenError::permanent("x".repeat(5000))));
    assert!(get(long).to_string().len() < 500);
    let account = |json: &str| ServiceAccount::from_json(json).unwrap_err();
    let facts = |message| (ErrorKind::Config, None, 0, 0.0, message);
    check(account("{}"), facts("credentials JSON lacks `client_email` and `private_key`"));
    check(
        account(r#"{"type":"authorized_user"}"#),
        facts("credentials JSON is of type `authorized_user`: expected `service_account`"),
    );
    let missing = ServiceAccount::from_file("/nonexistent/key.json").unwrap_err();
    check(missing, facts("credentials file `/nonexistent/key.json` does not exist"));
    check(Credentials::bearer("").unwrap_err(), facts("the bearer token is empty"));
}

#[test]
fn messages_about_options() {
    let builder = || OperationsClient::builder("https://example.com").credentials(Credentials::anonymous());
    let proxy = HttpOptions::new().proxy(ProxySetting::Url("socks9://u:CANARY-1@h".into()));
    let facts = |message| (ErrorKind::Config, None, 0, 0.0, message);
    let rows = [
        (
            OperationsClient::builder("http://example.com").build(),
            "endpoint `http://example.com` is not https (plain http is accepted for loopback only, and by `allow_plain_http` for anonymous clients)",
        ),
        (
            builder().universe_domain("").build(),
            "the option `universe_domain` is ``: expected a domain such as `googleapis.com`",
        ),
        (
            builder().user_agent("a\nb").build(),
            r"user agent `a\nb` is not printable ASCII such as `name/1.0`",
        ),
        (builder().client_info("").build(), "client info `` is not printable ASCII such as `name/1.0`"),
        (builder().quota_project("").build(), "quota project `` is not a project id or number"),
        (builder().header("te", "x").build(), "header `te` is set by the client"),
        (builder().header("te", "x").header("a b", "x").build(), "header `te` is set by the client"),
        (
            builder().http_options(proxy).build(),
            "invalid proxy URL in `HttpOptions::proxy`: SOCKS proxies are not supported, expected `http://host:port`",
        ),
    ];
    for (built, message) in rows {
        check(built.unwrap_err(), facts(message));
    }
    let message = "version `/v1` is no path prefix, expected one like `v1` or `v1/compute`";
    check(Bindings::version("/v1").unwrap_err(), facts(message));
    let message = "path template `v1` is wrong at byte 0: found `v`, expected `/`";
    check(Binding::get("v1").unwrap_err(), facts(message));
    let port = server().address().port();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().map_or(port, |address| address.port());
    let message = format!("failed to listen on `127.0.0.1:{port}`: expected a free port");
    check(FakeServer::builder().port(port).start().unwrap_err(), facts(&message));
}

/// Long text of the other side is cut where it has no meaning of its own.
#[test]
fn foreign_text_is_bounded_and_on_one_line() {
    let junk = "JUNK \u{1b}[31m\r\n".repeat(1000);
    for status in [200, 400, 502] {
        let error = get([Reply::json(status, junk.clone()).times(5)]);
        let printed = format!("{error:#} {error:?}");
        assert!(printed.len() < 1200 && !printed.contains(char::is_control), "{status}: {printed}");
    }
    let error = get([Reply::redirect(format!("https://{}/", "h".repeat(5000)))]);
    assert!(error.to_string().len() < 400, "{error}");
    let error = get([Status::new(Code::Internal, "\u{202e}x".repeat(1 << 12)).into()]);
    let (shown, whole) = (error.to_string(), error.status().unwrap().message());
    assert!(shown.len() < 1100 && !shown.contains('\u{202e}') && shown.ends_with('…'), "{shown}");
    assert_eq!(whole.len(), 1 << 14, "the whole message stays");
    let (server, long) = (server(), "x".repeat(5000));
    let client = server.client();
    let names = [
        client.get(format!("operations/{long}")).send().unwrap_err(),
        client.get(format!("{long}//")).send().unwrap_err(),
        client.get(format!("{long}\u{202e}/../x")).send().unwrap_err(),
        client.poller(format!("operations/{long}")).total_timeout(Duration::ZERO).until_done().unwrap_err(),
        Operation::failed(format!("operations/{long}"), Status::new(Code::Aborted, &long))
            .into_response::<()>()
            .unwrap_err(),
    ];
    for error in names {
        let printed = format!("{error:#}");
        assert!(printed.contains("xxx") && printed.contains('…') && printed.len() < 1400, "{printed}");
        assert!(!printed.contains('\u{202e}'), "{printed}");
    }
    let error = get([Status::new(Code::Internal, "a\u{1b}[31m\r\nb").into()]);
    assert_eq!(error.to_string(), r"GetOperation `operations/42`: INTERNAL: a\u{1b}[31m\r\nb");
}

#[test]
fn every_kind_can_happen() {
    let server = server();
    let (client, sealed) = (server.client(), |_: &TokenRequest<'_>| Err(TokenError::permanent("sealed")));
    let with = |credentials| server.client_builder().credentials(credentials).build().unwrap();
    server.reply(Reply::status(403));
    let service = client.get(NAME).send();
    server.reply(Reply::redirect("/elsewhere"));
    let transport = client.get(NAME).send();
    server.reply(Reply::json(200, "[]"));
    let decode = client.get(NAME).send();
    let results = [
        (ErrorKind::Auth, with(Credentials::provider(sealed)).get(NAME).send()),
        (ErrorKind::Binding, client.get("").send()),
        (ErrorKind::Config, client.get(NAME).header("host", "x").send()),
        (ErrorKind::Decode, decode),
        (ErrorKind::Operation, Operation::failed(NAME, Status::new(Code::Aborted, "")).into_response()),
        (ErrorKind::Service, service),
        (ErrorKind::Timeout, client.get(NAME).total_timeout(Duration::ZERO).send()),
        (ErrorKind::Transport, transport),
    ];
    for (kind, result) in results {
        assert_eq!(result.unwrap_err().kind(), kind);
    }
}

#[test]
fn errors_are_small_and_can_cross_threads() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    fn shared<T: Send + Sync + 'static>() {}
    fn sent<T: Send>() {}
    shared::<Error>();
    shared::<OperationsClient>();
    shared::<RetryPolicy>();
    shared::<Backoff>();
    shared::<Bindings>();
    shared::<Credentials>();
    shared::<Operation>();
    shared::<FakeServer>();
    sent::<Operations>();
    sent::<Pages>();
    sent::<Poller>();
    sent::<Snapshots>();
    fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        any("{}").decode::<Vec<u8>>().map(drop).map_err(Into::into)
    }
    assert!(boxed().unwrap_err().downcast_ref::<Error>().is_some());
}

/// Splits off what to do about a connection that failed, which stands behind the causes.
fn advice_of(message: &str) -> (&str, &str) {
    message.find("; check the ").map_or((message, ""), |start| message.split_at(start))
}

/// Compares an error with what is expected, and holds it to the rules for all messages.
fn check(error: Error, (kind, code, attempts, seconds, message): (ErrorKind, Option<Code>, u32, f64, &str)) {
    assert_eq!(error.to_string(), message);
    assert_eq!((error.kind(), error.code()), (kind, code), "{message}");
    assert_eq!((error.attempts(), error.elapsed()), (attempts, secs(seconds)), "{message}");
    assert!(!message.ends_with('.') && !message.contains(char::is_control), "{message}");
    assert!(!message.contains("CANARY"), "{message}");
    let (failure, advice) = advice_of(message);
    let mut chain = failure.to_owned();
    let mut cause = error.source();
    while let Some(source) = cause {
        let text = source.to_string();
        assert!(!chain.contains(&text), "told twice: {chain}: {text}");
        chain = format!("{chain}: {text}");
        cause = source.source();
    }
    chain.push_str(advice);
    assert_eq!(format!("{error:#}"), chain);
    assert!(format!("{error:?}").contains(&format!("{chain:?}")), "{error:?}");
}
