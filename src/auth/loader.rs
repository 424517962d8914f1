//! Credentials files of every type: the one place that looks at `type`.
//!
//! ```text
//! type                               source of tokens
//! service_account                    a JWT signed here, or exchanged for a token
//! authorized_user                    a refresh token
//! external_account                   the token of another identity provider
//! external_account_authorized_user   a refresh token at the Security Token Service
//! impersonated_service_account       the token of other credentials
//! ```

use std::path::Path;

use serde_json::Value;

use crate::auth::key_file::{KeyFile, type_shown};
use crate::auth::{AuthorizedUser, Credentials, CredentialsPolicy, ServiceAccount};
use crate::auth::{external_account, external_account_authorized_user, impersonation};
use crate::error::Error;

impl Credentials {
    /// Reads a credentials file of any type that the default
    /// [`CredentialsPolicy`] accepts.
    ///
    /// The file has at most 1 MiB; symbolic links are followed. A pipe such as
    /// `<(command)` of a shell is read to its end, for at most 30 seconds
    /// ([`CredentialsPolicy::read_timeout`]). On Unix, a file that other users
    /// can open causes a warning in the log. If a program expects one type, its
    /// own constructor ([`ServiceAccount::from_file`], …) gives a better error
    /// for other types.
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
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the file cannot be
    /// read, is neither a regular file nor a pipe, has an unknown type, lacks a
    /// field, or is rejected by the policy.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_file_with(path, &CredentialsPolicy::default())
    }

    /// Reads a credentials file like [`from_file`](Self::from_file), under your
    /// own policy.
    ///
    /// ```
    /// use longrunning::Credentials;
    /// use longrunning::auth::CredentialsPolicy;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let policy = CredentialsPolicy::default().types(["service_account"]);
    /// let credentials = Credentials::from_file_with(path, &policy)?;
    /// # let _ = credentials;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`from_file`](Self::from_file).
    pub fn from_file_with(path: impl AsRef<Path>, policy: &CredentialsPolicy) -> Result<Self, Error> {
        KeyFile::read(path.as_ref(), policy).and_then(load)
    }

    /// Reads the text of a credentials file, for files that come from a vault
    /// or a variable.
    ///
    /// ```
    /// use longrunning::Credentials;
    ///
    /// let credentials = Credentials::from_json(
    ///     r#"{"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}"#,
    /// )?;
    /// assert_eq!(format!("{credentials:?}"), "Credentials(authorized user)");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`from_file`](Self::from_file).
    pub fn from_json(json: &str) -> Result<Self, Error> {
        Self::from_json_with(json, &CredentialsPolicy::default())
    }

    /// Reads the text of a credentials file like
    /// [`from_json`](Self::from_json), under your own policy.
    ///
    /// ```
    /// use longrunning::Credentials;
    /// use longrunning::auth::CredentialsPolicy;
    ///
    /// let json = r#"{"type": "external_account"}"#; // rejected by the default policy
    /// let error = Credentials::from_json_with(json, &CredentialsPolicy::trusting_the_file()).unwrap_err();
    /// assert_eq!(error.to_string(), "credentials JSON lacks `audience` and `subject_token_type`");
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`from_file`](Self::from_file).
    pub fn from_json_with(json: &str, policy: &CredentialsPolicy) -> Result<Self, Error> {
        KeyFile::parse(json.as_bytes(), policy).and_then(load)
    }

    /// Reads a credentials file that is parsed already.
    ///
    /// ```
    /// use longrunning::Credentials;
    ///
    /// let error = Credentials::from_value(serde_json::json!(["no object"])).unwrap_err();
    /// assert_eq!(error.to_string(), "credentials JSON is an array: expected a JSON object");
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`from_file`](Self::from_file).
    pub fn from_value(value: Value) -> Result<Self, Error> {
        Self::from_value_with(value, &CredentialsPolicy::default())
    }

    /// Reads a parsed credentials file like [`from_value`](Self::from_value),
    /// under your own policy.
    ///
    /// ```
    /// use longrunning::Credentials;
    /// use longrunning::auth::CredentialsPolicy;
    ///
    /// let file = serde_json::json!({
    ///     "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
    ///     "token_uri": "https://tokens.example.com/token",
    /// });
    /// let policy = CredentialsPolicy::default().host("tokens.example.com");
    /// assert!(Credentials::from_value_with(file.clone(), &policy).is_ok());
    /// assert!(Credentials::from_value(file).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`from_file`](Self::from_file).
    pub fn from_value_with(value: Value, policy: &CredentialsPolicy) -> Result<Self, Error> {
        KeyFile::from_value(value, policy).and_then(load)
    }
}

/// Reads a file by its `type`.
///
/// # Errors
///
/// `ErrorKind::Config`. The types of an unknown file are named, and not its
/// content.
pub(super) fn load(mut file: KeyFile) -> Result<Credentials, Error> {
    let [found] = file.require(["type"])?;
    // An unknown type gets its own message rather than that of the policy.
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
            let known = KNOWN.map(|each| format!("`{each}`")).join(", ");
            Err(file.error(format_args!("is of {}: expected one of {known}", type_shown(other))))
        }
    }
}

/// The types that can be loaded, in the order in which messages list them.
const KNOWN: [&str; 5] = [
    "service_account",
    "authorized_user",
    "external_account",
    "external_account_authorized_user",
    "impersonated_service_account",
];

/// The type for Google Distributed Cloud, which is recognized to say that it is
/// not supported.
const UNSUPPORTED: &str = "gdch_service_account";

#[cfg(test)]
mod tests;
