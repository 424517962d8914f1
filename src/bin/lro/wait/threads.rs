//! The threads that wait.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use longrunning::{Backoff, OnTimeout, OperationsClient, Poller, StopToken};

use crate::args::{self, Globals, Wait};

use super::Event;

/// What every wait of the command has in common.
pub(super) struct Options<'a> {
    pub(super) globals: &'a Globals,
    pub(super) args: &'a Wait,
    pub(super) token: &'a StopToken,
}

/// Starts waiting for all operations. The threads end with the process at the latest.
pub(super) fn start(options: &Options<'_>, asked: Vec<(OperationsClient, String)>, events: &Sender<Event>) {
    let threads = asked.len().min(THREADS);
    let pollers: Vec<_> = asked.into_iter().map(|(client, name)| options.poller(&client, &name)).collect();
    let pollers = Arc::new(Mutex::new(pollers.into_iter().enumerate()));
    for _ in 0..threads {
        let (pollers, events) = (Arc::clone(&pollers), events.clone());
        thread::spawn(move || {
            loop {
                let next = pollers.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((number, poller)) = next else { return };
                for snapshot in poller {
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

impl Options<'_> {
    fn poller(&self, client: &OperationsClient, name: &str) -> Poller {
        let mut poller = client.poller(name).stop(self.token);
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

/// The most operations that are waited for at a time.
const THREADS: usize = 64;
