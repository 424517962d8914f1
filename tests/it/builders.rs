//! Every builder has the same options, by the same names and types.

use longrunning::testing::{FakeOperation, FakeServer, Rpc};
use longrunning::transport::Headers;
use longrunning::{
    Backoff, Code, ErrorKind, LongPoll, OnTimeout, Operation, OperationsClient, RetryPolicy, Status,
    StopToken, Update,
};

use crate::kit::{NAME, running, secs, unavailable};

/// Sets all options of requests; that it compiles for each builder is the test.
macro_rules! requests {
    ($builder:expr) => {{
        let builder = $builder
            .attempt_timeout(secs(5.0))
            .total_timeout(secs(60.0))
            .retry(RetryPolicy::never())
            .quota_project("billing")
            .header("x-trace", "9")
            .stop(&StopToken::new())
            .on_headers(|_: &Headers| {});
        #[cfg(feature = "grpc")]
        let builder = builder.compression(longrunning::transport::Compression::Identity);
        builder
    }};
}

/// Sets all options of polling.
macro_rules! polls {
    ($builder:expr) => {
        $builder
            .backoff(Backoff::python())
            .max_failures(3)
            .max_outage(secs(60.0))
            .not_found_grace(secs(1.0))
            .on_timeout(OnTimeout::Leave)
            .long_poll(LongPoll::Never)
    };
}

/// Sets all options of a wait.
macro_rules! waits {
    ($builder:expr) => {
        polls!($builder).forever().total_timeout(secs(60.0)).on_update(|_: &Update<'_>| {})
    };
}

/// Sets all options of a list.
macro_rules! lists {
    ($builder:expr) => {
        $builder.filter("").page_size(10).max_pages(9).iteration_timeout(secs(60.0))
    };
}

#[test]
fn every_builder_has_the_same_options() {
    let server = FakeServer::start();
    server.insert(Operation::failed(NAME, Status::new(Code::Internal, "no")));
    let client = polls!(requests!(server.client_builder())).max_rate(100.0).build().unwrap();
    requests!(client.get(NAME)).send().unwrap();
    requests!(client.cancel(NAME)).send().unwrap();
    lists!(requests!(client.list("operations"))).send().unwrap();
    waits!(requests!(client.poller(NAME))).until_done().unwrap();
    let many = waits!(requests!(client.poll_many([NAME]))).max_rate(100.0).concurrency(2);
    many.join_all().unwrap();
    lists!(requests!(client.cancel_all("operations"))).concurrency(2).run().unwrap();
    lists!(requests!(client.delete_done("operations"))).concurrency(2).run().unwrap();
    for request in server.requests() {
        assert_eq!(request.header("x-goog-user-project"), Some("billing"), "{:?}", request.rpc());
    }
}

#[test]
#[cfg(feature = "async")]
fn the_async_builders_too() {
    let server = FakeServer::start();
    server.insert(Operation::failed(NAME, Status::new(Code::Internal, "no")));
    let client = longrunning::OperationsAsyncClient::from(server.client());
    pollster::block_on(requests!(client.get(NAME)).send()).unwrap();
    pollster::block_on(lists!(requests!(client.list("operations"))).send()).unwrap();
    pollster::block_on(waits!(requests!(client.poller(NAME))).until_done()).unwrap();
}

#[test]
fn a_wrong_option_is_reported_by_what_sends() {
    let server = FakeServer::start();
    server.insert(running());
    let client = server.client();
    let errors = [
        client.get(NAME).header("host", "x").send().unwrap_err(),
        client.list("operations").quota_project("a b").into_iter().next().unwrap().unwrap_err(),
        client.poller(NAME).header("host", "x").until_done().unwrap_err(),
        client.poll_many([NAME]).quota_project("").join_all().unwrap_err(),
        client.poll_many([NAME]).max_rate(-1.0).race().unwrap_err(),
        client.cancel_all("operations").header("te", "x").run().unwrap_err(),
        server.client_builder().header("host", "x").build().unwrap_err(),
        server.client_builder().max_rate(0.0).build().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
    assert_eq!(server.request_count(), 0);
}

#[test]
fn options_of_the_client_are_the_defaults_of_its_calls_and_waits() {
    let server = FakeServer::start();
    server.insert(FakeOperation::new(NAME).done_after(secs(100.0)));
    let token = StopToken::new();
    let client = server
        .client_builder()
        .backoff(Backoff::from_fn(|_| Some(secs(7.0))))
        .max_outage(secs(3.0))
        .stop(&token)
        .build()
        .unwrap();
    let error = client.poller(NAME).total_timeout(secs(10.0)).until_done().unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 3));
    assert_eq!(server.sleeps()[0], secs(7.0));
    server.reply(unavailable());
    server.reply(unavailable());
    assert_eq!(client.poller(NAME).until_done().unwrap_err().code(), Some(Code::Unavailable));
    token.stop();
    assert_eq!(client.get(NAME).send().unwrap_err().kind(), ErrorKind::Stopped);
    assert_eq!(client.poll_many([NAME]).join_all().unwrap_err().kind(), ErrorKind::Stopped);
    assert!(client.get(NAME).stop(&StopToken::new()).send().is_ok(), "a call's own token takes its place");
}

#[test]
fn on_headers_of_every_builder_is_called() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let server = FakeServer::start();
    server.insert(Operation::failed("operations/1", Status::new(Code::Internal, "no")));
    let seen = Arc::new(AtomicUsize::new(0));
    let count = || {
        let seen = Arc::clone(&seen);
        move |_: &Headers| {
            seen.fetch_add(1, Ordering::Relaxed);
        }
    };
    let client: OperationsClient = server.client_builder().on_headers(count()).build().unwrap();
    client.get("operations/1").send().unwrap();
    client.poller("operations/1").until_done().unwrap();
    client.poll_many(["operations/1"]).join_all().unwrap();
    assert_eq!(seen.swap(0, Ordering::Relaxed), 3, "of the client");
    let client = server.client();
    client.poll_many(["operations/1"]).on_headers(count()).join_all().unwrap();
    client.delete_done("operations").on_headers(count()).run().unwrap();
    assert_eq!(seen.swap(0, Ordering::Relaxed), 3, "of a wait for many and of a sweep");
}

#[test]
fn a_list_has_an_iterator_by_name() {
    let server = FakeServer::start();
    (0..25).for_each(|number| server.insert(Operation::running(format!("operations/{number}"))));
    let client = server.client();
    let mut operations = client.list("operations").page_size(10).operations();
    assert_eq!(operations.by_ref().map(Result::unwrap).count(), 25);
    assert_eq!(operations.page_token(), None);
}

#[test]
fn a_wait_for_many_uses_the_wait_of_the_service() {
    for (count, concurrency) in [(1, 1), (3, 4)] {
        let server = FakeServer::builder().with(Rpc::Wait).start().unwrap();
        let names: Vec<_> = (0..count).map(|number| format!("operations/{number}")).collect();
        for name in &names {
            server.insert(FakeOperation::new(name).done_after(secs(100.0)));
        }
        let many = server.client().poll_many(&names).long_poll(LongPoll::Body).concurrency(concurrency);
        many.join_all().unwrap();
        let waits = server.requests().iter().filter(|request| request.rpc() == Some(Rpc::Wait)).count();
        // Several at a time make the virtual clock go faster.
        assert!(waits >= if count == 1 { 4 } else { count }, "{waits} waits of at most 30 s each");
        if count == 1 {
            assert!(server.request_count() <= 6, "{} requests", server.request_count());
        }
    }
}

#[test]
fn a_wait_for_more_than_it_has_threads_for_polls_until_few_are_left() {
    let server = FakeServer::builder().with(Rpc::Wait).start().unwrap();
    for number in 0..6 {
        let operation = FakeOperation::new(format!("operations/{number}"));
        server.insert(operation.done_after(secs(if number < 4 { 50.0 } else { 500.0 })));
    }
    let names: Vec<_> = (0..6).map(|number| format!("operations/{number}")).collect();
    server.client().poll_many(&names).long_poll(LongPoll::Body).concurrency(2).join_all().unwrap();
    let first = server.requests().iter().position(|request| request.rpc() == Some(Rpc::Wait)).unwrap();
    let waited: Vec<_> = server.requests()[first..].to_vec();
    assert!(first > 6 * 5, "all six are polled for 50 s: {first}");
    assert!(waited.len() < 80, "{} requests for the last two", waited.len());
}
