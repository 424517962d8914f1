//! Files from outside, most of which hold secrets: read within limits of size
//! and time, and wiped from memory.
//!
//! A path may name a pipe (`<(command)` of a shell), whose other end may never
//! write and never end. So files are opened without blocking, what was opened
//! is checked on the open descriptor, and pipes are read until a deadline.
//! The waiting is done by looking again after a pause: the standard library
//! cannot wait for a descriptor.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::mem;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::util::excerpt::shown_path;
use crate::util::process::ProcessLock;
use crate::util::redact::suspicion_of_path;
use crate::util::stop::StopToken;

/// Why a file was not read; reads on after the name of the file.
#[derive(Debug)]
pub(crate) struct FileError {
    pub(crate) why: &'static str,
    pub(crate) cause: Option<io::Error>,
    /// Whether the deadline has passed or the token was stopped, so that
    /// reading can go on later.
    is_unfinished: bool,
}

impl FileError {
    pub(crate) fn because(why: &'static str) -> Self {
        Self { why, cause: None, is_unfinished: false }
    }

    /// The operating system refused to open or to read the file.
    pub(crate) fn failed(cause: io::Error) -> Self {
        let why = match cause.kind() {
            io::ErrorKind::NotFound => "does not exist",
            io::ErrorKind::PermissionDenied => "may not be opened by this user",
            _ if cause.raw_os_error() == Some(TOO_MANY_LINKS) => {
                "is a symbolic link that leads back to itself"
            }
            _ => "cannot be read",
        };
        Self::because(why).with_cause(cause)
    }

    /// The same for opening a path: Windows denies access to a folder.
    fn failed_at(path: &Path, cause: io::Error) -> Self {
        if path.is_dir() { Self::because(IS_FOLDER).with_cause(cause) } else { Self::failed(cause) }
    }

    pub(crate) fn with_cause(self, cause: io::Error) -> Self {
        Self { cause: Some(cause), ..self }
    }

    fn unfinished(why: &'static str) -> Self {
        Self { is_unfinished: true, ..Self::because(why) }
    }

    #[cfg(any(test, feature = "journal"))]
    pub(crate) fn is(&self, kind: io::ErrorKind) -> bool {
        self.cause.as_ref().is_some_and(|cause| cause.kind() == kind)
    }

    /// Returns whether the same may succeed with more time.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.is_unfinished
    }
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        error.cause.unwrap_or_else(|| Self::other(error.why))
    }
}

/// Until when a pipe is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadLimits<'a> {
    pub(crate) deadline: Instant,
    pub(crate) stop: Option<&'a StopToken>,
}

impl<'a> ReadLimits<'a> {
    pub(crate) fn within(timeout: Duration, stop: Option<&'a StopToken>) -> Self {
        let now = Instant::now();
        Self { deadline: now.checked_add(timeout).unwrap_or(now + A_DAY), stop }
    }

    /// Pauses, twice as long every time; an error when the time is over.
    fn pause(&self, pause: &mut Duration, why: &'static str) -> Result<(), FileError> {
        let remaining = self.deadline.saturating_duration_since(Instant::now());
        if self.stop.is_some_and(StopToken::is_stopped) {
            return Err(FileError::unfinished("was not read: the call was stopped"));
        }
        if remaining.is_zero() {
            return Err(FileError::unfinished(why));
        }
        let duration = (*pause).min(remaining);
        match self.stop {
            Some(stop) => stop.sleep(duration),
            None => thread::sleep(duration),
        }
        *pause = (*pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// Reads a file or a pipe of at most 1 MiB; symbolic links are followed.
pub(crate) fn read(path: &Path, limits: &ReadLimits<'_>) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut reader = FileReader::open(path)?;
    reader.read_to_end(limits)?;
    Ok(reader.text)
}

/// The same, without pipes: for files that other programs keep.
pub(crate) fn read_regular(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut reader = FileReader::open(path)?;
    if reader.is_pipe {
        return Err(FileError::because(NOT_REGULAR));
    }
    reader.read_to_end(&ReadLimits::within(Duration::ZERO, None))?;
    Ok(reader.text)
}

/// A file that is read anew every time, since other programs replace it; or a
/// pipe, which is read once and kept.
pub(crate) struct FileSource {
    path: PathBuf,
    pipe: ProcessLock<PipeState>,
}

#[derive(Default)]
enum PipeState {
    /// Not opened yet, or no pipe.
    #[default]
    Unknown,
    /// A thread reads it, without the lock.
    Busy,
    /// Not read to its end. It stays open: its writer would get an error if it
    /// were closed.
    Unfinished(FileReader),
    Finished(Zeroizing<Vec<u8>>),
}

impl FileSource {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, pipe: ProcessLock::new(PipeState::Unknown, PipeState::inherited) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file. What came through a pipe until the deadline is kept, and
    /// the next call goes on from there.
    pub(crate) fn read(&self, limits: &ReadLimits<'_>) -> Result<Zeroizing<Vec<u8>>, FileError> {
        let mut reader = match self.start(limits)? {
            Started::Finished(text) => return Ok(text),
            Started::Reader(reader) => reader,
        };
        let result = reader.read_to_end(limits);
        if !reader.is_pipe {
            return result.map(|()| reader.text);
        }
        let mut state = self.pipe.lock();
        match result {
            Ok(()) => {
                *state = PipeState::Finished(reader.text.clone());
                Ok(reader.text)
            }
            Err(error) => {
                *state =
                    if error.is_unfinished() { PipeState::Unfinished(reader) } else { PipeState::Unknown };
                Err(error)
            }
        }
    }

    fn start(&self, limits: &ReadLimits<'_>) -> Result<Started, FileError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let mut state = self.pipe.lock();
            match mem::replace(&mut *state, PipeState::Busy) {
                PipeState::Busy => {}
                PipeState::Unfinished(reader) => return Ok(Started::Reader(reader)),
                PipeState::Finished(text) => {
                    *state = PipeState::Finished(text.clone());
                    return Ok(Started::Finished(text));
                }
                PipeState::Unknown => {
                    let reader = FileReader::open(&self.path);
                    // Any number of threads read a file at a time, and one reads a pipe.
                    if !reader.as_ref().is_ok_and(|reader| reader.is_pipe) {
                        *state = PipeState::Unknown;
                    }
                    return reader.map(Started::Reader);
                }
            }
            drop(state);
            limits.pause(&mut pause, NOT_ENDED)?;
        }
    }
}

impl PipeState {
    /// That of a forked child, which does not take from its parent what is in
    /// the pipe.
    fn inherited(parent: Option<&mut Self>) -> Self {
        match parent {
            Some(Self::Finished(text)) => Self::Finished(text.clone()),
            _ => Self::Unknown,
        }
    }
}

enum Started {
    Finished(Zeroizing<Vec<u8>>),
    Reader(FileReader),
}

/// An open file or pipe, and what was read of it.
struct FileReader {
    file: File,
    text: Zeroizing<Vec<u8>>,
    is_pipe: bool,
    /// A pipe without a writer reads as if it had ended; it has ended if there
    /// was one.
    writer_seen: bool,
}

impl FileReader {
    fn open(path: &Path) -> Result<Self, FileError> {
        // On Windows a named pipe is a file to the standard library, and blocks.
        if cfg!(windows) && path.to_string_lossy().starts_with(r"\\.\") {
            return Err(FileError::because(NOT_REGULAR));
        }
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
        let file = options.read(true).open(path).map_err(|cause| FileError::failed_at(path, cause))?;
        let metadata = file.metadata().map_err(FileError::failed)?;
        let is_pipe = is_pipe(&metadata);
        if !is_pipe {
            check_regular(&metadata)?;
        }
        // Room for all of it, so that the text never moves and leaves a copy behind.
        let capacity = if is_pipe { MAX_LEN } else { metadata.len().min(MAX_LEN) } + 1;
        let text = Zeroizing::new(Vec::with_capacity(usize::try_from(capacity).unwrap_or_default()));
        Ok(Self { file, text, is_pipe, writer_seen: is_inherited(path) })
    }

    /// Reads on, to the end of the file.
    fn read_to_end(&mut self, limits: &ReadLimits<'_>) -> Result<(), FileError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let before = self.text.len();
            let room = (MAX_LEN + 1).saturating_sub(before as u64);
            let result = (&mut self.file).take(room).read_to_end(&mut self.text);
            if self.text.len() > before {
                (self.writer_seen, pause) = (true, FIRST_PAUSE);
            }
            if self.text.len() as u64 > MAX_LEN {
                return Err(FileError::because("is larger than 1 MiB"));
            }
            match result {
                Ok(_) if self.is_pipe && !self.writer_seen => {}
                Ok(_) if self.is_pipe && self.text.is_empty() => {
                    return Err(FileError::because(NOTHING_WRITTEN));
                }
                Ok(_) => return Ok(()),
                // A writer has it open, and has nothing to say yet.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writer_seen = true,
                Err(error) => return Err(FileError::failed(error)),
            }
            limits.pause(&mut pause, if self.writer_seen { NOT_ENDED } else { NO_WRITER })?;
        }
    }
}

#[cfg(unix)]
fn is_pipe(metadata: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type())
}

#[cfg(not(unix))]
fn is_pipe(_: &Metadata) -> bool {
    false
}

/// Returns whether the path names a descriptor that this process was started
/// with, so that its writer came before.
fn is_inherited(path: &Path) -> bool {
    ["/dev/fd", "/dev/stdin", "/proc/self/fd"].iter().any(|inherited| path.starts_with(inherited))
}

/// Opens an existing regular file that belongs to this crate. Nothing blocks,
/// and a symbolic link is not followed.
#[cfg(feature = "journal")]
pub(crate) fn open_owned(path: &Path, options: &OpenOptions) -> Result<File, FileError> {
    // Before opening, since that alone has effects on some devices and on the
    // process at the other end of a pipe; and again on what was opened, since
    // another file may have taken its place in between.
    check_regular(&fs::symlink_metadata(path).map_err(FileError::failed)?)?;
    let mut options = options.clone();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::custom_flags(&mut options, FILE_FLAG_OPEN_REPARSE_POINT);
    let file = options.open(path).map_err(FileError::failed)?;
    check_regular(&file.metadata().map_err(FileError::failed)?)?;
    Ok(file)
}

fn check_regular(metadata: &Metadata) -> Result<(), FileError> {
    match metadata.file_type() {
        file_type if file_type.is_file() => Ok(()),
        file_type if file_type.is_dir() => Err(FileError::because(IS_FOLDER)),
        file_type if file_type.is_symlink() => Err(FileError::because("is a symbolic link")),
        _ => Err(FileError::because(NOT_REGULAR)),
    }
}

/// Warns when users other than the owner can read or write a file with a secret
/// in it.
#[cfg(unix)]
pub(crate) fn warn_if_exposed(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = fs::metadata(path) else { return };
    if is_pipe(&metadata) {
        return;
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = shown(path);
        log::warn!("file `{path}` is open to other users (mode {mode:o}): `chmod 600` keeps it private");
    }
}

#[cfg(not(unix))]
pub(crate) fn warn_if_exposed(_path: &Path) {}

/// Returns what `path` seems to be in place of a path, if it is not plausible
/// and there is no such file: most often the text of the file.
pub(crate) fn misplaced(path: &Path) -> Option<&'static str> {
    suspicion_of_path(&path.to_string_lossy()).filter(|_| fs::symlink_metadata(path).is_err())
}

/// Returns whether there is certainly no such file, so that the next place is
/// looked at. A file that cannot be opened is an error instead.
pub(crate) fn is_absent(path: &Path) -> bool {
    let gone = |kind| matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    fs::metadata(path).is_err_and(|error| gone(error.kind()))
}

/// Returns a path as messages show it.
pub(crate) fn shown(path: &Path) -> String {
    shown_path(path)
}

const MAX_LEN: u64 = 1 << 20;

/// How long a pipe is waited for where no call sets a deadline: when
/// credentials and clients are created.
pub(crate) const SETUP_TIMEOUT: Duration = Duration::from_secs(30);

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
const A_DAY: Duration = Duration::from_secs(24 * 3600);

const IS_FOLDER: &str = "is a folder, expected the path of a file";
const NOT_REGULAR: &str = "is not a regular file";
const NO_WRITER: &str = "is a pipe that no program has written to within the timeout";
const NOT_ENDED: &str = "is a pipe whose writer did not finish within the timeout";
const NOTHING_WRITTEN: &str = "is a pipe that was closed before anything was written";

#[cfg(unix)]
const TOO_MANY_LINKS: i32 = libc::ELOOP;

/// `ERROR_CANT_RESOLVE_FILENAME` of Windows.
#[cfg(not(unix))]
const TOO_MANY_LINKS: i32 = 1921;

/// Opens a symbolic link itself.
#[cfg(windows)]
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

#[cfg(test)]
mod tests;
