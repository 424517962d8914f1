//! The threads and timers of the program in place of the client's own, and what can go wrong with either.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use longrunning::aio::{Executor, Job};
use longrunning::http::{HttpClient, HttpError, HttpRequest, HttpResponse};
use longrunning::testing::{FakeOperation, FakeServer, Reply};
use longrunning::{Backoff, ErrorKind, OperationsAsyncClient, OperationsClient, RetryPolicy, StopToken};

use crate::kit::{NAME, Unreachable, done, running, secs, server};
use crate::runtimes::block_on;
use crate::seam::{gate, poll_once};

#[test]
fn a_runtime_lends_its_threads_and_timers() {
    let server = FakeServer::builder().real_time().start().unwrap();
    server.insert(FakeOperation::new(NAME).done_at_poll(4));
    let (jobs, sleeps) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count_jobs, count_sleeps) = (Arc::clone(&jobs), Arc::clone(&sleeps));
    let executor = Executor::new()
        .spawn_blocking(move |job| {
            count_jobs.fetch_add(1, Ordering::SeqCst);
            drop(tokio::task::spawn_blocking(job));
        })
        .sleep(move |duration| {
            // Longer ones are the limits of attempts that wait for a thread. Polls are at least 10 ms apart.
            count_sleeps.fetch_add(usize::from(duration <= secs(0.01)), Ordering::SeqCst);
            tokio::time::sleep(duration)
        });
    let client = OperationsAsyncClient::with_executor(server.client(), executor);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let moment = Backoff::from_fn(|_| Some(secs(0.001)));
    let done = runtime.block_on(client.poller(NAME).backoff(moment).until_done()).unwrap();
    assert!(done.is_done());
    assert_eq!((jobs.load(Ordering::SeqCst), sleeps.load(Ordering::SeqCst)), (4, 3));
    assert!(server.sleeps().is_empty(), "the client's own clock was not used");
}

#[test]
fn smol_lends_its_own() {
    let server = FakeServer::builder().real_time().start().unwrap();
    server.insert(FakeOperation::new(NAME).done_at_poll(2));
    let executor =
        Executor::new().spawn_blocking(|job| smol::unblock(job).detach()).sleep(|duration| async move {
            smol::Timer::after(duration).await;
        });
    let client = OperationsAsyncClient::with_executor(server.client(), executor);
    let moment = Backoff::from_fn(|_| Some(secs(0.001)));
    assert!(smol::block_on(client.poller(NAME).backoff(moment).until_done()).unwrap().is_done());
}

#[test]
fn an_attempt_that_the_executor_drops_is_an_error() {
    let server = server();
    let client = OperationsAsyncClient::with_executor(server.client(), Executor::new().spawn_blocking(drop));
    let error = block_on(client.get(NAME).send()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert_eq!(
        error.to_string(),
        "GetOperation `operations/42`: an attempt was not made: the executor dropped it, or could not start a thread"
    );
    assert_eq!(block_on(client.poller(NAME).until_done()).unwrap_err().kind(), ErrorKind::Transport);
}

#[test]
fn a_panic_of_the_transport_reaches_the_caller_and_spares_the_threads() {
    let (gate, keeper) = gate();
    let client = OperationsClient::over(gate).build().unwrap();
    let client = OperationsAsyncClient::with_executor(client, Executor::new().threads(1));
    for _ in 0..3 {
        let panic = catch_unwind(AssertUnwindSafe(|| block_on(client.delete(NAME).send()))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a transport of the user's panics"));
    }
    keeper.answers.send(Ok(done())).unwrap();
    assert_eq!(block_on(client.get(NAME).send()).unwrap(), done());
}

#[test]
fn time_in_the_queue_is_time_of_the_attempt() {
    let server = server();
    let ((tell, entered), (release, released)) = (channel(), channel());
    let http = Held { entered: tell, released: Mutex::new(released), then: Unreachable::new() };
    let client = server.client_builder().http_client(http).retry(RetryPolicy::never()).build().unwrap();
    let client = OperationsAsyncClient::with_executor(client, Executor::new().threads(1));
    let (mut first, mut queued) = (pin!(client.get(NAME).send()), pin!(client.get(NAME).send()));
    assert!(poll_once(first.as_mut()).is_pending() && poll_once(queued.as_mut()).is_pending());
    entered.recv().unwrap();
    server.advance(secs(10.0));
    release.send(()).unwrap();
    let error = block_on(queued).unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Timeout, true));
    assert_eq!(
        error.to_string(),
        "GetOperation `operations/42`: no thread was free for an attempt within 10 s"
    );
    assert!(block_on(first).is_err());
}

/// An attempt without a thread fails in time, and not when those before it let it have one.
#[test]
fn the_queue_does_not_hold_up_a_limit() {
    let server = FakeServer::builder().real_time().start().unwrap();
    server.reply(Reply::hang().times(2));
    let executors =
        [("of its own", Executor::new().threads(1)), ("lent", Executor::new().spawn_blocking(one_thread()))];
    for (name, executor) in executors {
        let client = OperationsAsyncClient::with_executor(server.client(), executor);
        let token = StopToken::new();
        let mut first = pin!(client.get(NAME).attempt_timeout(secs(600.0)).stop(&token).send());
        assert!(poll_once(first.as_mut()).is_pending());
        let error = block_on(client.get(NAME).total_timeout(secs(0.02)).send()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{name}");
        assert!(error.to_string().contains("no thread was free for an attempt within"), "{name}: {error}");
        assert!(poll_once(first.as_mut()).is_pending(), "{name}");
        token.stop();
        assert_eq!(block_on(first).unwrap_err().kind(), ErrorKind::Stopped, "{name}");
    }
}

/// Runs jobs one after the other.
fn one_thread() -> impl Fn(Job) + Send + Sync {
    let (jobs, queue) = channel::<Job>();
    thread::spawn(move || queue.into_iter().for_each(|job| job()));
    move |job| jobs.send(job).unwrap()
}

/// Blocks until it is released.
#[derive(Debug)]
struct Held {
    entered: Sender<()>,
    released: Mutex<Receiver<()>>,
    then: Unreachable,
}

impl HttpClient for Held {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        self.entered.send(()).unwrap();
        self.released.lock().unwrap().recv().unwrap();
        self.then.send(request)
    }
}

#[test]
fn both_faces_share_one_client() {
    let server = server();
    let client = OperationsAsyncClient::from(server.client());
    assert_eq!(block_on(client.get(NAME).send()).unwrap(), client.blocking().get(NAME).send().unwrap());
    server.insert(running());
    assert!(format!("{client:?}").starts_with("OperationsAsyncClient"));
    assert!(OperationsAsyncClient::new("http://example.com").is_err());
}
