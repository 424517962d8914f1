//! What goes over the wire: start lines, headers, bodies, connections.

use longrunning::auth::ServiceAccount;
use longrunning::http::{HttpClient, HttpError, HttpOptions, HttpRequest, HttpResponse};
use longrunning::proto::google::longrunning as pb;
use longrunning::testing::{FakeServer, RecordedRequest, Reply};
use longrunning::transport::{Attempt, Transport, TransportKind};
use longrunning::{
    Binding, Bindings, Credentials, Error, ErrorKind, Operation, OperationPage, OperationsClient,
};

use crate::kit::{KEY_FILE, Method, NAME, done, lines, running, server};

#[test]
fn start_lines_and_bodies() {
    let server = FakeServer::start();
    server.reply(Reply::status(200).times(usize::MAX));
    let client = server.client();
    let name = "projects/p/locations/l/operations/a:b c/é";
    client.get(name).send().unwrap();
    client.cancel("1234567890").send().unwrap();
    client.delete(String::from("operations/a/")).send().unwrap();
    client.get(Operation::running("operations/x%2Fy+=")).send().unwrap();
    client.list("operations").send().unwrap();
    client
        .list("projects/p")
        .filter("a=b&c")
        .page_size(5)
        .page_token("t+/")
        .return_partial_success(true)
        .send()
        .unwrap();
    client.list("projects/-/operations").filter("").page_size(0).page_token("").send().unwrap();
    let expected = [
        "GET /v1/projects/p/locations/l/operations/a%3Ab%20c/%C3%A9",
        "POST /v1/operations/1234567890:cancel {}",
        "DELETE /v1/operations/a/",
        "GET /v1/operations/x%252Fy%2B%3D",
        "GET /v1/operations",
        "GET /v1/projects/p/operations?filter=a%3Db%26c&pageSize=5&pageToken=t%2B%2F&returnPartialSuccess=true",
        "GET /v1/projects/-/operations",
    ];
    assert_eq!(lines(&server), expected);
}

/// Exactly these, and nothing else.
#[test]
fn headers_of_every_method() {
    for method in Method::ALL {
        let server = server();
        method.run(&server.client()).unwrap();
        let request = &server.requests()[0];
        let name = if method == Method::List { "operations" } else { NAME };
        let mut expected = vec![
            ("accept", "application/json".to_owned()),
            ("accept-encoding", "gzip".to_owned()),
            ("host", server.address().to_string()),
            ("user-agent", user_agent()),
            ("x-goog-api-client", api_client()),
            ("x-goog-request-params", format!("name={name}")),
        ];
        if method == Method::Cancel {
            expected.push(("content-length", "2".to_owned()));
            expected.push(("content-type", "application/json".to_owned()));
        }
        expected.retain(|(name, _)| cfg!(feature = "gzip") || *name != "accept-encoding");
        expected.sort();
        assert_eq!(headers(request), expected, "{method:?}");
    }
}

#[test]
fn the_client_tells_who_it_is() {
    let server = server();
    let client =
        server.client_builder().user_agent("nightly/1.4").client_info("gccl/1.2 team/x").build().unwrap();
    client.get(NAME).send().unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.header("user-agent").unwrap(), format!("nightly/1.4 {}", user_agent()));
    assert_eq!(request.header("x-goog-api-client").unwrap(), format!("{} gccl/1.2 team/x", api_client()));
    assert!(request.header("x-goog-api-client").unwrap().starts_with("gl-rust/1."));
}

#[test]
fn the_routing_header_keeps_slashes_only() {
    let server = FakeServer::start();
    server.reply(Reply::status(200).times(2));
    server.client().get("projects/p/operations/a b&c=d:é").send().unwrap();
    server.client().list("projects/p").send().unwrap();
    let params: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.header("x-goog-request-params").unwrap().to_owned())
        .collect();
    assert_eq!(params, ["name=projects/p/operations/a%20b%26c%3Dd%3A%C3%A9", "name=projects/p"]);
}

#[test]
fn the_nearest_quota_project_wins() {
    let rows = [
        ("nobody chose", false, false, false, false, None),
        ("file", false, false, false, true, Some("of-file")),
        ("environment", false, false, true, true, Some("of-environment")),
        ("client", false, true, true, true, Some("of-client")),
        ("call", true, true, true, true, Some("of-call")),
    ];
    for (row, call, client, environment, file, expected) in rows {
        for method in Method::ALL {
            let server = server();
            let mut builder = server.client_builder();
            if file {
                let mut key: serde_json::Value = serde_json::from_str(KEY_FILE).unwrap();
                key["quota_project_id"] = "of-file".into();
                builder = builder.credentials(ServiceAccount::from_value(key).unwrap());
            }
            if environment {
                builder = builder.environment([("GOOGLE_CLOUD_QUOTA_PROJECT", "of-environment")]);
            }
            if client {
                builder = builder.quota_project("of-client");
            }
            let client = builder.build().unwrap();
            if call {
                charged_to(method, &client, "of-call");
            } else {
                method.run(&client).unwrap();
            }
            assert_eq!(server.requests()[0].header("x-goog-user-project"), expected, "{row} {method:?}");
        }
    }
}

#[test]
fn a_quota_project_is_checked_wherever_it_stands() {
    for project in ["a b", "p\r\nx-injected: 1"] {
        let server = server();
        let shown = project.escape_default();
        let of_environment = server.client_builder().environment([("GOOGLE_CLOUD_QUOTA_PROJECT", project)]);
        let mut key: serde_json::Value = serde_json::from_str(KEY_FILE).unwrap();
        key["quota_project_id"] = project.into();
        let of_file = server.client_builder().credentials(ServiceAccount::from_value(key).unwrap());
        for (builder, place) in
            [(of_environment, "`GOOGLE_CLOUD_QUOTA_PROJECT`"), (of_file, "`quota_project_id`")]
        {
            let error = builder.build().expect_err(place);
            let message =
                format!("quota project `{shown}` is not a project id or number; it comes from {place}");
            assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, message));
        }
    }
}

fn charged_to(method: Method, client: &OperationsClient, project: &str) {
    match method {
        Method::Get => drop(client.get(NAME).quota_project(project).send().unwrap()),
        Method::List => drop(client.list("operations").quota_project(project).send().unwrap()),
        Method::Cancel => client.cancel(NAME).quota_project(project).send().unwrap(),
        Method::Delete => client.delete(NAME).quota_project(project).send().unwrap(),
        Method::Poll => drop(client.poller(NAME).quota_project(project).until_done().unwrap()),
    }
}

#[test]
fn extra_headers_go_along() {
    let server = server();
    let client =
        server.client_builder().header("X-Trace", "client").header("x-goog-api-key", "k").build().unwrap();
    client.get(NAME).header("x-reason", " ticket 1234\t").header("x-trace", "call").send().unwrap();
    client.poller(NAME).header("x-reason", "wait").until_done().unwrap();
    let sent = |index: usize| {
        let request = &server.requests()[index];
        let own = |(name, _): &(&str, &str)| ["x-trace", "x-reason", "x-goog-api-key"].contains(name);
        request.headers().filter(own).map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
    };
    assert_eq!(sent(0), ["x-trace: client", "x-trace: call", "x-goog-api-key: k", "x-reason: ticket 1234"]);
    assert_eq!(sent(1), ["x-trace: client", "x-goog-api-key: k", "x-reason: wait"]);
}

/// Nothing is sent when an option of the call is wrong, whatever the method.
#[test]
fn wrong_options_of_a_call_are_refused() {
    let server = server();
    let client = server.client();
    let headers = [
        ("authorization", "Bearer x", "header `authorization` is set by the client: use `credentials`"),
        ("Host", "x", "header `host` is set by the client: use the endpoint"),
        ("content-length", "0", "header `content-length` is set by the client"),
        ("accept", "text/html", "header `accept` is set by the client"),
        ("x-a", "b\r\nc: d", "value of header `x-a` has a control or non-ASCII character"),
        ("x a", "b", "header name `x a` is not an HTTP token"),
    ];
    for (name, value, message) in headers {
        let refused = [
            client.get(NAME).header(name, value).send().unwrap_err(),
            client.list("operations").header(name, value).into_iter().next().unwrap().unwrap_err(),
            client.cancel(NAME).header(name, value).send().unwrap_err(),
            client.delete(NAME).header(name, value).send().unwrap_err(),
            client.wait(NAME).header(name, value).send().unwrap_err(),
            client.poller(NAME).header(name, value).until_done().unwrap_err(),
            server.client_builder().header(name, value).build().unwrap_err(),
        ];
        for error in refused {
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Config, message));
            assert_eq!(error.attempts(), 0, "{message}");
        }
    }
    let error = client.get(NAME).quota_project("a b").send().unwrap_err();
    assert_eq!(error.to_string(), "quota project `a b` is not a project id or number");
    let error = client.get("/x").header("host", "y").send().unwrap_err();
    let expected = "header `host` is set by the client: use the endpoint";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Config, expected));
    assert_eq!(server.request_count(), 0);
}

#[test]
fn names_that_could_leave_their_path_are_refused_by_every_method() {
    let server = server();
    let client = server.client();
    for name in [
        "",
        "/x",
        "operations//1",
        "operations/../../v2/x:delete",
        "operations/%2e%2e/x",
        "operations/.\\x",
        "a\nb",
    ] {
        let refused = [
            client.get(name).send().unwrap_err(),
            client.list(name).send().unwrap_err(),
            client.cancel(name).send().unwrap_err(),
            client.delete(name).send().unwrap_err(),
            client.wait(name).send().unwrap_err(),
            client.poller(name).until_done().unwrap_err(),
            client.poller(Operation::running(name)).until_done().unwrap_err(),
        ];
        for error in refused {
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Binding, 0), "{name:?}: {error}");
        }
    }
    assert_eq!(server.request_count(), 0);
}

#[test]
fn enums_are_asked_for_as_numbers_only_on_demand() {
    let server = server();
    let client = server.client_builder().enum_encoding_int(true).build().unwrap();
    for method in Method::ALL {
        method.run(&client).unwrap_or_default();
    }
    client.list("operations").page_size(3).send().unwrap();
    let alt = "$alt=json%3Benum-encoding=int";
    let expected = [
        format!("GET /v1/operations/42?{alt}"),
        format!("GET /v1/operations?{alt}"),
        format!("POST /v1/operations/42:cancel?{alt} {{}}"),
        format!("DELETE /v1/operations/42?{alt}"),
        format!("GET /v1/operations/42?{alt}"),
        format!("GET /v1/operations?pageSize=3&{alt}"),
    ];
    assert_eq!(lines(&server), expected);
}

#[test]
fn bindings_change_paths() -> Result<(), Error> {
    let server = FakeServer::start();
    server.reply(Reply::status(200).times(usize::MAX));
    let bindings = Bindings::version("v1/compute")?
        .get([Binding::get("/v2/{name=projects/*/jobs/*}")?, Binding::get("/v2beta/operations")?])
        .delete([Binding::post("/v2/{name=**}:remove")?]);
    let client = server.client_builder().bindings(bindings).build()?;
    client.get("projects/p/jobs/7").send()?;
    client.get("operations/7").send()?;
    client.delete("operations/7").send()?;
    client.cancel("operations/7").send()?;
    client.list("projects/p").page_size(2).send()?;
    let expected = [
        "GET /v2/projects/p/jobs/7",
        "GET /v2beta/operations?name=operations%2F7",
        "POST /v2/operations/7:remove {}",
        "POST /v1/compute/operations/7:cancel {}",
        "GET /v1/compute/projects/p/operations?pageSize=2",
    ];
    assert_eq!(lines(&server), expected);
    Ok(())
}

/// Keeps the URLs that it is asked for.
#[derive(Clone, Debug, Default)]
struct Recorder(std::sync::Arc<std::sync::Mutex<Vec<String>>>);

impl HttpClient for Recorder {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        self.0.lock().unwrap().push(format!("{} {}", request.method.as_str(), request.url));
        Ok(HttpResponse::new(200, done().to_json()))
    }
}

#[test]
fn endpoints_may_have_a_port_and_a_base_path() -> Result<(), Error> {
    let rows = [
        ("run.googleapis.com", "https://run.googleapis.com"),
        ("https://run.googleapis.com/", "https://run.googleapis.com"),
        ("proxy.example:8443", "https://proxy.example:8443"),
        ("https://proxy.example:8443/base/path/", "https://proxy.example:8443/base/path"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ];
    for (endpoint, url) in rows {
        let http = Recorder::default();
        let credentials = Credentials::bearer("t")?;
        let client =
            OperationsClient::builder(endpoint).credentials(credentials).http_client(http.clone()).build()?;
        client.get(NAME).send()?;
        client.cancel(NAME).send()?;
        let expected = [format!("GET {url}/v1/operations/42"), format!("POST {url}/v1/operations/42:cancel")];
        assert_eq!(*http.0.lock().unwrap(), expected, "{endpoint}");
    }
    Ok(())
}

#[test]
fn one_connection_serves_many_calls() {
    let server = server();
    let client = server.client();
    let clone = client.clone();
    for _ in 0..20 {
        client.get(NAME).send().unwrap();
        clone.list("operations").send().unwrap();
        client.cancel("operations/43").send().unwrap_err();
    }
    server.reply(running());
    client.poller(NAME).until_done().unwrap();
    assert_eq!(server.request_count(), 62);
    assert!(server.requests().iter().all(|request| request.connection() == 1));
}

#[test]
fn connections_are_kept_only_if_wanted() {
    let server = server();
    let options = HttpOptions::new().idle_total(0).idle_per_host(0);
    let client = server.client_builder().http_options(options).build().unwrap();
    (0..3).for_each(|_| drop(client.get(NAME).send().unwrap()));
    let connections: Vec<_> = server.requests().iter().map(RecordedRequest::connection).collect();
    assert_eq!(connections, [1, 2, 3]);
}

#[cfg(feature = "gzip")]
#[test]
fn packed_answers_are_read() {
    let server = server();
    server.reply(Reply::usual().gzip().times(3));
    server.reply(Reply::usual().gzip().chunked());
    let client = server.client();
    assert_eq!(client.get(NAME).send().unwrap(), done());
    assert_eq!(client.list("operations").send().unwrap().operations, [done()]);
    client.cancel(NAME).send().unwrap();
    assert_eq!(client.get(NAME).send().unwrap(), done());
}

/// Answers without a network.
#[derive(Debug)]
struct Own;

impl Transport for Own {
    fn get_operation(
        &self,
        request: &pb::GetOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        let headers: Vec<_> = attempt.headers().collect();
        assert_eq!(headers, [("x-of-client", "1"), ("x-of-call", "2")]);
        assert_eq!((attempt.quota_project(), attempt.timeout().as_secs()), (Some("billing"), 3));
        Ok(Operation::running(&request.name))
    }

    fn list_operations(
        &self,
        request: &pb::ListOperationsRequest,
        _: &Attempt<'_>,
    ) -> Result<OperationPage, Error> {
        let next = if request.page_token.is_empty() { "next" } else { "" };
        Ok(OperationPage::new(vec![Operation::running(&request.filter)], next))
    }

    fn cancel_operation(&self, _: &pb::CancelOperationRequest, _: &Attempt<'_>) -> Result<(), Error> {
        Err(longrunning::Status::new(longrunning::Code::NotFound, "gone").into())
    }

    fn delete_operation(&self, _: &pb::DeleteOperationRequest, _: &Attempt<'_>) -> Result<(), Error> {
        Err(HttpError::new(longrunning::http::HttpErrorKind::Tls, "no trust").into())
    }

    fn wait_operation(
        &self,
        request: &pb::WaitOperationRequest,
        _: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        assert_eq!(request.timeout.map(|timeout| timeout.seconds), Some(5));
        Ok(done())
    }
}

#[test]
fn a_transport_of_your_own_gets_typed_requests() -> Result<(), Error> {
    let client = OperationsClient::over(Own).header("x-of-client", "1").quota_project("billing").build()?;
    let attempt_timeout = std::time::Duration::from_secs(3);
    assert_eq!(client.get(NAME).header("x-of-call", "2").attempt_timeout(attempt_timeout).send()?, running());
    let listed: Result<Vec<_>, _> = client.list("x").filter("f").into_iter().collect();
    assert_eq!(listed?, [Operation::running("f"), Operation::running("f")]);
    let error = client.cancel(NAME).send().unwrap_err();
    assert_eq!(error.to_string(), "CancelOperation `operations/42`: NOT_FOUND: gone");
    let error = client.delete(NAME).send().unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Transport, "DeleteOperation `operations/42`: no trust")
    );
    assert_eq!(client.wait(NAME).timeout(std::time::Duration::from_secs(5)).send()?, done());
    Ok(())
}

#[test]
fn options_of_rest_are_refused_with_another_transport() {
    let over = || OperationsClient::over(Own);
    let rows = [
        ("transport", over().transport(TransportKind::Rest)),
        ("credentials", over().credentials(Credentials::anonymous())),
        ("scopes", over().scopes(["a"])),
        ("bindings", over().bindings(Bindings::default())),
        ("user_agent", over().user_agent("x/1")),
        ("client_info", over().client_info("x/1")),
        ("enum_encoding_int", over().enum_encoding_int(true)),
        ("http_options", over().http_options(HttpOptions::new())),
        ("http_client", over().http_client(Recorder::default())),
    ];
    for (option, builder) in rows {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.to_string(), format!("option `{option}` has no effect on a transport of your own"));
    }
}

#[test]
fn transport_by_name_and_what_belongs_to_one_alone() {
    let builder = || OperationsClient::builder("https://example.com").credentials(Credentials::anonymous());
    let rest: TransportKind = "rest".parse().unwrap();
    assert!(builder().transport(rest).bindings(Bindings::default()).build().is_ok());
    #[cfg(feature = "grpc")]
    {
        let grpc = || builder().transport("grpc".parse().unwrap());
        assert!(format!("{:?}", grpc().message_limit(1).build().unwrap()).contains("GrpcTransport"));
        let over_grpc = "has no effect over grpc: it belongs to the REST transport";
        let rows = [
            ("bindings", grpc().bindings(Bindings::default()), over_grpc),
            ("enum_encoding_int", grpc().enum_encoding_int(true), over_grpc),
            ("http_client", grpc().http_client(Recorder::default()), over_grpc),
            // In whatever order.
            ("bindings", builder().bindings(Bindings::default()).transport(TransportKind::Grpc), over_grpc),
            (
                "message_limit",
                builder().message_limit(1),
                "has no effect over rest: it belongs to the gRPC transport",
            ),
        ];
        for (option, builder, why) in rows {
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert_eq!(error.to_string(), format!("option `{option}` {why}"));
        }
    }
}

/// Names and values, sorted.
fn headers(request: &RecordedRequest) -> Vec<(&str, String)> {
    let mut headers: Vec<_> = request.headers().map(|(name, value)| (name, value.to_owned())).collect();
    headers.sort();
    headers
}

fn user_agent() -> String {
    let gzip = if cfg!(feature = "gzip") { " (gzip)" } else { "" };
    format!("longrunning-rs/{}{gzip}", env!("CARGO_PKG_VERSION"))
}

fn api_client() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let rustc = env!("LONGRUNNING_RUSTC");
    format!("gl-rust/{rustc} rest/{version}-ureq gapic/{version}")
}
