//! What becomes of a call whose future is dropped, polled too often, or moved to another task.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use longrunning::aio::Executor;
use longrunning::testing::FakeServer;
use longrunning::{Backoff, Code, Error, OperationsAsyncClient, OperationsClient, RetryPolicy, Status};

use crate::kit::{NAME, done, running, secs, unavailable};
use crate::runtimes::block_on;
use crate::seam::{Count, Keeper, gate, poll_once};

/// With one thread, so that attempts come one after the other.
fn client() -> (OperationsAsyncClient, Keeper) {
    let (gate, keeper) = gate();
    let hour = Backoff::from_fn(|_| Some(secs(3600.0)));
    let retry = RetryPolicy::default().backoff(hour);
    let client = OperationsClient::over(gate).retry(retry).total_timeout(secs(86400.0)).build().unwrap();
    (OperationsAsyncClient::with_executor(client, Executor::new().threads(1)), keeper)
}

fn outage() -> Result<longrunning::Operation, Error> {
    Err(Status::new(Code::Unavailable, "draining").into())
}

/// A call goes through all the same, and nothing else is sent.
fn assert_works(client: &OperationsAsyncClient, keeper: &Keeper) {
    assert_eq!(keeper.more_attempts(), 0);
    keeper.answers.send(Ok(done())).unwrap();
    assert_eq!(block_on(client.get(NAME).send()).unwrap(), done());
    assert_eq!(keeper.more_attempts(), 1, "that call");
    let idle = format!("{client:?}");
    assert!(idle.contains("sleeps: 0"), "no sleep is left behind: {idle}");
}

#[test]
fn before_the_first_poll_nothing_is_done() {
    let (client, keeper) = client();
    drop(client.get(NAME).send());
    drop(client.poller(NAME).until_done());
    assert_works(&client, &keeper);
}

#[test]
fn in_the_queue_an_attempt_is_taken_back() {
    let (client, keeper) = client();
    let mut first = Box::pin(client.get(NAME).send());
    let mut queued = Box::pin(client.poller(NAME).until_done());
    assert!(poll_once(first.as_mut()).is_pending() && poll_once(queued.as_mut()).is_pending());
    keeper.attempt_began();
    drop(queued);
    keeper.answers.send(Ok(done())).unwrap();
    assert_eq!(block_on(first).unwrap(), done());
    assert_works(&client, &keeper);
}

#[test]
fn in_an_attempt_nothing_comes_after_it() {
    for answer in [outage(), Ok(running())] {
        let (client, keeper) = client();
        let mut call = Box::pin(client.get(NAME).send());
        let mut wait = Box::pin(client.poller(NAME).until_done());
        assert!(poll_once(call.as_mut()).is_pending());
        keeper.attempt_began();
        drop(call);
        keeper.answers.send(answer.clone()).unwrap();
        assert!(poll_once(wait.as_mut()).is_pending());
        keeper.attempt_began();
        drop(wait);
        keeper.answers.send(answer).unwrap();
        assert_works(&client, &keeper);
    }
}

#[test]
fn in_a_sleep_it_ends_at_once() {
    let (client, keeper) = client();
    let asleep = async {
        let mut call = pin!(client.get(NAME).send());
        keeper.answers.send(outage()).unwrap();
        std::future::poll_fn(|context| {
            assert!(call.as_mut().poll(context).is_pending());
            if format!("{client:?}").contains("sleeps: 1") { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    };
    block_on(asleep);
    keeper.attempt_began();
    assert_works(&client, &keeper);
}

/// As `select` does in a loop.
#[test]
fn a_wait_goes_on_after_its_next_was_dropped() {
    let server = FakeServer::builder().real_time().start().unwrap();
    let client = OperationsAsyncClient::from(server.client());
    let hour = Backoff::from_fn(|_| Some(secs(3600.0)));
    let mut snapshots = client.poller(NAME).forever().backoff(hour).snapshots();
    server.reply(running());
    server.insert(done());
    assert!(poll_once(pin!(snapshots.next())).is_pending());
    // The first poll was dropped on its way; the second one may be the first that got through.
    let first = block_on(snapshots.next()).unwrap().unwrap();
    if !first.is_done() {
        assert!(poll_once(pin!(snapshots.next())).is_pending());
        server.advance(secs(3600.0));
        assert!(block_on(snapshots.next()).unwrap().unwrap().is_done());
    }
    assert!(block_on(snapshots.next()).is_none());
}

#[test]
fn a_page_is_asked_for_again_after_its_next_was_dropped() {
    let server = FakeServer::start();
    server.insert(running());
    let client = OperationsAsyncClient::from(server.client());
    let mut pages = client.list("operations").pages();
    assert!(poll_once(pin!(pages.next())).is_pending());
    assert_eq!(block_on(pages.next()).unwrap().unwrap().operations, [running()]);
    assert!(block_on(pages.next()).is_none());
}

#[test]
fn polls_that_nobody_asked_for_change_nothing() {
    let server = FakeServer::start();
    server.insert(running());
    server.reply(unavailable().times(3));
    let client = OperationsAsyncClient::from(server.client());
    let mut call = pin!(client.get(NAME).send());
    let answer = loop {
        if let Poll::Ready(answer) = poll_once(call.as_mut()) {
            break answer;
        }
        std::thread::yield_now();
    };
    assert_eq!(answer.unwrap(), running());
    assert_eq!((server.request_count(), server.sleeps().len()), (4, 3));
}

#[test]
fn the_task_that_polled_last_is_woken() {
    let (client, keeper) = client();
    let (old, new) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let mut call = Box::pin(client.get(NAME).send());
    for count in [&old, &new] {
        let waker = Waker::from(Arc::clone(count));
        assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    keeper.attempt_began();
    keeper.answers.send(Ok(done())).unwrap();
    // One thread: when this call is through, the other one is.
    keeper.answers.send(Ok(done())).unwrap();
    block_on(client.get(NAME).send()).unwrap();
    assert_eq!((old.0.load(Ordering::SeqCst), new.0.load(Ordering::SeqCst)), (0, 1));
    assert!(poll_once(call.as_mut()).is_ready());
}
