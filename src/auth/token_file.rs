//! A file in which another program keeps an access token.
//!
//! It is a provider like any other, with one addition: before each request the
//! client checks whether the file has changed, because a new token may mean
//! that the old one was revoked. Checking costs a `stat`; the file is read only
//! if it has changed, or if the token in it is getting old.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::MutexGuard;
use std::time::SystemTime;

use crate::auth::key_file::PATH_EXPECTED;
use crate::auth::token_text::{EMPTY, token_text};
use crate::auth::{AccessToken, TokenError, TokenProvider, TokenRequest};
use crate::util::file::{self, FileSource, ReadLimits};
use crate::util::process::ProcessLock;

/// The file, as one client knows it.
pub(crate) struct TokenFile {
    /// Reads the file, or a pipe once.
    source: FileSource,
    /// What the file was like when it was last read.
    seen: ProcessLock<Option<FileStamp>>,
}

impl TokenFile {
    /// Creates a provider. The file is not read before the first request.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { source: FileSource::new(path), seen: ProcessLock::default() }
    }

    /// Returns whether the file is another one than was read last. A file that
    /// is missing for a moment has not changed.
    pub(super) fn has_changed(&self) -> bool {
        let now = FileStamp::of(self.source.path());
        // A file that is being replaced may be missing for a moment. The token
        // in use is still good.
        now.is_some() && now != *self.seen()
    }

    /// Locks the stamp.
    fn seen(&self) -> MutexGuard<'_, Option<FileStamp>> {
        self.seen.lock()
    }
}

impl fmt::Debug for TokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenFile").field(&file::shown(self.source.path())).finish()
    }
}

/// The metadata that change when a file is written to or replaced.
#[derive(PartialEq)]
struct FileStamp {
    /// The time of the last write; coarse on some file systems.
    modified: Option<SystemTime>,
    /// The length in bytes.
    len: u64,
    /// The inode, which changes if the file is replaced by renaming. Zero on
    /// Windows.
    number: u64,
}

impl FileStamp {
    /// Returns the stamp of a file; `None` if it cannot be read.
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        #[cfg(unix)]
        // A replaced file may have the same length and, within a second, the
        // same time.
        let number = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let number = 0;
        Some(Self { modified: metadata.modified().ok(), len: metadata.len(), number })
    }
}

/// Reads the file. A token without a lifetime is assumed to be valid for 5
/// minutes, so the file is read again within less.
impl TokenProvider for TokenFile {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        if let Some(what) = file::misplaced(self.source.path()) {
            return Err(TokenError::permanent(format!("its path contains {what}; {PATH_EXPECTED}")));
        }
        // Before reading, so that a write during the read counts as a change
        // afterwards.
        *self.seen() = FileStamp::of(self.source.path());
        let limits = ReadLimits { deadline: request.deadline, stop: request.stop };
        let text = self.source.read(&limits).map_err(|error| {
            // A missing file is permanent: a program that replaces a file by
            // renaming leaves no gap.
            let failed = match error.is_unfinished() {
                true => TokenError::transient(error.why),
                false => TokenError::permanent(error.why),
            };
            error.cause.into_iter().fold(failed, TokenError::with_source)
        })?;
        match token_text(&text) {
            Ok(token) => Ok(AccessToken::new(token)),
            // The state between truncating and writing, if the file is not
            // replaced in one step.
            Err(EMPTY) => Err(TokenError::transient(EMPTY)),
            Err(why) => Err(TokenError::permanent(why)),
        }
    }
}
