//! A client that was used before a fork, in both processes.
#![cfg(unix)]

#[path = "support/calls.rs"]
mod calls;
#[path = "support/relay.rs"]
mod relay;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use calls::{TRANSPORTS, client_at, expected, names, options, server};
use longrunning::auth::{AccessToken, Credentials, TokenError, TokenProvider, TokenRequest};
use longrunning::http::Roots;
use longrunning::testing::{FakeOperation, FakeServer, Reply};
use longrunning::transport::TransportKind;
use longrunning::{OperationsAsyncClient, OperationsClient, OperationsClientBuilder};
use longrunning_fork_tests::Child;
use relay::{Relay, wait_until};

#[test]
fn each_process_receives_its_own_responses() {
    for transport in TRANSPORTS {
        let server = server();
        let client = client(&server, transport).build().unwrap();
        client.get("operations/0").send().unwrap();
        let child = Child::start(|_| names(&client, 50..100));
        assert_eq!(names(&client, 0..50), expected(0..50), "{transport:?}");
        assert_eq!(child.finish(), expected(50..100), "{transport:?}");
    }
}

#[test]
fn the_connection_of_the_parent_stays_as_it_is() {
    for transport in TRANSPORTS {
        let server = server();
        let client = client(&server, transport).build().unwrap();
        client.get("operations/0").send().unwrap();
        let mut child = Child::start(|parent| {
            let first = names(&client, 1..2);
            parent.wait();
            drop(client.clone());
            first + &names(&client, 2..3)
        });
        wait_until(|| server.request_count() == 2);
        client.get("operations/3").send().unwrap();
        child.go_on();
        assert_eq!(child.finish(), "operations/1 operations/2 ", "{transport:?}");
        client.get("operations/4").send().unwrap();
        let connections = |of: &[&str]| -> BTreeSet<u64> {
            let requests = server.requests().into_iter();
            let of_them = requests.filter(|request| request.name().is_some_and(|name| of.contains(&name)));
            of_them.map(|request| request.connection()).collect()
        };
        let of_parent = connections(&["operations/0", "operations/3", "operations/4"]);
        let of_child = connections(&["operations/1", "operations/2"]);
        assert_eq!((of_parent.len(), of_child.len()), (1, 1), "{transport:?}");
        assert!(of_parent.is_disjoint(&of_child), "{transport:?}");
    }
}

#[test]
fn the_child_closes_its_copies_without_sending_anything() {
    for transport in TRANSPORTS {
        let (server, relay) = (server(), Relay::start());
        let client = client_at(&relay.url(&server), transport, Roots::None).build().unwrap();
        settle(&client);
        let sent_before = relay.sent(0);
        let child = Child::start(|parent| {
            let report = names(&client, 1..2);
            drop(client.clone());
            parent.wait();
            report
        });
        wait_until(|| server.request_count() == 3);
        assert_eq!((relay.sent(0), relay.has_ended(0)), (sent_before, false), "{transport:?}");
        // The child is still there. Only if it has no copy does the connection end with that of the parent.
        drop(client);
        wait_until(|| relay.has_ended(0));
        assert_eq!(relay.sent(0), sent_before, "{transport:?}");
        assert_eq!(child.finish(), "operations/1 ", "{transport:?}");
    }
}

#[test]
fn a_child_that_only_drops_the_client_sends_nothing_either() {
    for transport in TRANSPORTS {
        let (server, relay) = (server(), Relay::start());
        let mut client = Some(client_at(&relay.url(&server), transport, Roots::None).build().unwrap());
        settle(client.as_ref().unwrap());
        let sent_before = relay.sent(0);
        let child = Child::start(|_| {
            drop(client.take());
            "dropped".to_owned()
        });
        assert_eq!(child.finish(), "dropped");
        let client = client.as_ref().unwrap();
        assert_eq!((relay.sent(0), relay.has_ended(0)), (sent_before, false), "{transport:?}");
        client.get("operations/1").send().unwrap();
        assert!(relay.sent(0) > sent_before, "the connection is used again, {transport:?}");
    }
}

#[test]
fn the_token_stays_valid_and_is_fetched_once() {
    let server = server();
    server.require_token("token-1");
    for transport in TRANSPORTS {
        let provider = Provider::default();
        let fetched = Arc::clone(&provider.fetched);
        let client = client(&server, transport).credentials(Credentials::provider(provider)).build().unwrap();
        client.get("operations/0").send().unwrap();
        let child = Child::start(|_| format!("{}{}", names(&client, 1..2), fetched.load(Ordering::SeqCst)));
        assert_eq!(child.finish(), "operations/1 1", "{transport:?}");
    }
}

#[test]
fn what_threads_of_the_parent_hold_does_not_block_the_child() {
    for transport in TRANSPORTS {
        let server = server();
        server.reply_when(|request| request.name() == Some("operations/7"), Reply::hang());
        let options = options(Roots::None).max_connections(1);
        let client = client(&server, transport).http_options(options).build().unwrap();
        thread::scope(|scope| {
            let busy = client.clone();
            // It has the only permit, and a connection.
            scope.spawn(move || busy.get("operations/7").attempt_timeout(Duration::from_secs(5)).send());
            wait_until(|| server.request_count() == 1);
            let child = Child::start(|_| names(&client, 0..3));
            assert_eq!(child.finish(), expected(0..3), "{transport:?}");
        });
    }
}

#[test]
fn a_token_that_a_thread_of_the_parent_is_fetching_is_fetched_by_the_child() {
    let server = server();
    for transport in TRANSPORTS {
        let provider = Provider::default();
        let (fetched, blocks) = (Arc::clone(&provider.fetched), Arc::clone(&provider.blocks));
        let client = client(&server, transport).credentials(Credentials::provider(provider)).build().unwrap();
        blocks.store(true, Ordering::SeqCst);
        thread::scope(|scope| {
            let busy = client.clone();
            scope.spawn(move || busy.get("operations/0").send());
            wait_until(|| fetched.load(Ordering::SeqCst) == 1);
            let child = Child::start(|_| {
                blocks.store(false, Ordering::SeqCst);
                names(&client, 1..2)
            });
            let report = child.finish();
            blocks.store(false, Ordering::SeqCst);
            assert_eq!(report, "operations/1 ", "{transport:?}");
        });
    }
}

#[test]
fn locks_that_are_held_at_the_fork_do_not_block_the_child() {
    for transport in TRANSPORTS {
        let server = server();
        let client = client(&server, transport).build().unwrap();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !over.load(Ordering::SeqCst) {
                        client.get("operations/0").send().unwrap();
                    }
                });
            }
            for _ in 0..30 {
                let child = Child::start(|_| names(&client, 1..4));
                let report = child.finish();
                if report != expected(1..4) {
                    over.store(true, Ordering::SeqCst);
                }
                assert_eq!(report, expected(1..4), "{transport:?}");
            }
            over.store(true, Ordering::SeqCst);
        });
    }
}

#[test]
fn grandchildren_have_connections_of_their_own_too() {
    let server = server();
    let client = client(&server, TransportKind::Rest).build().unwrap();
    client.get("operations/0").send().unwrap();
    let child = Child::start(|_| {
        let report = names(&client, 1..2);
        let grandchild = Child::start(|_| names(&client, 2..3));
        report + &names(&client, 3..4) + &grandchild.finish()
    });
    assert_eq!(child.finish(), "operations/1 operations/3 operations/2 ");
    let connections: BTreeSet<_> = server.requests().iter().map(|request| request.connection()).collect();
    assert_eq!(connections.len(), 3);
}

#[test]
fn an_async_client_starts_threads_of_its_own() {
    for transport in TRANSPORTS {
        let server = server();
        server.insert(FakeOperation::new("operations/wait").done_after(Duration::from_millis(50)));
        let client = OperationsAsyncClient::from(client(&server, transport).build().unwrap());
        block_on(client.get("operations/0").send()).unwrap();
        block_on(client.poller("operations/wait").until_done()).unwrap();
        let begun = client.get("operations/1").send();
        let child = Child::start(|_| {
            let begun = block_on(begun).unwrap();
            let next = block_on(client.get("operations/2").send()).unwrap();
            let waited = block_on(client.poller("operations/wait").until_done()).unwrap();
            format!("{} {} {}", begun.name(), next.name(), waited.name())
        });
        assert_eq!(child.finish(), "operations/1 operations/2 operations/wait", "{transport:?}");
    }
}

#[test]
fn a_future_with_an_attempt_on_a_thread_of_the_parent_fails_in_the_child() {
    let server = server();
    server.reply(Reply::hang());
    let client = OperationsAsyncClient::from(client(&server, TransportKind::Rest).build().unwrap());
    let mut begun = Box::pin(client.get("operations/1").attempt_timeout(Duration::from_secs(5)).send());
    assert!(begun.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    wait_until(|| server.request_count() == 1);
    let child =
        Child::start(|_| block_on(begun.as_mut()).map_or_else(|error| error.to_string(), |_| "ok".into()));
    let report = child.finish();
    assert!(!report.contains("panicked"), "{report}");
    drop(begun);
}

#[test]
fn polling_many_operations_goes_on_in_the_child() {
    let server = server();
    for n in 0..6 {
        let after = Duration::from_millis(20 * (n + 1));
        server.insert(FakeOperation::new(format!("other/operations/{n}")).done_after(after));
    }
    let client = client(&server, TransportKind::Rest).build().unwrap();
    let names = (0..6).map(|n| format!("other/operations/{n}"));
    let mut finished = client.poll_many(names).total_timeout(Duration::from_secs(60)).into_iter();
    let first = finished.next().unwrap().unwrap();
    let child = Child::start(|_| {
        let rest: BTreeSet<_> = finished.by_ref().map(|item| item.unwrap().name().to_owned()).collect();
        format!("{}", rest.len())
    });
    assert_eq!(child.finish(), "5");
    assert!(first.is_done());
    assert_eq!(finished.count(), 5);
}

#[test]
fn a_server_of_the_parent_goes_on_when_the_child_drops_it() {
    let mut server = Some(server());
    let client = client(server.as_ref().unwrap(), TransportKind::Rest).build().unwrap();
    let child = Child::start(|_| {
        drop(server.take());
        "dropped".to_owned()
    });
    assert_eq!(child.finish(), "dropped");
    client.get("operations/0").send().unwrap();
}

fn client(server: &FakeServer, transport: TransportKind) -> OperationsClientBuilder {
    client_at(&server.url(), transport, Roots::None)
}

/// Makes calls until nothing is on its way that belongs to the start of the connection.
fn settle(client: &OperationsClient) {
    // With the second response, the relay has counted whatever the client sent about the settings of HTTP/2.
    client.get("operations/0").send().unwrap();
    client.get("operations/0").send().unwrap();
}

#[derive(Default)]
struct Provider {
    fetched: Arc<AtomicUsize>,
    /// Whether a request for a token waits until this is unset.
    blocks: Arc<AtomicBool>,
}

impl TokenProvider for Provider {
    fn token(&self, _: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        self.fetched.fetch_add(1, Ordering::SeqCst);
        wait_until(|| !self.blocks.load(Ordering::SeqCst));
        Ok(AccessToken::new("token-1").expires_in(Duration::from_secs(3600)))
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}
