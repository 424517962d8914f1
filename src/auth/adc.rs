//! Application Default Credentials: where they are looked for, and in which
//! order ([AIP-4110](https://google.aip.dev/auth/4110)).
//!
//! ```text
//! GOOGLE_APPLICATION_CREDENTIALS is set   the file it names; an error if it is missing
//! the file of gcloud exists               that file
//! NO_GCE_CHECK is true                    an error that lists the above
//! otherwise                               the metadata server, at the first call
//! ```
//!
//! The search reads variables and files and sends nothing. It runs when a
//! client is built, in the environment of its builder, so
//! `Credentials::application_default()` itself cannot fail. The folder of
//! gcloud follows `CLOUDSDK_CONFIG`, as in google-auth for Python.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::auth::authorized_user::LOGIN;
use crate::auth::key_file::{KeyFile, PATH_EXPECTED};
use crate::auth::{Credentials, CredentialsPolicy, loader, metadata};
use crate::error::{Error, ErrorKind};
use crate::util::env::{Env, gcloud_folder};
use crate::util::file::{self, is_absent};

impl Credentials {
    /// Returns Application Default Credentials, as all of Google's libraries
    /// define them ([ADC]).
    ///
    /// The first source that exists is used. If it fails, there is no fallback
    /// to the next one:
    ///
    /// 1. the file that `GOOGLE_APPLICATION_CREDENTIALS` names;
    /// 2. the file that `gcloud auth application-default login` writes:
    ///    `application_default_credentials.json` in `CLOUDSDK_CONFIG`, else in
    ///    `~/.config/gcloud` (`%APPDATA%\gcloud` on Windows);
    /// 3. the [metadata server](crate::auth::MetadataServer) of Google Cloud,
    ///    unless `NO_GCE_CHECK` is `true`.
    ///
    /// An empty variable counts as unset. Variables and files are read when a
    /// client is built, and files of every type are
    /// [trusted](crate::auth::CredentialsPolicy). The first call sends a
    /// request to the metadata server. Outside of Google Cloud that call fails
    /// after one lookup of at most 3 seconds, with an error that lists all
    /// sources.
    ///
    /// A client that is built without credentials uses these.
    ///
    /// ```
    /// # let folder = std::env::temp_dir();
    /// # let home = folder.to_str().unwrap_or_default();
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let error = OperationsClient::builder("run.googleapis.com")
    ///     .credentials(Credentials::application_default())
    ///     .environment([("HOME", home), ("APPDATA", home), ("NO_GCE_CHECK", "true")])
    ///     .build()
    ///     .unwrap_err();
    /// assert!(error.to_string().starts_with(
    ///     "no application default credentials: GOOGLE_APPLICATION_CREDENTIALS is unset, `"
    /// ));
    /// ```
    ///
    /// [ADC]: https://cloud.google.com/docs/authentication/application-default-credentials
    pub fn application_default() -> Self {
        Self::application_default_with(&CredentialsPolicy::trusting_the_file())
    }

    /// Returns Application Default Credentials under a policy, as
    /// [`from_file_with`](Self::from_file_with) applies it.
    ///
    /// Without a policy the files are trusted, because the environment names
    /// them. A policy can limit types and hosts, and how long a pipe
    /// (`GOOGLE_APPLICATION_CREDENTIALS=<(command)`) is read: 30 s by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use longrunning::Credentials;
    /// use longrunning::auth::CredentialsPolicy;
    ///
    /// let policy = CredentialsPolicy::trusting_the_file().read_timeout(Duration::from_secs(5));
    /// let credentials = Credentials::application_default_with(&policy);
    /// # let _ = credentials;
    /// ```
    pub fn application_default_with(policy: &CredentialsPolicy) -> Self {
        let policy = policy.clone();
        Self::deferred("application default credentials".into(), move |env| find(env, &policy))
    }
}

/// Searches the places in their order.
///
/// # Errors
///
/// `ErrorKind::Config` if the file of a place that exists cannot be used;
/// `ErrorKind::Auth` if there is no place left.
fn find(env: &dyn Env, policy: &CredentialsPolicy) -> Result<Credentials, Error> {
    if let Some(path) = env.var(VARIABLE) {
        // The text of a key in the variable must not get into the message.
        if let Some(what) = file::misplaced(Path::new(&path)) {
            return Err(Error::config(format!("{VARIABLE} contains {what}; {PATH_EXPECTED}")));
        }
        // A missing file is an error here and not a reason to go on: the
        // variable was set on purpose, and other credentials would do something
        // else than intended.
        let found = load(Path::new(&path), policy)
            .map_err(|error| error.note(format_args!("{VARIABLE} names it")))?;
        return Ok(with_reason(found, format_args!("{VARIABLE} names `{}`", file::shown(Path::new(&path)))));
    }
    let mut searched = format!("{VARIABLE} is unset, ");
    match well_known(env, cfg!(windows)) {
        // A file that exists and cannot be opened is an error too, for the same
        // reason.
        Some(place) if !is_absent(&place.path) => {
            let found = load(&place.path, policy)?;
            return Ok(with_reason(found, format_args!("{searched}`{}` exists", place.shown)));
        }
        Some(place) => searched += &format!("`{}` does not exist", place.shown),
        None => searched += "HOME is unset",
    }
    if env.var("NO_GCE_CHECK").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(Error::new(ErrorKind::Auth, nothing(&searched, "NO_GCE_CHECK is `true`")));
    }
    let found = metadata::default_credentials(env, nothing(&searched, "no metadata server responded"))?;
    Ok(with_reason(found, format_args!("{searched}")))
}

/// Logs which credentials were found and why, since no return value contains
/// that.
fn with_reason(found: Credentials, why: fmt::Arguments<'_>) -> Credentials {
    log::debug!("default credentials: {}, since {why}", found.label());
    found
}

/// Returns the error message if no place has credentials; `metadata` is what is
/// known about the metadata server.
fn nothing(searched: &str, metadata: &str) -> String {
    format!("no application default credentials: {searched}, {metadata}; `{LOGIN}` would make some")
}

/// Reads a credentials file of any type.
fn load(path: &Path, policy: &CredentialsPolicy) -> Result<Credentials, Error> {
    KeyFile::read(path, policy).and_then(loader::load)
}

/// The file in which gcloud keeps the credentials.
#[derive(Debug, PartialEq)]
struct AdcSource {
    path: PathBuf,
    /// What messages call it.
    shown: String,
}

/// Returns where gcloud keeps the file; `None` without a home.
fn well_known(env: &dyn Env, windows: bool) -> Option<AdcSource> {
    let path = gcloud_folder(env, windows)?.join(FILE);
    // A reader of messages has no use for the name of the user in the path.
    let shown = match windows || env.var("CLOUDSDK_CONFIG").is_some() {
        true => file::shown(&path),
        false => format!("~/.config/gcloud/{FILE}"),
    };
    Some(AdcSource { path, shown })
}

/// Names the file of the first place.
const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// The name that gcloud gives the file.
const FILE: &str = "application_default_credentials.json";

#[cfg(test)]
mod tests;
