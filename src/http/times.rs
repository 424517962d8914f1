//! The headers of an answer that speak of time.

use std::time::{Duration, SystemTime};

use super::HttpResponse;

impl HttpResponse {
    /// `Retry-After` as seconds or as an HTTP date, which counts from the server's own `Date`, else
    /// from `wall`.
    pub(crate) fn retry_after(&self, wall: Option<SystemTime>) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let now = self.date().or(wall)?;
        http_date(value).map(|at| at.duration_since(now).unwrap_or_default())
    }

    /// The time by the clock of the server.
    pub(crate) fn date(&self) -> Option<SystemTime> {
        self.header("date").and_then(http_date)
    }
}

fn http_date(value: &str) -> Option<SystemTime> {
    let short = Some(value).filter(|value| value.len() <= 64)?;
    httpdate::parse_http_date(short).ok()
}
