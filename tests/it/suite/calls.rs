//! The calls themselves: what arrives at the service, and who asks.

use std::sync::mpsc::channel;

use longrunning::auth::{AccessToken, TokenRequest};
use longrunning::proto::google::longrunning as pb;
use longrunning::testing::{Reply, Rpc};
use longrunning::transport::Headers;
use longrunning::{Code, Credentials, ErrorKind, Operation};

use super::super::FACE;
use super::kit::{FakeServer, Method, NAME, done, running, secs, server, slept, unavailable};

#[test]
fn every_method_does_what_it_says() {
    let server = FakeServer::with(|options| options.with(Rpc::Wait));
    server.insert(done());
    server.insert(Operation::running("operations/43"));
    let client = server.waiting_client();
    assert_eq!(client.get(NAME).send().unwrap(), done());
    assert_eq!(client.wait(NAME).send().unwrap(), done());
    let page = client.list("operations").send().unwrap();
    assert_eq!(page.operations, [done(), Operation::running("operations/43")]);
    client.cancel("operations/43").send().unwrap();
    assert_eq!(client.get("operations/43").send().unwrap().error().unwrap().code(), Code::Cancelled);
    client.delete("operations/43").send().unwrap();
    assert_eq!(client.get("operations/43").send().unwrap_err().code(), Some(Code::NotFound));
    let rpcs: Vec<_> = server.requests().iter().map(|request| request.rpc().unwrap()).collect();
    assert_eq!(rpcs, [Rpc::Get, Rpc::Wait, Rpc::List, Rpc::Cancel, Rpc::Get, Rpc::Delete, Rpc::Get]);
}

#[test]
fn names_arrive_as_they_are() {
    let server = FakeServer::start();
    let names = ["operations/a:b", "projects/p/locations/l/operations/a b%2F/é", "operations/x:cancel"];
    for name in names {
        server.insert(Operation::running(name));
        assert_eq!(server.client().get(name).send().unwrap(), Operation::running(name));
        server.client().delete(name).send().unwrap();
        assert_eq!(server.operation(name), None, "{name}");
    }
}

#[test]
fn routing_parameters_headers_and_quota_project_go_along() {
    for method in Method::ALL {
        let server = server();
        let client = server
            .client_builder()
            .header("x-trace", "7")
            .header("x-extra-bin", "AAE")
            .quota_project("billing")
            .build()
            .unwrap();
        method.run(&client).unwrap();
        let request = &server.requests()[0];
        let name = if method == Method::List { "operations" } else { NAME };
        let expected = [
            ("x-trace", "7"),
            ("x-extra-bin", "AAE"),
            ("x-goog-user-project", "billing"),
            ("x-goog-request-params", &format!("name={name}")),
        ];
        for (header, value) in expected {
            assert_eq!(request.header(header), Some(value), "{method:?}");
        }
        assert_eq!(request.name(), Some(name), "{method:?}");
    }
}

#[test]
fn headers_of_answers_are_shown_of_every_attempt() {
    let server = server();
    let client = server.client();
    let (tell, seen) = channel();
    let show = move |headers: &Headers| {
        let id = headers.get("X-Request-ID").map(str::to_owned);
        tell.send((id, headers.get_bin("x-trace-bin"), headers.get_bin("x-request-id"))).unwrap();
    };
    let facts = |id: &str| (Some(id.to_owned()), Some(vec![0, 1]), None);
    server.reply(unavailable().header("x-request-id", "1?").header("x-trace-bin", "AAE"));
    server.reply(Reply::usual().header("x-request-id", "2?").header("x-trace-bin", "AAE="));
    client.get(NAME).on_headers(show.clone()).send().unwrap();
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [facts("1?"), facts("2?")]);

    server.reply(Reply::from(running()).header("x-request-id", "3?").header("x-trace-bin", "AAE"));
    client.poller(NAME).on_headers(show).until_done().unwrap();
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [facts("3?"), (None, None, None)]);
}

#[test]
fn the_call_goes_before_the_client() {
    let server = server();
    let client = server.client_builder().quota_project("of-client").header("x-a", "1").build().unwrap();
    client.get(NAME).quota_project("of-call").header("x-b", "2").send().unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.header("x-goog-user-project"), Some("of-call"));
    assert_eq!((request.header("x-a"), request.header("x-b")), (Some("1"), Some("2")));
}

/// Nothing is sent when an option or a name is wrong.
#[test]
fn what_is_wrong_is_refused_before_it_is_sent() {
    let server = server();
    let client = server.client();
    for (name, value) in [("authorization", "Bearer x"), ("host", "x"), ("x-a", "b\r\nc: d"), ("x a", "b")] {
        let error = client.get(NAME).header(name, value).send().unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Config, 0), "{name}: {error}");
    }
    // gRPC sends names in a message, where they cannot leave a path.
    let names = ["", "/x", "operations//1", "operations/../../v2/x:delete", "a\nb"];
    for name in names.into_iter().take(if FACE.is_rest() { names.len() } else { 1 }) {
        let error = client.get(name).send().unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Binding, 0), "{name}: {error}");
    }
    assert_eq!(server.request_count(), 0);
}

/// Google's own test server gives names with an empty segment.
#[test]
fn grpc_sends_names_as_they_are() {
    if FACE.is_rest() {
        return;
    }
    let server = server();
    server.insert(Operation::running("operations//echo/1"));
    let client = server.client();
    assert_eq!(client.get("operations//echo/1").send().unwrap().name(), "operations//echo/1");
    assert_eq!(client.poll_many(["operations//echo/1"]).total_timeout(secs(1.0)).into_iter().count(), 1);
    client.cancel("operations//echo/1").send().unwrap();
    client.list("").send().unwrap();
    assert_eq!(server.requests().last().unwrap().rpc(), Some(Rpc::List));
}

#[test]
fn one_connection_serves_many_calls() {
    let server = server();
    let client = server.client();
    for _ in 0..20 {
        client.get(NAME).send().unwrap();
        client.list("operations").send().unwrap();
        client.cancel("operations/43").send().unwrap_err();
    }
    server.reply(running());
    client.poller(NAME).until_done().unwrap();
    assert!(server.requests().iter().all(|request| request.connection() == 1));
}

#[test]
fn connections_that_are_ended_in_order_cost_no_attempt() {
    let server = FakeServer::with(|options| options.requests_per_connection(2));
    server.insert(done());
    let client = server.client();
    for _ in 0..7 {
        assert_eq!(client.get(NAME).send().unwrap(), done());
    }
    let connections: Vec<_> = server.requests().iter().map(|request| request.connection()).collect();
    assert_eq!((connections, slept(&server)), (vec![1, 1, 2, 2, 3, 3, 4], vec![]));
}

#[cfg(feature = "gzip")]
#[test]
fn packed_answers_are_read() {
    let server = server();
    server.reply(Reply::usual().gzip().times(3));
    let client = server.client();
    assert_eq!(client.get(NAME).send().unwrap(), done());
    assert_eq!(client.list("operations").send().unwrap().operations, [done()]);
    client.cancel(NAME).send().unwrap();
}

/// Gives `t1`, `t2` and so on.
fn numbered(server: &FakeServer) -> super::kit::Client {
    let given = std::sync::atomic::AtomicU32::new(0);
    let provider = move |_: &TokenRequest<'_>| {
        let number = given.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        Ok(AccessToken::new(format!("t{number}")))
    };
    server.client_builder().credentials(Credentials::provider(provider)).build().unwrap()
}

#[test]
fn a_refused_token_is_refreshed_once() {
    for method in Method::ALL {
        let server = server();
        server.require_token("t2");
        method.run(&numbered(&server)).unwrap();
        assert_eq!((tokens(&server), slept(&server)), (vec!["t1".to_owned(), "t2".to_owned()], vec![]), "49");
        server.require_token("t9");
        let error = method.run(&numbered(&server)).unwrap_err();
        assert_eq!((error.code(), error.attempts()), (Some(Code::Unauthenticated), 1), "50 {method:?}");
        assert_eq!(server.request_count(), 4, "50 {method:?}");
    }
}

#[test]
fn a_listing_goes_on_with_a_fresh_token() {
    let server = FakeServer::start();
    let names: Vec<_> = (0..25).map(|number| format!("projects/p/operations/{number}")).collect();
    names.iter().for_each(|name| server.insert(Operation::running(name)));
    let client = numbered(&server);
    let mut seen = Vec::new();
    for (number, page) in client.list("projects/p").page_size(10).pages().enumerate() {
        seen.extend(page.unwrap().operations.iter().map(|operation| operation.name().to_owned()));
        if number == 0 {
            server.require_token("t2");
        }
    }
    assert_eq!((seen, tokens(&server)), (names, ["t1", "t1", "t2", "t2"].map(str::to_owned).to_vec()), "49");
    let asked: Vec<String> = server
        .requests()
        .iter()
        .map(|request| request.message::<pb::ListOperationsRequest>().unwrap().page_token)
        .collect();
    assert_eq!(asked[1], asked[2], "49: the same page again");
}

fn tokens(server: &FakeServer) -> Vec<String> {
    let of = |request: &longrunning::testing::RecordedRequest| {
        request.header("authorization").unwrap().trim_start_matches("Bearer ").to_owned()
    };
    server.requests().iter().map(of).collect()
}
