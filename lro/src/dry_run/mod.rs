//! `--dry-run`: the requests of a command, printed in place of being sent.

mod grpc;
mod rest;

use longrunning::OperationsClient;
use longrunning::http::is_sensitive;

use crate::args::{Cli, Command, Format, Globals, Transport, shell_word};
use crate::call::list_call;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::names::{self, Place};
use crate::output::Output;
use crate::redact;

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

/// Lets `client` send what the command would send first for a name.
fn send(client: &OperationsClient, cli: &Cli, place: &Place) -> Result<(), longrunning::Error> {
    let name = &*place.name;
    match &cli.command {
        Command::List(args) => list_call(client, place, args).send().map(drop),
        Command::Cancel(_) => client.cancel(name).send(),
        Command::Delete(_) => client.delete(name).send(),
        _ => client.get(name).send().map(drop),
    }
}

/// Headers as arguments of curl and its kin; secrets become variables of the shell.
fn header_words<'h>(
    globals: &Globals,
    flag: &'h str,
    headers: impl Iterator<Item = &'h (String, String)> + Clone,
) -> impl Iterator<Item = String> {
    let (secret, plain): (Vec<_>, Vec<_>) = headers.partition(|(name, _)| is_sensitive(name));
    let plain = plain.into_iter().map(|(name, value)| shell_word(&format!("{name}: {value}")).into_owned());
    let secret = secret.into_iter().map(|(name, _)| format!("\"{name}: {}\"", variable(globals, name)));
    plain.chain(secret).flat_map(move |word| [flag.to_owned(), word])
}

/// What a shell puts in place of a secret.
fn variable(globals: &Globals, header: &str) -> String {
    match (header, &globals.access_token_file, &globals.credentials) {
        ("authorization", Some(file), _) => {
            format!("Bearer $(cat {})", shell_word(&redact::value_for_display(&file.to_string_lossy())))
        }
        ("authorization", None, None) => format!("Bearer $({DEFAULT_TOKEN})"),
        ("authorization", ..) => "Bearer $ACCESS_TOKEN".to_owned(),
        _ => {
            let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
            format!("${}", header.chars().map(plain).collect::<String>())
        }
    }
}

/// Prints the token that default credentials give.
const DEFAULT_TOKEN: &str = "gcloud auth application-default print-access-token";
