//! Waits for many operations that are kept in a journal, and resumed from it.

mod killed;

use std::fs;

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Any, Code, ErrorKind, Journal, Operation, Pending, Status};

use crate::kit::{Folder, told};

#[test]
fn what_finished_comes_first_and_without_a_request() {
    let (server, folder) = (server(4), Folder::new());
    let client = server.client();
    let journal = open(&folder);
    let mut finished = client.poll_many(names(4)).journal(&journal).into_iter();
    let first = finished.next().unwrap().unwrap();
    drop((finished, journal));
    let asked = server.request_count();

    let journal = open(&folder);
    let stored: Vec<_> = journal.finished().map(|result| result.unwrap().1).collect();
    assert!(stored.contains(&first), "the caller never came back");
    let mut resumed = client.resume(&journal).into_iter();
    assert_eq!(resumed.len(), 4);
    let again: Vec<_> = resumed.by_ref().take(stored.len()).map(Result::unwrap).collect();
    assert_eq!((&again, server.request_count()), (&stored, asked));
    assert_eq!(resumed.map(Result::unwrap).count(), 4 - stored.len());
    assert_eq!(state(&journal), ("".into(), "".into()), "all are dealt with");
    assert_eq!(client.resume(&journal).into_iter().len(), 0);
}

#[test]
fn all_are_pending_before_the_first_request() {
    let (server, folder) = (server(3), Folder::new());
    let journal = open(&folder);
    let seen = journal.clone();
    let client = server.client();
    let many = client.poll_many(names(3)).journal(&journal);
    let many = many.on_update(move |_| assert_eq!(state(&seen), ("0 1 2".into(), "".into())));
    assert_eq!(state(&journal).0, "", "nothing happens before iteration");
    assert!(many.concurrency(1).race().unwrap().is_done());
    let started: Vec<_> =
        journal.pending().into_iter().map(|pending| pending.endpoint().map(str::to_owned)).collect();
    assert_eq!(started, [Some(server.url()), Some(server.url())]);
}

#[test]
fn an_item_is_dealt_with_when_the_caller_comes_back_or_says_so() {
    let (server, folder) = (server(3), Folder::new());
    let client = server.client();
    let journal = open(&folder);
    let twice = names(3).into_iter().chain(names(1));
    let mut finished = client.poll_many(twice).concurrency(1).journal(&journal).into_iter();
    finished.acknowledge().unwrap();
    let mut given = Vec::new();
    for expected in ["0", "0", "1"] {
        given.push(finished.next().unwrap().unwrap().name().to_owned());
        assert!(state(&journal).1.starts_with(expected), "{:?}", state(&journal));
    }
    assert_eq!(
        given,
        ["operations/0", "operations/0", "operations/1"],
        "one that is given twice is dealt with once"
    );
    finished.acknowledge().unwrap();
    finished.acknowledge().unwrap();
    assert!(!state(&journal).1.contains('1') && !state(&journal).0.contains('1'), "{:?}", state(&journal));
    finished.next().unwrap().unwrap();
    assert_eq!(state(&journal), ("".into(), "2".into()));
    assert!(finished.next().is_none());
    assert_eq!(state(&journal), ("".into(), "".into()));
}

#[test]
fn all_and_any_and_first_error_forget_nothing() {
    let (server, folder) = (server(3), Folder::new());
    let client = server.client();
    let journal = open(&folder);
    client.poll_many(names(3)).concurrency(1).journal(&journal).join_all().unwrap();
    assert_eq!(state(&journal), ("".into(), "0 1 2".into()));
    let asked = server.request_count();
    let more = || names(3).into_iter().chain(names(1));
    assert_eq!(client.poll_many(more()).journal(&journal).try_join_all().unwrap().len(), 4);
    assert_eq!(client.resume(&journal).race().unwrap().name(), "operations/0");
    assert_eq!((state(&journal).1.as_str(), server.request_count()), ("0 1 2", asked));
    assert_eq!(client.resume(&journal).into_iter().filter(Result::is_ok).count(), 3);
    assert_eq!((state(&journal).1.as_str(), server.request_count()), ("", asked));
}

#[test]
fn an_error_leaves_its_operation_pending() {
    let (server, folder) = (server(1), Folder::new());
    server.insert(Operation::failed("operations/2", Status::new(Code::Internal, "out of disk")));
    server.insert(Operation::running("operations/3"));
    let client = server.client();
    let journal = open(&folder);
    for _ in 0..2 {
        let many = client.poll_many(["operations/1", "operations/2", "operations/3", ""]);
        let finished = many.total_timeout(std::time::Duration::from_secs(60)).journal(&journal);
        let mut results: Vec<_> = finished.into_iter().map(|result| told(&result)).collect();
        results.sort();
        assert_eq!(results, ["Binding", "Service NOT_FOUND", "Timeout", "ok"], "one that failed is done");
        assert_eq!(state(&journal), ("1 3".into(), "".into()));
    }
    let error = client.resume(&journal).into_iter().next().unwrap().unwrap_err();
    let gone = client.operation(error.name().unwrap()).to_pending().unwrap();
    assert!(journal.forget(&gone).unwrap());
    assert_eq!(state(&journal), ("3".into(), "".into()));
}

#[test]
fn only_what_is_of_this_service_is_resumed() {
    let (server, folder) = (server(6), Folder::new());
    let client = server.client();
    let journal = open(&folder);
    let own = client.operation("operations/0").to_pending().unwrap();
    let bare = |name: &str| Pending::new(name).unwrap();
    let rows = [
        (own, true),
        (bare("operations/1"), false),
        (bare("operations/2").with_endpoint(server.url()), true),
        (bare("operations/3").with_endpoint(server.url()).with_api_version("v7"), true),
        (bare("operations/4").with_endpoint("https://run.googleapis.com"), false),
        (bare("operations/0").with_endpoint("https://run.googleapis.com"), false),
        (bare("operations/5").with_endpoint(server.url().to_uppercase() + "/"), true),
        (bare("operations/5").with_endpoint(server.url()), true),
    ];
    let added = journal.add_all(rows.iter().map(|(pending, _)| pending)).unwrap();
    assert_eq!(added, rows.len() - 1, "one is there twice");
    assert_eq!(client.resume(&journal).into_iter().map(Result::unwrap).count(), 4);
    let left: Vec<_> = rows.into_iter().filter(|(_, own)| !own).map(|(pending, _)| pending).collect();
    assert_eq!(journal.pending(), left);

    let custom =
        longrunning::OperationsClient::over(std::sync::Arc::clone(client.transport())).build().unwrap();
    let resumed: Vec<_> =
        custom.resume(&journal).into_iter().map(|result| result.unwrap().name().to_owned()).collect();
    assert_eq!(resumed, ["operations/1"], "without an endpoint, as it was recorded");
}

#[test]
fn what_is_given_as_pending_is_recorded_as_it_is() {
    let (server, folder) = (server(2), Folder::new());
    let journal = open(&folder);
    let client = server.client();
    let since = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let labelled = move |name: &str| Pending::new(name).unwrap().with_label("import").with_started(since);
    let elsewhere = labelled("operations/1").with_endpoint("https://run.googleapis.com");
    let many = client.poll_many([labelled("operations/0"), elsewhere]).journal(&journal);
    let seen = journal.clone();
    let url = server.url();
    let results = many.on_update(move |_| {
        let here = labelled("operations/0").with_endpoint(&url).with_api_version("v1");
        assert_eq!(seen.pending(), [here]);
    });
    let results: Vec<_> = results.into_iter().map(|result| told(&result)).collect();
    assert_eq!(results, ["Config", "ok"]);
}

#[test]
fn what_is_done_already_is_recorded_if_it_has_a_name() {
    let (server, folder) = (server(0), Folder::new());
    let journal = open(&folder);
    let done = |name: &str| Operation::succeeded(name, Any::pack(&()));
    let client = server.client();
    let mut finished = client.poll_many([done("operations/0"), done("")]).journal(&journal).into_iter();
    assert_eq!(finished.next().unwrap().unwrap().name(), "operations/0");
    assert_eq!(state(&journal), ("".into(), "0".into()));
    assert_eq!(finished.next().unwrap().unwrap().name(), "");
    assert_eq!((state(&journal), server.request_count()), (("".into(), "".into()), 0));
}

#[test]
fn what_cannot_be_recorded_is_not_given_as_done() {
    let (server, folder) = (server(3), Folder::new());
    let client = server.client();
    let journal = open(&folder);
    let away = || fs::rename(path(&folder), folder.path().join("away")).unwrap();
    let back = || fs::rename(folder.path().join("away"), path(&folder)).unwrap();
    away();
    let done = Operation::succeeded("operations/9", Any::pack(&()));
    let targets = || names(2).into_iter().map(longrunning::OperationRef::from).chain([done.clone().into()]);
    let results: Vec<_> = client.poll_many(targets()).journal(&journal).into_iter().collect();
    let mut about: Vec<_> =
        results.iter().map(|result| result.as_ref().unwrap_err().name().unwrap()).collect();
    about.sort_unstable();
    assert_eq!(about, ["operations/0", "operations/1", "operations/9"]);
    assert!(results.iter().all(|result| told(result) == "Config"));
    assert_eq!((server.request_count(), state(&journal)), (0, ("".into(), "".into())), "nothing is asked");

    back();
    let mut finished = client.poll_many(names(3)).concurrency(1).journal(&journal).into_iter();
    finished.next().unwrap().unwrap();
    away();
    assert_eq!(finished.acknowledge().unwrap_err().kind(), ErrorKind::Config);
    let error = finished.next().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.name()), (ErrorKind::Config, Some("operations/1")));
    assert!(error.operation().is_some_and(Operation::is_done), "{error}");
    back();
    assert_eq!(finished.next().unwrap().unwrap().name(), "operations/2");
    assert!(finished.next().is_none());
    assert_eq!(state(&journal), ("1".into(), "".into()), "what was dealt with meanwhile is forgotten");
    assert_eq!(client.resume(&journal).into_iter().map(Result::unwrap).count(), 1);
}

fn server(count: usize) -> FakeServer {
    let server = FakeServer::start();
    for name in names(count) {
        server.insert(FakeOperation::new(name).done_at_poll(2));
    }
    server
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("operations/{number}")).collect()
}

fn path(folder: &Folder) -> std::path::PathBuf {
    folder.path().join("jobs.jsonl")
}

fn open(folder: &Folder) -> Journal {
    Journal::open(path(folder)).unwrap()
}

/// The ids of the pending operations, and of the finished ones.
fn state(journal: &Journal) -> (String, String) {
    let ids = |pending: Vec<Pending>| {
        let mut ids: Vec<_> = pending.iter().map(|pending| pending.name().id().to_owned()).collect();
        ids.sort();
        ids.join(" ")
    };
    let finished = journal.finished().filter_map(Result::ok).map(|(pending, _)| pending).collect();
    (ids(journal.pending()), ids(finished))
}
