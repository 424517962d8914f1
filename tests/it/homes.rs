//! Operations of an earlier process, and clients of their service or of another one.

use longrunning::testing::FakeServer;
use longrunning::{Any, Bindings, Credentials, Error, ErrorKind, Operation, OperationsClient, Pending};

const NAME: &str = "operations/42";

/// A client for the service at `endpoint` that asks `server`.
fn client(server: &FakeServer, endpoint: &str) -> OperationsClient {
    let builder = OperationsClient::builder(endpoint).api_endpoint(server.url());
    builder.credentials(Credentials::anonymous()).build().unwrap()
}

fn server() -> FakeServer {
    let server = FakeServer::start();
    server.insert(Operation::succeeded(NAME, Any::pack(&())));
    server
}

fn pending(endpoint: &str) -> Pending {
    Pending::new(NAME).unwrap().with_endpoint(endpoint)
}

#[test]
fn only_a_client_of_its_service_asks_for_it() {
    let server = server();
    let url = server.url();
    let port = url.rsplit_once(':').unwrap().1;
    let table = [
        ("the same", "run.googleapis.com", "run.googleapis.com", true),
        ("scheme", "run.googleapis.com", "https://run.googleapis.com/", true),
        ("default port", "https://run.googleapis.com", "https://RUN.googleapis.com:443", true),
        ("mutual TLS", "run.googleapis.com", "https://run.mtls.googleapis.com", true),
        ("not any more", "https://run.mtls.googleapis.com:443", "run.googleapis.com", true),
        ("where it is asked", "run.googleapis.com", &url, true),
        ("another service", "run.googleapis.com", "workflows.googleapis.com", false),
        ("of a region", "run.googleapis.com", "europe-west1-run.googleapis.com", false),
        ("another port", "run.googleapis.com", "run.googleapis.com:8443", false),
        ("another base", "https://run.googleapis.com/a", "https://run.googleapis.com/b", false),
        ("another universe", "run.googleapis.com", "run.apis-tpclp.goog", false),
        ("no mutual TLS there", "run.example.com", "run.mtls.example.com", false),
        ("this machine", "run.googleapis.com", &format!("http://localhost:{port}"), false),
        ("no endpoint", "run.googleapis.com", "what is this", false),
    ];
    for (row, ours, its, accepted) in table {
        let client = client(&server, ours);
        let before = server.request_count();
        let results = [
            client.poller(pending(its)).until_done().map(drop),
            client.poller(pending(its)).into_iter().next().unwrap().map(drop),
            client.operation(pending(its)).refresh().map(drop),
            client.operation(pending(its)).poller().until_done().map(drop),
            client.operation(pending(its)).to_pending().map(drop),
            client.poll_many([pending(its)]).join_all().map(drop),
            client.poll_many([&pending(its)]).into_iter().next().unwrap().map(drop),
        ];
        for (call, result) in results.iter().enumerate() {
            let kind = result.as_ref().map_err(|error| (error.kind(), error.name()));
            let expected = if accepted { Ok(&()) } else { Err((ErrorKind::Config, Some(NAME))) };
            assert_eq!(kind, expected, "{row}, {call}");
        }
        assert_eq!(server.request_count() - before, if accepted { 6 } else { 0 }, "{row}");
    }
}

#[test]
fn the_error_says_whose_it_is_and_what_to_do() {
    let server = server();
    let told =
        |pending: Pending| client(&server, "run.googleapis.com").poller(pending).until_done().unwrap_err();
    let refused = |error: &Error| (error.kind(), error.to_string(), error.attempts());
    assert_eq!(
        refused(&told(pending("https://workflows.googleapis.com"))),
        (
            ErrorKind::Config,
            "operation `operations/42` is of endpoint `https://workflows.googleapis.com`, and this client is for \
             `run.googleapis.com`: use a client of its own endpoint"
                .to_owned(),
            0
        )
    );
    let secret = told(pending("https://me:CANARY-password-1@run.googleapis.com")).to_string();
    assert!(secret.contains("`…@run.googleapis.com`") && !secret.contains("CANARY"), "{secret}");
    assert_eq!(server.request_count(), 0);
}

#[test]
fn what_is_not_told_is_not_compared() {
    let server = server();
    let ask = |client: &OperationsClient, pending: Pending| client.poller(pending).until_done();
    let here = client(&server, "run.googleapis.com");
    ask(&here, Pending::new(NAME).unwrap()).unwrap();
    ask(&here, pending("run.googleapis.com").with_api_version("v1")).unwrap();
    let custom = OperationsClient::over(std::sync::Arc::clone(here.transport())).build().unwrap();
    ask(&custom, pending("https://workflows.googleapis.com")).unwrap();
}

#[test]
fn an_operation_is_asked_for_at_its_own_version() {
    let server = server();
    let second = || Pending::new(NAME).unwrap().with_endpoint(server.url()).with_api_version("v2");
    let beta = server.client_builder().api_version("v1beta1").build().unwrap();
    let handle = beta.operation(second());
    assert_eq!(handle.to_pending().unwrap().api_version(), Some("v2"));
    handle.refresh().unwrap();
    beta.operation(second()).cancel().unwrap();
    beta.poller(second()).until_done().unwrap();
    beta.get(second()).send().unwrap();
    beta.get(beta.operation(second())).send().unwrap();
    beta.poll_many([second()]).join_all().unwrap();
    beta.poll_many([&beta.operation(second())]).join_all().unwrap();
    beta.delete(second()).send().unwrap();
    let paths: Vec<_> = server.take_requests().iter().map(|request| request.path().to_owned()).collect();
    let (get, cancel) = ("/v2/operations/42", "/v2/operations/42:cancel");
    assert_eq!(paths, [get, cancel, get, get, get, get, get, get]);
    for version in ["..", "v2/../v1", "", "v 2"] {
        let odd = second().with_api_version(version);
        let error = beta.poller(odd).until_done().unwrap_err();
        assert_eq!((error.kind(), server.request_count()), (ErrorKind::Config, 8), "{version}");
    }
}

#[test]
fn operations_of_two_versions_are_listed_at_each() {
    let server = FakeServer::start();
    let targets: Vec<_> = (0..200)
        .map(|number| {
            let name = format!("projects/p/operations/{number}");
            server.insert(Operation::succeeded(&*name, Any::pack(&())));
            Pending::new(&*name).unwrap().with_api_version(if number % 2 == 0 { "v1" } else { "v2" })
        })
        .collect();
    assert_eq!(server.client().poll_many(targets).join_all().unwrap().len(), 200);
    let mut paths: Vec<_> = server.requests().iter().map(|request| request.path().to_owned()).collect();
    paths.sort();
    assert_eq!(paths, ["/v1/projects/p/operations", "/v2/projects/p/operations"]);
}

#[test]
fn bindings_of_the_program_stay_at_any_version() {
    let server = server();
    let bindings = Bindings::default().get([longrunning::Binding::get("/v7/{name=operations/*}").unwrap()]);
    let client = server.client_builder().bindings(bindings).build().unwrap();
    let pending = || Pending::new(NAME).unwrap().with_api_version("v2");
    client.get(pending()).send().unwrap();
    client.delete(pending()).send().unwrap();
    let paths: Vec<_> = server.requests().iter().map(|request| request.path().to_owned()).collect();
    assert_eq!(paths, ["/v7/operations/42", "/v2/operations/42"]);
}

#[test]
fn one_of_another_service_does_not_end_the_others() {
    let server = server();
    let client = client(&server, "run.googleapis.com");
    let foreign = Pending::new("operations/7").unwrap().with_endpoint("workflows.googleapis.com");
    let mut given: Vec<_> = client.poll_many([foreign, pending("run.googleapis.com")]).named().collect();
    given.sort_by(|a, b| a.0.cmp(&b.0));
    let [(_, here), (name, there)] = &given[..] else { panic!("{given:?}") };
    assert!(here.is_ok());
    assert_eq!((&**name, there.as_ref().unwrap_err().kind()), ("operations/7", ErrorKind::Config));
}
