//! The headers of a response that speak of time.

use std::time::{Duration, SystemTime};

use super::response::HttpResponse;

impl HttpResponse {
    /// `Retry-After` as seconds or as an HTTP date, which counts from the
    /// server's own `Date`, else from `wall`.
    pub(crate) fn retry_after(&self, wall: Option<SystemTime>) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            // What does not fit is longer than anybody waits, and still no reason to come
            // back at once.
            return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
        }
        let now = self.date().or(wall)?;
        http_date(value).map(|at| at.duration_since(now).unwrap_or_default())
    }

    /// Returns the time by the clock of the server.
    pub(crate) fn date(&self) -> Option<SystemTime> {
        self.header("date").and_then(http_date)
    }
}

fn http_date(value: &str) -> Option<SystemTime> {
    let short = Some(value).filter(|value| value.len() <= 64)?;
    httpdate::parse_http_date(short).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_of_retry_after() {
        let rows = [
            ("3", Some(3)),
            (" 0 ", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", Some(u64::MAX)),
            ("99999999999999999999999999", Some(u64::MAX)),
            ("", None),
            ("+3", None),
            ("-3", None),
            ("3.5", None),
            ("soon", None),
        ];
        for (value, expected) in rows {
            let response = HttpResponse::new(503, "").with_header("retry-after", value);
            let found = response.retry_after(Some(SystemTime::UNIX_EPOCH));
            assert_eq!(found, expected.map(Duration::from_secs), "{value}");
        }
    }
}
