//! The metadata server: what counts as one, what of its refusals is shown, and how long it may take to start.

use std::sync::Arc;
use std::time::Duration;

use longrunning::auth::MetadataServer;
use longrunning::http::{
    HttpAgent, HttpClient, HttpError, HttpErrorKind, HttpOptions, HttpRequest, HttpResponse,
};
use longrunning::http::{ProxySetting, Roots};
use longrunning::testing::{FakeServer, Reply};
use longrunning::{Credentials, ErrorKind, RetryPolicy};
use serde_json::json;

use crate::kit::{NAME, asked, client, server};

const UNIVERSE: &str = "universe-domain";
const TOKEN: &str = "/token";

#[test]
fn a_token_without_the_header_is_accepted_from_a_server_that_is_known() {
    let rows: [(&str, fn(&FakeServer)); 3] = [
        ("recognized before", |_| {}),
        ("named by a variable", |server| {
            server.reply_to("GET", UNIVERSE, Reply::json(200, "googleapis.com"));
        }),
        ("named by a variable, without universes", |server| {
            server.reply_to("GET", UNIVERSE, Reply::status(404));
        }),
    ];
    for (name, prepare) in rows {
        for credentials in [Credentials::application_default(), MetadataServer::new().into()] {
            let server = server();
            prepare(&server);
            let token = json!({"access_token": "CANARY-access", "expires_in": 3599, "token_type": "Bearer"});
            server.reply_to("GET", TOKEN, Reply::json(200, token.to_string()));
            server.require_token("CANARY-access");
            client(&server, credentials).get(NAME).send().unwrap_or_else(|error| panic!("{name}: {error:#}"));
        }
    }
}

#[test]
fn a_page_is_no_token_whoever_sends_it() {
    for flavored in [true, false] {
        let server = server();
        let page = Reply::html(200);
        let page = if flavored { page.header("metadata-flavor", "Google") } else { page };
        server.reply_to("GET", TOKEN, page);
        let error = client(&server, MetadataServer::new()).get(NAME).send().unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Auth, false), "{error:#}");
        assert!(error.to_string().contains("is not a metadata server"), "{error:#}");
    }
}

#[test]
fn a_server_that_no_variable_names_has_to_say_what_it_is() {
    let server = Arc::new(server());
    for part in [UNIVERSE, TOKEN] {
        let token = json!({"access_token": "CANARY-access"}).to_string();
        server.reply_to("GET", part, Reply::json(200, token));
    }
    let http = Redirected::to(&server, Duration::ZERO);
    let builder = server.client_builder().environment([("NO_GCE_CHECK", "")]);
    let builder = builder.credentials(MetadataServer::new().http_client(http));
    let error = builder.build().unwrap().get(NAME).send().unwrap_err();
    assert!(error.to_string().contains("no metadata server responded"), "{error:#}");
    assert_eq!(asked(&server).len(), 1, "no token is asked for");
}

#[test]
fn refusals_show_what_the_server_says() {
    let permission = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource";
    let rows = [
        ("403", text(403, permission), permission.to_owned()),
        ("404", text(404, "Service account 'x' is not attached."), "'x' is not attached.".into()),
        (
            "lines and control characters",
            text(403, "a\r\nb\u{1b}[31mc\u{202e}d"),
            ": a b[31mc\\u{202e}d".into(),
        ),
        ("long", text(403, &"x".repeat(9000)), format!(": {}…", "x".repeat(256))),
        (
            "JSON",
            Reply::json(403, json!({"error": "denied", "error_description": permission}).to_string()),
            format!(": denied: {permission}"),
        ),
        ("nothing", text(403, " \n"), "responded with 403".into()),
        ("page", Reply::html(403), "responded with 403".into()),
        ("page in disguise", text(403, "\n<!DOCTYPE html><style>*{}</style>"), "responded with 403".into()),
        (
            "a secret",
            text(403, "for Bearer ya29.CANARY-0123456789abcdefghijklmnop"),
            "for Bearer [redacted".into(),
        ),
    ];
    for (name, reply, expected) in rows {
        for part in [UNIVERSE, TOKEN] {
            if part == UNIVERSE && name == "404" {
                continue; // Servers that do not know of universes.
            }
            let server = server();
            server.reply_to("GET", part, reply.clone());
            let error = client(&server, MetadataServer::new()).get(NAME).send().unwrap_err();
            let message = error.to_string();
            assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Auth, false), "{name}: {message}");
            assert!(message.contains(&expected), "{name}: {message}");
            assert!(
                !message.contains('\n') && !message.contains("CANARY") && !message.contains('<'),
                "{name}: {message}"
            );
            if expected == "responded with 403" {
                assert!(message.ends_with(&expected), "{name}: {message}");
            }
        }
    }
}

fn text(status: u16, text: &str) -> Reply {
    Reply::json(status, text).header("content-type", "text/plain").header("metadata-flavor", "Google")
}

/// With the least delays that chance can give.
#[test]
fn a_server_that_must_exist_has_ten_seconds_to_start() {
    for seconds in [0.1, 2.0, 5.0, 9.9] {
        let start = Duration::from_secs_f64(seconds);
        let server = Arc::new(server());
        server.set_chance(0.0);
        let client = client(&server, MetadataServer::new().http_client(Redirected::to(&server, start)));
        client.get(NAME).send().unwrap_or_else(|error| panic!("{seconds}: {error:#}"));
        assert!(server.elapsed() >= start, "{seconds}");
        assert!(
            server.elapsed() <= start.mul_f64(2.0) + Duration::from_millis(500),
            "{:?}",
            server.elapsed()
        );
    }
    // One that is up and not ready.
    let server = server();
    server.set_chance(0.0);
    server.reply_to("GET", UNIVERSE, Reply::status(503).times(4));
    client(&server, MetadataServer::new()).get(NAME).send().unwrap();
    assert_eq!(server.elapsed(), Duration::from_secs(12));
    // Once it has given a token, there is nothing to wait for.
    server.advance(Duration::from_secs(3600));
    let later = server.elapsed();
    let client = client(&server, MetadataServer::new());
    client.get(NAME).send().unwrap();
    server.advance(Duration::from_secs(3600));
    server.reply_to("GET", TOKEN, Reply::status(503));
    client.get(NAME).send().unwrap();
    assert_eq!(server.elapsed() - later, Duration::from_millis(3_600_250));
}

#[test]
fn the_time_to_start_is_within_the_policy_and_the_total_timeout() {
    let server = Arc::new(server());
    let never = || Redirected::to(&server, Duration::MAX);
    let client = client(&server, MetadataServer::new().http_client(never()));
    let error = client.get(NAME).retry(RetryPolicy::never()).send().unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_millis(500)), "{error:#}");
    let error = client.get(NAME).total_timeout(Duration::from_secs(3)).send().unwrap_err();
    assert!(error.elapsed() <= Duration::from_secs(3) && error.is_transient(), "{error:#}");
}

/// Leads all requests to a fake server, whose port is closed at first, by its clock.
#[derive(Debug)]
struct Redirected {
    agent: HttpAgent,
    server: Arc<FakeServer>,
    start: Duration,
}

impl Redirected {
    fn to(server: &Arc<FakeServer>, start: Duration) -> Self {
        let options = HttpOptions::new().roots(Roots::None).proxy(ProxySetting::None);
        Self { agent: HttpAgent::new(&options).unwrap(), server: Arc::clone(server), start }
    }
}

impl HttpClient for Redirected {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        if self.server.elapsed() < self.start {
            return Err(HttpError::new(HttpErrorKind::Connect, "connection refused"));
        }
        let (_, path) = request.url.split_once("/computeMetadata").unwrap();
        let url = format!("{}/computeMetadata{path}", self.server.url());
        let mut request = *request;
        request.url = &url;
        self.agent.send(&request)
    }
}
