//! `--journal`: the operations in a file, so that a wait outlives its process.
//!
//! The file is the library's [`Journal`]: pending operations, and results that
//! were not acknowledged. Keys and credentials are never in it. Without the
//! option everything here does nothing.

use std::path::Path;

use longrunning::{Error, Journal, Operation, Pending};

use crate::args::Globals;
use crate::failure::CommandFailure;
use crate::names;
use crate::place::{OperationPlace, Service};

/// An operation to wait for, as the command knows it and, with a journal, as
/// the file does.
pub(super) struct WaitJob {
    /// Where it is polled.
    pub(super) place: OperationPlace,
    /// Its record in the journal; none without a journal.
    pending: Option<Pending>,
}

/// The journal, if there is one.
pub(super) struct WaitRecord(Option<Journal>);

impl WaitRecord {
    /// Opens the journal, and creates it if necessary.
    ///
    /// # Errors
    ///
    /// A file that is no journal, cannot be written, or is in use by another
    /// process.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, CommandFailure> {
        Ok(Self(path.map(Journal::open).transpose()?))
    }

    /// Writes the operations down before they are polled, and returns all that
    /// the file has: those of this command and those of earlier ones.
    pub(super) fn jobs(
        &self,
        globals: &Globals,
        places: Vec<OperationPlace>,
    ) -> Result<Vec<WaitJob>, CommandFailure> {
        let Some(journal) = &self.0 else {
            return Ok(places.into_iter().map(|place| WaitJob { place, pending: None }).collect());
        };
        let new: Vec<Pending> = places.iter().map(pending).collect::<Result<_, Error>>()?;
        // One write for all: either the journal has every name, or the wait
        // does not begin.
        journal.add_all(&new)?;
        let job = |pending| Ok(WaitJob::of(globals, pending)?.with_key_of(&places));
        journal.pending().into_iter().map(job).collect()
    }

    /// Returns the operations that were done before, and whose results may not
    /// have been printed.
    pub(super) fn unseen(&self, globals: &Globals) -> Result<Vec<(WaitJob, Operation)>, CommandFailure> {
        let Some(journal) = &self.0 else { return Ok(Vec::new()) };
        let job = |finished: Result<(Pending, Operation), Error>| {
            let (pending, operation) = finished?;
            Ok((WaitJob::of(globals, pending)?, operation))
        };
        journal.finished().map(job).collect()
    }

    /// Writes a result down, before it is shown.
    pub(super) fn finish(&self, job: &WaitJob, operation: &Operation) -> Result<(), CommandFailure> {
        if let (Some(journal), Some(pending)) = (&self.0, &job.pending) {
            journal.finish(pending, operation)?;
        }
        Ok(())
    }

    /// Removes an operation whose result was shown, or that does not exist any
    /// more.
    pub(super) fn forget(&self, job: &WaitJob) -> Result<(), CommandFailure> {
        if let (Some(journal), Some(pending)) = (&self.0, &job.pending) {
            journal.forget(pending)?;
        }
        Ok(())
    }
}

impl WaitJob {
    /// Returns a job that is in no journal.
    pub(super) fn unrecorded(place: OperationPlace) -> Self {
        Self { place, pending: None }
    }

    /// Returns the job of a record. Other programs may have written operations
    /// without their endpoint: it is then that of the command.
    fn of(globals: &Globals, pending: Pending) -> Result<Self, CommandFailure> {
        let name = pending.name().to_string();
        let place = match pending.endpoint() {
            Some(endpoint) => {
                // With its version, since the same name at another version may
                // be another path.
                let version = pending.api_version().map(str::to_owned);
                let service = Service::new(endpoint, version).with_recorded(&name);
                OperationPlace { given: name.clone(), service, name }
            }
            None => names::place(globals, &name)?,
        };
        Ok(Self { place, pending: Some(pending) })
    }

    /// Adds the key of a URL of this command, which the journal does not keep.
    fn with_key_of(mut self, places: &[OperationPlace]) -> Self {
        let Service { endpoint, version, .. } = &self.place.service;
        let is_same = |place: &&OperationPlace| {
            let service = &place.service;
            place.name == self.place.name && service.endpoint == *endpoint && service.version == *version
        };
        self.place.service.key = places.iter().find(is_same).and_then(|place| place.service.key.clone());
        self
    }
}

/// Returns the record of an operation: name, endpoint and version.
fn pending(place: &OperationPlace) -> Result<Pending, Error> {
    let Service { endpoint, version, .. } = &place.service;
    let pending = Pending::new(&*place.name)?.with_endpoint(endpoint);
    Ok(match version {
        Some(version) => pending.with_api_version(version),
        None => pending,
    })
}
