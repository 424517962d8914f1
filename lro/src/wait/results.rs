//! The results of a wait: what they mean for the exit status, where they are
//! written, and when the journal may let go of them.

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
    record: WaitRecord,
    output: StandardOutput,
    exit: Exit,
    /// How many were not written.
    unwritten: usize,
}

impl Results {
    pub(super) fn new(globals: &Globals, record: WaitRecord) -> Self {
        Self { record, output: StandardOutput::new(globals), exit: Exit::Success, unwritten: 0 }
    }

    /// Takes the end of one operation: counts it for the exit status, which
    /// nothing that is written afterwards may change, and writes the result
    /// to the journal.
    pub(super) fn take(&mut self, job: &WaitJob, result: Result<Operation, Error>) -> FinishedJob {
        let failure = failure_of(job, &result);
        self.exit = self.exit.and(failure.as_ref().map_or(Exit::Success, CommandFailure::exit));
        if let Ok(operation) = &result {
            self.check(self.record.finish(job, operation));
        }
        FinishedJob { result, failure }
    }

    /// Shows the end of one operation, and lets the journal forget it if it was
    /// shown.
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
            false => self.unwritten += 1,
        }
    }

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

/// The end of one operation, and what to say about it.
pub(super) struct FinishedJob {
    result: Result<Operation, Error>,
    failure: Option<CommandFailure>,
}

impl FinishedJob {
    /// Whether no other wait can find out more.
    pub(super) fn is_settled(&self) -> bool {
        self.result.as_ref().map_or_else(|error| Exit::of(error) == Exit::NotFound, |_| true)
    }

    /// What the end is counted as.
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

    /// Whether another wait would end in the same way at once.
    pub(super) fn fails_again(&self) -> bool {
        self.result.as_ref().is_err_and(|error| error.kind() != ErrorKind::Timeout)
    }

    /// Returns whether the result was written: the operation, or the message if
    /// there is none.
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

/// Whether a service that sends this code is not to be reached, though
/// something in front of it is.
fn is_unreachable(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::DeadlineExceeded | Code::Internal | Code::Unknown)
}

/// Reports what failed in part, as far as the metadata say so: a line for each
/// of the first failures, and their number.
///
/// The exit status is that of the operation: services call it a success.
fn warn(operation: &Operation) {
    let (name, progress) = (name_for_display(operation.name()), Progress::of(operation));
    for status in progress.partial_failures().iter().take(WARNINGS) {
        output::say(&format!("warning: part of `{name}` failed: {status}"));
    }
    match progress.failure_count() {
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

/// Why an operation did not succeed, or could not be waited for.
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
