//! The text forms of google.protobuf.Duration and google.protobuf.Timestamp.

use prost_types::{Duration, Timestamp};

/// Reads `-1.5s`: up to nine digits after the point, at most about 10,000 years either way.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.strip_suffix('s')?;
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let seconds = i64::try_from(digits(whole)?).ok().filter(|seconds| *seconds <= MAX_DURATION)?;
    let nanos = fraction.map_or(Some(0), nanos)?;
    Some(Duration { seconds: sign * seconds, nanos: sign as i32 * nanos })
}

/// Writes a duration with 0, 3, 6 or 9 digits after the point; nothing if it is out of range or its parts
/// differ in sign.
pub(crate) fn duration_text(duration: &Duration) -> Option<String> {
    let Duration { seconds, nanos } = *duration;
    let in_range =
        (-MAX_DURATION..=MAX_DURATION).contains(&seconds) && (-MAX_NANOS..=MAX_NANOS).contains(&nanos);
    (in_range && seconds.signum() * i64::from(nanos.signum()) >= 0).then(|| duration.to_string())
}

/// Reads an RFC 3339 time with any offset, in the years 0001 to 9999.
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
    timestamp.seconds -= offset;
    timestamp.nanos = nanos;
    TIMESTAMPS.contains(&timestamp.seconds).then_some(timestamp)
}

/// Writes a time in UTC with 0, 3, 6 or 9 digits after the point; nothing if it is out of range.
pub(crate) fn timestamp_text(timestamp: &Timestamp) -> Option<String> {
    let in_range = TIMESTAMPS.contains(&timestamp.seconds) && (0..=MAX_NANOS).contains(&timestamp.nanos);
    in_range.then(|| timestamp.to_string())
}

/// Splits the offset off a time: what stands before it, and its seconds.
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

/// Reads numbers of just so many digits.
fn parts<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    let mut rest = text.split(separator);
    for (number, length) in numbers.iter_mut().zip(lengths) {
        *number = rest.next().filter(|part| part.len() == length).and_then(digits)?;
    }
    rest.next().is_none().then_some(numbers)
}

/// Reads one to nine digits after a point.
fn nanos(fraction: &str) -> Option<i32> {
    if !(1..=9).contains(&fraction.len()) {
        return None;
    }
    digits(&format!("{fraction:0<9}"))?.try_into().ok()
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

const MAX_DURATION: i64 = 315_576_000_000;

const MAX_NANOS: i32 = 999_999_999;

/// The seconds from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
const TIMESTAMPS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
