//! `lro start`: sends the request that starts an operation, prints the
//! operation, and waits for it with `--wait`.
//!
//! ```text
//! URL or path → place → call (method, query, body, request id) → send → operation
//!                                                                         │ --wait
//!                                                                         └→ wait::for_started
//! ```
//!
//! Without a request id, a start is sent again only if the service processed
//! nothing of it. If its outcome is unknown, the message says so and the exit status is 1: a script that starts
//! again on any other failure must not start twice.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use longrunning::http::HttpMethod;
use longrunning::printing::{shown, shown_name};
use longrunning::{Error, ErrorKind, OperationHandle, OperationsClient, StartCall, StopToken};

use crate::args::{Globals, MethodArg, StartArgs, TransportArg, WaitArgs};
use crate::connect::Clients;
use crate::exit::Exit;
use crate::failure::CommandFailure;
use crate::input;
use crate::names;
use crate::output::{self, StandardOutput};
use crate::place::{OperationPlace, Service};
use crate::signals;
use crate::url::is_url;
use crate::wait;

/// Starts an operation, and prints it or waits for it.
///
/// # Errors
///
/// Everything before the request, with nothing sent; the request itself; and a
/// response that is no operation, whose body is printed first: the request was
/// accepted, and the body may be all that is known of what it did.
pub(crate) fn run(globals: &Globals, args: &StartArgs) -> Result<Exit, CommandFailure> {
    let place = place(globals, args)?;
    let client = Clients::new(globals).of(&place.service)?;
    let handle = send(call(globals, args, &client, &place)?, &place)?;
    let Some(operation) = handle.operation() else { return Ok(Exit::NotAsked) };
    if !args.wait {
        StandardOutput::new(globals).operation(&operation);
        return Ok(Exit::Success);
    }
    output::say(&format!("started `{}`", shown_name(handle.name())));
    let started = started(globals, &place, &handle);
    wait::for_started(globals, &wait_options(args), started, operation)
}

/// Sends the request. A signal ends it, and the message then says whether
/// something may have been started; the exit status is that of the signal.
fn send(call: StartCall, place: &OperationPlace) -> Result<OperationHandle, CommandFailure> {
    let (token, exit) = (StopToken::new(), Arc::new(OnceLock::new()));
    let (stop, came) = (token.clone(), Arc::clone(&exit));
    signals::on_stop(move |exit| {
        // Set first: the end of the request looks for it.
        let _ = came.set(exit);
        stop.stop();
    })?;
    call.stop(&token).send().map_err(|error| match exit.get() {
        Some(exit) if error.kind() == ErrorKind::Stopped => {
            CommandFailure::of_start(&error, place).ends_with(*exit)
        }
        _ => failure(&error, place),
    })
}

/// Returns where the request goes; the name of the place is the path.
///
/// # Errors
///
/// `--transport grpc`, a URL whose host may not receive credentials, and a
/// query in the URL: parameters are given by `--query`, so that they are
/// encoded.
pub(crate) fn place(globals: &Globals, args: &StartArgs) -> Result<OperationPlace, CommandFailure> {
    if globals.transport == Some(TransportArg::Grpc) {
        return Err(CommandFailure::usage(
            "`lro start` is for REST: over gRPC a start is a message of its service",
        )
        .hint("leave --transport grpc out; the operation can be waited for over either"));
    }
    // It has the rules about which hosts get credentials.
    let OperationPlace { given, service, .. } = names::place(globals, &args.target)?;
    let path = match is_url(&given) {
        true => path_of(&given).to_owned(),
        false => given.clone(),
    };
    // The key of a pasted URL has become one of the service.
    let query = args.target.split_once('?').map_or("", |(_, query)| query);
    if query.split('&').any(|pair| !(pair.is_empty() || service.key.is_some() && pair.starts_with("key="))) {
        let message = format!("`{}` has a query", shown_name(given.split('?').next().unwrap_or_default()));
        return Err(CommandFailure::usage(message).hint("give each parameter by --query NAME=VALUE"));
    }
    Ok(OperationPlace { given, service, name: path })
}

/// The path of a URL, which may lack its scheme, as it is written.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("//").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}

/// Returns the call with its options. `--dry-run` uses it too, so what it shows
/// is what would be sent.
///
/// # Errors
///
/// A `--query` without `=`, and a body that cannot be read. The library checks
/// the JSON.
pub(crate) fn call(
    globals: &Globals,
    args: &StartArgs,
    client: &OperationsClient,
    place: &OperationPlace,
) -> Result<StartCall, CommandFailure> {
    let mut call = client.start(&*place.name).method(method(args.method));
    for pair in &args.query {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            CommandFailure::usage(format!("--query `{}` has no `=`: expected NAME=VALUE", shown(pair)))
        })?;
        call = call.query(name, value);
    }
    if let Some(data) = &args.data {
        call = call.json_text(body(globals, data)?);
    }
    match args.request_id.as_deref() {
        None => Ok(call),
        Some("auto") => {
            let id = random_id();
            output::say(&format!("request id: {id}; to repeat this start safely, give it by --request-id"));
            Ok(call.request_id(&id))
        }
        Some(id) => Ok(call.request_id(id)),
    }
}

/// Returns the library's value of `--method`.
fn method(method: MethodArg) -> HttpMethod {
    match method {
        MethodArg::Delete => HttpMethod::Delete,
        MethodArg::Get => HttpMethod::Get,
        MethodArg::Patch => HttpMethod::Patch,
        MethodArg::Post => HttpMethod::Post,
        MethodArg::Put => HttpMethod::Put,
    }
}

/// Returns the text that `--data` gives, that its file holds (`@FILE`), or that
/// standard input has (`-`).
fn body(globals: &Globals, data: &str) -> Result<String, CommandFailure> {
    let read = match data.strip_prefix('@') {
        Some(file) => input::file(Path::new(file), globals.total_timeout.unwrap_or(READING))
            .map_err(|error| format!("cannot read --data file `{}`: {error}", shown(file))),
        None if data == "-" => input::standard_input(globals.total_timeout)
            .map_err(|error| format!("cannot read --data from standard input: {error}")),
        None => return Ok(data.to_owned()),
    };
    read.map_err(CommandFailure::usage)
}

/// A random UUID (version 4). Both halves are hashes under keys that the
/// operating system gave.
fn random_id() -> String {
    let half = || RandomState::new().build_hasher().finish();
    let (high, low) = (half(), half());
    let (high, low) = (high & !0xf000 | 0x4000, low & !(3 << 62) | 2 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// An error, with the body of a response that is no operation on standard
/// output: the request was accepted.
fn failure(error: &Error, place: &OperationPlace) -> CommandFailure {
    if let Some(body) = error.response_body() {
        output::raw(format!("{}\n", body.trim_end()).as_bytes());
    }
    CommandFailure::of_start(error, place)
}

/// The operation that was started: at the endpoint of the start, and at the
/// version of its path.
fn started(globals: &Globals, place: &OperationPlace, handle: &OperationHandle) -> OperationPlace {
    let version = handle.to_pending().ok().and_then(|pending| pending.api_version().map(str::to_owned));
    let version = version.or_else(|| globals.api_version.clone());
    let endpoint = place.service.endpoint.clone();
    let scheme = if endpoint.contains("://") { "" } else { "https://" };
    let given = match &version {
        Some(version) => format!("{scheme}{}/{version}/{}", endpoint.trim_end_matches('/'), handle.name()),
        None => handle.name().to_owned(),
    };
    let service = Service::new(endpoint, version).with_pasted(handle.name());
    let service = Service { key: place.service.key.clone(), ..service };
    OperationPlace { given, service, name: handle.name().to_owned() }
}

/// Returns the options of the wait: those of the start, for the one operation
/// that it returned.
fn wait_options(args: &StartArgs) -> WaitArgs {
    let StartArgs { on_timeout, long_poll, poll_interval, max_outage, journal, .. } = args.clone();
    WaitArgs {
        names: Vec::new(),
        all: None,
        filter: None,
        on_timeout,
        long_poll,
        poll_interval,
        max_outage,
        journal,
    }
}

/// How long a file of `--data` may take to be read: it may be a pipe.
const READING: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_uuids_of_version_4() {
        let ids: std::collections::HashSet<_> = (0..100).map(|_| random_id()).collect();
        assert_eq!(ids.len(), 100);
        for id in ids {
            let parts: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
            assert!(id.chars().all(|c| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c)), "{id}");
            assert!(id[14..].starts_with('4') && "89ab".contains(&id[19..20]), "{id}");
        }
    }
}
