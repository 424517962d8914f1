//! The text forms of google.protobuf.Duration and google.protobuf.Timestamp.
//!
//! Reading accepts what ProtoJSON allows and rejects everything else, so what
//! was read can be written again. The ranges are those of the messages: about
//! 10,000 years either way, and the years 0001 to 9999.

use prost_types::{Duration, Timestamp};

/// Reads a duration: up to nine digits after the point, at most about 10,000
/// years either way.
///
/// ```text
/// 1.5s     1 s, 500 000 000 ns
/// -0.5s    0 s, -500 000 000 ns      the sign is that of the whole
/// 1e3s   .5s   +1s   1.s             None
/// ```
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.strip_suffix('s')?;
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    // Leading zeros are accepted.
    let seconds = i64::try_from(digits(whole)?).ok().filter(|seconds| *seconds <= MAX_DURATION)?;
    let nanos = fraction.map_or(Some(0), nanos)?;
    // Both parts have the sign, as the message requires.
    Some(Duration { seconds: sign * seconds, nanos: sign as i32 * nanos })
}

/// Writes a duration with 0, 3, 6 or 9 digits after the point; `None` if it is
/// out of range or its parts differ in sign.
pub(crate) fn duration_text(duration: &Duration) -> Option<String> {
    let Duration { seconds, nanos } = *duration;
    let in_range =
        (-MAX_DURATION..=MAX_DURATION).contains(&seconds) && (-MAX_NANOS..=MAX_NANOS).contains(&nanos);
    (in_range && seconds.signum() * i64::from(nanos.signum()) >= 0).then(|| duration.to_string())
}

/// Reads an RFC 3339 time with any offset, in the years 0001 to 9999.
///
/// ```text
/// 2024-02-29T12:00:00+02:00     1709200800 s
/// 1970-01-01T00:00:00.5Z        0 s, 500 000 000 ns
/// 2024-01-01 00:00:00Z          None: no `T`
/// 2024-01-01T00:00:60Z          None: no leap seconds
/// ```
pub(crate) fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let (date, time) = (text.get(..10)?, text.get(10..19)?);
    let (rest, offset) = offset(text.get(19..)?)?;
    let nanos = if rest.is_empty() { 0 } else { nanos(rest.strip_prefix('.')?)? };
    let [year, month, day] = parts(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = parts(time.strip_prefix('T')?, ':', [2, 2, 2])?;
    let part = |number: u64| u8::try_from(number).ok();
    let (month, day, hour) = (part(month)?, part(day)?, part(hour)?);
    let (minute, second) = (part(minute)?, part(second)?);
    let year = i64::try_from(year).ok()?;
    let mut timestamp = Timestamp::date_time(year, month, day, hour, minute, second).ok()?;
    // After the fields, since the offset may move the time into another year.
    timestamp.seconds -= offset;
    timestamp.nanos = nanos;
    TIMESTAMPS.contains(&timestamp.seconds).then_some(timestamp)
}

/// Writes a time in UTC with 0, 3, 6 or 9 digits after the point; `None` if it
/// is out of range.
pub(crate) fn timestamp_text(timestamp: &Timestamp) -> Option<String> {
    // Nanoseconds count forward, also before 1970.
    let in_range = TIMESTAMPS.contains(&timestamp.seconds) && (0..=MAX_NANOS).contains(&timestamp.nanos);
    in_range.then(|| timestamp.to_string())
}

/// Splits the offset off a time. Returns the text before it, and its seconds.
///
/// ```text
/// .25-23:59    .25, -86340
/// Z            "", 0
/// ```
fn offset(text: &str) -> Option<(&str, i64)> {
    if let Some(rest) = text.strip_suffix('Z') {
        return Some((rest, 0));
    }
    let (rest, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let sign = if offset.starts_with('+') { 1 } else { -1 };
    let [hours, minutes] = parts(offset.strip_prefix(['+', '-'])?, ':', [2, 2])?;
    let seconds = i64::try_from(hours * 3600 + minutes * 60).ok()?;
    (hours < 24 && minutes < 60).then_some((rest, sign * seconds))
}

/// Parses numbers of exactly these lengths, with `separator` between them.
fn parts<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    let mut rest = text.split(separator);
    for (number, length) in numbers.iter_mut().zip(lengths) {
        *number = rest.next().filter(|part| part.len() == length).and_then(digits)?;
    }
    rest.next().is_none().then_some(numbers)
}

/// Reads one to nine digits after a point: `5` is 500 000 000.
fn nanos(fraction: &str) -> Option<i32> {
    if !(1..=9).contains(&fraction.len()) {
        return None;
    }
    digits(&format!("{fraction:0<9}"))?.try_into().ok()
}

/// Parses digits. A sign, which Rust would accept, is rejected.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The seconds of the longest duration, as the message defines it.
const MAX_DURATION: i64 = 315_576_000_000;

/// The most nanoseconds beside the seconds.
const MAX_NANOS: i32 = 999_999_999;

/// The seconds from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
const TIMESTAMPS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, cases};

    #[test]
    fn durations() {
        let table = [
            ("0s", 0, 0, "0s"),
            ("-0s", 0, 0, "0s"),
            ("1.5s", 1, 500_000_000, "1.500s"),
            ("-1.5s", -1, -500_000_000, "-1.500s"),
            ("-0.5s", 0, -500_000_000, "-0.500s"),
            ("0.000001s", 0, 1_000, "0.000001s"),
            ("0.000000001s", 0, 1, "0.000000001s"),
            ("007s", 7, 0, "7s"),
            ("315576000000s", 315_576_000_000, 0, "315576000000s"),
            ("-315576000000.999999999s", -315_576_000_000, -999_999_999, "-315576000000.999999999s"),
        ];
        for (text, seconds, nanos, written) in table {
            let duration = Duration { seconds, nanos };
            assert_eq!(parse_duration(text), Some(duration), "{text}");
            assert_eq!(duration_text(&duration).as_deref(), Some(written), "{text}");
        }
    }

    #[test]
    fn no_durations() {
        let texts = [
            "",
            "s",
            "1",
            "1m",
            "1 s",
            " 1s",
            "1s ",
            "+1s",
            "--1s",
            "-s",
            ".5s",
            "1.s",
            "1.5.5s",
            "1e3s",
            "1.-5s",
            "1.0000000001s",
            "315576000001s",
            "-315576000001s",
            "99999999999999999999999s",
            "1,5s",
            "\u{661}s",
        ];
        for text in texts {
            assert_eq!(parse_duration(text), None, "{text:?}");
        }
        let table =
            [(315_576_000_001, 0), (0, 1_000_000_000), (1, -1), (-1, 1), (i64::MIN, 0), (0, i32::MIN)];
        for (seconds, nanos) in table {
            assert_eq!(duration_text(&Duration { seconds, nanos }), None, "{seconds} {nanos}");
        }
    }

    #[test]
    fn timestamps() {
        let table = [
            ("1970-01-01T00:00:00Z", 0, 0, "1970-01-01T00:00:00Z"),
            ("1970-01-01T00:00:00.5Z", 0, 500_000_000, "1970-01-01T00:00:00.500Z"),
            ("1969-12-31T23:59:59.000000001Z", -1, 1, "1969-12-31T23:59:59.000000001Z"),
            ("2026-08-21T10:00:00.123456Z", 1_787_306_400, 123_456_000, "2026-08-21T10:00:00.123456Z"),
            ("2024-02-29T12:00:00+02:00", 1_709_200_800, 0, "2024-02-29T10:00:00Z"),
            ("2024-02-29T12:00:00.25-23:59", 1_709_294_340, 250_000_000, "2024-03-01T11:59:00.250Z"),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0, "0001-01-01T00:00:00Z"),
            (
                "9999-12-31T23:59:59.999999999Z",
                253_402_300_799,
                999_999_999,
                "9999-12-31T23:59:59.999999999Z",
            ),
        ];
        for (text, seconds, nanos, written) in table {
            let timestamp = Timestamp { seconds, nanos };
            assert_eq!(parse_timestamp(text), Some(timestamp), "{text}");
            assert_eq!(timestamp_text(&timestamp).as_deref(), Some(written), "{text}");
        }
    }

    #[test]
    fn no_timestamps() {
        let texts = [
            "",
            "Z",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-01-01 00:00:00Z",
            "2024-01-01t00:00:00Z",
            "2024-01-01T00:00:00z",
            "2024-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.1234567890Z",
            "2024-01-01T00:00:00,5Z",
            "2024-1-01T00:00:00Z",
            "+2024-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00+00:60",
            "2024-01-01T00:00:00+0100",
            "2024-01-01T00:00:00+01:00Z",
            "2024-01-01T00:00:0\u{e9}Z",
            "\u{e9}024-01-01T00:00:00Z",
        ];
        for text in texts {
            assert_eq!(parse_timestamp(text), None, "{text:?}");
        }
        let table = [(-62_135_596_801, 0), (253_402_300_800, 0), (0, -1), (0, 1_000_000_000), (i64::MAX, 0)];
        for (seconds, nanos) in table {
            assert_eq!(timestamp_text(&Timestamp { seconds, nanos }), None, "{seconds} {nanos}");
        }
    }

    #[test]
    fn every_duration_round_trips() {
        cases(500, |random| {
            let seconds = random.within(-MAX_DURATION..=MAX_DURATION);
            let nanos = nanos(random) * if seconds < 0 { -1 } else { 1 };
            let duration = Duration { seconds, nanos };
            let text = duration_text(&duration).unwrap();
            assert_eq!(parse_duration(&text), Some(duration), "{text}");
        });
    }

    #[test]
    fn every_timestamp_round_trips() {
        cases(500, |random| {
            let timestamp = Timestamp { seconds: random.within(TIMESTAMPS), nanos: nanos(random) };
            let text = timestamp_text(&timestamp).unwrap();
            assert_eq!(parse_timestamp(&text), Some(timestamp), "{text}");
        });
    }

    #[test]
    fn whatever_is_taken_can_be_written() {
        cases(5000, |random| {
            let number = |random: &mut Random, most| random.within(0..=10i64.pow(most) - 1);
            let text = match random.below(3) {
                0 => format!("{}{}s", random.pick(&["", "-"]), number(random, 14)),
                1 => format!("{}.{}s", number(random, 14), number(random, 10)),
                _ => {
                    let (year, month, day) =
                        (number(random, 4), random.within(0..=19), random.within(0..=39));
                    let (hour, minute) = (random.within(0..=29), random.within(0..=69));
                    let zone = random.pick(&["Z", "+23:59", "-23:59"]);
                    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00{zone}")
                }
            };
            let odd = random.text("0123456789-:.TZs+ ", 40);
            for text in [text, odd] {
                let (duration, timestamp) = (parse_duration(&text), parse_timestamp(&text));
                assert!(duration.is_none_or(|duration| duration_text(&duration).is_some()), "{text}");
                assert!(timestamp.is_none_or(|timestamp| timestamp_text(&timestamp).is_some()), "{text}");
            }
        });
    }

    /// None, few, milliseconds, or any.
    fn nanos(random: &mut Random) -> i32 {
        let nanos = match random.below(4) {
            0 => 0,
            1 => random.within(0..=999),
            2 => random.within(0..=999) * 1_000_000,
            _ => random.within(0..=MAX_NANOS.into()),
        };
        nanos.try_into().unwrap()
    }
}
