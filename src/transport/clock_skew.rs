//! How far the local clock is off, by the `date` of a response.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::http::HttpResponse;

/// Returns a note for rejected tokens, whose times come from the local clock,
/// if that is far off.
pub(in crate::transport) fn clock_skew(response: &HttpResponse, wall: SystemTime) -> Option<String> {
    let server = response.date()?;
    let (skew, direction) = match wall.duration_since(server) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(error) => (error.duration(), "behind"),
    };
    // A `Date` of 1970 says nothing of the local clock.
    let plausible = server > UNIX_EPOCH + YEAR_2020 && skew > TOLERATED_SKEW;
    plausible.then(|| format!("the local clock is {} s {direction} the server's", skew.as_secs()))
}

const YEAR_2020: Duration = Duration::from_secs(1_577_836_800);

const TOLERATED_SKEW: Duration = Duration::from_secs(300);
