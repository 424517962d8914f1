//! The token that stops calls and waits from another thread.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::util::process::ProcessLock;

#[cfg(feature = "async")]
use super::wakers::StopWakers;

/// Stops calls and waits from another thread, such as a signal handler's or
/// that of a server that shuts down.
///
/// Clones are one token. Pass it to any number of calls and pollers (`stop`).
/// [`stop`](Self::stop) wakes sleeping ones at once, and those that wait for a
/// response or an access token within 50 ms. It does not interrupt a DNS lookup
/// or a TCP connect, which end at the attempt timeout. Stopped calls fail with
/// [`ErrorKind::Stopped`](crate::ErrorKind::Stopped); the operation itself
/// continues.
///
/// ```
/// # let server = longrunning::testing::FakeServer::start();
/// # server.insert(longrunning::Operation::running("operations/42"));
/// # let client = server.client();
/// use longrunning::{ErrorKind, StopToken};
///
/// let token = StopToken::new();
/// let others = token.clone();
/// std::thread::spawn(move || others.stop());
///
/// let error = client.poller("operations/42").forever().stop(&token).until_done().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Stopped);
/// ```
#[derive(Clone, Default)]
pub struct StopToken(Arc<StopState>);

/// What all clones of a token share.
#[derive(Default)]
struct StopState {
    /// Set once and never reset. Atomic, so that hot paths look at it without a
    /// lock.
    stopped: AtomicBool,
    /// Held while `stopped` is set. A sleeper checks the flag under this lock
    /// before it sleeps, so the notification cannot come in between and be
    /// lost.
    sleepers: ProcessLock<()>,
    /// The futures to wake.
    #[cfg(feature = "async")]
    wakers: StopWakers,
}

impl StopToken {
    /// Creates a token that is not stopped.
    ///
    /// ```
    /// use longrunning::StopToken;
    ///
    /// assert!(!StopToken::new().is_stopped());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops everything that uses this token, now and later. It cannot be
    /// undone.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    /// use longrunning::{ErrorKind, StopToken};
    ///
    /// let server = FakeServer::start();
    /// let token = StopToken::new();
    /// token.stop();
    /// let error = server.client().get("operations/42").stop(&token).send().unwrap_err();
    /// assert_eq!((error.kind(), server.request_count()), (ErrorKind::Stopped, 0));
    /// ```
    pub fn stop(&self) {
        let sleepers = self.0.sleepers.lock();
        self.0.stopped.store(true, Ordering::SeqCst);
        // Notified without the lock: a woken thread needs it at once.
        drop(sleepers);
        self.0.sleepers.notify_all();
        #[cfg(feature = "async")]
        self.0.wakers.wake();
    }

    /// Returns whether [`stop`](Self::stop) was called, on this token or a
    /// clone.
    pub fn is_stopped(&self) -> bool {
        // Sequentially consistent: a listener writes its entry and reads the
        // flag, while `stop` writes the flag and reads the entries.
        self.0.stopped.load(Ordering::SeqCst)
    }

    /// Blocks for `duration`, or until the token is stopped. Returns at once if
    /// it is stopped already.
    pub(crate) fn sleep(&self, duration: Duration) {
        let sleepers = &self.0.sleepers;
        drop(sleepers.wait_while(sleepers.lock(), duration, |()| !self.is_stopped()));
    }

    /// Returns where futures leave their wakers.
    #[cfg(feature = "async")]
    pub(super) fn wakers(&self) -> &StopWakers {
        &self.0.wakers
    }
}

impl fmt::Debug for StopToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StopToken").field(&self.is_stopped()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_wakes_a_sleeper() {
        let token = StopToken::new();
        let sleeper = token.clone();
        let thread = std::thread::spawn(move || sleeper.sleep(Duration::from_secs(3600)));
        token.stop();
        // Without the wake-up the test would hang here.
        thread.join().unwrap();
        assert!(token.is_stopped());
        token.sleep(Duration::from_secs(3600));
        assert_eq!(format!("{token:?}"), "StopToken(true)");
    }
}
