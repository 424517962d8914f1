//! Service-account keys (`service_account`): a JWT that the account signs
//! itself is the access token, or is exchanged for one.
//!
//! ```text
//!              sign a JWT for scopes or an audience ──► it is the token    AIP-4111
//! private key ─┤
//!              sign an assertion ──► POST token_uri ──► an access token    RFC 7523
//! ```
//!
//! The first way needs no network and is the default. The second way is for
//! domain-wide delegation, and for services that do not accept self-signed
//! tokens. Options that do not fit together are an error when a client is built.

mod token;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::auth::jwt::Rs256;
use crate::auth::key_file::KeyFile;
use crate::auth::scopes::join;
use crate::auth::{CredentialsPolicy, DEFAULT_UNIVERSE};
use crate::error::Error;

/// A service account and its private key: it signs its own access tokens, or
/// exchanges them.
///
/// The key file is the one that `gcloud iam service-accounts keys create`
/// writes. Only `client_email` and `private_key` are required; empty fields
/// count as missing. The key may be PKCS#8 or PKCS#1 PEM. It is parsed once,
/// and its text is wiped then. Only the parsed key inside the crypto library
/// remains.
///
/// A token is valid for the [`scopes`](Self::scopes) or the
/// [`audience`](Self::audience) of the account, else for the scopes of the
/// client, else for `https://www.googleapis.com/auth/cloud-platform`. It is
/// valid for an hour, and dated 10 seconds back, because servers reject tokens
/// from the future.
///
/// By default the token is a JWT that the account signs itself ([AIP-4111]),
/// without network I/O, as Google's Python client does with
/// `always_use_jwt_access`. With [`subject`](Self::subject) or
/// [`exchange_token`](Self::exchange_token), the JWT is sent to a token
/// endpoint, which returns an access token for it ([RFC 7523]). Accounts of
/// another universe than `googleapis.com` can only use self-signed tokens.
///
/// ```
/// use longrunning::auth::{Credentials, ServiceAccount};
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
/// let account = ServiceAccount::from_file(path)?;
/// assert_eq!(account.client_email(), "robot@test-project.iam.gserviceaccount.com");
/// let credentials = Credentials::from(account);
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// [AIP-4111]: https://google.aip.dev/auth/4111
/// [RFC 7523]: https://www.rfc-editor.org/rfc/rfc7523
#[derive(Clone)]
pub struct ServiceAccount {
    /// What the file contains.
    identity: Arc<AccountIdentity>,
    /// What the tokens are for.
    target: JwtTarget,
    /// The user on whose behalf it acts.
    subject: Option<String>,
    /// Whether tokens are exchanged, even without a subject.
    exchange: bool,
    /// The token endpoint that the program has set.
    token_uri: Option<String>,
}

/// The contents of a key file, shared by clones.
struct AccountIdentity {
    client_email: String,
    private_key_id: Option<String>,
    project_id: Option<String>,
    quota_project_id: Option<String>,
    universe_domain: Option<String>,
    /// The token endpoint of the file, or why the policy rejects it. That only
    /// matters if something is sent there.
    token_uri: Result<Option<String>, Error>,
    /// The parsed private key.
    key: Rs256,
}

/// What the tokens are for: scopes or an audience, never both.
#[derive(Clone)]
enum JwtTarget {
    /// The scopes of the client, or the default one.
    Client,
    /// These scopes, joined by spaces.
    Scopes(String),
    /// This service, `https://HOST/`.
    Audience(String),
    /// The service that the client calls.
    Endpoint,
}

impl ServiceAccount {
    /// Reads a key file of at most 1 MiB. Symbolic links are followed.
    ///
    /// On Unix, the log warns of a file that other users can open.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?;
    /// assert_eq!(account.client_email(), "robot@test-project.iam.gserviceaccount.com");
    /// # Ok::<(), longrunning::Error>(())
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

    /// Reads the text of a key file, for keys that come from a vault or a
    /// variable.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// let error = ServiceAccount::from_json(r#"{"type": "authorized_user"}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "credentials JSON is of type `authorized_user`: expected `service_account`");
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the text is not a
    /// JSON object, has another type, lacks a field (the message names
    /// all), or if its key is not RSA.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        KeyFile::parse(json.as_bytes(), &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    /// Reads a key file that is parsed already.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// let error = ServiceAccount::from_value(serde_json::json!({"type": "service_account"})).unwrap_err();
    /// assert_eq!(error.to_string(), "credentials JSON lacks `client_email` and `private_key`");
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
        file.expect_type("service_account")?;
        let [client_email, private_key] = file.require(["client_email", "private_key"])?;
        // Parsed before other fields are taken: a wrong key is the most common
        // mistake.
        let key = Rs256::from_pem(&private_key)
            .map_err(|why| file.error(format_args!("cannot be used: `private_key` {why}")))?;
        let identity = AccountIdentity {
            client_email: client_email.to_string(),
            private_key_id: file.text("private_key_id")?,
            project_id: file.text("project_id")?,
            quota_project_id: file.text("quota_project_id")?,
            universe_domain: file.text("universe_domain")?,
            // The error is kept: most accounts sign their tokens themselves and
            // send nothing there.
            token_uri: file.url("token_uri"),
            key,
        };
        let identity = Arc::new(identity);
        Ok(Self { identity, target: JwtTarget::Client, subject: None, exchange: false, token_uri: None })
    }

    /// Sets the OAuth scopes, in place of an audience and of the scopes of the
    /// client.
    ///
    /// An empty list restores the scopes of the client.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?.scopes(["https://www.googleapis.com/auth/cloud-platform"]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = join(scopes);
        self.target = if scopes.is_empty() { JwtTarget::Client } else { JwtTarget::Scopes(scopes) };
        self
    }

    /// Signs tokens for one service, `https://HOST/` with the slash at the end, in place of scopes.
    ///
    /// An empty audience restores the scopes of the client.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?.audience("https://run.googleapis.com/");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        let audience = audience.into();
        self.target = if audience.is_empty() { JwtTarget::Client } else { JwtTarget::Audience(audience) };
        self
    }

    /// Signs tokens for the service that the client calls, `https://HOST/` of its endpoint, in place of scopes.
    ///
    /// The mTLS endpoint of a service counts as the service.
    ///
    /// ```
    /// use longrunning::OperationsClient;
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?.audience_of_endpoint();
    /// let client = OperationsClient::builder("europe-west1-run.googleapis.com").credentials(account).build()?;
    /// # let _ = client;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn audience_of_endpoint(mut self) -> Self {
        self.target = JwtTarget::Endpoint;
        self
    }

    /// Acts on behalf of a user, by domain-wide delegation; implies
    /// [`exchange_token`](Self::exchange_token).
    ///
    /// An administrator of the domain has to grant the scopes to the account.
    /// An empty subject means none.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?.subject("user@example.com");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn subject(mut self, email: impl Into<String>) -> Self {
        self.subject = Some(email.into()).filter(|email| !email.is_empty());
        self
    }

    /// Exchanges a signed assertion for an access token at the token endpoint,
    /// which costs a request an hour.
    ///
    /// This is for services that do not accept self-signed tokens. `build`
    /// rejects an exchange for an audience, and for an account of another
    /// universe than `googleapis.com`.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?.exchange_token();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn exchange_token(mut self) -> Self {
        self.exchange = true;
        self
    }

    /// Sets the token endpoint. Default: `token_uri` of the file, else
    /// `https://oauth2.googleapis.com/token`.
    ///
    /// It must be https, or http to loopback. If it is one of Google's hosts,
    /// assertions are signed for `https://oauth2.googleapis.com/token`. If you
    /// or the [policy](crate::auth::CredentialsPolicy) of the file allow
    /// another host, they are signed for the endpoint itself.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?.exchange_token().token_uri("http://localhost:8080/token");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn token_uri(mut self, url: impl Into<String>) -> Self {
        self.token_uri = Some(url.into());
        self
    }

    /// Returns the name of the account, an email address.
    ///
    /// ```
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = longrunning::auth::ServiceAccount::from_file(path)?;
    /// assert_eq!(account.client_email(), "robot@test-project.iam.gserviceaccount.com");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn client_email(&self) -> &str {
        &self.identity.client_email
    }

    /// Returns the id of the key, which is not a secret; `None` if the file has
    /// none. Services find the public key by it.
    pub fn private_key_id(&self) -> Option<&str> {
        self.identity.private_key_id.as_deref()
    }

    /// Returns the project that the account belongs to; `None` if the file has
    /// none.
    pub fn project_id(&self) -> Option<&str> {
        self.identity.project_id.as_deref()
    }

    /// Returns the project that is charged if neither the client nor the
    /// environment names one.
    pub fn quota_project_id(&self) -> Option<&str> {
        self.identity.quota_project_id.as_deref()
    }

    /// Returns the universe domain of the account: `googleapis.com` if the file
    /// has none.
    ///
    /// ```
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = longrunning::auth::ServiceAccount::from_file(path)?;
    /// assert_eq!(account.universe_domain(), "googleapis.com");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn universe_domain(&self) -> &str {
        self.identity.universe_domain.as_deref().unwrap_or(DEFAULT_UNIVERSE)
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("client_email", &self.client_email())
            .field("private_key_id", &self.private_key_id())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
