//! `lro wait`: waits for several operations, and prints each when it is done.

mod events;
mod record;
mod results;
mod selection;
mod state;
mod threads;

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use longrunning::{ErrorKind, Operation, StopToken};

use crate::args::{Globals, WaitArgs};
use crate::connect::Clients;
use crate::exit::Exit;
use crate::failure::CommandFailure;
use crate::names;
use crate::output;
use crate::place::{OperationPlace, Service};
use crate::signals;

use events::Event;
use record::{WaitJob, WaitRecord};
pub(crate) use selection::selection_call;
use state::RunningWait;
use threads::{Group, Options};

pub(crate) fn run(globals: &Globals, args: &WaitArgs) -> Result<Exit, CommandFailure> {
    if args.names.is_empty() && args.journal.is_none() && args.all.is_none() {
        return Err(CommandFailure::usage("no operation to wait for")
            .hint("give names, `-` to read them, --all or --journal"));
    }
    let mut clients = Clients::new(globals);
    let mut places = names::places(globals, &args.names)?;
    let selected = selection::running(globals, args, &mut clients)?;
    let is_new = |place: &OperationPlace| !places.iter().any(|known| known.is_same(place));
    let selected: Vec<_> = selected.into_iter().filter(is_new).collect();
    places.extend(selected);
    wait_for(globals, args, clients, places, Duration::ZERO)
}

/// Waits for an operation that was started just now, unless it is done.
pub(crate) fn for_started(
    globals: &Globals,
    args: &WaitArgs,
    place: OperationPlace,
    operation: Operation,
) -> Result<Exit, CommandFailure> {
    if !operation.is_done() {
        return wait_for(globals, args, Clients::new(globals), vec![place], START_GRACE);
    }
    let mut waiting = RunningWait::new(globals, args, Vec::new(), WaitRecord::open(None)?);
    waiting.tell_again(&WaitJob::unrecorded(place), operation);
    Ok(waiting.over())
}

/// Waits; an operation may be unknown to its service for `grace` after the
/// start of the wait.
fn wait_for(
    globals: &Globals,
    args: &WaitArgs,
    mut clients: Clients<'_>,
    places: Vec<OperationPlace>,
    grace: Duration,
) -> Result<Exit, CommandFailure> {
    let record = WaitRecord::open(args.journal.as_deref())?;
    let unseen = record.unseen(globals)?;
    let jobs = record.jobs(globals, places)?;
    if jobs.is_empty() && unseen.is_empty() && args.all.is_none() {
        output::say("nothing to wait for");
    }
    let groups = groups(&mut clients, &jobs)?;

    let (sender, events) = mpsc::channel();
    let token = StopToken::new();
    let (stop, stopped) = (token.clone(), sender.clone());
    signals::on_stop(move |exit| {
        stop.stop();
        // If the receiver is gone, the wait is over already.
        let _ = stopped.send(Event::Stopped(exit));
    })?;
    let mut waiting = RunningWait::new(globals, args, jobs, record);
    if waiting.is_drawn() {
        let events = sender.clone();
        signals::on_suspend(move |suspension| events.send(Event::Suspension(suspension)).is_ok())?;
    }
    for (job, operation) in unseen {
        waiting.tell_again(&job, operation);
    }
    let options = Options::new(globals, args, &token).tolerating(grace);
    threads::start(&options, groups, &sender);
    Ok(watch(waiting, &events))
}

/// Takes what happens until the wait is over.
fn watch(mut waiting: RunningWait<'_>, events: &Receiver<Event>) -> Exit {
    while !waiting.is_over() {
        match events.recv_timeout(TICK) {
            Ok(Event::News(number, news)) => waiting.news(number, &news),
            // Said once for all, by what comes next.
            Ok(Event::Ended(_, Err(error))) if error.kind() == ErrorKind::Stopped => {}
            Ok(Event::Ended(number, result)) => waiting.ended(number, result),
            Ok(Event::Stopped(exit)) => {
                waiting.interrupted();
                return exit;
            }
            Ok(Event::Suspension(suspension)) => waiting.suspended(suspension),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        waiting.refresh();
    }
    waiting.over()
}

/// The operations by service, each with its client.
fn groups(clients: &mut Clients<'_>, jobs: &[WaitJob]) -> Result<Vec<Group>, CommandFailure> {
    let mut services: Vec<(&Service, Group)> = Vec::new();
    for (number, job) in jobs.iter().enumerate() {
        let OperationPlace { service, name, .. } = &job.place;
        let known = services.iter_mut().find(|(known, _)| *known == service);
        match known {
            Some((_, group)) => drop(group.names.insert(number, name.clone())),
            None => {
                let names = BTreeMap::from([(number, name.clone())]);
                services.push((service, Group { client: clients.of(service)?, names }));
            }
        }
    }
    Ok(services.into_iter().map(|(_, group)| group).collect())
}

/// As that of a handle of the library.
const START_GRACE: Duration = Duration::from_secs(30);

/// How often the display is brought up to date.
const TICK: Duration = Duration::from_millis(100);
