//! Stopping an exchange that is under way.
//!
//! ureq hands a connection that it keeps nothing but a limit of time, and makes an exchange on the thread that asks
//! for it. So a socket finds the token of the exchange on it by its thread.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use crate::stop::StopToken;

use crate::http::error::{HttpError, HttpErrorKind};
use crate::net::connect::wrap;

/// The tokens of the exchanges that are under way; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stops(Arc<Mutex<HashMap<ThreadId, StopToken>>>);

impl Stops {
    /// Has what this thread waits for end when `token` is stopped, for as long as the guard is there.
    pub(crate) fn heed(&self, token: Option<&StopToken>) -> Heed<'_> {
        Heed { stops: self, before: self.put(token.cloned()) }
    }

    fn put(&self, token: Option<StopToken>) -> Option<StopToken> {
        let (id, mut tokens) = (thread::current().id(), self.lock());
        match token {
            Some(token) => tokens.insert(id, token),
            None => tokens.remove(&id),
        }
    }

    /// The token that this thread heeds.
    pub(crate) fn heeded(&self) -> Option<StopToken> {
        self.lock().get(&thread::current().id()).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ThreadId, StopToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One exchange that heeds a token, or none, until it is dropped.
pub(crate) struct Heed<'a> {
    stops: &'a Stops,
    /// What an exchange around this one heeds.
    before: Option<StopToken>,
}

impl Drop for Heed<'_> {
    fn drop(&mut self) {
        self.stops.put(self.before.take());
    }
}

/// What ends the waiting for a connection that others have.
pub(crate) fn stopped_in_line() -> HttpError {
    HttpError::new(HttpErrorKind::Stopped, "stopped while waiting for a free connection").sent(false)
}

/// What ends the waiting for a peer.
pub(crate) fn stopped() -> ureq::Error {
    wrap(HttpError::new(HttpErrorKind::Stopped, "stopped while waiting for an answer"))
}

/// Whether a token has ended it.
pub(crate) fn is_stop(error: &ureq::Error) -> bool {
    let ureq::Error::Other(error) = error else { return false };
    error.downcast_ref::<HttpError>().is_some_and(|error| error.kind() == HttpErrorKind::Stopped)
}
