//! Asking by pages of a listing, and what becomes of it where those are dear or not to be had.

use longrunning::testing::{FakeOperation, FakeServer, RecordedRequest, Reply, Rpc};
use longrunning::{Code, Operation, OperationPage, Status};

use super::{PARENT, ended, insert, is_list, methods, names};
use crate::kit::{lines, secs, slept, unavailable};

#[test]
fn where_pages_are_not_to_be_had_each_is_got() {
    for code in [Code::PermissionDenied, Code::NotFound, Code::InvalidArgument, Code::Unimplemented] {
        let server = FakeServer::start();
        let names = names(20);
        insert(&server, &names, 3);
        server.reply_when(is_list, Status::new(code, "no"));
        server.client().poll_many(&names).join_all().unwrap();
        let methods = methods(&server);
        assert_eq!((methods[0], methods.len()), ("list", 1 + 60), "{code}");
        assert!(methods[1..].iter().all(|method| *method == "get"), "{code}: remembered");
        assert_eq!(slept(&server), [0.5; 2], "{code}: no round is lost");
    }
    let server = FakeServer::builder().without(Rpc::List).start().unwrap();
    let names = names(20);
    insert(&server, &names, 1);
    server.client().poll_many(&names).join_all().unwrap();
    assert_eq!(server.request_count(), 21);
}

#[test]
fn faults_of_pages_are_borne_and_not_answered_by_haste() {
    let server = FakeServer::start();
    let names = names(2500);
    insert(&server, &names, 2);
    for fault in [Reply::reset(), unavailable(), Reply::html(502), Reply::status(500), Reply::hang()] {
        server.reply_when(is_list, fault);
    }
    server.reply_when(is_list, Reply::status(429));
    server.reply_when(is_list, Reply::status(503).header("retry-after", "40"));
    server.client().poll_many(&names).join_all().unwrap();
    assert!(methods(&server).iter().all(|method| *method == "list"));
    assert_eq!(server.request_count(), 7 + 3 + 3);
    let slept = slept(&server);
    assert_eq!(slept[..7], [0.5, 0.5, 0.5, 0.5, 1.2, 20.0, 40.0], "{slept:?}");
}

#[test]
fn a_fault_in_the_middle_of_a_pass_keeps_what_was_seen() {
    let server = FakeServer::start();
    let names = names(3000);
    insert(&server, &names, 1);
    server.reply_when(|request| request.query("pageToken").is_some(), unavailable());
    let client = server.client();
    let mut finished = client.poll_many(&names).into_iter();
    assert_eq!(finished.by_ref().take(1000).filter(Result::is_ok).count(), 1000);
    assert_eq!(server.request_count(), 1, "what a page says is given before the next is asked for");
    assert_eq!(finished.by_ref().filter(Result::is_ok).count(), 2000);
    assert_eq!((slept(&server), server.request_count()), (vec![0.5], 5));
}

#[test]
fn where_only_pages_fail_each_is_got() {
    for fault in [unavailable(), Reply::status(429), Reply::reset(), Reply::json(200, "{")] {
        let server = FakeServer::start();
        let names = names(50);
        for name in &names {
            server.insert(FakeOperation::new(name).done_after(secs(300.0)));
        }
        server.reply_when(is_list, fault.clone().times(usize::MAX));
        let done = server.client().poll_many(&names).total_timeout(secs(400.0)).join_all();
        assert_eq!(done.map(|done| done.len()).map_err(|error| error.to_string()), Ok(50), "{fault:?}");
    }
    // Where nothing works, nobody asks more for that, and pages are asked for when it does again.
    let server = FakeServer::start();
    let names = names(50);
    for name in &names {
        server.insert(FakeOperation::new(name).done_after(secs(300.0)));
    }
    server.reply(unavailable().times(20));
    server.client().poll_many(&names).join_all().unwrap();
    let gets = methods(&server).iter().filter(|method| **method == "get").count();
    assert!((1..=20).contains(&gets), "{gets}");
}

#[test]
fn a_page_token_that_expires_starts_the_pass_again() {
    let expired = || Status::new(Code::InvalidArgument, "page token expired");
    let server = FakeServer::start();
    let names = names(3000);
    insert(&server, &names, 1);
    server.reply_when(|request| request.query("pageToken").is_some(), expired());
    server.client().poll_many(&names).join_all().unwrap();
    assert_eq!((server.request_count(), slept(&server)), (5, vec![]));
    let server = FakeServer::start();
    insert(&server, &names, 1);
    server.reply_when(|request| request.query("pageToken").is_some(), Reply::from(expired()).times(2));
    server.client().poll_many(&names).join_all().unwrap();
    assert_eq!(methods(&server).iter().filter(|method| **method == "get").count(), 2000);
    assert!(slept(&server).is_empty());
}

#[test]
fn a_crowded_listing_is_asked_for_what_runs() {
    let server = FakeServer::start();
    for number in 0..20_000 {
        server.insert(ended(&format!("{PARENT}/operations/old-{number}")));
    }
    let names = names(100);
    for name in &names {
        server.insert(FakeOperation::new(name).done_after(secs(5.0)));
    }
    server.client().poll_many(&names).join_all().unwrap();
    let methods = methods(&server);
    let gets = methods.iter().filter(|method| **method == "get").count();
    let lines = lines(&server);
    // The first pass is given up, and those it has not seen are got; at the end each is got once more.
    assert_eq!((lines[0].contains("filter"), gets), (false, 200), "{lines:?}");
    let filtered = lines.iter().filter(|line| line.contains("filter=done%20%3D%20false")).count();
    assert_eq!(filtered + 13 + gets, lines.len(), "{lines:?}");
    assert_eq!(filtered, slept(&server).len());
}

#[test]
fn a_filter_that_is_refused_is_not_tried_again() {
    let server = FakeServer::start();
    for number in 0..20_000 {
        server.insert(ended(&format!("{PARENT}/operations/old-{number}")));
    }
    let names = names(100);
    insert(&server, &names, 3);
    let filtered = |request: &RecordedRequest| request.query("filter").is_some();
    server.reply_when(filtered, Reply::from(Status::new(Code::InvalidArgument, "filter")).times(usize::MAX));
    server.client().poll_many(&names).join_all().unwrap();
    assert_eq!(server.requests().iter().filter(|request| filtered(request)).count(), 1);
    assert_eq!(slept(&server), [0.5, 0.5]);
}

/// Each page counts as eight gets; a listing that does not have our operations is not worth it.
#[test]
fn a_listing_without_ours_is_given_up() {
    let server = FakeServer::start();
    let names = names(100);
    insert(&server, &names, 5);
    server.reply_when(is_list, Reply::from(OperationPage::default()).times(usize::MAX));
    server.client().poll_many(&names).join_all().unwrap();
    let methods = methods(&server);
    assert_eq!(methods.iter().filter(|method| **method == "list").count(), 2, "once all, once what runs");
    assert_eq!(methods.iter().filter(|method| **method == "get").count(), 500);
}

#[test]
fn names_of_pages_that_are_spelled_otherwise_are_not_ours() {
    let server = FakeServer::start();
    let names = names(20);
    insert(&server, &names, 1);
    let foreign = names.iter().map(|name| ended(&format!("//x.googleapis.com/{name}")));
    server.reply_when(is_list, OperationPage::new(foreign.collect(), ""));
    let done = server.client().poll_many(&names).join_all().unwrap();
    assert_eq!(done.iter().map(Operation::name).collect::<Vec<_>>(), names);
    assert_eq!(server.request_count(), 21);
}
