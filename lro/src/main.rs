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
//! Everything it does goes over the public interface of the library.

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

fn main() -> ExitCode {
    let exit = match args::read(env::args_os()) {
        Ok(cli) => run(&cli).unwrap_or_else(|failure| failure.tell()),
        Err(error) => refused(&error),
    };
    output::exit_status(exit).into()
}

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

/// What clap says of a command line: help on standard output, all else as an
/// error.
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
