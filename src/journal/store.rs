//! The file of a journal: appended to, and replaced as a whole.
//!
//! The invariants of [`JournalStore`]:
//!
//! - The index fits the first `len` bytes of the file. Both change together,
//!   and only after the disk has the bytes.
//! - What follows in the file is garbage of a failed write, and `torn` is set.
//!   The next write cuts it off.
//! - The file is the one that `identity` names. If another file has its name
//!   now, or another program has written to it, nothing is written.
//!
//! The file is opened for each step and closed after it. A wait takes hours,
//! and an open file would hide that it was replaced or removed.

use std::collections::HashMap;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::journal::index::{self, JournalIndex, RecordPlace, Replayed, Unusable};
use crate::journal::location::{invalid, resolve, unusable};
use crate::journal::lock::JournalLock;
use crate::journal::record::{HEADER, JournalRecord};
use crate::journal::temporary::{Temporary, remove_leftover};
use crate::util::file::{self, FileError, shown};
use crate::util::process::ProcessId;

/// The file of a journal, and what it says.
pub(super) struct JournalStore {
    /// Absolute, without links.
    pub(super) path: PathBuf,
    /// What the complete lines add up to.
    pub(super) index: JournalIndex,
    /// How many bytes of the file are complete lines.
    len: u64,
    /// Whether more may follow that was cut off while it was written.
    torn: bool,
    /// The file that this journal read or wrote last.
    identity: FileIdentity,
    /// The length at which compacting is tried again after it failed; else
    /// zero.
    tidy_at: u64,
    /// The right to write. `None` in a forked child.
    lock: Option<JournalLock>,
    /// The process that opened it.
    owner: ProcessId,
}

impl JournalStore {
    /// Opens a journal, or creates it. Unless it succeeds, it changes nothing
    /// that exists.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Config`, as [`Journal::open`](super::Journal::open)
    /// describes.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let path = resolve(path)?;
        // Checked before the lock is taken, so that there is no lock file
        // beside a file that is not a journal. It is checked again under the
        // lock, because it may have changed in between.
        let exists = open_journal(&path)?.is_some();
        let lock = JournalLock::take(&path, exists)?;
        if !exists {
            create(&path, &lock).map_err(|cause| invalid(&path, "cannot be created").with_source(cause))?;
        }
        let file = open_journal(&path)?.ok_or_else(|| invalid(&path, "was removed while it was opened"))?;
        let found = file.metadata().map_err(|cause| unusable(&path, FileError::failed(cause)))?;
        let Replayed { index, len } =
            Replayed::read(BufReader::new(file)).map_err(|why| refused(&path, why))?;
        let (identity, torn) = (FileIdentity::of(&found), found.len() > len);
        // Under the lock, because otherwise this might be the file of a compaction that
        // is running in another process.
        if let Some(name) = lock.leftover() {
            remove_leftover(&path, &name);
        }
        lock.record(None);
        let (lock, owner) = (Some(lock), ProcessId::current());
        let mut store = Self { path, index, len, torn, identity, tidy_at: 0, lock, owner };
        store.tidy();
        Ok(store)
    }

    /// Returns the store for a forked child: the contents at the fork, without
    /// the right to write. It is empty if a thread of the parent was using it
    /// at that moment.
    ///
    /// This closes the child's copy of the lock file. The lock stays with the
    /// parent, because it is released only when the last copy is closed.
    pub(super) fn inherited(parent: Option<&mut Self>) -> Self {
        let Some(parent) = parent else { return Self::foreign(PathBuf::new(), ProcessId::UNKNOWN) };
        parent.lock = None;
        let foreign = Self::foreign(parent.path.clone(), parent.owner);
        std::mem::replace(parent, foreign)
    }

    /// Creates an empty store without the right to write.
    fn foreign(path: PathBuf, owner: ProcessId) -> Self {
        let (index, identity) = (JournalIndex::default(), FileIdentity::default());
        Self { path, index, len: 0, torn: false, identity, tidy_at: 0, lock: None, owner }
    }

    /// Returns the lock, which only the process that opened the journal has.
    /// Every method that writes checks it.
    fn lock(&self) -> Result<&JournalLock, Error> {
        self.lock.as_ref().filter(|_| self.owner.is_current()).ok_or_else(|| {
            let why = format!("belongs to {}, of which this one is a forked child: {REOPEN}", self.owner);
            invalid(&self.path, &why)
        })
    }

    /// Appends lines, which are on the disk when this returns.
    ///
    /// Each line ends with a line feed. So what is left of a failed write is
    /// cut off by the next one, or ignored when the file is opened.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Config`. Then nothing has changed, and the caller can try
    /// again.
    pub(super) fn append(&mut self, lines: &str) -> Result<(), Error> {
        self.lock()?;
        // Read before `write` moves the end.
        let mut at = self.len;
        self.write(lines).map_err(|cause| {
            invalid(&self.path, "cannot be written, nothing of this step is recorded").with_source(cause)
        })?;
        for line in lines.split_inclusive('\n') {
            let len = line.len() as u64;
            // Of our own making, so it can be read.
            if let Ok(record) = JournalRecord::read(line) {
                self.index.apply(record, RecordPlace { at, len });
            }
            at += len;
        }
        self.tidy();
        Ok(())
    }

    /// Reads the line at a place, for its result.
    pub(super) fn line(&self, place: RecordPlace) -> Result<String, Error> {
        let mut line = String::new();
        let mut read = || {
            let mut file = self.open_again(OpenOptions::new().read(true))?;
            file.seek(SeekFrom::Start(place.at))?;
            file.take(place.len).read_to_string(&mut line)
        };
        read().map_err(|cause| invalid(&self.path, "cannot be read").with_source(cause))?;
        Ok(line)
    }

    /// Removes the lines that have no effect any more.
    pub(super) fn compact(&mut self) -> Result<(), Error> {
        self.lock()?;
        self.rewrite()
            .map_err(|cause| invalid(&self.path, "cannot be compacted, it is as it was").with_source(cause))
    }

    /// Compacts the file when more than half of it, and more than 1 MiB, is
    /// dead. A failure is logged, because the step that led here has succeeded.
    fn tidy(&mut self) {
        // The file doubles before it is rewritten. So all compactions together write
        // about as much as the appends.
        if self.len < self.tidy_at || self.len <= 2 * self.index.live() + TOLERATED {
            return;
        }
        if let Err(error) = self.rewrite() {
            // Every step is recorded, and there is another chance when the file has grown.
            log::debug!("journal `{}` is not compacted: {error}", shown(&self.path));
            self.tidy_at = self.len + TOLERATED;
        }
    }

    /// Writes lines behind the complete ones, and syncs them.
    fn write(&mut self, lines: &str) -> io::Result<()> {
        // Opened for each write: the file may be replaced or removed while the program
        // waits for hours, and the check of its identity has to be of the file
        // that is written.
        let mut file = self.open_again(OpenOptions::new().write(true))?;
        let found = file.metadata()?.len();
        // Another program has written to the file in spite of the lock. Appending would
        // damage lines, its own or ours.
        if found < self.len || (found > self.len && !self.torn) {
            return Err(changed());
        }
        if self.torn {
            file.set_len(self.len)?;
        }
        // Set before the first byte, cleared after the sync: after a failure in
        // between, the next write cuts the rest off.
        self.torn = true;
        file.seek(SeekFrom::Start(self.len))?;
        file.write_all(lines.as_bytes())?;
        // The result must be on the disk before the caller gets it; otherwise a crash
        // could lose it.
        file.sync_data()?;
        self.len += lines.len() as u64;
        self.torn = false;
        Ok(())
    }

    /// Writes the lines that have an effect to a new file, and replaces the old
    /// one by it. After an error, the old file and the index are as they were.
    fn rewrite(&mut self) -> io::Result<()> {
        let old = self.open_again(OpenOptions::new().read(true))?;
        let lock = self.lock().map_err(io::Error::other)?;
        let (temporary, new) = Temporary::create(&self.path, lock)?;
        keep_access(&old.metadata()?, &new)?;
        let mut new = BufWriter::new(new);
        // Lines are copied as they are, so fields that a newer version has added are
        // not lost.
        let (moved, len) = self.copy(old, &mut new)?;
        let new = new.into_inner().map_err(io::IntoInnerError::into_error)?;
        // Before the rename, or a crash could leave an empty file under the name of the
        // journal.
        new.sync_all()?;
        let identity = FileIdentity::of(&new.metadata()?);
        // Closed, since Windows renames no open file. And another program may have
        // replaced the old one by now.
        drop((new, self.open_again(OpenOptions::new().read(true))?));
        temporary.replace(&self.path)?;
        // After the rename: until then, the index has to fit the old file.
        self.index.relocate(&moved);
        (self.len, self.identity, self.torn) = (len, identity, false);
        sync_folder(&self.path)
    }

    /// Copies the lines that have an effect behind a header. Returns where each
    /// is now, by where it was, and the total length.
    fn copy(&self, old: File, new: &mut impl Write) -> io::Result<(HashMap<u64, u64>, u64)> {
        new.write_all(HEADER.as_bytes())?;
        let (mut moved, mut len, mut position) = (HashMap::new(), HEADER.len() as u64, 0);
        let mut old = BufReader::new(old);
        for RecordPlace { at, len: length } in self.index.lines() {
            old.seek_relative((at - position) as i64)?;
            if io::copy(&mut old.by_ref().take(length), new)? != length {
                return Err(changed());
            }
            position = at + length;
            moved.insert(at, len);
            len += length;
        }
        Ok((moved, len))
    }

    /// Opens the file that this journal used last.
    ///
    /// # Errors
    ///
    /// Fails if another file has its name now.
    fn open_again(&self, options: &mut OpenOptions) -> io::Result<File> {
        let file = file::open_owned(&self.path, options)?;
        match FileIdentity::of(&file.metadata()?) == self.identity {
            true => Ok(file),
            false => Err(changed()),
        }
    }
}

/// Opens the file to read and write; `None` if there is none. Rejects anything
/// that is not a journal.
fn open_journal(path: &Path) -> Result<Option<File>, Error> {
    // Opened to write as well: a journal that cannot be written fails now, and
    // not with the first result.
    match file::open_owned(path, OpenOptions::new().read(true).write(true)) {
        Err(error) if error.is(io::ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(unusable(path, error)),
        Ok(mut file) => {
            index::read_header(&mut BufReader::new(&file)).map_err(|why| refused(path, why))?;
            file.rewind().map_err(|cause| unusable(path, FileError::failed(cause)))?;
            Ok(Some(file))
        }
    }
}

/// Returns the error for a file that is not a journal or cannot be read.
fn refused(path: &Path, why: Unusable) -> Error {
    match why {
        Unusable::Contents(why) => invalid(path, &why),
        Unusable::Io(cause) => invalid(path, "cannot be read").with_source(cause),
    }
}

/// Creates a journal without records.
fn create(path: &Path, lock: &JournalLock) -> io::Result<()> {
    let (temporary, mut file) = Temporary::create(path, lock)?;
    file.write_all(HEADER.as_bytes())?;
    file.sync_all()?;
    drop(file);
    temporary.create_journal(path)?;
    sync_folder(path)
}

/// Returns the error for a file that is not as this journal left it.
fn changed() -> io::Error {
    io::Error::other("another program has changed it")
}

/// Distinguishes a file from another one that has its name now.
///
/// On Windows the standard library has no stable number for that, so all files
/// are equal there, and only the length is checked.
#[derive(Default, PartialEq)]
struct FileIdentity {
    /// Device and inode.
    #[cfg(unix)]
    number: (u64, u64),
}

impl FileIdentity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { number: (metadata.dev(), metadata.ino()) }
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Self {
        Self {}
    }
}

/// Gives the new file to the owner of the old one, with the same permissions.
///
/// Where that is not allowed the old file stays: those who could open it must
/// be able to open the new one.
fn keep_access(old: &Metadata, new: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let found = new.metadata()?;
        // Only if needed: most users may not give files away, and the owner is mostly
        // the same.
        if (old.uid(), old.gid()) != (found.uid(), found.gid()) {
            fchown(new, Some(old.uid()), Some(old.gid()))?;
        }
    }
    new.set_permissions(old.permissions())
}

/// Makes the names in a folder as durable as the files.
fn sync_folder(path: &Path) -> io::Result<()> {
    // Windows has no call for it.
    let folder = path.parent().filter(|_| cfg!(unix));
    folder.map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

const REOPEN: &str = "open it again when that process has closed it";

/// How many dead bytes are not worth a new file.
const TOLERATED: u64 = 1 << 20;

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_synced_is_an_error() {
        let folder = crate::folder::Folder::new();
        sync_folder(&folder.path().join("jobs.jsonl")).unwrap();
        let missing = sync_folder(&folder.path().join("none/jobs.jsonl")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
