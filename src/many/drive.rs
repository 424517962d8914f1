//! The loop that waits for many operations: what is due is asked for, by pages or one by one.

mod pages;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::core::Core;
use crate::error::Error;
use crate::poller::{Step, Wait};
use crate::proto::google::longrunning::{CancelOperationRequest, GetOperationRequest};
use crate::retry::{self, Attempts, Task};
use crate::stop::StopToken;
use crate::transport::Rpc;
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
            finished: VecDeque::new(),
            open: 0,
            woke,
            inside: false,
        }
    }

    /// The next operation that is over: done, or not waited for any longer.
    pub(super) fn next(&mut self) -> Option<Over> {
        if std::mem::replace(&mut self.inside, true) {
            self.start_over();
        }
        let over = self.advance();
        self.inside = false;
        over
    }

    /// Asks afresh for all that is not over. A panic in code of the caller's, who has caught it, may have left anything
    /// half done.
    fn start_over(&mut self) {
        self.crew = self.crew.afresh();
        self.ready.clear();
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

    fn step_track(&mut self, number: usize, now: Instant) -> Next {
        let core = Arc::clone(self.core());
        let (stopped, woke) = (self.is_stopped(), self.woke);
        let attempt_timeout = self.shared.options.attempt_timeout;
        let Some(track) = self.tracks.get_mut(number) else { return self.skip() };
        let missed = track.stage == Stage::Missed;
        if !missed && track.stage != Stage::Idle {
            return self.skip();
        }
        if track.cancel.is_some() {
            return self.step_cancel(number);
        }
        let Some(wait) = track.wait.as_deref_mut() else { return self.skip() };
        let deadline = wait.deadline();
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(now));
        if missed && !stopped {
            if left.is_zero() {
                self.ready.pop_front();
                self.answered(number, Err(Error::no_time()), &*core.clock);
                return Next::Step;
            }
            let request = wait.request().clone();
            return self.get(number, request, left.min(attempt_timeout), deadline, now);
        }
        wait.give_up_if_late(woke, now);
        let polls = !stopped && wait.due().is_some_and(|at| at <= now);
        if polls && let Some(rest) = self.rest_before_sending(now, deadline) {
            return rest;
        }
        self.ready.pop_front();
        self.go_on(number, now);
        Next::Step
    }

    /// Takes the next step of a wait, for which there is room.
    pub(super) fn go_on(&mut self, number: usize, now: Instant) {
        let core = Arc::clone(self.core());
        let Some(track) = self.tracks.get_mut(number) else { return };
        let Some(wait) = track.wait.as_deref_mut() else { return };
        match wait.next(&*core.clock) {
            Step::Poll(poll) => {
                let (request, timeout) = (wait.request().clone(), poll.timeout());
                track.stage = Stage::Sent { missed: false };
                self.send(Job::Get { track: number, request, timeout }, now);
            }
            Step::Sleep(at) => self.schedule(at, Unit::Track(number)),
            Step::Cancel { timeout } => self.start_cancel(number, timeout),
            Step::End(error) => self.finish(number, Err(error)),
        }
    }

    fn get(
        &mut self,
        number: usize,
        request: GetOperationRequest,
        timeout: Duration,
        deadline: Option<Instant>,
        now: Instant,
    ) -> Next {
        if let Some(rest) = self.rest_before_sending(now, deadline) {
            return rest;
        }
        self.ready.pop_front();
        if let Some(track) = self.tracks.get_mut(number) {
            track.stage = Stage::Sent { missed: true };
        }
        self.send(Job::Get { track: number, request, timeout }, now);
        Next::Step
    }

    pub(super) fn start_cancel(&mut self, number: usize, timeout: Duration) {
        let core = Arc::clone(self.core());
        let options = &self.shared.options;
        let Some(track) = self.tracks.get_mut(number) else { return };
        let task = Task {
            rpc: Rpc::Cancel,
            name: track.wait.as_ref().map_or_else(String::new, |wait| wait.request().name.clone()),
            attempt_timeout: options.attempt_timeout,
            total_timeout: timeout,
            policy: options.retry.clone(),
            stop: options.stop.clone(),
        };
        track.cancel = Some(Box::new(Attempts::new(task, &*core.clock)));
        track.stage = Stage::Idle;
        self.ready.push_back(Unit::Track(number));
    }

    fn step_cancel(&mut self, number: usize) -> Next {
        let core = Arc::clone(self.core());
        if !self.crew.has_room() {
            return Next::Rest(None);
        }
        self.ready.pop_front();
        let Some(track) = self.tracks.get_mut(number) else { return Next::Step };
        let (Some(attempts), Some(wait)) = (track.cancel.as_deref_mut(), track.wait.as_deref()) else {
            return Next::Step;
        };
        match attempts.next(&*core.clock) {
            retry::Step::Attempt(turn) => {
                let request = CancelOperationRequest { name: wait.request().name.clone() };
                track.stage = Stage::Sent { missed: false };
                self.send(Job::Cancel { track: number, request, turn }, core.clock.now());
            }
            retry::Step::Sleep(until) => self.schedule(until, Unit::Track(number)),
            retry::Step::End(error) => self.cancelled(number, Err(error)),
        }
        Next::Step
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

    fn got(&mut self, number: usize, answer: Result<Operation, Error>, clock: &dyn Clock) {
        let track = self.tracks.get(number);
        let missed = track.is_some_and(|track| track.stage == Stage::Sent { missed: true });
        let running = answer.as_ref().is_ok_and(|operation| !operation.is_done());
        let group = track.filter(|_| missed).and_then(|track| track.group);
        if let Some(group) = group.and_then(|group| self.groups.get_mut(group)) {
            if answer.is_ok() {
                group.got();
            }
            if running {
                group.missed();
            }
        }
        self.answered(number, answer, clock);
    }

    /// Hands an answer to its wait.
    fn answered(&mut self, number: usize, answer: Result<Operation, Error>, clock: &dyn Clock) {
        let Some(wait) = self.tracks.get_mut(number).and_then(|track| track.wait.as_deref_mut()) else {
            return;
        };
        let is_news = |operation: &Operation| wait.last() != Some(operation);
        let news = self.observer.is_some() && answer.as_ref().is_ok_and(is_news);
        match wait.answered(answer, clock) {
            Some(Ok(operation)) => {
                if let Some(observer) = self.observer.as_mut().filter(|_| news) {
                    observer(&operation);
                }
                match operation.is_done() {
                    true => self.finish(number, Ok(operation)),
                    false => self.settle(number, clock.now()),
                }
            }
            Some(Err(error)) => self.finish(number, Err(error)),
            None => self.settle(number, clock.now()),
        }
    }

    fn cancelled(&mut self, number: usize, answer: Result<(), Error>) {
        let core = Arc::clone(self.core());
        let Some(track) = self.tracks.get_mut(number) else { return };
        track.cancel = None;
        if let Some(wait) = track.wait.as_deref_mut() {
            wait.cancelled(answer, &*core.clock);
        }
        self.settle(number, core.clock.now());
    }

    /// Sees to it that a track which has nothing under way goes on in time.
    fn settle(&mut self, number: usize, now: Instant) {
        let Some(track) = self.tracks.get_mut(number) else { return };
        track.stage = Stage::Idle;
        let due = track.wait.as_deref().and_then(Wait::due).filter(|_| track.cancel.is_none());
        let lists = |group: &usize| self.groups.get(*group).is_some_and(Group::lists);
        match (due, track.group.filter(lists)) {
            (Some(at), Some(group)) => self.call_round(group, at),
            (at, _) => self.schedule(at.unwrap_or(now), Unit::Track(number)),
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
        if self.crew.is_busy() {
            let left = until.map(|until| until.saturating_duration_since(core.clock.now()));
            if let Some(report) = self.crew.wait(left.map(|left| core.clock.patience(left))) {
                self.take(report);
            }
        } else if let Some(until) = until {
            core.clock.sleep_until(until, self.shared.options.stop.as_ref());
        }
        if idle {
            self.woke = core.clock.now();
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
}
