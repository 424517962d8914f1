//! The access tokens that the server issues, and whether a token is valid.
//!
//! Tokens are numbered, `CANARY-access-token-1` and so on, so that a test can
//! predict them. Times count from 1970, by the date of the server. Nothing is
//! removed when it expires: an expired token gets a message of its own.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::jwt::{PublicKey, check_self_signed};

/// Issues access tokens, and checks them and self-signed JWTs.
pub(super) struct TokenIssuer {
    /// Of new tokens; an hour by default.
    pub(super) lifetime: Duration,
    /// The keys whose JWTs are trusted.
    keys: Vec<PublicKey>,
    /// The tokens that were not revoked.
    grants: HashMap<String, TokenGrant>,
    /// How many tokens were issued, revoked ones included.
    count: usize,
}

/// What a token is good for.
struct TokenGrant {
    expiry: Duration,
    /// Scopes joined by spaces; empty for all.
    scope: String,
}

impl Default for TokenIssuer {
    fn default() -> Self {
        Self { lifetime: Duration::from_secs(3600), keys: Vec::new(), grants: HashMap::new(), count: 0 }
    }
}

impl TokenIssuer {
    /// Trusts JWTs that are signed with the private half of a key.
    pub(super) fn trust(&mut self, key: PublicKey) {
        self.keys.push(key);
    }

    pub(super) fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// Issues a token with the default lifetime for these scopes, joined by
    /// spaces; an empty text means all scopes.
    pub(super) fn issue(&mut self, now: Duration, scope: &str) -> String {
        self.issue_until(now.saturating_add(self.lifetime), scope)
    }

    /// Issues a token that expires at a time.
    pub(super) fn issue_until(&mut self, expiry: Duration, scope: &str) -> String {
        // Never reused, even after `revoke_all`: an old token must not become
        // valid again.
        self.count += 1;
        let token = format!("CANARY-access-token-{}", self.count);
        self.grants.insert(token.clone(), TokenGrant { expiry, scope: scope.to_owned() });
        token
    }

    /// Returns the scopes of a token, joined by spaces and empty for all, or
    /// why the token is not valid.
    pub(super) fn scope_of(&self, token: &str, now: Duration) -> Result<String, String> {
        // Three parts are a JWT; the tokens of this server contain no dots.
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

    /// Returns the remaining lifetime of a token; `None` after that, or if the
    /// token is unknown.
    pub(super) fn left(&self, token: &str, now: Duration) -> Option<Duration> {
        self.grants.get(token)?.expiry.checked_sub(now)
    }

    /// Makes all tokens invalid.
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
