//! `lro wait`: several operations at once, each told when it is done.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use longrunning::{
    Backoff, Error, ErrorKind, OnTimeout, Operation, OperationsClient, Outcome, Poller, StopToken,
};

use crate::args::{self, Globals, Wait};
use crate::connect::Clients;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::names::{self, Place};
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::signals;

pub(crate) fn run(globals: &Globals, args: &Wait) -> Result<Exit, Failure> {
    if args.names.is_empty() {
        return Err(Failure::usage("no operation to wait for").hint("give names, or `-` to read them"));
    }
    let places = names::places(globals, &args.names, io::stdin().lock())?;
    let mut clients = Clients::new(globals);
    let jobs = places.iter().map(|place| Ok((place.clone(), clients.of(&place.service)?)));
    let jobs: Vec<(Place, OperationsClient)> = jobs.collect::<Result<_, Failure>>()?;
    let (sender, events) = mpsc::channel();
    let token = StopToken::new();
    let (stop, stopped) = (token.clone(), sender.clone());
    signals::on_stop(move || {
        stop.stop();
        // Whoever does not listen any more is at the end already.
        let _ = stopped.send(Event::Stopped);
    })?;
    start(globals, args, jobs, &token, &sender);
    let mut waiting = Waiting::new(globals, args, places);
    while !waiting.is_over() {
        match events.recv_timeout(TICK) {
            Ok(Event::Seen(number, operation)) => waiting.seen(number, &operation),
            // Said once for all, by what comes next.
            Ok(Event::Ended(_, Err(error))) if error.kind() == ErrorKind::Stopped => {}
            Ok(Event::Ended(number, result)) => waiting.ended(number, result)?,
            Ok(Event::Stopped) => return Ok(waiting.interrupted()),
            Err(RecvTimeoutError::Timeout) => waiting.tick(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(waiting.over())
}

/// What happens while waiting; operations are known by their numbers.
enum Event {
    Seen(usize, Operation),
    Ended(usize, Result<Operation, Error>),
    Stopped,
}

/// Starts the threads that wait. They end with the process at the latest.
fn start(
    globals: &Globals,
    args: &Wait,
    jobs: Vec<(Place, OperationsClient)>,
    token: &StopToken,
    events: &Sender<Event>,
) {
    let threads = jobs.len().min(THREADS);
    let jobs = Arc::new(Mutex::new(jobs.into_iter().enumerate()));
    for _ in 0..threads {
        let (jobs, events) = (Arc::clone(&jobs), events.clone());
        let options = Options { globals: globals.clone(), args: args.clone(), token: token.clone() };
        thread::spawn(move || {
            loop {
                let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((number, (place, client))) = job else { return };
                for snapshot in options.poller(&client, &place) {
                    let event = match snapshot {
                        Ok(operation) if !operation.is_done() => Event::Seen(number, operation),
                        result => Event::Ended(number, result),
                    };
                    if events.send(event).is_err() {
                        return;
                    }
                }
            }
        });
    }
}

/// What every wait of the command has in common.
struct Options {
    globals: Globals,
    args: Wait,
    token: StopToken,
}

impl Options {
    fn poller(&self, client: &OperationsClient, place: &Place) -> Poller {
        let mut poller = client.poller(&*place.name).stop(&self.token);
        if let Some(timeout) = self.globals.total_timeout {
            poller = poller.total_timeout(timeout);
        }
        if let Some(retries) = self.globals.retries {
            poller = poller.max_failures(retries);
        }
        if let Some(interval) = self.args.poll_interval {
            poller = poller.backoff(Backoff::from_fn(move |_| Some(interval)));
        }
        poller.on_timeout(match self.args.on_timeout {
            args::OnTimeout::Leave => OnTimeout::Leave,
            args::OnTimeout::Cancel => OnTimeout::Cancel,
        })
    }
}

/// The state of the whole.
struct Waiting<'a> {
    globals: &'a Globals,
    args: &'a Wait,
    places: Vec<Place>,
    /// Whether an operation has ended, by its number.
    ended: Vec<bool>,
    progress: Progress,
    output: Output,
    exit: Exit,
    start: Instant,
}

impl<'a> Waiting<'a> {
    fn new(globals: &'a Globals, args: &'a Wait, places: Vec<Place>) -> Self {
        Self {
            globals,
            args,
            ended: vec![false; places.len()],
            progress: Progress::new(globals, places.iter().map(|place| place.name.clone()).collect()),
            places,
            output: Output::new(globals.format),
            exit: Exit::Success,
            start: Instant::now(),
        }
    }

    fn seen(&mut self, number: usize, operation: &Operation) {
        self.progress.seen(number, operation, self.start.elapsed());
    }

    fn tick(&mut self) {
        self.progress.tick(self.start.elapsed());
    }

    fn ended(&mut self, number: usize, result: Result<Operation, Error>) -> Result<(), Failure> {
        let Some(place) = self.places.get(number) else { return Ok(()) };
        let failure = match &result {
            Ok(operation) => failure_of(operation),
            Err(error) => Some(error.clone()),
        };
        // What was not done by the limit can be gone on with.
        if let Some(ended) = self.ended.get_mut(number) {
            *ended = !failure.as_ref().is_some_and(|error| error.kind() == ErrorKind::Timeout);
        }
        self.progress.ended(number, self.start.elapsed());
        let (output, single) = (&mut self.output, self.places.len() == 1);
        let told = self.progress.above(|| {
            if let Ok(operation) = &result {
                if single { output.operation(operation)? } else { output.item(operation)? }
            }
            Ok(failure.map_or(Exit::Success, |error| Failure::of(&error, place).tell()))
        });
        match told {
            Ok(exit) => self.exit = self.exit.and(exit),
            // Nobody reads on: what is known by now is the result.
            Err(error) if !self.is_over() => {
                return Err(Failure::from(error).or(self.exit.and(Exit::Running)));
            }
            Err(error) => return Err(Failure::from(error).or(self.exit)),
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.progress.done() == self.places.len()
    }

    fn over(&self) -> Exit {
        self.progress.clear();
        self.tell_how_to_go_on();
        self.exit
    }

    fn interrupted(&self) -> Exit {
        self.progress.clear();
        let left = self.ended.iter().filter(|ended| !**ended).count();
        let all = self.places.len();
        output::say(&format!("interrupted; {left} of {all} operations were not done and go on"));
        self.tell_how_to_go_on();
        Exit::Interrupted
    }

    fn tell_how_to_go_on(&self) {
        let left = self.places.iter().zip(&self.ended).filter(|(_, ended)| !**ended);
        let names: Vec<String> = left.map(|(place, _)| place.given.clone()).collect();
        if !names.is_empty() {
            let endpoint = names::default_endpoint();
            let line = args::resume(self.globals, self.args, &names, endpoint.as_deref());
            output::say(&format!("wait on with: {line}"));
        }
    }
}

/// Why an operation that is done did not succeed.
fn failure_of(operation: &Operation) -> Option<Error> {
    match operation.outcome() {
        Outcome::Succeeded(_) => None,
        _ => operation.clone().into_response::<()>().err(),
    }
}

/// How often the display is brought up to date.
const TICK: Duration = Duration::from_millis(200);

/// The most operations that are waited for at a time.
const THREADS: usize = 64;
