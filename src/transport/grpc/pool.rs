//! Connections between calls, and the one resend that is not a retry.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;

use crate::env::Env;
use crate::http::{Heed, HttpError, HttpErrorKind, HttpOptions, Opener, Slots};
use crate::stop::StopToken;

use super::channel::{Answer, Channel, Fault};

/// Connections to one service; at most as many as calls are made at the same time.
pub(super) struct Pool {
    opener: Opener,
    slots: Slots,
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
        let opener = Opener::new(url, options, env)?;
        Ok(Self { opener, slots: options.slots(), idle: Mutex::default(), most, keep })
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
        let Some(_slot) = self.slots.take(deadline.saturating_duration_since(Instant::now())) else {
            let message = format!("no connection to {} was free in time: see `max_connections`", self.peer());
            return Err(Fault::Failed(HttpError::new(HttpErrorKind::Timeout, message).sent(false)));
        };
        let call = |mut channel: Channel| {
            let answer = channel.call(request.clone(), message.clone(), limit, deadline)?;
            self.keep(channel);
            Ok(answer)
        };
        let first = match self.idle(deadline) {
            Some(channel) => call(channel).inspect_err(|fault| {
                if matches!(fault, Fault::Failed(error) if error.kind() == HttpErrorKind::Timeout) {
                    // Something in between may have forgotten the connections that were idle as long.
                    self.lock().clear();
                }
            }),
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

    /// Has a call of this thread end when `token` is stopped, for as long as the guard is there.
    pub(super) fn heed(&self, token: Option<&StopToken>) -> Heed<'_> {
        self.opener.heed(token)
    }

    /// Host and port, as messages name them.
    pub(super) fn peer(&self) -> String {
        self.opener.peer()
    }

    fn fresh(&self, deadline: Instant) -> Result<Channel, Fault> {
        Channel::open(&self.opener, deadline).map_err(Fault::Failed)
    }

    /// The connection that was used last and is still good.
    fn idle(&self, deadline: Instant) -> Option<Channel> {
        loop {
            let Idle { mut channel, since } = self.lock().pop()?;
            if since.elapsed() >= self.keep {
                // All below it are older.
                self.lock().retain(|idle| idle.since > since);
            } else if channel.refresh(deadline) {
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
