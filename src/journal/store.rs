//! The file of a journal: appended to, and replaced as a whole.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::file::shown;
use crate::journal::index::{Index, Place, Replayed, Unusable};
use crate::journal::lock::Lock;
use crate::journal::record::{HEADER, Record};

/// The file, and what it says.
pub(super) struct Store {
    pub(super) path: PathBuf,
    pub(super) index: Index,
    /// Bytes of the lines that are whole.
    len: u64,
    /// Whether something may stand behind them that was cut off while it was written.
    torn: bool,
    /// After a failure, the length at which compacting is tried again.
    tidy_at: u64,
    _lock: Lock,
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let path = absolute(path)?;
        let failed = |what: &'static str| {
            let path = path.clone();
            move |cause: io::Error| unusable(&path, what).with_source(cause)
        };
        // Before there is a lock beside something that is no file, and again under the lock.
        is_file(&path)?;
        let lock = Lock::take(&path)?;
        let exists = is_file(&path)?;
        let replayed = if exists {
            // Early, rather than with the first result.
            OpenOptions::new().append(true).open(&path).map_err(failed("cannot be written"))?;
            let file = File::open(&path).map_err(failed("cannot be read"))?;
            Replayed::read(BufReader::new(file)).map_err(|why| match why {
                Unusable::Contents(why) => unusable(&path, &why),
                Unusable::Io(cause) => unusable(&path, "cannot be read").with_source(cause),
            })?
        } else {
            Replayed::default()
        };
        let Replayed { index, len } = replayed;
        let mut store = Self { path: path.clone(), index, len, torn: true, tidy_at: 0, _lock: lock };
        if len == 0 {
            store.rewrite().map_err(failed("cannot be made"))?;
        }
        store.tidy();
        Ok(store)
    }

    /// Appends lines; they are on the disk when this returns.
    ///
    /// Each line has its end, so whatever is left of a write that failed is cut off by the next one, or passed
    /// over by whoever opens the file.
    pub(super) fn append(&mut self, lines: &str) -> Result<(), Error> {
        let mut at = self.len;
        self.write(lines).map_err(|cause| {
            unusable(&self.path, "cannot be written, nothing of this step is recorded").with_source(cause)
        })?;
        for line in lines.split_inclusive('\n') {
            let len = line.len() as u64;
            // Of our own making, so it can be read.
            if let Ok(record) = Record::read(line) {
                self.index.apply(record, Place { at, len });
            }
            at += len;
        }
        self.tidy();
        Ok(())
    }

    /// Gives a line.
    pub(super) fn line(&self, place: Place) -> Result<String, Error> {
        let mut line = String::new();
        let mut read = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(place.at))?;
            file.take(place.len).read_to_string(&mut line)
        };
        read().map_err(|cause| unusable(&self.path, "cannot be read").with_source(cause))?;
        Ok(line)
    }

    /// Leaves out the lines that have no effect any more.
    pub(super) fn compact(&mut self) -> Result<(), Error> {
        self.rewrite()
            .map_err(|cause| unusable(&self.path, "cannot be compacted, it is as it was").with_source(cause))
    }

    /// Compacts when more than half of a large file is dead.
    fn tidy(&mut self) {
        if self.len < self.tidy_at || self.len <= 2 * self.index.live() + TOLERATED {
            return;
        }
        if let Err(error) = self.rewrite() {
            // What was asked for is recorded, and there is another chance when the file has grown.
            log::debug!("journal `{}` is not compacted: {error}", shown(&self.path));
            self.tidy_at = self.len + TOLERATED;
        }
    }

    fn write(&mut self, lines: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        let found = file.metadata()?.len();
        if found < self.len || (found > self.len && !self.torn) {
            return Err(io::Error::other("another program has changed it"));
        }
        file.set_len(self.len)?;
        self.torn = true;
        file.seek(SeekFrom::Start(self.len))?;
        file.write_all(lines.as_bytes())?;
        file.sync_data()?;
        self.len += lines.len() as u64;
        self.torn = false;
        Ok(())
    }

    /// Writes the lines that count into a new file, and puts that in the place of the old one.
    fn rewrite(&mut self) -> io::Result<()> {
        let path = beside(&self.path, ".tmp");
        let mut new = BufWriter::new(create_private(&path)?);
        new.write_all(HEADER.as_bytes())?;
        let mut len = HEADER.len() as u64;
        let mut moved = HashMap::new();
        if self.len > 0 {
            let old = File::open(&self.path)?;
            new.get_ref().set_permissions(old.metadata()?.permissions())?;
            let mut old = BufReader::new(old);
            let mut position = 0;
            for Place { at, len: length } in self.index.lines() {
                old.seek_relative((at - position) as i64)?;
                if io::copy(&mut old.by_ref().take(length), &mut new)? != length {
                    return Err(io::Error::other("another program has changed it"));
                }
                position = at + length;
                moved.insert(at, len);
                len += length;
            }
        }
        new.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&path, &self.path)?;
        self.index.relocate(&moved);
        self.len = len;
        self.torn = false;
        sync_folder(&self.path)
    }
}

/// The file itself, links followed, so that it is the file which is replaced and not a link to it.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    if let Ok(path) = fs::canonicalize(path) {
        return Ok(path);
    }
    let name = path.file_name().ok_or_else(|| unusable(path, "has no file name"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder)
        .map_err(|cause| unusable(path, "is in a folder that cannot be used").with_source(cause))?;
    Ok(folder.join(name))
}

/// Whether there is a file; anything else in its place is refused before it is opened: a pipe would block.
fn is_file(path: &Path) -> Result<bool, Error> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(true),
        Ok(metadata) if metadata.is_dir() => Err(unusable(path, "is a folder, expected the path of a file")),
        Ok(_) => Err(unusable(path, "is not a regular file")),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(unusable(path, "cannot be read").with_source(cause)),
    }
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::config(format!("journal `{}` {why}", shown(path)))
}

/// The path of a file that belongs to the journal.
pub(super) fn beside(journal: &Path, suffix: &str) -> PathBuf {
    let mut path = journal.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Makes a file that only its owner can read: results of operations may be secret.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(path)
}

/// Makes the names in a folder as durable as the files.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        // Windows has no call for it.
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Dead bytes that are not worth a new file.
const TOLERATED: u64 = 1 << 20;
