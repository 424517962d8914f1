//! Waiting for many operations at once.

mod finished;
mod group;
#[cfg(feature = "journal")]
mod journaling;
#[cfg(not(feature = "journal"))]
#[path = "journaling_off.rs"]
mod journaling;
mod named;
mod rate;
mod request;
mod scheduler;
mod start;
mod track;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;
use crate::error::Error;
#[cfg(feature = "journal")]
use crate::journal::Journal;
use crate::options::CallOptions;
use crate::poller::{OnTimeout, Target, WaitOptions};
use crate::retry::{Backoff, RateLimit};
use crate::stop::StopToken;
use crate::transport::{Compression, Rpc};
use crate::types::Operation;
use journaling::JournalWriter;
use track::FinishedTrack;

pub use finished::Finished;
pub use named::Named;

/// A wait for many operations that is put together and not begun yet.
///
/// Iterate over it for the operations as they finish, succeeded or failed, by [`named`](Self::named) with the names that
/// were asked for, or take [`all`](Self::all), [`any`](Self::any) or [`first_error`](Self::first_error). What is true
/// of a [`Poller`](crate::Poller) is true of each of the waits: the delays, what is borne, the time limit, how it ends.
/// An operation that cannot be waited for is an error item, with the name in [`Error::name`], and the others go on.
///
/// **Fewer requests.** Operations with the same parent are asked for by pages of 1000 of
/// [`list`](crate::OperationsClient::list) as long as that costs less than a get each, where a page counts as 8
/// gets: 10,000 operations take 10 requests a round. What pages take is learned from each pass. Where other
/// operations crowd the listing, those that are running are listed (`done = false`); where that is not enough,
/// and where the service does not list or does not allow it, each operation is got. An operation that the pages
/// do not have is got too, so that one that was deleted ends with `NOT_FOUND` as ever.
///
/// **At the limit.** Nobody is asked for after the [total timeout](Self::total_timeout), and whoever is not done ends at
/// once: its last poll, or page, was in front of the limit. A caller who comes back after it, or a machine that slept
/// through it, looks once more: by pages, or by at most 100 gets, without waiting for the turn of a rate limit, and for
/// at most one attempt timeout in all.
///
/// **Threads.** The calling thread sleeps, decides and sends what can be sent one after the other. Up to
/// [`workers`](Self::workers) threads are started when several requests have to be under way at a time; dropping
/// the iterator ends them, after the requests under way. Nothing new is asked while the caller is busy with an item.
///
/// **Memory.** A waiting operation takes about 1.2 KB, and the text of its last state, which the error of a wait that
/// ends early has in [`Error::operation`].
///
/// A name that was given twice is asked for once and yielded twice.
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
#[must_use = "nothing is asked before iteration, `all`, `any` or `first_error`"]
pub struct PollMany {
    core: Arc<Core>,
    targets: Vec<Target>,
    options: CallOptions,
    wait: WaitOptions,
    workers: usize,
    rate: Option<Arc<RateLimit>>,
    observer: Option<Observer>,
    journal: Option<JournalWriter>,
    error: Option<Error>,
}

type Observer = Box<dyn FnMut(&Operation) + Send>;

impl PollMany {
    pub(crate) fn new(core: &Arc<Core>, targets: impl IntoIterator<Item = impl Into<Target>>) -> Self {
        Self {
            core: Arc::clone(core),
            targets: targets.into_iter().map(|target| target.into().at(core)).collect(),
            options: core.defaults(Rpc::Get),
            wait: WaitOptions::default(),
            workers: WORKERS,
            rate: None,
            observer: None,
            journal: None,
            error: None,
        }
    }

    /// Limits the whole wait, for all operations together. Default: 24 hours.
    ///
    /// Those that are not done by then are error items. See [`Poller::total_timeout`](crate::Poller::total_timeout).
    pub fn total_timeout(mut self, total_timeout: Duration) -> Self {
        self.wait.total_timeout = Some(total_timeout);
        self
    }

    /// Waits for as long as it takes, in place of 24 hours.
    pub fn forever(mut self) -> Self {
        self.wait.total_timeout = None;
        self
    }

    /// Limits one request, be it for an operation or for a page. Default: the client's, which is 10 s.
    pub fn attempt_timeout(mut self, attempt_timeout: Duration) -> Self {
        self.options.attempt_timeout = attempt_timeout;
        self
    }

    /// Replaces the delays between polls, which each operation starts afresh.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.wait.backoff = backoff;
        self
    }

    /// Bears so many errors in a row; see [`Poller::max_failures`](crate::Poller::max_failures). Default: 5.
    ///
    /// After so many of a listing, the operations are got one by one.
    pub fn max_failures(mut self, max_failures: u32) -> Self {
        self.wait.max_failures = max_failures;
        self
    }

    /// Bears so long a time in which every poll fails; see [`Poller::max_outage`](crate::Poller::max_outage).
    /// Default: as long as the wait lasts.
    pub fn max_outage(mut self, max_outage: Duration) -> Self {
        self.wait.max_outage = Some(max_outage);
        self
    }

    /// Bears `NOT_FOUND` of an operation for so long after the start of the wait. Default: zero.
    pub fn not_found_grace(mut self, grace: Duration) -> Self {
        self.wait.not_found_grace = grace;
        self
    }

    /// Limits how long one hint of the server can pause the polls. Default: 5 minutes.
    ///
    /// A hint (`Retry-After`, [`RetryInfo`](crate::rpc::RetryInfo), `grpc-retry-pushback-ms`) is a floor for the next delay.
    /// Without a limit a maintenance page that says "in a day" would silence a wait for a day. With zero hints are ignored.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer, Reply};
    /// # let server = FakeServer::start();
    /// # server.insert(FakeOperation::new("operations/42"));
    /// # let client = server.client();
    /// use std::time::Duration;
    ///
    /// server.reply(Reply::status(503).header("retry-after", "86400"));
    /// let minute = Duration::from_secs(60);
    /// let done = client.poll_many(["operations/42"]).max_hint(minute).all()?;
    /// assert_eq!(server.sleeps(), [minute]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn max_hint(mut self, max_hint: Duration) -> Self {
        self.wait.max_hint = max_hint;
        self
    }

    /// Decides what becomes of operations that outlast the wait. Default: [`OnTimeout::Leave`].
    pub fn on_timeout(mut self, on_timeout: OnTimeout) -> Self {
        self.wait.on_timeout = on_timeout;
        self
    }

    /// Ends the wait when `token` is stopped: whatever is not done is then an error item, with
    /// [`ErrorKind::Stopped`](crate::ErrorKind::Stopped).
    pub fn stop(mut self, token: &StopToken) -> Self {
        self.options.stop = Some(token.clone());
        self
    }

    /// Charges quota and billing of the polls to `project`.
    pub fn quota_project(mut self, project: &str) -> Self {
        let set = self.options.set_quota_project(project);
        self.check(set)
    }

    /// Sends a header along with each poll; see [`Call::header`](crate::Call::header).
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let set = self.options.add_header(name, value);
        self.check(set)
    }

    /// Sets how the requests are compressed. Default: the client's choice. Has no effect over REST.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.options.compression = compression;
        self
    }

    /// Sets how many requests may be under way at a time. Default: 4.
    ///
    /// With 1, which 0 counts as too, everything happens on the calling thread.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Limits how many polls a second are made, pages included. Default: no limit but the
    /// [client's](crate::OperationsClientBuilder::max_rate), which counts as well.
    ///
    /// A number that is not positive and finite is an error, which takes the place of all items.
    pub fn max_rate(mut self, per_second: f64) -> Self {
        let set = RateLimit::new(per_second).map(|limit| self.rate = Some(Arc::new(limit)));
        self.check(set)
    }

    /// Calls `observer` with the state of an operation whenever a poll brought a new one, the first and the last
    /// included, from the thread that iterates.
    ///
    /// ```
    /// # use longrunning::testing::{FakeOperation, FakeServer};
    /// # let server = FakeServer::start();
    /// # server.insert(FakeOperation::new("operations/1").done_at_poll(3));
    /// # server.insert(FakeOperation::new("operations/2").done_at_poll(2));
    /// # let client = server.client();
    /// use std::collections::BTreeMap;
    /// use std::sync::{Arc, Mutex};
    ///
    /// // In a program: one progress bar for each operation.
    /// let bars = Arc::new(Mutex::new(BTreeMap::new()));
    /// let shown = Arc::clone(&bars);
    /// client
    ///     .poll_many(["operations/1", "operations/2"])
    ///     .on_update(move |operation| *shown.lock().unwrap().entry(operation.name().to_owned()).or_insert(0) += 1)
    ///     .all()?;
    /// assert_eq!(format!("{:?}", bars.lock().unwrap()), r#"{"operations/1": 3, "operations/2": 2}"#);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn on_update(mut self, observer: impl FnMut(&Operation) + Send + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Keeps the operations in `journal`, so that [`resume`](crate::OperationsClient::resume) goes on with them in
    /// another process, however this one ends.
    ///
    /// Before the first request all are recorded as pending. An item that is an operation is recorded as finished before
    /// it is given, and forgotten when the caller comes back for the next one: then it is dealt with. So a result is
    /// given at least once, and again only if the process ended before the caller came back (or the caller, by `break`,
    /// never did, without [`Finished::acknowledge`]). This is what the journal
    /// [promises](crate::Journal#what-is-promised-and-what-cannot-be); whoever cannot bear a second time has to
    /// check what was done the first time.
    ///
    /// - What has a result in the journal already is not asked for: it is given first, from there.
    /// - An error item changes nothing: the operation stays pending, also after `NOT_FOUND`, and is asked for again by
    ///   the next process, until it is [forgotten](crate::Journal::forget):
    ///   `journal.forget(&client.operation(name).to_pending()?)`.
    /// - [`all`](Self::all), [`any`](Self::any) and [`first_error`](Self::first_error) record, and forget nothing: the
    ///   results stay until they are forgotten, or given as items.
    /// - A name that was given and forgotten is a new one. Resume what the journal has, rather than a list of
    ///   all names.
    /// - An operation without a name, as services give it where the work was done at once, is not recorded.
    ///
    /// Each item waits for the disk once. An operation that cannot be recorded is an error item with
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) and with the operation, if it is done, and remains what it is in
    /// the journal; if the beginning cannot be recorded, all are, and nothing is asked.
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

    /// Keeps the first thing that is wrong.
    fn check(mut self, set: Result<(), Error>) -> Self {
        self.error = self.error.or(set.err());
        self
    }
}

impl PollMany {
    /// Iterates with the names that were asked for beside the operations.
    ///
    /// A service may answer under another name: with the number of the project in place of its id, say. Errors have the
    /// name that was asked for in any case, in [`Error::name`].
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

    /// Blocks until every operation is done and gives them in the order of their names, succeeded or failed.
    ///
    /// # Errors
    ///
    /// When all are done or given up: the error of the first that could not be waited for, as for
    /// [`Poller::until_done`](crate::Poller::until_done). Iterate to keep those that are done.
    pub fn all(self) -> Result<Vec<Operation>, Error> {
        let (mut scheduler, inputs) = self.start();
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

    /// Blocks until an operation is done, succeeded or failed, and gives it. The others are not asked for any more, and
    /// go on.
    ///
    /// # Errors
    ///
    /// `Config` when there is nothing to wait for; the first error when no operation could be waited for.
    pub fn any(self) -> Result<Operation, Error> {
        let (mut scheduler, _) = self.start();
        let mut failure = None;
        while let Some(over) = scheduler.next() {
            match over.result {
                Ok(operation) => return Ok(operation),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| Error::config("no operation is given to wait for")))
    }

    /// Blocks until every operation has succeeded and gives them in the order of their names, or ends at the first
    /// that has not.
    ///
    /// Then the others are not asked for any more, and go on: the message says how many there are. They are not
    /// cancelled either, whatever [`on_timeout`](Self::on_timeout) says.
    ///
    /// # Errors
    ///
    /// `Operation`, with its status, for an operation that failed; `Decode` for one that is done in a way that makes
    /// no sense; else as for [`Poller::until_done`](crate::Poller::until_done).
    pub fn first_error(self) -> Result<Vec<Operation>, Error> {
        let (mut scheduler, inputs) = self.start();
        let mut found = found_of(scheduler.tracks.len());
        while let Some(FinishedTrack { track, name, result }) = scheduler.next() {
            // The name that was asked for, which need not be that of the answer.
            let succeeded =
                |operation: Operation| operation.into_succeeded().map_err(|error| error.with_name(&name));
            match result.and_then(succeeded) {
                Ok(operation) => put(&mut found, track, operation),
                Err(error) => {
                    return Err(match scheduler.open {
                        0 => error,
                        1 => error.note("1 other operation goes on and is not waited for any longer"),
                        more => error.note(format_args!(
                            "{more} other operations go on and are not waited for any longer"
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
        Finished::new(self)
    }
}

impl fmt::Debug for PollMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollMany")
            .field("targets", &self.targets.len())
            .field("wait", &self.wait)
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

fn found_of(tracks: usize) -> Vec<Option<Operation>> {
    std::iter::repeat_with(|| None).take(tracks).collect()
}

fn put(found: &mut [Option<Operation>], track: usize, operation: Operation) {
    if let Some(place) = found.get_mut(track) {
        *place = Some(operation);
    }
}

/// Every track is there by now.
fn in_order(found: &[Option<Operation>], inputs: &[usize]) -> Vec<Operation> {
    inputs.iter().filter_map(|track| found.get(*track)?.clone()).collect()
}

/// Enough to ask for some dozens of operations in a second, little enough to burden nobody.
const WORKERS: usize = 4;
