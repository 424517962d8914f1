//! What a wait may take and bear.

use std::fmt;
use std::time::Duration;

use crate::retry::Backoff;

use super::latest::Latest;
use super::long_poll::LongPoll;
use super::update::Observer;

/// What becomes of an operation that outlasts the wait for it.
///
/// A wait that is stopped by its [`StopToken`](crate::StopToken) leaves the operation alone, whatever is chosen here.
///
/// ```
/// # use longrunning::testing::{FakeOperation, FakeServer};
/// # let server = FakeServer::start();
/// # server.insert(longrunning::Operation::running("operations/42"));
/// # let client = server.client();
/// use std::time::Duration;
///
/// use longrunning::{Code, OnTimeout};
///
/// let ended = client
///     .poller("operations/42")
///     .total_timeout(Duration::from_secs(900))
///     .on_timeout(OnTimeout::CancelAndConfirm { grace: Duration::from_secs(60) })
///     .until_done()?;
/// assert_eq!(ended.error().map(|status| status.code()), Some(Code::Cancelled));
/// # Ok::<(), longrunning::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTimeout {
    /// It goes on; the error says that it was not cancelled.
    #[default]
    Leave,
    /// It is asked to cancel, by one call of at most the wait's attempt timeout; the error says so.
    Cancel,
    /// It is asked to cancel and polled on, for at most `grace` in all: if it is done by then, the wait gives it, as
    /// cancelled as it may be.
    CancelAndConfirm {
        /// How much longer than its total timeout the wait may take.
        grace: Duration,
    },
}

/// The options of one wait, besides those of its polls.
#[derive(Clone)]
pub(crate) struct WaitOptions {
    /// None: for ever.
    pub(crate) total_timeout: Option<Duration>,
    pub(crate) backoff: Backoff,
    pub(crate) max_failures: u32,
    /// None: as long as the wait.
    pub(crate) max_outage: Option<Duration>,
    pub(crate) not_found_grace: Duration,
    pub(crate) max_hint: Duration,
    pub(crate) on_timeout: OnTimeout,
    pub(crate) long_poll: LongPoll,
    pub(crate) observer: Option<Observer>,
    /// Who else keeps the latest state.
    pub(crate) latest: Option<Latest>,
    /// Whether progress is followed.
    pub(crate) tracks: bool,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self {
            total_timeout: Some(TOTAL_TIMEOUT),
            backoff: Backoff::proportional(0.1, Duration::from_millis(500), Duration::from_secs(30)),
            max_failures: 5,
            max_outage: None,
            not_found_grace: Duration::ZERO,
            max_hint: MAX_HINT,
            on_timeout: OnTimeout::default(),
            long_poll: LongPoll::default(),
            observer: None,
            latest: None,
            tracks: false,
        }
    }
}

impl fmt::Debug for WaitOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitOptions")
            .field("total_timeout", &self.total_timeout)
            .field("backoff", &self.backoff)
            .field("max_failures", &self.max_failures)
            .field("max_outage", &self.max_outage)
            .field("not_found_grace", &self.not_found_grace)
            .field("max_hint", &self.max_hint)
            .field("on_timeout", &self.on_timeout)
            .field("long_poll", &self.long_poll)
            .field("observer", &self.observer.is_some())
            .finish()
    }
}

/// Long enough never to end a wait that would have ended by itself, short enough that a forgotten one ends.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Quotas are counted by the minute or in 100 s as a rule, so honest hints are shorter. A longer one comes from a
/// maintenance page or a misconfigured proxy; a poll every five minutes harms neither, and notices the end of both.
const MAX_HINT: Duration = Duration::from_secs(5 * 60);
