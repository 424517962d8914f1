//! The start of a wait for many: tracks, groups, threads.
//!
//! Each target becomes a track, in the order of the input. Targets whose end is
//! known (done, invalid, in the journal) are finished at once; the others are
//! recorded as pending before the first request.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::core::Core;
use crate::error::Error;
use crate::name::OperationName;
use crate::operation_ref::OperationRef;
use crate::options::{CallOptions, PollOptions};
use crate::pending::Pending;
use crate::poller::{WaitMachine, WaitWatch};
use crate::retry::RateLimit;
use crate::types::Operation;
use crate::util::threads::ThreadPool;

use super::frozen_clock::FrozenClock;
use super::group::ParentGroup;
use super::journaling::JournalWriter;
use super::rate::PollRate;
use super::request::{PollRequest, RequestContext};
use super::scheduler::Scheduler;
use super::track::{FinishedTrack, WaitTrack};

/// A wait for many operations that is complete and has not started.
pub(super) struct PollPlan {
    pub(super) core: Arc<Core>,
    pub(super) targets: Vec<OperationRef>,
    /// The options of all requests, or the error of the first option that cannot
    /// be used.
    pub(super) options: Result<CallOptions, Error>,
    pub(super) poll: PollOptions,
    pub(super) watch: WaitWatch,
    /// The most requests in flight at once.
    pub(super) concurrency: usize,
    /// The limit of this wait, beside that of the client.
    pub(super) rate: Option<Arc<RateLimit>>,
    pub(super) journal: Option<JournalWriter>,
}

impl PollPlan {
    /// Returns how many items there will be: one for each target, or one error.
    pub(super) fn len(&self) -> usize {
        if self.options.is_err() { 1 } else { self.targets.len() }
    }

    /// Starts the wait. Returns the track of each target too, which for a name
    /// that was given twice is the same.
    pub(super) fn start(self) -> (Scheduler, Vec<usize>) {
        let Self { core, targets, options, poll, watch, concurrency, rate, journal } = self;
        let (options, error) = match options {
            Ok(options) => (options, None),
            Err(error) => (CallOptions::default(), Some(error)),
        };
        let limits = [rate, core.rate.clone()].into_iter().flatten().collect();
        let shared = Arc::new(RequestContext { core, options });
        let moment = FrozenClock::of(&*shared.core.clock);
        let pool = {
            let context = Arc::clone(&shared);
            ThreadPool::new("poll-many", concurrency, move |request: PollRequest| request.run(&context))
        };
        let mut scheduler = Scheduler::new(Arc::clone(&shared), pool, PollRate::new(limits), moment.now);
        scheduler.journal = journal;
        scheduler.max_failures = poll.max_failures;
        scheduler.polls_once = poll.total_timeout.is_some_and(|timeout| timeout.is_zero());
        let mut start = Start { scheduler, moment, poll, watch, parents: HashMap::new() };
        let inputs = match error {
            Some(error) => {
                start.scheduler.tracks.push(WaitTrack::new(None, None));
                start.scheduler.finished.push_back(FinishedTrack {
                    track: 0,
                    name: String::new(),
                    result: Err(error),
                });
                vec![0]
            }
            None => targets.into_iter().map(|target| start.add(target)).collect(),
        };
        start.record();
        (start.begin(), inputs)
    }
}

/// A scheduler that is being filled.
struct Start<'a> {
    scheduler: Scheduler,
    /// One moment for all, so that operations of a group stay together.
    moment: FrozenClock<'a>,
    poll: PollOptions,
    watch: WaitWatch,
    /// The number of the group of each parent and version.
    parents: HashMap<(String, Option<Arc<str>>), usize>,
}

impl Start<'_> {
    /// Adds a target and returns its track.
    ///
    /// | target | track |
    /// |---|---|
    /// | done already | finished with it |
    /// | an invalid name | finished with the error |
    /// | a name that is known | that of the first target; no second one |
    /// | a result in the journal | finished; the journal returns the result |
    /// | any other | a wait, in the group of its parent |
    fn add(&mut self, target: OperationRef) -> usize {
        let track = self.scheduler.tracks.len();
        // Before `target` is taken apart, and also for operations that are done: their
        // results may be new to the journal.
        let recorded = self.follow(track, &target);
        let (version, started) = (target.version.clone(), target.started);
        let name = match target {
            OperationRef { seen: Some(done), .. } if done.is_done() => {
                let name = done.name().to_owned();
                self.scheduler.finished.push_back(FinishedTrack { track, name, result: Ok(done) });
                self.scheduler.tracks.push(WaitTrack::new(None, None));
                return track;
            }
            OperationRef { name: Err(error), .. } => {
                let name = error.name().unwrap_or_default().to_owned();
                self.scheduler.finished.push_back(FinishedTrack { track, name, result: Err(error) });
                self.scheduler.tracks.push(WaitTrack::new(None, None));
                return track;
            }
            OperationRef { name: Ok(name), .. } => name,
        };
        match self.scheduler.names.entry(name.as_str().to_owned()) {
            // A name that was given twice is polled once, and its result is returned for each copy.
            Entry::Occupied(same) => {
                let same = *same.get();
                self.scheduler.tracks.get_mut(same).into_iter().for_each(|track| track.copies += 1);
                return same;
            }
            Entry::Vacant(place) => drop(place.insert(track)),
        }
        // The journal has the result, so nothing is polled. `give` returns it first.
        if recorded {
            self.scheduler.tracks.push(WaitTrack::new(None, None));
            return track;
        }
        let group = self.group_of(&name, version.as_ref(), track);
        let RequestContext { core, options } = &*self.scheduler.shared;
        let (mut poll, watch, support) = (self.poll.clone(), self.watch.clone(), &core.wait_support);
        poll.not_found_grace = poll.not_found_grace.max(core.start_grace(started));
        let wait = WaitMachine::new(name, poll, watch, options, support, &self.moment).at_version(version);
        self.scheduler.tracks.push(WaitTrack::new(Some(wait), group));
        track
    }

    /// Adds a new track to the journal, if there is one; returns whether the
    /// journal already has the result.
    fn follow(&mut self, track: usize, target: &OperationRef) -> bool {
        let scheduler = &mut self.scheduler;
        let (Some(journal), Ok(name)) = (&mut scheduler.journal, &target.name) else { return false };
        let is_done = target.seen.as_ref().is_some_and(Operation::is_done);
        if !is_done && scheduler.names.contains_key(name.as_str()) {
            return false;
        }
        let core = &scheduler.shared.core;
        let pending = match &target.pending {
            Some(pending) => Ok(core.at_home(Pending::clone(pending))),
            None => {
                core.pending(name.clone(), target.version.as_deref(), target.seen.as_ref(), core.clock.wall())
            }
        };
        pending.is_ok_and(|pending| journal.follow(track, pending, is_done))
    }

    /// Records all operations as pending; if that fails, all of them end with
    /// the error.
    ///
    /// Operations without a name are not recorded and keep their results.
    fn record(&mut self) {
        let scheduler = &mut self.scheduler;
        let Some(journal) = &mut scheduler.journal else { return };
        // Until here these names kept a second track from being made.
        for pending in journal.stored() {
            scheduler.names.remove(pending.name().as_str());
        }
        // Written before the first request: after a crash, the journal names every
        // operation.
        let Err(error) = journal.add() else { return };
        journal.refuse(&mut scheduler.finished, &error);
        for (name, track) in scheduler.names.drain() {
            if let Some(track) = scheduler.tracks.get_mut(track) {
                track.wait = None;
            }
            let result = Err(error.clone().about(&name));
            scheduler.finished.push_back(FinishedTrack { track, name, result });
        }
    }

    /// Returns the group of a name; `None` if no listing contains it.
    fn group_of(&mut self, name: &OperationName, version: Option<&Arc<str>>, track: usize) -> Option<usize> {
        let parent = name.listed_by()?;
        let groups = &mut self.scheduler.groups;
        // A listing is a request at one version of the API, so operations of two
        // versions are not listed together.
        let key = (parent.to_owned(), version.cloned());
        let number = match self.parents.get(&key) {
            Some(number) => *number,
            None => {
                groups.push(ParentGroup::new(parent, key.1.clone()));
                self.parents.insert(key, groups.len() - 1);
                groups.len() - 1
            }
        };
        groups.get_mut(number)?.members.push(track);
        Some(number)
    }

    /// Schedules the first step of each track, and returns the scheduler.
    fn begin(self) -> Scheduler {
        let Self { mut scheduler, moment, .. } = self;
        for track in 0..scheduler.tracks.len() {
            if scheduler.tracks.get(track).is_some_and(|track| track.wait.is_some()) {
                scheduler.begin(track, moment.now);
            }
        }
        scheduler
    }
}
