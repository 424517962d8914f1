//! Many calls, faults and waits: nothing is lost, nothing stays behind, and memory does not grow.
//!
//! Short unless `LONGRUNNING_SOAK` is `long`, as `.ci/run soak` sets it. The tests run one at a time, since they count
//! what the whole process has open.

mod hostile;
mod limit;
mod process;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use longrunning::http::{HttpClient, HttpError, HttpOptions, HttpRequest, HttpResponse, ProxySetting, Roots};
use longrunning::testing::{FakeOperation, FakeServer, Reply};
use longrunning::transport::TransportKind;
use longrunning::{Backoff, Code, Credentials, Operation, OperationsClient, RetryPolicy, Status};

use process::ProcessCounts;

const THREADS: u64 = 200;

#[test]
fn two_hundred_threads_share_a_client_with_faults() {
    let _alone = alone();
    for kind in [TransportKind::Rest, TransportKind::Grpc] {
        let server = FakeServer::builder().real_time().keep_requests(1).start().unwrap();
        server.insert(Operation::running("operations/1"));
        // One request in twenty fails, in one of four ways.
        let count = Arc::new(AtomicU64::new(0));
        for (number, fault) in faults().into_iter().take(4).enumerate() {
            let count = Arc::clone(&count);
            let is_due = move |_: &_| {
                number == 0 && count.fetch_add(1, Ordering::Relaxed).is_multiple_of(20)
                    || is_turn(&count, number)
            };
            server.reply_when(is_due, fault.times(usize::MAX));
        }
        let retry = RetryPolicy::default()
            .max_attempts(20)
            .backoff(Backoff::exponential(Duration::from_millis(1), Duration::from_millis(10)));
        let client = builder(&server, kind).retry(retry).build().unwrap();
        let calls = scaled(20, 1000);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..calls {
                        assert!(!client.get("operations/1").send().expect("a retry succeeds").is_done());
                    }
                });
            }
        });
        let sent = server.request_count();
        assert!(sent > THREADS * calls * 102 / 100 && sent < THREADS * calls * 110 / 100, "{kind:?}: {sent}");
    }
}

/// The other faults than the first are due between two of its requests.
fn is_turn(count: &AtomicU64, number: usize) -> bool {
    number > 0 && count.load(Ordering::Relaxed) % 80 == 20 * number as u64 + 5
}

#[test]
fn calls_that_fail_leave_nothing_open() {
    let _alone = alone();
    for kind in [TransportKind::Rest, TransportKind::Grpc] {
        let server = FakeServer::builder().keep_requests(1).start().unwrap();
        server.insert(Operation::running("operations/1"));
        let client = builder(&server, kind).retry(RetryPolicy::never()).build().unwrap();
        let fail = |rounds: u64| {
            for fault in (0..rounds).flat_map(|_| faults()) {
                server.reply(fault);
                let _ = client.get("operations/1").send();
                server.clear_replies();
            }
        };
        fail(5);
        let before = ProcessCounts::now();
        fail(scaled(100, 1000));
        client.get("operations/1").send().expect("the client still works");
        let after =
            ProcessCounts::when(|now| now.files <= before.files + 4 && now.threads <= before.threads + 4);
        assert!(after.files <= before.files + 4, "{kind:?}: {before:?} {after:?}");
        assert!(after.threads <= before.threads + 4, "{kind:?}: {before:?} {after:?}");
        assert!(after.memory <= before.memory + (32 << 20), "{kind:?}: {before:?} {after:?}");
    }
}

#[test]
fn a_long_listing_takes_no_more_memory_than_a_short_one() {
    let _alone = alone();
    let pages = scaled(200, 1000);
    let client = OperationsClient::builder("https://host.example")
        .credentials(Credentials::anonymous())
        .http_client(EndlessPages { pages, sent: AtomicU64::new(0) })
        .build()
        .unwrap();
    let (mut count, mut early) = (0, 0);
    for operation in client.list("operations") {
        assert!(operation.unwrap().is_done());
        count += 1;
        if count == pages * 1000 / 10 {
            early = ProcessCounts::now().memory;
        }
    }
    assert_eq!(count, pages * 1000);
    let late = ProcessCounts::now().memory;
    assert!(late <= early + (16 << 20), "{early} and then {late} bytes");
}

#[test]
fn five_thousand_waits_end_and_leave_nothing_open() {
    let _alone = alone();
    let waits = scaled(5000, 5000);
    let names: Vec<String> = (0..waits).map(|number| format!("operations/{number}")).collect();
    let started = ProcessCounts::now();
    for by_futures in [false, true] {
        let server = FakeServer::builder().keep_requests(1).start().unwrap();
        for name in &names {
            server.insert(FakeOperation::new(name).done_at_poll(3));
        }
        let done = match by_futures {
            true => wait_as_futures(&server, &names),
            false => {
                let operations = server.client().poll_many(&names).join_all().unwrap();
                operations.iter().filter(|operation| operation.is_done()).count()
            }
        };
        assert_eq!(done as u64, waits);
    }
    let after =
        ProcessCounts::when(|now| now.files <= started.files + 4 && now.threads <= started.threads + 4);
    assert!(
        after.files <= started.files + 4 && after.threads <= started.threads + 4,
        "{started:?} {after:?}"
    );
}

fn wait_as_futures(server: &FakeServer, names: &[String]) -> usize {
    let client = server.client_builder().build_async().unwrap();
    let executor = smol::LocalExecutor::new();
    let tasks: Vec<_> = names.iter().map(|name| executor.spawn(client.poller(name).until_done())).collect();
    smol::block_on(executor.run(async {
        let mut done = 0;
        for task in tasks {
            done += usize::from(task.await.unwrap().is_done());
        }
        done
    }))
}

/// Each way in which a call fails at once, or in virtual time.
fn faults() -> [Reply; 10] {
    let operation = || Reply::from(Operation::running("operations/1"));
    [
        Reply::from(Status::new(Code::Unavailable, "draining")),
        Reply::close(),
        operation().truncate_at(4),
        operation().reset_at(4),
        Reply::reset(),
        Reply::html(502),
        Reply::raw("SSH-2.0-x\r\n"),
        Reply::json(200, "{\"name\":"),
        Reply::hang(),
        Reply::huge(100 << 20),
    ]
}

fn builder(server: &FakeServer, kind: TransportKind) -> longrunning::OperationsClientBuilder {
    let options = HttpOptions::new().roots(Roots::None).proxy(ProxySetting::None);
    server.client_builder().transport(kind).http_options(options.max_connections(32).idle_per_host(32))
}

/// Sends pages of a thousand operations, from memory.
#[derive(Debug)]
struct EndlessPages {
    pages: u64,
    sent: AtomicU64,
}

impl HttpClient for EndlessPages {
    fn send(&self, _: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let page = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        let operation = |number| {
            format!(
                r#"{{"name":"operations/{page}-{number}","done":true,"response":{{"@type":"x/y","a":"{number}"}}}}"#
            )
        };
        let operations: Vec<String> = (0..1000).map(operation).collect();
        let token = if page < self.pages { page.to_string() } else { String::new() };
        let body = format!(r#"{{"operations":[{}],"nextPageToken":"{token}"}}"#, operations.join(","));
        Ok(HttpResponse::new(200, body))
    }
}

/// The count for the usual run, or that for the long one.
fn scaled(short: u64, long: u64) -> u64 {
    let is_long = std::env::var("LONGRUNNING_SOAK").is_ok_and(|value| value == "long");
    if is_long { long } else { short }
}

/// One test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}
