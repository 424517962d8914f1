//! The servers that Google's clients get tokens from, as parts of the same fake: OAuth, Security Token Service,
//! IAM credentials, and the metadata servers of Google Cloud and of AWS.

mod aws;
mod files;
mod form;
mod iam;
mod jwt;
mod metadata;
mod oauth;
mod signed_request;
mod sts;
mod tokens;

use std::fmt;
use std::time::Duration;

use super::answer::{Body, Http};
use super::log::RecordedRequest;
use super::server::Core;
use super::{FakeServer, lock};
use crate::error::Error;
pub use files::SubjectToken;
use jwt::PublicKey;
use tokens::Issued;

/// The token endpoints of a [`FakeServer`], made by [`FakeServer::auth`]: what they give and whom they trust.
///
/// | request | answered as by |
/// |---|---|
/// | `POST /token` | Google's OAuth endpoint, for refresh tokens and for signed assertions |
/// | `POST /v1/token`, `POST /v1/oauthtoken` | the Security Token Service |
/// | `POST /v1/projects/-/serviceAccounts/…:generateAccessToken` | the IAM credentials API |
/// | `GET /computeMetadata/v1/…` | the metadata server of Google Cloud |
/// | `PUT /latest/api/token`, `GET /latest/meta-data/…` | the metadata server of AWS, version 2 |
/// | `GET /subject-token` | an identity provider that wants a header |
///
/// Each checks all that it is sent, by the time that the server gives in its `date` header, and says what
/// was wrong in the shape of the real one. The signature of an assertion is verified against the keys that are
/// [trusted](Self::trust_key). [Scripted answers](FakeServer::reply_to) come first here too.
///
/// Every secret starts with `CANARY-`, so that a test can look for that word wherever a program writes.
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
    server: &'a FakeServer,
}

impl<'a> FakeAuth<'a> {
    pub(super) fn new(server: &'a FakeServer) -> Self {
        Self { server }
    }

    /// Trusts what is signed with the RSA key whose public half this is, as PEM (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the text holds no such key of 2048 bits or more.
    pub fn trust_key(self, public_pem: &str) -> Result<Self, Error> {
        let key = PublicKey::from_pem(public_pem)?;
        Ok(self.set(|state| state.keys.push(key)))
    }

    /// Sets how long new access tokens are good for; an hour by default.
    pub fn token_lifetime(self, lifetime: Duration) -> Self {
        self.set(|state| state.lifetime = lifetime)
    }

    /// Gives a new refresh token with every access token that one is used for, and refuses the old one.
    pub fn rotate_refresh_tokens(self) -> Self {
        self.set(|state| state.login.rotates = true)
    }

    /// Refuses refresh tokens with `invalid_grant`, as after a password change, until there is a new file.
    pub fn revoke_logins(self) -> Self {
        self.set(|state| state.login.is_revoked = true)
    }

    /// Refuses refresh tokens with `invalid_rapt` unless they come with the proof of a new login, `rapt`.
    pub fn require_reauthentication(self) -> Self {
        self.set(|state| state.login.wants_rapt = true)
    }

    /// Makes all access tokens that were given invalid, so that the [check](FakeServer::require_issued_tokens)
    /// answers 401.
    pub fn revoke_tokens(self) -> Self {
        self.set(|state| state.issued.revoke_all())
    }

    /// Sets the universe domain that the metadata server tells; `googleapis.com` by default.
    pub fn universe_domain(self, domain: impl Into<String>) -> Self {
        self.set(|state| state.universe_domain = domain.into())
    }

    /// How many access tokens were given.
    pub fn issued(self) -> usize {
        lock(&self.server.core.auth).issued.count()
    }

    fn set(self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut lock(&self.server.core.auth));
        self
    }
}

impl fmt::Debug for FakeAuth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        lock(&self.server.core.auth).fmt(f)
    }
}

/// What the endpoints remember.
pub(super) struct State {
    keys: Vec<PublicKey>,
    lifetime: Duration,
    universe_domain: String,
    issued: Issued,
    login: oauth::Login,
    metadata: metadata::Kept,
    sessions: aws::Sessions,
}

impl Default for State {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            lifetime: Duration::from_secs(3600),
            universe_domain: "googleapis.com".into(),
            issued: Issued::default(),
            login: oauth::Login::default(),
            metadata: metadata::Kept::default(),
            sessions: aws::Sessions::default(),
        }
    }
}

impl State {
    /// Makes an access token for these scopes, joined by spaces; for all of them when there are none.
    fn issue(&mut self, now: Duration, scope: &str) -> String {
        self.issued.issue(now.saturating_add(self.lifetime), scope)
    }

    /// Finds out what an access token is good for, or says why for nothing.
    fn scope_of(&self, token: &str, now: Duration) -> Result<String, String> {
        if token.split('.').count() == 3 {
            jwt::check_self_signed(token, &self.keys, now)
        } else {
            self.issued.scope_of(token, now)
        }
    }
}

/// Without the secrets, and without what nobody looks for in a failed test.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeAuth")
            .field("trusted_keys", &self.keys.len())
            .field("token_lifetime", &self.lifetime)
            .field("issued", &self.issued.count())
            .finish_non_exhaustive()
    }
}

/// One of the servers that this one plays.
#[derive(Clone, Copy)]
enum Endpoint {
    Aws,
    Iam,
    Metadata,
    OAuth,
    Sts,
    StsRefresh,
    SubjectToken,
}

impl Endpoint {
    fn of(request: &RecordedRequest) -> Option<Self> {
        match (request.method(), request.path()) {
            ("POST", "/token") => Some(Self::OAuth),
            ("POST", "/v1/token") => Some(Self::Sts),
            ("POST", "/v1/oauthtoken") => Some(Self::StsRefresh),
            ("GET", "/subject-token") => Some(Self::SubjectToken),
            ("POST", path) if path.ends_with(":generateAccessToken") => Some(Self::Iam),
            ("GET" | "PUT", path) if path.starts_with("/latest/") => Some(Self::Aws),
            ("GET", path) if path.starts_with("/computeMetadata/") => Some(Self::Metadata),
            // How google-auth finds out whether there is a metadata server.
            ("GET", "/") if request.header(metadata::FLAVOR).is_some() => Some(Self::Metadata),
            _ => None,
        }
    }
}

/// Whether a request asks for a token and thus need not have one.
pub(super) fn is_for(request: &RecordedRequest) -> bool {
    Endpoint::of(request).is_some()
}

/// Answers a request to one of the endpoints; all others are none of theirs.
pub(super) fn answer(core: &Core, request: &RecordedRequest) -> Option<Http> {
    let endpoint = Endpoint::of(request)?;
    let now = core.server_time();
    let state = &mut *lock(&core.auth);
    Some(match endpoint {
        Endpoint::Aws => aws::answer(state, request, now),
        Endpoint::Iam => iam::generate_access_token(state, request, now),
        Endpoint::Metadata => metadata::answer(state, request, now),
        Endpoint::OAuth => oauth::token(state, request, now),
        Endpoint::Sts => sts::token(state, request, now),
        Endpoint::StsRefresh => sts::refresh(state, request, now),
        Endpoint::SubjectToken => sts::subject_token(request),
    })
}

/// Says what is wrong with the access token of a call, if anything.
pub(super) fn check_token(core: &Core, token: &str) -> Result<(), String> {
    lock(&core.auth).scope_of(token, core.server_time()).map(drop)
}

fn text(status: u16, body: impl Into<String>) -> Http {
    let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
    Http { status, headers, body: Body::Bytes(body.into().into_bytes()) }
}

/// A header of a scheme such as `Bearer`, without the scheme.
fn authorization<'a>(request: &'a RecordedRequest, scheme: &str) -> Option<&'a str> {
    let (found, value) = request.header("authorization")?.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then_some(value.trim())
}

#[cfg(test)]
mod tests;
