//! What went wrong, as it is told: one line, perhaps a hint, and an exit status.

use std::io;

use longrunning::Error;
use longrunning::printing::redacted;

use crate::exit::Exit;
use crate::hints;
use crate::names::Place;
use crate::output;

/// The end of a command, or of its part for one operation.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// Something on the command line or in a file that cannot be used.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What the library says about a call for `place`.
    pub(crate) fn of(error: &Error, place: &Place) -> Self {
        Self { exit: Exit::of(error), message: format!("{error:#}"), hint: hints::for_error(error, place) }
    }

    /// The same end with another status.
    pub(crate) fn or(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Says it on standard error and gives the exit status.
    ///
    /// A reader who has seen enough is told nothing.
    pub(crate) fn tell(&self) -> Exit {
        if !self.message.is_empty() {
            output::say(&redacted(&self.message));
        }
        if let Some(hint) = &self.hint {
            output::say(&format!("hint: {hint}"));
        }
        self.exit
    }
}

/// Not about any call: options that no client can be made of.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { exit: Exit::of(&error), message: format!("{error:#}"), hint: hints::for_set_up(&error) }
    }
}

/// Standard output that takes no more: quietly where its reader is gone, as in `lro list | head`.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::Success, message: String::new(), hint: None };
        }
        Self {
            exit: Exit::NotAsked,
            message: format!("cannot write to standard output: {error}"),
            hint: None,
        }
    }
}
