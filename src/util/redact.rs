//! Finds what may be a secret in text: keys, tokens, whole credentials files.
//!
//! Values end up in the wrong place: `--credentials "$(cat key.json)"`, a token
//! as the name of an operation, a key in the error of a proxy. They are known
//! by their form, so that messages can describe them instead of repeating them.
//! There are two questions, with two sets of functions:
//!
//! - What is this value? ([`suspicion`] and its kin.) A value that is a secret,
//!   or no URL, host or path at all, is not shown, not even in part.
//! - Which parts of this text are secrets? ([`redacted`], [`Masked`].) The rest
//!   is shown.
//!
//! The forms are those of Google's and AWS's credentials, PEM, JSON Web Tokens,
//! the schemes of the `Authorization` header, and fields whose names say that
//! they are secret. This is a second line of defence and cannot know every
//! secret: known ones are held as `Secret` and never printed.

use std::borrow::Cow;
use std::fmt;

/// Returns what a value seems to be if it cannot be a URL, host or option, or
/// may be a secret.
///
/// Returns `None` for plausible values, even if they are wrong.
///
/// ```text
/// run.gogleapis.com             None
/// {"type": "service_account"    JSON
/// AIzaSy…                       an API key
/// a file of 300 bytes           a segment of more than 255 bytes
/// ```
pub(crate) fn suspicion(value: &str) -> Option<&'static str> {
    suspicion_of_text(value).or_else(|| value.split(['/', '\\']).any(is_too_long).then_some(TOO_LONG))
}

/// Returns the same for the path of a file, which has one line.
pub(crate) fn suspicion_of_path(path: &str) -> Option<&'static str> {
    suspicion(path).or_else(|| path.trim().contains(LINE_BREAKS).then_some(SEVERAL_LINES))
}

/// Returns the same for the name of a resource, whose segments may be long.
///
/// Only a long first segment is suspicious, and only if it is as mixed as a
/// token is: in names it is a plain word as a rule (`operations`, `projects`).
pub(crate) fn suspicion_of_name(name: &str) -> Option<&'static str> {
    let long = || name.split('/').next().is_some_and(|first| is_too_long(first) && is_mixed(first));
    suspicion_of_text(name).or_else(|| long().then_some(TOO_LONG))
}

/// Returns `text` with `[redacted]` in place of every secret that is known by
/// its form. It does not copy a text without secrets.
///
/// ```text
/// no secret here                     no secret here
/// Authorization: Bearer ya29.a0A…    Authorization: Bearer [redacted]
/// ?key=AIzaSy…&alt=json              ?key=[redacted]&alt=json
/// ```
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    let (mut shown, mut at) = (String::new(), 0);
    while let Some(secret) = SecretForm::find(text, at) {
        shown += &text[at..secret.start];
        shown += REDACTED;
        at = secret.end;
    }
    if at == 0 { text.into() } else { (shown + &text[at..]).into() }
}

/// Prints a value as its `Debug` does, without the secrets that are known by
/// their form.
///
/// It is for values that may have one in the wrong place, such as the name of
/// an operation.
pub(crate) struct Masked<'a, T: ?Sized>(pub(crate) &'a T);

impl<T: fmt::Debug + ?Sized> fmt::Debug for Masked<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printed = if f.alternate() { format!("{:#?}", self.0) } else { format!("{:?}", self.0) };
        f.write_str(&redacted(&printed))
    }
}

/// Returns what a whole value seems to be; see [`suspicion`].
fn suspicion_of_text(value: &str) -> Option<&'static str> {
    let value = value.trim_matches(|c: char| c.is_whitespace() || c == BYTE_ORDER_MARK);
    if is_json(value) {
        return Some("JSON");
    }
    if value.contains(PEM) {
        return Some("a PEM block");
    }
    if value.contains("private_key") {
        return Some("a private key");
    }
    let secret = SecretForm::find(value, 0).map(|secret| secret.what);
    // A short one is a slip, such as a line break at the end of an option, and
    // is better understood when it is seen.
    let several = || value.len() > LONGEST_SLIP && value.contains(LINE_BREAKS);
    secret.or_else(|| several().then_some(SEVERAL_LINES))
}

/// Returns whether text starts like an object, or a list of objects or strings.
/// The variable of a path template (`{name=**}`) is none.
fn is_json(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('{') else {
        return text.strip_prefix('[').is_some_and(|list| list.trim_start().starts_with(['{', '"']));
    };
    let variable = inside.trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '_' || c == '.');
    variable.len() == inside.len() || !variable.starts_with(['=', '}'])
}

/// Returns whether a segment is longer than the names of any common file
/// system.
fn is_too_long(segment: &str) -> bool {
    segment.len() > 255
}

/// Returns whether a text has small letters, capitals and digits, as random
/// text has.
fn is_mixed(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| text.as_bytes().iter().any(kind);
    has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit)
}

/// Where a secret is in a text, in bytes, and what it is. `start` and `end` are
/// at boundaries of characters.
struct SecretForm {
    start: usize,
    end: usize,
    what: &'static str,
}

impl SecretForm {
    /// Returns the first secret that starts at `from` or behind it.
    fn find(text: &str, from: usize) -> Option<Self> {
        (from..text.len()).filter(|at| text.is_char_boundary(*at)).find_map(|at| Self::at(text, at))
    }

    /// Returns the secret that starts at `at`, in the order PEM, token, field:
    /// a PEM block in a field is found as a block.
    fn at(text: &str, at: usize) -> Option<Self> {
        let (before, rest) = text.split_at(at);
        // Most characters begin no secret, and this runs for each one.
        if !rest.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '-') {
            return None;
        }
        let (skipped, length, what) =
            pem(rest).or_else(|| token(before, rest)).or_else(|| field(before, rest))?;
        Some(Self { start: at + skipped, end: at + skipped + length, what })
    }
}

/// How many bytes before the secret may be shown (the scheme, the name of the
/// field), the length of the secret, and what it is.
type Extent = (usize, usize, &'static str);

/// Returns a PEM block that has a body. A message that only mentions how such a
/// block begins holds no secret.
fn pem(rest: &str) -> Option<Extent> {
    let label = rest.strip_prefix(PEM)?;
    // The body follows after line breaks, which JSON and query strings escape.
    let body =
        label.find("-----").map(|at| skip(&label[at + 5..], &["\n", "\r", "\\", "n", "r", " ", "%0A"]));
    let has_body = |body: &str| body.starts_with(|c: char| c.is_ascii_alphanumeric() || "+/%".contains(c));
    body.is_none_or(has_body).then(|| (0, pem_length(rest), "a PEM block"))
}

/// Returns the length of a PEM block: to the end of its `END` line, or of the
/// text if the block is cut off.
fn pem_length(text: &str) -> usize {
    let end = text.find("-----END").map(|at| at + "-----END".len());
    let rest = end.and_then(|at| Some(at + text[at..].find("-----")? + "-----".len()));
    rest.unwrap_or(text.len())
}

/// Returns a token that is known by its first characters, or by the scheme in
/// front of it.
fn token(before: &str, rest: &str) -> Option<Extent> {
    for (prefix, what) in SCHEMES {
        let after = strip_prefix_ignoring_case(rest, prefix).filter(|_| starts_word(before));
        let length = after.map_or(0, token_length);
        if length >= SHORTEST_CREDENTIAL {
            return Some((prefix.len(), length, what));
        }
    }
    let TokenForm { what, .. } = TOKENS.iter().find(|form| form.begins(before, rest))?;
    Some((0, token_length(rest).max(1), what))
}

/// Returns the value of a field, parameter or variable whose name says that it
/// is secret.
///
/// ```text
/// "client_secret": "abc"             abc
/// client_secret%3Dabc                abc
/// invalid access_token: expired      None
/// ?key=abc                           abc
/// monkey=abc                         None
/// ```
fn field(before: &str, rest: &str) -> Option<Extent> {
    let (name, after) = FIELDS.iter().find_map(|name| Some((*name, rest.strip_prefix(name)?)))?;
    if name == "key" && !before.ends_with(['?', '&']) {
        return None;
    }
    let (assigned, is_equals) = skip_separator(after)?;
    let value = skip(assigned, &["\"", "'", "\\", " ", "%22", "%20"]);
    let quoted = assigned.len() > value.len() && value.len() < assigned.trim_start().len();
    let length = value_length(value, quoted);
    // A sentence such as `invalid access_token: expired` has no value.
    let is_value = is_equals || quoted || length >= SHORTEST_UNQUOTED;
    (is_value && length > 0).then(|| (rest.len() - value.len(), length, "credentials"))
}

/// Skips what stands between a name and its value, and returns whether that was
/// `=`. Quotes, spaces and escapes around it are skipped too.
fn skip_separator(text: &str) -> Option<(&str, bool)> {
    let text = skip(text, &["\"", "'", "\\", " ", "%22", "%20"]);
    [("=", true), ("%3D", true), (":", false), ("%3A", false)]
        .into_iter()
        .find_map(|(separator, is_equals)| Some((text.strip_prefix(separator)?, is_equals)))
}

/// Skips all of `any` at the beginning of a text, in any order.
fn skip<'t>(mut text: &'t str, any: &[&str]) -> &'t str {
    while let Some(after) = any.iter().find_map(|each| text.strip_prefix(each)) {
        text = after;
    }
    text
}

/// Returns the length of a value: to the closing quote, or to a delimiter if it
/// is not quoted.
fn value_length(value: &str, quoted: bool) -> usize {
    let ends: &[char] =
        if quoted { &['"', '\'', '\\'] } else { &['"', '\'', '&', ' ', ',', '}', '\n', '\r', '`'] };
    // A key with escaped line breaks (`\n`) would end at the first backslash.
    if value.starts_with(PEM) { pem_length(value) } else { value.find(ends).unwrap_or(value.len()) }
}

/// Returns the length of the token at the beginning of a text: its base64,
/// percent-encoded or dotted characters.
fn token_length(text: &str) -> usize {
    let inside = |c: char| c.is_ascii_alphanumeric() || "-._~+/=%:".contains(c);
    let length = text.find(|c| !inside(c)).unwrap_or(text.len());
    // The dot at the end of a sentence is not part of the token.
    text[..length].trim_end_matches(['.', ':']).len()
}

/// Strips a prefix of ASCII letters in any case: schemes are case-insensitive
/// (RFC 9110 section 11.1).
fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

/// Returns whether a word can begin behind `before`: behind anything but a
/// letter or digit, or behind a character that is percent-encoded or escaped,
/// as in `%3DeyJ` and `\neyJ`.
fn starts_word(before: &str) -> bool {
    let encoded = |tail: &[u8]| matches!(tail, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    let bytes = before.as_bytes();
    let tail = |length: usize| bytes.get(bytes.len().saturating_sub(length)..).unwrap_or_default();
    !bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        || encoded(tail(3))
        || matches!(tail(2), [b'\\', b'n' | b'r' | b't'])
}

/// How one kind of token is recognised.
struct TokenForm {
    /// The characters that it starts with.
    prefix: &'static str,
    /// What messages call it.
    what: &'static str,
    /// Whether it has to stand at the beginning of a word, since the prefix
    /// occurs in other words.
    at_word: bool,
    /// How many letters, digits, `-` and `_` have to follow the prefix.
    following: usize,
}

impl TokenForm {
    /// Creates the form of a token that is recognized wherever it stands,
    /// because its prefix is in no word.
    const fn anywhere(prefix: &'static str, what: &'static str) -> Self {
        Self { prefix, what, at_word: false, following: 0 }
    }

    /// Creates the form of a token that is recognized at the beginning of a
    /// word, with `following` characters behind its prefix.
    const fn at_word(prefix: &'static str, what: &'static str, following: usize) -> Self {
        Self { prefix, what, at_word: true, following }
    }

    /// Returns whether `rest` begins with such a token; `before` is the text in
    /// front of it.
    fn begins(&self, before: &str, rest: &str) -> bool {
        let Some(after) = rest.strip_prefix(self.prefix) else { return false };
        let follow = after.bytes().take(self.following);
        (!self.at_word || starts_word(before))
            && follow.len() == self.following
            && follow.into_iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    }
}

/// Tokens by their first characters.
const TOKENS: [TokenForm; 12] = [
    TokenForm::anywhere("ya29.", "an access token"),
    TokenForm::anywhere("YA29.", "an access token"),
    TokenForm::anywhere("GOCSPX-", "a client secret"),
    TokenForm::anywhere("AIza", "an API key"),
    // Base64 of `{"`, with which JSON Web Tokens begin.
    TokenForm::at_word("eyJ", "a token", 1),
    TokenForm::at_word("1//", "a refresh token", 2),
    // A refresh token in the query of a URL.
    TokenForm::at_word("1%2F%2F", "a refresh token", 2),
    TokenForm::at_word("AKIA", "an AWS access key", 4),
    // `ASIA` is a word too, so more has to follow.
    TokenForm::at_word("ASIA", "an AWS access key", 6),
    TokenForm::at_word("IQoJb3JpZ2lu", "an AWS session token", 0),
    // Base64 of `-----BEGIN` and of the first line of a credentials file.
    TokenForm::at_word("LS0tLS1CRUdJTi", "an encoded PEM block", 0),
    TokenForm::at_word("ewogIC", "encoded JSON", 0),
];

/// The schemes of the `Authorization` header whose parameter is a secret.
const SCHEMES: [(&str, &str); 2] = [("Bearer ", "an access token"), ("Basic ", "a password")];
/// Names of fields with secrets. `key` counts only as a parameter of a URL.
const FIELDS: [&str; 10] = [
    "private_key",
    "client_secret",
    "refresh_token",
    "access_token",
    "id_token",
    "subject_token",
    "secret_access_key",
    "SecretAccessKey",
    "password",
    "key",
];
const LINE_BREAKS: [char; 2] = ['\n', '\r'];
const SEVERAL_LINES: &str = "text of several lines";
const TOO_LONG: &str = "a segment of more than 255 bytes";
/// Text of several lines is suspicious if it is longer than this.
const LONGEST_SLIP: usize = 64;
const PEM: &str = "-----BEGIN";
const REDACTED: &str = "[redacted]";
const BYTE_ORDER_MARK: char = '\u{feff}';
/// The length in bytes from which on the text after `Bearer` is a token; in a
/// sentence it is a shorter word.
const SHORTEST_CREDENTIAL: usize = 20;
/// The shortest value that counts without quotes and without `=`; words of a
/// sentence are shorter.
const SHORTEST_UNQUOTED: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_no_paths() {
        let long = "x".repeat(256);
        let rows = [
            ("{\"type\": \"service_account\"}", Some("JSON")),
            (" \u{feff}\n{}", Some("JSON")),
            ("{CANARY", Some("JSON")),
            ("[{\"a\": 1}]", Some("JSON")),
            ("\"private_key\": 1", Some("a private key")),
            ("-----BEGIN PRIVATE KEY-----\\nMII", Some("a PEM block")),
            (&format!("{}\nb", "a".repeat(64)), Some("text of several lines")),
            ("a\nb", None),
            ("ya29.a0", Some("an access token")),
            ("'Bearer ya29.a0'", Some("an access token")),
            ("Bearer 0123456789abcdefghij", Some("an access token")),
            ("https://host/AIzaSy", Some("an API key")),
            ("https://host/?key=AIzaSy", Some("credentials")),
            ("https://host/%22eyJhbGci", Some("a token")),
            ("\"eyJhbGci.x.y\"", Some("a token")),
            ("1//0gabc", Some("a refresh token")),
            ("?filter=1%2F%2F0gabc", Some("a refresh token")),
            ("GOCSPX-abc", Some("a client secret")),
            ("AKIAIOSFODNN7EXAMPLE", Some("an AWS access key")),
            ("x=ASIAIOSFODNN7EXAMPLE", Some("an AWS access key")),
            ("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t", Some("an encoded PEM block")),
            ("ewogICJ0eXBlIjogInNlcnZpY2U", Some("encoded JSON")),
            (&long, Some("a segment of more than 255 bytes")),
            ("/keys/robot.json", None),
            ("C:\\keys\\robot.json", None),
            ("/keys/robot.json\n", None),
            ("https://run.googleapis.com/v2/projects/p/locations/l/operations/42", None),
            ("projects/p/locations/ASIA/operations/heyJoe", None),
            ("{name=operations/**}", None),
            ("{name}", None),
            ("/v1//operations", None),
            ("[::1]:8080", None),
            ("Bearer of bad news", None),
            ("/secrets/client_secret.json", None),
            ("/run/access_token", None),
            ("", None),
        ];
        for (value, what) in rows {
            assert_eq!(suspicion(value), what, "{value}");
        }
        assert_eq!(suspicion_of_name(&format!("operations/{long}")), None);
        assert_eq!(suspicion_of_path("a\nb"), Some("text of several lines"));
        assert_eq!(suspicion_of_path("/keys/robot.json\n"), None);
        assert_eq!(suspicion_of_name(&long), None);
        assert_eq!(suspicion_of_name(&"aB3".repeat(86)), Some("a segment of more than 255 bytes"));
    }

    #[test]
    fn secrets_are_cut_out_of_text() {
        let rows = [
            ("API key AIzaSyCANARY is not valid.", "API key [redacted] is not valid."),
            ("token: ya29.CANARY.", "token: [redacted]."),
            ("sent `Bearer ya29.CANARY` and eyJCANARY", "sent `Bearer [redacted]` and [redacted]"),
            ("x?access_token=CANARY&b=1", "x?access_token=[redacted]&b=1"),
            (r#"{"refresh_token": "CANARY", "a": 1}"#, r#"{"refresh_token": "[redacted]", "a": 1}"#),
            ("%22client_secret%22%3A%22CANARY%22", "%22client_secret%22%3A%22[redacted]"),
            (
                r#"{"private_key": "-----BEGIN K-----\nCANARY\n-----END K-----\n", "b": 2}"#,
                r#"{"private_key": "[redacted]\n", "b": 2}"#,
            ),
            ("-----BEGIN K-----\nCANARY", "[redacted]"),
            ("x -----BEGIN%20K-----%0ACANARY", "x [redacted]"),
            (
                "expected `-----BEGIN PRIVATE KEY-----` and more",
                "expected `-----BEGIN PRIVATE KEY-----` and more",
            ),
            ("Missing required parameter: refresh_token", "Missing required parameter: refresh_token"),
            ("invalid access_token: expired", "invalid access_token: expired"),
            ("Bearer token is missing", "Bearer token is missing"),
            ("\u{e9}\u{1f600} nothing", "\u{e9}\u{1f600} nothing"),
        ];
        for (text, shown) in rows {
            assert_eq!(redacted(text), shown);
        }
    }
}
