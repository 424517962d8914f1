//! The error model of Google's APIs ([AIP-193](https://google.aip.dev/193)): a
//! code, a message for developers, and typed details.

use std::fmt;
use std::time::Duration;

use prost::{Message, Name};

use crate::error::Error;
use crate::json::{InvalidJson, JsonReader, JsonWriter, RawJson};
use crate::types::rpc::{ErrorInfo, QuotaFailure, RetryInfo};
use crate::types::text::SharedSource;
use crate::types::{Any, Code};
use crate::util::excerpt::long_excerpt;

/// Why a call or an operation failed: a [`google.rpc.Status`].
///
/// ```
/// use longrunning::rpc::ErrorInfo;
/// use longrunning::{Code, Status};
///
/// let status = Status::from_json(
///     r#"{"code": 7, "message": "API is off", "details": [
///         {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}]}"#,
/// )?;
/// assert_eq!(status.code(), Code::PermissionDenied);
/// assert_eq!(status.to_string(), "PERMISSION_DENIED: API is off");
/// assert_eq!(status.detail::<ErrorInfo>().unwrap().reason, "SERVICE_DISABLED");
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// [`google.rpc.Status`]: https://google.aip.dev/193
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    code: Code,
    /// As the service sent it; `Display` escapes and shortens it.
    message: String,
    details: Vec<Any>,
}

impl Status {
    /// Creates a status without details.
    ///
    /// ```
    /// use longrunning::{Code, Status};
    ///
    /// let status = Status::new(Code::NotFound, "no such operation");
    /// assert_eq!(status.to_string(), "NOT_FOUND: no such operation");
    /// ```
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new() }
    }

    /// Adds a detail: one of [`rpc`](crate::rpc), or any message as an [`Any`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::rpc::RetryInfo;
    /// use longrunning::{Code, Status};
    ///
    /// let retry = RetryInfo::after(Duration::from_secs(7));
    /// let status = Status::new(Code::Unavailable, "draining").with_detail(retry);
    /// assert_eq!(status.retry_delay(), Some(Duration::from_secs(7)));
    /// ```
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Any>) -> Self {
        self.details.push(detail.into());
        self
    }

    /// Parses the JSON form of a `google.rpc.Status`, whose `code` is a number
    /// of `google.rpc.Code`.
    ///
    /// ```
    /// use longrunning::{Code, Status};
    ///
    /// let status = Status::from_json(r#"{"code": 5, "message": "no such operation"}"#)?;
    /// assert_eq!(status.code(), Code::NotFound);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the text has another form, nests
    /// deeper than 127 levels, or has more than 1,024 details.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        // Syntax and depth are checked before the details are read.
        let status = JsonReader::document(text, JsonReader::value).and_then(|raw| {
            raw.check_depth()?;
            Self::read(&SharedSource::new(raw), raw)
        });
        status.map_err(|invalid| Error::invalid("status", invalid))
    }

    /// Returns the JSON form of a `google.rpc.Status`. The details are
    /// unchanged.
    ///
    /// A detail of protobuf bytes whose type has no JSON form in this crate is
    /// written as base64 under `value`.
    ///
    /// ```
    /// use longrunning::{Code, Status};
    ///
    /// assert_eq!(Status::new(Code::NotFound, "gone").to_json(), r#"{"code":5,"message":"gone"}"#);
    /// ```
    pub fn to_json(&self) -> String {
        let mut writer = JsonWriter::default();
        // Nothing here can be refused: the details came as JSON, or fall back to
        // base64.
        let _ = self.write(&mut writer);
        writer.finish()
    }

    /// Returns the canonical code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the message: an English text for developers, which may be empty.
    ///
    /// `Display` escapes and shortens it; this does not.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns all details unchanged, also those of unknown types. A response
    /// has at most 1,024.
    ///
    /// An operation whose error has more is a decoding error; for the error of
    /// a call, the others are dropped.
    ///
    /// ```
    /// use longrunning::Status;
    ///
    /// let status = Status::from_json(r#"{"code": 8, "details": [{"@type": "type.googleapis.com/x.Quota"}]}"#)?;
    /// assert_eq!(status.details()[0].type_name(), "x.Quota");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn details(&self) -> &[Any] {
        &self.details
    }

    /// Returns the first valid detail of type `T`, such as an
    /// [`rpc::ErrorInfo`](crate::rpc::ErrorInfo).
    ///
    /// To see why a detail is invalid, [unpack](Any::unpack) it from the
    /// [details](Self::details).
    ///
    /// ```
    /// use longrunning::rpc::ErrorInfo;
    /// use longrunning::{Code, Status};
    ///
    /// let status = Status::new(Code::Unavailable, "no machines")
    ///     .with_detail(ErrorInfo::new("STOCKOUT", "compute.googleapis.com"));
    /// assert_eq!(status.detail::<ErrorInfo>().unwrap().reason, "STOCKOUT");
    /// ```
    pub fn detail<T: Message + Name + Default>(&self) -> Option<T> {
        let name = T::full_name();
        self.details
            .iter()
            .filter(|detail| detail.type_name() == name)
            // An invalid detail must not hide a valid one of the same type.
            .find_map(|detail| detail.unpack().ok())
    }

    /// Returns the delay before the next attempt that the server requests with
    /// a [`RetryInfo`].
    ///
    /// ```
    /// use longrunning::{Code, Status};
    ///
    /// assert_eq!(Status::new(Code::Unavailable, "draining").retry_delay(), None);
    /// ```
    pub fn retry_delay(&self) -> Option<Duration> {
        self.detail::<RetryInfo>()?.delay()
    }

    /// Returns whether the details say that a quota is exhausted: by a reason,
    /// by a [`QuotaFailure`], or because there is a retry delay.
    ///
    /// Some services send `PERMISSION_DENIED` in that case, which is otherwise
    /// permanent.
    pub(crate) fn names_quota(&self) -> bool {
        let by_reason = |info: ErrorInfo| QUOTA_REASONS.contains(&plain(&info.reason).as_str());
        // In this order, because most errors have an ErrorInfo.
        self.detail::<ErrorInfo>().is_some_and(by_reason)
            || self.detail::<QuotaFailure>().is_some()
            || self.retry_delay().is_some()
    }

    /// Reads the object `raw`. The details share the text of `source`, of which
    /// it is a part.
    pub(super) fn read<'a>(source: &SharedSource, raw: RawJson<'a>) -> Result<Self, InvalidJson> {
        let mut status = Self::new(Code::Ok, "");
        raw.reader().fields(|name, reader| {
            match name {
                "code" => status.code = reader.value()?.integer::<i32>("a 32-bit integer")?.into(),
                "message" => status.message = reader.value()?.string()?.into(),
                "details" => drop(reader.elements(|reader| {
                    // Before the detail is stored: the error names the first
                    // one that is too many.
                    room_for_detail(status.details.len())?;
                    status.details.push(Any::read(source, reader.value()?)?);
                    Ok(())
                })?),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(status)
    }

    /// Writes the JSON form. `code` is always there, other members only if they
    /// are not empty.
    pub(super) fn write(&self, writer: &mut JsonWriter) -> Result<(), InvalidJson> {
        writer.object(|writer| {
            writer.member("code");
            writer.raw(&i32::from(self.code).to_string());
            if !self.message.is_empty() {
                writer.member("message");
                writer.string(&self.message);
            }
            if !self.details.is_empty() {
                writer.member("details");
                writer.array(&self.details, |writer, detail| detail.write(writer))?;
            }
            Ok(())
        })
    }
}

/// Returns an error if there is no room for another detail; `details` is the
/// number of those that are there.
pub(super) fn room_for_detail(details: usize) -> Result<(), InvalidJson> {
    if details < MOST_DETAILS {
        return Ok(());
    }
    Err(InvalidJson::new(format!("expected at most {MOST_DETAILS} details")))
}

/// Returns a reason in lower case and without `_`: `RATE_LIMIT_EXCEEDED` and
/// the older `rateLimitExceeded` are the same.
fn plain(reason: &str) -> String {
    reason.chars().filter(|char| *char != '_').map(|char| char.to_ascii_lowercase()).collect()
}

/// Reasons of `google.api.ErrorReason` and of the older error format, as
/// [`plain`] writes them. `dailyLimitExceededUnreg` is not one: it means that
/// the project is not registered.
const QUOTA_REASONS: [&str; 8] = [
    "concurrentlimitexceeded",
    "dailylimitexceeded",
    "quotaexceeded",
    "ratelimitexceeded",
    "resourcequotaexceeded",
    "servinglimitexceeded",
    "userratelimitexceeded",
    "variabletermlimitexceeded",
];

/// The limit on details. Two bytes of a response can become a detail, which
/// takes a hundred bytes of memory.
pub(super) const MOST_DETAILS: usize = 1024;

/// Writes `NOT_FOUND: operation expired` on one line of at most 1 KiB, whatever
/// the server sent; without a message just the code. The whole message is
/// [`Status::message`].
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => write!(f, "{}", self.code),
            message => write!(f, "{}: {}", self.code, long_excerpt(message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::rpc::BadRequest;

    #[test]
    fn fields() {
        let table = [
            ("number", r#"{"code":5,"message":"m"}"#, r#"{"code":5,"message":"m"}"#, "NOT_FOUND: m"),
            ("string", r#"{"code":"5"}"#, r#"{"code":5}"#, "NOT_FOUND"),
            ("float", r#"{"code":5.0}"#, r#"{"code":5}"#, "NOT_FOUND"),
            ("unknown code", r#"{"code":77,"message":"m"}"#, r#"{"code":77,"message":"m"}"#, "code 77: m"),
            ("empty", "{}", r#"{"code":0}"#, "OK"),
            ("nulls", r#"{"code":null,"message":null,"details":null}"#, r#"{"code":0}"#, "OK"),
            ("no details", r#"{"code":1,"details":[],"new":[{}]}"#, r#"{"code":1}"#, "CANCELLED"),
            (
                "escapes",
                r#"{"code":1,"message":"\u00e9\n"}"#,
                "{\"code\":1,\"message\":\"\u{e9}\\n\"}",
                "CANCELLED: \u{e9}\\n",
            ),
        ];
        for (name, read, written, display) in table {
            let status = Status::from_json(read).unwrap();
            assert_eq!(
                (status.to_json().as_str(), status.to_string().as_str()),
                (written, display),
                "{name}"
            );
        }
    }

    #[test]
    fn long_messages_are_shown_in_part() {
        let status = Status::new(Code::Internal, "x\u{202e}".repeat(1 << 20));
        let shown = status.to_string();
        assert!(shown.starts_with(r"INTERNAL: x\u{202e}x\u{202e}x") && shown.ends_with('…'), "{shown}");
        assert!(shown.len() < 1100 && status.message().len() == 4 << 20, "{shown}");
    }

    #[test]
    fn invalid_statuses_are_errors() {
        let table = [
            (
                r#"{"code":"NOT_FOUND"}"#,
                "status is not valid: `code`: expected a 32-bit integer, found a string",
            ),
            (
                r#"{"code":2147483648}"#,
                "status is not valid: `code`: expected a 32-bit integer, found a number",
            ),
            (r#"{"message":7}"#, "status is not valid: `message`: expected a string, found a number"),
            (r#"{"details":{}}"#, "status is not valid: `details`: expected an array, found an object"),
            (r#"{"details":[{},null]}"#, "status is not valid: `details[1]`: expected an object, found null"),
            (
                r#"{"details":[{"@type":1}]}"#,
                "status is not valid: `details[0].@type`: expected a string, found a number",
            ),
            ("[]", "status is not valid: expected an object, found an array"),
        ];
        for (json, message) in table {
            assert_eq!(Status::from_json(json).unwrap_err().to_string(), message, "{json}");
        }
    }

    #[test]
    fn details_of_known_and_unknown_types() {
        let unknown = r#"{ "@type": "x/y.Z", "n": 18446744073709551615 }"#;
        let info = r#"{"@type":"other.host/google.rpc.ErrorInfo","reason":"R","metadata":{"k":"v"}}"#;
        let broken = r#"{"@type":"x/google.rpc.RetryInfo","retryDelay":"soon"}"#;
        let json = format!(r#"{{"code":9,"details":[{unknown},{broken},{info}]}}"#);
        let status = Status::from_json(&json).unwrap();
        assert_eq!(status.to_json(), json);
        assert_eq!(status.detail::<ErrorInfo>().unwrap().metadata["k"], "v");
        assert_eq!((status.detail::<BadRequest>(), status.retry_delay()), (None, None));
        assert_eq!(status.details()[0].json().unwrap(), unknown);
        let status = status.with_detail(RetryInfo::after(Duration::from_millis(1500)));
        assert_eq!(status.retry_delay(), Some(Duration::from_millis(1500)));
        assert_eq!(Status::from_json(&status.to_json()).unwrap().retry_delay(), status.retry_delay());
    }

    #[test]
    fn bytes_without_json_form_are_written_as_base64() {
        let detail = prost_types::Any { type_url: "x/y.Z".into(), value: vec![1, 2] };
        let status = Status::new(Code::Aborted, "").with_detail(detail);
        assert_eq!(status.to_json(), r#"{"code":10,"details":[{"@type":"x/y.Z","value":"AQI="}]}"#);
    }

    #[test]
    fn details_that_name_a_quota() {
        let rows = [
            ("RATE_LIMIT_EXCEEDED", true),
            ("rateLimitExceeded", true),
            ("userRateLimitExceeded", true),
            ("RESOURCE_QUOTA_EXCEEDED", true),
            ("quotaExceeded", true),
            ("dailyLimitExceededUnreg", false),
            ("SERVICE_DISABLED", false),
            ("accessNotConfigured", false),
            ("", false),
        ];
        for (reason, expected) in rows {
            let status = Status::new(Code::PermissionDenied, "m").with_detail(ErrorInfo::new(reason, "d"));
            assert_eq!(status.names_quota(), expected, "{reason}");
        }
        let empty = Status::new(Code::PermissionDenied, "m");
        assert!(!empty.names_quota());
        assert!(empty.clone().with_detail(QuotaFailure::default()).names_quota());
        assert!(empty.with_detail(RetryInfo::after(Duration::from_secs(1))).names_quota());
    }

    #[test]
    fn delays_that_are_none() {
        let negative = prost_types::Duration { seconds: -1, nanos: 0 };
        assert_eq!(RetryInfo { retry_delay: Some(negative) }.delay(), None);
        assert_eq!(RetryInfo::default().delay(), None);
        assert_eq!(RetryInfo::after(Duration::MAX).delay(), Some(Duration::from_secs(315_576_000_000)));
    }
}
