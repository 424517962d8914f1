//! Bulk cancel and bulk delete.
//!
//! ```text
//! Sweep::run ──> select: lists all pages, keeps the names that match
//!            ──> SweepQueue::run: one call for each name, on a few threads ──> SweepReport
//! ```
//!
//! A sweep has no state between runs, and no effect before the listing is
//! complete. It does not wait until cancelled operations have ended: a cancel
//! is a request ([AIP-151](https://google.aip.dev/151)).

mod execution;
mod report;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::call::{Blocking, Call, ListLimits, RpcRequest};
use crate::core::Core;
use crate::error::Error;
use crate::name::OperationName;
use crate::operation_ref::CallTarget;
use crate::options::{
    RequestOptions, call_timeout_options, concurrency_option, list_options, request_options,
};
use crate::progress::{UnknownAge, created};
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, ListOperationsRequest,
};
use crate::transport::Rpc;
use crate::types::Operation;
use crate::util::stop::StopToken;
use execution::SweepQueue;

pub use report::SweepReport;

/// A bulk cancel or bulk delete. Nothing is sent before [`run`](Self::run).
///
/// [`cancel_all`](crate::OperationsClient::cancel_all) creates one that cancels
/// unfinished operations, [`delete_done`](crate::OperationsClient::delete_done)
/// one that deletes finished ones. First it fetches all pages of the listing.
/// Then it makes one call for each operation that matches, with the usual
/// retries, on a few threads that end before `run` does. A failed call does not
/// affect the others.
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
/// Services differ in what a listing contains, and for how long. Operations
/// that it does not contain are not changed.
#[derive(Clone)]
#[must_use = "nothing is sent before `run`"]
pub struct Sweep {
    core: Arc<Core>,
    listing: Call<ListOperationsRequest>,
    action: SweepAction,
    /// The options of the listing and of each call.
    options: RequestOptions,
    /// The least age; all ages if absent.
    older_than: Option<Duration>,
    dry_run: bool,
    /// The number of threads that send calls, at least 1.
    concurrency: usize,
}

/// The call that is made for each operation.
#[derive(Clone, Copy, PartialEq)]
enum SweepAction {
    Cancel,
    Delete,
}

impl Sweep {
    /// Creates a sweep that cancels unfinished operations.
    pub(crate) fn cancel(core: &Arc<Core>, parent: CallTarget) -> Self {
        Self::new(core, parent, SweepAction::Cancel)
    }

    /// Creates a sweep that deletes finished operations.
    pub(crate) fn delete(core: &Arc<Core>, parent: CallTarget) -> Self {
        Self::new(core, parent, SweepAction::Delete)
    }

    fn new(core: &Arc<Core>, (parent, api_version): CallTarget, action: SweepAction) -> Self {
        Self {
            core: Arc::clone(core),
            listing: Call::new(core, Blocking, parent.map(ListOperationsRequest::from_name)),
            action,
            options: RequestOptions::at_version(api_version),
            older_than: None,
            dry_run: false,
            concurrency: CONCURRENCY,
        }
    }

    request_options!();
    call_timeout_options!();
    list_options!();
    concurrency_option!();

    /// Changes the request of the listing, for the options of lists.
    fn edit_list(self, edit: impl FnOnce(&mut ListOperationsRequest, &mut ListLimits)) -> Self {
        Self { listing: self.listing.edit_list(edit), ..self }
    }

    /// Skips operations that were created less than `age` ago. Default: all
    /// ages.
    ///
    /// The creation time is read from the metadata, under the names that
    /// [`Progress`](crate::Progress) knows (`createTime`, `insertTime`, …,
    /// else `startTime`), if the name of their type contains `Metadata`,
    /// `Operation` or `Progress`: other types are resources with times of
    /// their own. Operations without a known time are skipped, counted in
    /// [`undated`](SweepReport::undated), and explained in
    /// [`undated_reason`](SweepReport::undated_reason).
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Any, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::succeeded("projects/p/operations/1", Any::pack(&())));
    /// let report = server.client().delete_done("projects/p").older_than(Duration::from_secs(86_400)).run()?;
    /// assert_eq!((report.matched, report.undated), (0, 1));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn older_than(mut self, age: Duration) -> Self {
        self.older_than = Some(age);
        self
    }

    /// Lists and reports, but changes nothing. Default: off.
    ///
    /// [`run_with`](Self::run_with) passes each match to its closure, and the
    /// report counts it as not tried.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("projects/p/operations/1"));
    /// let report = server.client().cancel_all("projects/p").dry_run(true).run()?;
    /// assert_eq!((report.matched, report.untried), (1, 1));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Cancels or deletes the operations that match, and returns a report.
    ///
    /// It ends early if it is stopped, or if the first ten calls all fail for a
    /// reason that probably concerns all operations (no permission, no
    /// credentials, no such method). The report counts the rest in
    /// [`untried`](SweepReport::untried).
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::Operation;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("projects/p/operations/1"));
    /// let report = server.client().cancel_all("projects/p").run()?;
    /// assert_eq!((report.succeeded, report.failed), (1, 0));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`list`](crate::OperationsClient::list), if not all pages arrive:
    /// then nothing was changed. Later errors are counted, and
    /// [`run_with`](Self::run_with) passes them on.
    pub fn run(self) -> Result<SweepReport, Error> {
        self.run_with(|_, _| {})
    }

    /// Does the same as [`run`](Self::run), and passes each name with its
    /// result to `handle` as soon as it is known.
    ///
    /// `handle` runs on the calling thread.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    pub fn run_with(self, mut handle: impl FnMut(&str, Result<(), &Error>)) -> Result<SweepReport, Error> {
        let mut report = SweepReport::default();
        let end = self.end();
        // All pages first. If one of them fails, nothing has been changed.
        let (names, version) = self.select(&mut report)?;
        if self.dry_run {
            // The closure sees what would be done.
            names.iter().for_each(|name| handle(name, Ok(())));
            report.untried = names.len();
            return Ok(report);
        }
        let queue = SweepQueue::new(names, self.stop_token(), end, Arc::clone(&self.core.clock));
        let (core, action, mut options) = (self.core, self.action, self.options);
        options.api_version = version;
        report.untried = queue.run(
            self.concurrency,
            move |name| action.run(&core, name, &options),
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

    /// Returns the matching names: all of them before the first call, because
    /// deleting can shift the pages that follow.
    ///
    /// The form of the operations decides at which URLs they are cancelled and
    /// deleted, if nothing else names the service: the version is for that.
    fn select(&self, report: &mut SweepReport) -> Result<(Vec<String>, Option<Arc<str>>), Error> {
        let now = self.core.clock.wall();
        let (mut names, mut version) = (Vec::new(), self.options.api_version.clone());
        // By name: two operations of a service never share one.
        let mut known = HashSet::new();
        let listing = Call { options: self.options.clone(), ..self.listing.clone() };
        for operation in listing {
            let operation = operation?;
            // Operations that start or end meanwhile shift the pages, and one
            // may be on two of them.
            if !known.insert(operation.name().to_owned()) {
                continue;
            }
            report.listed += 1;
            match self.verdict(&operation, now) {
                SweepVerdict::Matches => {
                    if names.is_empty() {
                        version = self.core.version_for(version, Some(&operation));
                    }
                    names.push(operation.name().to_owned());
                }
                SweepVerdict::Skipped => report.skipped += 1,
                SweepVerdict::Undated(reason) => {
                    report.undated += 1;
                    report.undated_reason.get_or_insert_with(|| reason.to_string());
                }
            }
        }
        report.matched = names.len();
        Ok((names, version))
    }

    /// Returns when no more calls are started.
    fn end(&self) -> Option<Instant> {
        self.core.clock.now().checked_add(self.listing.limits.iteration_timeout?)
    }

    /// Returns the stop token of the sweep, else that of list calls of the
    /// client.
    fn stop_token(&self) -> Option<StopToken> {
        self.options.stop.as_ref().or(self.core.defaults(Rpc::List).stop.as_ref()).cloned()
    }

    /// Decides about one operation: by its state first, because a running
    /// operation must not be deleted, whatever its age.
    fn verdict(&self, operation: &Operation, now: SystemTime) -> SweepVerdict {
        // The state was read a moment ago. An operation that ends meanwhile is
        // not harmed by a cancel, and no running one is deleted.
        if operation.is_done() != self.action.wants_done() {
            return SweepVerdict::Skipped;
        }
        let Some(age) = self.older_than else { return SweepVerdict::Matches };
        match created(operation) {
            // An operation from the future, by another clock, is young.
            Ok(time) if now.duration_since(time).is_ok_and(|old| old >= age) => SweepVerdict::Matches,
            Ok(_) => SweepVerdict::Skipped,
            Err(reason) => SweepVerdict::Undated(reason),
        }
    }
}

impl SweepAction {
    /// Returns whether the action is for operations that are done.
    fn wants_done(self) -> bool {
        self == Self::Delete
    }

    /// Makes the call for one operation, with its retries.
    fn run(self, core: &Arc<Core>, name: &str, options: &RequestOptions) -> Result<(), Error> {
        match self {
            Self::Cancel => call::<CancelOperationRequest>(core, name, options).run(),
            Self::Delete => call::<DeleteOperationRequest>(core, name, options).run(),
        }
    }
}

/// Returns the call for a name. An invalid name is an error of that call, not
/// of the sweep.
fn call<R: RpcRequest>(core: &Arc<Core>, name: &str, options: &RequestOptions) -> Call<R> {
    let request = OperationName::try_from(name).map(R::from_name);
    Call { options: options.clone(), ..Call::new(core, Blocking, request) }
}

/// Whether an operation is selected.
enum SweepVerdict {
    Matches,
    Skipped,
    /// An age is required, and that of the operation is unknown.
    Undated(UnknownAge),
}

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep")
            .field("deletes", &self.action.wants_done())
            .field("older_than", &self.older_than)
            .field("dry_run", &self.dry_run)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// The default concurrency: some dozens of calls per second, which is within
/// the quota of any service.
const CONCURRENCY: usize = 4;
