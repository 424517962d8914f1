//! A user who logged in with gcloud: a refresh token, exchanged for access
//! tokens.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::auth::key_file::KeyFile;
use crate::auth::provider::Wording;
use crate::auth::refresh_token::RefreshToken;
use crate::auth::service_account::{TOKEN_URI, join};
use crate::auth::token_endpoint::{self, Refusal};
use crate::auth::{
    AccessToken, Credentials, CredentialsPolicy, DEFAULT_UNIVERSE, TokenError, TokenProvider, TokenRequest,
};
use crate::error::Error;
use crate::util::excerpt::shown;
use crate::util::secret::Secret;

/// A user's login: the file that `gcloud auth application-default login`
/// writes.
///
/// Scopes of the client are requested if there are any; otherwise those of the
/// login apply. A refresh token that the server replaces is kept in memory, for
/// this value and its clones, and never written back.
///
/// A user has no quota of their own: many services want a quota project, from
/// the file (`gcloud auth application-default set-quota-project`),
/// `GOOGLE_CLOUD_QUOTA_PROJECT` or
/// [`quota_project`](crate::OperationsClientBuilder::quota_project).
///
/// ```
/// use longrunning::Credentials;
/// use longrunning::auth::AuthorizedUser;
///
/// let user = AuthorizedUser::from_json(
///     r#"{"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
///         "quota_project_id": "billing-project"}"#,
/// )?;
/// assert_eq!(user.quota_project_id(), Some("billing-project"));
/// let credentials = Credentials::from(user);
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone)]
pub struct AuthorizedUser(Arc<Login>);

struct Login {
    client_id: String,
    client_secret: Secret,
    /// The last one that the server gave.
    refresh_token: RefreshToken,
    token_uri: String,
    /// Proof of a recent login, where the organization wants one.
    rapt_token: Option<Secret>,
    account: Option<String>,
    quota_project_id: Option<String>,
}

impl AuthorizedUser {
    /// Reads a credentials file of at most 1 MiB; symbolic links are followed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the file cannot be
    /// read, is neither a regular file nor a pipe, or is refused by
    /// [`from_json`](Self::from_json).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        KeyFile::read(path.as_ref(), &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    /// Reads the text of a credentials file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the text is not a
    /// JSON object, says it is of another type, lacks a field (all missing
    /// ones are named), names a `token_uri` that the default
    /// [`CredentialsPolicy`] refuses, or is of another universe than
    /// `googleapis.com`, which has no users.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        KeyFile::parse(json.as_bytes(), &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    /// Reads a credentials file that is parsed already.
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json).
    pub fn from_value(value: Value) -> Result<Self, Error> {
        KeyFile::from_value(value, &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    pub(super) fn from_key_file(mut file: KeyFile) -> Result<Self, Error> {
        file.expect_type("authorized_user")?;
        if let Some(universe) = file.text("universe_domain")?.filter(|universe| universe != DEFAULT_UNIVERSE)
        {
            let universe = shown(&universe);
            return Err(file.error(format_args!(
                "is of the universe `{universe}`: expected `{DEFAULT_UNIVERSE}`, the only one with logins of users"
            )));
        }
        let [mut client_id, mut client_secret, mut refresh_token] =
            file.require(["client_id", "client_secret", "refresh_token"])?;
        let secret = |text: &mut String| Secret::new(std::mem::take(text));
        Ok(Self(Arc::new(Login {
            client_id: std::mem::take(&mut *client_id),
            client_secret: secret(&mut client_secret),
            refresh_token: RefreshToken::new(secret(&mut refresh_token)),
            token_uri: file.url("token_uri")?.unwrap_or_else(|| TOKEN_URI.to_owned()),
            rapt_token: file.text("rapt_token")?.map(Secret::new),
            account: file.text("account")?,
            quota_project_id: file.text("quota_project_id")?,
        })))
    }

    /// Returns the email address of the user, if the file contains it.
    pub fn account(&self) -> Option<&str> {
        self.0.account.as_deref()
    }

    /// Returns the project that is charged if neither the client nor the
    /// environment names one.
    pub fn quota_project_id(&self) -> Option<&str> {
        self.0.quota_project_id.as_deref()
    }
}

/// Sends a request to the token endpoint at every call; a client calls it about
/// once an hour.
impl TokenProvider for AuthorizedUser {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let login = &*self.0;
        let current = login.refresh_token.current();
        let scope = join(request.scopes);
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("client_id", &login.client_id),
            ("client_secret", login.client_secret.expose()),
            ("refresh_token", current.expose()),
        ];
        form.extend(Some(("scope", scope.as_str())).filter(|_| !scope.is_empty()));
        form.extend(login.rapt_token.as_ref().map(|rapt| ("rapt", rapt.expose())));
        let mut response =
            token_endpoint::exchange(request, &login.token_uri, &form, &[]).map_err(explain)?;
        if let Some(next) = response.refresh_token.take() {
            login.refresh_token.replace(next);
        }
        Ok(response.into_token())
    }
}

/// Puts the remedy first, because the end of a long message is cut.
fn explain(refusal: Refusal) -> TokenError {
    let why = match (refusal.error.as_deref(), refusal.subtype.as_deref()) {
        (Some("invalid_grant"), Some("invalid_rapt")) => "a new login is wanted",
        (Some("invalid_grant"), _) => "the login has expired or was revoked",
        _ => return refusal.into(),
    };
    TokenError::permanent(format!("{why}, run `{LOGIN}`: {refusal}")).worded(Wording::Composed)
}

impl From<AuthorizedUser> for Credentials {
    fn from(user: AuthorizedUser) -> Self {
        let label = match user.account() {
            Some(account) => format!("user `{}`", shown(account)),
            None => "authorized user".to_owned(),
        };
        let quota_project = user.quota_project_id().map(str::to_owned);
        let of_gcloud = user.0.client_id == GCLOUD_CLIENT_ID;
        let credentials = Self::of_source(label, user)
            .with_quota_project(quota_project)
            .with_universe_domain(DEFAULT_UNIVERSE);
        if of_gcloud { credentials.wanting_quota_project() } else { credentials }
    }
}

impl fmt::Debug for AuthorizedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizedUser")
            .field("client_id", &self.0.client_id)
            .field("account", &self.0.account)
            .finish_non_exhaustive()
    }
}

/// The command that writes a new file after a new login.
pub(super) const LOGIN: &str = "gcloud auth application-default login";
/// The OAuth client that all users of gcloud share; its quota is not reliable.
const GCLOUD_CLIENT_ID: &str = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com";

#[cfg(test)]
mod tests;
