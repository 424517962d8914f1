//! The first request of a command, and its headers as words of a shell.
//!
//! Secrets are never in a printed command. In their place stands what the shell
//! replaces when the command runs: the content of a file, the output of
//! `gcloud`, or a variable.

use std::borrow::Cow;

use longrunning::OperationsClient;
use longrunning::http::is_sensitive;

use crate::args::{Cli, Command, Globals, ShellKind};
use crate::failure::CommandFailure;
use crate::list::list_call;
use crate::place::OperationPlace;
use crate::redact;
use crate::start;
use crate::wait::selection_call;

/// Lets `client` send what the command would send first for a name.
///
/// A wait begins with a get, since whether it can use WaitOperation is found
/// out later. A start calls the same function as the real one, so its body and
/// query are checked.
pub(super) fn send(
    client: &OperationsClient,
    cli: &Cli,
    place: &OperationPlace,
) -> Result<(), CommandFailure> {
    let name = &*place.name;
    let sent = match &cli.command {
        Command::Start(args) => start::call(&cli.globals, args, client, place)?.send().map(drop),
        Command::List(args) => list_call(client, place, args).send().map(drop),
        Command::Wait(args) if args.all.is_some() => selection_call(client, place, args).send().map(drop),
        Command::Cancel(_) => client.cancel(name).send(),
        Command::Delete(_) => client.delete(name).send(),
        _ => client.get(name).send().map(drop),
    };
    sent.map_err(|error| CommandFailure::of(&error, place))
}

/// Returns headers as arguments of curl and its kin. The secret ones come last,
/// in double quotes, inside which a shell replaces variables.
pub(super) fn header_words<'h>(
    globals: &Globals,
    flag: &'h str,
    headers: impl Iterator<Item = &'h (String, String)> + Clone,
) -> impl Iterator<Item = String> {
    // By name: values are redacted already, so their form says nothing.
    let (secret, plain): (Vec<_>, Vec<_>) = headers.partition(|(name, _)| is_sensitive(name));
    let shell = ShellKind::here();
    let plain =
        plain.into_iter().map(move |(name, value)| shell.word(&format!("{name}: {value}")).into_owned());
    let secret =
        secret.into_iter().map(move |(name, _)| format!("\"{name}: {}\"", variable(shell, globals, name)));
    plain.chain(secret).flat_map(move |word| [flag.to_owned(), word])
}

/// Returns options of curl and its kin for the way to the server: for
/// certificates, and for a proxy if there is one. A password in the URL of a
/// proxy is redacted.
pub(super) fn network_words<'g>(
    globals: &'g Globals,
    certificates: &'g str,
    proxy: Option<&'g str>,
) -> impl Iterator<Item = String> + use<'g> {
    let ca_file = globals.ca_file.as_ref().map(|file| (certificates, file.to_string_lossy()));
    let url = globals.proxy.as_deref().filter(|url| *url != "none").map(Cow::from);
    let words = ca_file.into_iter().chain(proxy.zip(url));
    words.flat_map(|(option, value)| {
        [option.to_owned(), ShellKind::here().word(&redact::value_for_display(&value)).into_owned()]
    })
}

/// Returns what a shell puts in place of a secret.
///
/// `cmd` has no way to put the output of a command there, so on Windows it is
/// always a variable.
fn variable(shell: ShellKind, globals: &Globals, header: &str) -> String {
    let is_posix = matches!(shell, ShellKind::Posix);
    if let ("x-goog-api-key", true, Some(file)) = (header, is_posix, &globals.api_key_file) {
        return format!("$(cat {})", shell.word(&redact::value_for_display(&file.to_string_lossy())));
    }
    if let ("authorization", true, Some(account)) = (header, is_posix, &globals.impersonate_service_account) {
        let account = redact::value_for_display(account);
        return format!("Bearer $({IMPERSONATED_TOKEN} {})", shell.word(&account));
    }
    match (header, shell, &globals.access_token_file, &globals.credentials) {
        ("authorization", ShellKind::Posix, Some(file), _) => {
            format!("Bearer $(cat {})", shell.word(&redact::value_for_display(&file.to_string_lossy())))
        }
        ("authorization", ShellKind::Posix, None, None) => format!("Bearer $({DEFAULT_TOKEN})"),
        ("authorization", ..) => format!("Bearer {}", shell.variable("ACCESS_TOKEN")),
        ("x-goog-api-key", ..) => shell.variable("LRO_API_KEY"),
        _ => {
            let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
            shell.variable(&header.chars().map(plain).collect::<String>())
        }
    }
}

/// Prints the token of a service account, for callers that may impersonate it.
const IMPERSONATED_TOKEN: &str = "gcloud auth print-access-token --impersonate-service-account";
/// Prints the token that default credentials give.
const DEFAULT_TOKEN: &str = "gcloud auth application-default print-access-token";
