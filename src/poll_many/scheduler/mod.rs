//! The loop that waits for many operations and polls those that are due, by
//! pages or one by one.

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

/// The threads that send requests.
pub(super) type RequestPool = ThreadPool<PollRequest, RequestReport>;

/// All waits, and when each has to go on. The thread that calls
/// [`next`](Self::next) sleeps and decides; requests are sent by that thread
/// too, unless several have to be under way at a time.
pub(super) struct Scheduler {
    pub(super) shared: Arc<RequestContext>,
    pub(super) pool: RequestPool,
    pub(super) rate: PollRate,
    pub(super) journal: Option<JournalWriter>,
    pub(super) max_failures: u32,
    /// The total timeout is zero.
    pub(super) polls_once: bool,
    pub(super) tracks: Vec<WaitTrack>,
    pub(super) groups: Vec<ParentGroup>,
    /// The tracks by the names of their operations, but for those that are
    /// over.
    pub(super) names: HashMap<String, usize>,
    /// The later steps and their instants; the number keeps the order of steps
    /// that are due at the same time.
    later: BinaryHeap<Reverse<(Instant, u64, ScheduledStep)>>,
    scheduled: u64,
    /// The steps that are due now, in the order in which they became due.
    ready: VecDeque<ScheduledStep>,
    /// Tracks whose wait ends or cancels next. One by one, so that the first is
    /// returned at once.
    ending: VecDeque<usize>,
    /// How many more waits may poll after their deadline, because they slept
    /// past it.
    last_looks: usize,
    pub(super) finished: VecDeque<FinishedTrack>,
    /// Tracks that are not over.
    pub(super) open: usize,
    /// Since when there has always been something to do.
    woke: Instant,
    /// Whether [`next`](Self::next) was begun and not ended.
    inside: bool,
}

/// A step of a track or of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ScheduledStep {
    /// The next step of a track.
    Track(usize),
    /// The next round of a group.
    Round(usize),
    /// The next page of a group.
    Page(usize),
}

/// The continuation after a step of the loop.
enum LoopStep {
    /// The next one.
    Step,
    /// A rest until then, or until a request has come to its end.
    Rest(Option<Instant>),
}

impl Scheduler {
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

    /// Returns the next operation that is finished or no longer waited for.
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

    /// Returns a finished operation, after the journal has recorded it if there
    /// is one.
    fn give(&mut self) -> Option<FinishedTrack> {
        match &mut self.journal {
            Some(journal) => journal.give(&mut self.finished),
            None => self.finished.pop_front(),
        }
    }

    /// Acknowledges the last item.
    pub(super) fn acknowledge(&mut self) -> Result<(), Error> {
        match &mut self.journal {
            Some(journal) => journal.handled(&self.finished),
            None => Ok(()),
        }
    }

    /// Brings a track to its first step.
    pub(super) fn begin(&mut self, track: usize, now: Instant) {
        self.open += 1;
        self.settle(track, now);
    }

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

    /// Moves what is due to the end of the queue; everything, when the token is
    /// stopped.
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
    fn rest_before_sending(&mut self, now: Instant, deadline: Option<Instant>) -> Option<LoopStep> {
        if !self.pool.has_room() {
            return Some(LoopStep::Rest(None));
        }
        let turn = self.rate.turn(now);
        // A deadline that has passed no longer shortens the rest: its last look also
        // needs a permit.
        let deadline = deadline.filter(|deadline| now < *deadline);
        let until = deadline.map_or(turn, |deadline| deadline.min(turn));
        (now < turn).then_some(LoopStep::Rest(Some(until)))
    }

    /// Sends a request: on this thread, if nothing else becomes due before the
    /// request times out.
    fn send(&mut self, request: PollRequest, now: Instant) {
        // The rate limits polls. A cancellation belongs to the end of a wait and must
        // not be late.
        if !matches!(request, PollRequest::Cancel { .. }) {
            self.rate.take_turn();
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

    fn schedule(&mut self, at: Instant, unit: ScheduledStep) {
        self.scheduled += 1;
        self.later.push(Reverse((at, self.scheduled, unit)));
    }

    /// Ends a track, and returns its wait.
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

    fn wait_of(&mut self, number: usize) -> Option<&mut WaitMachine> {
        self.tracks.get_mut(number)?.wait.as_deref_mut()
    }
}

/// This many are polled after the timeout, if listing does not work. More would
/// take too long.
const LAST_LOOKS: usize = 100;
