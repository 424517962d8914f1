//! A new file that takes the place of a journal, whole or not at all.
//!
//! The order of the steps makes a crash at any point harmless: record the name
//! in the lock file, create the file, write it, sync it, rename it, sync the
//! folder. A crash before the rename leaves the old journal and a file to
//! remove; a crash after it leaves the new journal.

use std::fs::{self, File, Metadata, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use crate::journal::location::companion;
use crate::journal::lock::JournalLock;

/// A file beside a journal, which is removed when this is dropped, unless it
/// has become the journal.
///
/// Its name cannot be guessed and is never that of an existing file. The lock
/// file records it, so that a file that a killed process left behind is removed
/// by the next one.
pub(super) struct Temporary<'l> {
    /// Held meanwhile: only one process has a temporary file.
    lock: &'l JournalLock,
    path: PathBuf,
}

impl<'l> Temporary<'l> {
    /// Creates the file.
    ///
    /// On Unix only its owner can read it, since results of operations may be
    /// secret. `create_new` never opens an existing file, or a link that
    /// another user made.
    pub(super) fn create(journal: &Path, lock: &'l JournalLock) -> io::Result<(Self, File)> {
        // Seeded anew for each state by the operating system.
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

    /// Renames the file to the journal, in place of an older file.
    pub(super) fn replace(self, journal: &Path) -> io::Result<()> {
        // `drop` finds no file to remove under the old name any more.
        fs::rename(&self.path, journal)
    }

    /// Gives the file the name of the journal. A file that another program has
    /// created meanwhile stays: a hard link replaces nothing, unlike a rename.
    pub(super) fn create_journal(self, journal: &Path) -> io::Result<()> {
        let linked = fs::hard_link(&self.path, journal);
        self.rename_unless(linked, journal)
    }

    /// Renames the file on file systems without hard links.
    fn rename_unless(self, linked: io::Result<()>, journal: &Path) -> io::Result<()> {
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                self.rename_new(journal, fs::symlink_metadata(journal))
            }
            result => result,
        }
    }

    /// Renames the file if nothing was found under the name of the journal.
    /// Another program has an instant in which to create that file and lose it.
    fn rename_new(self, journal: &Path, found: io::Result<Metadata>) -> io::Result<()> {
        match found {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.replace(journal),
            Err(error) => Err(error),
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }
}

/// Removes the file under its temporary name.
impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        self.lock.record(None);
    }
}

/// Removes the file that a killed process has left behind, if its recorded name
/// is one of ours. Anything else in the lock file could lead to the file of
/// another program.
pub(super) fn remove_leftover(journal: &Path, name: &str) {
    let prefix = companion(journal, PREFIX);
    let random = prefix.file_name().and_then(|prefix| name.strip_prefix(prefix.to_str()?));
    if random.is_some_and(|random| random.len() == 16 && random.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        let _ = fs::remove_file(journal.with_file_name(name));
    }
}

/// The suffix of temporary files, before 16 random digits.
const PREFIX: &str = "tmp-";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;

    #[test]
    fn no_file_is_replaced_with_or_without_hard_links() {
        let folder = Folder::new();
        let journal = folder.path().join("jobs.jsonl");
        let lock = JournalLock::take(&journal, false).unwrap();
        let create = |linked: Option<io::ErrorKind>| {
            let temporary = Temporary::create(&journal, &lock).unwrap().0;
            let created = match linked {
                Some(kind) => temporary.rename_unless(Err(kind.into()), &journal),
                None => temporary.create_journal(&journal),
            };
            created.map_err(|error| error.kind())
        };
        use io::ErrorKind::{AlreadyExists, Unsupported};
        // The file that the link found may be gone again: nothing is renamed.
        assert_eq!(create(Some(AlreadyExists)), Err(AlreadyExists));
        assert!(!journal.exists());
        for linked in [Some(Unsupported), None] {
            assert_eq!(create(linked), Ok(()));
            assert!(fs::read(&journal).unwrap().is_empty());
            fs::write(&journal, "theirs").unwrap();
            assert_eq!(create(linked), Err(AlreadyExists));
            assert_eq!(fs::read(&journal).unwrap(), b"theirs");
            fs::remove_file(&journal).unwrap();
        }
        let files = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "only the lock file stays");
    }

    #[test]
    fn a_file_that_may_exist_is_not_replaced() {
        let folder = Folder::new();
        let journal = folder.path().join("jobs.jsonl");
        let lock = JournalLock::take(&journal, false).unwrap();
        let temporary = Temporary::create(&journal, &lock).unwrap().0;
        let unknown = io::ErrorKind::PermissionDenied;
        assert_eq!(temporary.rename_new(&journal, Err(unknown.into())).unwrap_err().kind(), unknown);
        assert!(!journal.exists());
    }
}
