//! The settings of the token endpoints of a fake server.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::MutexGuard;
use std::time::Duration;

use super::aws::{CONTAINER_PATH, REGION};
use super::jwt::PublicKey;
use super::servers::{TokenServers, TokenState};
use crate::error::Error;

/// The token endpoints of a [`FakeServer`](crate::testing::FakeServer), made by
/// [`FakeServer::auth`](crate::testing::FakeServer::auth): what they issue and
/// which keys they trust.
///
/// | request | response like that of |
/// |---|---|
/// | `POST /token` | Google's OAuth endpoint, for refresh tokens and for signed assertions |
/// | `POST /v1/token`, `POST /v1/oauthtoken` | the Security Token Service |
/// | `POST /v1/projects/-/serviceAccounts/…:generateAccessToken` | the IAM credentials API |
/// | `GET /computeMetadata/v1/…` | the metadata server of Google Cloud |
/// | `PUT /latest/api/token`, `GET /latest/meta-data/…` | the metadata server of AWS, version 2 |
/// | `GET /v2/credentials/fake-task` | the endpoint for the keys of a container on AWS |
/// | `GET /subject-token` | an identity provider that wants a header |
///
/// Each endpoint checks the whole request, by the time in the `date` header of
/// the server, and its error has the shape of the real one. The signature of an
/// assertion is verified against the keys that are [trusted](Self::trust_key).
/// [Scripted responses](crate::testing::FakeServer::reply_to) come first here
/// too.
///
/// Every secret starts with `CANARY-`, so that a test can look for that word
/// wherever a program writes.
///
/// ```
/// use longrunning::testing::{FakeServer, Reply};
/// use longrunning::auth::CredentialsPolicy;
/// use longrunning::{Credentials, Operation};
///
/// let server = FakeServer::start();
/// server.insert(Operation::running("operations/42"));
/// server.require_issued_tokens();
///
/// let file = server.auth().rotate_refresh_tokens().authorized_user_file();
/// let credentials = Credentials::from_json_with(&file, &CredentialsPolicy::trusting_the_file())?;
/// let client = server.client_builder().credentials(credentials).build()?;
/// server.reply_to("POST", "/token", Reply::status(503));
/// client.get("operations/42").send()?;
/// assert_eq!(server.auth().issued(), 1);
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct FakeAuth<'a> {
    /// Shared with the server: settings apply to all later requests.
    servers: &'a TokenServers,
    address: SocketAddr,
}

impl<'a> FakeAuth<'a> {
    pub(in crate::testing) fn new(servers: &'a TokenServers, address: SocketAddr) -> Self {
        Self { servers, address }
    }

    /// Trusts assertions that are signed with the RSA key of this public key,
    /// as PEM (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the text contains no
    /// such key of 2048 bits or more.
    pub fn trust_key(self, public_pem: &str) -> Result<Self, Error> {
        let key = PublicKey::from_pem(public_pem)?;
        Ok(self.set(|state| state.issuer.trust(key)))
    }

    /// Sets the lifetime of new access tokens. Default: an hour.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Credentials, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.auth().token_lifetime(Duration::from_secs(600));
    /// let client = server.client_builder().credentials(Credentials::application_default()).build()?;
    /// client.get("operations/42").send()?;
    /// server.advance(Duration::from_secs(700));
    /// client.get("operations/42").send()?;
    /// assert_eq!(server.auth().issued(), 2);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn token_lifetime(self, lifetime: Duration) -> Self {
        self.set(|state| state.issuer.lifetime = lifetime)
    }

    /// Issues a new refresh token with every access token, and rejects the old
    /// refresh token.
    ///
    /// The client has to keep the new one; the
    /// [file](Self::authorized_user_file) of a test then is out of date.
    pub fn rotate_refresh_tokens(self) -> Self {
        self.set(|state| state.login.rotates = true)
    }

    /// Rejects refresh tokens with `invalid_grant`, as after a password change,
    /// until there is a new file.
    ///
    /// ```
    /// use longrunning::auth::CredentialsPolicy;
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Credentials, ErrorKind};
    ///
    /// let server = FakeServer::start();
    /// let file = server.auth().authorized_user_file();
    /// server.auth().revoke_logins();
    /// let credentials = Credentials::from_json_with(&file, &CredentialsPolicy::trusting_the_file())?;
    /// let client = server.client_builder().credentials(credentials).build()?;
    /// let error = client.get("operations/42").send().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Auth);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn revoke_logins(self) -> Self {
        self.set(|state| state.login.is_revoked = true)
    }

    /// Rejects refresh tokens with `invalid_rapt` unless the request contains
    /// the proof of a new login, `rapt`.
    pub fn require_reauthentication(self) -> Self {
        self.set(|state| state.login.wants_rapt = true)
    }

    /// Revokes all access tokens, so that the
    /// [check](crate::testing::FakeServer::require_issued_tokens) responds with
    /// 401.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Credentials, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.require_issued_tokens();
    /// let client = server.client_builder().credentials(Credentials::application_default()).build()?;
    /// client.get("operations/42").send()?;
    /// server.auth().revoke_tokens();
    /// client.get("operations/42").send()?; // after a 401 and with a new token
    /// assert_eq!(server.auth().issued(), 2);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn revoke_tokens(self) -> Self {
        self.set(|state| state.issuer.revoke_all())
    }

    /// Sets the universe domain that the metadata server returns. Default:
    /// `googleapis.com`.
    ///
    /// Clients compare it with the domain of their endpoint, so that a token of
    /// one universe is not sent to another.
    pub fn universe_domain(self, domain: impl Into<String>) -> Self {
        self.set(|state| state.metadata.universe_domain = domain.into())
    }

    /// Returns environment variables of a container on AWS: its region, the
    /// endpoint of its keys on this server, and the token that authorizes
    /// requests to it.
    ///
    /// ```
    /// use longrunning::auth::CredentialsPolicy;
    /// use longrunning::testing::{FakeServer, SubjectToken};
    /// use longrunning::{Credentials, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// server.require_issued_tokens();
    ///
    /// let file = server.auth().external_account_file(SubjectToken::Aws);
    /// let policy = CredentialsPolicy::trusting_the_file().host("127.0.0.1");
    /// let client = server
    ///     .client_builder()
    ///     .environment(server.auth().container_environment())
    ///     .credentials(Credentials::from_json_with(&file, &policy)?)
    ///     .build()?;
    /// client.get("operations/42").send()?;
    /// assert_eq!(server.requests()[0].path(), "/v2/credentials/fake-task");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn container_environment(self) -> BTreeMap<String, String> {
        let variables = [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", self.url(CONTAINER_PATH.trim_start_matches('/'))),
            // The current token: variables that were read before a rotation are
            // out of date.
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", self.state().container.token()),
            ("AWS_REGION", REGION.to_owned()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Replaces the token that authorizes requests for the keys of a container,
    /// and rejects the old one.
    ///
    /// [`container_environment`](Self::container_environment) then returns the
    /// new one.
    pub fn rotate_container_token(self) -> Self {
        self.set(|state| state.container.rotate())
    }

    /// Returns how many access tokens were issued.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{Credentials, Operation};
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("operations/42"));
    /// let client = server.client_builder().credentials(Credentials::application_default()).build()?;
    /// client.get("operations/42").send()?;
    /// client.get("operations/42").send()?;
    /// assert_eq!(server.auth().issued(), 1, "the token is cached");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn issued(self) -> usize {
        self.servers.state().issuer.count()
    }

    pub(super) fn set(self, change: impl FnOnce(&mut TokenState)) -> Self {
        change(&mut self.servers.state());
        self
    }

    pub(super) fn state(self) -> MutexGuard<'a, TokenState> {
        self.servers.state()
    }

    pub(super) fn url(self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }
}

impl fmt::Debug for FakeAuth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.servers.state().fmt(f)
    }
}
