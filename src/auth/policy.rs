//! How far a credentials file is trusted.
//!
//! A check happens where a [`KeyFile`](super::key_file::KeyFile) is read: its
//! type in the loader, and each URL when it is taken. So no source can forget
//! one.

use std::fmt;
use std::time::Duration;

use crate::auth::url::Url;
use crate::util::excerpt::{brief, shown};
use crate::util::file;
use crate::util::redact::Masked;

/// Restricts which credentials files are accepted, and which hosts such a file
/// may name.
///
/// A credentials file can be as dangerous as a program: it can name the server
/// that secrets are sent to, files to read and commands to run. The default
/// policy accepts only files that can do no more than use the secrets in them,
/// with Google:
///
/// | `type` | default | [`trusting_the_file`](Self::trusting_the_file) |
/// |---|---|---|
/// | `service_account`, `authorized_user` | yes | yes |
/// | `impersonated_service_account`, `external_account_authorized_user` | yes | yes |
/// | `external_account`: sends what it finds on this machine elsewhere | no | yes |
/// | URLs in the file (`token_uri`, …) | https, a host of `googleapis.com` | https, or http to this machine |
///
/// Files that the environment names ([`Credentials::application_default`]) are
/// trusted, because whatever sets the environment of a program controls the
/// program. For files that come from the users of a service, do not accept more
/// than the default does.
///
/// ```
/// use longrunning::Credentials;
/// use longrunning::auth::CredentialsPolicy;
///
/// let file = r#"{"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
///     "token_uri": "https://tokens.example.com/token"}"#;
/// let error = Credentials::from_json(file).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "credentials JSON names the host `tokens.example.com` in `token_uri`, which the policy does not allow: \
///      expected a host of `googleapis.com`, see `CredentialsPolicy`",
/// );
/// let policy = CredentialsPolicy::default().host("tokens.example.com");
/// Credentials::from_json_with(file, &policy)?;
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// [`Credentials::application_default`]: crate::Credentials::application_default
#[derive(Clone)]
pub struct CredentialsPolicy {
    /// The accepted types.
    types: Vec<String>,
    /// Hosts that URLs may have besides those of Google.
    hosts: Vec<String>,
    /// Whether URLs may have any host, and all types are accepted unless
    /// `types` was set.
    trusting: bool,
    /// How long a pipe is read; `None` is the default.
    pipe_timeout: Option<Duration>,
}

impl CredentialsPolicy {
    /// Accepts every type, and any https URL that the file names. It is for
    /// files that you trust as much as your program.
    ///
    /// Commands still have to be allowed by the environment, with
    /// `GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES`.
    ///
    /// ```
    /// use longrunning::Credentials;
    /// use longrunning::auth::CredentialsPolicy;
    ///
    /// let policy = CredentialsPolicy::trusting_the_file();
    /// let missing = Credentials::from_file_with("/etc/deployment/identity.json", &policy);
    /// assert!(missing.is_err());
    /// ```
    pub fn trusting_the_file() -> Self {
        Self { trusting: true, ..Self::default() }
    }

    /// Accepts only these types, by the value of `type` in the file.
    ///
    /// ```
    /// use longrunning::Credentials;
    /// use longrunning::auth::CredentialsPolicy;
    ///
    /// let policy = CredentialsPolicy::default().types(["service_account"]);
    /// let error = Credentials::from_json_with(r#"{"type": "authorized_user"}"#, &policy).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "credentials JSON is of type `authorized_user`, which the policy does not allow: \
    ///      expected `service_account`, see `CredentialsPolicy`",
    /// );
    /// ```
    #[must_use]
    pub fn types<S: Into<String>>(mut self, types: impl IntoIterator<Item = S>) -> Self {
        self.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Also accepts URLs with this host, and with hosts below it. Plain http is
    /// accepted for loopback hosts only.
    ///
    /// ```
    /// use longrunning::Credentials;
    /// use longrunning::auth::CredentialsPolicy;
    ///
    /// let file = r#"{"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
    ///     "token_uri": "http://localhost:8080/token"}"#;
    /// let policy = CredentialsPolicy::default().host("localhost");
    /// assert!(Credentials::from_json_with(file, &policy).is_ok());
    /// ```
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Limits how long a credentials file that is a pipe is read, such as
    /// `<(command)` of a shell.
    ///
    /// The default is 30 seconds. Zero reads what is in the pipe already. It
    /// has no effect on regular files.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::Credentials;
    /// use longrunning::auth::CredentialsPolicy;
    ///
    /// let policy = CredentialsPolicy::default().read_timeout(Duration::from_secs(5));
    /// assert!(Credentials::from_file_with("/dev/fd/63", &policy).is_err());
    /// ```
    #[must_use]
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.pipe_timeout = Some(timeout);
        self
    }

    /// Returns how long to read a pipe.
    pub(super) fn pipe_timeout(&self) -> Duration {
        self.pipe_timeout.unwrap_or(file::SETUP_TIMEOUT)
    }

    /// Checks the type of a file.
    ///
    /// # Errors
    ///
    /// Returns the end of a message about the file.
    pub(super) fn check_type(&self, found: &str) -> Result<(), String> {
        // A list of the program goes before the trust in the file, so that both
        // can be combined.
        let allowed = self.types.iter().any(|each| each == found);
        if allowed || (self.trusting && self.types == DEFAULT_TYPES) {
            return Ok(());
        }
        let allowed: Vec<String> = self.types.iter().map(|each| format!("`{}`", shown(each))).collect();
        let (found, allowed) = (brief(found), allowed.join(", "));
        Err(format!(
            "is of type `{found}`, which the policy does not allow: expected {allowed}, see `CredentialsPolicy`"
        ))
    }

    /// Checks a URL to which secrets will be sent.
    ///
    /// # Errors
    ///
    /// Returns the end of a message about the file. It names the host, and
    /// nothing else of the URL.
    pub(super) fn check_url(&self, field: &str, url: &str) -> Result<(), String> {
        let url = Url::parse(url).map_err(|why| format!("cannot be used: `{field}` {why}"))?;
        let host = shown(url.host);
        // Even for a trusted file: a secret over plain http is read by the
        // network.
        if !url.is_private() {
            return Err(format!(
                "cannot be used: `{field}` at `{host}` is not https (plain http is accepted for loopback only)"
            ));
        }
        let mut hosts = self.hosts.iter().map(String::as_str).chain(GOOGLE);
        if self.trusting || hosts.any(|domain| url.is_within(domain)) {
            return Ok(());
        }
        Err(format!(
            "names the host `{host}` in `{field}`, which the policy does not allow: \
             expected a host of `googleapis.com`, see `CredentialsPolicy`"
        ))
    }

    /// Checks a URL from which a subject token is fetched. Besides the hosts
    /// that may receive secrets, these may be the link-local servers of clouds,
    /// which use plain http.
    pub(super) fn check_source_url(&self, field: &str, url: &str) -> Result<(), String> {
        match Url::parse(url) {
            Ok(parsed) if parsed.is_link_local() && (self.trusting || self.lists(parsed)) => Ok(()),
            _ => self.check_url(field, url),
        }
    }

    /// Checks a URL from which secrets of AWS are fetched.
    ///
    /// Trusting the file is not enough for another host:
    /// [AIP-4117](https://google.aip.dev/auth/4117) allows requests to the
    /// metadata server only.
    pub(super) fn check_aws_url(&self, field: &str, url: &str) -> Result<(), String> {
        let url = Url::parse(url).map_err(|why| format!("cannot be used: `{field}` {why}"))?;
        if url.is_aws_metadata() || (url.is_private() && self.lists(url)) {
            return Ok(());
        }
        Err(format!(
            "names the host `{}` in `{field}`, which is not the metadata server of AWS: \
             expected `169.254.169.254` or `[fd00:ec2::254]`, see `CredentialsPolicy`",
            shown(url.host)
        ))
    }

    /// Returns whether the program has allowed the host by
    /// [`host`](Self::host).
    fn lists(&self, url: Url<'_>) -> bool {
        self.hosts.iter().any(|domain| url.is_within(domain))
    }
}

impl fmt::Debug for CredentialsPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsPolicy")
            .field("types", &Masked(&self.types))
            .field("hosts", &Masked(&self.hosts))
            .field("trusting", &self.trusting)
            .field("read_timeout", &self.pipe_timeout())
            .finish()
    }
}

impl Default for CredentialsPolicy {
    fn default() -> Self {
        let types = DEFAULT_TYPES.map(str::to_owned).into();
        Self { types, hosts: Vec::new(), trusting: false, pipe_timeout: None }
    }
}

/// The hosts of token endpoints of Google. The second one is in old key files.
pub(super) const GOOGLE: [&str; 2] = ["googleapis.com", "accounts.google.com"];

/// The types that can only use the secrets in the file itself.
const DEFAULT_TYPES: [&str; 4] = [
    "service_account",
    "authorized_user",
    "impersonated_service_account",
    "external_account_authorized_user",
];
