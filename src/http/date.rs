//! The headers of a response that contain a time: `Retry-After` and `Date`
//! ([RFC 9110 section
//! 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).

use std::time::{Duration, SystemTime};

use super::response::HttpResponse;

impl HttpResponse {
    /// Returns the delay of `Retry-After`; `None` without the header, or if it
    /// is invalid.
    ///
    /// An HTTP date counts from the `Date` of the response, so that the clocks
    /// of client and server need not agree; without that header it counts from
    /// `wall`. A date that has passed is a delay of zero.
    ///
    /// ```text
    /// 120                                  120 s
    /// Wed, 21 Oct 2015 07:28:00 GMT        the time from Date until then
    /// -1, 1.5, soon                        None
    /// 99999999999999999999                 u64::MAX seconds
    /// ```
    pub(crate) fn retry_after(&self, wall: Option<SystemTime>) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            // A number that does not fit is longer than any wait, and no reason
            // to come back at once.
            return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
        }
        let now = self.date().or(wall)?;
        http_date(value).map(|at| at.duration_since(now).unwrap_or_default())
    }

    /// Returns the time by the clock of the server; `None` if it sends none.
    pub(crate) fn date(&self) -> Option<SystemTime> {
        self.header("date").and_then(http_date)
    }
}

/// Parses a date in any of the three formats of RFC 9110 section 5.6.7. They
/// have at most 33 bytes; a longer text is not parsed.
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
