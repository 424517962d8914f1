//! The threads that wait: one for each of a few operations, or one for all of a
//! service.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use longrunning::{Backoff, LongPoll, OnTimeout, OperationsClient, PollMany, Poller, StopToken, Update};

use crate::args::{self, Globals, WaitArgs};

use super::events::{Event, PollNews};

/// What every wait of the command has in common.
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
    token: StopToken,
}

/// The operations of one service, by their numbers.
pub(super) struct Group {
    pub(super) client: OperationsClient,
    pub(super) names: BTreeMap<usize, String>,
}

/// Starts waiting for all operations. The threads end with the process at the
/// latest.
pub(super) fn start(options: &Options, groups: Vec<Group>, events: &Sender<Event>) {
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

/// What an update has to say; nothing of an operation that is done, whose end
/// comes by itself.
fn news_of(update: &Update<'_>) -> Option<PollNews> {
    let fault = update.fault().map(|fault| (fault.error().clone(), fault.elapsed()));
    let operation = update.operation().cloned();
    let ended = fault.is_none() && operation.as_ref().is_none_or(|operation| operation.is_done());
    (!ended).then(|| PollNews {
        operation,
        fault,
        pause: update.pause(),
        is_held: update.next_is_long_poll(),
    })
}

/// `None` if the receiver is gone, so that there is nothing more to do.
type ReportedUpdate = Option<()>;

impl Options {
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

    fn many(
        &self,
        client: &OperationsClient,
        names: &BTreeMap<usize, String>,
        events: &Sender<Event>,
    ) -> ReportedUpdate {
        let numbers: HashMap<String, usize> =
            names.iter().map(|(number, name)| (name.clone(), *number)).collect();
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
                (None, Ok(_)) => {}
            }
        }
        Some(())
    }

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

/// This many threads do no harm.
const FEW: usize = 8;
