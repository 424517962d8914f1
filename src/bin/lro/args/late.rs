//! Arguments that are made when they are needed.

use std::ops::Deref;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

use super::Globals;

/// The arguments of a command, its own and those of all, which only a line with that command pays for.
///
/// To make arguments takes clap longer than to read a line by them: with those of all commands, longer than the rest
/// of a short call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Late<T>(T);

impl<T: Args> Args for Late<T> {
    fn augment_args(command: Command) -> Command {
        command.defer(|command| Globals::augment_args(T::augment_args(command)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(|command| Globals::augment_args_for_update(T::augment_args_for_update(command)))
    }
}

impl<T: Args> FromArgMatches for Late<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    /// The default one makes a copy of all matches.
    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<T> Deref for Late<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
