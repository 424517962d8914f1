//! `lro wait`: waits for several operations, and prints each when it is done.
//!
//! ```text
//! names, --all, --journal → jobs → one group for each service → threads
//!                                                                 │ events
//! signals ──────────────────────────────────────────────────────→ watch → RunningWait → display, results, journal
//! ```
//!
//! The main thread alone prints. Threads of the library's waits, and those of
//! signals, send it [`Event`]s. So there is no lock, and no line is torn. An
//! operation is known by its number in the list of jobs, because two services
//! may have operations of the same name.
//!
//! The wait ends when every operation has ended, when a signal stops it, or
//! when no thread is left. Its exit status is that of the gravest end, and a
//! summary and the command that continues it come last.

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

/// Waits for the operations of the command line, of `--all` and of the journal,
/// each once.
///
/// # Errors
///
/// Nothing to wait for on the command line; a name, an option or a journal that
/// cannot be used; a listing for `--all` that fails. Everything after the start
/// of the wait is an event, and ends in the exit status.
pub(crate) fn run(globals: &Globals, args: &WaitArgs) -> Result<Exit, CommandFailure> {
    if args.names.is_empty() && args.journal.is_none() && args.all.is_none() {
        return Err(CommandFailure::usage("no operation to wait for")
            .hint("give names, `-` to read them, --all or --journal"));
    }
    let mut clients = Clients::new(globals);
    let mut places = names::places(globals, &args.names)?;
    let selected = selection::running(globals, args, &mut clients)?;
    // An operation may be named and selected: it is waited for once.
    let is_new = |place: &OperationPlace| !places.iter().any(|known| known.is_same(place));
    let selected: Vec<_> = selected.into_iter().filter(is_new).collect();
    places.extend(selected);
    wait_for(globals, args, clients, places, Duration::ZERO)
}

/// Waits for an operation that was started just now, unless it is done already.
///
/// For 30 s the service may respond that it does not exist: many services
/// report a new operation only when their storage has it.
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
///
/// The order matters. The journal is written before anything is polled, so that
/// a crash cannot lose a name. Signals are taken before the first thread
/// starts, so that Ctrl-C says what is left from the first poll on. Results of
/// an earlier process come first, because nothing has to be polled for them.
fn wait_for(
    globals: &Globals,
    args: &WaitArgs,
    mut clients: Clients<'_>,
    places: Vec<OperationPlace>,
    grace: Duration,
) -> Result<Exit, CommandFailure> {
    let record = WaitRecord::open(args.journal.as_deref())?;
    // Before `jobs`, which records new operations: results of an earlier
    // process do not depend on them.
    let unseen = record.unseen(globals)?;
    let jobs = record.jobs(globals, places)?;
    if jobs.is_empty() && unseen.is_empty() && args.all.is_none() {
        // A journal without entries is a success: everything in it was done.
        output::say("nothing to wait for");
    }
    let groups = groups(&mut clients, &jobs)?;

    let (sender, events) = mpsc::channel();
    // One token stops the waits of all threads, at once even if they sleep.
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

/// Handles events until the wait is over, and brings the display up to date at
/// least every [`TICK`].
fn watch(mut waiting: RunningWait<'_>, events: &Receiver<Event>) -> Exit {
    // A tick passes without an event, too: times grow, markers turn, and a line
    // that is due has to be printed.
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
            // Every thread has ended, so nothing can follow.
            Err(RecvTimeoutError::Disconnected) => break,
        }
        waiting.refresh();
    }
    waiting.over()
}

/// Sorts the operations by service, each with its client.
///
/// # Errors
///
/// Credentials or options that no client can be built with. Nothing has been
/// sent then.
fn groups(clients: &mut Clients<'_>, jobs: &[WaitJob]) -> Result<Vec<Group>, CommandFailure> {
    let mut services: Vec<(&Service, Group)> = Vec::new();
    for (number, job) in jobs.iter().enumerate() {
        let OperationPlace { service, name, .. } = &job.place;
        let known = services.iter_mut().find(|(known, _)| *known == service);
        match known {
            // `drop` discards the previous entry, of which there is none:
            // numbers are unique.
            Some((_, group)) => drop(group.names.insert(number, name.clone())),
            None => {
                let names = BTreeMap::from([(number, name.clone())]);
                services.push((service, Group { client: clients.of(service)?, names }));
            }
        }
    }
    Ok(services.into_iter().map(|(_, group)| group).collect())
}

/// How long a started operation may be unknown: as for a handle of the library.
const START_GRACE: Duration = Duration::from_secs(30);

/// How often the display is brought up to date.
const TICK: Duration = Duration::from_millis(100);
