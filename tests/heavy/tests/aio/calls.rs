//! Calls: the same answers, errors, attempts and sleeps as the client that blocks.

#[cfg(all(feature = "grpc", feature = "gzip"))]
use longrunning::testing::RecordedRequest;
use longrunning::testing::{FakeServer, Reply, Rpc};
#[cfg(all(feature = "grpc", feature = "gzip"))]
use longrunning::transport::{Compression, TransportKind};
use longrunning::{
    Bindings, Code, Error, ErrorKind, OperationsAsyncClient, RetryPolicy, Status, StopToken, WaitBinding,
};

use crate::kit::{Method, NAME, done, lines, running, secs, server, slept, unavailable};
use crate::runtimes::{Runtime, block_on};

/// `Method::run` through the async client.
async fn run(method: Method, client: OperationsAsyncClient) -> Result<(), Error> {
    match method {
        Method::Get => client.get(NAME).send().await.map(drop),
        Method::List => client.list("operations").send().await.map(drop),
        Method::Cancel => client.cancel(NAME).send().await,
        Method::Delete => client.delete(NAME).send().await,
        Method::Poll => client.poller(NAME).total_timeout(secs(100.0)).until_done().await.map(drop),
    }
}

#[test]
fn both_faces_do_the_same() {
    let rows: [(&str, fn() -> Vec<Reply>); 11] = [
        ("an answer", Vec::new),
        ("one outage", || vec![unavailable()]),
        ("a long outage", || vec![unavailable().times(9)]),
        ("it hangs", || vec![Reply::hang()]),
        ("it hangs for ever", || vec![Reply::hang().times(20)]),
        ("a reset", || vec![Reply::reset().times(2)]),
        ("a hint", || vec![Reply::status(503).header("retry-after", "7")]),
        ("a hint that does not fit", || vec![Reply::status(503).header("retry-after", "3600")]),
        ("not found", || vec![Status::new(Code::NotFound, "gone").into()]),
        ("not found after an outage", || vec![Reply::reset(), Status::new(Code::NotFound, "gone").into()]),
        ("cut short", || vec![Reply::usual().truncate_at(5)]),
    ];
    for (row, script) in rows {
        for method in Method::ALL {
            let blocking = outcome(&script(), |client| method.run(&client.blocking()));
            for runtime in Runtime::ALL {
                let future = outcome(&script(), |client| runtime.run(run(method, client)));
                assert_eq!(future, blocking, "{row}: {method:?} on {runtime:?}");
            }
        }
    }
}

/// All that can be seen of a call, from either side.
fn outcome(
    script: &[Reply],
    call: impl FnOnce(OperationsAsyncClient) -> Result<(), Error>,
) -> (Result<(), String>, Vec<f64>, Vec<String>) {
    let server = server();
    script.iter().for_each(|reply| server.reply(reply.clone()));
    let result = call(server.client().into()).map_err(|error| {
        let (attempts, elapsed) = (error.attempts(), error.elapsed());
        let host = server.url().trim_start_matches("http://").to_owned();
        format!("{:?} {error:#} {attempts} {elapsed:?} {:?}", error.kind(), error.operation())
            .replace(&host, "HOST")
    });
    (result, slept(&server), lines(&server))
}

#[test]
fn the_five_calls_take_the_options_of_the_client_and_their_own() {
    let server = FakeServer::builder().with(Rpc::Wait).start().unwrap();
    server.insert(running());
    let bindings = Bindings::default().wait_by(WaitBinding::Body);
    let client = server.client_builder().bindings(bindings).quota_project("billing").build_async().unwrap();
    block_on(async {
        assert_eq!(client.get(NAME).header("x-ticket", "7").send().await.unwrap().name(), NAME);
        assert_eq!(client.list("operations").page_size(1).send().await.unwrap().operations.len(), 1);
        assert!(!client.wait(NAME).timeout(secs(5.0)).send().await.unwrap().is_done());
        client.cancel(NAME).send().await.unwrap();
        client.delete(done()).send().await.unwrap();
        let error = client.get("../secrets").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Binding);
        let error = client.get(NAME).header("authorization", "mine").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let error = client.get(NAME).total_timeout(secs(0.0)).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    });
    let requests = server.requests();
    assert_eq!(requests.len(), 5, "wrong calls send nothing");
    assert_eq!(requests[0].header("x-ticket"), Some("7"));
    assert!(requests.iter().all(|request| request.header("x-goog-user-project") == Some("billing")));
}

#[test]
#[cfg(all(feature = "grpc", feature = "gzip"))]
fn calls_go_over_grpc_with_their_options() {
    let server = FakeServer::start();
    server.insert(running());
    let builder = server.client_builder().transport(TransportKind::Grpc).compression(Compression::Gzip);
    let client = builder.build_async().unwrap();
    block_on(async {
        assert_eq!(client.get(NAME).send().await.unwrap(), running());
        assert_eq!(client.list("operations").send().await.unwrap().operations.len(), 1);
        client.cancel(NAME).send().await.unwrap();
        client.delete(NAME).compression(Compression::Identity).send().await.unwrap();
    });
    let zipped = |request: &RecordedRequest| request.header("grpc-encoding").map(str::to_owned);
    let gzip = || Some("gzip".to_owned());
    assert_eq!(server.requests().iter().map(zipped).collect::<Vec<_>>(), [gzip(), gzip(), gzip(), None]);
}

#[test]
fn a_stopped_call_ends_before_its_first_and_its_next_attempt() {
    let server = server();
    let client = OperationsAsyncClient::from(server.client());
    let token = StopToken::new();
    token.stop();
    let error = block_on(client.get(NAME).stop(&token).send()).unwrap_err();
    assert_eq!((error.kind(), server.request_count()), (ErrorKind::Stopped, 0));

    let token = StopToken::new();
    let stops = token.clone();
    let policy = RetryPolicy::default().on_retry(move |_| stops.stop());
    server.reply(unavailable());
    let error = block_on(client.get(NAME).retry(policy).stop(&token).send()).unwrap_err();
    assert_eq!((error.kind(), server.request_count()), (ErrorKind::Stopped, 1));
    assert!(server.sleeps().is_empty());
}

#[test]
fn futures_and_what_makes_them_are_send() {
    fn is_send<T: Send + 'static>(value: T) -> T {
        value
    }
    let server = server();
    let client = is_send(OperationsAsyncClient::from(server.client()));
    drop(is_send(client.get(NAME).send()));
    drop(is_send(client.list("operations").send()));
    drop(is_send(client.cancel(NAME).send()));
    drop(is_send(client.delete(NAME).send()));
    drop(is_send(client.wait(NAME).send()));
    drop(is_send(client.poller(NAME).until_done()));
    let mut snapshots = is_send(client.poller(NAME).snapshots());
    let mut operations = is_send(client.list("operations").operations());
    drop(is_send(async move { (snapshots.next().await, operations.next().await) }));
    assert_eq!(server.request_count(), 0, "what is not polled does nothing");
}
