//! The known states of the operations of a wait, and what is printed of them.
//!
//! [`RunningWait`] is the one place where events meet the display, the results
//! and the journal. It knows no threads and no signals, so it can be driven by
//! any sequence of events.

use std::time::Instant;

use longrunning::{Error, Operation};

use crate::args::{self, Globals, OnTimeoutArg, WaitArgs};
use crate::exit::Exit;
use crate::names;
use crate::output;
use crate::progress::{MANY, Trouble, WaitDisplay, WaitEnd};
use crate::redact::name_for_display;
use crate::signals::Suspension;
use crate::url::origin;

use super::events::PollNews;
use super::record::{WaitJob, WaitRecord};
use super::results::Results;

/// The state of the whole wait.
///
/// For each operation: *reached* once a poll has found it, then *ended* with
/// its result. *Settled* means that the command to continue with leaves it out:
/// it is done, it does not exist, or it would fail at once again. An operation
/// that still runs at the timeout has ended, and is not settled.
pub(super) struct RunningWait<'a> {
    globals: &'a Globals,
    args: &'a WaitArgs,
    jobs: Vec<WaitJob>,
    /// Whether there is nothing more to wait for, by the number of the
    /// operation.
    settled: Vec<bool>,
    /// Whether a poll has found the operation, by its number.
    reached: Vec<bool>,
    /// What the operator sees.
    progress: WaitDisplay,
    /// The exit status so far, and what is still to be written.
    results: Results,
    /// The zero of all times of the display.
    start: Instant,
}

impl<'a> RunningWait<'a> {
    /// Begins the wait: its time counts from here.
    pub(super) fn new(
        globals: &'a Globals,
        args: &'a WaitArgs,
        jobs: Vec<WaitJob>,
        record: WaitRecord,
    ) -> Self {
        Self {
            globals,
            args,
            settled: vec![false; jobs.len()],
            reached: vec![false; jobs.len()],
            progress: WaitDisplay::new(
                globals,
                &jobs.iter().map(|job| name_for_display(&job.place.name)).collect::<Vec<_>>(),
            ),
            jobs,
            results: Results::new(globals, record),
            start: Instant::now(),
        }
    }

    /// Takes what a poll has found out: a new state, a failure, a pause that
    /// the service requests.
    ///
    /// A failure counts from the first failed poll of a row. The display shows
    /// the trouble beside the latest state, which stays valid.
    pub(super) fn news(&mut self, number: usize, news: &PollNews) {
        let (Some(job), elapsed) = (self.jobs.get(number), self.start.elapsed()) else { return };
        if let Some(reached) = self.reached.get_mut(number) {
            *reached = *reached || news.operation.is_some();
        }
        // Troubles are grouped by host, which is what can be down.
        let (_, host) = origin(&job.place.service.endpoint);
        let fault = news.fault.as_ref();
        let fault = fault.map(|(error, lasts)| Trouble::fault(&host, error, elapsed.saturating_sub(*lasts)));
        // A pause without a fault is worth a word too: otherwise a wait looks
        // stuck.
        let trouble = fault.or_else(|| news.pause.map(|_| Trouble::pause(&host, elapsed)));
        let trouble = trouble.map(|trouble| trouble.until(news.pause.map(|pause| elapsed + pause)));
        self.progress.troubled(number, trouble);
        if let (Some(operation), None) = (&news.operation, &news.fault) {
            self.progress.seen(number, operation, news.is_held, elapsed);
        }
    }

    /// Brings the display up to date.
    pub(super) fn refresh(&mut self) {
        if !self.is_over() {
            self.progress.refresh(self.start.elapsed());
        }
    }

    /// Whether there is a display that is drawn over and over.
    pub(super) fn is_drawn(&self) -> bool {
        self.progress.is_drawn()
    }

    /// Takes the display away for Ctrl-Z, or brings it back.
    pub(super) fn suspended(&mut self, suspension: Suspension) {
        self.progress.suspended(suspension);
    }

    /// Takes the end of an operation: it is done, or cannot be waited for any
    /// longer.
    pub(super) fn ended(&mut self, number: usize, result: Result<Operation, Error>) {
        let Some(job) = self.jobs.get(number) else { return };
        let finished = self.results.take(job, result);
        // What is over for this wait only can be gone on with, but not what would fail
        // at once again.
        let given_up = finished.fails_again() && self.args.journal.is_none();
        if let Some(entry) = self.settled.get_mut(number) {
            *entry = finished.is_settled() || given_up;
        }
        let end = finished.end();
        self.progress.ended(number, end, self.start.elapsed());
        // The summary counts them, and the command to continue with names them.
        let is_left = end == WaitEnd::Running && self.args.on_timeout == OnTimeoutArg::Leave;
        let is_summed_up = is_left && self.jobs.len() > MANY && self.progress.sums_up();
        if !is_summed_up {
            self.results.show(&mut self.progress, job, &finished, self.jobs.len() == 1);
        }
    }

    /// Shows a result that an earlier process wrote down and may not have
    /// shown.
    pub(super) fn tell_again(&mut self, job: &WaitJob, operation: Operation) {
        let finished = self.results.take(job, Ok(operation));
        self.results.show(&mut self.progress, job, &finished, false);
    }

    /// Returns whether every operation has ended.
    pub(super) fn is_over(&self) -> bool {
        self.progress.is_over()
    }

    /// Ends the wait: prints the summary and how to continue, and returns the
    /// exit status.
    pub(super) fn over(&mut self) -> Exit {
        self.progress.sum_up(self.start.elapsed());
        self.tell_how_to_go_on();
        self.results.exit()
    }

    /// Says, after a signal, how many operations are left. "Continue to run" is
    /// said only of those that a poll has found: of the others nothing is
    /// known.
    ///
    /// ```text
    /// lro: interrupted; 2 of 3 operations are not done and continue to run
    /// lro: interrupted; the state of 1 of 3 operations is unknown
    /// ```
    pub(super) fn interrupted(&mut self) {
        self.progress.close();
        let left = self.settled.iter().zip(&self.reached).filter(|(settled, _)| !**settled);
        let (running, unknown): (Vec<_>, Vec<_>) = left.partition(|(_, reached)| **reached);
        let all = self.jobs.len();
        output::say(&match (running.len(), unknown.len()) {
            (running, 0) => {
                format!("interrupted; {running} of {all} operations are not done and continue to run")
            }
            (0, unknown) => format!("interrupted; the state of {unknown} of {all} operations is unknown"),
            (running, unknown) => format!(
                "interrupted; {running} of {all} operations are not done and continue to run, the state of {unknown} is unknown"
            ),
        });
        self.tell_how_to_go_on();
    }

    /// Prints the command that continues the wait with the operations that are
    /// not settled; nothing if there are none.
    ///
    /// ```text
    /// lro: continue with: lro --endpoint run.googleapis.com wait projects/p/locations/l/operations/42
    /// ```
    fn tell_how_to_go_on(&self) {
        let left = self.jobs.iter().zip(&self.settled).filter(|(_, settled)| !**settled);
        // As the user gave them: a URL stays a URL, since a name may not be
        // enough to find its service.
        let names: Vec<String> = left.map(|(job, _)| job.place.given.clone()).collect();
        // Of no use without a journal, which keeps them.
        let unwritten = self.args.journal.as_ref().map_or(0, |_| self.results.unwritten());
        if unwritten > 0 {
            output::say(&format!("results that were not written: {unwritten}; the journal keeps them"));
        }
        if !names.is_empty() || unwritten > 0 {
            let endpoint = names::default_endpoint();
            let line = args::resume(self.globals, self.args, &names, endpoint.as_deref());
            output::say(&format!("continue with: {line}"));
            if self.jobs.iter().any(|job| job.place.service.key.is_some()) {
                output::say("the API key of the URL is not repeated: set LRO_API_KEY to it");
            }
        }
    }
}
