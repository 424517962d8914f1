//! The start of a wait for many: tracks, groups, threads.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::name::OperationName;
use crate::pending::Pending;
use crate::poller::{Target, Wait, WaitOptions};
use crate::types::Operation;

use super::PollMany;
use super::crew::Crew;
use super::drive::{Drive, Moment, Over};
use super::group::Group;
use super::job::Shared;
use super::pace::Pace;
use super::track::Track;

impl PollMany {
    /// Begins; gives the track of each target too.
    pub(super) fn start(self) -> (Drive, Vec<usize>) {
        let Self { core, targets, options, wait, workers, rate, observer, ledger, error } = self;
        let limits = [rate, core.rate.clone()].into_iter().flatten().collect();
        let shared = Arc::new(Shared { core, options });
        let moment = Moment::of(&*shared.core.clock);
        let crew = Crew::new(Arc::clone(&shared), workers);
        let mut drive = Drive::new(Arc::clone(&shared), crew, Pace::new(limits), moment.now);
        drive.observer = observer;
        drive.ledger = ledger;
        drive.max_failures = wait.max_failures;
        let mut start = Start { drive, moment, options: wait, parents: HashMap::new() };
        let inputs = match error {
            Some(error) => {
                start.drive.tracks.push(Track::new(None, None));
                start.drive.finished.push_back(Over { track: 0, name: String::new(), result: Err(error) });
                vec![0]
            }
            None => targets.into_iter().map(|target| start.add(target)).collect(),
        };
        start.record();
        (start.begin(), inputs)
    }
}

struct Start<'a> {
    drive: Drive,
    /// One for all, so that operations of a group stay together.
    moment: Moment<'a>,
    options: WaitOptions,
    parents: HashMap<String, usize>,
}

impl Start<'_> {
    fn add(&mut self, target: Target) -> usize {
        let track = self.drive.tracks.len();
        let recorded = self.follow(track, &target);
        let name = match target {
            Target { seen: Some(done), .. } if done.is_done() => {
                let name = done.name().to_owned();
                self.drive.finished.push_back(Over { track, name, result: Ok(done) });
                self.drive.tracks.push(Track::new(None, None));
                return track;
            }
            Target { name: Err(error), .. } => {
                let name = error.name().unwrap_or_default().to_owned();
                self.drive.finished.push_back(Over { track, name, result: Err(error) });
                self.drive.tracks.push(Track::new(None, None));
                return track;
            }
            Target { name: Ok(name), .. } => name,
        };
        match self.drive.names.entry(name.as_str().to_owned()) {
            Entry::Occupied(same) => {
                let same = *same.get();
                self.drive.tracks.get_mut(same).into_iter().for_each(|track| track.copies += 1);
                return same;
            }
            Entry::Vacant(place) => drop(place.insert(track)),
        }
        if recorded {
            self.drive.tracks.push(Track::new(None, None));
            return track;
        }
        let group = self.group_of(&name, track);
        let options = &self.drive.shared.options;
        let wait = Wait::new(name, self.options.clone(), options, &self.moment);
        self.drive.tracks.push(Track::new(Some(wait), group));
        track
    }

    /// Has the journal follow a new track, if there is one; whether it has what the track would wait for.
    fn follow(&mut self, track: usize, target: &Target) -> bool {
        let drive = &mut self.drive;
        let (Some(ledger), Ok(name)) = (&mut drive.ledger, &target.name) else { return false };
        let is_done = target.seen.as_ref().is_some_and(Operation::is_done);
        if !is_done && drive.names.contains_key(name.as_str()) {
            return false;
        }
        let core = &drive.shared.core;
        let pending = match &target.pending {
            Some(pending) => Ok(core.at_home(Pending::clone(pending))),
            None => core.pending(name.clone(), target.seen.as_ref(), core.clock.wall()),
        };
        pending.is_ok_and(|pending| ledger.follow(track, pending, is_done))
    }

    /// Records all of them, or gives up all of them.
    fn record(&mut self) {
        let drive = &mut self.drive;
        let Some(ledger) = &mut drive.ledger else { return };
        // Only until here were they in the way of a second track for them.
        for pending in ledger.stored() {
            drive.names.remove(pending.name().as_str());
        }
        let Err(error) = ledger.add() else { return };
        ledger.refuse(&mut drive.finished, &error);
        for (name, track) in drive.names.drain() {
            if let Some(track) = drive.tracks.get_mut(track) {
                track.wait = None;
            }
            let result = Err(error.clone().about(&name));
            drive.finished.push_back(Over { track, name, result });
        }
    }

    /// None for a bare id, which is in no collection.
    fn group_of(&mut self, name: &OperationName, track: usize) -> Option<usize> {
        if name.id() == name.as_str() {
            return None;
        }
        let parent = name.parent().unwrap_or("operations");
        let groups = &mut self.drive.groups;
        let number = match self.parents.get(parent) {
            Some(number) => *number,
            None => {
                groups.push(Group::new(parent));
                self.parents.insert(parent.to_owned(), groups.len() - 1);
                groups.len() - 1
            }
        };
        groups.get_mut(number)?.members.push(track);
        Some(number)
    }

    fn begin(self) -> Drive {
        let Self { mut drive, moment, .. } = self;
        for track in 0..drive.tracks.len() {
            if drive.tracks.get(track).is_some_and(|track| track.wait.is_some()) {
                drive.begin(track, moment.now);
            }
        }
        drive
    }
}
