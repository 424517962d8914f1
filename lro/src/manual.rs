//! Completions and man pages, made from the arguments.
//!
//! Both are generated on request and go to standard output, so
//! that a package can install what fits its version. They know every option,
//! since they are made of the same definitions that parse the command line.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use longrunning::printing::shown;

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::CommandFailure;
use crate::output;

/// Prints the script that completes commands, options, their values and file
/// names in `shell`.
pub(crate) fn completions(shell: Shell) -> Result<Exit, CommandFailure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "lro", &mut text);
    output::raw(&text);
    Ok(Exit::Success)
}

/// Prints the page of `lro`, or of one of its commands, in the format of `man`.
///
/// # Errors
///
/// A command that does not exist.
pub(crate) fn page(name: Option<&str>) -> Result<Exit, CommandFailure> {
    let mut lro = Cli::command();
    // Completes the subcommands, which would otherwise lack the arguments that
    // are created late.
    lro.build();
    let page = match name {
        None => lro.clone(),
        Some(name) => match lro.find_subcommand(name) {
            Some(command) => command.clone(),
            None => return Err(CommandFailure::usage(format!("there is no command `{}`", shown(name)))),
        },
    };
    let mut text = Vec::new();
    let title = name.map_or_else(|| "lro".to_owned(), |name| format!("lro-{name}"));
    // The headline of the page is `lro-wait`, since `man` finds pages by it.
    Man::new(page.display_name(title.clone()))
        .title(title.to_uppercase())
        .manual("User Commands")
        .render(&mut text)
        .map_err(|error| CommandFailure::usage(format!("cannot make the page: {error}")))?;
    output::raw(&text);
    Ok(Exit::Success)
}
