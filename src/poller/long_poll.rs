//! Long polls: responses that the server holds back until the operation has
//! changed, with WaitOperation (or the `wait` of Compute Engine).
//!
//! A long poll is an optimisation. It is only sent if it was allowed, after a
//! successful get, and while it works: two failures in a row, or responses that
//! come back at once, end long polls for this wait. An error of a long poll is
//! never the error of the wait, since the method may be missing; the get that
//! follows decides.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::options::LongPoll;
use crate::transport::{OperationService, WaitBinding};
use crate::types::{Operation, OperationForm};
use crate::wait_support::{Trial, WaitSupport};

/// The knowledge of a wait about long polls of its service.
///
/// `prepare` plans one when the next poll is scheduled, `start` begins it when
/// the poll is sent, `worked` or `failed` records its result.
#[derive(Debug)]
pub(super) struct LongPolling {
    mode: LongPollMode,
    /// Failures in a row, including responses that were not held back.
    failures: u32,
    /// Whether a driver of many waits has a thread for a request that takes
    /// long.
    is_allowed: bool,
    /// The long poll that is planned.
    next: Option<HeldRequest>,
    /// The long poll that was sent.
    under_way: Option<HeldRequest>,
}

/// Whether and how long polls are sent.
#[derive(Debug)]
enum LongPollMode {
    /// By option, or after failures.
    Never,
    /// As the program has said.
    Bound(WaitBinding),
    /// As the waits of this client have found out.
    Auto(Arc<WaitSupport>),
    /// By the `wait` of Compute Engine, which decides itself how long it holds
    /// a response back.
    Service,
}

/// A poll that the server is requested to hold.
#[derive(Debug)]
struct HeldRequest {
    /// The HTTP rule; it has no meaning over gRPC.
    binding: WaitBinding,
    /// How long the server is requested to hold the response, when it was sent.
    asked: Duration,
    /// The use of a binding that is known to work, or is being tried.
    trial: Option<Trial>,
}

impl LongPolling {
    /// Starts with the option of the wait; `support` is the knowledge of its
    /// client.
    pub(super) fn new(how: LongPoll, support: &Arc<WaitSupport>) -> Self {
        let mode = match how {
            LongPoll::Auto => LongPollMode::Auto(Arc::clone(support)),
            LongPoll::Never => LongPollMode::Never,
            LongPoll::Body => LongPollMode::Bound(WaitBinding::Body),
            LongPoll::Query => LongPollMode::Bound(WaitBinding::Query),
            LongPoll::Get => LongPollMode::Bound(WaitBinding::Get),
        };
        Self { mode, failures: 0, is_allowed: true, next: None, under_way: None }
    }

    /// Learns from the form of an operation which service it is, unless long
    /// polls are disabled.
    pub(super) fn saw(&mut self, operation: &Operation) {
        self.mode = match (&self.mode, operation.form()) {
            (LongPollMode::Never, _) | (_, OperationForm::Longrunning) => return,
            // The operations of organizations have no wait.
            (_, OperationForm::ComputeEngine) if operation.name().starts_with("projects/") => {
                LongPollMode::Service
            }
            _ => LongPollMode::Never,
        };
    }

    /// Returns the least delay between the end of one poll and the beginning of
    /// the next.
    pub(super) fn least_pause(&self) -> Duration {
        if matches!(self.mode, LongPollMode::Service) { PAUSE_OF_SERVICE } else { Duration::ZERO }
    }

    /// Returns the time below which no long poll is sent: it would not be worth
    /// a request of its own. A server that decides itself needs its whole time.
    fn shortest(&self) -> Duration {
        if matches!(self.mode, LongPollMode::Service) { OperationService::HOLD } else { SHORTEST }
    }

    /// Allows long polls, or forbids them for now.
    pub(super) fn allow(&mut self, is_allowed: bool) {
        self.is_allowed = is_allowed;
    }

    /// Plans the next poll; returns whether it is a long poll. `room` is the
    /// time until the last poll has to be sent.
    pub(super) fn prepare(&mut self, room: Duration) -> bool {
        self.next = if room < self.shortest() || !self.is_allowed { None } else { self.hold() };
        self.next.is_some()
    }

    /// Returns whether the next poll is one that the server may hold back.
    pub(super) fn is_next(&self) -> bool {
        self.next.is_some()
    }

    /// Starts a poll. Returns how long the response is to be held back, and the
    /// binding; `None` for a get.
    pub(super) fn start(&mut self, room: Duration) -> Option<(Duration, WaitBinding)> {
        // Where a driver has dropped the last one.
        self.under_way = None;
        let shortest = self.shortest();
        // Checked again: since `prepare`, time has passed and the driver may have run
        // out of threads.
        let hold = self.next.take().filter(|_| room >= shortest && self.is_allowed)?;
        let is_trial = hold.trial.as_ref().is_some_and(Trial::finds_out);
        // Nothing is known of the server yet, and one that ignores the request would
        // use up this whole time.
        let longest = if is_trial { LONGEST_TRIAL } else { LONGEST.max(shortest) };
        let (asked, binding) = (room.min(longest), hold.binding);
        self.under_way = Some(HeldRequest { asked, ..hold });
        Some((asked, binding))
    }

    /// Records a response after `took`; returns whether the server held it back
    /// for the requested time, if that was a long poll.
    pub(super) fn worked(&mut self, took: Duration) -> Option<HeldPoll> {
        let hold = self.under_way.take()?;
        if took >= SHORTEST {
            self.failures = 0;
        } else {
            // A server that holds nothing back may not report the end early either.
            self.failed_again();
        }
        if let Some(trial) = hold.trial {
            trial.worked();
        }
        // Clocks differ, and servers round.
        Some(if took >= hold.asked.mul_f64(0.9) { HeldPoll::Fully } else { HeldPoll::InPart })
    }

    /// Records a failure; returns false if the poll was not a long poll.
    /// `passes` says whether the error is transient or the like.
    pub(super) fn failed(&mut self, error: &Error, passes: bool) -> bool {
        let Some(hold) = self.under_way.take() else { return false };
        let found_out = hold.trial.is_some_and(|trial| trial.failed(error));
        if !found_out {
            self.failed_again();
            if !passes {
                self.mode = LongPollMode::Never;
            }
        }
        true
    }

    /// Counts a failure, and ends long polls after the second in a row.
    fn failed_again(&mut self) {
        self.failures += 1;
        if self.failures >= MOST_FAILURES {
            self.mode = LongPollMode::Never;
        }
    }

    /// Returns the long poll to send; `None` if none is possible at the moment.
    fn hold(&self) -> Option<HeldRequest> {
        let (binding, trial) = match &self.mode {
            LongPollMode::Never => return None,
            LongPollMode::Bound(binding) => (*binding, None),
            // The bindings of the service have another form, which goes before this one.
            LongPollMode::Service => (WaitBinding::Body, None),
            LongPollMode::Auto(support) => support.trial().map(|trial| (trial.binding, Some(trial)))?,
        };
        Some(HeldRequest { binding, asked: Duration::ZERO, trial })
    }
}

/// How long a response was held back.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum HeldPoll {
    /// For about the requested time: nothing has changed in it.
    Fully,
    /// For less: the server responds early, or holds nothing back.
    InPart,
}

/// The longest time that a server is requested to hold a response. Front ends
/// and proxies end exchanges that are silent for 60 s, and progress is reported
/// at least as often as by polls.
const LONGEST: Duration = Duration::from_secs(30);

/// The time of the first long poll of a client, which limits what is lost on a
/// server that never responds.
const LONGEST_TRIAL: Duration = Duration::from_secs(5);

/// The pause before another `wait` of Compute Engine, which may return early,
/// even at once, and must not be polled in a loop.
const PAUSE_OF_SERVICE: Duration = Duration::from_secs(1);

/// The shortest long poll. Less is not worth a request of its own.
const SHORTEST: Duration = Duration::from_secs(1);

/// Failures in a row after which a wait only polls.
const MOST_FAILURES: u32 = 2;
