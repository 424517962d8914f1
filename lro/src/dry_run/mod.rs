//! `--dry-run`: the requests of a command, printed in place of being sent.
//!
//! The library makes them as it would: names, bindings, headers and bodies are
//! the real ones, up to a recorder that sends nothing (`rest`), or a fake
//! server on this machine (`grpc`). Only the first request for each name is
//! shown, since the others depend on responses. Tokens are not fetched, and
//! secrets are replaced by what a shell would put in their place.
//!
//! ```text
//! GET https://run.googleapis.com/v2/projects/p/locations/l/operations/42
//! authorization: [redacted]
//!
//! curl --request GET --header "authorization: Bearer $(gcloud auth …)" https://run.googleapis.com/v2/…
//! ```

mod grpc;
mod request;
mod rest;

use crate::args::{Cli, Command, OutputFormat, TransportArg};
use crate::exit::Exit;
use crate::failure::CommandFailure;
use crate::names;
use crate::output::StandardOutput;
use crate::start;

/// Prints the first request for each name that the command is about, with empty
/// lines between them.
///
/// # Errors
///
/// A command that sends no requests, and everything that would be an error
/// before the first request. A journal is not opened, so a wait needs names or
/// `--all`.
pub(crate) fn run(cli: &Cli) -> Result<Exit, CommandFailure> {
    let globals = &cli.globals;
    let places = match &cli.command {
        Command::Start(args) => vec![start::place(globals, args)?],
        Command::Get(args) => vec![names::place(globals, &args.name)?],
        Command::List(args) => vec![names::list_place(globals, args.name.as_deref())?],
        Command::Wait(args) if args.all.is_some() => vec![names::list_place(globals, args.all.as_deref())?],
        Command::Wait(args) if args.names.is_empty() => {
            return Err(CommandFailure::usage("--dry-run needs names: it does not open a journal"));
        }
        Command::Wait(args) => names::places(globals, &args.names)?,
        Command::Cancel(args) | Command::Delete(args) => names::places(globals, &args.names)?,
        Command::Serve(_) | Command::Completions(_) | Command::Man(_) => {
            return Err(CommandFailure::usage("--dry-run is for commands that send requests"));
        }
    };
    let show = match globals.transport {
        Some(TransportArg::Grpc) => grpc::show,
        Some(TransportArg::Rest) | None => rest::show,
    };
    let mut output = StandardOutput::new(globals);
    for (number, place) in places.iter().enumerate() {
        let text = show(cli, place)?;
        match globals.format() {
            OutputFormat::Text | OutputFormat::Name if number > 0 => output.line(&format!("\n{text}")),
            _ => output.line(&text),
        };
    }
    Ok(Exit::Success)
}
