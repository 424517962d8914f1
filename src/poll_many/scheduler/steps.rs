//! Steps of one track: its polls, their results, and its cancellation.
//!
//! A single wait sleeps until its next poll and sends it. Among many, a step
//! may come late, because the thread was busy or a permit was not free. The
//! cases around the deadline distinguish that: a wait that was *awake* at its
//! deadline has had its last poll and ends; one that *slept* past it may poll
//! once more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::poller::{Poll, WaitStep};
use crate::proto::google::longrunning::CancelOperationRequest;
use crate::retry::{self, Attempts, RepeatRule, RetryTask};
use crate::transport::Rpc;
use crate::types::Operation;
use crate::util::clock::Clock;

use super::super::group::ParentGroup;
use super::super::request::PollRequest;
use super::super::track::TrackStage;
use super::{LoopStep, ScheduledStep, Scheduler};

impl Scheduler {
    /// Takes the next step of a track that is due. The entry may be old; it is
    /// skipped if the track has moved on.
    ///
    /// | track | step |
    /// |---|---|
    /// | a cancellation | its next attempt |
    /// | missed by a pass, before the deadline | a get, as a part of the same poll |
    /// | missed, after the deadline | a get if it is a last look with a timeout of zero, else the end |
    /// | due, before the deadline | a poll, when a worker and a permit are free |
    /// | due, the thread was awake at the deadline | the end |
    /// | due, the thread slept past the deadline | a last poll, if one is left |
    ///
    /// While there is no room, the step stays at the front of the queue and the
    /// loop rests.
    pub(super) fn step_track(&mut self, number: usize, now: Instant) -> LoopStep {
        let (stopped, woke) = (self.is_stopped(), self.woke);
        let attempt_timeout = self.shared.options.attempt_timeout;
        let Some(track) = self.tracks.get_mut(number) else { return self.skip() };
        let missed = track.stage == TrackStage::Missed;
        if !missed && track.stage != TrackStage::Idle {
            return self.skip();
        }
        if track.cancel.is_some() {
            return self.step_cancel(number);
        }
        let Some(wait) = track.wait.as_deref_mut() else { return self.skip() };
        let deadline = wait.deadline();
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(now));
        // No page listed this one. Its wait has begun the poll with the pass, so the
        // get continues that poll and `next` is not called.
        if missed && !stopped && !left.is_zero() {
            let poll = Poll::get(wait.name(), left.min(attempt_timeout)).at_version(wait.version());
            return self.get(number, poll, deadline, now);
        }
        // With a total timeout of zero the deadline passed at the start, and the one
        // poll is not complete before this get.
        if missed && !stopped && self.polls_once && self.has_last_look(now) {
            let left = attempt_timeout.saturating_sub(now.saturating_duration_since(woke));
            let version = self.wait_of(number).and_then(|wait| wait.version().cloned());
            let poll = Poll::get(self.name_of(number), left).at_version(version.as_ref());
            return self.get(number, poll, deadline, now);
        }
        let Some(wait) = self.wait_of(number) else { return self.skip() };
        wait.give_up_if_late(woke, now);
        let polls = !stopped && !missed && wait.due().is_some_and(|at| at <= now);
        let too_late = left.is_zero() && (missed || polls && !self.has_last_look(now));
        if let (true, Some(wait)) = (too_late, self.wait_of(number)) {
            wait.give_up(now);
        } else if polls && let Some(rest) = self.rest_before_sending(now, deadline) {
            return rest;
        }
        self.ready.pop_front();
        self.go_on(number, now);
        LoopStep::Step
    }

    /// Returns whether a wait that slept past its deadline may poll once more:
    /// only if it need not wait for the rate limit, and only a limited
    /// number of waits.
    ///
    /// All of them share the time of one attempt, counted from when the thread
    /// woke.
    fn has_last_look(&mut self, now: Instant) -> bool {
        self.last_looks > 0
            && now.saturating_duration_since(self.woke) < self.shared.options.attempt_timeout
            && self.rate.permit(now) <= now
    }

    /// Takes the next step of a wait, whatever it is. For a poll there is room.
    pub(super) fn go_on(&mut self, number: usize, now: Instant) {
        let core = Arc::clone(self.core());
        let allowed = self.may_hold(number);
        let Some(wait) = self.wait_of(number) else { return };
        wait.allow_long_polls(allowed);
        match wait.next(&*core.clock) {
            WaitStep::Poll(mut poll) => {
                // All last looks together get the time of one attempt, counted from when the
                // thread woke. So the wait ends soon after its deadline,
                // however many there are.
                if wait.deadline().is_some_and(|deadline| deadline <= now) {
                    self.last_looks = self.last_looks.saturating_sub(1);
                    let awake = now.saturating_duration_since(self.woke);
                    let left = self.shared.options.attempt_timeout.saturating_sub(awake);
                    let timeout = poll.timeout().min(left);
                    poll = poll.within(timeout);
                }
                if let Some(track) = self.tracks.get_mut(number) {
                    track.stage = TrackStage::Sent { missed: false };
                }
                self.send(PollRequest::Poll { track: number, poll }, now);
            }
            WaitStep::Sleep(at) => self.schedule(at, ScheduledStep::Track(number)),
            WaitStep::Cancel { timeout } => self.start_cancel(number, timeout),
            WaitStep::End(error) => drop(self.finish(number, Err(error))),
        }
    }

    /// Returns the name of a track that is open, otherwise nothing.
    fn name_of(&mut self, number: usize) -> &str {
        self.wait_of(number).map_or("", |wait| wait.name())
    }

    /// Fetches an operation that no page contained. The wait has begun this
    /// poll with the pass, so it is not counted again.
    fn get(&mut self, number: usize, poll: Poll, deadline: Option<Instant>, now: Instant) -> LoopStep {
        if let Some(rest) = self.rest_before_sending(now, deadline) {
            return rest;
        }
        self.ready.pop_front();
        if deadline.is_some_and(|deadline| deadline <= now) {
            self.last_looks = self.last_looks.saturating_sub(1);
        }
        if let Some(track) = self.tracks.get_mut(number) {
            track.stage = TrackStage::Sent { missed: true };
        }
        self.send(PollRequest::Poll { track: number, poll }, now);
        LoopStep::Step
    }

    /// Starts the cancellation of a track, whose attempts are steps of the
    /// track.
    ///
    /// `timeout` limits all attempts together. They do not wait for the rate
    /// limit.
    pub(super) fn start_cancel(&mut self, number: usize, timeout: Duration) {
        let core = Arc::clone(self.core());
        let options = &self.shared.options;
        let Some(track) = self.tracks.get_mut(number) else { return };
        let task = RetryTask {
            method: Rpc::Cancel.name(),
            name: track.wait.as_ref().map_or_else(String::new, |wait| wait.request().name.clone()),
            repeat: RepeatRule::Idempotent,
            attempt_timeout: options.attempt_timeout,
            total_timeout: timeout,
            policy: options.retry.clone(),
            stop: options.stop.clone(),
        };
        track.cancel = Some(Box::new(Attempts::new(task, &*core.clock)));
        track.stage = TrackStage::Idle;
        self.ready.push_back(ScheduledStep::Track(number));
    }

    /// Takes the next step of a cancellation: an attempt, a sleep, or its end.
    fn step_cancel(&mut self, number: usize) -> LoopStep {
        let core = Arc::clone(self.core());
        // A cancellation needs a worker, but no permit of the rate limit.
        if !self.pool.has_room() {
            return LoopStep::Rest(None);
        }
        self.ready.pop_front();
        let Some(track) = self.tracks.get_mut(number) else { return LoopStep::Step };
        let (Some(attempts), Some(wait)) = (track.cancel.as_deref_mut(), track.wait.as_deref()) else {
            return LoopStep::Step;
        };
        match attempts.next(&*core.clock) {
            retry::RetryStep::Attempt(turn) => {
                let request = CancelOperationRequest { name: wait.request().name.clone() };
                track.stage = TrackStage::Sent { missed: false };
                let version = wait.version_to_cancel(&core, &self.shared.options);
                self.send(PollRequest::Cancel { track: number, request, version, turn }, core.clock.now());
            }
            retry::RetryStep::Sleep(until) => self.schedule(until, ScheduledStep::Track(number)),
            retry::RetryStep::End(error) => self.cancelled(number, Err(error)),
        }
        LoopStep::Step
    }

    /// Records the result of a get, for its group and for its wait.
    ///
    /// A running operation that no page contained adds to the cost of listing:
    /// it will be missed in the next round again. One that is done will not.
    pub(super) fn got(&mut self, number: usize, result: Result<Operation, Error>, clock: &dyn Clock) {
        let track = self.tracks.get(number);
        let missed = track.is_some_and(|track| track.stage == TrackStage::Sent { missed: true });
        let running = result.as_ref().is_ok_and(|operation| !operation.is_done());
        let group = track.filter(|_| missed).and_then(|track| track.group);
        if let Some(group) = group.and_then(|group| self.groups.get_mut(group)) {
            if result.is_ok() {
                group.got();
            }
            if running {
                group.missed();
            }
        }
        self.polled(number, result, clock);
    }

    /// Returns whether the server may hold the response to a poll: it is not
    /// listed, and there is a thread for each operation.
    fn may_hold(&self, number: usize) -> bool {
        let group = self.tracks.get(number).and_then(|track| track.group);
        let lists = group.and_then(|group| self.groups.get(group)).is_some_and(ParentGroup::lists);
        !lists && self.open <= self.pool.size()
    }

    /// Passes a result to its wait, which finishes or is scheduled again.
    ///
    /// `clock` is the real one for a get, and a frozen one for members of a
    /// pass.
    pub(super) fn polled(&mut self, number: usize, result: Result<Operation, Error>, clock: &dyn Clock) {
        let allowed = self.may_hold(number);
        let Some(wait) = self.wait_of(number) else { return };
        wait.allow_long_polls(allowed);
        let outcome = wait.polled(result, clock);
        let ended = match outcome {
            Some(Ok(operation)) if operation.is_done() => self.finish(number, Ok(operation)),
            Some(Err(error)) => self.finish(number, Err(error)),
            Some(Ok(_)) | None => {
                self.settle(number, clock.now());
                None
            }
        };
        // Last, in case the observer panics: then all is settled.
        match ended {
            Some(mut wait) => wait.notify(clock),
            None => self.wait_of(number).into_iter().for_each(|wait| wait.notify(clock)),
        }
    }

    /// Records the end of a cancellation.
    pub(super) fn cancelled(&mut self, number: usize, result: Result<(), Error>) {
        let core = Arc::clone(self.core());
        let Some(track) = self.tracks.get_mut(number) else { return };
        track.cancel = None;
        if let Some(wait) = track.wait.as_deref_mut() {
            wait.cancelled(result, &*core.clock);
        }
        self.settle(number, core.clock.now());
    }
}
