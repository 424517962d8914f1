//! The header that a request is sent with.

use std::sync::Arc;

use crate::util::secret::Secret;

/// The header that says who is calling; redacted in `Debug`.
#[derive(Clone, Debug)]
pub(crate) struct Authorization {
    header: &'static str,
    value: Arc<Secret>,
    generation: u64,
}

impl Authorization {
    pub(super) fn bearer(token: &str, generation: u64) -> Self {
        // `concat` allocates once, so that no second copy of the token is left behind.
        let value = Arc::new(Secret::new(["Bearer ", token].concat()));
        Self { header: "authorization", value, generation }
    }

    pub(super) fn api_key(key: &Secret) -> Self {
        Self { header: API_KEY, value: Arc::new(key.clone()), generation: 0 }
    }

    pub(super) fn is_api_key(&self) -> bool {
        self.header == API_KEY
    }

    /// `authorization` or `x-goog-api-key`.
    pub(crate) fn header(&self) -> &'static str {
        self.header
    }

    /// `Bearer <token>`, or the API key.
    pub(crate) fn value(&self) -> &str {
        self.value.expose()
    }

    /// Returns which token of this client it is, for a refusal.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }
}

const API_KEY: &str = "x-goog-api-key";
