//! Durations as people write them: `500ms`, `10s`, `1h30m`.
//!
//! A unit is required, since tools disagree about what `10` means. Fractions
//! and signs are refused: `1.5s` is `1s500ms`.

use std::time::Duration;

/// Reads a duration: whole numbers with the units `d`, `h`, `m`, `s`, `ms`, the
/// largest first, each at most once. `0s` is valid.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    read(text).ok_or_else(|| "expected a duration such as 500ms, 10s, 15m or 1h30m".to_owned())
}

/// Reads the delay between polls, which has to keep a service from being polled
/// in a loop.
pub(crate) fn parse_interval(text: &str) -> Result<Duration, String> {
    parse(text).and_then(|interval| match interval >= SHORTEST_INTERVAL {
        true => Ok(interval),
        false => Err("expected at least 10ms".to_owned()),
    })
}

/// Returns the text that [`parse`] reads as this duration: `1h30m`. Less than a
/// millisecond is dropped.
pub(crate) fn show(duration: Duration) -> String {
    let mut left = duration.as_millis();
    let mut text = String::new();
    for (unit, millis) in UNITS {
        let (count, millis) = (left / u128::from(millis), u128::from(millis));
        left -= count * millis;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Returns `None` for anything that is no duration, and for one that does not
/// fit in 64 bits of milliseconds.
fn read(text: &str) -> Option<Duration> {
    let (mut rest, mut units, mut total) = (text, UNITS.iter(), Duration::ZERO);
    while !rest.is_empty() || text.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, behind) = behind.split_at(letters);
        // Each unit once, in falling order: the iterator goes on behind the last one.
        let (_, millis) = units.find(|(name, _)| *name == unit)?;
        let part = number.parse::<u64>().ok()?.checked_mul(*millis)?;
        total = total.checked_add(Duration::from_millis(part))?;
        rest = behind;
    }
    Some(total)
}

/// As for waits of the library.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// Units in milliseconds, the largest first: the order in which they may follow
/// each other.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let rows = [
            ("milliseconds", "500ms", Some(500)),
            ("seconds", "10s", Some(10_000)),
            ("minutes", "15m", Some(900_000)),
            ("two units", "1h30m", Some(5_400_000)),
            ("all units", "1d1h1m1s1ms", Some(90_061_001)),
            ("nothing to wait", "0s", Some(0)),
            ("no unit", "10", None),
            ("no number", "s", None),
            ("empty", "", None),
            ("a fraction", "1.5s", None),
            ("negative", "-1s", None),
            ("units in the wrong order", "30m1h", None),
            ("a unit twice", "1s1s", None),
            ("another unit", "1w", None),
            ("white space", "1 s", None),
            ("more than there is", "99999999999999999999s", None),
            ("an overflow", "18446744073709551615d", None),
        ];
        for (name, text, millis) in rows {
            assert_eq!(parse(text).ok(), millis.map(Duration::from_millis), "{name}");
        }
    }

    #[test]
    fn intervals_are_not_too_short() {
        for text in ["0s", "9ms", "0ms"] {
            assert_eq!(parse_interval(text), Err("expected at least 10ms".to_owned()), "{text}");
        }
        assert_eq!(parse_interval("10ms"), Ok(Duration::from_millis(10)));
        assert!(parse_interval("x").unwrap_err().contains("such as 500ms"));
    }

    #[test]
    fn a_shown_duration_reads_as_the_same() {
        for millis in [0, 1, 999, 1000, 61_000, 5_400_000, 90_061_001] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse(&show(duration)), Ok(duration));
        }
        assert_eq!(show(Duration::from_secs(5400)), "1h30m");
    }
}
