//! A file that another program keeps an access token in.

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

/// The file as one client knows it.
pub(crate) struct TokenFile {
    source: FileSource,
    /// How the file was when it was last read.
    seen: ProcessLock<Option<Stamp>>,
}

impl TokenFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { source: FileSource::new(path), seen: ProcessLock::default() }
    }

    /// Returns whether there is another file than the one read last. One that
    /// is gone for a moment is no other.
    pub(super) fn has_changed(&self) -> bool {
        let now = Stamp::of(self.source.path());
        now.is_some() && now != *self.seen()
    }

    fn seen(&self) -> MutexGuard<'_, Option<Stamp>> {
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
struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
    number: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let number = 0;
        Some(Self { modified: metadata.modified().ok(), len: metadata.len(), number })
    }
}

/// A token without a lifetime is assumed to be valid for 5 minutes, and fetched
/// again within less.
impl TokenProvider for TokenFile {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        if let Some(what) = file::misplaced(self.source.path()) {
            return Err(TokenError::permanent(format!("its path contains {what}; {PATH_EXPECTED}")));
        }
        // Before reading, so that a write during the read counts as a change
        // afterwards.
        *self.seen() = Stamp::of(self.source.path());
        let limits = ReadLimits { deadline: request.deadline, stop: request.stop };
        let text = self.source.read(&limits).map_err(|error| {
            // A missing file is no transient state: a rename replaces a file in one step.
            let failed = match error.is_unfinished() {
                true => TokenError::transient(error.why),
                false => TokenError::permanent(error.why),
            };
            error.cause.into_iter().fold(failed, TokenError::with_source)
        })?;
        match token_text(&text) {
            Ok(token) => Ok(AccessToken::new(token)),
            // Between truncating and writing, where it is not replaced in one step.
            Err(EMPTY) => Err(TokenError::transient(EMPTY)),
            Err(why) => Err(TokenError::permanent(why)),
        }
    }
}
