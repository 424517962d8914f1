//! A subject token that something else keeps in a file, such as a projected Kubernetes volume.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Format, MAX_LEN};
use crate::auth::TokenError;
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
        let origin = format!("subject token file `{}`", self.path.display().to_string().escape_debug());
        self.format.read(&origin, &read(&self.path, &origin)?)
    }
}

/// Reads a regular file of at most 1 MiB; links are followed.
pub(super) fn read(path: &Path, origin: &str) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    let failed = |error| TokenError::permanent(format!("{origin} cannot be read")).with_source(error);
    let metadata = fs::metadata(path).map_err(|error| failed(Box::new(error)))?;
    if !metadata.is_file() {
        return Err(TokenError::permanent(format!("{origin} is not a regular file")));
    }
    // Room for all of it, so that the text never moves and leaves a copy behind.
    let capacity = usize::try_from(metadata.len()).unwrap_or(MAX_LEN).min(MAX_LEN) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    File::open(path)
        .and_then(|file| file.take(MAX_LEN as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| failed(Box::new(error)))?;
    if bytes.len() > MAX_LEN {
        return Err(TokenError::permanent(format!("{origin} is larger than 1 MiB, which no token is")));
    }
    Ok(bytes)
}
