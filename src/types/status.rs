//! Why a call or an operation failed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prost::{Message, Name};

use crate::error::Error;
use crate::json::{Invalid, Raw};
use crate::types::rpc::RetryInfo;
use crate::types::{Any, Code};

/// Why a call or an operation failed, a `google.rpc.Status`.
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

    /// Adds a detail.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Any>) -> Self {
        self.details.push(detail.into());
        self
    }

    /// Reads the JSON of a `google.rpc.Status`.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let raw = Raw::document(text);
        Self::read(&Arc::from(raw.text()), raw).map_err(|invalid| invalid.into_error("status"))
    }

    /// The `google.rpc.Status` as JSON.
    pub fn to_json(&self) -> String {
        let details: Vec<_> = self.details.iter().filter_map(|detail| detail.json().ok()).collect();
        let message = serde_json::Value::from(self.message.as_str());
        format!(
            r#"{{"code":{},"message":{message},"details":[{}]}}"#,
            i32::from(self.code),
            details.join(",")
        )
    }

    /// The canonical code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What went wrong, in English and for developers.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// All details, also those of unknown types.
    pub fn details(&self) -> &[Any] {
        &self.details
    }

    /// The first detail of type `T` that can be read.
    pub fn detail<T: Message + Name + Default>(&self) -> Option<T> {
        let name = T::full_name();
        self.details
            .iter()
            .filter(|detail| detail.type_name() == name)
            .find_map(|detail| detail.unpack().ok())
    }

    /// How long the server asks to wait before the next attempt.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.detail::<RetryInfo>()?.delay()
    }

    pub(super) fn read(whole: &Arc<str>, raw: Raw<'_>) -> Result<Self, Invalid> {
        let mut status = Self::new(Code::Ok, "");
        raw.fields(|name, value| {
            match name {
                "code" => status.code = value.integer::<i32>("a 32-bit integer")?.into(),
                "message" => status.message = value.string()?.into(),
                "details" => {
                    for detail in value.elements()? {
                        status.details.push(Any::read(whole, detail)?);
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(status)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            return write!(f, "{}", self.code);
        }
        write!(f, "{}: {}", self.code, self.message)
    }
}
