//! The deadline and the stop token of the exchange that a thread makes.
//!
//! ureq passes only a duration to a connection, and makes an exchange on the
//! thread that calls it. So connections find deadline and stop token by their
//! thread. This also avoids converting the deadline into a duration and back at
//! each step, which would lose a little time at each.

use std::cell::RefCell;
use std::time::Instant;

use crate::net::connection::IoLimit;
use crate::util::stop::StopToken;

/// The limit of an exchange, owned, because a thread-local value cannot borrow.
#[derive(Clone)]
pub(super) struct CurrentExchange {
    deadline: Instant,
    stop: Option<StopToken>,
}

impl CurrentExchange {
    /// Returns the limit for a read or write.
    pub(super) fn limit(&self) -> IoLimit<'_> {
        IoLimit::new(self.deadline, self.stop.as_ref())
    }
}

/// The guard of an exchange of this thread.
pub(super) struct HttpExchange {
    /// The exchange around this one, which is restored at the end: a source of
    /// client certificates may make a request of its own while a connection is
    /// opened.
    outer: Option<CurrentExchange>,
}

/// Limits all reads and writes of this thread until the guard is dropped.
pub(super) fn begin(limit: IoLimit<'_>) -> HttpExchange {
    let current = CurrentExchange { deadline: limit.deadline, stop: limit.stop.cloned() };
    HttpExchange { outer: CURRENT.replace(Some(current)) }
}

/// Returns the limit of this thread's exchange; outside of one, a deadline that
/// has passed.
pub(super) fn current() -> CurrentExchange {
    let current = CURRENT.with_borrow(Clone::clone);
    // Nothing reads outside of an exchange. If something did, it must not block for
    // ever.
    current.unwrap_or_else(|| CurrentExchange { deadline: Instant::now(), stop: None })
}

impl Drop for HttpExchange {
    fn drop(&mut self) {
        CURRENT.set(self.outer.take());
    }
}

thread_local! {
    /// The exchange that this thread makes.
    static CURRENT: RefCell<Option<CurrentExchange>> = const { RefCell::new(None) };
}
