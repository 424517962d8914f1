//! Credentials files: JSON objects that hold secrets. Files of every kind are
//! read through here.
//!
//! A [`KeyFile`] is taken apart field by field. Taking removes a field, so each
//! value is in one place only, and what was not taken is wiped at the end.
//! Three rules hold for all fields:
//!
//! - An absent field, `null` and the empty text are the same.
//! - A URL is checked by the policy when it is taken.
//! - Messages name the file and the field, and never show a value.

use std::path::Path;

use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use crate::auth::CredentialsPolicy;
use crate::error::Error;
use crate::util::excerpt::shown;
use crate::util::file::{self, FileError, ReadLimits};
use crate::util::secret::Secret;

/// The fields of a credentials file. What is left is wiped when this is
/// dropped, so take what is needed.
pub(super) struct KeyFile {
    /// What messages call it: a path, `credentials JSON`, or a field of another
    /// file.
    origin: String,
    /// The fields that were not taken yet.
    fields: Map<String, Value>,
    /// What the file may name.
    policy: CredentialsPolicy,
}

impl KeyFile {
    /// Reads a file or a pipe of at most 1 MiB; symbolic links are followed.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Config`, if it cannot be read or is not a JSON object.
    pub(super) fn read(path: &Path, policy: &CredentialsPolicy) -> Result<Self, Error> {
        if let Some(what) = file::misplaced(path) {
            return Err(Error::config(format!(
                "path of a credentials file contains {what}; {PATH_EXPECTED}"
            )));
        }
        let origin = format!("credentials file `{}`", file::shown(path));
        let limits = ReadLimits::within(policy.pipe_timeout(), None);
        let text = file::read(path, &limits).map_err(|FileError { why, cause, .. }| {
            let error = Error::credentials(&origin, why);
            cause.into_iter().fold(error, Error::with_source)
        })?;
        // After reading, so that a file that cannot be read gives one message
        // and not two.
        file::warn_if_exposed(path);
        Self::parse_as(origin, &text, policy)
    }

    /// Parses the text of a file.
    pub(super) fn parse(json: &[u8], policy: &CredentialsPolicy) -> Result<Self, Error> {
        Self::parse_as(JSON.into(), json, policy)
    }

    /// Uses a file that the program has parsed.
    pub(super) fn from_value(value: Value, policy: &CredentialsPolicy) -> Result<Self, Error> {
        Self::from_value_as(JSON.into(), value, policy)
    }

    /// Parses a text; `origin` is what messages call it.
    fn parse_as(origin: String, json: &[u8], policy: &CredentialsPolicy) -> Result<Self, Error> {
        // `serde_json` rejects the mark.
        let json = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
        match serde_json::from_slice(json) {
            Ok(value) => Self::from_value_as(origin, value, policy),
            // Not the parser's own message: it quotes the text, which may be a
            // secret.
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                Err(Error::credentials(
                    &origin,
                    format_args!("cannot be parsed as JSON: line {line}, column {column}"),
                ))
            }
        }
    }

    /// Accepts an object, and wipes anything else.
    fn from_value_as(origin: String, value: Value, policy: &CredentialsPolicy) -> Result<Self, Error> {
        match value {
            Value::Object(fields) => Ok(Self { origin, fields, policy: policy.clone() }),
            mut other => {
                // A value of another type may hold a secret too, for instance
                // in a list.
                wipe(&mut other);
                let found = kind_of(&other);
                Err(Error::credentials(&origin, format_args!("is {found}: expected a JSON object")))
            }
        }
    }

    /// Rejects a file whose `type` is another one. A file without a type is
    /// accepted if it has the fields.
    pub(super) fn expect_type(&mut self, expected: &str) -> Result<(), Error> {
        match self.text("type")? {
            Some(found) if found != expected => {
                Err(self.error(format_args!("is of {}: expected `{expected}`", type_shown(&found))))
            }
            _ => Ok(()),
        }
    }

    /// Takes fields that must be there. The error names all that are missing,
    /// so that one look at it is enough.
    pub(super) fn require<const N: usize>(
        &mut self,
        names: [&'static str; N],
    ) -> Result<[Zeroizing<String>; N], Error> {
        let mut found = std::array::from_fn(|_| Zeroizing::default());
        let mut missing = Vec::new();
        // All fields are taken before the error, to name all that are missing.
        for (slot, name) in found.iter_mut().zip(names) {
            match self.text(name)? {
                Some(text) => *slot = Zeroizing::new(text),
                None => missing.push(format!("`{name}`")),
            }
        }
        if missing.is_empty() {
            Ok(found)
        } else {
            Err(self.error(format_args!("lacks {}", missing.join(" and "))))
        }
    }

    /// Takes a field with a string; `None` if it is absent, `null` or empty.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        match self.fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(mut other) => {
                wipe(&mut other);
                let found = kind_of(&other);
                Err(self.error(format_args!("has {found} as `{name}`: expected a string")))
            }
        }
    }

    /// Takes a field with a URL to which secrets will be sent. It must be one
    /// that the policy allows.
    pub(super) fn url(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        let url = self.text(name)?;
        if let Some(url) = &url {
            self.policy.check_url(name, url).map_err(|why| self.error(why))?;
        }
        Ok(url)
    }

    /// Takes a list of strings; an absent one is empty.
    pub(super) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, Error> {
        let mut value = self.fields.remove(name).unwrap_or(Value::Null);
        let texts = match &value {
            Value::Null => Some(Vec::new()),
            Value::Array(values) => values.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        let found = kind_of(&value);
        wipe(&mut value);
        texts.ok_or_else(|| self.error(format_args!("has {found} as `{name}`: expected a list of strings")))
    }

    /// Takes an object as a file of its own, whose messages say where it is.
    pub(super) fn object(&mut self, name: &'static str) -> Result<Option<Self>, Error> {
        // Messages then read like ``credentials file `key.json`: `source` of
        // …``.
        let origin = format!("`{name}` of {}", self.origin);
        match self.fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => Self::from_value_as(origin, value, &self.policy).map(Some),
        }
    }

    /// Takes a field with the URL of a server that issues a subject token.
    pub(super) fn source_url(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        let url = self.text(name)?;
        if let Some(url) = &url {
            self.policy.check_source_url(name, url).map_err(|why| self.error(why))?;
        }
        Ok(url)
    }

    /// Takes a field with a URL of the metadata server of AWS.
    pub(super) fn aws_url(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        let url = self.text(name)?;
        if let Some(url) = &url {
            self.policy.check_aws_url(name, url).map_err(|why| self.error(why))?;
        }
        Ok(url)
    }

    /// Takes a boolean.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Error> {
        match self.fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(mut other) => {
                wipe(&mut other);
                let found = kind_of(&other);
                Err(self.error(format_args!("has {found} as `{name}`: expected `true` or `false`")))
            }
        }
    }

    /// Takes a whole number that is not negative.
    pub(super) fn number(&mut self, name: &'static str) -> Result<Option<u64>, Error> {
        match self.fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) if number.is_u64() => Ok(number.as_u64()),
            Some(mut other) => {
                wipe(&mut other);
                let found = kind_of(&other);
                Err(self.error(format_args!("has {found} as `{name}`: expected a whole number")))
            }
        }
    }

    /// Takes all fields, which have to be strings, such as those of `headers`.
    pub(super) fn into_texts(mut self) -> Result<Vec<(String, Secret)>, Error> {
        let mut texts = Vec::new();
        for (name, value) in std::mem::take(&mut self.fields) {
            match value {
                Value::String(text) => texts.push((name, Secret::new(text))),
                mut other => {
                    wipe(&mut other);
                    let (found, name) = (kind_of(&other), shown(&name));
                    return Err(self.error(format_args!("has {found} as `{name}`: expected a string")));
                }
            }
        }
        Ok(texts)
    }

    /// Returns the `type` of the file, and leaves it there.
    pub(super) fn kind(&self) -> Option<&str> {
        self.fields.get("type")?.as_str()
    }

    /// Rejects a type that the policy does not allow.
    pub(super) fn check_type(&self, found: &str) -> Result<(), Error> {
        self.policy.check_type(found).map_err(|why| self.error(why))
    }

    /// Returns an error about this file.
    pub(super) fn error(&self, why: impl std::fmt::Display) -> Error {
        Error::credentials(&self.origin, why)
    }
}

/// Wipes what was not taken.
impl Drop for KeyFile {
    fn drop(&mut self) {
        // Before the map frees them: freeing does not overwrite.
        self.fields.values_mut().for_each(wipe);
    }
}

/// Returns the type of a file as messages name it.
///
/// Types are words of lower-case letters. Anything else may be a secret in the
/// wrong field, so it is not shown.
pub(super) fn type_shown(found: &str) -> String {
    let is_word = found.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word && found.len() <= 40 { format!("type `{found}`") } else { "an unknown type".to_owned() }
}

/// Overwrites all strings in a value. Numbers and names of fields stay.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        // Numbers are stored inside the value, and no secret is a number.
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns what messages call a value of the wrong type.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// What messages call a file without a path.
const JSON: &str = "credentials JSON";
/// Ends a message about something that is not a path.
pub(super) const PATH_EXPECTED: &str = "it must be the path of a file";
/// Some editors on Windows put it in front.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::error::ErrorKind;
    use crate::folder::Folder;

    #[test]
    fn files_are_read_within_limits() {
        let folder = Folder::new();
        let max = 1 << 20;
        let padded = |len: usize| r#"{"type": "x"}"#.to_owned() + &" ".repeat(len - 13);
        let rows = [
            ("plain", PathBuf::from(folder.file("plain", r#"{"type": "x"}"#)), None),
            ("with a byte order mark", folder.file("bom", "\u{feff}{\"type\": \"x\"}").into(), None),
            ("exactly 1 MiB", folder.file("full", &padded(max)).into(), None),
            ("larger", folder.file("large", &padded(max + 1)).into(), Some("is larger than 1 MiB")),
            ("empty", folder.file("empty", "").into(), Some("cannot be parsed as JSON: line 1, column 0")),
            ("a folder", folder.path().to_owned(), Some("is a folder, expected the path of a file")),
            (
                "missing",
                folder.path().join(if cfg!(windows) { "missing" } else { "mis\u{1b}sing" }),
                Some("does not exist"),
            ),
        ];
        for (name, path, expected) in rows {
            let result = KeyFile::read(&path, &CredentialsPolicy::default());
            let message = result.as_ref().err().map(ToString::to_string);
            let origin = format!("credentials file `{}`", file::shown(&path));
            assert_eq!(message, expected.map(|why| format!("{origin} {why}")), "{name}");
            match result {
                Ok(mut file) => assert_eq!(file.text("type").unwrap().as_deref(), Some("x"), "{name}"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Config, "{name}"),
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed() {
        let folder = Folder::new();
        let (link, dangling) = (folder.path().join("link"), folder.path().join("dangling"));
        std::os::unix::fs::symlink(folder.file("target", "{}"), &link).unwrap();
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &dangling).unwrap();
        assert!(KeyFile::read(&link, &CredentialsPolicy::default()).is_ok());
        let Err(error) = KeyFile::read(&dangling, &CredentialsPolicy::default()) else {
            panic!("the link leads nowhere")
        };
        assert!(std::error::Error::source(&error).is_some(), "{error:?}");
    }
}
