//! The skew of the local clock, measured by the `date` of a response.
//!
//! Self-signed tokens contain times of the local clock. A server rejects them
//! with a 401 that does not say why, so the difference is worth a note. Nothing
//! is corrected.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::http::HttpResponse;

/// Returns a note for a rejected token if the local clock is more than five
/// minutes ahead of the server's, or behind it.
///
/// ```text
/// local clock 12:10:00, date 12:00:00    the local clock is 600 s ahead of the server's
/// local clock 12:04:00, date 12:00:00    None
/// no date, or one before 2020            None
/// ```
pub(in crate::transport) fn clock_skew(response: &HttpResponse, wall: SystemTime) -> Option<String> {
    let server = response.date()?;
    // `SystemTime` has no signed difference: the error has the amount if the
    // clock is behind.
    let (skew, direction) = match wall.duration_since(server) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(error) => (error.duration(), "behind"),
    };
    // A server without a clock sends a `date` of 1970 or so, which says nothing
    // about the local clock.
    let plausible = server > UNIX_EPOCH + YEAR_2020 && skew > TOLERATED_SKEW;
    plausible.then(|| format!("the local clock is {} s {direction} the server's", skew.as_secs()))
}

/// The start of 2020, after the Unix epoch.
const YEAR_2020: Duration = Duration::from_secs(1_577_836_800);

/// Smaller differences are not worth a note: seconds of the network and of
/// rounding are among them.
const TOLERATED_SKEW: Duration = Duration::from_secs(300);
