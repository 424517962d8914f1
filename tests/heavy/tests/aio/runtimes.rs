//! The executors that the tests run on.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Runs a future on one of them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Runtime {
    /// No runtime: a thread that parks.
    Bare,
    Smol,
    TokioOne,
    TokioMany,
}

impl Runtime {
    pub(crate) const ALL: [Self; 4] = [Self::Bare, Self::Smol, Self::TokioOne, Self::TokioMany];

    /// As a task where there are tasks, so that it is `Send` and moves between threads.
    pub(crate) fn run<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> T {
        match self {
            Self::Bare => block_on(future),
            Self::Smol => smol::block_on(smol::spawn(future)),
            Self::TokioOne => tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future),
            Self::TokioMany => {
                let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
                runtime.block_on(runtime.spawn(future)).unwrap()
            }
        }
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
