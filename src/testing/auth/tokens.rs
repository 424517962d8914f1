//! The access tokens that the server issues.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::jwt::{PublicKey, check_self_signed};

/// Issues access tokens, and knows which of them, and which self-signed JWTs,
/// are valid. Times count from 1970.
pub(super) struct TokenIssuer {
    pub(super) lifetime: Duration,
    keys: Vec<PublicKey>,
    grants: HashMap<String, TokenGrant>,
    count: usize,
}

struct TokenGrant {
    expiry: Duration,
    scope: String,
}

impl Default for TokenIssuer {
    fn default() -> Self {
        Self { lifetime: Duration::from_secs(3600), keys: Vec::new(), grants: HashMap::new(), count: 0 }
    }
}

impl TokenIssuer {
    /// Trusts what is signed with the private half of a key.
    pub(super) fn trust(&mut self, key: PublicKey) {
        self.keys.push(key);
    }

    pub(super) fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// Issues a token with the usual lifetime for these scopes, joined by
    /// spaces; for all of them when there are none.
    pub(super) fn issue(&mut self, now: Duration, scope: &str) -> String {
        self.issue_until(now.saturating_add(self.lifetime), scope)
    }

    pub(super) fn issue_until(&mut self, expiry: Duration, scope: &str) -> String {
        self.count += 1;
        let token = format!("CANARY-access-token-{}", self.count);
        self.grants.insert(token.clone(), TokenGrant { expiry, scope: scope.to_owned() });
        token
    }

    /// Returns the scopes of a token, joined by spaces (empty if it was not
    /// limited), or why it is not valid.
    pub(super) fn scope_of(&self, token: &str, now: Duration) -> Result<String, String> {
        if token.split('.').count() == 3 {
            return check_self_signed(token, &self.keys, now);
        }
        match self.grants.get(token) {
            None => Err("this server has not given the access token, or has revoked it".into()),
            Some(grant) if grant.expiry <= now => {
                Err(format!("the access token has expired {} s ago", (now - grant.expiry).as_secs()))
            }
            Some(grant) => Ok(grant.scope.clone()),
        }
    }

    /// Returns the remaining lifetime of a token.
    pub(super) fn left(&self, token: &str, now: Duration) -> Option<Duration> {
        self.grants.get(token)?.expiry.checked_sub(now)
    }

    pub(super) fn revoke_all(&mut self) {
        self.grants.clear();
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }
}

/// Without the tokens.
impl fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenIssuer")
            .field("lifetime", &self.lifetime)
            .field("trusted_keys", &self.keys.len())
            .field("issued", &self.count)
            .finish_non_exhaustive()
    }
}
