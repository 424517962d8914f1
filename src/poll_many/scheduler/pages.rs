//! Rounds of a group: a pass over the pages of its parent's listing.
//!
//! ```text
//! call_round ──► start_pass ──► step_page ⇄ listed ──► end_pass ──► settle, for each member
//!                   │                                     │
//!                   └ group changed to gets: settle       ├ found and running: polled, with one moment for all
//!                                                         ├ not found: a get, in the same round
//!                                                         └ not found, the page failed: a failed poll
//! ```
//!
//! A pass reads the listing as one poll of every idle member. Its deadline is
//! the earliest of the members, so that none of them overruns its own; only a
//! last look is later.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::poller::{WaitMachine, WaitStep};
use crate::types::{Operation, OperationPage};
use crate::util::excerpt::shown_name;

use super::super::frozen_clock::FrozenClock;
use super::super::group::{ListPass, PageFailure, ParentGroup};
use super::super::request::PollRequest;
use super::super::track::TrackStage;
use super::{LoopStep, ScheduledStep, Scheduler};

impl Scheduler {
    /// Schedules the next round of a group for `at`, unless it comes earlier
    /// anyway. During a pass nothing is scheduled: `end_pass` does it.
    pub(super) fn call_round(&mut self, number: usize, at: Instant) {
        let Some(group) = self.groups.get_mut(number).filter(|group| group.pass.is_none()) else { return };
        // A page failed for the whole group, so no member starts a round before the
        // pause has elapsed.
        let at = group.pause.map_or(at, |pause| pause.max(at));
        if group.next.is_none_or(|next| at < next) {
            group.next = Some(at);
            self.schedule(at, ScheduledStep::Round(number));
        }
    }

    /// Starts a round with every operation that has no request in flight, so
    /// that one pass serves all.
    ///
    /// Before that, the group compares the cost of its last round with the
    /// number of members, and may change to another method.
    ///
    /// Members that are due later take part too: the pages contain them anyway.
    /// Only a member whose last poll failed keeps its time, which the server
    /// may have requested.
    pub(super) fn start_pass(&mut self, number: usize, now: Instant) {
        let members = self.idle_members(number);
        let Some(group) = self.groups.get_mut(number).filter(|group| group.pass.is_none()) else { return };
        // The round is for all members, so earlier times and pauses no longer count.
        (group.next, group.pause) = (None, None);
        group.choose(members.len());
        // The group has just changed to single gets, and each member gets a timer of
        // its own.
        if !group.lists() {
            return members.into_iter().for_each(|member| self.settle(member, now));
        }
        let (mut asked, mut shortest) = (0, Duration::MAX);
        let mut deadline: Option<Instant> = None;
        for member in members {
            if let Some((timeout, end)) = self.list(member, now) {
                asked += 1;
                shortest = shortest.min(timeout);
                // The pass has to end in time for the member with the earliest deadline.
                deadline = deadline.into_iter().chain(end).min();
            }
        }
        // No member needs a poll now. Those that sleep get their timers back.
        if asked == 0 {
            return self.idle_members(number).into_iter().for_each(|member| self.settle(member, now));
        }
        // A machine that slept until time was up still has what is left for a last
        // look.
        let first = now.checked_add(shortest);
        let end = deadline.and_then(|deadline| Some(deadline.max(first?)));
        if let Some(group) = self.groups.get_mut(number) {
            let is_last = deadline.is_some_and(|deadline| deadline <= now);
            let mut pass = ListPass::new(asked, end);
            pass.is_last = is_last;
            group.pass = Some(pass);
        }
        self.ready.push_back(ScheduledStep::Page(number));
    }

    /// Starts the poll of a member that a page serves; returns its timeout, and
    /// the deadline of the wait. `None` if the wait has another step.
    fn list(&mut self, number: usize, now: Instant) -> Option<(Duration, Option<Instant>)> {
        let core = Arc::clone(self.core());
        let woke = self.woke;
        let track = self.tracks.get_mut(number)?;
        let wait = track.wait.as_deref_mut()?;
        wait.give_up_if_late(woke, now);
        wait.allow_long_polls(false);
        // The pages are read anyway, so members that are due later use them too.
        wait.hasten(now);
        match wait.next(&*core.clock) {
            WaitStep::Poll(poll) => {
                track.stage = TrackStage::Listed;
                return Some((poll.timeout(), wait.deadline()));
            }
            WaitStep::Sleep(_) => {}
            WaitStep::Cancel { timeout } => self.start_cancel(number, timeout),
            WaitStep::End(error) => drop(self.finish(number, Err(error))),
        }
        None
    }

    /// Sends the request for the next page of a pass, or ends the pass if its
    /// time is up.
    pub(super) fn step_page(&mut self, number: usize, now: Instant) -> LoopStep {
        let attempt_timeout = self.shared.options.attempt_timeout;
        let stopped = self.is_stopped();
        let Some(group) = self.groups.get_mut(number) else { return self.skip() };
        let Some(pass) = &group.pass else { return self.skip() };
        let (end, is_last) = (pass.end, pass.is_last);
        let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(now));
        let (request, version) = (Box::new(group.request()), group.version.clone());
        // A last look, after the deadline, is taken only if it need not wait for the
        // rate limit.
        if stopped || left.is_zero() || is_last && now < self.rate.permit(now) {
            self.ready.pop_front();
            self.end_pass(number, None);
            return LoopStep::Step;
        }
        if let Some(rest) = self.rest_before_sending(now, end) {
            return rest;
        }
        self.ready.pop_front();
        let timeout = left.min(attempt_timeout);
        self.send(PollRequest::List { group: number, request, version, timeout }, now);
        LoopStep::Step
    }

    /// Processes a page, or the error in place of it.
    pub(super) fn listed(&mut self, number: usize, result: Result<OperationPage, Error>) {
        let max_failures = self.max_failures;
        match result {
            Ok(page) => {
                page.operations.into_iter().for_each(|operation| self.saw(number, operation));
                let Some(group) = self.groups.get_mut(number) else { return };
                match group.pass.as_mut().is_some_and(|pass| pass.turn_page(page.next_page_token)) {
                    true => self.ready.push_back(ScheduledStep::Page(number)),
                    false => self.end_pass(number, None),
                }
            }
            Err(error) => {
                let Some(group) = self.groups.get_mut(number) else { return };
                let failed = group.failed(&error, max_failures);
                log::debug!(
                    "ListOperations `{}` failed: {error}; {failed:?}",
                    shown_name(&group.request().name)
                );
                match failed {
                    PageFailure::Restart => self.ready.push_back(ScheduledStep::Page(number)),
                    PageFailure::GetRest => self.end_pass(number, None),
                    PageFailure::Refused => self.end_pass(number, Some(error)),
                    PageFailure::Fault => self.end_pass(number, Some(error.transient(true))),
                }
            }
        }
    }

    /// Processes an operation of a page, if it was requested. Most operations
    /// of a listing may be others.
    fn saw(&mut self, number: usize, operation: Operation) {
        let core = Arc::clone(self.core());
        let Some(&member) = self.names.get(operation.name()) else { return };
        let Some(track) = self.tracks.get_mut(member) else { return };
        // An operation may be on two pages, or have ended in the meantime. It counts
        // once, so `missing` never gets below zero.
        if track.group != Some(number) || track.stage != TrackStage::Listed {
            return;
        }
        let Some(pass) = self.groups.get_mut(number).and_then(|group| group.pass.as_mut()) else { return };
        pass.missing -= 1;
        track.stage = TrackStage::Found;
        match operation.is_done() {
            true => self.polled(member, Ok(operation), &*core.clock),
            // Delays begin when the pass has ended.
            false => pass.found.push((member, operation)),
        }
    }

    /// Distributes the results of a pass. Operations that no page lists get
    /// `fault`, or are fetched individually.
    ///
    /// | member | result of this round |
    /// |---|---|
    /// | found, done | finished when its page was read |
    /// | found, running | polled; the next delay starts now |
    /// | not found | fetched in this round |
    /// | not found, a page failed | a failed poll, with the error of the page |
    /// | not found, the pass reached the deadline | its own last step |
    fn end_pass(&mut self, number: usize, fault: Option<Error>) {
        let core = Arc::clone(self.core());
        // One instant and one random value for all members: their delays are equal, and
        // they meet in the next round again.
        let clock = FrozenClock::of(&*core.clock);
        let Some(group) = self.groups.get_mut(number) else { return };
        let Some(mut pass) = group.pass.take() else { return };
        // Members that became due during the pass, for which `call_round` did nothing.
        let unheard = self.idle_members(number);
        let members = self.groups.get(number).map_or_else(Vec::new, |group| group.members.clone());
        let mut doubts = self.groups.get(number).is_some_and(ParentGroup::doubts);
        // At the deadline a fault only means that time is up. Each wait then ends in
        // its own step.
        let is_over = pass.end.is_some_and(|end| end <= clock.now);
        for member in members {
            let Some(track) = self.tracks.get_mut(member).filter(|track| track.stage == TrackStage::Listed)
            else {
                continue;
            };
            // When the listing is in doubt, one member is fetched in place of getting the
            // fault. If that works, the listing is broken and not the service.
            match fault.as_ref().filter(|_| !is_over && !std::mem::take(&mut doubts)) {
                Some(fault) => {
                    self.polled(member, Err(fault.clone()), &clock);
                    let wait = self.tracks.get(member).and_then(|track| track.wait.as_deref());
                    let pause = wait.and_then(WaitMachine::due);
                    if let Some(group) = self.groups.get_mut(number) {
                        group.pause = group.pause.into_iter().chain(pause).min();
                    }
                }
                None => {
                    track.stage = TrackStage::Missed;
                    self.ready.push_back(ScheduledStep::Track(member));
                }
            }
        }
        for (member, operation) in std::mem::take(&mut pass.found) {
            self.polled(member, Ok(operation), &clock);
        }
        if let (Some(group), None) = (self.groups.get_mut(number), &fault) {
            group.passed(&pass);
        }
        unheard.into_iter().for_each(|member| self.settle(member, clock.now));
    }

    /// Returns the members that have no request in flight and a poll as their
    /// next step. Finished members are dropped from the group on the way.
    fn idle_members(&mut self, number: usize) -> Vec<usize> {
        let (tracks, groups) = (&self.tracks, &mut self.groups);
        let Some(group) = groups.get_mut(number) else { return Vec::new() };
        group.members.retain(|member| tracks.get(*member).is_some_and(|track| track.wait.is_some()));
        let is_idle = |member: &usize| {
            tracks.get(*member).is_some_and(|track| {
                let due = track.wait.as_deref().and_then(WaitMachine::due);
                track.stage == TrackStage::Idle && track.cancel.is_none() && due.is_some()
            })
        };
        group.members.iter().copied().filter(is_idle).collect()
    }
}
