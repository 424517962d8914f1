//! The options of waits: how an operation is polled, what is tolerated, when to
//! give up.

use std::time::Duration;

use crate::retry::Backoff;

/// Selects what happens to an operation that is still running when the wait for
/// it times out.
///
/// A wait that is stopped by its [`StopToken`](crate::StopToken) leaves the
/// operation alone, whatever is chosen here.
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
    /// It continues; the error says that it was not cancelled.
    #[default]
    Leave,
    /// Its cancellation is requested, by one call of at most the wait's attempt
    /// timeout. The wait ends with an error that says so.
    Cancel,
    /// Its cancellation is requested, and it is polled until it is done, for at
    /// most `grace` in total. The wait then returns the operation, which may or
    /// may not have been cancelled.
    CancelAndConfirm {
        /// How much longer than its total timeout the wait may take.
        grace: Duration,
    },
}

/// Whether a wait uses WaitOperation, and how it is bound to HTTP.
///
/// The response then arrives one round trip after the operation is done. The
/// wait still polls first. It requests the server to hold back each response
/// for at most 30 s (half of what common proxies tolerate), and continues to
/// poll if that fails: an error of WaitOperation never ends a wait. After a
/// response that comes early, the wait sleeps for the usual delay, so a server
/// that holds nothing back gets no more requests than without.
///
/// The default is [`Never`](Self::Never), because a wait sends only what it is
/// configured to send: WaitOperation may need a permission of its own, most
/// services do not have it, and it occupies a connection.
///
/// ```
/// # use longrunning::testing::{FakeOperation, FakeServer, Rpc};
/// # let server = FakeServer::builder().with(Rpc::Wait).start()?;
/// # server.insert(FakeOperation::new("operations/42").done_after(std::time::Duration::from_secs(100)));
/// # let client = server.client();
/// use longrunning::LongPoll;
///
/// let done = client.poller("operations/42").long_poll(LongPoll::Auto).until_done()?;
/// assert!(done.is_done());
/// # assert_eq!(server.elapsed(), std::time::Duration::from_secs(100));
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// Over gRPC, and with [`Bindings`](crate::Bindings) for WaitOperation, there
/// is only one form, and all but `Never` mean that one.
///
/// Compute Engine has a `wait` of its own, which holds a response for up to two
/// minutes. All but `Never` use it once the first response shows that the
/// operation is one of Compute Engine, while two minutes remain, with a second
/// between two requests. The other services with [extended
/// operations](crate::OperationForm) have none, and are polled.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LongPoll {
    /// Finds out whether and how the service has it.
    ///
    /// The first wait whose operation is not done at once finds it out, for all
    /// clones of a client; other waits poll until it is known. At most two
    /// requests fail on the way: a `POST` with a body, and if that is rejected,
    /// a `POST` with a query (after a 400) or a `GET` (if the path does not
    /// exist). Until it is known, the server is requested to hold a response
    /// for 5 s only, in case it never responds.
    Auto,
    /// Only polls.
    #[default]
    Never,
    /// Uses [`WaitBinding::Body`](crate::WaitBinding::Body).
    Body,
    /// Uses [`WaitBinding::Query`](crate::WaitBinding::Query).
    Query,
    /// Uses [`WaitBinding::Get`](crate::WaitBinding::Get).
    Get,
}

/// The options of one wait, besides those of its requests.
#[derive(Clone, Debug)]
pub(crate) struct PollOptions {
    /// The timeout of the whole wait; `None` for a wait without end. Zero polls
    /// once.
    pub(crate) total_timeout: Option<Duration>,
    /// The delays between polls.
    pub(crate) backoff: Backoff,
    /// How many errors in a row are tolerated that may be permanent.
    pub(crate) max_failures: u32,
    /// How long polls may fail without interruption; `None` for as long as the
    /// wait.
    pub(crate) max_outage: Option<Duration>,
    /// How long `NOT_FOUND` is tolerated before the first success.
    pub(crate) not_found_grace: Duration,
    /// The longest delay that the server can request; zero ignores requests.
    pub(crate) max_hint: Duration,
    pub(crate) on_timeout: OnTimeout,
    pub(crate) long_poll: LongPoll,
}

impl Default for PollOptions {
    fn default() -> Self {
        Self {
            total_timeout: Some(TOTAL_TIMEOUT),
            // A tenth: the lag after the end is at most that part of the whole.
            // Half a second is little for a service, and half a minute little
            // for a person.
            backoff: Backoff::proportional(0.1, Duration::from_millis(500), Duration::from_secs(30)),
            max_failures: 5,
            // An outage does not end a wait: the operation continues in it.
            max_outage: None,
            // A wait for an operation that the client has just started has a
            // longer one.
            not_found_grace: Duration::ZERO,
            max_hint: MAX_HINT,
            on_timeout: OnTimeout::default(),
            long_poll: LongPoll::default(),
        }
    }
}

/// Limits a number of concurrent requests: 0 becomes 1, more than 256 become
/// 256.
pub(crate) fn clamp_concurrency(concurrency: usize) -> usize {
    // Zero would never send anything.
    concurrency.clamp(1, MOST_REQUESTS)
}

/// The default timeout of a wait. It is long enough not to end a wait whose
/// operation would finish, and short enough that a forgotten one ends.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Quotas are counted by the minute or in 100 s as a rule, so honest hints are
/// shorter. A longer one comes from a maintenance page or a misconfigured
/// proxy; a poll every five minutes harms neither, and notices the end of both.
const MAX_HINT: Duration = Duration::from_secs(5 * 60);

/// The most concurrent requests. Each takes a thread, and no quota of an
/// operations service allows more at once.
const MOST_REQUESTS: usize = 256;
