//! A user of a workforce pool who logged in with gcloud: a refresh token for the Security Token Service.

use std::sync::{Mutex, PoisonError};

use crate::auth::key_file::KeyFile;
use crate::auth::sts::ClientAuth;
use crate::auth::token_endpoint;
use crate::auth::{AccessToken, Credentials, TokenError, TokenProvider, TokenRequest};
use crate::error::Error;
use crate::secret::Secret;

/// Reads a file of this type, as `gcloud auth application-default login --login-config` writes it.
pub(super) fn from_key_file(mut file: KeyFile) -> Result<Credentials, Error> {
    file.expect_type(TYPE)?;
    let universe_domain = file.text("universe_domain")?.unwrap_or_else(|| UNIVERSE.to_owned());
    let token_url = file.url("token_url")?;
    let [client_id, client_secret, mut refresh_token] =
        file.require(["client_id", "client_secret", "refresh_token"])?;
    let provider = Provider {
        token_url: token_url.unwrap_or_else(|| format!("https://sts.{universe_domain}/v1/oauthtoken")),
        client: ClientAuth::new(&client_id, &client_secret),
        refresh_token: Mutex::new(Secret::new(std::mem::take(&mut *refresh_token))),
    };
    Ok(Credentials::of_source("external account user".into(), provider)
        .with_quota_project(file.text("quota_project_id")?)
        .with_universe_domain(universe_domain))
}

#[derive(Debug)]
struct Provider {
    token_url: String,
    client: ClientAuth,
    /// The last one that the server gave.
    refresh_token: Mutex<Secret>,
}

/// Asks for no scopes: those of the login hold.
impl TokenProvider for Provider {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let current = self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let form = [("grant_type", "refresh_token"), ("refresh_token", current.expose())];
        let mut answer = token_endpoint::exchange(request, &self.token_url, &form, &[self.client.header()])
            .map_err(|refusal| match refusal.error.as_deref() {
            Some("invalid_grant") => TokenError::permanent(format!("{refusal}: {LOGIN}")),
            _ => refusal.into(),
        })?;
        if let Some(next) = answer.refresh_token.take() {
            *self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner) = next;
        }
        Ok(answer.into_token())
    }
}

const TYPE: &str = "external_account_authorized_user";
const UNIVERSE: &str = "googleapis.com";
const LOGIN: &str = "log in again with `gcloud auth application-default login --login-config=FILE`";
