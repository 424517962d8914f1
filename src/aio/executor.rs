//! Where attempts block, and what ends sleeps.
//!
//! [`Executor`] is the option, [`Async`] the mode that calls and waits carry,
//! and [`AsyncWork`] what one future needs while it is in progress.

use std::fmt;
use std::future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::core::Core;
use crate::error::Error;
use crate::util::clock::Clock;
use crate::util::stop::{StopListener, StopToken};

use super::pool::{BlockingPool, Job};
use super::timer::{Awake, SleepTimer};
use super::{fault, job};

/// Sets which threads make the attempts of an
/// [`OperationsAsyncClient`](super::OperationsAsyncClient), which block, and
/// how it sleeps.
///
/// The default needs no runtime: up to 8 threads for attempts and one for all
/// sleeps. They belong to the client, start with its first attempt or sleep,
/// and end after 10 idle seconds, or with the last clone of the client, its
/// calls and futures. A runtime that has such threads can replace them;
/// `tests/heavy/examples/async_tokio.rs` does it:
///
/// ```ignore
/// use longrunning::aio::{Executor, OperationsAsyncClient};
///
/// let executor = Executor::new()
///     .spawn_blocking(|job| drop(tokio::task::spawn_blocking(job)))
///     .sleep(tokio::time::sleep);
/// let client = OperationsAsyncClient::with_executor(client, executor);
/// let operation = client.get("operations/42").send().await?;
/// ```
///
/// The number of threads can be set without a runtime:
///
/// ```
/// use longrunning::aio::{Executor, OperationsAsyncClient};
///
/// # let server = longrunning::testing::FakeServer::start();
/// # let client = server.client();
/// let client = OperationsAsyncClient::with_executor(client, Executor::new().threads(2));
/// ```
#[derive(Clone)]
#[must_use = "a client is made with it"]
pub struct Executor {
    threads: usize,
    spawn: Option<Spawn>,
    sleep: Option<SleepFor>,
}

type Spawn = Arc<dyn Fn(Job) + Send + Sync>;

type SleepFor = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

impl Executor {
    /// Creates the default: 8 threads and a timer, which belong to the client.
    ///
    /// Nothing is started before it is needed.
    ///
    /// ```
    /// use longrunning::aio::Executor;
    ///
    /// assert!(format!("{:?}", Executor::new()).contains("threads: 8"));
    /// ```
    pub fn new() -> Self {
        Self { threads: THREADS, spawn: None, sleep: None }
    }

    /// Limits how many attempts are in progress at once, each on a thread.
    /// Default: 8; zero counts as 1.
    ///
    /// Further attempts wait in a queue, in their order. Time in the queue is
    /// part of the attempt timeout: an attempt that has no thread by then fails
    /// without being made. Has no effect with
    /// [`spawn_blocking`](Self::spawn_blocking).
    ///
    /// ```
    /// use longrunning::aio::{Executor, OperationsAsyncClient};
    ///
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = server.client();
    /// let client = OperationsAsyncClient::with_executor(client, Executor::new().threads(1));
    /// # pollster::block_on(async {
    /// client.get("operations/42").send().await?;
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Makes attempts where `spawn` runs them, in place of the client's own
    /// threads.
    ///
    /// It must return without waiting for the job, and run the job on a thread
    /// that may block. If it drops a job, as a runtime does that shuts down, the
    /// attempt fails.
    ///
    /// ```
    /// use longrunning::aio::{Executor, OperationsAsyncClient};
    ///
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.insert(longrunning::Operation::running("operations/42"));
    /// # let client = server.client();
    /// let executor = Executor::new().spawn_blocking(|job| drop(std::thread::spawn(job)));
    /// let client = OperationsAsyncClient::with_executor(client, executor);
    /// # pollster::block_on(async {
    /// client.get("operations/42").send().await?;
    /// # Ok::<(), longrunning::Error>(())
    /// # })?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn spawn_blocking(mut self, spawn: impl Fn(Job) + Send + Sync + 'static) -> Self {
        self.spawn = Some(Arc::new(spawn));
        self
    }

    /// Sleeps in the futures that `sleep` returns, in place of the client's own
    /// timer.
    ///
    /// They sleep in the runtime's time: a test with a virtual clock of this
    /// crate needs the default.
    pub fn sleep<F>(mut self, sleep: impl Fn(Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.sleep = Some(Arc::new(move |duration| Box::pin(sleep(duration))));
        self
    }

    /// Creates the mode of a client. Its threads start when they are needed.
    pub(super) fn start(self, clock: &Arc<dyn Clock>) -> Async {
        let spawner =
            self.spawn.map_or_else(|| Spawner::Pool(BlockingPool::new(self.threads)), Spawner::Given);
        let sleeper =
            self.sleep.map_or_else(|| Sleeper::Timer(SleepTimer::new(Arc::clone(clock))), Sleeper::Given);
        Async(Arc::new(AsyncParts { spawner, sleeper }))
    }
}

impl Default for Executor {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("threads", &self.threads)
            .field("spawn_blocking", &self.spawn.is_some())
            .field("sleep", &self.sleep.is_some())
            .finish()
    }
}

/// The mode of [`OperationsAsyncClient`](super::OperationsAsyncClient): its
/// calls and waits return futures.
#[derive(Clone, Debug)]
pub struct Async(Arc<AsyncParts>);

/// The threads and the timer of a client, or what replaces them.
#[derive(Debug)]
struct AsyncParts {
    spawner: Spawner,
    sleeper: Sleeper,
}

/// Where attempts run.
enum Spawner {
    Pool(BlockingPool),
    Given(Spawn),
}

/// What ends sleeps.
enum Sleeper {
    Timer(SleepTimer),
    Given(SleepFor),
}

impl Async {
    /// Returns what a future holds as long as it is in progress.
    pub(super) fn begin(&self) -> AsyncWork<'_> {
        let awake = match &self.0.sleeper {
            Sleeper::Timer(timer) => Some(timer.awake()),
            // A timer of the program keeps real time, which nothing has to hold
            // back.
            Sleeper::Given(_) => None,
        };
        AsyncWork { parts: &self.0, _awake: awake }
    }
}

/// What a future in progress can do: make attempts and sleep.
pub(super) struct AsyncWork<'a> {
    parts: &'a AsyncParts,
    _awake: Option<Awake<'a>>,
}

impl AsyncWork<'_> {
    /// Makes an attempt of at most `timeout` on another thread; `None` if it
    /// was stopped before it began. `attempt` gets the time that is left of it.
    pub(super) async fn attempt<T: Send + 'static>(
        &self,
        core: &Arc<Core>,
        timeout: Duration,
        stop: Option<&StopToken>,
        attempt: impl FnOnce(&Core, Duration) -> Result<T, Error> + Send + 'static,
    ) -> Option<Result<T, Error>> {
        // The timeout counts from here, and not from when a thread is free.
        let (shared, end) = (Arc::clone(core), core.clock.now().checked_add(timeout));
        let queued = move || {
            let left = end.map_or(timeout, |end| end.saturating_duration_since(shared.clock.now()));
            // The time in the queue is a part of the attempt timeout.
            if left.is_zero() { Err(fault::no_free_thread(timeout)) } else { attempt(&shared, left) }
        };
        job::run(|job| self.spawn(job), stop, || self.late(core, end, timeout), queued).await
    }

    /// Returns whether the job may have to wait for a thread.
    fn spawn(&self, job: Job) -> bool {
        match &self.parts.spawner {
            Spawner::Pool(pool) => pool.spawn(job),
            Spawner::Given(spawn) => {
                // Whether the runtime has a free thread is unknown, so the queue time is
                // limited.
                spawn(job);
                true
            }
        }
    }

    /// Ends at `end`, with the error for an attempt without a thread. In virtual
    /// time it never ends: an attempt must not make time pass.
    async fn late(&self, core: &Core, end: Option<Instant>, timeout: Duration) -> Error {
        match end.filter(|_| core.clock.patience(Duration::ZERO).is_zero()) {
            Some(end) if self.sleep(core, end, None).await.is_ok() => fault::no_free_thread(timeout),
            _ => future::pending().await,
        }
    }

    /// Sleeps until `until`, or until `stop` is stopped.
    pub(super) async fn sleep(
        &self,
        core: &Core,
        until: Instant,
        stop: Option<&StopToken>,
    ) -> Result<(), Error> {
        match &self.parts.sleeper {
            Sleeper::Timer(timer) => timer.sleep(until, stop).await,
            Sleeper::Given(sleep) => {
                // A runtime takes a duration, not an instant: both clocks may
                // differ.
                let sleep = sleep(until.saturating_duration_since(core.clock.now()));
                StopListener::new(stop).stopped_or(sleep).await;
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pool(pool) => pool.fmt(f),
            Self::Given(_) => f.write_str("Given"),
        }
    }
}

impl fmt::Debug for Sleeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timer(timer) => timer.fmt(f),
            Self::Given(_) => f.write_str("Given"),
        }
    }
}

/// The default number of threads: attempts mostly wait for the network.
const THREADS: usize = 8;
