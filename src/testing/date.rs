//! The date that the server gives.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::clock::VirtualClock;
use crate::util::clock::Clock;
use crate::util::sync::lock;

/// The `date` header of responses, by which the token servers check what they
/// receive.
#[derive(Debug)]
pub(super) struct ServerDate {
    clock: Arc<VirtualClock>,
    /// Seconds between the header and the clock's wall time; no header when
    /// absent.
    offset: Mutex<Option<i64>>,
}

impl ServerDate {
    pub(super) fn new(clock: Arc<VirtualClock>) -> Self {
        Self { clock, offset: Mutex::new(Some(0)) }
    }

    pub(super) fn set_offset(&self, seconds: Option<i64>) {
        *lock(&self.offset) = seconds;
    }

    /// Returns the value of the `date` header.
    pub(super) fn header(&self) -> Option<String> {
        let offset = (*lock(&self.offset))?;
        let date = self.shifted_wall(offset).clamp(UNIX_EPOCH, end_of_dates());
        Some(httpdate::fmt_http_date(date))
    }

    /// Returns the time since 1970 as the header gives it, or as the clock does
    /// without a header.
    pub(super) fn since_epoch(&self) -> Duration {
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

/// The HTTP date format ends with the year 9999.
fn end_of_dates() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(253_402_300_799)
}
