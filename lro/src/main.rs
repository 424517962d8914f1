//! `lro`: the operations of any service, from the command line.
//!
//! ```text
//! main ── args (clap) ── call: get, cancel, delete ─ names → connect → the library → output
//!          │             list ── screen
//!          │             start ── wait ── signals, progress → screen
//!          │             dry_run
//!          └─ failure → exit, hints ── serve ── scenario
//! ```
//!
//! A command returns an [`Exit`] or a [`CommandFailure`]. Operations go to
//! standard output as soon as they are known; everything else (progress,
//! warnings, hints, errors) goes to standard error. So a pipe gets operations
//! only.
//!
//! Everything goes over the public interface of the library: `lro` is also the
//! proof that a program of its own can do the same.

mod args;
mod bindings;
mod call;
mod connect;
mod credentials;
mod dry_run;
mod exit;
mod failure;
mod hints;
mod input;
mod list;
mod log;
mod manual;
mod names;
mod network;
mod output;
mod place;
mod progress;
mod redact;
mod scenario;
mod screen;
mod serve;
mod signals;
mod start;
mod url;
mod wait;

use std::env;
use std::process::ExitCode;

use longrunning::printing::redacted;

use args::{Cli, Command};
use exit::Exit;
use failure::CommandFailure;

/// Reads the command line, runs the command, and ends with its exit status.
///
/// [`output::exit_status`] has the last word: if a write to a standard stream
/// failed, a success becomes status 1.
fn main() -> ExitCode {
    let exit = match args::read(env::args_os()) {
        Ok(cli) => run(&cli).unwrap_or_else(|failure| failure.tell()),
        Err(error) => refused(&error),
    };
    output::exit_status(exit).into()
}

/// Runs the command of a command line.
///
/// `--dry-run` comes before the commands, so that none of them can send
/// anything by mistake.
fn run(cli: &Cli) -> Result<Exit, CommandFailure> {
    let globals = &cli.globals;
    log::start(globals.verbose);
    if globals.dry_run {
        return dry_run::run(cli);
    }
    match &cli.command {
        Command::Start(args) => start::run(globals, args),
        Command::Get(args) => call::get(globals, args),
        Command::List(args) => list::run(globals, args),
        Command::Wait(args) => wait::run(globals, args),
        Command::Cancel(args) => call::cancel(globals, args),
        Command::Delete(args) => call::delete(globals, args),
        Command::Serve(args) => serve::run(globals, args),
        Command::Completions(args) => manual::completions(args.shell),
        Command::Man(args) => manual::page(args.command.as_deref()),
    }
}

/// Prints what clap says instead of a parsed command line, and returns the exit
/// status: 0 for `--help` and `--version`, which go to standard output, and 2
/// for an error.
///
/// The prefix `error:` becomes `lro:`, as in every other message. What clap
/// quotes of the command line is redacted, since it may be a key in the wrong
/// place.
fn refused(error: &clap::Error) -> Exit {
    let text = error.to_string();
    if !error.use_stderr() {
        output::raw(text.as_bytes());
        return Exit::Success;
    }
    let text = text.strip_prefix("error: ").map_or(text.clone(), |message| format!("lro: {message}"));
    output::to_stderr(format_args!("{}", redacted(&text)));
    Exit::Usage
}
