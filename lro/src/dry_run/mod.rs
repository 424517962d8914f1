//! `--dry-run`: the requests of a command, printed in place of being sent.

mod grpc;
mod request;
mod rest;

use crate::args::{Cli, Command, Format, Transport};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::names;
use crate::output::Output;

/// Prints the first request for each name that the command is about.
pub(crate) fn run(cli: &Cli) -> Result<Exit, Failure> {
    let globals = &cli.globals;
    let places = match &cli.command {
        Command::Get(args) => vec![names::place(globals, &args.name)?],
        Command::List(args) => vec![names::place(globals, &args.name)?],
        Command::Wait(args) if args.names.is_empty() => {
            return Err(Failure::usage("--dry-run needs names: it does not open a journal"));
        }
        Command::Wait(args) => names::places(globals, &args.names)?,
        Command::Cancel(args) | Command::Delete(args) => names::places(globals, &args.names)?,
        Command::Serve(_) | Command::Completions(_) | Command::Man(_) => {
            return Err(Failure::usage("--dry-run is for commands that send requests"));
        }
    };
    let show = match globals.transport {
        Some(Transport::Grpc) => grpc::show,
        Some(Transport::Rest) | None => rest::show,
    };
    let mut output = Output::new(globals.format());
    for (number, place) in places.iter().enumerate() {
        let text = show(cli, place)?;
        match globals.format() {
            Format::Text if number > 0 => output.line(&format!("\n{text}")),
            Format::Text | Format::Json => output.line(&text),
        };
    }
    Ok(Exit::Success)
}
