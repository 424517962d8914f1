//! The loop that waits for many operations: what is due is asked for, by pages or one by one.

mod pages;
mod track;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Instant;

use crate::core::Core;
use crate::error::Error;
use crate::poller::Wait;
use crate::stop::StopToken;
use crate::types::Operation;

use super::Observer;
use super::crew::Crew;
use super::group::Group;
use super::job::{Answer, Job, Report, Shared};
use super::ledger::Ledger;
use super::pace::Pace;
use super::track::{Stage, Track};

pub(super) use pages::Moment;

/// All waits, and when each has to go on. The thread that calls [`next`](Self::next) sleeps and decides; requests are
/// sent by that thread too, unless several have to be under way at a time.
pub(super) struct Drive {
    pub(super) shared: Arc<Shared>,
    pub(super) crew: Crew,
    pub(super) pace: Pace,
    pub(super) observer: Option<Observer>,
    pub(super) ledger: Option<Ledger>,
    pub(super) max_failures: u32,
    pub(super) tracks: Vec<Track>,
    pub(super) groups: Vec<Group>,
    /// The tracks by the names of their operations, but for those that are over.
    pub(super) names: HashMap<String, usize>,
    /// What has to be done later, and when; the number keeps the order of what is due at the same time.
    later: BinaryHeap<Reverse<(Instant, u64, Unit)>>,
    scheduled: u64,
    /// What has to be done now, in the order in which it came due.
    ready: VecDeque<Unit>,
    /// Tracks that have nothing to wait for any more. One by one, so that the first is given at once.
    ending: VecDeque<usize>,
    /// How many may still look once more after they slept until time was up.
    last_looks: usize,
    pub(super) finished: VecDeque<Over>,
    /// Tracks that are not over.
    pub(super) open: usize,
    /// Since when there has always been something to do.
    woke: Instant,
    /// Whether [`next`](Self::next) was begun and not ended.
    inside: bool,
}

/// A track that is over, and how.
pub(super) struct Over {
    pub(super) track: usize,
    /// What was asked for; a service may answer with another name.
    pub(super) name: String,
    pub(super) result: Result<Operation, Error>,
}

/// What has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    /// The next step of a track.
    Track(usize),
    /// The next round of a group.
    Round(usize),
    /// The next page of a group.
    Page(usize),
}

/// What comes after a step of the loop.
enum Next {
    /// The next one.
    Step,
    /// A rest until then, or until a request has come to its end.
    Rest(Option<Instant>),
}

impl Drive {
    pub(super) fn new(shared: Arc<Shared>, crew: Crew, pace: Pace, woke: Instant) -> Self {
        Self {
            shared,
            crew,
            pace,
            observer: None,
            ledger: None,
            max_failures: 0,
            tracks: Vec::new(),
            groups: Vec::new(),
            names: HashMap::new(),
            later: BinaryHeap::new(),
            scheduled: 0,
            ready: VecDeque::new(),
            ending: VecDeque::new(),
            last_looks: track::LAST_LOOKS,
            finished: VecDeque::new(),
            open: 0,
            woke,
            inside: false,
        }
    }

    /// The next operation that is over: done, or not waited for any longer.
    pub(super) fn next(&mut self) -> Option<Over> {
        if std::mem::replace(&mut self.inside, true) || self.crew.is_lost() {
            self.start_over();
        }
        let over = self.advance();
        self.inside = false;
        over
    }

    /// Asks afresh for all that is not over. A panic in code of the caller's, who has caught it, may have left anything
    /// half done; and in a forked child, the threads with what is under way do not exist.
    fn start_over(&mut self) {
        self.crew = self.crew.afresh();
        self.ready.clear();
        self.ending.clear();
        self.later.clear();
        for group in &mut self.groups {
            (group.next, group.pause, group.pass) = (None, None, None);
        }
        let now = self.core().clock.now();
        for number in 0..self.tracks.len() {
            if let Some(track) = self.tracks.get_mut(number).filter(|track| track.wait.is_some()) {
                track.cancel = None;
                self.settle(number, now);
            }
        }
    }

    fn advance(&mut self) -> Option<Over> {
        if self.ready.is_empty() {
            // Whatever the caller did since the last time.
            self.woke = self.core().clock.now();
        }
        loop {
            while let Some(report) = self.crew.poll() {
                self.take(report);
            }
            if let Some(finished) = self.give() {
                return Some(finished);
            }
            if self.open == 0 {
                return None;
            }
            if let Next::Rest(until) = self.step() {
                self.rest(until);
            }
        }
    }

    /// What is over, once the journal has it, if there is one.
    fn give(&mut self) -> Option<Over> {
        match &mut self.ledger {
            Some(ledger) => ledger.give(&mut self.finished),
            None => self.finished.pop_front(),
        }
    }

    /// Says that the one that was given last is dealt with.
    pub(super) fn acknowledge(&mut self) -> Result<(), Error> {
        match &mut self.ledger {
            Some(ledger) => ledger.handled(&self.finished),
            None => Ok(()),
        }
    }

    /// Brings a track to its first step.
    pub(super) fn begin(&mut self, track: usize, now: Instant) {
        self.open += 1;
        self.settle(track, now);
    }

    fn step(&mut self) -> Next {
        let now = self.core().clock.now();
        if let Some(number) = self.ending.pop_front() {
            self.go_on(number, now);
            return Next::Step;
        }
        self.collect_due(now);
        match self.ready.front().copied() {
            None => Next::Rest(self.later.peek().map(|Reverse((at, ..))| *at)),
            Some(Unit::Track(track)) => self.step_track(track, now),
            Some(Unit::Round(group)) => {
                self.ready.pop_front();
                self.start_pass(group, now);
                Next::Step
            }
            Some(Unit::Page(group)) => self.step_page(group, now),
        }
    }

    /// Moves what is due to the end of the queue; everything, when the token is stopped.
    fn collect_due(&mut self, now: Instant) {
        let stopped = self.is_stopped();
        while let Some(Reverse((at, ..))) = self.later.peek() {
            if now < *at && !stopped {
                return;
            }
            let Some(Reverse((at, _, unit))) = self.later.pop() else { return };
            match unit {
                Unit::Round(group) => {
                    // Rounds that were put forward leave their former time behind.
                    let current = self.groups.get_mut(group).filter(|group| group.next == Some(at));
                    if let Some(group) = current.filter(|group| group.pass.is_none()) {
                        group.next = None;
                        self.ready.push_back(unit);
                    }
                }
                _ => self.ready.push_back(unit),
            }
        }
    }

    /// A rest, if there is no room for a request now or its turn has not come.
    fn rest_before_sending(&mut self, now: Instant, deadline: Option<Instant>) -> Option<Next> {
        if !self.crew.has_room() {
            return Some(Next::Rest(None));
        }
        let turn = self.pace.turn(now);
        let deadline = deadline.filter(|deadline| now < *deadline);
        let until = deadline.map_or(turn, |deadline| deadline.min(turn));
        (now < turn).then_some(Next::Rest(Some(until)))
    }

    /// Sends a request: from here when nothing else has to be done before it comes to its end.
    fn send(&mut self, job: Job, now: Instant) {
        if !matches!(job, Job::Cancel { .. }) {
            self.pace.take_turn();
        }
        let end = now.checked_add(job.timeout());
        let next = self.later.peek().map(|Reverse((at, ..))| *at);
        let undisturbed = next.is_none_or(|next| end.is_some_and(|end| end < next));
        let alone = !self.crew.is_busy() && self.ready.is_empty() && undisturbed;
        let here = if alone || self.crew.is_alone() { Err(job) } else { self.crew.send(job) };
        if let Err(job) = here {
            let report = job.run(&self.shared);
            self.take(report);
        }
    }

    fn take(&mut self, report: Report) {
        let core = Arc::clone(self.core());
        match report.answer {
            Answer::Got { track, answer } => self.got(track, answer, &*core.clock),
            Answer::Listed { group, answer } => self.listed(group, answer),
            Answer::Cancelled { track, answer } => {
                let attempts = self.tracks.get_mut(track).and_then(|track| track.cancel.as_deref_mut());
                match (attempts, answer) {
                    (Some(attempts), Err(error)) => {
                        attempts.failed(error, &*core.clock);
                        self.settle(track, core.clock.now());
                    }
                    (_, answer) => self.cancelled(track, answer),
                }
            }
        }
        if let Some(panic) = report.panic {
            // The answer is in its place: nothing has to start over.
            self.inside = false;
            resume_unwind(panic);
        }
    }

    /// Sees to it that a track which has nothing under way goes on in time.
    fn settle(&mut self, number: usize, now: Instant) {
        let Some(track) = self.tracks.get_mut(number) else { return };
        track.stage = Stage::Idle;
        let lists = |group: &usize| self.groups.get(*group).is_some_and(Group::lists);
        match (track.wait.as_deref().and_then(Wait::due), track.group.filter(lists)) {
            _ if track.cancel.is_some() => self.schedule(now, Unit::Track(number)),
            (Some(at), Some(group)) => self.call_round(group, at),
            (Some(at), None) => self.schedule(at, Unit::Track(number)),
            (None, _) => self.ending.push_back(number),
        }
    }

    fn schedule(&mut self, at: Instant, unit: Unit) {
        self.scheduled += 1;
        self.later.push(Reverse((at, self.scheduled, unit)));
    }

    fn finish(&mut self, number: usize, result: Result<Operation, Error>) {
        let Some(track) = self.tracks.get_mut(number) else { return };
        let Some(wait) = track.wait.take() else { return };
        track.cancel = None;
        let name = wait.name().to_owned();
        self.names.remove(&name);
        self.open -= 1;
        let result = result.map_err(|error| error.about(&name));
        self.finished.push_back(Over { track: number, name, result });
    }

    fn rest(&mut self, until: Option<Instant>) {
        let core = Arc::clone(self.core());
        let idle = self.ready.is_empty();
        let mut report = None;
        if self.crew.is_busy() {
            let left = until.map(|until| until.saturating_duration_since(core.clock.now()));
            report = self.crew.wait(left.map(|left| core.clock.patience(left)));
        } else if let Some(until) = until {
            core.clock.sleep_until(until, self.shared.options.stop.as_ref());
        }
        if idle {
            self.woke = core.clock.now();
        }
        if let Some(report) = report {
            self.take(report);
        }
    }

    fn skip(&mut self) -> Next {
        self.ready.pop_front();
        Next::Step
    }

    fn is_stopped(&self) -> bool {
        self.shared.options.stop.as_ref().is_some_and(StopToken::is_stopped)
    }

    fn core(&self) -> &Arc<Core> {
        &self.shared.core
    }

    fn wait_of(&mut self, number: usize) -> Option<&mut Wait> {
        self.tracks.get_mut(number)?.wait.as_deref_mut()
    }
}
