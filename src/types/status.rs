//! Why a call or an operation failed.

use std::fmt::{self, Write};
use std::time::Duration;

use prost::{Message, Name};

use crate::error::Error;
use crate::json::{Invalid, Raw, Reader, Writer};
use crate::types::rpc::RetryInfo;
use crate::types::text::Source;
use crate::types::{Any, Code};

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
    message: String,
    details: Vec<Any>,
}

impl Status {
    /// Makes a status without details.
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

    /// Reads the JSON form of a `google.rpc.Status`, where `code` is a number of `google.rpc.Code`.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the text is not that, or nests deeper than 127 levels.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let status = Reader::document(text, Reader::value).and_then(|raw| {
            raw.check_depth()?;
            Self::read(&Source::new(raw), raw)
        });
        status.map_err(|invalid| invalid.into_error("status"))
    }

    /// Gives the JSON form of a `google.rpc.Status`; the details are what came.
    ///
    /// A detail of protobuf bytes whose type has no JSON form here stands as base64 under `value`.
    pub fn to_json(&self) -> String {
        let mut writer = Writer::default();
        // Nothing here can be refused: the details came as JSON, or fall back to base64.
        let _ = self.write(&mut writer);
        writer.finish()
    }

    /// The canonical code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What went wrong, in English and for developers; may be empty.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// All details as they came, also those of unknown types.
    pub fn details(&self) -> &[Any] {
        &self.details
    }

    /// Gives the first detail of type `T` that can be read, such as an [`rpc::ErrorInfo`](crate::rpc::ErrorInfo).
    ///
    /// To learn why one cannot be read, [unpack](Any::unpack) it from the [details](Self::details).
    pub fn detail<T: Message + Name + Default>(&self) -> Option<T> {
        let name = T::full_name();
        self.details
            .iter()
            .filter(|detail| detail.type_name() == name)
            .find_map(|detail| detail.unpack().ok())
    }

    /// How long the server asks to wait before the next attempt, by a [`RetryInfo`].
    pub fn retry_delay(&self) -> Option<Duration> {
        self.detail::<RetryInfo>()?.delay()
    }

    /// Reads the object `raw`; the details share the text of `source`, around it.
    pub(super) fn read<'a>(source: &Source<'a>, raw: Raw<'a>) -> Result<Self, Invalid> {
        let mut status = Self::new(Code::Ok, "");
        raw.reader().fields(|name, reader| {
            match name {
                "code" => status.code = reader.value()?.integer::<i32>("a 32-bit integer")?.into(),
                "message" => status.message = reader.value()?.string()?.into(),
                "details" => drop(reader.elements(|reader| {
                    status.details.push(Any::read(source, reader.value()?)?);
                    Ok(())
                })?),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(status)
    }

    pub(super) fn write(&self, writer: &mut Writer) -> Result<(), Invalid> {
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

/// `NOT_FOUND: operation expired`, on one line whatever the server sent; without a message just the code.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if self.message.is_empty() {
            return Ok(());
        }
        f.write_str(": ")?;
        for char in self.message.chars() {
            if char.is_control() { write!(f, "{}", char.escape_default())? } else { f.write_char(char)? }
        }
        Ok(())
    }
}
