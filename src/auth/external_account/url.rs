//! A subject token that a server gives, such as the metadata server of Azure or
//! that of GitHub Actions.

use zeroize::Zeroizing;

use super::SubjectTokenFormat;
use crate::auth::key_file::KeyFile;
use crate::auth::token_endpoint::{self, Refusal};
use crate::auth::{TokenError, TokenRequest};
use crate::error::Error;
use crate::http::HttpMethod;
use crate::util::secret::Secret;

#[derive(Clone, Debug)]
pub(super) struct TokenUrl {
    url: String,
    headers: Vec<(String, Secret)>,
    format: SubjectTokenFormat,
}

impl TokenUrl {
    pub(super) fn from_key_file(mut file: KeyFile, url: String) -> Result<Self, Error> {
        let format = SubjectTokenFormat::take(&mut file)?;
        let headers = match file.object("headers")? {
            Some(headers) => headers.into_texts()?,
            None => Vec::new(),
        };
        let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        Ok(Self { url, headers, format })
    }

    pub(super) fn subject_token(&self, request: &TokenRequest<'_>) -> Result<Secret, TokenError> {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        let body = fetch(request, HttpMethod::Get, &self.url, &headers)?;
        let origin = format!("the subject token of {}", token_endpoint::host_of(&self.url));
        self.format.read(&origin, &body)
    }
}

/// Makes one exchange for a subject token; any status but 200 is a refusal.
pub(super) fn fetch(
    request: &TokenRequest<'_>,
    method: HttpMethod,
    url: &str,
    headers: &[(&str, &str)],
) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    let mut all = vec![("accept", "*/*")];
    all.retain(|(name, _)| !headers.iter().any(|(each, _)| each == name));
    all.extend(headers);
    let response = token_endpoint::send_anywhere(request, method, url, &all, None)?;
    let host = token_endpoint::host_of(url);
    match response.status {
        200 => Ok(Zeroizing::new(response.body)),
        status @ 201..=299 => {
            Err(TokenError::permanent(format!("{host} responded with {status}: expected 200")))
        }
        _ => Err(Refusal::of(&host, &response).into()),
    }
}
