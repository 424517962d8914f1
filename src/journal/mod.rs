//! Pending operations in a file, so that a wait outlives its process (feature
//! `journal`).
//!
//! [`Journal`] is the public type. Behind it:
//!
//! ```text
//! mod        the steps of an operation: add, finish, forget
//! store      the file: append and sync, replace when half of it is dead
//! index      what the lines of the file add up to, in memory
//! record     one line: JSON to a step and back
//! lock       one process at a time
//! location   links, file names
//! temporary  a new file that replaces the old one, whole or not at all
//! ```
//!
//! A step takes the lock of the store, appends its line, waits for the disk,
//! and changes the index last. So the index never says more than the file, and
//! a process that is killed at any point leaves a file that [`Journal::open`]
//! reads.
//!
//! `poll_many` uses a journal through `known`, `settle` and `result`, which
//! group many steps under one sync.

mod index;
mod location;
mod lock;
mod record;
mod store;
mod temporary;

use std::collections::HashSet;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, MutexGuard};

use crate::error::Error;
use crate::pending::Pending;
use crate::types::Operation;
use crate::util::excerpt::shown_name;
use crate::util::file;
use crate::util::process::ProcessLock;
use store::JournalStore;

/// A file of pending operations, which survives its process however that ends.
///
/// An operation is in one of two states, and moves one way: it is *pending*
/// from [`add`](Self::add) on, and *finished*, with its result, from
/// [`finish`](Self::finish) on, until it is [forgotten](Self::forget). Each
/// step is on the disk when its method returns. A process that is killed in the
/// middle of a step leaves the state before it or after it. So the next process
/// continues with one call, [`resume`](crate::OperationsClient::resume), which
/// makes these steps itself while it yields one operation after the other;
/// [`PollMany::journal`](crate::PollMany::journal) says when.
///
/// The steps can be made by hand too, here around the wait for one operation:
///
/// ```
/// # use longrunning::testing::{FakeOperation, FakeServer};
/// # let server = FakeServer::start();
/// # server.insert(FakeOperation::new("operations/42").done_at_poll(3));
/// # let client = server.client();
/// # let folder = std::env::temp_dir().join(format!("journal-example-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let path = folder.join("jobs.jsonl");
/// use longrunning::Journal;
///
/// let journal = Journal::open(&path)?;
/// let handle = client.operation("operations/42");
/// let pending = handle.to_pending()?; // with the endpoint, so that `resume` finds it
/// journal.add(&pending)?; // as soon as it is started
/// let operation = handle.until_done()?;
/// journal.finish(&pending, &operation)?;
/// println!("{}: {}", operation.name(), operation.outcome()); // if killed before this, the next process has it
/// journal.forget(&pending)?;
/// assert!(journal.pending().is_empty() && journal.finished().next().is_none());
/// # drop((journal, handle));
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// # Guarantees
///
/// - Nothing is lost: an operation whose `add` returned stays until it is
///   forgotten, and so does a result.
/// - At most once: `finish` returns `true` once for an operation, over all
///   processes together. A program that acts only on that never acts twice. If
///   it is killed between the two, it does not act at all.
/// - At least once: a program that acts on what [`finished`](Self::finished)
///   yields, and forgets it afterwards, acts on every result. If it is killed
///   between the two, that one result is yielded again, and no other. `resume`
///   works like this. Acting twice does no harm if the action is idempotent, or
///   checks what it did before.
///
/// Exactly once is impossible: no file can tell whether a program that was
/// killed had already acted.
///
/// # The file
///
/// The file has JSON lines, the first of which is `{"longrunning_journal":1}`.
/// A last line that was cut off is ignored. Unknown fields and records are kept
/// and ignored. A file of a later version is rejected. Lines are appended and
/// synced to the disk, with one sync for each call. When more than half of the
/// file, and more than 1 MiB, has no effect any more, the file is replaced: a
/// new one is written beside it, synced and renamed. The file can hold results.
/// On Unix only its owner can read it; on Windows it has the permissions of its
/// folder. A symbolic link is followed when the journal is opened, and stays a
/// link.
///
/// One process has a journal at a time. It holds a lock on a file beside it,
/// `.NAME.longrunning-lock`. The operating system releases the lock however the
/// process ends; the file stays. The new file of a replacement is
/// `.NAME.longrunning-tmp-` with 16 random digits. If the process is killed
/// meanwhile, the next one removes it. No other file is written, replaced or
/// removed. On a network file system, the lock is as reliable as the locks of
/// that file system.
///
/// # Memory, threads and forks
///
/// A journal keeps its operations in memory, about 600 bytes each, and only the
/// positions of their results. It can be shared between threads; one of them
/// writes at a time. Clones are the same journal, which is closed when the last
/// of them is dropped. A wait that was given a journal has a clone.
///
/// A journal belongs to the process that opened it. In a forked child it shows
/// what it held at the fork, and every method that writes fails with
/// [`Config`](crate::ErrorKind::Config), so the child changes nothing of its
/// parent. The child keeps a copy of the lock until it uses or drops the
/// journal, or ends. To continue with the file, it drops the journal, and opens
/// it again when the parent has closed it.
#[derive(Clone)]
pub struct Journal {
    store: Arc<ProcessLock<JournalStore>>,
}

impl Journal {
    /// Opens a journal, or creates it if there is no file.
    ///
    /// The path names a journal, a symbolic link to one, or a new file in an
    /// existing directory. Files of other types and other programs are
    /// rejected without blocking, an empty one included.
    ///
    /// ```
    /// use longrunning::Journal;
    ///
    /// # let folder = std::env::temp_dir().join(format!("longrunning-open-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// let path = folder.join("jobs.jsonl");
    /// let journal = Journal::open(&path)?;
    /// assert!(journal.pending().is_empty());
    /// assert!(Journal::open(&path).is_err(), "it is open already");
    /// # drop(journal);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if it is open already, here or in
    /// another process, if it cannot be read or written, or if it is not a
    /// journal of a known version. Then no existing file has changed, and none
    /// is new except the lock file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        if let Some(what) = file::misplaced(path.as_ref()) {
            return Err(Error::config(format!(
                "path of a journal contains {what}; it must be the path of a file"
            )));
        }
        let store = JournalStore::open(path.as_ref())?;
        Ok(Self { store: Arc::new(ProcessLock::new(store, JournalStore::inherited)) })
    }

    /// Records an operation as pending. Returns `false` if the journal contains
    /// it already, pending or finished.
    ///
    /// ```
    /// use longrunning::{Journal, Pending};
    ///
    /// # let folder = std::env::temp_dir().join(format!("longrunning-add-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// let path = folder.join("jobs.jsonl");
    /// let journal = Journal::open(&path)?;
    /// let pending = Pending::new("operations/42")?.with_endpoint("https://run.googleapis.com");
    /// assert!(journal.add(&pending)?);
    /// assert!(!journal.add(&pending)?);
    /// # drop(journal);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config), with the cause as the source, if
    /// the file cannot be written, or if this is a forked child of the
    /// process that opened the journal. Then nothing is recorded, and the
    /// caller can try again.
    pub fn add(&self, pending: &Pending) -> Result<bool, Error> {
        self.add_all([pending]).map(|added| added == 1)
    }

    /// Records operations as pending, with one sync for all. Returns how many
    /// are new.
    ///
    /// If the process is killed meanwhile, the first of them are recorded, each
    /// one completely.
    ///
    /// ```
    /// use longrunning::{Journal, Pending};
    ///
    /// # let folder = std::env::temp_dir().join(format!("longrunning-add-all-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let path = folder.join("jobs.jsonl");
    /// let journal = Journal::open(&path)?;
    /// let pending = [Pending::new("operations/1")?, Pending::new("operations/2")?];
    /// assert_eq!(journal.add_all(&pending)?, 2);
    /// assert_eq!(journal.add_all(&pending)?, 0);
    /// # drop(journal);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`add`](Self::add).
    pub fn add_all<'p>(&self, pending: impl IntoIterator<Item = &'p Pending>) -> Result<usize, Error> {
        let mut store = self.store();
        // An operation may occur twice in one call, and the index does not know
        // it before the lines are written.
        let mut new = HashSet::new();
        let mut lines = String::new();
        for pending in pending {
            let key = record::key(pending);
            if !store.index.contains(&key) && new.insert(key) {
                lines += &record::add(pending)?;
            }
        }
        if !new.is_empty() {
            store.append(&lines)?;
        }
        Ok(new.len())
    }

    /// Returns the operations without a result, in the order in which they were
    /// added. It reads no file.
    ///
    /// ```
    /// use longrunning::{Journal, Pending};
    ///
    /// # let folder = std::env::temp_dir().join(format!("longrunning-pending-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let path = folder.join("jobs.jsonl");
    /// let journal = Journal::open(&path)?;
    /// journal.add(&Pending::new("operations/2")?)?;
    /// journal.add(&Pending::new("operations/1")?)?;
    /// drop(journal);
    ///
    /// // In the next process:
    /// let journal = Journal::open(&path)?;
    /// let names: Vec<_> = journal.pending().iter().map(|pending| pending.name().to_string()).collect();
    /// assert_eq!(names, ["operations/2", "operations/1"]);
    /// # drop(journal);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn pending(&self) -> Vec<Pending> {
        self.store().index.pending()
    }

    /// Records the result of a pending operation. Returns `true` the first
    /// time, over all processes.
    ///
    /// Returns `false` if the operation has a result already, which stays, or
    /// if the journal does not contain it.
    ///
    /// ```
    /// use longrunning::{Any, Journal, Operation, Pending};
    ///
    /// # let folder = std::env::temp_dir().join(format!("longrunning-finish-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// let path = folder.join("jobs.jsonl");
    /// let journal = Journal::open(&path)?;
    /// let pending = Pending::new("operations/42")?;
    /// journal.add(&pending)?;
    /// let done = Operation::succeeded("operations/42", Any::pack(&()));
    /// assert!(journal.finish(&pending, &done)?);
    /// assert!(!journal.finish(&pending, &done)?);
    /// # drop(journal);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the operation is not done, or as
    /// for [`add`](Self::add): then it remains pending.
    pub fn finish(&self, pending: &Pending, operation: &Operation) -> Result<bool, Error> {
        if !operation.is_done() {
            let name = shown_name(pending.name().as_str());
            return Err(Error::config(format!(
                "operation `{name}` is not done: there is no result to record"
            )));
        }
        let mut store = self.store();
        let key = record::key(pending);
        if !store.index.is_pending(&key) {
            return Ok(false);
        }
        store.append(&record::finish(&key, operation))?;
        Ok(true)
    }

    /// Returns the operations with a result, in the order of their results.
    ///
    /// The set is fixed when this is called. Results are read from the file one
    /// by one; those that are removed meanwhile are skipped.
    ///
    /// ```
    /// use longrunning::{Any, Journal, Operation, Pending};
    ///
    /// # let folder = std::env::temp_dir().join(format!("longrunning-finished-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// let path = folder.join("jobs.jsonl");
    /// let journal = Journal::open(&path)?;
    /// let pending = Pending::new("operations/42")?;
    /// journal.add(&pending)?;
    /// journal.finish(&pending, &Operation::succeeded("operations/42", Any::pack(&())))?;
    /// for result in journal.finished() {
    ///     let (pending, operation) = result?;
    ///     println!("{}: {}", pending.name(), operation.outcome());
    ///     journal.forget(&pending)?;
    /// }
    /// assert_eq!(journal.finished().count(), 0);
    /// # drop(journal);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// An item is [`Config`](crate::ErrorKind::Config) if the file cannot be
    /// read, and [`Decode`](crate::ErrorKind::Decode) if its record is
    /// damaged.
    pub fn finished(&self) -> impl Iterator<Item = Result<(Pending, Operation), Error>> + '_ {
        let finished = self.store().index.finished().into_iter();
        finished.filter_map(|pending| self.result(&pending).map(|result| Ok((pending, result?))))
    }

    /// Removes an operation whose result is acknowledged or not needed. Returns
    /// `false` if the journal does not contain it.
    ///
    /// A forgotten operation can be added again.
    ///
    /// ```
    /// use longrunning::{Journal, Pending};
    ///
    /// # let folder = std::env::temp_dir().join(format!("longrunning-forget-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let path = folder.join("jobs.jsonl");
    /// let journal = Journal::open(&path)?;
    /// let pending = Pending::new("operations/42")?;
    /// journal.add(&pending)?;
    /// assert!(journal.forget(&pending)?);
    /// assert!(!journal.forget(&pending)?);
    /// # drop(journal);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`add`](Self::add).
    pub fn forget(&self, pending: &Pending) -> Result<bool, Error> {
        let mut store = self.store();
        let key = record::key(pending);
        if !store.index.contains(&key) {
            return Ok(false);
        }
        store.append(&record::forget(&key))?;
        Ok(true)
    }

    /// Replaces the file by one without obsolete lines.
    ///
    /// The journal does this by itself when more than half of the file and more
    /// than 1 MiB is obsolete. Call it before a backup, or when the disk is
    /// full.
    ///
    /// ```
    /// use longrunning::{Journal, Pending};
    ///
    /// # let folder = std::env::temp_dir().join(format!("longrunning-compact-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let path = folder.join("jobs.jsonl");
    /// let journal = Journal::open(&path)?;
    /// let pending = Pending::new("operations/42")?;
    /// journal.add(&pending)?;
    /// journal.forget(&pending)?;
    /// journal.compact()?;
    /// assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"longrunning_journal\":1}\n");
    /// # drop(journal);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config), with the cause as the source. Then
    /// the journal has not changed.
    pub fn compact(&self) -> Result<(), Error> {
        self.store().compact()
    }

    /// Returns all operations: first those with a result, in the order of
    /// [`finished`](Self::finished), then those without. So a resumed iteration
    /// yields what is ready before it polls.
    pub(crate) fn known(&self) -> Vec<Pending> {
        let store = self.store();
        let mut known = store.index.finished();
        known.append(&mut store.index.pending());
        known
    }

    /// Returns whether there is a result.
    pub(crate) fn has_result(&self, pending: &Pending) -> bool {
        self.store().index.result(&record::key(pending)).is_some()
    }

    /// Forgets operations and records the results of others, with one sync for
    /// all. Ignores operations that the journal does not contain, and results
    /// of operations that have one.
    pub(crate) fn settle<'o>(
        &self,
        forget: impl IntoIterator<Item = &'o Pending>,
        finish: impl IntoIterator<Item = (&'o Pending, &'o Operation)>,
    ) -> Result<(), Error> {
        let mut store = self.store();
        let forget = forget.into_iter().map(record::key).filter(|key| store.index.contains(key));
        let mut lines: String = forget.map(|key| record::forget(&key)).collect();
        for (pending, operation) in finish {
            let key = record::key(pending);
            if store.index.is_pending(&key) {
                lines += &record::finish(&key, operation);
            }
        }
        if !lines.is_empty() {
            store.append(&lines)?;
        }
        Ok(())
    }

    /// Returns the result of an operation, if there is one.
    pub(crate) fn result(&self, pending: &Pending) -> Option<Result<Operation, Error>> {
        let store = self.store();
        let place = store.index.result(&record::key(pending))?;
        let line = store.line(place);
        Some(line.and_then(|line| record::operation(&line)))
    }

    /// Locks the store for one step. A panic of another thread does not matter:
    /// no step leaves the state half changed.
    fn store(&self) -> MutexGuard<'_, JournalStore> {
        self.store.lock()
    }
}

/// Prints the path of the file.
impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("path", &file::shown(&self.store().path)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
