//! The commands that make one call for each name: get, cancel, delete.
//!
//! Calls are made one after the other, in the order of the names. One that
//! fails does not stop the others, and the exit status is that of the gravest
//! failure.

use longrunning::OperationsClient;
use longrunning::printing::shown_name;

use crate::args::{GetArgs, Globals, NamesArgs};
use crate::connect::Clients;
use crate::exit::Exit;
use crate::failure::CommandFailure;
use crate::names;
use crate::output::{self, StandardOutput};
use crate::place::OperationPlace;

/// Prints an operation with all that is known of it. The exit status is 0 if
/// the request succeeded, whatever the state of the operation: `lro wait` has
/// statuses for that.
pub(crate) fn get(globals: &Globals, args: &GetArgs) -> Result<Exit, CommandFailure> {
    let place = names::place(globals, &args.name)?;
    let client = Clients::new(globals).of(&place.service)?;
    let operation = client.get(&*place.name).send().map_err(|error| CommandFailure::of(&error, &place))?;
    // Whether it could be written decides about the status at the very end, see
    // `output::exit_status`.
    StandardOutput::new(globals).operation(&operation);
    Ok(Exit::Success)
}

/// Requests the cancellation of each operation. Success means that the service
/// accepted the request, not that the operation is cancelled.
pub(crate) fn cancel(globals: &Globals, args: &NamesArgs) -> Result<Exit, CommandFailure> {
    each(globals, args, |client, place| {
        client.cancel(&*place.name).send()?;
        output::say(&format!("requested cancellation of `{}`", shown_name(&place.name)));
        Ok(())
    })
}

/// Deletes each operation, which removes its result and does not cancel it.
pub(crate) fn delete(globals: &Globals, args: &NamesArgs) -> Result<Exit, CommandFailure> {
    each(globals, args, |client, place| {
        client.delete(&*place.name).send()?;
        output::say(&format!("deleted `{}`", shown_name(&place.name)));
        Ok(())
    })
}

/// Makes a call for each name, also after one that failed.
///
/// # Errors
///
/// A name, an option or credentials that cannot be used, before a request for
/// that name. Errors of calls are printed as they happen, and only their exit
/// status remains.
fn each(
    globals: &Globals,
    args: &NamesArgs,
    call: impl Fn(&OperationsClient, &OperationPlace) -> Result<(), longrunning::Error>,
) -> Result<Exit, CommandFailure> {
    let places = names::places(globals, &args.names)?;
    let (mut clients, mut exit) = (Clients::new(globals), Exit::Success);
    for place in &places {
        // Its errors end the command: they are about options, which the later
        // names share.
        let client = clients.of(&place.service)?;
        if let Err(error) = call(&client, place) {
            exit = exit.and(CommandFailure::of(&error, place).tell());
        }
    }
    Ok(exit)
}
