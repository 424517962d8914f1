//! The commands that make one call for each name: get, list, cancel, delete.

use std::time::Duration;

use longrunning::printing::{redacted, shown_name};
use longrunning::proto::google::longrunning::ListOperationsRequest;
use longrunning::{Call, OperationsClient};

use crate::args::{Get, Globals, List, Names, shell_word};
use crate::connect::Clients;
use crate::exit::Exit;
use crate::failure::CommandFailure;
use crate::names;
use crate::output::{self, StandardOutput};
use crate::place::OperationPlace;
use crate::redact::suspicion_of_page_token;

pub(crate) fn get(globals: &Globals, args: &Get) -> Result<Exit, CommandFailure> {
    let place = names::place(globals, &args.name)?;
    let client = Clients::new(globals).of(&place.service)?;
    let operation = client.get(&*place.name).send().map_err(|error| CommandFailure::of(&error, &place))?;
    StandardOutput::new(globals.format()).operation(&operation);
    Ok(Exit::Success)
}

pub(crate) fn list(globals: &Globals, args: &List) -> Result<Exit, CommandFailure> {
    let place = names::place(globals, &args.name)?;
    let client = Clients::new(globals).of(&place.service)?;
    let mut output = StandardOutput::new(globals.format());
    let (mut widths, mut left) = (Vec::new(), args.limit.unwrap_or(usize::MAX));
    let mut pages = list_call(&client, &place, args)
        // Services have been seen that return empty pages for ever.
        .iteration_timeout(globals.total_timeout.unwrap_or(LISTING))
        .pages();
    while left > 0 {
        let Some(page) = pages.next() else { return Ok(Exit::Success) };
        let page = page.map_err(|error| go_on_from(&error, CommandFailure::of(&error, &place), args))?;
        for place in &page.unreachable {
            output::say(&format!("not reached: {}", redacted(place)));
        }
        let shown = page.operations.len().min(left);
        if !output.page(page.operations.get(..shown).unwrap_or_default(), &mut widths) {
            // As with --limit: the listing ends where its reader stops, and no page is fetched for nothing.
            return Ok(Exit::Success);
        }
        left -= shown;
        // In the middle of a page there is no token to go on from.
        if left == 0 && shown == page.operations.len() && !page.next_page_token.is_empty() {
            let line = page_token_line(&page.next_page_token, args.page_token.as_deref());
            output::say(&format!("there are more: {line}"));
        }
    }
    Ok(Exit::Success)
}

/// The call behind `list`, with its options.
pub(crate) fn list_call(
    client: &OperationsClient,
    place: &OperationPlace,
    args: &List,
) -> Call<ListOperationsRequest> {
    let mut call = client.list(&*place.name).return_partial_success(args.partial_success);
    if let Some(filter) = &args.filter {
        call = call.filter(filter);
    }
    // No page needs to be larger than the limit.
    let limit = args.limit.and_then(|limit| i32::try_from(limit).ok()).filter(|limit| *limit > 0);
    if let Some(size) = [args.page_size, limit].into_iter().flatten().min() {
        call = call.page_size(size);
    }
    if let Some(token) = &args.page_token {
        call = call.page_token(token);
    }
    call
}

/// Where a listing can go on.
fn page_token_line(token: &str, given: Option<&str>) -> String {
    match suspicion_of_page_token(token, given) {
        Some(what) => {
            format!("go on with the same --page-token, which is not repeated here: it looks like {what}")
        }
        None => format!("go on with --page-token {}", shell_word(token)),
    }
}

fn go_on_from(error: &longrunning::Error, failure: CommandFailure, args: &List) -> CommandFailure {
    match error.page_token() {
        Some(token) if !token.is_empty() => failure.hint(page_token_line(token, args.page_token.as_deref())),
        _ => failure,
    }
}

pub(crate) fn cancel(globals: &Globals, args: &Names) -> Result<Exit, CommandFailure> {
    each(globals, args, |client, place| {
        client.cancel(&*place.name).send()?;
        output::say(&format!("asked to cancel `{}`", shown_name(&place.name)));
        Ok(())
    })
}

pub(crate) fn delete(globals: &Globals, args: &Names) -> Result<Exit, CommandFailure> {
    each(globals, args, |client, place| {
        client.delete(&*place.name).send()?;
        output::say(&format!("deleted `{}`", shown_name(&place.name)));
        Ok(())
    })
}

/// Makes a call for each name, also after one that failed.
fn each(
    globals: &Globals,
    args: &Names,
    call: impl Fn(&OperationsClient, &OperationPlace) -> Result<(), longrunning::Error>,
) -> Result<Exit, CommandFailure> {
    let places = names::places(globals, &args.names)?;
    let (mut clients, mut exit) = (Clients::new(globals), Exit::Success);
    for place in &places {
        let client = clients.of(&place.service)?;
        if let Err(error) = call(&client, place) {
            exit = exit.and(CommandFailure::of(&error, place).tell());
        }
    }
    Ok(exit)
}

/// How long a listing may take in all; there are services with millions of operations.
const LISTING: Duration = Duration::from_secs(3600);
