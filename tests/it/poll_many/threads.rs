//! Requests that are under way at a time.

use std::sync::{Arc, Condvar, Mutex};

use longrunning::proto::google::longrunning as pb;
use longrunning::testing::{FakeServer, Reply};
use longrunning::transport::{Attempt, Transport};
use longrunning::{Error, Operation, OperationPage, OperationsClient};

use super::{ended, insert, names};
use crate::kit::secs;

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
    assert_eq!(client.poll_many(&names).race().unwrap().name(), names[0]);
    assert!(server.operation(&names[5]).is_some_and(|operation| !operation.is_done()));
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
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| many.join_all())).unwrap_err();
    assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("of the caller's may")));
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
