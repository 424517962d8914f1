//! A file that another program keeps an access token in.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::MutexGuard;
use std::time::SystemTime;

use zeroize::Zeroizing;

use crate::auth::key_file::PATH_EXPECTED;
use crate::auth::{AccessToken, Credentials, Source, TokenError, TokenProvider, TokenRequest};
use crate::file;
use crate::process::ProcessLock;

impl Credentials {
    /// Sends the access token that stands in a file which another program renews.
    ///
    /// The file holds the token alone, with or without white space around it, in at most 64 KiB. Every
    /// call looks whether the file has changed, and reads it if so; it is read after a minute in any case, and
    /// after a 401. While it cannot be read, the last token stays in use, for at most 5 minutes.
    ///
    /// ```
    /// use longrunning::Credentials;
    ///
    /// let credentials = Credentials::token_file("/var/run/secrets/tokens/access-token");
    /// # let _ = credentials;
    /// ```
    pub fn token_file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let label = format!("token file `{}`", file::shown(&path));
        Self::new(label, Source::TokenFile(path))
    }
}

/// The file as one client knows it.
pub(crate) struct TokenFile {
    path: PathBuf,
    /// How the file was when it was last read.
    seen: ProcessLock<Option<Stamp>>,
}

impl TokenFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, seen: ProcessLock::default() }
    }

    /// Whether there is another file than the one read last. One that is gone for a moment is no other.
    pub(super) fn has_changed(&self) -> bool {
        let now = Stamp::of(&self.path);
        now.is_some() && now != *self.seen()
    }

    fn seen(&self) -> MutexGuard<'_, Option<Stamp>> {
        self.seen.lock()
    }
}

impl fmt::Debug for TokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenFile").field(&file::shown(&self.path)).finish()
    }
}

/// What changes when a file is written to, or another takes its place.
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

/// A token without a lifetime is taken to be good for 5 minutes, and so asked for again within less.
impl TokenProvider for TokenFile {
    fn token(&self, _: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        if let Some(what) = file::misplaced(&self.path) {
            return Err(TokenError::permanent(format!("its path contains {what}; {PATH_EXPECTED}")));
        }
        // Before reading: what is written meanwhile is a change.
        *self.seen() = Stamp::of(&self.path);
        let text = read(&self.path).map_err(|error| {
            // Who replaces a file in two steps leaves none for a moment.
            TokenError::transient("cannot be read").with_source(error)
        })?;
        if text.len() as u64 > MAX_LEN {
            return Err(TokenError::permanent("is larger than 64 KiB, which no access token is"));
        }
        let text = std::str::from_utf8(&text).map_err(|_| TokenError::permanent("is not text"))?;
        match text.trim() {
            "" => Err(TokenError::transient("is empty")),
            token => Ok(AccessToken::new(token)),
        }
    }
}

fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len().min(MAX_LEN) + 1;
    // Room for all of it, so that the text never moves and leaves a copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default()));
    file.take(MAX_LEN + 1).read_to_end(&mut text)?;
    Ok(text)
}

const MAX_LEN: u64 = 64 << 10;
