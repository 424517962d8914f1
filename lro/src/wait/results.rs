//! The results of a wait: what they mean for the exit status, where they are
//! written, and when the journal may let go of them.
//!
//! A result takes three steps, and a crash between any two loses nothing:
//!
//! - the journal records it ([`Results::take`]);
//! - it is printed ([`Results::show`]);
//! - the journal forgets it, if it was printed.
//!
//! If the program is killed between the second and the third, the next wait
//! prints it again. That is the lesser harm.

use longrunning::{Code, Error, ErrorKind, Operation, Outcome, Progress};

use crate::args::Globals;
use crate::exit::Exit;
use crate::failure::CommandFailure;
use crate::output::{self, StandardOutput};
use crate::progress::{WaitDisplay, WaitEnd};
use crate::redact::name_for_display;

use super::record::{WaitJob, WaitRecord};

/// Where results go, and what follows from those that came so far.
pub(super) struct Results {
    /// The journal.
    record: WaitRecord,
    /// Where operations are printed.
    output: StandardOutput,
    /// The status of the gravest end so far.
    exit: Exit,
    /// How many results were not written.
    unwritten: usize,
}

impl Results {
    /// Begins with no results and status 0.
    pub(super) fn new(globals: &Globals, record: WaitRecord) -> Self {
        Self { record, output: StandardOutput::new(globals), exit: Exit::Success, unwritten: 0 }
    }

    /// Takes the end of one operation: counts it for the exit status, which
    /// nothing that is written afterwards may change, and writes the result to
    /// the journal.
    ///
    /// A wait that failed is not recorded: the operation is still pending, and
    /// another wait may succeed.
    pub(super) fn take(&mut self, job: &WaitJob, result: Result<Operation, Error>) -> FinishedJob {
        // The status is decided before anything is written: a full disk must
        // not turn a failed operation into another status.
        let failure = failure_of(job, &result);
        self.exit = self.exit.and(failure.as_ref().map_or(Exit::Success, CommandFailure::exit));
        if let Ok(operation) = &result {
            self.check(self.record.finish(job, operation));
        }
        FinishedJob { result, failure }
    }

    /// Shows the end of one operation, and lets the journal forget it if it was
    /// shown and no other wait can find out more.
    pub(super) fn show(
        &mut self,
        progress: &mut WaitDisplay,
        job: &WaitJob,
        finished: &FinishedJob,
        single: bool,
    ) {
        let output = &mut self.output;
        match progress.above(|| finished.show(output, single)) {
            true if finished.is_settled() => self.check(self.record.forget(job)),
            true => {}
            // The journal keeps it, so that the next wait prints it.
            false => self.unwritten += 1,
        }
    }

    /// Returns the status of the gravest end so far.
    pub(super) fn exit(&self) -> Exit {
        self.exit
    }

    /// How many results could not be written. With a journal, the next wait
    /// writes them.
    pub(super) fn unwritten(&self) -> usize {
        self.unwritten
    }

    /// Reports what is wrong with the journal. It does not end the wait, which
    /// can still find out the outcomes.
    fn check(&mut self, recorded: Result<(), CommandFailure>) {
        if let Err(failure) = recorded {
            self.exit = self.exit.and(failure.tell());
        }
    }
}

/// The end of one operation, and what to say about it. An operation that failed
/// has both: itself and the failure.
pub(super) struct FinishedJob {
    /// The operation, or why it could not be waited for.
    result: Result<Operation, Error>,
    /// What to print on standard error; none if the operation succeeded.
    failure: Option<CommandFailure>,
}

impl FinishedJob {
    /// Whether no other wait can find out more.
    pub(super) fn is_settled(&self) -> bool {
        self.result.as_ref().map_or_else(|error| Exit::of(error) == Exit::NotFound, |_| true)
    }

    /// Returns what the end is counted as in the total.
    ///
    /// `UNAVAILABLE`, `INTERNAL` and the like count as unreachable, since the
    /// service did not decide anything; any other error is a refusal.
    pub(super) fn end(&self) -> WaitEnd {
        match &self.result {
            Ok(operation) => match operation.outcome() {
                Outcome::Succeeded(_) => WaitEnd::Succeeded,
                Outcome::Failed(status) if status.code() == Code::Cancelled => WaitEnd::Cancelled,
                _ => WaitEnd::Failed,
            },
            Err(error) => match Exit::of(error) {
                Exit::NotFound => WaitEnd::NotFound,
                Exit::Running => WaitEnd::Running,
                Exit::NotAsked if error.kind() == ErrorKind::Decode => WaitEnd::Unreadable,
                Exit::NotAsked if error.code().is_none_or(is_unreachable) => WaitEnd::Unreachable,
                _ => WaitEnd::Refused,
            },
        }
    }

    /// Returns whether another wait would end in the same way at once: for
    /// every error but a timeout.
    pub(super) fn fails_again(&self) -> bool {
        self.result.as_ref().is_err_and(|error| error.kind() != ErrorKind::Timeout)
    }

    /// Shows the operation, and the message if there is one, and returns
    /// whether the result was written: the operation, or the message if there
    /// is no operation.
    ///
    /// A failed operation as a line of text has its message in it. If both
    /// streams end up in one place, the message is not printed again; its hint
    /// is.
    fn show(&self, output: &mut StandardOutput, single: bool) -> bool {
        let shown = self.result.as_ref().ok().map(|operation| match single {
            true => output.operation(operation),
            false => output.item(operation),
        });
        // A line of text has the message already; where both streams end up in one
        // place, it would be there twice.
        let is_told = shown.is_some() && output.is_text() && output::is_one_place();
        let reported = self.failure.as_ref().map(|failure| match is_told {
            true => failure.report_hint(),
            false => failure.report(),
        });
        self.result.iter().for_each(warn);
        shown.or(reported).unwrap_or(true)
    }
}

/// Returns whether a service that sends this code cannot be reached, though
/// something in front of it can.
fn is_unreachable(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::DeadlineExceeded | Code::Internal | Code::Unknown)
}

/// Reports what failed in part, as far as the metadata say so: a line for each
/// of the first failures, and their number.
///
/// The exit status is that of the operation: services call it a success.
///
/// ```text
/// lro: warning: part of `operations/42` failed: NOT_FOUND: no such row
/// lro: warning: 3 parts of `operations/42` failed
/// ```
fn warn(operation: &Operation) {
    let (name, progress) = (name_for_display(operation.name()), Progress::of(operation));
    for status in progress.partial_failures().iter().take(WARNINGS) {
        output::say(&format!("warning: part of `{name}` failed: {status}"));
    }
    match progress.failure_count() {
        // The line above has said it.
        Some(1) if progress.partial_failures().len() == 1 => {}
        Some(1) => drop(output::say(&format!("warning: 1 part of `{name}` failed"))),
        Some(count) if count > 0 => {
            output::say(&format!("warning: {count} parts of `{name}` failed"));
        }
        _ => {}
    }
}

/// The most lines about one operation.
const WARNINGS: usize = 5;

/// Returns why an operation did not succeed, or could not be waited for; none
/// if it succeeded.
fn failure_of(job: &WaitJob, result: &Result<Operation, Error>) -> Option<CommandFailure> {
    let error = match result {
        Ok(operation) => match operation.outcome() {
            Outcome::Succeeded(_) => return None,
            _ => operation.clone().into_response::<()>().err()?,
        },
        Err(error) => error.clone(),
    };
    Some(CommandFailure::of(&error, &job.place))
}
