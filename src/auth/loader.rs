//! Credentials files of every type: the one place where `type` is looked at.

use std::path::Path;

use serde_json::Value;

use crate::auth::key_file::KeyFile;
use crate::auth::{AuthorizedUser, Credentials, CredentialsPolicy, ServiceAccount};
use crate::auth::{external_account, external_account_authorized_user, impersonation};
use crate::error::Error;
use crate::util::excerpt::brief;

impl Credentials {
    /// Reads a credentials file of any type that the default
    /// [`CredentialsPolicy`] accepts.
    ///
    /// The file is at most 1 MiB; symbolic links are followed. A pipe such as
    /// `<(command)` of a shell is read to its end, for at most 30 seconds
    /// ([`CredentialsPolicy::read_timeout`]). On Unix a file that other users
    /// can open is reported by a warning in the log. The constructors of
    /// one type ([`ServiceAccount::from_file`], …) say more exactly what a
    /// program expects.
    ///
    /// ```
    /// use longrunning::Credentials;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let credentials = Credentials::from_file(path)?;
    /// assert_eq!(
    ///     format!("{credentials:?}"),
    ///     "Credentials(service account `robot@test-project.iam.gserviceaccount.com`)",
    /// );
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the file cannot be
    /// read, is neither a regular file nor a pipe, is of an unknown type,
    /// lacks a field, or is refused by the policy.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_file_with(path, &CredentialsPolicy::default())
    }

    /// Reads a credentials file like [`from_file`](Self::from_file), with your
    /// own policy.
    ///
    /// # Errors
    ///
    /// As for [`from_file`](Self::from_file).
    pub fn from_file_with(path: impl AsRef<Path>, policy: &CredentialsPolicy) -> Result<Self, Error> {
        KeyFile::read(path.as_ref(), policy).and_then(load)
    }

    /// Reads the text of a credentials file, for files that come out of a vault
    /// or a variable.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Self::from_file).
    pub fn from_json(json: &str) -> Result<Self, Error> {
        Self::from_json_with(json, &CredentialsPolicy::default())
    }

    /// Reads the text of a credentials file like
    /// [`from_json`](Self::from_json), with your own policy.
    ///
    /// # Errors
    ///
    /// As for [`from_file`](Self::from_file).
    pub fn from_json_with(json: &str, policy: &CredentialsPolicy) -> Result<Self, Error> {
        KeyFile::parse(json.as_bytes(), policy).and_then(load)
    }

    /// Reads a credentials file that is parsed already.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Self::from_file).
    pub fn from_value(value: Value) -> Result<Self, Error> {
        Self::from_value_with(value, &CredentialsPolicy::default())
    }

    /// Reads a parsed credentials file like [`from_value`](Self::from_value),
    /// with your own policy.
    ///
    /// # Errors
    ///
    /// As for [`from_file`](Self::from_file).
    pub fn from_value_with(value: Value, policy: &CredentialsPolicy) -> Result<Self, Error> {
        KeyFile::from_value(value, policy).and_then(load)
    }
}

/// Reads a file by its `type`.
pub(super) fn load(mut file: KeyFile) -> Result<Credentials, Error> {
    let [found] = file.require(["type"])?;
    if KNOWN.contains(&found.as_str()) {
        file.check_type(&found)?;
    }
    match found.as_str() {
        "service_account" => ServiceAccount::from_key_file(file).map(Into::into),
        "authorized_user" => AuthorizedUser::from_key_file(file).map(Into::into),
        "external_account" => external_account::from_key_file(file),
        "external_account_authorized_user" => external_account_authorized_user::from_key_file(file),
        "impersonated_service_account" => impersonation::from_key_file(file),
        UNSUPPORTED => Err(file.error(format_args!(
            "is of type `{UNSUPPORTED}` (Google Distributed Cloud), which is not supported: \
             give its tokens by a `TokenProvider` of your own"
        ))),
        other => {
            let (found, known) = (brief(other), KNOWN.map(|each| format!("`{each}`")).join(", "));
            Err(file.error(format_args!("is of type `{found}`: expected one of {known}")))
        }
    }
}

const KNOWN: [&str; 5] = [
    "service_account",
    "authorized_user",
    "external_account",
    "external_account_authorized_user",
    "impersonated_service_account",
];

/// Credentials of Google Distributed Cloud.
const UNSUPPORTED: &str = "gdch_service_account";

#[cfg(test)]
mod tests;
