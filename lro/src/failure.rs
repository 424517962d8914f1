//! Failures as they are printed: one line, perhaps a hint, and an exit status.

use longrunning::Error;
use longrunning::printing::redacted;

use crate::exit::Exit;
use crate::hints;
use crate::output;
use crate::place::OperationPlace;

/// The end of a command, or of its part for one operation.
#[derive(Debug)]
pub(crate) struct CommandFailure {
    exit: Exit,
    message: String,
    /// Another attempt may succeed.
    is_transient: bool,
    hint: Option<String>,
}

impl CommandFailure {
    /// Something on the command line or in a file that cannot be used.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), is_transient: false, hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What the library says about a call for `place`.
    pub(crate) fn of(error: &Error, place: &OperationPlace) -> Self {
        Self { hint: hints::for_error(error, place), ..Self::without_hint(error) }
    }

    fn without_hint(error: &Error) -> Self {
        let message = hints::in_options(&format!("{error:#}"));
        Self { exit: Exit::of(error), message, is_transient: error.is_transient(), hint: None }
    }

    /// Whether another attempt may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        self.is_transient
    }

    /// The message, without secrets.
    pub(crate) fn message(&self) -> String {
        redacted(&self.message)
    }

    /// What the library says about a start: a resource that is not found is no
    /// operation that is not found.
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

    /// Writes it to standard error, and returns the exit status.
    pub(crate) fn tell(&self) -> Exit {
        self.report();
        self.exit
    }

    /// Writes it to standard error, and returns whether all was written.
    pub(crate) fn report(&self) -> bool {
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
