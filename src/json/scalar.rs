//! The scalars of ProtoJSON, in every spelling that parsers have to take.

use std::borrow::Cow;

use super::Raw;
use super::invalid::Invalid;

impl<'a> Raw<'a> {
    pub(crate) fn is_null(self) -> bool {
        self.text() == "null"
    }

    pub(crate) fn boolean(self) -> Result<bool, Invalid> {
        match self.text() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.expected("a boolean")),
        }
    }

    pub(crate) fn string(self) -> Result<Cow<'a, str>, Invalid> {
        let quoted = self.text().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        match quoted {
            None => Err(self.expected("a string")),
            Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
            Some(_) => serde_json::from_str(self.text())
                .map(Cow::Owned)
                .map_err(|_| Invalid::new("expected a string of whole characters")),
        }
    }

    /// An integer: a number or a string, also spelled `5.0` or `5e0`.
    pub(crate) fn integer<T: TryFrom<i128>>(self, what: &str) -> Result<T, Invalid> {
        let text = if self.text().starts_with('"') { self.string()? } else { Cow::Borrowed(self.text()) };
        integer(&text).and_then(|number| T::try_from(number).ok()).ok_or_else(|| self.expected(what))
    }
}

/// Reads a JSON number exactly; nothing if it is not whole, or far out of range.
fn integer(text: &str) -> Option<i128> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let exponent: i64 = exponent.parse().ok()?;
    let zeros = exponent.checked_add(whole.len() as i64)?.checked_sub(significant.len() as i64)?;
    let power = 10i128.checked_pow(u32::try_from(zeros).ok()?)?;
    let number = significant.parse::<i128>().ok()?.checked_mul(power)?;
    Some(if negative { -number } else { number })
}
