//! The deadline and the stop token of the exchange that a thread makes.
//!
//! ureq hands a connection nothing but a duration, and makes an exchange on the
//! thread that calls it. So connections find deadline and stop token by their
//! thread, and the deadline is not converted on the way.

use std::cell::RefCell;
use std::time::Instant;

use crate::net::connection::IoLimit;
use crate::util::stop::StopToken;

/// The limit of an exchange.
#[derive(Clone)]
pub(super) struct CurrentExchange {
    deadline: Instant,
    stop: Option<StopToken>,
}

impl CurrentExchange {
    pub(super) fn limit(&self) -> IoLimit<'_> {
        IoLimit::new(self.deadline, self.stop.as_ref())
    }
}

/// One exchange of this thread, until it is dropped.
pub(super) struct HttpExchange {
    /// The one around it: what opens a connection may make an exchange of its
    /// own.
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
    static CURRENT: RefCell<Option<CurrentExchange>> = const { RefCell::new(None) };
}
