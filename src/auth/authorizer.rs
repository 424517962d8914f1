//! The credentials as the transports use them: a header value before a request,
//! and a decision after a 401.
//!
//! ```text
//! Credentials ──resolve──► Credentials ──authorizer──► Authorizer, one for each client
//!                                                         │ authorization()  before each attempt
//!                                                         │ invalidate()     after a 401
//!                                                         └ explain()        in the error
//! ```

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
    /// No header.
    Anonymous,
    /// An API key, or a token that is never renewed.
    Fixed(Authorization),
    /// Tokens of a provider.
    Cached(Box<TokenCache>),
    /// Tokens of a file, which is checked for changes before each request.
    Watched(Box<TokenCache>, Arc<TokenFile>),
}

impl Authorizer {
    /// Returns the header to send, for which it may fetch a token; `None` for
    /// anonymous calls.
    ///
    /// `deadline` is by the clock of the client.
    ///
    /// # Errors
    ///
    /// In any case, nothing of the call was sent.
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth) if there is no token,
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) if there is none by
    /// `deadline`, [`ErrorKind::Stopped`](crate::ErrorKind::Stopped) if `stop`
    /// is stopped.
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
                // Costs one `stat` for each request. A new token in the file is
                // used at once, although the old one may still be valid: it may
                // have been revoked.
                if file.has_changed() {
                    cache.renew();
                }
                cache.authorization(deadline, stop).map(Some)
            }
        }
    }

    /// Records that the service refused the token of this generation with a
    /// 401. Returns whether [`authorization`](Self::authorization) will now
    /// return another one, so that one replay makes sense.
    ///
    /// Ten thousand calls that are refused with the same token cause one
    /// refresh. If the next token is refused as well within 10 seconds, it
    /// stays in use.
    pub(crate) fn invalidate(&self, generation: u64) -> bool {
        match self {
            Self::Anonymous | Self::Fixed(_) => false,
            Self::Cached(cache) | Self::Watched(cache, _) => cache.refuse(generation),
        }
    }

    /// Adds to the error of a rejected request what only the credentials know,
    /// such as that an API key is no access token. Other errors are returned as
    /// they are.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match self {
            _ if error.http_status() != Some(401) && error.code() != Some(Code::Unauthenticated) => error,
            // A forgotten option, most often.
            Self::Anonymous => error.note("the call was anonymous: the client has no credentials"),
            Self::Fixed(fixed) if fixed.is_api_key() => {
                // The service only says that credentials are missing.
                error.note("the API key was refused: most methods want an access token")
            }
            Self::Fixed(_) => error.note(
                "the bearer token is fixed: it cannot be renewed, and access tokens of Google live for an hour",
            ),
            Self::Cached(_) | Self::Watched(..) => error,
        }
    }
}
