//! A subject token that something else keeps in a file, such as a projected Kubernetes volume.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Format;
use crate::auth::TokenError;
use crate::file::{self, Unreadable};
use crate::secret::Secret;

#[derive(Clone, Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    format: Format,
}

impl TokenFile {
    pub(super) fn new(path: String, format: Format) -> Self {
        Self { path: path.into(), format }
    }

    /// Reads the file anew, by its path: rotation swaps a link or the file itself.
    pub(super) fn subject_token(&self) -> Result<Secret, TokenError> {
        let origin = format!("subject token file `{}`", file::shown(&self.path));
        self.format.read(&origin, &read(&self.path, &origin)?)
    }
}

/// Reads a regular file of at most 1 MiB; links are followed.
pub(super) fn read(path: &Path, origin: &str) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    file::read(path).map_err(|Unreadable { why, cause }| {
        let error = TokenError::permanent(format!("{origin} {why}"));
        match cause {
            Some(cause) => error.with_source(cause),
            None => error,
        }
    })
}
