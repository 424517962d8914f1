//! Waiting for many operations at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};

use longrunning::proto::google::longrunning as pb;
use longrunning::testing::{FakeOperation, FakeServer, RecordedRequest, Reply, Rpc};
use longrunning::transport::{Attempt, Transport};
use longrunning::{
    Any, Backoff, Code, Error, ErrorKind, OnTimeout, Operation, OperationPage, OperationsClient, Status,
    StopToken,
};
use proptest::prelude::*;

use crate::kit::{lines, secs, slept, told, unavailable};

const PARENT: &str = "projects/p/locations/l";

#[test]
fn ten_thousand_are_asked_for_by_ten_pages() {
    let server = FakeServer::start();
    let names = names(10_000);
    for name in &names {
        server.insert(FakeOperation::new(name).done_after(secs(1.0)));
    }
    let done = server.client().poll_many(&names).all().unwrap();
    assert_eq!(done.len(), 10_000);
    assert!(done.iter().zip(&names).all(|(operation, name)| operation.name() == name && operation.is_done()));
    assert_eq!(slept(&server), [0.5; 2], "the rounds have the delays of one wait");
    assert_eq!(server.request_count(), 3 * 10);
    let first = &lines(&server)[0];
    assert_eq!(first, "GET /v1/projects/p/locations/l/operations?pageSize=1000");
}

#[test]
fn they_come_in_the_order_in_which_they_finish() {
    for (count, workers) in [(5, 1), (5, 4), (50, 1), (50, 4)] {
        let server = FakeServer::start();
        let names = names(count);
        for (index, name) in names.iter().enumerate() {
            let place = (index * 7 % count) as f64;
            server.insert(FakeOperation::new(name).done_after(secs(40.0 * place + 1.0)));
        }
        let client = server.client();
        let finished = client.poll_many(&names).workers(workers).into_iter();
        let found: Vec<_> = finished.map(|result| result.unwrap().name().to_owned()).collect();
        let mut expected: Vec<usize> = (0..count).collect();
        expected.sort_by_key(|index| index * 7 % count);
        let expected: Vec<_> = expected.into_iter().map(|index| names[index].clone()).collect();
        assert_eq!(found, expected, "{count} with {workers}");
    }
}

#[test]
fn few_are_got_one_by_one() {
    let server = FakeServer::start();
    let names = names(8);
    insert(&server, &names, 2);
    server.client().poll_many(&names).all().unwrap();
    assert!(methods(&server).iter().all(|method| *method == "get"));
    assert_eq!((server.request_count(), slept(&server)), (16, vec![0.5]));
}

#[test]
fn parents_are_asked_one_by_one() {
    let server = FakeServer::start();
    let mut names = Vec::new();
    for parent in ["projects/a", "projects/b/locations/l"] {
        names.extend((0..20).map(|number| format!("{parent}/operations/{number}")));
    }
    names.extend((0..20).map(|number| format!("operations/{number}")));
    names.push("projects/lone/operations/1".to_owned());
    names.push("1234567890".to_owned());
    for name in names.iter().take(61) {
        server.insert(FakeOperation::new(name).done_at_poll(2));
    }
    let client = server.client();
    server.reply_to("GET", "operations/1234567890", ended("1234567890"));
    let done = client.poll_many(&names).workers(1).all().unwrap();
    assert_eq!(done.iter().map(Operation::name).collect::<Vec<_>>(), names);
    let lines = lines(&server);
    assert_eq!(lines.len(), 3 * 2 + 2 + 1, "{lines:#?}");
    assert_eq!(slept(&server), [0.5]);
}

#[test]
fn a_name_that_comes_twice_is_asked_for_once_and_given_twice() {
    let server = FakeServer::start();
    server.insert(FakeOperation::new("operations/1").done_at_poll(2));
    server.insert(FakeOperation::new("operations/2").done_at_poll(1));
    let names = ["operations/1", "operations/2", "operations/1", "operations/1"];
    let client = server.client();
    let mut finished = client.poll_many(names).into_iter();
    assert_eq!(finished.len(), 4);
    let found: Vec<_> = finished.by_ref().map(|result| result.unwrap().name().to_owned()).collect();
    assert_eq!(found, ["operations/2", "operations/1", "operations/1", "operations/1"]);
    assert_eq!((finished.len(), finished.next().is_none(), server.request_count()), (0, true, 3));
    let done = client.poll_many(names).all().unwrap();
    assert_eq!(done.iter().map(Operation::name).collect::<Vec<_>>(), names);
}

#[test]
fn what_needs_no_poll_or_cannot_be_polled_is_given_at_once() {
    let server = FakeServer::start();
    let done = ended("");
    let client = server.client();
    let targets = [done.clone(), Operation::running("a//b")];
    let results: Vec<_> = client.poll_many(targets).into_iter().collect();
    assert_eq!(results[0].as_ref().unwrap(), &done);
    assert_eq!(told(&results[1]), "Binding");
    let wrong = client.poll_many(["operations/1", "operations/2"]).max_rate(0.0).header("host", "x");
    let results: Vec<_> = wrong.into_iter().map(|result| result.unwrap_err().to_string()).collect();
    assert_eq!(results, ["rate `0` is no positive number of polls a second"]);
    assert!(client.poll_many([""; 0]).all().unwrap().is_empty());
    assert_eq!(told(&client.poll_many([""; 0]).any()), "Config");
    assert_eq!(server.request_count(), 0);
}

#[test]
fn one_that_is_not_there_does_not_end_the_others() {
    for count in [3, 30] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names[1..], 2);
        let results: Vec<_> = server.client().poll_many(&names).into_iter().collect();
        assert_eq!(results.len(), count);
        let errors: Vec<&Error> = results.iter().filter_map(|result| result.as_ref().err()).collect();
        assert_eq!(errors.len(), 1);
        assert_eq!((errors[0].code(), errors[0].name()), (Some(Code::NotFound), Some(&*names[0])));
        assert_eq!((errors[0].attempts(), errors[0].operation()), (1, None));
        let client = server.client();
        let grace = client.poll_many(&names).not_found_grace(secs(5.0)).all().unwrap_err();
        assert_eq!((grace.code(), grace.elapsed() >= secs(5.0)), (Some(Code::NotFound), true), "44");
    }
}

#[test]
fn where_pages_are_not_to_be_had_each_is_got() {
    for code in [Code::PermissionDenied, Code::NotFound, Code::InvalidArgument, Code::Unimplemented] {
        let server = FakeServer::start();
        let names = names(20);
        insert(&server, &names, 3);
        server.reply_when(is_list, Status::new(code, "no"));
        server.client().poll_many(&names).all().unwrap();
        let methods = methods(&server);
        assert_eq!((methods[0], methods.len()), ("list", 1 + 60), "{code}");
        assert!(methods[1..].iter().all(|method| *method == "get"), "{code}: remembered");
        assert_eq!(slept(&server), [0.5; 2], "{code}: no round is lost");
    }
    let server = FakeServer::builder().without(Rpc::List).start().unwrap();
    let names = names(20);
    insert(&server, &names, 1);
    server.client().poll_many(&names).all().unwrap();
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
    server.client().poll_many(&names).all().unwrap();
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
        let done = server.client().poll_many(&names).total_timeout(secs(400.0)).all();
        assert_eq!(done.map(|done| done.len()).map_err(|error| error.to_string()), Ok(50), "{fault:?}");
    }
    // Where nothing works, nobody asks more for that, and pages are asked for when it does again.
    let server = FakeServer::start();
    let names = names(50);
    for name in &names {
        server.insert(FakeOperation::new(name).done_after(secs(300.0)));
    }
    server.reply(unavailable().times(20));
    server.client().poll_many(&names).all().unwrap();
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
    server.client().poll_many(&names).all().unwrap();
    assert_eq!((server.request_count(), slept(&server)), (5, vec![]));
    let server = FakeServer::start();
    insert(&server, &names, 1);
    server.reply_when(|request| request.query("pageToken").is_some(), Reply::from(expired()).times(2));
    server.client().poll_many(&names).all().unwrap();
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
    server.client().poll_many(&names).all().unwrap();
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
    server.client().poll_many(&names).all().unwrap();
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
    server.client().poll_many(&names).all().unwrap();
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
    let done = server.client().poll_many(&names).all().unwrap();
    assert_eq!(done.iter().map(Operation::name).collect::<Vec<_>>(), names);
    assert_eq!(server.request_count(), 21);
}

#[test]
fn time_is_up_for_all_together() {
    for count in [5, 50] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names[1..], u64::MAX);
        server.insert(FakeOperation::new(&names[0]).done_after(secs(30.0)));
        let client = server.client();
        let results: Vec<_> = client.poll_many(&names).total_timeout(secs(60.0)).into_iter().collect();
        assert_eq!(results.len(), count);
        assert_eq!(results[0].as_ref().unwrap().name(), names[0]);
        for error in results[1..].iter().map(|result| result.as_ref().unwrap_err()) {
            assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Timeout, secs(59.95)));
            assert_eq!(error.name(), error.operation().map(Operation::name), "{error}");
            assert!(error.to_string().ends_with("; it was not cancelled"), "{error}");
        }
        assert_eq!(server.elapsed(), secs(59.95));
        let error = client.poll_many(&names).total_timeout(secs(0.0)).all().unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 0), "nothing is asked");
    }
}

#[test]
fn what_outlasts_the_wait_is_cancelled_if_asked_for() {
    for count in [3, 30] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names, u64::MAX);
        let client = server.client();
        server.reply_to("POST", ":cancel", unavailable());
        let many = client.poll_many(&names).total_timeout(secs(60.0));
        let confirm = OnTimeout::CancelAndConfirm { grace: secs(20.0) };
        for operation in many.on_timeout(confirm).all().unwrap() {
            assert_eq!(operation.error().map(Status::code), Some(Code::Cancelled));
        }
        let cancels = methods(&server).iter().filter(|method| **method == "cancel").count();
        assert_eq!(cancels, count + 1, "one was tried again");
        insert(&server, &names, u64::MAX);
        let many = client.poll_many(&names).total_timeout(secs(60.0)).on_timeout(OnTimeout::Cancel);
        for result in many {
            let error = result.unwrap_err();
            assert!(error.to_string().ends_with("; it was asked to cancel"), "{error}");
        }
    }
}

#[test]
fn a_stop_ends_all_at_once() {
    for count in [5, 2000] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names[1..], u64::MAX);
        server.insert(FakeOperation::new(&names[0]).done_at_poll(3));
        let token = StopToken::new();
        let client = server.client();
        let mut finished = client.poll_many(&names).forever().stop(&token).into_iter();
        assert_eq!(finished.next().unwrap().unwrap().name(), names[0]);
        token.stop();
        let asked = server.request_count();
        let rest: Vec<_> = finished.map(Result::unwrap_err).collect();
        assert_eq!(rest.len(), count - 1);
        assert!(rest.iter().all(|error| error.kind() == ErrorKind::Stopped && error.name().is_some()));
        assert!(server.request_count() <= asked + 4, "what was under way");
        let stopped: Vec<_> =
            client.poll_many(&names).stop(&token).into_iter().map(|result| told(&result)).collect();
        assert_eq!(stopped, vec!["Stopped"; count]);
    }
}

#[test]
fn dropping_it_ends_its_threads_and_leaves_the_rest_alone() {
    let server = FakeServer::start();
    let names = names(6);
    insert(&server, &names[1..], u64::MAX);
    insert(&server, &names[..1], 1);
    let client = server.client();
    let mut finished = client.poll_many(&names).into_iter();
    finished.next().unwrap().unwrap();
    drop(finished);
    let asked = server.request_count();
    assert!(asked <= 6);
    server.advance(secs(60.0));
    assert_eq!(client.poll_many(&names).any().unwrap().name(), names[0]);
    assert!(server.operation(&names[5]).is_some_and(|operation| !operation.is_done()));
}

#[test]
fn a_caller_that_slept_through_the_limit_has_one_more_look() {
    for count in [4, 40] {
        let server = FakeServer::start();
        let names = names(count);
        for name in &names {
            server.insert(FakeOperation::new(name).done_after(secs(900.0)));
        }
        let last = &names[count - 1];
        server.insert(ended(last));
        let client = server.client();
        let mut finished = client.poll_many(&names).workers(1).total_timeout(secs(600.0)).into_iter();
        assert_eq!(finished.next().unwrap().unwrap().name(), last);
        server.advance(secs(7200.0));
        assert_eq!(finished.filter(Result::is_ok).count(), count - 1, "64");
    }
}

/// One operation is done; the request for the other one is held back until somebody lets it go.
#[derive(Clone, Debug, Default)]
struct Held(Arc<(Mutex<[bool; 3]>, Condvar)>);

const ASKED: usize = 0;
const LET_GO: usize = 1;
const ANSWERED: usize = 2;

impl Held {
    fn set(&self, what: usize) {
        self.0.0.lock().unwrap()[what] = true;
        self.0.1.notify_all();
    }

    fn wait_for(&self, what: usize) {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |state| !state[what]).unwrap());
    }
}

impl Transport for Held {
    fn get_operation(&self, request: &pb::GetOperationRequest, _: &Attempt<'_>) -> Result<Operation, Error> {
        if request.name == "operations/held" {
            self.set(ASKED);
            self.wait_for(LET_GO);
            self.set(ANSWERED);
        } else {
            self.wait_for(ASKED);
        }
        assert_ne!(request.name, "operations/panics", "as a transport of the caller's may");
        Ok(ended(&request.name))
    }

    fn list_operations(
        &self,
        _: &pb::ListOperationsRequest,
        _: &Attempt<'_>,
    ) -> Result<OperationPage, Error> {
        unreachable!("two are too few")
    }

    fn cancel_operation(&self, _: &pb::CancelOperationRequest, _: &Attempt<'_>) -> Result<(), Error> {
        unreachable!("nothing is cancelled")
    }

    fn delete_operation(&self, _: &pb::DeleteOperationRequest, _: &Attempt<'_>) -> Result<(), Error> {
        unreachable!("nothing is deleted")
    }

    fn wait_operation(
        &self,
        request: &pb::WaitOperationRequest,
        _: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        Ok(Operation::running(&request.name))
    }
}

#[test]
fn one_request_does_not_hold_up_the_others_and_dropping_waits_for_it() {
    let held = Held::default();
    let client = OperationsClient::over(held.clone()).build().unwrap();
    let mut finished = client.poll_many(["operations/held", "operations/1"]).into_iter();
    assert_eq!(finished.next().unwrap().unwrap().name(), "operations/1");
    let other = held.clone();
    let thread = std::thread::spawn(move || other.set(LET_GO));
    drop(finished);
    assert!(held.0.0.lock().unwrap()[ANSWERED], "no thread outlives the iterator");
    thread.join().unwrap();
}

#[test]
fn a_transport_that_panics_panics_where_it_was_called() {
    let held = Held::default();
    held.set(LET_GO);
    let client = OperationsClient::over(held).build().unwrap();
    let many = client.poll_many(["operations/panics", "operations/held", "operations/1"]);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| many.all())).unwrap_err();
    assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("of the caller's may")));
}

#[test]
fn any_is_the_first_that_is_done_whatever_came_of_it() {
    let server = FakeServer::start();
    let names = names(4);
    server.insert(FakeOperation::new(&names[0]).done_after(secs(90.0)));
    server
        .insert(FakeOperation::new(&names[2]).done_after(secs(30.0)).fails(Status::new(Code::Internal, "x")));
    server.insert(FakeOperation::new(&names[3]).done_after(secs(60.0)));
    let first = server.client().poll_many(&names).any().unwrap();
    assert_eq!(first.name(), names[2], "one that was not found is not it");
    assert_eq!(told(&server.client().poll_many(["operations/x", "operations/y"]).any()), "Service NOT_FOUND");
}

#[test]
fn first_error_ends_at_the_first_that_did_not_succeed() {
    let server = FakeServer::start();
    let names = names(20);
    insert(&server, &names[..19], 3);
    server.insert(
        FakeOperation::new(&names[19]).done_at_poll(2).fails(Status::new(Code::Internal, "out of disk")),
    );
    let client = server.client();
    let error = client.poll_many(&names).first_error().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Operation);
    assert_eq!(
        error.to_string(),
        format!(
            "operation `{}` failed: INTERNAL: out of disk; \
             19 other operations go on and are not waited for any longer",
            names[19]
        )
    );
    assert_eq!(client.poll_many(&names[..19]).first_error().unwrap().len(), 19);
    let odd = Operation::from_json(r#"{"name":"operations/1","done":true,"error":{"code":0}}"#).unwrap();
    let error = client.poll_many([odd]).first_error().unwrap_err();
    assert_eq!(error.to_string(), "operation `operations/1` is malformed: `error` has code 0");
    assert_eq!(told(&client.poll_many(["operations/x"]).first_error()), "Service NOT_FOUND");
}

#[test]
fn news_are_told_and_nothing_else() {
    for count in [3, 30] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names[1..], 4);
        server.insert(Operation::running(&names[0]));
        let told = Arc::new(Mutex::new(BTreeMap::<String, u32>::new()));
        let shown = Arc::clone(&told);
        let client = server.client();
        let many = client.poll_many(&names).total_timeout(secs(30.0)).on_update(move |operation| {
            *shown.lock().unwrap().entry(operation.name().to_owned()).or_default() += 1;
        });
        assert_eq!(many.into_iter().filter(Result::is_ok).count(), count - 1);
        let told = told.lock().unwrap();
        assert_eq!(told[&names[0]], 1, "it never changed");
        assert!(names[1..].iter().all(|name| told[name] == 4), "{told:?}");
    }
}

#[test]
fn polls_are_spread_by_the_rate_and_in_turn() {
    let server = FakeServer::start();
    let names = names(6);
    insert(&server, &names, 3);
    let client = server.client();
    let many = client.poll_many(&names).max_rate(2.0).backoff(Backoff::from_fn(|_| Some(secs(0.1))));
    many.all().unwrap();
    assert_eq!((server.request_count(), server.elapsed()), (18, secs(17.0 * 0.5)));
    let asked: Vec<_> = server.requests().iter().map(|request| request.path().to_owned()).collect();
    for round in asked.chunks(6) {
        assert_eq!(round, &asked[..6], "nobody is asked twice before everybody was asked");
    }
}

#[test]
fn the_rate_of_a_client_is_shared_by_its_clones() {
    let server = FakeServer::start();
    let names = names(3);
    insert(&server, &names, 4);
    let client = server.client_builder().max_rate(0.5).build().unwrap();
    let clone = client.clone();
    clone.poller(&names[0]).until_done().unwrap();
    assert_eq!(server.elapsed(), secs(6.0));
    client.poll_many(&names[1..]).max_rate(100.0).all().unwrap();
    assert_eq!((server.request_count(), server.elapsed()), (12, secs(22.0)));
    client.get(&names[0]).send().unwrap();
    assert_eq!(server.elapsed(), secs(22.0), "a call is no poll");
    let refused = server.client_builder().max_rate(f64::NAN).build().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
}

#[test]
fn no_turn_is_waited_for_beyond_the_time_limit() {
    let server = FakeServer::start();
    let names = names(4);
    insert(&server, &names, u64::MAX);
    let client = server.client_builder().max_rate(0.1).build().unwrap();
    let error = client.poller(&names[0]).total_timeout(secs(25.0)).until_done().unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 3));
    assert!(server.elapsed() <= secs(25.0), "{:?}", server.elapsed());
    let before = server.elapsed();
    let results: Vec<_> = client.poll_many(&names).total_timeout(secs(25.0)).into_iter().collect();
    assert_eq!(results.iter().map(told).collect::<Vec<_>>(), ["Timeout"; 4]);
    assert_eq!(server.elapsed() - before, secs(25.0));
    assert_eq!(server.request_count(), 3 + 2);
}

#[test]
fn a_wait_without_a_turn_ends_when_its_time_is_up() {
    let server = FakeServer::start();
    let names = names(2);
    insert(&server, &names, u64::MAX);
    let client = server.client_builder().max_rate(0.01).build().unwrap();
    let poller = client.poller(&names[0]).total_timeout(secs(90.0)).on_timeout(OnTimeout::Cancel);
    let error = poller.until_done().unwrap_err();
    assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Timeout, secs(90.0)), "no sooner: {error}");

    let mut late = client.poller(&names[1]).total_timeout(secs(50.0)).into_iter();
    late.next().unwrap().unwrap();
    server.advance(secs(60.0));
    client.poller(&names[0]).total_timeout(secs(90.0)).into_iter().next().unwrap().unwrap();
    let before = server.elapsed();
    assert_eq!(late.next().unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(server.elapsed(), before, "no later");
}

#[test]
fn a_server_that_hangs_delays_nobody_else() {
    let server = FakeServer::start();
    let names = names(3);
    insert(&server, &names, 2);
    server.reply(Reply::hang());
    let results: Vec<_> = server.client().poll_many(&names).into_iter().collect();
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(server.request_count(), 7);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever goes wrong, every name is given exactly once, in time, and as the server has it.
    #[test]
    fn every_name_is_given_once(
        ends in prop::collection::vec(prop_oneof![4 => (0u32..200).prop_map(Some), 1 => Just(None)], 1..40),
        faults in prop::collection::vec((fault(), any::<bool>()), 0..25),
        missing in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        twice in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        parents in 1usize..4,
        pages in 1usize..40,
        workers in 0usize..4,
        rate in prop_oneof![Just(None), (1.0..50.0f64).prop_map(Some)],
        total in 0.0..300.0f64,
        chance in 0.0..1.0f64,
        on_timeout in prop::sample::select(vec![
            OnTimeout::Leave, OnTimeout::Cancel, OnTimeout::CancelAndConfirm { grace: secs(30.0) },
        ]),
    ) {
        let server = FakeServer::builder().max_page_size(pages).start().unwrap();
        server.set_chance(chance);
        let mut names: Vec<_> =
            (0..ends.len()).map(|number| format!("projects/{}/operations/{number}", number % parents)).collect();
        for (name, end) in names.iter().zip(&ends) {
            let operation = FakeOperation::new(name);
            server.insert(match end {
                Some(end) => operation.done_after(secs(f64::from(*end))),
                None => operation,
            });
        }
        let client = server.client();
        let gone: Vec<_> = missing.iter().map(|index| index.get(&names).clone()).collect();
        for name in &gone {
            let _ = client.delete(name).send();
        }
        let copies: Vec<_> = twice.iter().map(|index| index.get(&names).clone()).collect();
        names.extend(copies);
        for (fault, of_list) in faults.clone() {
            server.reply_when(move |request| is_list(request) == of_list && request.method() == "GET", fault.clone());
        }
        let start = server.elapsed();
        let mut many = client.poll_many(&names).total_timeout(secs(total)).workers(workers).on_timeout(on_timeout);
        if let Some(rate) = rate {
            many = many.max_rate(rate);
        }
        let mut found = Vec::new();
        for result in many {
            let name = match &result {
                Ok(operation) => operation.name(),
                Err(error) => error.name().unwrap(),
            };
            found.push(name.to_owned());
            match &result {
                Ok(operation) => {
                    let truth = server.operation(operation.name()).map(|operation| operation.to_json());
                    prop_assert!(operation.is_done());
                    prop_assert_eq!(Some(operation.to_json()), truth);
                }
                Err(error) => {
                    let expected = error.kind() == ErrorKind::Timeout
                        || error.code() == Some(Code::NotFound) && gone.iter().any(|name| Some(&**name) == error.name())
                        || error.code() == Some(Code::Internal);
                    prop_assert!(expected, "{error}");
                }
            }
        }
        let grace = if on_timeout == OnTimeout::Leave { 0.0 } else { 60.0 };
        let elapsed = server.elapsed() - start;
        prop_assert!(elapsed <= secs(total + grace), "{elapsed:?} of {total}");
        found.sort();
        names.sort();
        prop_assert_eq!(found, names);
    }
}

fn fault() -> impl Strategy<Value = Reply> {
    prop::sample::select(vec![
        unavailable(),
        Reply::reset(),
        Reply::close(),
        Reply::hang(),
        Reply::html(502),
        Reply::status(500),
        Reply::status(429),
        Reply::status(503).header("retry-after", "7"),
        Reply::usual().truncate_at(9),
    ])
}

fn ended(name: &str) -> Operation {
    Operation::succeeded(name, Any::pack(&()))
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{PARENT}/operations/{number}")).collect()
}

fn insert(server: &FakeServer, names: &[String], poll: u64) {
    for name in names {
        server.insert(FakeOperation::new(name).done_at_poll(poll));
    }
}

fn is_list(request: &RecordedRequest) -> bool {
    request.method() == "GET" && request.path().ends_with("/operations")
}

fn methods(server: &FakeServer) -> Vec<&'static str> {
    let of = |request: &RecordedRequest| match request.method() {
        "POST" => "cancel",
        _ if is_list(request) => "list",
        _ => "get",
    };
    server.requests().iter().map(of).collect()
}
