//! A user who logged in with gcloud (`authorized_user`): a refresh token,
//! exchanged for access tokens ([RFC 6749 section
//! 6](https://www.rfc-editor.org/rfc/rfc6749#section-6)).
//!
//! ```text
//! client_id, client_secret, refresh_token ──► POST token_uri ──► access token, 1 h
//!               ▲                                          └──► maybe a new refresh token
//!               └──────────────── used from then on ─────────────┘
//! ```

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::auth::key_file::KeyFile;
use crate::auth::provider::Wording;
use crate::auth::refresh_token::RefreshToken;
use crate::auth::scopes::join;
use crate::auth::token_endpoint::{self, Refusal, TOKEN_URI};
use crate::auth::{
    AccessToken, Credentials, CredentialsPolicy, DEFAULT_UNIVERSE, TokenError, TokenProvider, TokenRequest,
};
use crate::error::Error;
use crate::util::excerpt::shown;
use crate::util::secret::Secret;

/// The login of a user: the file that `gcloud auth application-default login`
/// writes.
///
/// The scopes of the client are requested, if it has any; otherwise the scopes
/// of the login apply. If the server replaces the refresh token, the new one is
/// kept in memory, for this value and its clones. It is never written to the
/// file.
///
/// A user has no quota of their own. Many services require a quota project,
/// from the file (`gcloud auth application-default set-quota-project`), from
/// `GOOGLE_CLOUD_QUOTA_PROJECT` or from
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
pub struct AuthorizedUser(Arc<GcloudLogin>);

/// The contents of the file, shared by clones.
struct GcloudLogin {
    /// The OAuth client through which the user logged in.
    client_id: String,
    /// The secret of the OAuth client, which is not secret for installed
    /// programs, and handled as if it were.
    client_secret: Secret,
    /// The last refresh token that the server issued.
    refresh_token: RefreshToken,
    /// Where tokens are fetched, checked by the policy.
    token_uri: String,
    /// Proof of a recent login, if the organization requires one.
    rapt_token: Option<Secret>,
    /// The email address of the user.
    account: Option<String>,
    quota_project_id: Option<String>,
}

impl AuthorizedUser {
    /// Reads a credentials file of at most 1 MiB; symbolic links are followed.
    ///
    /// ```
    /// use longrunning::ErrorKind;
    /// use longrunning::auth::AuthorizedUser;
    ///
    /// let error = AuthorizedUser::from_file("/missing/login.json").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the file cannot be
    /// read, is neither a regular file nor a pipe, or is rejected by
    /// [`from_json`](Self::from_json).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        KeyFile::read(path.as_ref(), &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    /// Reads the text of a credentials file.
    ///
    /// ```
    /// use longrunning::auth::AuthorizedUser;
    ///
    /// let error = AuthorizedUser::from_json(r#"{"type": "authorized_user", "client_id": "c"}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "credentials JSON lacks `client_secret` and `refresh_token`");
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the text is not a
    /// JSON object, has another type, lacks a field (the message names all),
    /// names a `token_uri` that the default [`CredentialsPolicy`] rejects, or
    /// belongs to another universe than `googleapis.com`, which has no users.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        KeyFile::parse(json.as_bytes(), &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    /// Reads a credentials file that is parsed already.
    ///
    /// ```
    /// use longrunning::auth::AuthorizedUser;
    ///
    /// let user = AuthorizedUser::from_value(serde_json::json!({
    ///     "client_id": "c", "client_secret": "s", "refresh_token": "r", "account": "ada@example.com",
    /// }))?;
    /// assert_eq!(user.account(), Some("ada@example.com"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`from_json`](Self::from_json).
    pub fn from_value(value: Value) -> Result<Self, Error> {
        KeyFile::from_value(value, &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    /// Reads a file under the policy that it was opened with.
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
        // Moves the text, so that no copy stays in a plain string.
        let secret = |text: &mut String| Secret::new(std::mem::take(text));
        Ok(Self(Arc::new(GcloudLogin {
            client_id: std::mem::take(&mut *client_id),
            client_secret: secret(&mut client_secret),
            refresh_token: RefreshToken::new(secret(&mut refresh_token)),
            token_uri: file.url("token_uri")?.unwrap_or_else(|| TOKEN_URI.to_owned()),
            rapt_token: file.text("rapt_token")?.map(Secret::new),
            account: file.text("account")?,
            quota_project_id: file.text("quota_project_id")?,
        })))
    }

    /// Returns the email address of the user, if the file contains it. gcloud
    /// writes it into newer files only.
    pub fn account(&self) -> Option<&str> {
        self.0.account.as_deref()
    }

    /// Returns the project that is charged if neither the client nor the
    /// environment names one.
    pub fn quota_project_id(&self) -> Option<&str> {
        self.0.quota_project_id.as_deref()
    }
}

/// Sends a request to the token endpoint at every call. A client calls it about
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
        // Without the field, the server returns a token with all scopes of the
        // login.
        form.extend(Some(("scope", scope.as_str())).filter(|_| !scope.is_empty()));
        form.extend(login.rapt_token.as_ref().map(|rapt| ("rapt", rapt.expose())));
        let mut response =
            token_endpoint::exchange(request, &login.token_uri, &form, &[]).map_err(explain)?;
        // Some servers rotate: the old token may stop working with this
        // response.
        if let Some(next) = response.refresh_token.take() {
            login.refresh_token.replace(next);
        }
        Ok(response.into_token())
    }
}

/// Adds what the user can do. It comes first, because the end of a long message
/// is cut.
///
/// ```text
/// invalid_grant, invalid_rapt    a new login is required, run `gcloud …`
/// invalid_grant                  the login has expired or was revoked, run `gcloud …`
/// others                         the refusal as it is
/// ```
fn explain(refusal: Refusal) -> TokenError {
    let why = match (refusal.error.as_deref(), refusal.subtype.as_deref()) {
        // The organization limits how old a login may be.
        (Some("invalid_grant"), Some("invalid_rapt")) => "a new login is wanted",
        (Some("invalid_grant"), _) => "the login has expired or was revoked",
        _ => return refusal.into(),
    };
    TokenError::permanent(format!("{why}, run `{LOGIN}`: {refusal}")).worded(Wording::Composed)
}

/// Takes label, quota project and universe from the file.
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

/// The command that makes a new login.
pub(super) const LOGIN: &str = "gcloud auth application-default login";
/// The OAuth client that all users of gcloud share. Its quota is not reliable,
/// so calls without a quota project deserve a warning.
const GCLOUD_CLIENT_ID: &str = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com";

#[cfg(test)]
mod tests;
