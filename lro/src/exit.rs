//! Exit statuses, and which one counts when several things went wrong.
//!
//! The numbers are promised in `lro --help`. They follow conventions where
//! there are some: 2 for usage, 128 + N for signal N.
//!
//! | status | a script may |
//! |---|---|
//! | 0 | go on |
//! | 1, 6 | try again later, or with other credentials; nothing is known about the work |
//! | 2 | not go on: it has to be changed |
//! | 3 | report that the work failed |
//! | 4, 129, 130, 143 | wait again |
//! | 5 | look whether the work left its result |

use std::process::ExitCode;

use longrunning::{Code, Error, ErrorKind};

/// How the program ends; the numbers are part of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well; for a wait: every operation succeeded.
    Success = 0,
    /// The service could not be reached, or refused.
    NotAsked = 1,
    /// The command line, a file or a setting cannot be used.
    Usage = 2,
    /// An operation failed.
    Failed = 3,
    /// An operation was still running at the time limit.
    Running = 4,
    /// An operation was not found.
    NotFound = 5,
    /// No credentials, or none that were accepted.
    Credentials = 6,
    /// SIGHUP stopped it.
    HungUp = 129,
    /// SIGINT stopped it, as Ctrl-C does.
    Interrupted = 130,
    /// SIGTERM stopped it.
    Terminated = 143,
}

impl Exit {
    /// Returns the status for what went wrong with one call or wait.
    ///
    /// A timeout is [`Running`](Self::Running) only if some poll has seen the
    /// operation. Otherwise nothing is known about it, which is
    /// [`NotAsked`](Self::NotAsked).
    pub(crate) fn of(error: &Error) -> Self {
        match (error.kind(), error.code()) {
            (ErrorKind::Binding | ErrorKind::Config, _) => Self::Usage,
            (ErrorKind::Operation, _) => Self::Failed,
            (ErrorKind::Stopped, _) => Self::Interrupted,
            // A service that refuses a token and a token that cannot be fetched
            // need the same action.
            (ErrorKind::Auth, _) | (ErrorKind::Service, Some(Code::Unauthenticated)) => Self::Credentials,
            (ErrorKind::Service, Some(Code::NotFound)) => Self::NotFound,
            (ErrorKind::Timeout, _) if error.operation().is_some() => Self::Running,
            _ => Self::NotAsked,
        }
    }

    /// Returns the status that counts if both happened.
    ///
    /// Each of these gives way to those behind it: known outcomes, unknown
    /// outcomes, errors that only the user can fix, signals.
    pub(crate) fn and(self, other: Self) -> Self {
        if self.gravity() >= other.gravity() { self } else { other }
    }

    /// The place in [`RISING`].
    fn gravity(self) -> usize {
        RISING.iter().position(|each| *each == self).unwrap_or_default()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// From the status that gives way to all others to the one that gives way to
/// none.
const RISING: [Exit; 10] = [
    Exit::Success,
    Exit::Running,
    Exit::Failed,
    Exit::NotFound,
    Exit::NotAsked,
    Exit::Credentials,
    Exit::Usage,
    Exit::HungUp,
    Exit::Interrupted,
    Exit::Terminated,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_counts_in_any_order() {
        for (at, graver) in RISING.iter().enumerate() {
            for milder in &RISING[..at] {
                assert_eq!((graver.and(*milder), milder.and(*graver)), (*graver, *graver));
            }
        }
        let numbers = RISING.map(|exit| exit as u8);
        assert_eq!(numbers, [0, 4, 3, 5, 1, 6, 2, 129, 130, 143]);
    }
}
