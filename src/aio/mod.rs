//! Futures in place of calls that block, on any executor:
//! `OperationsAsyncClient` of Google's Python library.
//!
//! [`OperationsAsyncClient`] has the methods, the options and the errors of
//! [`OperationsClient`](crate::OperationsClient), with which it can share one
//! client; only the methods that do the work return futures. There is no
//! runtime in it, and none is needed. This example uses nothing but a
//! `block_on`:
//!
//! ```
//! # let server = longrunning::testing::FakeServer::start();
//! # server.insert(longrunning::testing::FakeOperation::new("operations/42").done_at_poll(3));
//! # server.insert(longrunning::testing::FakeOperation::new("operations/43").done_at_poll(2));
//! # let client = server.client();
//! use longrunning::OperationsAsyncClient;
//!
//! let client = OperationsAsyncClient::from(client);
//! pollster::block_on(async {
//!     let done = client.poller("operations/42").until_done().await?;
//!     println!("{}", done.outcome());
//!
//!     let mut operations = client.list("operations").filter("done = false").operations();
//!     while let Some(operation) = operations.next().await {
//!         client.cancel(&operation?).send().await?;
//!     }
//!     Ok::<(), longrunning::Error>(())
//! })?;
//! # Ok::<(), longrunning::Error>(())
//! ```
//!
//! | Python's `OperationsAsyncClient` | here |
//! |---|---|
//! | `OperationsAsyncClient(channel, client_config)` | [`OperationsClient::builder`](crate::OperationsClient::builder)`(…)….`[`build_async`](crate::OperationsClientBuilder::build_async)`()?` |
//! | `await client.get_operation(name)` | `client.get(name).send().await?` |
//! | `await client.cancel_operation(name)` | `client.cancel(name).send().await?` |
//! | `await client.delete_operation(name)` | `client.delete(name).send().await?` |
//! | `pager = await client.list_operations(name, filter)` | `client.list(name).filter(filter)`, and then |
//! | `async for operation in pager` | `let mut operations = ….operations(); while let Some(operation) = operations.next().await` |
//! | `async for page in pager.pages` | `let mut pages = ….pages(); while let Some(page) = pages.next().await` |
//! | `retry=`, `timeout=`, `metadata=` | [`retry`](crate::Call::retry), [`attempt_timeout`](crate::Call::attempt_timeout) and [`total_timeout`](crate::Call::total_timeout), [`header`](crate::Call::header) |
//! | `AsyncOperation(operation, …)` | [`client.operation(operation)`](OperationsAsyncClient::operation), an [`OperationHandle`](crate::OperationHandle) |
//! | its `await result(timeout)` | `handle.result().await?`; with a limit: `handle.poller().total_timeout(…).until_done().await?.into_response()?` |
//! | its `await exception(timeout)` | `handle.until_done().await?.error()`; `handle.error()` does not wait |
//! | its `await done()`, `await running()` | `handle.refresh().await?.is_done()`; `handle.is_done()` sends nothing |
//! | its `await cancel()`, `await cancelled()` | `handle.cancel().await?`, `handle.cancel_and_wait(grace).await?`; `handle.is_cancelled()` |
//! | its `operation`, `metadata` | `handle.operation()`, `handle.metadata()`, `handle.progress()` |
//! | `await task` of `task.cancel()` | drop the future, or give it a [`StopToken`](crate::StopToken) |
//!
//! # Where the work is done
//!
//! An attempt (token, request, response) blocks a thread of a small pool.
//! Between attempts there is no thread: one timer wakes all sleeping futures,
//! and 10,000 waits take those threads and about 3 KB each. So there is no
//! `poll_many` here: `join` any number of waits. [`Executor`] replaces both
//! parts by those of the program. Retries, deadlines and delays are decided by
//! the same code as in blocking calls. It runs where the future is polled, as
//! do [`on_retry`](crate::RetryPolicy::on_retry) and the other callbacks.
//!
//! # Dropping a future
//!
//! Dropping a future ends the wait or the call: nothing more is sent for it. A
//! running exchange continues on its thread, and its request (cancel, delete)
//! may take effect. The operation is never cancelled. Only the `next` of
//! [`Snapshots`](crate::Snapshots), [`Pages`](crate::Pages) and
//! [`Operations`](crate::Operations) can be repeated, as `select!` in a loop
//! does: the next one continues the same wait, or fetches the same page.
//!
//! # Errors
//!
//! They are those of blocking calls, and three more:
//! [`Timeout`](crate::ErrorKind::Timeout) if no thread was free within the
//! attempt timeout, which is retried like any other, and
//! [`Transport`](crate::ErrorKind::Transport) if the executor dropped an
//! attempt or no thread could be started. A panic in a part of the program (a
//! transport, an HTTP client, a token provider) continues in the task that
//! waits for the attempt; the threads survive it.
//!
//! # When not to use it
//!
//! - For one operation after the other: a call that blocks, in `spawn_blocking`
//!   if it has to be, is simpler.
//! - For many concurrent requests: attempts share the threads of the
//!   [`Executor`], 8 by default. An RPC whose response the server holds
//!   ([`wait`](OperationsAsyncClient::wait)) occupies one for all that time.
//! - To react to the end of an exchange within microseconds: every attempt goes
//!   to another thread and back.

mod call;
mod client;
mod executor;
mod fault;
mod handle;
mod job;
mod pager;
mod poller;
mod pool;
mod start;
mod timer;

pub use client::OperationsAsyncClient;
pub use executor::{Async, Executor};
pub use pool::Job;
