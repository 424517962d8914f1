//! Files from outside, most of which hold secrets: read within limits of size
//! and time, and wiped from memory.
//!
//! A path may name a pipe (`<(command)` of a shell), whose other end may never
//! write and never end. So a file is opened without blocking, what was opened
//! is checked on the open descriptor, and a pipe is read until a deadline.
//! While a pipe has nothing to read, the thread sleeps and tries again, because
//! the standard library cannot wait for a descriptor.
//!
//! ```text
//! function      accepts                     used for
//! read          files, pipes, links         key files
//! FileSource    the same, several times     token files, certificates
//! read_regular  files, links                output files of executables
//! open_owned    files of this crate, no     journals (feature journal)
//!               links
//! ```
//!
//! Devices and sockets are refused, and so is everything larger than 1 MiB.
//! Errors read on after the name of the file, so the caller writes the message:
//! ``token file `/run/token` does not exist``.

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

/// Why a file was not read.
#[derive(Debug)]
pub(crate) struct FileError {
    /// Reads on after the name of the file: `does not exist`, `is larger than 1
    /// MiB`.
    pub(crate) why: &'static str,
    /// The error of the operating system, if one is the reason.
    pub(crate) cause: Option<io::Error>,
    /// Whether the deadline has passed or the token was stopped, so that
    /// reading can go on later.
    is_unfinished: bool,
}

impl FileError {
    /// Creates an error without a cause that another attempt would not change.
    pub(crate) fn because(why: &'static str) -> Self {
        Self { why, cause: None, is_unfinished: false }
    }

    /// Creates the error for a file that the operating system refused to open
    /// or to read.
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

    /// Creates the same for opening a path. A folder is named as such: Windows
    /// only says that access is denied.
    fn failed_at(path: &Path, cause: io::Error) -> Self {
        if path.is_dir() { Self::because(IS_FOLDER).with_cause(cause) } else { Self::failed(cause) }
    }

    /// Sets the error that `source()` of the resulting error returns.
    pub(crate) fn with_cause(self, cause: io::Error) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// Creates an error after which reading can go on.
    fn unfinished(why: &'static str) -> Self {
        Self { is_unfinished: true, ..Self::because(why) }
    }

    /// Returns whether the cause is of this kind.
    #[cfg(any(test, feature = "journal"))]
    pub(crate) fn is(&self, kind: io::ErrorKind) -> bool {
        self.cause.as_ref().is_some_and(|cause| cause.kind() == kind)
    }

    /// Returns whether the same may succeed with more time.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.is_unfinished
    }
}

/// Keeps the cause, whose kind callers look at.
impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        error.cause.unwrap_or_else(|| Self::other(error.why))
    }
}

/// How long to wait for a pipe. Regular files are read without a look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadLimits<'a> {
    /// When to give up, in real time: pipes do not follow a virtual clock.
    pub(crate) deadline: Instant,
    /// Ends the wait early.
    pub(crate) stop: Option<&'a StopToken>,
}

impl<'a> ReadLimits<'a> {
    /// Creates limits that end `timeout` from now. Zero reads what is there. A
    /// time that the platform cannot represent counts as a day.
    pub(crate) fn within(timeout: Duration, stop: Option<&'a StopToken>) -> Self {
        let now = Instant::now();
        Self { deadline: now.checked_add(timeout).unwrap_or(now + A_DAY), stop }
    }

    /// Sleeps for `pause`, which doubles up to 50 ms.
    ///
    /// # Errors
    ///
    /// An unfinished error: with `why` after the deadline, with its own text if
    /// the token is stopped.
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

/// Reads a file or a pipe of at most 1 MiB; symbolic links are followed,
/// because mounted secrets of Kubernetes are links.
///
/// A pipe that is read here is consumed. Use [`FileSource`] to read a path
/// again.
pub(crate) fn read(path: &Path, limits: &ReadLimits<'_>) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut reader = FileReader::open(path)?;
    reader.read_to_end(limits)?;
    Ok(reader.text)
}

/// Reads a file of at most 1 MiB that other programs write, and refuses pipes:
/// these files are read again and again, and nothing may block.
pub(crate) fn read_regular(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut reader = FileReader::open(path)?;
    if reader.is_pipe {
        return Err(FileError::because(NOT_REGULAR));
    }
    reader.read_to_end(&ReadLimits::within(Duration::ZERO, None))?;
    Ok(reader.text)
}

/// A path that is read several times.
///
/// A file is read anew every time, since other programs replace it. A pipe can
/// be read only once, so its text is kept.
pub(crate) struct FileSource {
    path: PathBuf,
    /// Only changes if the path is a pipe. Not locked while it is read.
    pipe: ProcessLock<PipeState>,
}

/// How far a pipe was read.
///
/// ```text
/// Unknown ──► Busy ──► Finished
///    ▲         │ ▲
///    └─ error ─┤ └── next call ──┐
///              └─ deadline ─► Unfinished
/// ```
#[derive(Default)]
enum PipeState {
    /// Not opened yet, or not a pipe.
    #[default]
    Unknown,
    /// One thread reads it, without the lock. The others wait for it until
    /// their own deadlines.
    Busy,
    /// Not read to its end. It stays open, because its writer would get an
    /// error if it were closed.
    Unfinished(FileReader),
    /// The whole text.
    Finished(Zeroizing<Vec<u8>>),
}

impl FileSource {
    /// Creates a source. The path is not looked at before the first read.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, pipe: ProcessLock::new(PipeState::Unknown, PipeState::inherited) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file.
    ///
    /// If the deadline passes before a pipe has ended, the next call continues
    /// where this one stopped.
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

    /// Returns an open file, or the text of a pipe that was read before. Waits
    /// while another thread reads the pipe.
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
                    // Any number of threads read a file at the same time, and
                    // one thread reads a pipe, which leaves the state `Busy`.
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
    /// Returns the state in a forked child, which does not take from its parent
    /// what is still in the pipe.
    fn inherited(parent: Option<&mut Self>) -> Self {
        match parent {
            Some(Self::Finished(text)) => Self::Finished(text.clone()),
            _ => Self::Unknown,
        }
    }
}

/// What [`FileSource::start`] found.
enum Started {
    Finished(Zeroizing<Vec<u8>>),
    Reader(FileReader),
}

/// An open file or pipe, and what was read of it so far.
struct FileReader {
    file: File,
    /// Has room for the largest file from the start; see [`FileReader::open`].
    text: Zeroizing<Vec<u8>>,
    is_pipe: bool,
    /// Whether a pipe has had a writer. Without one, a pipe reads as if it had
    /// ended: 0 bytes. It has ended only if there was one before.
    writer_seen: bool,
}

impl FileReader {
    /// Opens a file or pipe without blocking, and refuses everything else.
    fn open(path: &Path) -> Result<Self, FileError> {
        // On Windows a named pipe is a file to the standard library, and blocks.
        if cfg!(windows) && path.to_string_lossy().starts_with(r"\\.\") {
            return Err(FileError::because(NOT_REGULAR));
        }
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        // Without the first, opening a pipe blocks until there is a writer.
        // Without the second, a terminal could become that of this process.
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
        let file = options.read(true).open(path).map_err(|cause| FileError::failed_at(path, cause))?;
        let metadata = file.metadata().map_err(FileError::failed)?;
        let is_pipe = is_pipe(&metadata);
        if !is_pipe {
            check_regular(&metadata)?;
        }
        // Room for all of it, because a vector that grows leaves a copy of the
        // secret behind. One byte more, to see that a file is too large.
        let capacity = if is_pipe { MAX_LEN } else { metadata.len().min(MAX_LEN) } + 1;
        let text = Zeroizing::new(Vec::with_capacity(usize::try_from(capacity).unwrap_or_default()));
        Ok(Self { file, text, is_pipe, writer_seen: is_inherited(path) })
    }

    /// Reads to the end of the file; may be called again after an unfinished
    /// error.
    fn read_to_end(&mut self, limits: &ReadLimits<'_>) -> Result<(), FileError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let before = self.text.len();
            let room = (MAX_LEN + 1).saturating_sub(before as u64);
            let result = (&mut self.file).take(room).read_to_end(&mut self.text);
            if self.text.len() > before {
                // A writer that is at work usually writes more at once.
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
                // A writer has it open, and has not written more yet.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writer_seen = true,
                Err(error) => return Err(FileError::failed(error)),
            }
            limits.pause(&mut pause, if self.writer_seen { NOT_ENDED } else { NO_WRITER })?;
        }
    }
}

/// Returns whether the file is a named or unnamed pipe.
#[cfg(unix)]
fn is_pipe(metadata: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type())
}

#[cfg(not(unix))]
fn is_pipe(_: &Metadata) -> bool {
    false
}

/// Returns whether the path names a descriptor with which this process was
/// started (`/dev/fd/63`, `/dev/stdin`). Its writer was there first, and may be
/// gone already.
fn is_inherited(path: &Path) -> bool {
    ["/dev/fd", "/dev/stdin", "/proc/self/fd"].iter().any(|inherited| path.starts_with(inherited))
}

/// Opens an existing regular file that belongs to this crate.
///
/// Nothing blocks. Symbolic links are not followed, because another user who
/// can write to the folder could make one that leads to a file of this user.
#[cfg(feature = "journal")]
pub(crate) fn open_owned(path: &Path, options: &OpenOptions) -> Result<File, FileError> {
    // Checked before opening, since that alone has effects on some devices and
    // on the process at the other end of a pipe. Checked again on what was
    // opened, since another file may have taken its place in between.
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

/// Refuses all but regular files.
fn check_regular(metadata: &Metadata) -> Result<(), FileError> {
    match metadata.file_type() {
        file_type if file_type.is_file() => Ok(()),
        file_type if file_type.is_dir() => Err(FileError::because(IS_FOLDER)),
        file_type if file_type.is_symlink() => Err(FileError::because("is a symbolic link")),
        _ => Err(FileError::because(NOT_REGULAR)),
    }
}

/// Warns if users other than the owner can read or write a file with a secret
/// in it. It is only a warning, because containers mount secrets with modes
/// that the program cannot choose.
///
/// It does nothing on Windows, where access lists decide.
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

/// Returns what `path` seems to be in place of a path, if there is no such
/// file: most often the text of the file (`$(cat key.json)`).
///
/// Such a path must not get into a message.
pub(crate) fn misplaced(path: &Path) -> Option<&'static str> {
    suspicion_of_path(&path.to_string_lossy()).filter(|_| fs::symlink_metadata(path).is_err())
}

/// Returns whether there is certainly no such file, so that the next place is
/// looked at. A file that exists and cannot be opened is not absent: it is an
/// error of its own.
pub(crate) fn is_absent(path: &Path) -> bool {
    let gone = |kind| matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    fs::metadata(path).is_err_and(|error| gone(error.kind()))
}

/// Returns a path as messages show it: redacted, escaped and at most 1 KiB.
pub(crate) fn shown(path: &Path) -> String {
    shown_path(path)
}

/// The size of the largest file in bytes. Keys and tokens have a few KiB; a
/// device such as `/dev/zero` has no end.
const MAX_LEN: u64 = 1 << 20;

/// How long to wait for a pipe where no call sets a deadline: when credentials
/// and clients are created.
pub(crate) const SETUP_TIMEOUT: Duration = Duration::from_secs(30);

/// The pause after the first look at an empty pipe.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// The longest pause, and so the latest time after which a stop is seen.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
const A_DAY: Duration = Duration::from_secs(24 * 3600);

const IS_FOLDER: &str = "is a folder, expected the path of a file";
const NOT_REGULAR: &str = "is not a regular file";
/// Before the first writer.
const NO_WRITER: &str = "is a pipe that no program has written to within the timeout";
/// After a writer was seen.
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
