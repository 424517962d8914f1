//! The options of a wait for many operations, and the ways to take its results.
//!
//! The setters come from `options/setters`. Iteration yields items; `join_all`,
//! `race` and `try_join_all` run the same scheduler and collect them.

use std::fmt;
use std::sync::Arc;

use crate::core::Core;
use crate::error::Error;
#[cfg(feature = "journal")]
use crate::journal::Journal;
use crate::operation_ref::OperationRef;
use crate::options::{
    PollOptions, RequestOptions, concurrency_option, poll_options, rate_option, request_options,
    wait_timeout_options,
};
use crate::poller::{WaitWatch, observer_option};
use crate::retry::RateLimit;
use crate::transport::Rpc;
use crate::types::Operation;
use crate::util::redact::Masked;

use super::finished::Finished;
use super::journaling::JournalWriter;
use super::named::Named;
use super::start::PollPlan;
use super::track::FinishedTrack;

/// A wait for many operations. Nothing is sent before iteration.
///
/// Iterate over it for the operations as they finish, succeeded or failed.
/// [`named`](Self::named) adds the requested
/// names; [`join_all`](Self::join_all), [`race`](Self::race) and
/// [`try_join_all`](Self::try_join_all) collect the operations in other
/// ways. Each operation is waited for as by a [`Poller`](crate::Poller):
/// delays, tolerated errors, timeout and end are the same. An operation that
/// cannot be waited for is an error item, with the name in [`Error::name`], and
/// the others continue.
///
/// **Fewer requests.** Operations with the same parent are polled by pages of
/// 1000 of [`list`](crate::OperationsClient::list) as long as that costs less
/// than a get for each, where a page counts as 8 gets: 10,000 operations take
/// 10 requests a round. The cost is measured in each pass. If other operations
/// crowd the listing, only running ones are listed (`done = false`). If that is
/// not enough, or if the service cannot list or does not allow it, each
/// operation is fetched. An operation on no page is fetched too, so that a
/// deleted one ends with `NOT_FOUND`.
///
/// **At the timeout.** No request is sent after the [total
/// timeout](Self::total_timeout); unfinished operations yield a timeout error
/// immediately: their last poll, or page, was before it. If the caller comes
/// back after it, or the machine slept through it, there is one more look: by
/// pages, or by at most 100 gets, without the rate limit, and for at most one
/// attempt timeout in total.
///
/// **Threads.** The calling thread sleeps, decides and sends requests that
/// follow each other. Up to [`concurrency`](Self::concurrency) threads start if
/// several requests have to be in flight at once; dropping the iterator ends
/// them, after those requests. No new request is sent while the caller
/// processes an item.
///
/// **Memory.** A waiting operation takes about 1.2 KB, and the text of its last
/// state, which [`Error::operation`] returns if the wait ends early.
///
/// A duplicate name is requested once and yielded twice.
///
/// ```
/// # use longrunning::testing::{FakeOperation, FakeServer};
/// # let server = FakeServer::start();
/// # let names: Vec<String> = (0..2500).map(|n| format!("projects/p/operations/{n}")).collect();
/// # for name in &names { server.insert(FakeOperation::new(name).done_after(std::time::Duration::from_secs(60))); }
/// # let client = server.client();
/// use std::time::Duration;
///
/// let mut succeeded = 0;
/// for finished in client.poll_many(&names).total_timeout(Duration::from_secs(3600)).max_rate(10.0) {
///     match finished {
///         Ok(operation) => succeeded += u32::from(operation.error().is_none()),
///         Err(error) => eprintln!("{}: {error}", error.name().unwrap_or("?")),
///     }
/// }
/// assert_eq!(succeeded, 2500);
/// # assert!(server.request_count() < 150, "{}", server.request_count());
/// # Ok::<(), longrunning::Error>(())
/// ```
#[must_use = "no request is sent before iteration, `join_all`, `race` or `try_join_all`"]
pub struct PollMany {
    core: Arc<Core>,
    /// In the order in which they were given, duplicates included.
    targets: Vec<OperationRef>,
    options: RequestOptions,
    poll: PollOptions,
    watch: WaitWatch,
    /// The most requests in flight at once; at least 1.
    concurrency: usize,
    rate: Option<Arc<RateLimit>>,
    journal: Option<JournalWriter>,
}

impl PollMany {
    /// Creates a wait with the options of the client. An invalid name is an
    /// item later.
    pub(crate) fn new(core: &Arc<Core>, targets: impl IntoIterator<Item = impl Into<OperationRef>>) -> Self {
        Self {
            core: Arc::clone(core),
            targets: targets.into_iter().map(|target| target.into().at(core)).collect(),
            options: RequestOptions::default(),
            poll: core.poll.clone(),
            watch: WaitWatch::default(),
            concurrency: CONCURRENCY,
            rate: None,
            journal: None,
        }
    }

    wait_timeout_options!();
    poll_options!();
    request_options!();
    concurrency_option!();
    rate_option!();
    observer_option!();

    /// Keeps the operations in `journal`, so that
    /// [`resume`](crate::OperationsClient::resume) continues with them in
    /// another process, however this one ends.
    ///
    /// All operations are recorded as pending before the first request. An
    /// operation is recorded as finished before it is yielded, and removed
    /// when the caller calls `next` again, which acknowledges it. So a result
    /// is delivered at least once, and again only if the process ended
    /// before that (or if the caller stopped early without
    /// [`Finished::acknowledge`]). This is what the journal
    /// [promises](crate::Journal#what-is-promised-and-what-cannot-be). A
    /// program that cannot process a result twice has to check what it did
    /// the first time.
    ///
    /// - An operation with a result in the journal is not requested: it is
    ///   yielded first, from the journal.
    /// - An error item changes nothing: the operation stays pending, even after
    ///   `NOT_FOUND`, and the next process requests it again, until it is
    ///   [removed](crate::Journal::forget):
    ///   `journal.forget(&client.operation(name).to_pending()?)`.
    /// - [`join_all`](Self::join_all), [`race`](Self::race) and
    ///   [`try_join_all`](Self::try_join_all) record results and remove none:
    ///   the results stay until they are removed, or yielded as items.
    /// - A name that was acknowledged and removed is a new one. Resume the
    ///   operations of the journal, rather than a list of all names.
    /// - An operation without a name, which some services return for work that
    ///   is done at once, is not recorded.
    ///
    /// Each item waits for the disk once. An operation that cannot be recorded
    /// is an error item with
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) and with the operation,
    /// if it is done, and keeps its state in the journal. If the start
    /// cannot be recorded, all operations are such items, and nothing is sent.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # for name in ["operations/1", "operations/2"] { server.insert(FakeOperation::new(name).done_at_poll(3)); }
    /// # let client = server.client();
    /// # let folder = std::env::temp_dir().join(format!("poll-many-journal-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let path = folder.join("jobs.jsonl");
    /// use longrunning::Journal;
    ///
    /// let journal = Journal::open(&path)?;
    /// for finished in client.poll_many(["operations/1", "operations/2"]).journal(&journal) {
    ///     let operation = finished?;
    ///     println!("{}: {}", operation.name(), operation.outcome()); // killed here: given again
    /// }
    /// assert_eq!(client.resume(&journal).into_iter().len(), 0);
    /// # drop(journal);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[cfg(feature = "journal")]
    #[cfg_attr(docsrs, doc(cfg(feature = "journal")))]
    pub fn journal(mut self, journal: &Journal) -> Self {
        self.journal = Some(JournalWriter::new(journal));
        self
    }
}

impl PollMany {
    /// Completes the options with those of the client.
    fn plan(self) -> PollPlan {
        let Self { core, targets, options, poll, watch, concurrency, rate, journal } = self;
        let options = options.check().map(|()| options.over(core.defaults(Rpc::Get)));
        PollPlan { core, targets, options, poll, watch, concurrency, rate, journal }
    }

    /// Iterates over pairs of the requested name and its operation.
    ///
    /// The response of a service may contain another name, such as one with the
    /// number of the project in place of its id. Errors always have the
    /// requested name, in [`Error::name`].
    ///
    /// ```
    /// # use longrunning::{Any, Operation};
    /// # let server = longrunning::testing::FakeServer::start();
    /// # server.reply(Operation::succeeded("projects/424242/operations/1", Any::from_json("{}")?));
    /// # let client = server.client();
    /// for (name, finished) in client.poll_many(["projects/my-project/operations/1"]).named() {
    ///     println!("{name}: {}", finished?.outcome());
    ///     assert_eq!(name, "projects/my-project/operations/1");
    /// }
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn named(self) -> Named {
        Named::new(self.into_iter())
    }

    /// Waits until every operation is done and returns them in the order of
    /// their names, succeeded or failed.
    ///
    /// ```
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/1").done_at_poll(3));
    /// server.insert(FakeOperation::new("operations/2").done_at_poll(2));
    /// let operations = server.client().poll_many(["operations/1", "operations/2"]).join_all()?;
    /// assert_eq!(operations[0].name(), "operations/1");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When all have ended: the error of the first one that could not be waited
    /// for, as for [`Poller::until_done`](crate::Poller::until_done).
    /// Iterate instead to keep those that are done.
    pub fn join_all(self) -> Result<Vec<Operation>, Error> {
        let (mut scheduler, inputs) = self.plan().start();
        let mut found = found_of(scheduler.tracks.len());
        let mut failure = None;
        while let Some(FinishedTrack { track, result, .. }) = scheduler.next() {
            match result {
                Ok(operation) => put(&mut found, track, operation),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or_else(|| Ok(in_order(&found, &inputs)), Err)
    }

    /// Waits until one operation is done, succeeded or failed, and returns it.
    /// The others continue, but are not polled any more.
    ///
    /// ```
    /// use longrunning::testing::{FakeOperation, FakeServer};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/1").done_at_poll(9));
    /// server.insert(FakeOperation::new("operations/2").done_at_poll(2));
    /// let first = server.client().poll_many(["operations/1", "operations/2"]).race()?;
    /// assert_eq!(first.name(), "operations/2");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Config` without any operation; the first error if no operation could be
    /// waited for.
    pub fn race(self) -> Result<Operation, Error> {
        let (mut scheduler, _) = self.plan().start();
        let mut failure = None;
        while let Some(over) = scheduler.next() {
            match over.result {
                Ok(operation) => return Ok(operation),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| Error::config("no operation is given to wait for")))
    }

    /// Waits until every operation has succeeded and returns them in the order
    /// of their names, or ends at the first failure.
    ///
    /// After a failure the others continue, but are not polled any more; the
    /// message says how many there are. They are not cancelled, whatever
    /// [`on_timeout`](Self::on_timeout) is set to.
    ///
    /// ```
    /// use longrunning::testing::{FakeOperation, FakeServer};
    /// use longrunning::{Code, ErrorKind, Status};
    ///
    /// let server = FakeServer::start();
    /// server.insert(FakeOperation::new("operations/1").done_at_poll(9));
    /// server.insert(FakeOperation::new("operations/2").done_at_poll(2).fails(Status::new(Code::Internal, "out of disk")));
    /// let error = server.client().poll_many(["operations/1", "operations/2"]).try_join_all().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Operation);
    /// ```
    ///
    /// # Errors
    ///
    /// `Operation`, with its status, for an operation that failed; `Decode` for
    /// a malformed one; otherwise as for
    /// [`Poller::until_done`](crate::Poller::until_done).
    pub fn try_join_all(self) -> Result<Vec<Operation>, Error> {
        let (mut scheduler, inputs) = self.plan().start();
        let mut found = found_of(scheduler.tracks.len());
        while let Some(FinishedTrack { track, name, result }) = scheduler.next() {
            // The requested name, which may differ from the name in the response.
            let succeeded =
                |operation: Operation| operation.into_succeeded().map_err(|error| error.with_name(&name));
            match result.and_then(succeeded) {
                Ok(operation) => put(&mut found, track, operation),
                Err(error) => {
                    return Err(match scheduler.open {
                        0 => error,
                        1 => error.note("1 other operation continues to run; it is no longer polled"),
                        more => error.note(format_args!(
                            "{more} other operations continue to run; they are no longer polled"
                        )),
                    });
                }
            }
        }
        Ok(in_order(&found, &inputs))
    }
}

impl IntoIterator for PollMany {
    type Item = Result<Operation, Error>;
    type IntoIter = Finished;

    fn into_iter(self) -> Finished {
        Finished::new(self.plan())
    }
}

impl fmt::Debug for PollMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollMany")
            .field("targets", &self.targets.len())
            .field("poll", &Masked(&self.poll))
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// Creates an empty place for each track.
fn found_of(tracks: usize) -> Vec<Option<Operation>> {
    std::iter::repeat_with(|| None).take(tracks).collect()
}

/// Stores an operation in the place of its track.
fn put(found: &mut [Option<Operation>], track: usize, operation: Operation) {
    if let Some(place) = found.get_mut(track) {
        *place = Some(operation);
    }
}

/// Returns the operations in the order of the input, when all are there. A name
/// that was given twice has one track and two places.
fn in_order(found: &[Option<Operation>], inputs: &[usize]) -> Vec<Operation> {
    inputs.iter().filter_map(|track| found.get(*track)?.clone()).collect()
}

/// The default of concurrent requests: enough for some dozens of requests a
/// second, which no service notices.
const CONCURRENCY: usize = 4;
