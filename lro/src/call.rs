//! The commands that make one call for each name: get, cancel, delete.

use longrunning::OperationsClient;
use longrunning::printing::shown_name;

use crate::args::{GetArgs, Globals, NamesArgs};
use crate::connect::Clients;
use crate::exit::Exit;
use crate::failure::CommandFailure;
use crate::names;
use crate::output::{self, StandardOutput};
use crate::place::OperationPlace;

pub(crate) fn get(globals: &Globals, args: &GetArgs) -> Result<Exit, CommandFailure> {
    let place = names::place(globals, &args.name)?;
    let client = Clients::new(globals).of(&place.service)?;
    let operation = client.get(&*place.name).send().map_err(|error| CommandFailure::of(&error, &place))?;
    StandardOutput::new(globals).operation(&operation);
    Ok(Exit::Success)
}

pub(crate) fn cancel(globals: &Globals, args: &NamesArgs) -> Result<Exit, CommandFailure> {
    each(globals, args, |client, place| {
        client.cancel(&*place.name).send()?;
        output::say(&format!("requested cancellation of `{}`", shown_name(&place.name)));
        Ok(())
    })
}

pub(crate) fn delete(globals: &Globals, args: &NamesArgs) -> Result<Exit, CommandFailure> {
    each(globals, args, |client, place| {
        client.delete(&*place.name).send()?;
        output::say(&format!("deleted `{}`", shown_name(&place.name)));
        Ok(())
    })
}

/// Makes a call for each name, also after one that failed.
fn each(
    globals: &Globals,
    args: &NamesArgs,
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
