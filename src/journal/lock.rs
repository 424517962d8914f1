//! One process at a time: a lock that the operating system gives back, however its holder ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process;

use crate::error::Error;
use crate::file::shown;
use crate::journal::store::beside;

/// The lock of a journal, held until it is dropped.
///
/// It is a file of its own, because the journal is replaced by another file now and then. The file stays behind:
/// to remove it would take the lock from the next one, who may have opened it already.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(journal: &Path) -> Result<Self, Error> {
        let path = beside(journal, ".lock");
        let failed = |cause: io::Error| {
            Error::config(format!("lock `{}` of a journal cannot be taken", shown(&path))).with_source(cause)
        };
        let Some(mut file) = open_locked(&path).map_err(failed)? else {
            return Err(Error::config(format!(
                "journal `{}` is in use by {}, which holds `{}`: wait for it to end, or take another journal",
                shown(journal),
                holder(&path),
                shown(&path)
            )));
        };
        // For the message of the next one; the lock holds without it.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", process::id()));
        Ok(Self { _file: file })
    }
}

/// Who has the lock, as far as its file tells.
fn holder(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(20).read_to_string(&mut text));
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(id)) if id == process::id() => "this process".to_owned(),
        (Ok(_), Ok(id)) => format!("process {id}"),
        _ => "another process".to_owned(),
    }
}

/// Opens the file with the lock on it; nothing if another has that.
#[cfg(unix)]
fn open_locked(path: &Path) -> io::Result<Option<File>> {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::{FlockOperation, flock};
    use rustix::io::{Errno, retry_on_intr};

    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match retry_on_intr(|| flock(&file, FlockOperation::NonBlockingLockExclusive)) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// On Windows it is a lock to have a file open in this way: others may read it, and cannot open it to write.
#[cfg(windows)]
fn open_locked(path: &Path) -> io::Result<Option<File>> {
    use std::os::windows::fs::OpenOptionsExt;

    const FILE_SHARE_READ: u32 = 1;
    const ERROR_SHARING_VIOLATION: i32 = 32;

    let mut options = OpenOptions::new();
    match options.write(true).create(true).truncate(false).share_mode(FILE_SHARE_READ).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(not(any(unix, windows)))]
fn open_locked(_: &Path) -> io::Result<Option<File>> {
    Err(io::ErrorKind::Unsupported.into())
}
