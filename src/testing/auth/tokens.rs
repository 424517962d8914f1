//! The access tokens that were given.

use std::collections::HashMap;
use std::time::Duration;

/// Access tokens by their text; times count from 1970.
#[derive(Default)]
pub(super) struct Issued {
    grants: HashMap<String, Grant>,
    count: usize,
}

struct Grant {
    expiry: Duration,
    scope: String,
}

impl Issued {
    pub(super) fn issue(&mut self, expiry: Duration, scope: &str) -> String {
        self.count += 1;
        let token = format!("CANARY-access-token-{}", self.count);
        self.grants.insert(token.clone(), Grant { expiry, scope: scope.to_owned() });
        token
    }

    /// What a token is good for: scopes joined by spaces, or nothing where it was not limited.
    pub(super) fn scope_of(&self, token: &str, now: Duration) -> Result<String, String> {
        match self.grants.get(token) {
            None => Err("this server has not given the access token, or has revoked it".into()),
            Some(grant) if grant.expiry <= now => {
                Err(format!("the access token has expired {} s ago", (now - grant.expiry).as_secs()))
            }
            Some(grant) => Ok(grant.scope.clone()),
        }
    }

    /// How long a token is still good for.
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
