//! The date and time of the server, as its responses say it.
//!
//! A test can shift it away from the clock, so that the client's clock seems to
//! be wrong. The token servers judge by the shifted time: an assertion that is
//! signed in their future is refused.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::clock::VirtualClock;
use crate::util::clock::Clock;
use crate::util::sync::lock;

/// The `date` header of responses, and the time of the token servers.
#[derive(Debug)]
pub(super) struct ServerDate {
    clock: Arc<VirtualClock>,
    /// Seconds by which the header is ahead of the clock; negative if behind.
    /// `None` omits the header.
    offset: Mutex<Option<i64>>,
}

impl ServerDate {
    pub(super) fn new(clock: Arc<VirtualClock>) -> Self {
        Self { clock, offset: Mutex::new(Some(0)) }
    }

    pub(super) fn set_offset(&self, seconds: Option<i64>) {
        *lock(&self.offset) = seconds;
    }

    /// Returns the value of the `date` header in the format of RFC 9110, such
    /// as `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub(super) fn header(&self) -> Option<String> {
        let offset = (*lock(&self.offset))?;
        // `fmt_http_date` panics outside of this range.
        let date = self.shifted_wall(offset).clamp(UNIX_EPOCH, end_of_dates());
        Some(httpdate::fmt_http_date(date))
    }

    /// Returns the time since 1970 that the header says, or that of the clock
    /// if there is no header.
    pub(super) fn since_epoch(&self) -> Duration {
        // Without a header, the client has only its own clock, which is the
        // same.
        let offset = lock(&self.offset).unwrap_or_default();
        self.shifted_wall(offset).duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn shifted_wall(&self, offset: i64) -> SystemTime {
        let wall = self.clock.wall();
        let shift = Duration::from_secs(offset.unsigned_abs());
        let shifted = if offset < 0 { wall.checked_sub(shift) } else { wall.checked_add(shift) };
        shifted.unwrap_or(UNIX_EPOCH)
    }
}

/// Returns the last second of the year 9999, the last one that the HTTP date
/// format has.
fn end_of_dates() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(253_402_300_799)
}
