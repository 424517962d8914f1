//! Work that outlives the call that started it.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::json::{Invalid, Raw};
use crate::types::{Any, Outcome, Status};

/// The state of a long-running operation, a `google.longrunning.Operation`.
#[derive(Clone, PartialEq)]
pub struct Operation {
    name: Box<str>,
    done: bool,
    metadata: Option<Any>,
    response: Option<Any>,
    error: Option<Box<Status>>,
    text: Option<Arc<str>>,
}

impl Operation {
    /// Makes an operation that is not done.
    pub fn running(name: impl Into<String>) -> Self {
        let name = name.into().into();
        Self { name, done: false, metadata: None, response: None, error: None, text: None }
    }

    /// Makes an operation that is done and has a response.
    pub fn succeeded(name: impl Into<String>, response: impl Into<Any>) -> Self {
        Self { done: true, response: Some(response.into()), ..Self::running(name) }
    }

    /// Makes an operation that is done and failed.
    pub fn failed(name: impl Into<String>, error: Status) -> Self {
        Self { done: true, error: Some(Box::new(error)), ..Self::running(name) }
    }

    /// Sets the metadata.
    #[must_use]
    pub fn with_metadata(self, metadata: impl Into<Any>) -> Self {
        Self { metadata: Some(metadata.into()), text: None, ..self }
    }

    /// Reads the JSON of an operation.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        Self::read(Raw::document(text)).map_err(|invalid| invalid.into_error("operation"))
    }

    /// The operation as JSON; exactly what the server sent, if it came from one.
    pub fn to_json(&self) -> String {
        if let Some(text) = &self.text {
            return text.to_string();
        }
        let mut json = format!(r#"{{"name":{}"#, serde_json::Value::from(&*self.name));
        if let Some(metadata) = &self.metadata {
            json += &format!(r#","metadata":{}"#, metadata.json().unwrap_or_default());
        }
        if self.done {
            json += r#","done":true"#;
        }
        if let Some(error) = &self.error {
            json += &format!(r#","error":{}"#, error.to_json());
        }
        if let Some(response) = &self.response {
            json += &format!(r#","response":{}"#, response.json().unwrap_or_default());
        }
        json + "}"
    }

    /// The name that the service gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the work is over.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// How the work is getting on, in a message of the service's own.
    pub fn metadata(&self) -> Option<&Any> {
        self.metadata.as_ref()
    }

    /// What the work gave.
    pub fn response(&self) -> Option<&Any> {
        self.response.as_ref()
    }

    /// Why the work failed.
    pub fn error(&self) -> Option<&Status> {
        self.error.as_deref()
    }

    /// What came of the work.
    pub fn outcome(&self) -> Outcome<'_> {
        match (self.done, self.error(), self.response()) {
            (false, ..) => Outcome::Running,
            (true, Some(_), Some(_)) => Outcome::Malformed("both `error` and `response` are set"),
            (true, Some(error), None) if i32::from(error.code()) == 0 => {
                Outcome::Malformed("`error` has code 0")
            }
            (true, Some(error), None) => Outcome::Failed(error),
            (true, None, response) => Outcome::Succeeded(response),
        }
    }

    /// Decodes the response of an operation that succeeded.
    pub fn into_response<T: DeserializeOwned>(self) -> Result<T, Error> {
        match self.outcome() {
            Outcome::Succeeded(Some(response)) => response.decode(),
            Outcome::Succeeded(None) => serde_json::from_str("null")
                .map_err(|cause| Error::decode("operation has no response").with_source(cause)),
            other => Err(Error::decode(format!("operation `{}` {other}", self.name))),
        }
    }

    /// Reads one operation of a page.
    pub(super) fn read(raw: Raw<'_>) -> Result<Self, Invalid> {
        raw.check_depth()?;
        let text: Arc<str> = raw.text().into();
        let mut operation = Self::running("");
        Raw::document(&text).fields(|name, value| {
            match name {
                "name" => operation.name = value.string()?.into(),
                "done" => operation.done = value.boolean()?,
                "metadata" => operation.metadata = Some(Any::read(&text, value)?),
                "response" => operation.response = Some(Any::read(&text, value)?),
                "error" => operation.error = Some(Box::new(Status::read(&text, value)?)),
                _ => {}
            }
            Ok(())
        })?;
        operation.text = Some(text.clone());
        Ok(operation)
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Operation");
        debug.field("name", &self.name).field("outcome", &format_args!("{}", self.outcome()));
        debug.field("metadata", &self.metadata).field("response", &self.response).finish()
    }
}
