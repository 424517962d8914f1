//! The start of a wait for many: tracks, groups, threads.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::name::OperationName;
use crate::poller::{Target, Wait, WaitOptions};

use super::PollMany;
use super::crew::Crew;
use super::drive::{Drive, Moment};
use super::group::Group;
use super::job::Shared;
use super::pace::Pace;
use super::track::Track;

impl PollMany {
    /// Begins; gives the track of each target too.
    pub(super) fn start(self) -> (Drive, Vec<usize>) {
        let Self { core, targets, options, wait, workers, rate, observer, error } = self;
        let limits = [rate, core.rate.clone()].into_iter().flatten().collect();
        let shared = Arc::new(Shared { core, options });
        let moment = Moment::of(&*shared.core.clock);
        let crew = Crew::new(Arc::clone(&shared), workers);
        let mut drive = Drive::new(Arc::clone(&shared), crew, Pace::new(limits), moment.now);
        drive.observer = observer;
        drive.max_failures = wait.max_failures;
        let mut start = Start { drive, moment, options: wait, parents: HashMap::new() };
        let inputs = match error {
            Some(error) => {
                start.drive.tracks.push(Track::new(None, None));
                start.drive.finished.push_back((0, Err(error)));
                vec![0]
            }
            None => targets.into_iter().map(|target| start.add(target)).collect(),
        };
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
        let name = match target {
            Target { seen: Some(done), .. } if done.is_done() => {
                self.drive.finished.push_back((track, Ok(done)));
                self.drive.tracks.push(Track::new(None, None));
                return track;
            }
            Target { name: Err(error), .. } => {
                self.drive.finished.push_back((track, Err(error)));
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
        let group = self.group_of(&name, track);
        let options = &self.drive.shared.options;
        let wait = Wait::new(name, self.options.clone(), options, &self.moment);
        self.drive.tracks.push(Track::new(Some(wait), group));
        track
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
