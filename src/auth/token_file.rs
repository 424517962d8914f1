//! A file that another program keeps an access token in.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::auth::{AccessToken, Credentials, TokenError, TokenProvider, TokenRequest};

impl Credentials {
    /// Sends the access token that stands in a file which another program renews.
    ///
    /// The file holds the token alone, with or without white space around it, in at most 64 KiB. It is
    /// read at the first call, again by the first call a minute later, and at once after a 401. When it cannot
    /// be read, the last token stays in use for 5 minutes.
    ///
    /// ```
    /// use longrunning::Credentials;
    ///
    /// let credentials = Credentials::token_file("/var/run/secrets/tokens/access-token");
    /// # let _ = credentials;
    /// ```
    pub fn token_file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let label = format!("token file `{}`", path.display().to_string().escape_debug());
        Self::of_source(label, TokenFile(path))
    }
}

struct TokenFile(PathBuf);

/// A token without a lifetime is taken to be good for 5 minutes, and so asked for again within less.
impl TokenProvider for TokenFile {
    fn token(&self, _: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let text = read(&self.0).map_err(|error| {
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
