//! How many threads the async client has, and when. A program of its own, because it counts them.
#![cfg(target_os = "linux")]

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use longrunning::aio::Executor;
use longrunning::proto::google::longrunning as pb;
use longrunning::testing::FakeServer;
use longrunning::transport::{Attempt, Transport};
use longrunning::{
    Backoff, Error, ErrorKind, Operation, OperationPage, OperationsAsyncClient, OperationsClient, StopToken,
};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn ten_thousand_waits_take_no_more_threads_than_a_few_and_little_memory() {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let polled = Arc::new(AtomicUsize::new(0));
    let client = OperationsClient::over(Running { polled: Arc::clone(&polled) }).build().unwrap();
    let client = OperationsAsyncClient::from(client);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let token = StopToken::new();
        // Warm: what comes once is not counted.
        let warm: Vec<_> = (0..100).map(|_| tokio::spawn(wait(&client, &token))).collect();
        until(&client, 100).await;
        let before = memory();
        let waits: Vec<_> = (0..WAITS).map(|_| tokio::spawn(wait(&client, &token))).collect();
        until(&client, 100 + WAITS).await;
        let each = memory().saturating_sub(before) / WAITS;
        let future = size_of_val(&wait(&client, &token));
        println!("{each} bytes a wait, of which {future} in its future; {} threads", threads().len());
        assert!(each < 8192, "{each} bytes a wait");
        assert_eq!(polled.load(Ordering::SeqCst), 100 + WAITS);
        assert!(threads().len() <= 8 + 1, "{:?}", threads());
        token.stop();
        for wait in warm.into_iter().chain(waits) {
            assert_eq!(wait.await.unwrap().unwrap_err().kind(), ErrorKind::Stopped);
        }
    });
    drop(client);
    none_left();
}

const WAITS: usize = 10_000;

fn wait(
    client: &OperationsAsyncClient,
    token: &StopToken,
) -> impl Future<Output = Result<Operation, Error>> + Send + 'static {
    let hour = Backoff::from_fn(|_| Some(Duration::from_secs(3600)));
    client.poller("operations/42").backoff(hour).stop(token).until_done()
}

/// Yields until so many futures sleep.
async fn until(client: &OperationsAsyncClient, sleeps: usize) {
    while !format!("{client:?}").contains(&format!("sleeps: {sleeps},")) {
        tokio::task::yield_now().await;
    }
}

#[test]
fn attempts_share_as_many_threads_as_there_may_be() {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let server = FakeServer::builder().real_time().start().unwrap();
    server.insert(Operation::running("operations/42"));
    let client = OperationsAsyncClient::with_executor(server.client(), Executor::new().threads(3));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let calls: Vec<_> = (0..100).map(|_| tokio::spawn(client.get("operations/42").send())).collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    });
    // And the timer, for the limits of those that queue.
    let attempts = threads().iter().filter(|name| *name == "longrunning-io").count();
    assert!((1..=3).contains(&attempts) && threads().len() <= 4, "{:?}", threads());
    drop(client);
    none_left();
}

#[test]
fn a_client_that_makes_no_futures_has_no_threads() {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let server = FakeServer::start();
    server.insert(Operation::running("operations/42"));
    let client = OperationsAsyncClient::from(server.client());
    client.blocking().get("operations/42").send().unwrap();
    drop(client.get("operations/42").send());
    assert_eq!(threads(), [""; 0]);
}

/// Threads end by themselves when their client is gone: soon, but not in the same instant.
fn none_left() {
    let start = Instant::now();
    while !threads().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(60), "left: {:?}", threads());
        std::thread::yield_now();
    }
}

/// The names of the client's threads, of which the kernel keeps 15 characters.
fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).filter(|name| name.starts_with("longrunning-")).collect()
}

/// Resident bytes.
fn memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}

/// Knows one operation, which is always running.
#[derive(Debug)]
struct Running {
    polled: Arc<AtomicUsize>,
}

impl Transport for Running {
    fn get_operation(&self, request: &pb::GetOperationRequest, _: &Attempt<'_>) -> Result<Operation, Error> {
        self.polled.fetch_add(1, Ordering::SeqCst);
        Ok(Operation::running(&request.name))
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
        unreachable!()
    }

    fn wait_operation(&self, _: &pb::WaitOperationRequest, _: &Attempt<'_>) -> Result<Operation, Error> {
        unreachable!()
    }
}
