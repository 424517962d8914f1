//! Failures as they are printed: one line, perhaps a hint, and an exit status.
//!
//! ```text
//! lro: GetOperation `operations/42`: NOT_FOUND: operation expired (https://…)
//! lro: hint: services delete operations some time after they finish; --endpoint and --api-version must match, too
//! ```
//!
//! The message is the library's, with the names of options replaced by those of
//! `lro`. The hint is about this command line, so it is decided here (`hints`).

use longrunning::Error;
use longrunning::printing::redacted;

use crate::exit::Exit;
use crate::hints;
use crate::output;
use crate::place::OperationPlace;

/// The end of a command, or of its part for one operation.
///
/// It is a value until [`tell`](Self::tell) or [`report`](Self::report) prints
/// it: a wait may show it above its display, or not at all.
#[derive(Debug)]
pub(crate) struct CommandFailure {
    /// The exit status of the command, if nothing graver happens.
    exit: Exit,
    /// The message with its causes, not yet redacted.
    message: String,
    /// Another attempt may succeed.
    is_transient: bool,
    /// What to do, on a line of its own.
    hint: Option<String>,
}

impl CommandFailure {
    /// Returns a failure with status 2: something on the command line, in a
    /// file or in the environment cannot be used.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), is_transient: false, hint: None }
    }

    /// Sets what to do, in place of a hint that was there.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What the library says about a call for `place`.
    pub(crate) fn of(error: &Error, place: &OperationPlace) -> Self {
        Self { hint: hints::for_error(error, place), ..Self::without_hint(error) }
    }

    /// Takes message, status and class of the library's error. The causes of
    /// the operating system or of TLS are part of the message here: operators
    /// have no debugger.
    fn without_hint(error: &Error) -> Self {
        // The alternate form has the chain of causes.
        let message = hints::in_options(&format!("{error:#}"));
        Self { exit: Exit::of(error), message, is_transient: error.is_transient(), hint: None }
    }

    /// Whether another attempt may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        self.is_transient
    }

    /// Returns the message, without secrets and without the hint, for a display
    /// that shows it in its own way.
    pub(crate) fn message(&self) -> String {
        redacted(&self.message)
    }

    /// Takes the library's error about a start.
    ///
    /// Its status is never 5: if a start finds nothing, it is a resource that
    /// does not exist and no operation. Nor is it 6 or 3 if the start may have
    /// happened; then nothing is known, which is status 1.
    pub(crate) fn of_start(error: &Error, place: &OperationPlace) -> Self {
        let failure = Self::of(error, place);
        let exit = match failure.exit {
            Exit::NotFound => Exit::NotAsked,
            _ if error.may_have_started() => Exit::NotAsked,
            exit => exit,
        };
        Self { exit, ..failure }
    }

    /// The same with the status of a signal.
    pub(crate) fn ends_with(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Writes message and hint to standard error, and returns the exit status.
    pub(crate) fn tell(&self) -> Exit {
        self.report();
        self.exit
    }

    /// Writes message and hint to standard error, and returns whether all was
    /// written.
    pub(crate) fn report(&self) -> bool {
        // The hint belongs to the message: without it, it would be about
        // nothing.
        output::say(&redacted(&self.message)) && self.report_hint()
    }

    /// Writes the hint alone, if there is one.
    pub(crate) fn report_hint(&self) -> bool {
        self.hint.as_ref().is_none_or(|hint| output::say(&format!("hint: {hint}")))
    }
}

/// Not about any call: options that no client can be made of.
impl From<Error> for CommandFailure {
    fn from(error: Error) -> Self {
        Self { hint: hints::for_set_up(&error), ..Self::without_hint(&error) }
    }
}
