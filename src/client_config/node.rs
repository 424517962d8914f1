//! A place in a configuration, which knows its path.
//!
//! Configurations are written by hand and copied from clients in other
//! languages. So every message names the place:
//! `methodConfig[0].retryPolicy.maxAttempts`.

use std::time::Duration;

use serde_json::Value;

use crate::error::Error;
use crate::json::parse_duration;
use crate::types::Code;
use crate::util::excerpt::shown;

/// A JSON value and the path of keys that leads to it.
pub(super) struct ConfigNode<'a> {
    /// Never `null` below the root: a member that is `null` counts as absent.
    value: &'a Value,
    /// Keys joined by dots, with indices in brackets; empty at the root.
    path: String,
}

impl<'a> ConfigNode<'a> {
    /// Returns the node of a whole document.
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// Returns the member `key` of an object; `None` if it is absent or `null`.
    ///
    /// # Errors
    ///
    /// Fails if this is not an object.
    pub(super) fn get(&self, key: &str) -> Result<Option<Self>, Error> {
        let members = self.value.as_object().ok_or_else(|| self.expected("an object"))?;
        Ok(members.get(key).filter(|value| !value.is_null()).map(|value| self.member(key, value)))
    }

    /// Returns the member `key`, which must be there.
    pub(super) fn require(&self, key: &str) -> Result<Self, Error> {
        self.get(key)?.ok_or_else(|| self.member(key, self.value).error("is missing"))
    }

    /// Returns the error for a missing key that another key requires.
    pub(super) fn missing(&self, key: &str, why: &str) -> Error {
        self.member(key, self.value).error(&format!("is missing: {why}"))
    }

    /// Logs the members that have no effect. They may be misspelt, or newer
    /// than this crate, so they are not errors.
    pub(super) fn warn_of_others_than(&self, known: &[&str]) -> Result<(), Error> {
        for (key, node) in self.members()? {
            if !known.contains(&key) {
                let known = known.join("`, `");
                log::warn!("client config: `{}` has no effect: known are `{known}`", shown(&node.path));
            }
        }
        Ok(())
    }

    /// Returns all members of an object, `null` included.
    pub(super) fn members(&self) -> Result<Vec<(&'a str, Self)>, Error> {
        let members = self.value.as_object().ok_or_else(|| self.expected("an object"))?;
        Ok(members.iter().map(|(key, value)| (key.as_str(), self.member(key, value))).collect())
    }

    /// Returns all elements of an array.
    pub(super) fn elements(&self) -> Result<Vec<Self>, Error> {
        let elements = self.value.as_array().ok_or_else(|| self.expected("an array"))?;
        let at = |(index, value)| Self { value, path: format!("{}[{index}]", self.path) };
        Ok(elements.iter().enumerate().map(at).collect())
    }

    /// Returns the text of a string.
    pub(super) fn string(&self) -> Result<&'a str, Error> {
        self.value.as_str().ok_or_else(|| self.expected("a string"))
    }

    /// Returns a number of at least `least`.
    pub(super) fn number(&self, least: f64) -> Result<f64, Error> {
        // Integers become floating-point numbers here: exact up to 2^53, and no
        // time or count of a configuration is greater.
        let number = self.value.as_f64().filter(|number| *number >= least);
        number.ok_or_else(|| self.expected(&format!("a number of at least {least}")))
    }

    /// Returns a number of milliseconds, which may have a fraction. It must be
    /// greater than zero if time `must_pass`: a timeout, but not a delay.
    pub(super) fn millis(&self, must_pass: bool) -> Result<Duration, Error> {
        let duration = Duration::try_from_secs_f64(self.number(0.0)? / 1000.0).ok();
        let duration = duration.filter(|duration| !must_pass || !duration.is_zero());
        duration.ok_or_else(|| {
            self.expected("a number of milliseconds greater than 0, and less than 2^64 seconds")
        })
    }

    /// Returns a `google.protobuf.Duration` that is greater than zero: `1.5s`.
    pub(super) fn duration(&self) -> Result<Duration, Error> {
        let duration = self.value.as_str().and_then(parse_duration);
        let duration = duration.and_then(|duration| Duration::try_from(duration).ok());
        let duration = duration.filter(|duration| !duration.is_zero());
        duration.ok_or_else(|| self.expected("a duration greater than 0, such as `1.5s`"))
    }

    /// Returns an array of codes, by name in any case or by number.
    pub(super) fn codes(&self) -> Result<Vec<Code>, Error> {
        self.elements()?.iter().map(Self::code).collect()
    }

    /// Returns a code of `google.rpc.Code` that stands for an error: `OK` and
    /// unknown numbers are rejected.
    fn code(&self) -> Result<Code, Error> {
        let named = self.value.as_str().and_then(|name| name.to_ascii_uppercase().parse().ok());
        let number = self.value.as_i64().and_then(|number| i32::try_from(number).ok());
        let code = named.or(number.map(Code::from));
        let code = code.filter(|code| !matches!(code, Code::Ok | Code::Other(_)));
        code.ok_or_else(|| self.expected("a code of google.rpc.Code that stands for an error"))
    }

    /// Returns an error about the value.
    pub(super) fn error(&self, why: &str) -> Error {
        match self.path.as_str() {
            "" => Error::config(format!("client config: {why}")),
            path => Error::config(format!("client config: `{}`: {why}", shown(path))),
        }
    }

    /// Returns the error for a value of the wrong type or range.
    fn expected(&self, what: &str) -> Error {
        let found = match self.value {
            Value::Object(_) => "an object".to_owned(),
            Value::Array(_) => "an array".to_owned(),
            Value::String(text) => format!("`{}`", shown(text)),
            scalar => scalar.to_string(),
        };
        self.error(&format!("expected {what}, found {found}"))
    }

    /// Returns the node of a member. Keys other than plain words are quoted in
    /// the path: `interfaces."google.longrunning.Operations"`.
    fn member(&self, key: &str, value: &'a Value) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        let plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let path = match plain {
            true => format!("{}{dot}{key}", self.path),
            false => format!("{}{dot}\"{key}\"", self.path),
        };
        Self { value, path }
    }
}
