//! What is known of the operations of a wait, and what is told of them.

use std::io;
use std::time::Instant;

use longrunning::{Error, ErrorKind, Operation, Outcome};

use crate::args::{self, Globals, Wait};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::names;
use crate::output::{self, Output};
use crate::progress::Progress;

use super::record::{Job, Record};

/// The state of the whole.
pub(super) struct Waiting<'a> {
    globals: &'a Globals,
    args: &'a Wait,
    jobs: Vec<Job>,
    /// Whether there is nothing more to wait for, by the number of the operation.
    settled: Vec<bool>,
    record: Record,
    progress: Progress,
    output: Output,
    exit: Exit,
    start: Instant,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(globals: &'a Globals, args: &'a Wait, jobs: Vec<Job>, record: Record) -> Self {
        Self {
            globals,
            args,
            settled: vec![false; jobs.len()],
            progress: Progress::new(globals, jobs.iter().map(|job| job.place.name.clone()).collect()),
            jobs,
            record,
            output: Output::new(globals.format()),
            exit: Exit::Success,
            start: Instant::now(),
        }
    }

    pub(super) fn seen(&mut self, number: usize, operation: &Operation) {
        self.progress.seen(number, operation, self.start.elapsed());
    }

    pub(super) fn tick(&mut self) {
        self.progress.tick(self.start.elapsed());
    }

    /// An operation is done, or cannot be waited for any longer.
    pub(super) fn ended(&mut self, number: usize, result: Result<Operation, Error>) -> Result<(), Failure> {
        let Some(job) = self.jobs.get(number) else { return Ok(()) };
        if let Ok(operation) = &result {
            self.record.finish(job, operation)?;
        }
        let settled = match &result {
            Ok(_) => true,
            Err(error) => Exit::of(error) == Exit::NotFound,
        };
        // What is over for this wait only can be gone on with, but not what would fail at once again.
        let fails_again = result.as_ref().is_err_and(|error| error.kind() != ErrorKind::Timeout);
        if let Some(entry) = self.settled.get_mut(number) {
            *entry = settled || (fails_again && self.args.journal.is_none());
        }
        self.progress.ended(number, self.start.elapsed());
        let single = self.jobs.len() == 1;
        let told = self.progress.above(|| tell(&mut self.output, job, &result, single));
        match told {
            Ok(exit) => self.exit = self.exit.and(exit),
            // Nobody reads on: what is known by now is the result.
            Err(error) => {
                let rest = if self.is_over() { Exit::Success } else { Exit::Running };
                return Err(Failure::from(error).or(self.exit.and(rest)));
            }
        }
        if settled { self.record.forget(job) } else { Ok(()) }
    }

    /// Shows a result that an earlier process wrote down and may not have shown.
    pub(super) fn tell_again(&mut self, job: &Job, operation: &Operation) -> Result<(), Failure> {
        let result = Ok(operation.clone());
        let exit = self.progress.above(|| tell(&mut self.output, job, &result, false))?;
        self.exit = self.exit.and(exit);
        self.record.forget(job)
    }

    pub(super) fn is_over(&self) -> bool {
        self.progress.done() == self.jobs.len()
    }

    pub(super) fn over(&self) -> Exit {
        self.progress.clear();
        self.tell_how_to_go_on();
        self.exit
    }

    pub(super) fn interrupted(&self) -> Exit {
        self.progress.clear();
        let left = self.settled.iter().filter(|settled| !**settled).count();
        let all = self.jobs.len();
        output::say(&format!("interrupted; {left} of {all} operations were not done and go on"));
        self.tell_how_to_go_on();
        Exit::Interrupted
    }

    fn tell_how_to_go_on(&self) {
        let left = self.jobs.iter().zip(&self.settled).filter(|(_, settled)| !**settled);
        let names: Vec<String> = left.map(|(job, _)| job.place.given.clone()).collect();
        if !names.is_empty() {
            let endpoint = names::default_endpoint();
            let line = args::resume(self.globals, self.args, &names, endpoint.as_deref());
            output::say(&format!("wait on with: {line}"));
        }
    }
}

/// Shows an operation that is done, and says what went wrong with it or with the wait.
fn tell(output: &mut Output, job: &Job, result: &Result<Operation, Error>, single: bool) -> io::Result<Exit> {
    let failure = match result {
        Ok(operation) => {
            if single {
                output.operation(operation)?
            } else {
                output.item(operation)?
            }
            failure_of(operation)
        }
        Err(error) => Some(error.clone()),
    };
    Ok(failure.map_or(Exit::Success, |error| Failure::of(&error, &job.place).tell()))
}

/// Why an operation that is done did not succeed.
fn failure_of(operation: &Operation) -> Option<Error> {
    match operation.outcome() {
        Outcome::Succeeded(_) => None,
        _ => operation.clone().into_response::<()>().err(),
    }
}
