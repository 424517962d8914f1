//! A subject token that another program keeps in a file, such as a projected
//! Kubernetes volume.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::SubjectTokenFormat;
use crate::auth::{TokenError, TokenRequest};
use crate::util::file::{self, FileError, FileSource, ReadLimits};
use crate::util::secret::Secret;

/// `credential_source.file` of a file.
#[derive(Clone)]
pub(super) struct SubjectTokenFile {
    /// Shared by clones, so that a pipe is read once.
    source: Arc<FileSource>,
    format: SubjectTokenFormat,
}

impl SubjectTokenFile {
    /// Creates a source. The file is not read before the first token.
    pub(super) fn new(path: String, format: SubjectTokenFormat) -> Self {
        Self { source: Arc::new(FileSource::new(path.into())), format }
    }

    /// Reads the file anew, by its path: rotation replaces a link or the file
    /// itself. A pipe is read once.
    pub(super) fn subject_token(&self, request: &TokenRequest<'_>) -> Result<Secret, TokenError> {
        let origin = format!("subject token file `{}`", file::shown(self.source.path()));
        let limits = ReadLimits { deadline: request.deadline, stop: request.stop };
        let text = self.source.read(&limits).map_err(|error| failed(&origin, error))?;
        self.format.read(&origin, &text)
    }
}

impl fmt::Debug for SubjectTokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenFile").field(&self.source.path()).finish()
    }
}

/// Reads a file anew, or a pipe to its end, of at most 1 MiB; links are
/// followed.
pub(super) fn read(
    path: &Path,
    origin: &str,
    request: &TokenRequest<'_>,
) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    let limits = ReadLimits { deadline: request.deadline, stop: request.stop };
    file::read(path, &limits).map_err(|error| failed(origin, error))
}

/// Reads a regular file of at most 1 MiB; links are followed.
pub(super) fn read_regular(path: &Path, origin: &str) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    file::read_regular(path).map_err(|error| failed(origin, error))
}

/// Returns the error for a file. A pipe may be written to later, so that is
/// transient. A missing file stays missing until it is created.
fn failed(origin: &str, error: FileError) -> TokenError {
    let message = format!("{origin} {}", error.why);
    let failed = match error.is_unfinished() {
        true => TokenError::transient(message),
        false => TokenError::permanent(message),
    };
    error.cause.into_iter().fold(failed, TokenError::with_source)
}
