//! Arguments that are made when they are needed.

use std::ops::Deref;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

use super::Globals;

/// The arguments of a command, its own and those of all, which only a line with
/// that command pays for.
///
/// To make arguments takes clap longer than to read a line by them: with those
/// of all commands, longer than the rest of a short call.
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use crate::args::{Cli, OutputFormat, read};

    #[test]
    fn only_the_command_of_a_line_has_arguments() {
        let mut lro = Cli::command();
        lro.try_get_matches_from_mut(["lro", "get", "operations/1"]).unwrap();
        for command in lro.get_subcommands() {
            assert_eq!(command.get_arguments().count() > 0, command.get_name() == "get", "{command}");
        }
    }

    #[test]
    fn an_option_counts_in_front_of_the_command_and_behind_it() {
        let rows = [
            ("in front", vec!["lro", "--format", "json", "-v", "get", "a"], true),
            ("behind", vec!["lro", "get", "a", "--format", "json", "-v"], true),
            ("both", vec!["lro", "-v", "--format", "text", "get", "a", "--format", "json"], true),
            ("neither", vec!["lro", "get", "a"], false),
        ];
        for (row, line, given) in rows {
            let globals = read(line).unwrap().globals;
            assert_eq!((globals.format() == OutputFormat::Json, globals.verbose), (given, given), "{row}");
        }
    }
}
