//! A transport that the test holds in its hands, and one poll at a time.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use longrunning::proto::google::longrunning as pb;
use longrunning::transport::{Attempt, Transport};
use longrunning::{Error, Operation, OperationPage};

/// Says when an attempt begins, and answers it when it is told what: all other methods fail.
#[derive(Debug)]
pub(crate) struct Gate {
    began: Sender<()>,
    answers: Mutex<Receiver<Result<Operation, Error>>>,
}

/// The other side of a [`Gate`].
pub(crate) struct Keeper {
    began: Receiver<()>,
    pub(crate) answers: Sender<Result<Operation, Error>>,
}

pub(crate) fn gate() -> (Gate, Keeper) {
    let ((tell, began), (answers, hear)) = (channel(), channel());
    (Gate { began: tell, answers: Mutex::new(hear) }, Keeper { began, answers })
}

impl Keeper {
    /// Blocks until an attempt has begun.
    pub(crate) fn attempt_began(&self) {
        self.began.recv().unwrap();
    }

    /// How many attempts have begun, besides those that were waited for.
    pub(crate) fn more_attempts(&self) -> usize {
        self.began.try_iter().count()
    }
}

impl Transport for Gate {
    fn get_operation(&self, _: &pb::GetOperationRequest, _: &Attempt<'_>) -> Result<Operation, Error> {
        // One lock at a time: attempts are answered in the order in which they got here.
        self.began.send(()).unwrap();
        self.answers.lock().unwrap().recv().unwrap()
    }

    fn list_operations(
        &self,
        _: &pb::ListOperationsRequest,
        _: &Attempt<'_>,
    ) -> Result<OperationPage, Error> {
        unreachable!()
    }

    fn cancel_operation(&self, _: &pb::CancelOperationRequest, _: &Attempt<'_>) -> Result<(), Error> {
        unreachable!()
    }

    fn delete_operation(&self, _: &pb::DeleteOperationRequest, _: &Attempt<'_>) -> Result<(), Error> {
        panic!("a transport of the user's panics")
    }

    fn wait_operation(&self, _: &pb::WaitOperationRequest, _: &Attempt<'_>) -> Result<Operation, Error> {
        unreachable!()
    }
}

/// Polls once, waking nobody.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Counts how often it is woken.
#[derive(Default)]
pub(crate) struct Count(pub(crate) AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
