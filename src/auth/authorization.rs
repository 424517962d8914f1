//! The header that authorizes a request.

use std::sync::Arc;

use crate::util::secret::Secret;

/// The header that says who calls: `authorization` or `x-goog-api-key`. Its
/// value is redacted in `Debug`, and shared by clones, so that many calls hold
/// one copy of a token.
#[derive(Clone, Debug)]
pub(crate) struct Authorization {
    /// The name of the header, in lowercase.
    header: &'static str,
    /// The value, with the scheme `Bearer` if it is a token.
    value: Arc<Secret>,
    /// Which token of the cache it is; zero for values that are never renewed.
    generation: u64,
}

impl Authorization {
    /// Creates the header of an access token. The caller has checked that it
    /// can stand in a header.
    pub(super) fn bearer(token: &str, generation: u64) -> Self {
        // `concat` allocates once, so no second copy of the token is left
        // behind.
        let value = Arc::new(Secret::new(["Bearer ", token].concat()));
        Self { header: "authorization", value, generation }
    }

    /// Creates the header of an API key.
    pub(super) fn api_key(key: &Secret) -> Self {
        Self { header: API_KEY, value: Arc::new(key.clone()), generation: 0 }
    }

    /// Returns whether it is an API key, about which messages give other
    /// advice.
    pub(super) fn is_api_key(&self) -> bool {
        self.header == API_KEY
    }

    /// Returns the name of the header: `authorization` or `x-goog-api-key`.
    pub(crate) fn header(&self) -> &'static str {
        self.header
    }

    /// Returns the value of the header: `Bearer <token>`, or the API key.
    pub(crate) fn value(&self) -> &str {
        self.value.expose()
    }

    /// Returns which token of this client it is, to report that the service
    /// refused it.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }
}

/// The header in which Google's services accept API keys.
const API_KEY: &str = "x-goog-api-key";
