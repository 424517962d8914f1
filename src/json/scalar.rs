//! The scalars of ProtoJSON, in every spelling that parsers have to accept.
//!
//! | type | accepted |
//! |---|---|
//! | boolean | `true`, `false` |
//! | string | any string without half of a surrogate pair |
//! | integer | `5`, `"5"`, `5.0`, `5e0`, `"500e-2"`, without loss of a digit |
//! | bytes | base64, standard or URL-safe, padded or not |
//!
//! `null` never gets here: for a message it is an absent field.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::json::{InvalidJson, RawJson};

impl<'a> RawJson<'a> {
    /// Returns a boolean, which is never quoted.
    pub(crate) fn boolean(self) -> Result<bool, InvalidJson> {
        match self.text() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.expected("a boolean")),
        }
    }

    /// Returns a string: a slice of the document, unless it has escapes.
    pub(crate) fn string(self) -> Result<Cow<'a, str>, InvalidJson> {
        let quoted = self.text().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let plain = quoted.ok_or_else(|| self.expected("a string"))?;
        if self.is_plain() || !plain.contains('\\') {
            return Ok(Cow::Borrowed(plain));
        }
        // The syntax is known to be right, so all that can fail is half of a surrogate
        // pair.
        let unescaped = serde_json::from_str(self.text()).map(Cow::Owned);
        unescaped.map_err(|_| InvalidJson::new("expected whole surrogate pairs in a string"))
    }

    /// Returns an integer: a number or a string, also one that is spelled `5.0`
    /// or `5e0`.
    ///
    /// `what` names the type in the error, which is also that of a number out
    /// of its range.
    pub(crate) fn integer<T: TryFrom<i128>>(self, what: &str) -> Result<T, InvalidJson> {
        let number = exact_integer(&self.number(what)?).and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| self.expected(what))
    }

    /// Returns the text of a number, or of a string in its place. The text of a
    /// string is not checked.
    pub(crate) fn number(self, what: &str) -> Result<Cow<'a, str>, InvalidJson> {
        match self.text().as_bytes().first() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => Ok(Cow::Borrowed(self.text())),
            _ => Err(self.expected(what)),
        }
    }

    /// Decodes base64, standard or URL-safe, padded or not.
    ///
    /// ```text
    /// "AQI="   "AQI"    01 02
    /// "-_8"    "+/8="   fb ff
    /// ```
    pub(crate) fn bytes(self) -> Result<Vec<u8>, InvalidJson> {
        // One decoder for both alphabets, which differ in two characters.
        let standard = self.string()?.replace('-', "+").replace('_', "/");
        BASE64.decode(standard).map_err(|_| InvalidJson::new("expected base64"))
    }
}

/// Encodes bytes in the standard alphabet, padded.
pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

// Protobuf's own parsers take any padding and ignore the bits beyond the last
// whole byte.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Reads a number to its last digit; `None` if it is not whole or far out of
/// range. A double would lose digits beyond 2^53.
///
/// ```text
/// 922337203685477580.7e1    9223372036854775807
/// 500e-2                    5
/// 0.000e9999999             0
/// 0.5   1e40   05   +5      None
/// ```
fn exact_integer(text: &str) -> Option<i128> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let exponent: i64 = exponent.parse().ok()?;
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    // The number is its significant digits and this many zeros. Fewer than none
    // means that it has a fraction.
    let zeros = exponent.checked_add(whole.len() as i64)?.checked_sub(significant.len() as i64)?;
    // Checked, so that an exponent from outside costs no time and overflows
    // nothing.
    let power = 10i128.checked_pow(u32::try_from(zeros).ok()?)?;
    significant.parse::<i128>().ok()?.checked_mul(power)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonReader;
    use crate::random::cases;

    fn raw(text: &str) -> RawJson<'_> {
        JsonReader::document(text, JsonReader::value).unwrap()
    }

    #[test]
    fn integers() {
        let table = [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("5", Some(5)),
            (r#""5""#, Some(5)),
            ("5.0", Some(5)),
            (r#""5.00""#, Some(5)),
            ("5e0", Some(5)),
            ("5E+1", Some(50)),
            ("500e-2", Some(5)),
            ("0.5e1", Some(5)),
            ("0.000e9999999", Some(0)),
            (r#""-1""#, Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            (r#""-9223372036854775808""#, Some(i64::MIN)),
            ("9223372036854775807.0", Some(i64::MAX)),
            ("922337203685477580.7e1", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("1e40", None),
            ("1e-1", None),
            ("1e99999999999999999999", None),
            ("0.5", None),
            (r#""""#, None),
            (r#"" 5""#, None),
            (r#""5 ""#, None),
            (r#""+5""#, None),
            (r#""05""#, None),
            (r#""5.""#, None),
            (r#""0x5""#, None),
            (r#""NaN""#, None),
            ("true", None),
            ("null", None),
            ("[5]", None),
        ];
        for (text, expected) in table {
            assert_eq!(raw(text).integer::<i64>("an integer").ok(), expected, "{text}");
        }
        assert_eq!(raw("18446744073709551615").integer("an integer").ok(), Some(u64::MAX));
        assert!(raw("2147483648").integer::<i32>("an integer").is_err());
        assert!(raw("-1").integer::<u32>("an integer").is_err());
    }

    #[test]
    fn strings() {
        let table = [
            (r#""""#, Some("")),
            (r#""plain""#, Some("plain")),
            (r#""\"\\\/\b\n\u00e9\ud83d\ude00""#, Some("\"\\/\u{8}\n\u{e9}\u{1f600}")),
            ("\"\u{e9}\u{1f600}\"", Some("\u{e9}\u{1f600}")),
            (r#""\ud83d""#, None),
            (r#""\ude00\ud83d""#, None),
            ("5", None),
            ("null", None),
        ];
        for (text, expected) in table {
            assert_eq!(raw(text).string().ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn base64_of_either_alphabet() {
        let table: [(&str, Option<&[u8]>); 9] = [
            (r#""""#, Some(b"")),
            (r#""AQI=""#, Some(&[1, 2])),
            (r#""AQI""#, Some(&[1, 2])),
            (r#""+/8=""#, Some(&[0xfb, 0xff])),
            (r#""-_8""#, Some(&[0xfb, 0xff])),
            (r#""-_""#, Some(&[0xfb])),
            (r#""A""#, None),
            (r#""AQ I""#, None),
            ("[1]", None),
        ];
        for (text, expected) in table {
            assert_eq!(raw(text).bytes().ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn every_spelling_of_an_integer() {
        cases(500, |random| {
            let (number, zeros) = (random.within(i64::MIN..=i64::MAX), random.below(6));
            let (noughts, wide) = ("0".repeat(zeros), i128::from(number) * 10i128.pow(zeros as u32));
            let spellings = [
                format!("{number}"),
                format!("\"{number}\""),
                format!("{number}.0{noughts}"),
                format!("{number}e+0"),
                format!("\"{wide}e-{zeros}\""),
            ];
            for text in spellings {
                assert_eq!(raw(&text).integer::<i64>("an integer").ok(), Some(number), "{text}");
            }
        });
    }
}
