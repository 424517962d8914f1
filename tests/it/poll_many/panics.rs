//! Code of the caller's that panics, and a caller that goes on all the same.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use longrunning::proto::google::longrunning as pb;
use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::transport::{Attempt, Transport};
use longrunning::{
    Backoff, Error, ErrorKind, OnTimeout, Operation, OperationPage, OperationsClient, PollMany, StopToken,
};

use super::{insert, names};
use crate::kit::{secs, told};

/// Panics at requests for some names.
#[derive(Clone, Debug)]
struct Panics(Arc<dyn Transport>, Vec<String>);

impl Panics {
    fn at(&self, name: &str) -> &dyn Transport {
        assert!(!self.1.iter().any(|at| at == name), "in the transport");
        &*self.0
    }
}

impl Transport for Panics {
    fn get_operation(&self, request: &pb::GetOperationRequest, to: &Attempt<'_>) -> Result<Operation, Error> {
        self.at(&request.name).get_operation(request, to)
    }

    fn list_operations(
        &self,
        request: &pb::ListOperationsRequest,
        to: &Attempt<'_>,
    ) -> Result<OperationPage, Error> {
        self.at(&request.name).list_operations(request, to)
    }

    fn cancel_operation(&self, request: &pb::CancelOperationRequest, to: &Attempt<'_>) -> Result<(), Error> {
        self.at(&format!("{}:cancel", request.name)).cancel_operation(request, to)
    }

    fn delete_operation(&self, request: &pb::DeleteOperationRequest, to: &Attempt<'_>) -> Result<(), Error> {
        self.0.delete_operation(request, to)
    }

    fn wait_operation(
        &self,
        request: &pb::WaitOperationRequest,
        to: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        self.0.wait_operation(request, to)
    }
}

/// What is given, and how often there was a panic in between.
fn caught(many: PollMany) -> (Vec<(String, String)>, usize) {
    let (mut named, mut given, mut panics) = (many.named(), Vec::new(), 0);
    loop {
        match catch_unwind(AssertUnwindSafe(|| named.next())) {
            Ok(Some((name, result))) => given.push((name, told(&result))),
            Ok(None) => break,
            Err(_) => panics += 1,
        }
        assert!(panics < 100, "it makes no way: {given:?}");
    }
    given.sort();
    (given, panics)
}

#[test]
fn nothing_is_lost_when_the_observer_panics() {
    for (count, workers) in [(5, 1), (5, 4), (30, 1), (30, 4)] {
        let server = FakeServer::start();
        let mut names = names(count);
        insert(&server, &names, 3);
        let calls = AtomicUsize::new(0);
        let many = server.client().poll_many(&names).concurrency(workers).on_update(move |_| {
            assert!(!calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(4), "in the observer");
        });
        let (given, panics) = caught(many);
        names.sort();
        assert_eq!(given, names.into_iter().map(|name| (name, "ok".to_owned())).collect::<Vec<_>>());
        assert!(panics > 1, "{count} with {workers}: {panics}");
    }
}

#[test]
fn a_request_that_panics_ends_its_operation_and_no_other() {
    for (count, workers) in [(5, 1), (5, 4), (30, 1), (30, 4)] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names, 3);
        let mut at = vec![names[0].clone(), names[3].clone()];
        at.push(super::PARENT.to_owned());
        let builder = OperationsClient::over(Panics(Arc::clone(server.client().transport()), at));
        let client = builder.build().unwrap();
        // The clock is the machine's with a transport like this.
        let many = client.poll_many(&names).backoff(Backoff::from_fn(|_| Some(secs(0.001))));
        let (given, panics) = caught(many.concurrency(workers));
        let failed: Vec<_> = given.iter().filter(|(_, told)| told != "ok").cloned().collect();
        let transport = |name: &String| (name.clone(), "Transport".to_owned());
        assert_eq!(failed, [transport(&names[0]), transport(&names[3])]);
        let pages = usize::from(count == 30);
        assert_eq!((given.len(), panics), (count, 2 + pages), "the listing is given up");
    }
}

#[test]
fn delays_and_cancellations_that_panic_lose_nothing() {
    let server = FakeServer::start();
    let names = names(3);
    insert(&server, &names[..1], u64::MAX);
    server.insert(FakeOperation::new(&names[1]).done_at_poll(2));
    server.insert(FakeOperation::new(&names[2]).done_at_poll(2));
    let backoff = Backoff::from_fn(|retry| {
        assert!(retry != 1, "in the delays");
        Some(secs(5.0))
    });
    let (given, panics) =
        caught(server.client().poll_many(&names).backoff(backoff).total_timeout(secs(60.0)));
    assert_eq!((given.len(), panics > 0), (3, true));
    assert_eq!(given.iter().filter(|(_, told)| told == "ok").count(), 2);

    let server = FakeServer::start();
    insert(&server, &names, u64::MAX);
    let at = vec![format!("{}:cancel", names[0])];
    let builder = OperationsClient::over(Panics(Arc::clone(server.client().transport()), at));
    let client = builder.build().unwrap();
    let many = client.poll_many(&names).on_timeout(OnTimeout::Cancel).total_timeout(secs(0.0));
    let mut named = many.concurrency(1).named();
    assert!(catch_unwind(AssertUnwindSafe(|| named.next())).is_err());
    let ended: Vec<_> = named.map(|(_, result)| result.unwrap_err()).collect();
    assert!(ended.iter().all(|error| error.kind() == ErrorKind::Timeout), "{ended:?}");
    assert_eq!(ended.len(), 3);
    assert_eq!(ended.iter().filter(|error| error.to_string().contains("the transport panicked")).count(), 1);
}

/// What was seen to be done is given, even when nothing more is asked after the panic.
#[test]
fn a_panic_at_the_end_of_an_operation_does_not_lose_it() {
    let server = FakeServer::start();
    let names = names(3);
    insert(&server, &names, 1);
    let token = StopToken::new();
    let stops = token.clone();
    let many = server.client().poll_many(&names).stop(&token).on_update(move |update| {
        if update.operation().is_some_and(Operation::is_done) {
            stops.stop();
            panic!("in the observer");
        }
    });
    let (given, panics) = caught(many);
    let done = given.iter().filter(|(_, told)| told == "ok").count();
    assert!(panics > 0 && done == panics, "{given:?}, {panics} panics");
    assert_eq!(given.len(), 3);
}
