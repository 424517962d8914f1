//! `--all`: the running operations under a parent.
//!
//! The listing happens once, before the wait. Operations that start later are
//! not waited for: the set is fixed when the wait begins, so that it can end.

use std::time::Duration;

use longrunning::Call;
use longrunning::OperationsClient;
use longrunning::printing::shown_name;
use longrunning::proto::google::longrunning::ListOperationsRequest;

use crate::args::{Globals, WaitArgs};
use crate::connect::Clients;
use crate::failure::CommandFailure;
use crate::names;
use crate::output;
use crate::place::{OperationPlace, Service};
use crate::url::is_url;

/// Lists the operations that `--all` selects; none without it. If there are
/// none, it says so, and the wait succeeds.
///
/// Operations that are done are left out here and not by a filter, because the
/// filters of services differ.
///
/// # Errors
///
/// Those of the listing. Waiting for the part that was listed would look like
/// success.
pub(super) fn running(
    globals: &Globals,
    args: &WaitArgs,
    clients: &mut Clients<'_>,
) -> Result<Vec<OperationPlace>, CommandFailure> {
    let Some(parent) = &args.all else { return Ok(Vec::new()) };
    let parent = names::list_place(globals, Some(parent))?;
    let client = clients.of(&parent.service)?;
    // The wait that follows has the total timeout too, but a listing never
    // needs more than an hour.
    let listed = selection_call(&client, &parent, args)
        .iteration_timeout(globals.total_timeout.unwrap_or(LISTING).min(LISTING));
    let mut places = Vec::new();
    for operation in listed {
        let operation = operation.map_err(|error| CommandFailure::of(&error, &parent))?;
        // An operation that is done needs no wait: its result was there before
        // the command.
        if !operation.is_done() {
            places.push(place_of(&parent, operation.name()));
        }
    }
    if places.is_empty() {
        let filter = if args.filter.is_some() { " that the filter selects" } else { "" };
        output::say(&format!("no running operations under `{}`{filter}", shown_name(&parent.name)));
    }
    Ok(places)
}

/// Returns the call that lists them. `--dry-run` shows it.
pub(crate) fn selection_call(
    client: &OperationsClient,
    parent: &OperationPlace,
    args: &WaitArgs,
) -> Call<ListOperationsRequest> {
    let call = client.list(&*parent.name);
    match &args.filter {
        Some(filter) => call.filter(filter),
        None => call,
    }
}

/// Returns the place of an operation of a listing: at the service of its
/// parent. The command to continue with has its URL if the parent was given by
/// one.
fn place_of(parent: &OperationPlace, name: &str) -> OperationPlace {
    let Service { endpoint, version, .. } = &parent.service;
    let given = match (is_url(&parent.given), version) {
        (true, Some(version)) => format!("{endpoint}/{version}/{name}"),
        _ => name.to_owned(),
    };
    OperationPlace { given, service: parent.service.clone(), name: name.to_owned() }
}

/// How long the listing may take, if `--total-timeout` is not less.
const LISTING: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_a_parent_gives_urls_of_operations() {
        let rows = [
            ("projects/p", "projects/p/operations/1"),
            ("https://a.example/v2/projects/p", "https://a.example/v2/projects/p/operations/1"),
        ];
        for (given, expected) in rows {
            let service = Service::new("https://a.example", Some("v2".into()));
            let parent = OperationPlace { given: given.into(), service, name: "projects/p".into() };
            assert_eq!(place_of(&parent, "projects/p/operations/1").given, expected);
        }
    }
}
