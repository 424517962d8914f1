//! Many operations put away at once.

mod execution;
mod report;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::call::{Blocking, Call, Request};
use crate::core::Core;
use crate::error::Error;
use crate::name::OperationName;
use crate::progress::{UnknownAge, created};
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, ListOperationsRequest,
};
use crate::retry::RetryPolicy;
use crate::stop::StopToken;
use crate::types::Operation;
use execution::SweepQueue;

pub use report::SweepReport;

/// A clean-up of many operations that is put together and not begun yet.
///
/// Made by [`cancel_all`](crate::OperationsClient::cancel_all), which cancels those that are not done, and
/// [`delete_done`](crate::OperationsClient::delete_done), which deletes those that are. First it lists them, all
/// pages; then it makes one call for each that matches, with retries as usual, on a few threads that end before
/// [`run`](Self::run) does. An operation that fails does not keep it from the others.
///
/// ```
/// # use longrunning::testing::FakeServer;
/// # use longrunning::Operation;
/// # let server = FakeServer::start();
/// # server.insert(Operation::succeeded("projects/p/operations/1", longrunning::Any::from_json("{}")?));
/// # server.insert(Operation::running("projects/p/operations/2"));
/// # let client = server.client();
/// let report = client.delete_done("projects/p").run_with(|name, result| match result {
///     Ok(()) => println!("deleted {name}"),
///     Err(error) => eprintln!("{error}"),
/// })?;
/// println!("{report}");
/// assert_eq!(report.to_string(), "2 listed, 1 matched: 1 done, 0 failed, 0 not tried");
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// Services disagree about what a listing shows, and for how long: what it does not show is not touched.
#[derive(Clone)]
#[must_use = "nothing is sent before `run`"]
pub struct Sweep {
    core: Arc<Core>,
    listing: Call<ListOperationsRequest>,
    each: SweepCall,
    older_than: Option<Duration>,
    dry_run: bool,
    concurrency: usize,
    stop: Option<StopToken>,
}

/// Sets an option of either call.
macro_rules! with {
    ($each:expr, $option:ident($($value:expr),+)) => {
        match $each {
            SweepCall::Cancel(call) => SweepCall::Cancel(call.$option($($value),+)),
            SweepCall::Delete(call) => SweepCall::Delete(call.$option($($value),+)),
        }
    };
}

/// The call that is made for each operation, but for the name.
#[derive(Clone)]
enum SweepCall {
    Cancel(Call<CancelOperationRequest>),
    Delete(Call<DeleteOperationRequest>),
}

impl Sweep {
    pub(crate) fn cancel(core: &Arc<Core>, parent: Result<OperationName, Error>) -> Self {
        let request = parent.clone().map(CancelOperationRequest::from_name);
        Self::new(core, parent, SweepCall::Cancel(Call::new(core, Blocking, request)))
    }

    pub(crate) fn delete(core: &Arc<Core>, parent: Result<OperationName, Error>) -> Self {
        let request = parent.clone().map(DeleteOperationRequest::from_name);
        Self::new(core, parent, SweepCall::Delete(Call::new(core, Blocking, request)))
    }

    fn new(core: &Arc<Core>, parent: Result<OperationName, Error>, each: SweepCall) -> Self {
        Self {
            core: Arc::clone(core),
            listing: Call::new(core, Blocking, parent.map(ListOperationsRequest::from_name)),
            each,
            older_than: None,
            dry_run: false,
            concurrency: 4,
            stop: None,
        }
    }

    /// Lists only what the service's own filter language selects. Default: everything.
    ///
    /// What comes is checked all the same: only operations that are done are deleted, and only others cancelled.
    pub fn filter(self, filter: impl Into<String>) -> Self {
        Self { listing: self.listing.filter(filter), ..self }
    }

    /// Asks for at most `page_size` operations a page; the service may give fewer. Default: its own choice.
    pub fn page_size(self, page_size: i32) -> Self {
        Self { listing: self.listing.page_size(page_size), ..self }
    }

    /// Skips operations that were created less than `age` ago. Default: all ages.
    ///
    /// The time of creation is read from the metadata, under the names that [`Progress`](crate::Progress) knows
    /// (`createTime`, `insertTime`, …, else `startTime`), if the name of their type contains `Metadata`, `Operation` or
    /// `Progress`: other types are resources with times of their own. Operations without a known time are skipped,
    /// counted in [`undated`](SweepReport::undated), and explained in [`undated_reason`](SweepReport::undated_reason).
    pub fn older_than(mut self, age: Duration) -> Self {
        self.older_than = Some(age);
        self
    }

    /// Lists and reports, and changes nothing. Default: off.
    ///
    /// What matches is handed over by [`run_with`](Self::run_with) and counted as not tried.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Sets how many calls are made at the same time: 1 to 64. Default: 4.
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.clamp(1, MOST_THREADS);
        self
    }

    /// Replaces the client's [`RetryPolicy`] for the listing and for each call.
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self { listing: self.listing.retry(retry.clone()), each: with!(self.each, retry(retry)), ..self }
    }

    /// Charges quota and billing to `project`, as [`Call::quota_project`].
    pub fn quota_project(self, project: &str) -> Self {
        Self {
            listing: self.listing.quota_project(project),
            each: with!(self.each, quota_project(project)),
            ..self
        }
    }

    /// Sends a header along with every request, as [`Call::header`].
    pub fn header(self, name: &str, value: &str) -> Self {
        Self {
            listing: self.listing.header(name, value),
            each: with!(self.each, header(name, value)),
            ..self
        }
    }

    /// Begins no more calls when `token` is stopped, and ends those that are under way.
    pub fn stop(self, token: &StopToken) -> Self {
        let (listing, each) = (self.listing.stop(token), with!(self.each, stop(token)));
        Self { listing, each, stop: Some(token.clone()), ..self }
    }

    /// Cleans up and says what came of it.
    ///
    /// Ends early, with the rest in [`untried`](SweepReport::untried), when it was stopped, or when the first ten
    /// calls all fail for a reason that hardly concerns one operation alone (no permission, no credentials, no
    /// such method).
    ///
    /// # Errors
    ///
    /// As for [`list`](crate::OperationsClient::list), if not all pages arrive: then nothing was changed. What fails
    /// after that is told by [`run_with`](Self::run_with) and counted.
    pub fn run(self) -> Result<SweepReport, Error> {
        self.run_with(|_, _| {})
    }

    /// Cleans up like [`run`](Self::run) and hands over each name with what came of it, as it comes.
    ///
    /// `handle` runs on the calling thread.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    pub fn run_with(self, mut handle: impl FnMut(&str, Result<(), &Error>)) -> Result<SweepReport, Error> {
        let mut report = SweepReport::default();
        let names = self.select(&mut report)?;
        if self.dry_run {
            names.iter().for_each(|name| handle(name, Ok(())));
            report.untried = names.len();
            return Ok(report);
        }
        let each = self.each;
        report.untried = SweepQueue::new(names, self.stop).run(
            self.concurrency,
            move |name| each.run(name),
            |name, result| {
                handle(&name, result.as_ref().copied());
                match result {
                    Ok(()) => report.succeeded += 1,
                    Err(error) => {
                        report.failed += 1;
                        report.first_error.get_or_insert(error);
                    }
                }
            },
        );
        Ok(report)
    }

    /// The names to act on: all of them before the first call, because deleting can shift the pages that follow.
    fn select(&self, report: &mut SweepReport) -> Result<Vec<String>, Error> {
        let now = self.core.clock.wall();
        let mut names = Vec::new();
        let mut known = HashSet::new();
        for operation in self.listing.clone() {
            let operation = operation?;
            // What comes or goes meanwhile shifts the pages, and an operation may be on two.
            if !known.insert(operation.name().to_owned()) {
                continue;
            }
            report.listed += 1;
            match self.verdict(&operation, now) {
                SweepVerdict::Matches => names.push(operation.name().to_owned()),
                SweepVerdict::Skipped => report.skipped += 1,
                SweepVerdict::Undated(reason) => {
                    report.undated += 1;
                    report.undated_reason.get_or_insert_with(|| reason.to_string());
                }
            }
        }
        report.matched = names.len();
        Ok(names)
    }

    fn verdict(&self, operation: &Operation, now: SystemTime) -> SweepVerdict {
        if operation.is_done() != self.each.wants_done() {
            return SweepVerdict::Skipped;
        }
        let Some(age) = self.older_than else { return SweepVerdict::Matches };
        match created(operation) {
            // What was made in the future, by another clock, is young.
            Ok(time) if now.duration_since(time).is_ok_and(|old| old >= age) => SweepVerdict::Matches,
            Ok(_) => SweepVerdict::Skipped,
            Err(reason) => SweepVerdict::Undated(reason),
        }
    }
}

impl SweepCall {
    fn wants_done(&self) -> bool {
        matches!(self, Self::Delete(_))
    }

    fn run(&self, name: &str) -> Result<(), Error> {
        match self {
            Self::Cancel(call) => call.for_name(name).run(),
            Self::Delete(call) => call.for_name(name).run(),
        }
    }
}

enum SweepVerdict {
    Matches,
    Skipped,
    Undated(UnknownAge),
}

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep")
            .field("deletes", &self.each.wants_done())
            .field("older_than", &self.older_than)
            .field("dry_run", &self.dry_run)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// Enough for any service's quota.
const MOST_THREADS: usize = 64;
