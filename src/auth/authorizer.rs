//! The credentials as the transports use them: a header value, and a decision
//! after a 401.

use std::sync::Arc;
use std::time::Instant;

use crate::auth::authorization::Authorization;
use crate::auth::cache::TokenCache;
use crate::auth::token_file::TokenFile;
use crate::error::Error;
use crate::types::Code;
use crate::util::stop::StopToken;

/// Adds the header to the requests of one client.
#[derive(Debug)]
pub(crate) enum Authorizer {
    Anonymous,
    Fixed(Authorization),
    Cached(Box<TokenCache>),
    Watched(Box<TokenCache>, Arc<TokenFile>),
}

impl Authorizer {
    /// Returns the header to send, for which it may fetch a token; `None` for
    /// anonymous calls.
    ///
    /// Nothing of the call was sent when this fails:
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth) when there is no token,
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when `deadline`, by
    /// the clock of the client, passed before there
    /// was one, [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) when `stop`
    /// was stopped.
    pub(crate) fn authorization(
        &self,
        deadline: Instant,
        stop: Option<&StopToken>,
    ) -> Result<Option<Authorization>, Error> {
        match self {
            Self::Anonymous => Ok(None),
            Self::Fixed(authorization) => Ok(Some(authorization.clone())),
            Self::Cached(cache) => cache.authorization(deadline, stop).map(Some),
            Self::Watched(cache, file) => {
                if file.has_changed() {
                    cache.renew();
                }
                cache.authorization(deadline, stop).map(Some)
            }
        }
    }

    /// Takes note that the service refused the token of this generation with a
    /// 401.
    ///
    /// True when [`authorization`](Self::authorization) will now give another
    /// one, so that one replay makes sense. Ten thousand calls refused with
    /// the same token cause one refresh, and a token that is refused as
    /// well within 10 seconds causes none.
    pub(crate) fn invalidate(&self, generation: u64) -> bool {
        match self {
            Self::Anonymous | Self::Fixed(_) => false,
            Self::Cached(cache) | Self::Watched(cache, _) => cache.refuse(generation),
        }
    }

    /// Adds to the error of a rejected request what only the credentials know.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match self {
            _ if error.http_status() != Some(401) && error.code() != Some(Code::Unauthenticated) => error,
            Self::Anonymous => error.note("the call was anonymous: the client has no credentials"),
            Self::Fixed(fixed) if fixed.is_api_key() => {
                error.note("the API key was refused: most methods want an access token")
            }
            Self::Fixed(_) => error.note(
                "the bearer token is fixed: it cannot be renewed, and access tokens of Google live for an hour",
            ),
            Self::Cached(_) | Self::Watched(..) => error,
        }
    }
}
