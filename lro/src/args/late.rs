//! Arguments that are created when they are needed, so that a short call starts
//! fast.

use std::ops::Deref;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

use super::Globals;

/// The arguments of a command: its own and the global options, created when a
/// command line names the command.
///
/// clap takes longer to create arguments than to parse a line with them. If
/// every command created its own, that would take longer than the rest of a
/// short call.
///
/// `SENDS` says whether the command sends requests. If it does not, the global
/// options are hidden in its help, its man page and its completions, since none
/// of them applies. They are still parsed: an alias such as
/// `lro --endpoint URL` works in front of every command, and [`read`] expects
/// them behind it.
///
/// [`read`]: super::read
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Late<T, const SENDS: bool = true>(T);

/// The arguments of a command that sends no requests.
pub(crate) type Offline<T> = Late<T, false>;

impl<T: Args, const SENDS: bool> Args for Late<T, SENDS> {
    fn augment_args(command: Command) -> Command {
        command.defer(|command| T::augment_args(with_globals::<SENDS>(command)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(|command| T::augment_args_for_update(with_globals::<SENDS>(command)))
    }
}

/// Adds the global options, in front of the command's own so that only they are
/// hidden. The help lists its options by heading, so the order has no other
/// effect.
fn with_globals<const SENDS: bool>(command: Command) -> Command {
    let command = Globals::augment_args(command);
    if SENDS { command } else { command.mut_args(|arg| arg.hide(true)) }
}

impl<T: Args, const SENDS: bool> FromArgMatches for Late<T, SENDS> {
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

impl<T, const SENDS: bool> Deref for Late<T, SENDS> {
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
