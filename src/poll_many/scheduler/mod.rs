//! The loop that waits for many operations and polls those that are due, by
//! pages or one by one.
//!
//! ```text
//! loop in `advance`:
//!   reports of requests     → `take`       may finish tracks
//!   a finished track        → returned     the loop continues with the next call
//!   nothing open            → the end
//!   tracks that end         → `go_on`      no request, so they do not queue
//!   a step that is due      → `step_track`, `start_pass`, `step_page`
//!   nothing due             → `rest`       until the next step or the next report
//! ```
//!
//! Invariants: an open track is always somewhere: scheduled, ready, ending, in
//! a pass, or in flight. So none is forgotten. A track has at most one request
//! of its own in flight.

mod pages;
mod steps;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Instant;

use crate::core::Core;
use crate::error::Error;
use crate::poller::WaitMachine;
use crate::types::Operation;
use crate::util::stop::StopToken;
use crate::util::threads::ThreadPool;

use super::group::ParentGroup;
use super::journaling::JournalWriter;
use super::rate::PollRate;
use super::request::{PollRequest, RequestContext, RequestReport, RequestResult};
use super::track::{FinishedTrack, TrackStage, WaitTrack};

/// The threads that send requests. They start when they are needed and end with
/// the pool.
pub(super) type RequestPool = ThreadPool<PollRequest, RequestReport>;

/// All waits, and when each of them has its next step. The thread that calls
/// [`next`](Self::next) sleeps and decides; requests are sent by that thread
/// too, unless several have to be in flight at once.
pub(super) struct Scheduler {
    pub(super) shared: Arc<RequestContext>,
    pub(super) pool: RequestPool,
    pub(super) rate: PollRate,
    pub(super) journal: Option<JournalWriter>,
    /// The option of the waits, which limits failing pages too.
    pub(super) max_failures: u32,
    /// Whether the total timeout is zero.
    pub(super) polls_once: bool,
    pub(super) tracks: Vec<WaitTrack>,
    pub(super) groups: Vec<ParentGroup>,
    /// The track of each name, as long as it is not finished. An operation on a
    /// page is found by it.
    pub(super) names: HashMap<String, usize>,
    /// Later steps and their instants; the number keeps the order of steps that
    /// are due at the same instant.
    later: BinaryHeap<Reverse<(Instant, u64, ScheduledStep)>>,
    /// The number of the last scheduled step.
    scheduled: u64,
    /// Steps that are due, in the order in which they became due. The first one
    /// stays in the queue until there is room for its request.
    ready: VecDeque<ScheduledStep>,
    /// Tracks whose wait ends or cancels next. They are processed one by one,
    /// so that the first result is returned at once.
    ending: VecDeque<usize>,
    /// How many more waits may poll after their deadline, because the thread
    /// slept past it.
    last_looks: usize,
    /// Results that have not been returned yet.
    pub(super) finished: VecDeque<FinishedTrack>,
    /// The number of tracks that are not finished.
    pub(super) open: usize,
    /// The start of the current time of work: since then, there has always been
    /// a step that was due.
    woke: Instant,
    /// Whether [`next`](Self::next) has begun and not returned. If it is set
    /// when `next` begins, the last call panicked.
    inside: bool,
}

/// A step of a track or of a group, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ScheduledStep {
    /// The next step of a track.
    Track(usize),
    /// The next round of a group.
    Round(usize),
    /// The next page of a group.
    Page(usize),
}

/// What the loop does after a step.
enum LoopStep {
    /// The next step.
    Step,
    /// A rest until this instant, or until a request has ended.
    Rest(Option<Instant>),
}

impl Scheduler {
    /// Creates a scheduler without tracks.
    pub(super) fn new(shared: Arc<RequestContext>, pool: RequestPool, rate: PollRate, woke: Instant) -> Self {
        Self {
            shared,
            pool,
            rate,
            journal: None,
            max_failures: 0,
            polls_once: false,
            tracks: Vec::new(),
            groups: Vec::new(),
            names: HashMap::new(),
            later: BinaryHeap::new(),
            scheduled: 0,
            ready: VecDeque::new(),
            ending: VecDeque::new(),
            last_looks: LAST_LOOKS,
            finished: VecDeque::new(),
            open: 0,
            woke,
            inside: false,
        }
    }

    /// Returns the next track that is finished; `None` when all were returned.
    ///
    /// After a panic that the caller has caught, and in a forked child, it
    /// starts over with the tracks that are open.
    pub(super) fn next(&mut self) -> Option<FinishedTrack> {
        // `inside` is still set if the last call ended in a panic.
        if std::mem::replace(&mut self.inside, true) || self.pool.is_inherited() {
            self.start_over();
        }
        let over = self.advance();
        self.inside = false;
        over
    }

    /// Polls all unfinished operations afresh. A panic in code of the caller
    /// may have left any step half done, and in a forked child the threads
    /// with the requests in flight do not exist.
    ///
    /// Reports of requests that are still in flight are discarded with the old
    /// pool.
    fn start_over(&mut self) {
        self.pool = self.pool.fresh();
        self.ready.clear();
        self.ending.clear();
        self.later.clear();
        // A pass whose page is lost would never end, and a group with a pass starts no
        // other.
        for group in &mut self.groups {
            (group.next, group.pause, group.pass) = (None, None, None);
        }
        let now = self.core().clock.now();
        for number in 0..self.tracks.len() {
            if let Some(track) = self.tracks.get_mut(number).filter(|track| track.wait.is_some()) {
                // The wait is still in its state `Cancel`, so the cancellation starts anew with
                // its first attempt.
                track.cancel = None;
                self.settle(number, now);
            }
        }
    }

    /// Runs the loop until a track is finished.
    fn advance(&mut self) -> Option<FinishedTrack> {
        if self.ready.is_empty() {
            // The time that the caller took since the last item does not count as being
            // busy.
            self.woke = self.core().clock.now();
        }
        loop {
            // Results first: they may end waits, and make requests unnecessary that are
            // due.
            while let Some(report) = self.pool.poll() {
                self.take(report);
            }
            if let Some(finished) = self.give() {
                return Some(finished);
            }
            if self.open == 0 {
                return None;
            }
            if let LoopStep::Rest(until) = self.step() {
                self.rest(until);
            }
        }
    }

    /// Returns a finished track, after the journal has recorded it if there is
    /// one.
    fn give(&mut self) -> Option<FinishedTrack> {
        match &mut self.journal {
            Some(journal) => journal.give(&mut self.finished),
            None => self.finished.pop_front(),
        }
    }

    /// Acknowledges the last item, which the journal then removes.
    pub(super) fn acknowledge(&mut self) -> Result<(), Error> {
        match &mut self.journal {
            Some(journal) => journal.handled(&self.finished),
            None => Ok(()),
        }
    }

    /// Schedules the first step of a track.
    pub(super) fn begin(&mut self, track: usize, now: Instant) {
        self.open += 1;
        self.settle(track, now);
    }

    /// Takes one step: that of a track that ends, else the first one that is
    /// due.
    fn step(&mut self) -> LoopStep {
        let now = self.core().clock.now();
        // Waits that end need no request, so they do not wait behind those that do.
        if let Some(number) = self.ending.pop_front() {
            self.go_on(number, now);
            return LoopStep::Step;
        }
        self.collect_due(now);
        match self.ready.front().copied() {
            None => LoopStep::Rest(self.later.peek().map(|Reverse((at, ..))| *at)),
            Some(ScheduledStep::Track(track)) => self.step_track(track, now),
            Some(ScheduledStep::Round(group)) => {
                self.ready.pop_front();
                self.start_pass(group, now);
                LoopStep::Step
            }
            Some(ScheduledStep::Page(group)) => self.step_page(group, now),
        }
    }

    /// Moves steps that are due to the end of the queue; all steps, if the
    /// token is stopped.
    fn collect_due(&mut self, now: Instant) {
        let stopped = self.is_stopped();
        while let Some(Reverse((at, ..))) = self.later.peek() {
            if now < *at && !stopped {
                return;
            }
            let Some(Reverse((at, _, unit))) = self.later.pop() else { return };
            match unit {
                ScheduledStep::Round(group) => {
                    // Rounds that were put forward leave their former time behind.
                    let current = self.groups.get_mut(group).filter(|group| group.next == Some(at));
                    if let Some(group) = current.filter(|group| group.pass.is_none()) {
                        group.next = None;
                        self.ready.push_back(unit);
                    }
                }
                // Entries of tracks are not withdrawn. `step_track` passes over one whose track has moved on.
                _ => self.ready.push_back(unit),
            }
        }
    }

    /// Returns a rest, if no worker is free or the rate limit has no permit
    /// yet.
    ///
    /// The rest ends at the deadline, if that comes before the permit: the wait
    /// then ends on time.
    fn rest_before_sending(&mut self, now: Instant, deadline: Option<Instant>) -> Option<LoopStep> {
        if !self.pool.has_room() {
            return Some(LoopStep::Rest(None));
        }
        let permit = self.rate.permit(now);
        // A deadline that has passed no longer shortens the rest: its last look also
        // needs a permit.
        let deadline = deadline.filter(|deadline| now < *deadline);
        let until = deadline.map_or(permit, |deadline| deadline.min(permit));
        (now < permit).then_some(LoopStep::Rest(Some(until)))
    }

    /// Sends a request: on this thread, if nothing else becomes due before the
    /// request times out; otherwise on a worker.
    ///
    /// | in flight | due later | sent |
    /// |---|---|---|
    /// | nothing | after the timeout of the request, or nothing | here: no thread starts |
    /// | nothing | now, or before it | by a worker, so that this thread can wake in time |
    /// | something | anything | by a worker |
    ///
    /// If all operations are polled one after the other, no thread is ever
    /// started. With a `concurrency` of 1 everything is sent here.
    fn send(&mut self, request: PollRequest, now: Instant) {
        // The rate limits polls. A cancellation belongs to the end of a wait and must
        // not be late.
        if !matches!(request, PollRequest::Cancel { .. }) {
            self.rate.use_permit();
        }
        let end = now.checked_add(request.timeout());
        let next = self.later.peek().map(|Reverse((at, ..))| *at);
        // The calling thread sends a request itself only if nothing else becomes due
        // before its timeout; otherwise that would be late. With one worker
        // there is no choice.
        let undisturbed = next.is_none_or(|next| end.is_some_and(|end| end < next));
        let alone = !self.pool.is_busy() && self.ready.is_empty() && undisturbed;
        let here = if alone || self.pool.size() <= 1 { Err(request) } else { self.pool.send(request) };
        if let Err(request) = here {
            let report = self.pool.run_here(request);
            self.take(report);
        }
    }

    /// Processes the report of a request. A panic of the transport continues
    /// here, as the last step.
    fn take(&mut self, report: RequestReport) {
        let core = Arc::clone(self.core());
        match report.result {
            RequestResult::Got { track, result } => self.got(track, result, &*core.clock),
            RequestResult::Listed { group, result } => self.listed(group, result),
            RequestResult::Cancelled { track, result } => {
                let attempts = self.tracks.get_mut(track).and_then(|track| track.cancel.as_deref_mut());
                match (attempts, result) {
                    // `Attempts` decides about retries of a cancellation, as for any other call.
                    (Some(attempts), Err(error)) => {
                        attempts.failed(error, &*core.clock);
                        self.settle(track, core.clock.now());
                    }
                    (_, result) => self.cancelled(track, result),
                }
            }
        }
        if let Some(panic) = report.panic {
            // The response was processed, so the next call does not have to start over.
            self.inside = false;
            resume_unwind(panic);
        }
    }

    /// Schedules the next step of a track that has no request in flight.
    ///
    /// A track in a group that lists has no step of its own: it calls the
    /// round.
    ///
    /// | next | scheduled |
    /// |---|---|
    /// | an attempt of a cancellation | now |
    /// | a poll, and its group lists | the round of the group |
    /// | a poll of its own | when it is due |
    /// | the end, or the start of a cancellation | at once, before everything else |
    fn settle(&mut self, number: usize, now: Instant) {
        let Some(track) = self.tracks.get_mut(number) else { return };
        track.stage = TrackStage::Idle;
        let lists = |group: &usize| self.groups.get(*group).is_some_and(ParentGroup::lists);
        match (track.wait.as_deref().and_then(WaitMachine::due), track.group.filter(lists)) {
            _ if track.cancel.is_some() => self.schedule(now, ScheduledStep::Track(number)),
            // A group has one timer: the member that is due first starts the round of all.
            (Some(at), Some(group)) => self.call_round(group, at),
            (Some(at), None) => self.schedule(at, ScheduledStep::Track(number)),
            // The wait ends or cancels next, and neither has to queue behind polls.
            (None, _) => self.ending.push_back(number),
        }
    }

    /// Schedules a step.
    fn schedule(&mut self, at: Instant, unit: ScheduledStep) {
        self.scheduled += 1;
        self.later.push(Reverse((at, self.scheduled, unit)));
    }

    /// Ends a track, and returns its wait, whose observer has not seen the end
    /// yet.
    fn finish(&mut self, number: usize, result: Result<Operation, Error>) -> Option<Box<WaitMachine>> {
        let track = self.tracks.get_mut(number)?;
        let wait = track.wait.take()?;
        track.cancel = None;
        let name = wait.name().to_owned();
        // The name is free again at once, so a later page does not find a track that
        // has ended.
        self.names.remove(&name);
        self.open -= 1;
        let result = result.map_err(|error| error.about(&name));
        self.finished.push_back(FinishedTrack { track: number, name, result });
        Some(wait)
    }

    /// Sleeps until `until`, until a request has ended, or until the token is
    /// stopped. Without an instant, a request is in flight.
    fn rest(&mut self, until: Option<Instant>) {
        let core = Arc::clone(self.core());
        let idle = self.ready.is_empty();
        let mut report = None;
        // A response may arrive before the next step is due, so the thread waits for
        // both.
        if self.pool.is_busy() {
            let left = until.map(|until| until.saturating_duration_since(core.clock.now()));
            report = self.pool.wait(left.map(|left| core.clock.patience(left)));
        } else if let Some(until) = until {
            core.clock.sleep_until(until, self.shared.options.stop.as_ref());
        }
        // With steps left in the queue this was no sleep. `woke` then stays, because it
        // measures how long the thread is busy.
        if idle {
            self.woke = core.clock.now();
        }
        if let Some(report) = report {
            self.take(report);
        }
    }

    /// Removes the first step, whose track or group has moved on.
    fn skip(&mut self) -> LoopStep {
        self.ready.pop_front();
        LoopStep::Step
    }

    fn is_stopped(&self) -> bool {
        self.shared.options.stop.as_ref().is_some_and(StopToken::is_stopped)
    }

    fn core(&self) -> &Arc<Core> {
        &self.shared.core
    }

    /// Returns the wait of a track that is open.
    fn wait_of(&mut self, number: usize) -> Option<&mut WaitMachine> {
        self.tracks.get_mut(number)?.wait.as_deref_mut()
    }
}

/// The number of operations that are polled individually after the timeout.
/// More would delay the errors of all others.
const LAST_LOOKS: usize = 100;
