//! A new file that takes the place of a journal, whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use crate::journal::location::companion;
use crate::journal::lock::JournalLock;

/// A file beside a journal, which is removed unless it becomes the journal.
///
/// Its name cannot be guessed and is never that of an existing file. The lock
/// file records it, so that a file that a killed process left behind is removed
/// by the next one.
pub(super) struct Temporary<'l> {
    lock: &'l JournalLock,
    path: PathBuf,
}

impl<'l> Temporary<'l> {
    /// Creates the file. On Unix only its owner can read it, since results of
    /// operations may be secret.
    pub(super) fn create(journal: &Path, lock: &'l JournalLock) -> io::Result<(Self, File)> {
        let random = RandomState::new().hash_one(journal);
        let path = companion(journal, &format!("{PREFIX}{random:016x}"));
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Before the file exists: a record without a file does no harm.
        lock.record(path.file_name());
        let file = options.write(true).create_new(true).open(&path);
        let file = file.inspect_err(|_| lock.record(None))?;
        Ok((Self { lock, path }, file))
    }

    /// Becomes the journal in the place of an older file.
    pub(super) fn replace(self, journal: &Path) -> io::Result<()> {
        // What is left for `drop` to remove has another name now.
        fs::rename(&self.path, journal)
    }

    /// Becomes the journal where there is no file; one that another program has
    /// created meanwhile stays.
    pub(super) fn create_journal(self, journal: &Path) -> io::Result<()> {
        match fs::hard_link(&self.path, journal) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => self.rename_new(journal),
            result => result,
        }
    }

    /// For file systems without hard links; there another program has an
    /// instant to create the same file.
    fn rename_new(self, journal: &Path) -> io::Result<()> {
        match fs::symlink_metadata(journal) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.replace(journal),
            Err(error) => Err(error),
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        self.lock.record(None);
    }
}

/// Removes the file that a killed process has left behind, as far as its
/// recorded name is one of ours.
pub(super) fn remove_leftover(journal: &Path, name: &str) {
    let prefix = companion(journal, PREFIX);
    let random = prefix.file_name().and_then(|prefix| name.strip_prefix(prefix.to_str()?));
    if random.is_some_and(|random| random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        let _ = fs::remove_file(journal.with_file_name(name));
    }
}

const PREFIX: &str = "tmp-";
