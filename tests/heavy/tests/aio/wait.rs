//! Waiting: the same polls and sleeps as the poller that blocks.

use std::thread;

use longrunning::testing::{FakeOperation, FakeServer, RecordedRequest, Reply, Rpc};
use longrunning::{
    Backoff, Code, ErrorKind, LongPoll, OnTimeout, Operation, OperationsAsyncClient, StopToken,
};

use crate::kit::{NAME, done, running, secs, server};
use crate::runtimes::{Runtime, block_on};

#[test]
fn polls_come_when_those_of_the_blocking_poller_come() {
    for seconds in [0.0, 12.0, 3600.0] {
        let start = || {
            let server = FakeServer::start();
            server.insert(FakeOperation::new(NAME).done_after(secs(seconds)));
            server
        };
        let blocking = start();
        blocking.client().poller(NAME).until_done().unwrap();
        for runtime in Runtime::ALL {
            let server = start();
            let client = OperationsAsyncClient::from(server.client());
            assert!(runtime.run(client.poller(NAME).until_done()).unwrap().is_done());
            assert_eq!(server.sleeps(), blocking.sleeps(), "{seconds} s on {runtime:?}");
            assert_eq!(server.request_count(), blocking.request_count(), "{seconds} s on {runtime:?}");
        }
    }
}

/// Time stands still until all of them sleep, so each polls as it would alone.
#[test]
fn waits_that_run_side_by_side_do_not_disturb_each_other() {
    let server = FakeServer::start();
    let client = OperationsAsyncClient::from(server.client());
    let seconds = |n: u32| f64::from(n) * 7.0;
    for n in 0..20 {
        server.insert(FakeOperation::new(format!("operations/{n}")).done_after(secs(seconds(n))));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let waits = (0..20).map(|n| tokio::spawn(client.poller(format!("operations/{n}")).until_done()));
        for wait in waits.collect::<Vec<_>>() {
            assert!(wait.await.unwrap().unwrap().is_done());
        }
    });
    let late = server.elapsed().as_secs_f64() / seconds(19);
    assert!((1.0..1.12).contains(&late), "the last one ended {late} times its length after the start");
}

#[test]
fn snapshots_tell_each_state() {
    let server = FakeServer::start();
    server.insert(FakeOperation::new(NAME).done_at_poll(3));
    let client = OperationsAsyncClient::from(server.client());
    let states = block_on(async {
        let (mut snapshots, mut states) = (client.poller(NAME).snapshots(), Vec::new());
        while let Some(snapshot) = snapshots.next().await {
            states.push(snapshot.unwrap().is_done());
        }
        assert!(snapshots.next().await.is_none());
        states
    });
    assert_eq!(states, [false, false, true]);
}

#[test]
fn polls_keep_to_the_rate_of_the_client() {
    let server = FakeServer::start();
    server.insert(FakeOperation::new(NAME).done_at_poll(3));
    let client = server.client_builder().max_rate(0.25).build_async().unwrap();
    assert!(block_on(client.poller(NAME).until_done()).unwrap().is_done());
    assert_eq!((server.elapsed(), server.request_count()), (secs(8.0), 3));
}

#[test]
fn what_one_wait_finds_out_of_long_polls_holds_for_the_client() {
    let server = FakeServer::builder().with(Rpc::Wait).start().unwrap();
    server.insert(FakeOperation::new(NAME).done_after(secs(100.0)));
    server.insert(FakeOperation::new("operations/43").done_after(secs(200.0)));
    let refuses = |request: &RecordedRequest| request.method() == "POST";
    server.reply_when(refuses, Reply::status(404).times(2));
    let client = OperationsAsyncClient::from(server.client());
    for name in [NAME, "operations/43"] {
        let wait = client.poller(name).long_poll(LongPoll::Auto);
        assert!(block_on(wait.until_done()).unwrap().is_done());
    }
    assert_eq!(server.elapsed(), secs(200.0), "the ends are told at once");
    let posts = server.requests().into_iter().filter(refuses).count();
    assert_eq!(posts, 1, "the second wait knows the way");
}

#[test]
fn what_is_done_is_not_asked_for() {
    let server = server();
    let client = OperationsAsyncClient::from(server.client());
    assert_eq!(block_on(client.poller(done()).until_done()).unwrap(), done());
    assert_eq!(server.request_count(), 0);
}

#[test]
fn an_operation_that_outlasts_the_wait_is_treated_as_asked() {
    let rows = [
        (OnTimeout::Leave, "it was not cancelled"),
        (OnTimeout::Cancel, "its cancellation was requested"),
        (OnTimeout::CancelAndConfirm { grace: secs(30.0) }, ""),
    ];
    for (on_timeout, fate) in rows {
        let server = FakeServer::start();
        server.insert(running());
        let client = OperationsAsyncClient::from(server.client());
        let wait = client.poller(NAME).total_timeout(secs(60.0)).on_timeout(on_timeout);
        match block_on(wait.until_done()) {
            Ok(operation) => {
                assert_eq!(
                    (operation.error().map(|status| status.code()), fate),
                    (Some(Code::Cancelled), "")
                );
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Timeout, "{on_timeout:?}");
                assert!(!fate.is_empty() && error.to_string().ends_with(fate), "{on_timeout:?}: {error}");
            }
        }
    }
}

/// In real time, so that without the wake-up the test would hang.
#[test]
fn a_stop_wakes_a_wait() {
    for runtime in Runtime::ALL {
        let server = FakeServer::builder().real_time().start().unwrap();
        server.insert(running());
        let token = StopToken::new();
        let client = OperationsAsyncClient::from(server.client());
        let hour = Backoff::from_fn(|_| Some(secs(3600.0)));
        let mut snapshots = client.poller(NAME).forever().backoff(hour).stop(&token).snapshots();
        let error = runtime.run(async move {
            assert!(!snapshots.next().await.unwrap().unwrap().is_done());
            thread::spawn(move || token.stop());
            snapshots.next().await.unwrap().unwrap_err()
        });
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Stopped, 1), "{runtime:?}");
        assert_eq!(error.operation().map(Operation::name), Some(NAME));
        assert_eq!(server.request_count(), 1, "{runtime:?}");
    }
}
