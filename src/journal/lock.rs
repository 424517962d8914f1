//! The lock of a journal: one process at a time.
//!
//! The lock is one of the operating system (`flock` on Unix, a share mode on
//! Windows), which releases it however its holder ends. A file that merely
//! exists is no lock: a killed process could not remove it.
//!
//! The lock is advisory. It keeps versions of this crate apart, and no other
//! program.
//!
//! ```text
//! .NAME.longrunning-lock
//! longrunning-lock 4711                      the holder, for messages
//! .NAME.longrunning-tmp-0123456789abcdef     a temporary file, or empty
//! ```

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::Duration;

use crate::error::Error;
use crate::journal::location::companion;
use crate::util::file::{self, FileError, shown};

/// The lock of a journal, held until it is dropped.
///
/// It is on a file of its own, because compaction replaces the journal by
/// another file. The lock file stays behind. Removing it would let two
/// processes in: one that has opened the removed file and gets its lock, and
/// one that creates a new file.
#[derive(Debug)]
pub(super) struct JournalLock {
    /// The open file. The lock ends when its last descriptor is closed.
    file: File,
    /// The lock on `NAME.lock`, which earlier versions take; only if there is
    /// such a file.
    _earlier: Option<File>,
}

impl JournalLock {
    /// Takes the lock of a journal, which may be new. Writes nothing into a
    /// file that exists.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Config` if another process has the journal, or if the lock
    /// file is of another program or cannot be opened.
    pub(super) fn take(journal: &Path, exists: bool) -> Result<Self, Error> {
        let path = companion(journal, "lock");
        let failed = |FileError { why, cause, .. }| {
            let error = Error::config(format!("lock file `{}` of a journal {why}", shown(&path)));
            cause.into_iter().fold(error, Error::with_source)
        };
        let file = outlast_child_processes(&path, || open_or_create(&path)).map_err(failed)?;
        let file = file.ok_or_else(|| in_use(journal, &path))?;
        if !is_own(&file).map_err(|cause| failed(FileError::failed(cause)))? {
            return Err(failed(FileError::because("was not created by a journal: move it, or the journal")));
        }
        // A journal that is new here cannot be open in an earlier version.
        let earlier = if exists { take_earlier(journal)? } else { None };
        Ok(Self { file, _earlier: earlier })
    }

    /// Records this process, and the temporary file that it is about to create.
    ///
    /// The lock holds without the record, so a failure to write it is ignored.
    pub(super) fn record(&self, temporary: Option<&OsStr>) {
        let temporary = temporary.and_then(OsStr::to_str).unwrap_or_default();
        let text = format!("{MARK}{}\n{temporary}\n", process::id());
        let mut file = &self.file;
        let written = file.rewind().and_then(|()| file.write_all(text.as_bytes()));
        // Last, so that a process killed in between leaves the record whole.
        let _ = written.and_then(|()| file.set_len(text.len() as u64));
    }

    /// Returns the name of the temporary file that an earlier process recorded
    /// and did not remove. The name comes from a file, so the caller checks it.
    pub(super) fn leftover(&self) -> Option<String> {
        let text = read(&self.file).ok()?;
        let name = text.lines().nth(1).filter(|name| !name.is_empty())?;
        Some(name.to_owned())
    }
}

/// Tries again for a short time if this process seems to hold the lock itself.
///
/// A child process that another thread starts has a copy of each descriptor
/// until its `exec`, and with it the lock of a journal that was closed in the
/// meantime.
fn outlast_child_processes(
    path: &Path,
    mut open: impl FnMut() -> Result<Option<File>, FileError>,
) -> Result<Option<File>, FileError> {
    for _ in 0..CHILD_TRIES {
        match open()? {
            None if holder(path) == THIS_PROCESS => thread::sleep(CHILD_PAUSE),
            result => return Ok(result),
        }
    }
    open()
}

/// Creates the lock file if there is none, opens it and locks it; `None` if
/// another process holds the lock.
fn open_or_create(path: &Path) -> Result<Option<File>, FileError> {
    let mut new = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
    // `create_new` leaves any existing file alone. A new file is closed and
    // opened like any other, because another process may lock it first.
    let created = new.write(true).create_new(true).open(path).map(drop);
    match (open_locked(path, OpenOptions::new().read(true).write(true)), created) {
        (Err(error), Err(cause)) if error.is(io::ErrorKind::NotFound) => {
            Err(FileError::because("cannot be created").with_cause(cause))
        }
        // If there is a file, it does not matter why none was created.
        (result, _) => result,
    }
}

/// Returns whether a journal has created the file: it is empty for an instant,
/// then it starts with the mark.
///
/// With a second name (a hard link) it may be the file of another program, made
/// to look like a lock file so that a journal overwrites it.
fn is_own(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&file.metadata()?) != 1 {
        return Ok(false);
    }
    let text = read(file)?;
    Ok(text.starts_with(MARK) || MARK.starts_with(&text))
}

/// Locks the file that earlier versions lock, if it is one: it holds a process
/// id.
///
/// So two versions do not use a journal at the same time. Any other file of
/// that name is left alone.
fn take_earlier(journal: &Path) -> Result<Option<File>, Error> {
    let mut path = journal.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let text = file::open_owned(&path, OpenOptions::new().read(true)).map(|file| read(&file));
    if !matches!(text, Ok(Ok(text)) if text.strip_suffix('\n').is_some_and(|id| id.parse::<u32>().is_ok())) {
        return Ok(None);
    }
    match open_locked(&path, OpenOptions::new().read(true).write(true)) {
        Ok(Some(file)) => Ok(Some(file)),
        Ok(None) => Err(in_use(journal, &path)),
        // This user may not open it, so no version could have locked it for
        // this user.
        Err(_) => Ok(None),
    }
}

/// Returns the error for a journal that another process has.
fn in_use(journal: &Path, path: &Path) -> Error {
    Error::config(format!(
        "journal `{}` is in use by {}, which holds `{}`: wait for it to end, or take another journal",
        shown(journal),
        holder(path),
        shown(path)
    ))
}

/// Returns the process that holds the lock, as far as its file names it. It
/// reads on in a message.
fn holder(path: &Path) -> String {
    let text = file::open_owned(path, OpenOptions::new().read(true)).map(|file| read(&file));
    let Ok(Ok(text)) = text else { return "another process".to_owned() };
    let line = text.lines().next().unwrap_or_default();
    match line.strip_prefix(MARK).unwrap_or(line).parse::<u32>() {
        Ok(id) if id == process::id() => THIS_PROCESS.to_owned(),
        Ok(id) => format!("process {id}"),
        _ => "another process".to_owned(),
    }
}

/// Reads the start of a lock file, from its beginning.
fn read(mut file: &File) -> io::Result<String> {
    file.rewind()?;
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Opens an existing file and locks it; `None` if another process holds the
/// lock. It never waits.
#[cfg(unix)]
fn open_locked(path: &Path, options: &mut OpenOptions) -> Result<Option<File>, FileError> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::{Errno, retry_on_intr};

    let file = file::open_owned(path, options)?;
    match retry_on_intr(|| flock(&file, FlockOperation::NonBlockingLockExclusive)) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(FileError::because("cannot be locked").with_cause(error.into())),
    }
}

/// Opens an existing file so that others can read it and cannot open it to
/// write, which is the lock on Windows.
#[cfg(windows)]
fn open_locked(path: &Path, options: &mut OpenOptions) -> Result<Option<File>, FileError> {
    use std::os::windows::fs::OpenOptionsExt;

    const FILE_SHARE_READ: u32 = 1;
    const ERROR_SHARING_VIOLATION: i32 = 32;

    let mut options = options.clone();
    match file::open_owned(path, options.share_mode(FILE_SHARE_READ)) {
        Ok(file) => Ok(Some(file)),
        Err(FileError { cause: Some(cause), .. })
            if cause.raw_os_error() == Some(ERROR_SHARING_VIOLATION) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Fails: there is no lock on this platform.
#[cfg(not(any(unix, windows)))]
fn open_locked(_: &Path, _: &mut OpenOptions) -> Result<Option<File>, FileError> {
    Err(FileError::failed(io::ErrorKind::Unsupported.into()))
}

const THIS_PROCESS: &str = "this process";

/// How often to try again, a fifth of a second in all: an `exec` takes
/// milliseconds, even on a busy machine.
const CHILD_TRIES: u32 = 20;
const CHILD_PAUSE: Duration = Duration::from_millis(10);

/// The start of a lock file, before the number of a process.
const MARK: &str = "longrunning-lock ";

/// How many bytes of a lock file are read. That is more than it holds: the
/// mark, a process id and a file name.
const LONGEST: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;

    /// The first attempts find the lock taken, as by a child process before
    /// its `exec`.
    #[test]
    fn a_lock_that_this_process_seems_to_hold_is_tried_again() {
        let rows = [(process::id(), 2, true), (process::id().wrapping_add(1), 0, false)];
        for (holder, repeated, taken) in rows {
            let folder = Folder::new();
            let lock = folder.file("lock", &format!("{MARK}{holder}\n\n"));
            let mut attempts = 0;
            let file = outlast_child_processes(Path::new(&lock), || {
                attempts += 1;
                Ok((attempts > 2).then(|| File::open(&lock).unwrap()))
            });
            let found = (attempts, file.unwrap().is_some());
            assert_eq!(found, (1 + repeated, taken), "held by {holder}");
        }
    }

    #[test]
    fn a_lock_file_that_cannot_be_created_is_an_error_with_its_cause() {
        let folder = Folder::new();
        let error = JournalLock::take(&folder.path().join("none/jobs.jsonl"), false).unwrap_err();
        assert!(error.to_string().ends_with("of a journal cannot be created"), "{error}");
        let cause = std::error::Error::source(&error).unwrap().downcast_ref::<io::Error>();
        assert_eq!(cause.unwrap().kind(), io::ErrorKind::NotFound);
    }
}
