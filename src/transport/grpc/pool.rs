//! Connections between calls, and the one resend that is not a retry.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;

use crate::env::Env;
use crate::http::{HttpError, HttpOptions, Opener};

use super::channel::{Answer, Channel, Fault};

/// Connections to one service; at most as many as calls are made at the same time.
pub(super) struct Pool {
    opener: Opener,
    idle: Mutex<Vec<Idle>>,
    /// How many unused connections are kept, and for how long.
    most: usize,
    keep: Duration,
}

struct Idle {
    channel: Channel,
    since: Instant,
}

impl Pool {
    pub(super) fn new(url: &str, options: &HttpOptions, env: &dyn Env) -> Result<Self, HttpError> {
        let (most, keep) = options.idle_limits();
        Ok(Self { opener: Opener::new(url, options, env)?, idle: Mutex::default(), most, keep })
    }

    /// Makes a call, and once more where the server has certainly not taken it up, or has closed a kept connection
    /// before it answered; `has_time` says whether there is time for that.
    pub(super) fn call(
        &self,
        request: &Request<()>,
        message: &Bytes,
        limit: usize,
        deadline: Instant,
        has_time: impl Fn() -> bool,
    ) -> Result<Answer, Fault> {
        let call = |mut channel: Channel| {
            let answer = channel.call(request.clone(), message.clone(), limit, deadline)?;
            self.keep(channel);
            Ok(answer)
        };
        let first = match self.idle() {
            Some(channel) => call(channel),
            None => call(self.fresh(deadline)?),
        };
        let error = match first {
            Err(Fault::Stale(error)) => {
                // The others were idle at the same time.
                self.lock().clear();
                error
            }
            Err(Fault::Unprocessed(error)) => error,
            other => return other,
        };
        if !has_time() {
            return Err(Fault::Failed(error));
        }
        log::debug!("{error}: asking again on a new connection");
        call(self.fresh(deadline)?).map_err(|fault| match fault {
            Fault::Failed(second) if error.was_sent() => Fault::Failed(second.sent(true)),
            fault => fault,
        })
    }

    /// Host and port, as messages name them.
    pub(super) fn peer(&self) -> String {
        self.opener.peer()
    }

    fn fresh(&self, deadline: Instant) -> Result<Channel, Fault> {
        Channel::open(&self.opener, deadline).map_err(Fault::Failed)
    }

    /// The connection that was used last and is still good.
    fn idle(&self) -> Option<Channel> {
        loop {
            let Idle { mut channel, since } = self.lock().pop()?;
            if since.elapsed() >= self.keep {
                // All below it are older.
                self.lock().retain(|idle| idle.since > since);
            } else if channel.refresh() {
                return Some(channel);
            }
        }
    }

    fn keep(&self, channel: Channel) {
        if channel.is_over() || self.most == 0 || self.keep.is_zero() {
            return;
        }
        let mut idle = self.lock();
        if idle.len() >= self.most {
            idle.remove(0);
        }
        idle.push(Idle { channel, since: Instant::now() });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
