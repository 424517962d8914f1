//! The threads that wait: one for each of a few operations, or one for all of a
//! service.
//!
//! ```text
//! up to 8 operations  one thread and one Poller each     get, or the service's WaitOperation
//! more                one thread and one PollMany for    pages of the listing of each parent
//!                     each service
//! ```
//!
//! A [`Poller`] has a schedule of its own and can let the service hold its
//! response, so it hears of the end at once. [`PollMany`] needs one thread for
//! thousands. Both tolerate the same errors and end at the same limits, so an
//! operator sees no difference but the number of requests.
//!
//! The threads hold no state of the command: they send [`Event`]s, and end when
//! nothing receives them any more.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use longrunning::{Backoff, LongPoll, OnTimeout, OperationsClient, PollMany, Poller, StopToken, Update};

use crate::args::{self, Globals, WaitArgs};

use super::events::{Event, PollNews};

/// The options that every wait of the command has in common. `None` leaves a
/// limit at the default of the library.
#[derive(Clone)]
pub(super) struct Options {
    total_timeout: Option<Duration>,
    poll_interval: Option<Duration>,
    max_failures: Option<u32>,
    max_outage: Option<Duration>,
    on_timeout: OnTimeout,
    long_poll: LongPoll,
    /// How long an operation may be unknown.
    grace: Duration,
    /// Stops the wait when a signal arrives.
    token: StopToken,
}

/// The operations of one service, by their numbers.
pub(super) struct Group {
    /// The client of their service.
    pub(super) client: OperationsClient,
    /// Their names, by number.
    pub(super) names: BTreeMap<usize, String>,
}

/// Starts to wait for all operations, and returns at once. The threads end with
/// the process at the latest.
pub(super) fn start(options: &Options, groups: Vec<Group>, events: &Sender<Event>) {
    // Over all services: ten services with one operation each would be ten
    // threads, which are as many as ten of one.
    let few = groups.iter().map(|group| group.names.len()).sum::<usize>() <= FEW;
    for Group { client, names } in groups {
        if few {
            for (number, name) in names {
                let (options, client, events) = (options.clone(), client.clone(), events.clone());
                thread::spawn(move || options.one(&client, number, &name, &events));
            }
        } else {
            let (options, events) = (options.clone(), events.clone());
            thread::spawn(move || options.many(&client, &names, &events));
        }
    }
}

/// Returns what an update has to say; nothing of an operation that is done,
/// whose end is an event of its own.
fn news_of(update: &Update<'_>) -> Option<PollNews> {
    let fault = update.fault().map(|fault| (fault.error().clone(), fault.elapsed()));
    let operation = update.operation().cloned();
    // An update without a state and without a fault says nothing, either.
    let ended = fault.is_none() && operation.as_ref().is_none_or(|operation| operation.is_done());
    (!ended).then(|| PollNews {
        operation,
        fault,
        pause: update.pause(),
        is_held: update.next_is_long_poll(),
    })
}

/// `None` if the receiver is gone, so that there is nothing more to do. It
/// makes `?` end a thread.
type ReportedUpdate = Option<()>;

impl Options {
    /// Takes the options of the command line. `--retries` is the number of
    /// internal errors in a row that a wait tolerates.
    pub(super) fn new(globals: &Globals, args: &WaitArgs, token: &StopToken) -> Self {
        Self {
            total_timeout: globals.total_timeout,
            poll_interval: args.poll_interval,
            max_failures: globals.retries,
            max_outage: args.max_outage,
            on_timeout: match args.on_timeout {
                args::OnTimeoutArg::Leave => OnTimeout::Leave,
                args::OnTimeoutArg::Cancel => OnTimeout::Cancel,
            },
            long_poll: match args.long_poll {
                args::LongPollArg::Auto => LongPoll::Auto,
                args::LongPollArg::Never => LongPoll::Never,
                args::LongPollArg::Body => LongPoll::Body,
                args::LongPollArg::Query => LongPoll::Query,
                args::LongPollArg::Get => LongPoll::Get,
            },
            grace: Duration::ZERO,
            token: token.clone(),
        }
    }

    /// Tolerates for this long that an operation is not found.
    pub(super) fn tolerating(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Waits for one operation: sends its news as they come, and its end.
    fn one(
        &self,
        client: &OperationsClient,
        number: usize,
        name: &str,
        events: &Sender<Event>,
    ) -> ReportedUpdate {
        let updates = events.clone();
        let poller = self.poller(client, name).on_update(move |update| {
            // If the receiver is gone, sending the result fails.
            if let Some(news) = news_of(update) {
                let _ = updates.send(Event::News(number, news));
            }
        });
        events.send(Event::Ended(number, poller.until_done())).ok()
    }

    /// Waits for all operations of a service on this thread.
    ///
    /// The library reports names, which are unique within a service, so they
    /// are turned back into numbers. An error that belongs to no name is about
    /// the listing, and ends every operation that is left.
    fn many(
        &self,
        client: &OperationsClient,
        names: &BTreeMap<usize, String>,
        events: &Sender<Event>,
    ) -> ReportedUpdate {
        // Names are unique here: equal names of one service were made one when
        // the command line was read.
        let numbers: HashMap<String, usize> =
            names.iter().map(|(number, name)| (name.clone(), *number)).collect();
        // The observer outlives this borrow, so it has a map of its own.
        let (known, updates) = (numbers.clone(), events.clone());
        let many = self.poll_many(client, names).on_update(move |update| {
            if let (Some(number), Some(news)) = (known.get(update.name()), news_of(update)) {
                // If the receiver is gone, sending the next result fails.
                let _ = updates.send(Event::News(*number, news));
            }
        });
        let mut left = numbers;
        for (name, result) in many.named() {
            match (left.remove(&name), result) {
                (Some(number), result) => events.send(Event::Ended(number, result)).ok()?,
                // It is about all of them.
                (None, Err(error)) => {
                    for (_, number) in left.drain() {
                        events.send(Event::Ended(number, Err(error.clone()))).ok()?;
                    }
                }
                // A name that was not given cannot come back.
                (None, Ok(_)) => {}
            }
        }
        Some(())
    }

    /// Builds the wait for one operation.
    fn poller(&self, client: &OperationsClient, name: &str) -> Poller {
        let mut poller =
            client.poller(name).on_timeout(self.on_timeout).long_poll(self.long_poll).stop(&self.token);
        poller = poller.not_found_grace(self.grace);
        if let Some(timeout) = self.total_timeout {
            poller = poller.total_timeout(timeout);
        }
        if let Some(failures) = self.max_failures {
            poller = poller.max_failures(failures);
        }
        if let Some(outage) = self.max_outage {
            poller = poller.max_outage(outage);
        }
        if let Some(interval) = self.poll_interval {
            poller = poller.backoff(Backoff::from_fn(move |_| Some(interval)));
        }
        poller
    }

    /// Builds the wait for many. It has no long poll: one request for each
    /// operation is what it avoids.
    fn poll_many(&self, client: &OperationsClient, names: &BTreeMap<usize, String>) -> PollMany {
        let mut many = client.poll_many(names.values()).on_timeout(self.on_timeout).stop(&self.token);
        many = many.not_found_grace(self.grace);
        if let Some(timeout) = self.total_timeout {
            many = many.total_timeout(timeout);
        }
        if let Some(failures) = self.max_failures {
            many = many.max_failures(failures);
        }
        if let Some(outage) = self.max_outage {
            many = many.max_outage(outage);
        }
        if let Some(interval) = self.poll_interval {
            many = many.backoff(Backoff::from_fn(move |_| Some(interval)));
        }
        many
    }
}

/// This many threads do no harm, and this many long polls neither.
const FEW: usize = 8;
