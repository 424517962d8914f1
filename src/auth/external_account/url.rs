//! A subject token that a server issues, such as the metadata server of Azure
//! or the server of GitHub Actions.
//!
//! The headers come from the file, and may contain a secret of that server
//! (`ACTIONS_ID_TOKEN_REQUEST_TOKEN`). The policy has checked the URL when the
//! file was read.

use zeroize::Zeroizing;

use super::SubjectTokenFormat;
use crate::auth::key_file::KeyFile;
use crate::auth::token_endpoint::{self, Refusal};
use crate::auth::{TokenError, TokenRequest};
use crate::error::Error;
use crate::http::HttpMethod;
use crate::util::secret::Secret;

/// `credential_source.url` of a file.
#[derive(Clone, Debug)]
pub(super) struct TokenUrl {
    url: String,
    /// Names in lowercase, and values.
    headers: Vec<(String, Secret)>,
    format: SubjectTokenFormat,
}

impl TokenUrl {
    /// Reads `headers` and `format`.
    pub(super) fn from_key_file(mut file: KeyFile, url: String) -> Result<Self, Error> {
        let format = SubjectTokenFormat::take(&mut file)?;
        let headers = match file.object("headers")? {
            Some(headers) => headers.into_texts()?,
            None => Vec::new(),
        };
        let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        Ok(Self { url, headers, format })
    }

    /// Sends a GET request, and reads the token in the response.
    pub(super) fn subject_token(&self, request: &TokenRequest<'_>) -> Result<Secret, TokenError> {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        let body = fetch(request, HttpMethod::Get, &self.url, &headers)?;
        let origin = format!("the subject token of {}", token_endpoint::host_of(&self.url));
        self.format.read(&origin, &body)
    }
}

/// Makes one exchange for a subject token, and returns the body of the
/// response.
///
/// # Errors
///
/// Any status but 200 is a refusal, as in Google's libraries.
pub(super) fn fetch(
    request: &TokenRequest<'_>,
    method: HttpMethod,
    url: &str,
    headers: &[(&str, &str)],
) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    // Servers of other clouds return other types than JSON.
    let mut all = vec![("accept", "*/*")];
    all.retain(|(name, _)| !headers.iter().any(|(each, _)| each == name));
    all.extend(headers);
    let response = token_endpoint::send_anywhere(request, method, url, &all, None)?;
    let host = token_endpoint::host_of(url);
    match response.status {
        200 => Ok(Zeroizing::new(response.body)),
        // A success without a token, such as 204.
        status @ 201..=299 => {
            Err(TokenError::permanent(format!("{host} responded with {status}: expected 200")))
        }
        _ => Err(Refusal::of(&host, &response).into()),
    }
}
