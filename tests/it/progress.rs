//! What an observer of a wait is told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use longrunning::testing::{FakeOperation, FakeServer, Reply};
use longrunning::{Operation, Poller};

use crate::kit::{NAME, any, done, running, secs, server, unavailable};

/// Runs a wait and gives what its observer was told: percentage, polls, seconds.
fn updates(poller: Poller) -> Vec<(Option<f64>, u32, f64)> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = Arc::clone(&told);
    let poller = poller.on_update(move |update| {
        tells.lock().unwrap().push((
            update.progress().percent(),
            update.polls(),
            update.elapsed().as_secs_f64(),
        ));
    });
    poller.until_done().unwrap();
    let told = told.lock().unwrap();
    told.clone()
}

#[test]
fn only_changes_are_told() {
    let server = server();
    let at =
        |percent: u32| running().with_metadata(any(&format!(r#"{{"@type":"x/y","percent":{percent}}}"#)));
    server.reply(Reply::from(at(10)).times(3));
    server.reply(unavailable());
    server.reply(at(10));
    server.reply(Reply::from(at(30)).times(2));
    server.reply(at(20));
    let expected = [
        (Some(10.0), 1, 0.0),
        // A fault, and its end.
        (Some(10.0), 4, 1.5),
        (Some(10.0), 5, 2.0),
        (Some(30.0), 6, 2.5),
        (Some(30.0), 8, 3.5),
        (Some(100.0), 9, 4.0),
    ];
    assert_eq!(updates(server.client().poller(NAME)), expected);
}

#[test]
fn what_was_done_before_is_told_without_a_poll() {
    let server = FakeServer::start();
    assert_eq!(updates(server.client().poller(done())), [(Some(100.0), 0, 0.0)]);
    let mut snapshots = server.client().poller(done()).into_iter();
    assert_eq!(snapshots.progress().percent(), None);
    assert!(snapshots.next().unwrap().is_ok() && snapshots.next().is_none());
    assert_eq!((snapshots.progress().percent(), server.request_count()), (Some(100.0), 0));
}

#[test]
fn snapshots_follow_the_progress() {
    let server = FakeServer::start();
    server.insert(FakeOperation::new(NAME).done_after(secs(100.0)));
    let mut snapshots = server.client().poller(NAME).into_iter();
    let mut seen = Vec::new();
    while let Some(snapshot) = snapshots.next() {
        snapshot.unwrap();
        let progress = snapshots.progress();
        seen.push((progress.percent().unwrap(), progress.elapsed().unwrap(), progress.remaining()));
    }
    assert!(seen.is_sorted_by(|a, b| a.0 <= b.0 && a.1 < b.1), "{seen:?}");
    let (percent, elapsed, remaining) = seen[seen.len() / 2];
    let end = (elapsed + remaining.unwrap()).as_secs_f64();
    assert!((80.0..120.0).contains(&end), "the end was foreseen at {percent} %: {end} s");
    assert_eq!(snapshots.progress().remaining(), Some(secs(0.0)));
}

/// Row 72: the next wait of the same client is none the worse for it.
#[test]
fn an_observer_may_panic() {
    let server = server();
    let client = server.client();
    let mut snapshots = client.poller(NAME).on_update(|_| panic!("in the observer")).into_iter();
    assert!(catch_unwind(AssertUnwindSafe(|| snapshots.next())).is_err(), "72");
    assert!(snapshots.next().unwrap().unwrap().is_done() && snapshots.next().is_none(), "72");
    assert!(client.poller(NAME).until_done().unwrap().is_done(), "72");
}

#[test]
fn partial_failures_are_reachable() {
    let metadata = any(r#"{"@type":"x/y","partialFailures":[{"code":7,"message":"no access to b"}]}"#);
    let operation: Operation = done().with_metadata(metadata);
    let server = FakeServer::start();
    server.insert(operation);
    let mut snapshots = server.client().poller(NAME).into_iter();
    snapshots.next().unwrap().unwrap();
    let failures =
        snapshots.progress().partial_failures().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(failures, ["PERMISSION_DENIED: no access to b"]);
}
