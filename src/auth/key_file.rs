//! Credentials files: JSON objects that hold secrets. Every kind of file is
//! read through here.

use std::path::Path;

use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use crate::auth::CredentialsPolicy;
use crate::error::Error;
use crate::util::excerpt::{brief, shown};
use crate::util::file::{self, FileError, ReadLimits};
use crate::util::secret::Secret;

/// The fields of a credentials file; wiped when dropped, so take what is
/// needed.
pub(super) struct KeyFile {
    /// How messages call it.
    origin: String,
    fields: Map<String, Value>,
    policy: CredentialsPolicy,
}

impl KeyFile {
    /// Reads a file or a pipe of at most 1 MiB; symbolic links are followed.
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
        file::warn_if_exposed(path);
        Self::parse_as(origin, &text, policy)
    }

    pub(super) fn parse(json: &[u8], policy: &CredentialsPolicy) -> Result<Self, Error> {
        Self::parse_as(JSON.into(), json, policy)
    }

    pub(super) fn from_value(value: Value, policy: &CredentialsPolicy) -> Result<Self, Error> {
        Self::from_value_as(JSON.into(), value, policy)
    }

    fn parse_as(origin: String, json: &[u8], policy: &CredentialsPolicy) -> Result<Self, Error> {
        let json = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
        match serde_json::from_slice(json) {
            Ok(value) => Self::from_value_as(origin, value, policy),
            // Not the parser's own words: they quote the text, which may be a secret.
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                Err(Error::credentials(
                    &origin,
                    format_args!("cannot be parsed as JSON: line {line}, column {column}"),
                ))
            }
        }
    }

    fn from_value_as(origin: String, value: Value, policy: &CredentialsPolicy) -> Result<Self, Error> {
        match value {
            Value::Object(fields) => Ok(Self { origin, fields, policy: policy.clone() }),
            mut other => {
                wipe(&mut other);
                let found = kind_of(&other);
                Err(Error::credentials(&origin, format_args!("is {found}: expected a JSON object")))
            }
        }
    }

    /// Refuses a file that says it is of another type; a file that does not say
    /// is taken at its fields.
    pub(super) fn expect_type(&mut self, expected: &str) -> Result<(), Error> {
        match self.text("type")? {
            Some(found) if found != expected => {
                Err(self.error(format_args!("is of type `{}`: expected `{expected}`", brief(&found))))
            }
            _ => Ok(()),
        }
    }

    /// Takes fields that must be there; the error names all that are not.
    pub(super) fn require<const N: usize>(
        &mut self,
        names: [&'static str; N],
    ) -> Result<[Zeroizing<String>; N], Error> {
        let mut found = std::array::from_fn(|_| Zeroizing::default());
        let mut missing = Vec::new();
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

    /// Takes a field that may be missing; an empty one and `null` count as
    /// missing.
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

    /// Takes a field that holds a URL which secrets will be sent to, as far as
    /// the policy allows it.
    pub(super) fn url(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        let url = self.text(name)?;
        if let Some(url) = &url {
            self.policy.check_url(name, url).map_err(|why| self.error(why))?;
        }
        Ok(url)
    }

    /// Takes a list of strings; a missing one is empty.
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

    /// Takes an object as a file of its own, whose messages say where it
    /// stands.
    pub(super) fn object(&mut self, name: &'static str) -> Result<Option<Self>, Error> {
        let origin = format!("`{name}` of {}", self.origin);
        match self.fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => Self::from_value_as(origin, value, &self.policy).map(Some),
        }
    }

    /// Takes a field that holds the URL of a server which gives out a subject
    /// token.
    pub(super) fn source_url(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        let url = self.text(name)?;
        if let Some(url) = &url {
            self.policy.check_source_url(name, url).map_err(|why| self.error(why))?;
        }
        Ok(url)
    }

    /// Takes a field that holds a URL of the metadata server of AWS.
    pub(super) fn aws_url(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        let url = self.text(name)?;
        if let Some(url) = &url {
            self.policy.check_aws_url(name, url).map_err(|why| self.error(why))?;
        }
        Ok(url)
    }

    /// Takes `true` or `false`.
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

    /// Takes all fields, which have to be strings.
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

    /// Returns the type that the file gives itself; the field stays in it.
    pub(super) fn kind(&self) -> Option<&str> {
        self.fields.get("type")?.as_str()
    }

    /// Refuses a type that the policy does not allow.
    pub(super) fn check_type(&self, found: &str) -> Result<(), Error> {
        self.policy.check_type(found).map_err(|why| self.error(why))
    }

    /// Returns an error about this file.
    pub(super) fn error(&self, why: impl std::fmt::Display) -> Error {
        Error::credentials(&self.origin, why)
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        self.fields.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

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

const JSON: &str = "credentials JSON";
/// Reads on after what a value contains.
pub(super) const PATH_EXPECTED: &str = "it must be the path of a file";
/// Some editors put one in front.
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
