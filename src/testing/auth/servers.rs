//! The token servers: which of them a request is for, and what they share.
//!
//! One lock guards the state of all of them. It is held while a request is
//! handled, which takes no time on the clock.

use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::aws::{AwsSessions, CONTAINER_PATH, FakeContainerEndpoint};
use super::metadata::{FLAVOR, FakeMetadataServer};
use super::oauth::UserLogin;
use super::tokens::TokenIssuer;
use super::{aws, iam, oauth, sts};
use crate::testing::http_response::FakeResponse;
use crate::testing::request::RecordedRequest;
use crate::util::sync::lock;

/// All servers that issue tokens.
#[derive(Debug, Default)]
pub(in crate::testing) struct TokenServers {
    state: Mutex<TokenState>,
}

impl TokenServers {
    /// Returns whether a request is for a token server, and so needs no access
    /// token.
    pub(in crate::testing) fn handles(request: &RecordedRequest) -> bool {
        TokenEndpoint::of(request).is_some()
    }

    /// Responds to a request for a token server; `None` if it is for the
    /// service. `now` counts from 1970.
    pub(in crate::testing) fn respond(
        &self,
        request: &RecordedRequest,
        now: Duration,
    ) -> Option<FakeResponse> {
        let endpoint = TokenEndpoint::of(request)?;
        let TokenState { issuer, login, metadata, sessions, container } = &mut *self.state();
        Some(match endpoint {
            TokenEndpoint::Aws => aws::respond(sessions, request, now),
            TokenEndpoint::AwsContainer => container.respond(request, now),
            TokenEndpoint::Iam => iam::generate_access_token(issuer, request, now),
            TokenEndpoint::Metadata => metadata.respond(issuer, request, now),
            TokenEndpoint::OAuth => oauth::token(login, issuer, request, now),
            TokenEndpoint::Sts => sts::token(issuer, request, now),
            TokenEndpoint::StsRefresh => sts::refresh(login, issuer, request, now),
            TokenEndpoint::SubjectToken => sts::subject_token(request),
        })
    }

    /// Checks the access token of a request to the service. The error says why
    /// it is not valid.
    pub(in crate::testing) fn check_token(&self, token: &str, now: Duration) -> Result<(), String> {
        self.state().issuer.scope_of(token, now).map(drop)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, TokenState> {
        lock(&self.state)
    }
}

/// The state of the token servers.
#[derive(Default)]
pub(super) struct TokenState {
    pub(super) issuer: TokenIssuer,
    pub(super) login: UserLogin,
    pub(super) metadata: FakeMetadataServer,
    pub(super) sessions: AwsSessions,
    pub(super) container: FakeContainerEndpoint,
}

/// Without the secrets.
impl fmt::Debug for TokenState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeAuth").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// One of the endpoints.
#[derive(Clone, Copy)]
enum TokenEndpoint {
    Aws,
    AwsContainer,
    Iam,
    Metadata,
    OAuth,
    Sts,
    StsRefresh,
    SubjectToken,
}

impl TokenEndpoint {
    /// Returns the endpoint that a request is for, by its method and path
    /// alone: a test may send it to this server under any host name.
    fn of(request: &RecordedRequest) -> Option<Self> {
        // Exact paths first, then the trees below a prefix.
        match (request.method(), request.path()) {
            ("POST", "/token") => Some(Self::OAuth),
            ("POST", "/v1/token") => Some(Self::Sts),
            ("POST", "/v1/oauthtoken") => Some(Self::StsRefresh),
            ("GET", "/subject-token") => Some(Self::SubjectToken),
            ("POST", path) if path.ends_with(":generateAccessToken") => Some(Self::Iam),
            ("GET" | "PUT", path) if path.starts_with("/latest/") => Some(Self::Aws),
            ("GET", CONTAINER_PATH) => Some(Self::AwsContainer),
            ("GET", path) if path.starts_with("/computeMetadata/") => Some(Self::Metadata),
            // How google-auth finds out whether there is a metadata server.
            ("GET", "/") if request.header(FLAVOR).is_some() => Some(Self::Metadata),
            _ => None,
        }
    }
}
