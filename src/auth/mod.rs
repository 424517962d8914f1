//! Credentials: the sources of access tokens, and the cache that renews them no
//! more often than necessary.
//!
//! ```text
//! Credentials ── resolve: variables, files ──► TokenProvider
//!                                                 ▲ token(), about once an hour
//! requests of a client ── authorization() ──► token cache of the client
//! ```
//!
//! | credentials | constructor | token |
//! |---|---|---|
//! | those of the environment | [`Credentials::application_default`], the default | as below |
//! | none | [`Credentials::anonymous`] | none is sent |
//! | an access token | [`Credentials::bearer`] | that one, never renewed |
//! | a token in a file | [`Credentials::token_file`] | the content of the file, read again when it changes |
//! | an API key | [`Credentials::api_key`] | the key (`x-goog-api-key`) |
//! | a service-account key | [`ServiceAccount`] | self-signed JWT, made without network I/O ([AIP-4111]), or exchanged |
//! | the login of a user with gcloud | [`AuthorizedUser`] | exchanged for the refresh token |
//! | the machine or service on Google Cloud | [`MetadataServer`] | fetched from the metadata server |
//! | a credentials file of any type | [`Credentials::from_file`] | as its `type` says, within a [`CredentialsPolicy`] |
//! | a service account that the caller may impersonate | [`Credentials::impersonate`] | fetched with the token of other credentials |
//! | anything else | [`Credentials::provider`] | the token of your [`TokenProvider`] |
//!
//! # Which credentials are used, and why
//!
//! A client uses the credentials that the program sets. Without any, it looks
//! for [application default credentials] when it is built:
//!
//! | where it runs | what it uses | why |
//! |---|---|---|
//! | a laptop | your own login, as `gcloud auth application-default login` left it | no variable is set, and that file is in gcloud's folder |
//! | Cloud Run, GKE, Compute Engine | the service account that is attached to the service, the pod or the machine | no variable, no file: the first call sends a request to the metadata server |
//! | GitHub Actions | the token of the job, exchanged by workload identity federation (source `url`) | `google-github-actions/auth` writes a file and sets `GOOGLE_APPLICATION_CREDENTIALS` |
//! | AWS | the role of the container or the machine, or the keys in `AWS_*`, exchanged by workload identity federation (source `aws1`) | `GOOGLE_APPLICATION_CREDENTIALS` names the file that you made for the pool |
//! | anywhere with a key file | the service account of the key: a JWT signed here, or a token exchanged for one | `GOOGLE_APPLICATION_CREDENTIALS` names it, or the program reads it as a [`ServiceAccount`] |
//! | on premises, with mutual TLS | any of the above for *who calls*; the client certificate for *from which machine* | `GOOGLE_API_USE_CLIENT_CERTIFICATE=true` with a `certificate_config.json` or [`client_cert_source`]; the endpoint is then `*.mtls.googleapis.com`, unless one is given |
//!
//! `{:?}` of a client names its credentials. The log target `longrunning` says
//! at DEBUG which default credentials were found and why. Neither shows a
//! secret.
//!
//! The quota project is that of the call, else of the client, else
//! `GOOGLE_CLOUD_QUOTA_PROJECT`, else of the file. The universe domain is that
//! of the client, else `GOOGLE_CLOUD_UNIVERSE_DOMAIN`, else `googleapis.com`;
//! credentials of another one are rejected before a request is sent. An empty
//! variable counts as unset.
//!
//! # Identities of other providers
//!
//! A file of type `external_account` ([AIP-4117]) exchanges the token of
//! another identity provider. Its `credential_source` is the source of that
//! token:
//!
//! - `file`: text or JSON, read anew for every token, because a volume may
//!   replace it; a pipe is read once. White space around the token and a byte
//!   order mark are ignored;
//! - `url`: over https, or plain http to this machine or a link-local address
//!   such as `169.254.169.254`;
//! - `executable`: only if `GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES` is `1`.
//!   The command is split as a shell would split it, but no shell runs it. The
//!   program is killed after `timeout_millis` (30 s by default), or earlier at
//!   the end of the attempt. A slow program needs a longer
//!   [`attempt_timeout`](crate::OperationsClientBuilder::attempt_timeout). Its
//!   output is read on a thread that ends with it. Its standard error is
//!   discarded;
//! - `environment_id` `aws1`: the region of `AWS_REGION` or
//!   `AWS_DEFAULT_REGION`, else of the metadata server; the keys of
//!   `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, else of the endpoint for
//!   containers (ECS, Fargate, EKS Pod Identity) that
//!   `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or
//!   `AWS_CONTAINER_CREDENTIALS_FULL_URI` names, else of the metadata server,
//!   whose host nothing but [`CredentialsPolicy::host`] can change. The
//!   endpoint for containers is reached over https, or over plain http on this
//!   machine, 169.254.170.2, 169.254.170.23 and fd00:ec2::23. Its request
//!   carries the content of the file named by
//!   `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`, read anew each time, or the
//!   value of `AWS_CONTAINER_AUTHORIZATION_TOKEN`.
//!
//! - `certificate`: a client certificate (X.509), with
//!   `certificate_config_location` or `use_default_certificate_config`, which
//!   looks in the same places as [`client_cert_source`]. It is presented to the
//!   Security Token Service over mutual TLS, at `sts.mtls.googleapis.com`, by a
//!   client with the roots and the proxy of the calls. The subject token holds
//!   the certificate, and after it those of the file `trust_chain_path`. Both
//!   are read anew for every token. An HTTP client of your own has to implement
//!   [`with_client_certificate`](crate::http::HttpClient::with_client_certificate).
//!
//! Files of type `impersonated_service_account` and
//! `external_account_authorized_user` are read too.
//!
//! # What is not supported
//!
//! - files of type `gdch_service_account` (Google Distributed Cloud): an error
//!   names the type;
//! - tokens bound to a certificate, and the identities of agents that need them
//!   (SPIFFE): the requested tokens are not bound, and
//!   `GCE_METADATA_MTLS_MODE=strict` is an error;
//! - `~/.secureConnect`: no program is run to get a client certificate. Name
//!   the certificate in a `certificate_config.json`, or pass it to
//!   [`client_cert_source`].
//!
//! For anything else, implement a [`Credentials::provider`].
//!
//! # When tokens are fetched
//!
//! A client fetches its first token at its first call, caches it, and fetches
//! the next one 225 to 255 seconds before it expires. One caller does that
//! while the others use the old token; a failed renewal never replaces a token
//! that still works. A permanent error is remembered for 30 seconds. Then the
//! client tries again, so it need not be rebuilt after the cause is fixed.
//!
//! A transient failure is remembered as well: for 0.25 to 0.5 seconds, doubled
//! with every failure in a row up to 30 seconds, or for the `Retry-After` of the
//! endpoint, up to 60 seconds. Until then no token request is
//! sent and no program is started. Calls that have no token fail at once with a
//! transient [`Auth`](crate::ErrorKind::Auth) error, whose
//! [`retry_after`](crate::Error::retry_after) is the remaining time;
//! the retry of a call waits for that if it fits its total timeout. So a token
//! endpoint that is down receives one request per window and client, however
//! many threads make calls.
//!
//! After a 401 the token is renewed and the request is sent again. If the
//! service rejects the new token as well, the 401 is returned, and tokens are
//! renewed for that reason at most once in 10 seconds.
//!
//! Tokens and keys are redacted in every `Debug` and `Display`, and wiped when
//! they are dropped. What this crate cannot wipe: the parsed key inside the
//! crypto library, and buffers of the JSON parser, of TLS and of the operating
//! system. Nothing secret is logged by this crate at any level, and nothing is
//! written to disk. Its HTTP library is different: at TRACE, the log target
//! `ureq_proto` has all bytes of responses, those of token endpoints included.
//! Limit it to `DEBUG`.
//!
//! [application default credentials]: Credentials::application_default
//! [AIP-4111]: https://google.aip.dev/auth/4111
//! [AIP-4117]: https://google.aip.dev/auth/4117
//! [`client_cert_source`]: crate::OperationsClientBuilder::client_cert_source

mod adc;
mod authorization;
mod authorized_user;
mod authorizer;
mod cache;
mod jwt;
mod key_file;
mod loader;
mod metadata;
mod policy;
mod provider;
mod refresh_token;
#[cfg(test)]
mod scripted;
// The sources, one file each: a `TokenProvider`, read by `KeyFile` where it
// comes from a file, and its way into `Credentials`.
mod external_account;
mod external_account_authorized_user;
mod impersonation;
mod scopes;
mod service_account;
mod sts;
mod token_endpoint;
mod token_file;
mod token_text;
mod universe;
mod url;
mod with_token;

use std::any;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use authorization::Authorization;
pub use authorized_user::AuthorizedUser;
pub(crate) use authorizer::Authorizer;
pub use metadata::MetadataServer;
pub use policy::CredentialsPolicy;
pub use provider::{AccessToken, TokenError, TokenProvider, TokenRequest};
pub(crate) use provider::{DEFAULT_UNIVERSE, Purpose};
pub use service_account::ServiceAccount;
pub(crate) use universe::{check_universe, universe_domain};

use crate::error::Error;
use crate::http::HttpClient;
use crate::util::clock::Clock;
use crate::util::env::Env;
use crate::util::file;
use crate::util::secret::Secret;
use cache::TokenCache;
use token_file::TokenFile;

/// Identifies the caller to the service. It is cheap to clone, and redacted in
/// `Debug`.
///
/// Every client has its own token, even if several are built from clones of the
/// same credentials, because they may need different scopes.
///
/// ```
/// use longrunning::auth::Credentials;
///
/// let credentials = Credentials::bearer("ya29.secret")?;
/// assert_eq!(format!("{credentials:?}"), "Credentials(fixed bearer token)");
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone)]
pub struct Credentials(Arc<CredentialsInner>);

/// What clones share.
struct CredentialsInner {
    /// What messages call these credentials; never a secret.
    label: String,
    /// The project that the file wants to be charged.
    quota_project: Option<String>,
    /// The universe, if it is known before there is a token.
    universe_domain: Option<String>,
    /// Whether calls without a quota project are likely to be refused.
    wants_quota_project: bool,
    source: CredentialsSource,
}

/// Where the header of a request comes from.
enum CredentialsSource {
    /// There is no header.
    Anonymous,
    /// This key.
    ApiKey(Secret),
    /// Other credentials, which depend on the environment.
    Deferred(Box<Resolve>),
    /// This token.
    Fixed(Secret),
    /// Tokens of a provider, which are cached.
    Provider(Arc<dyn TokenProvider>),
    /// The token in this file.
    TokenFile(PathBuf),
}

/// Returns the credentials in the environment of the client that is being
/// built.
type Resolve = dyn Fn(&dyn Env) -> Result<Credentials, Error> + Send + Sync;

impl Credentials {
    /// Sends no credentials at all, for emulators and test servers.
    ///
    /// ```
    /// use longrunning::auth::Credentials;
    ///
    /// assert_eq!(format!("{:?}", Credentials::anonymous()), "Credentials(anonymous)");
    /// ```
    pub fn anonymous() -> Self {
        Self::new("anonymous".into(), CredentialsSource::Anonymous)
    }

    /// Sends this access token with every call, and never renews it.
    ///
    /// Google's access tokens are valid for an hour at most, so a program that
    /// runs longer needs other credentials. A 401 response is returned as it
    /// is, because there is no other token to try.
    ///
    /// ```
    /// use longrunning::ErrorKind;
    /// use longrunning::auth::Credentials;
    ///
    /// let printed = "ya29.secret\n"; // by `gcloud auth print-access-token`
    /// assert_eq!(Credentials::bearer(printed).unwrap_err().kind(), ErrorKind::Config);
    /// assert!(Credentials::bearer(printed.trim()).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the token is empty or
    /// contains anything but visible ASCII characters, which no header can
    /// contain.
    pub fn bearer(token: impl Into<String>) -> Result<Self, Error> {
        let token = Secret::new(token.into());
        provider::check_token(token.expose())
            .map_err(|why| Error::config(format!("the bearer token {why}")))?;
        Ok(Self::new("fixed bearer token".into(), CredentialsSource::Fixed(token)))
    }

    /// Sends the access token in a file that another program renews.
    ///
    /// The file contains only the token, with or without white space around it,
    /// in at most 1 MiB. Before each request the file is checked for changes,
    /// and read if it has changed. It is also read after a minute in any case,
    /// and after a 401. While it cannot be read, the last token is used, for at
    /// most 5 minutes. If there is no token and the file is missing or cannot
    /// be read, calls and waits fail at once. So the other program should
    /// replace the file by renaming a new one.
    ///
    /// A pipe such as `<(command)` of a shell is read once, to its end, within
    /// the attempt timeout. Its token is never renewed.
    ///
    /// ```
    /// use longrunning::Credentials;
    ///
    /// let credentials = Credentials::token_file("/var/run/secrets/tokens/access-token");
    /// # let _ = credentials;
    /// ```
    pub fn token_file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let label = format!("token file `{}`", file::shown(&path));
        Self::new(label, CredentialsSource::TokenFile(path))
    }

    /// Sends this API key with every call (`x-goog-api-key`), in place of an
    /// access token.
    ///
    /// An API key identifies a project and not a caller. Few methods accept
    /// that; the others respond with 401.
    ///
    /// ```
    /// use longrunning::Credentials;
    ///
    /// let credentials = Credentials::api_key("AIza-secret")?;
    /// assert_eq!(format!("{credentials:?}"), "Credentials(API key)");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the key is empty or
    /// contains anything but visible ASCII characters, which no header can
    /// contain.
    pub fn api_key(key: impl Into<String>) -> Result<Self, Error> {
        let key = Secret::new(key.into());
        provider::check_token(key.expose()).map_err(|why| Error::config(format!("the API key {why}")))?;
        Ok(Self::new("API key".into(), CredentialsSource::ApiKey(key)))
    }

    /// Uses the access tokens of `provider`: your own code, or a closure.
    ///
    /// Messages call it by the name of its type. See [`TokenProvider`] for what
    /// it has to do.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::auth::{AccessToken, Credentials, TokenRequest};
    ///
    /// let credentials = Credentials::provider(|_: &TokenRequest<'_>| {
    ///     Ok(AccessToken::new("from-my-vault").expires_in(Duration::from_secs(600)))
    /// });
    /// ```
    pub fn provider<P: TokenProvider + 'static>(provider: P) -> Self {
        let label = format!("token provider `{}`", any::type_name::<P>());
        Self::new(label, CredentialsSource::Provider(Arc::new(provider)))
    }

    /// Creates credentials without quota project and universe.
    fn new(label: String, source: CredentialsSource) -> Self {
        Self(Arc::new(CredentialsInner {
            label,
            quota_project: None,
            universe_domain: None,
            wants_quota_project: false,
            source,
        }))
    }

    /// Creates credentials of a source of this crate.
    fn of_source(label: String, provider: impl TokenProvider + 'static) -> Self {
        Self::new(label, CredentialsSource::Provider(Arc::new(provider)))
    }

    /// Creates credentials that depend on the environment, which is read when a
    /// client is built.
    fn deferred(
        label: String,
        resolve: impl Fn(&dyn Env) -> Result<Self, Error> + Send + Sync + 'static,
    ) -> Self {
        Self::new(label, CredentialsSource::Deferred(Box::new(resolve)))
    }

    /// Sets the quota project of the file.
    fn with_quota_project(self, project: Option<String>) -> Self {
        self.changed(|inner| inner.quota_project = project)
    }

    /// Sets the universe.
    fn with_universe_domain(self, domain: impl Into<String>) -> Self {
        self.changed(|inner| inner.universe_domain = Some(domain.into()))
    }

    /// Notes that calls without a quota project are likely to be refused.
    fn wanting_quota_project(self) -> Self {
        self.changed(|inner| inner.wants_quota_project = true)
    }

    /// Changes credentials that have just been made. Shared ones stay as they
    /// are.
    fn changed(mut self, change: impl FnOnce(&mut CredentialsInner)) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            change(inner);
        }
        self
    }

    /// Returns the credentials in this environment. No network I/O.
    ///
    /// # Errors
    ///
    /// The error of a file or variable; the kind is `Config`, or `Auth` if
    /// there are no default credentials.
    pub(crate) fn resolve(&self, env: &dyn Env) -> Result<Self, Error> {
        match &self.0.source {
            CredentialsSource::Deferred(resolve) => resolve(env)?.resolve(env),
            _ => Ok(self.clone()),
        }
    }

    /// Returns the source of tokens of resolved credentials, for credentials on
    /// top of them. `None` for those without access tokens.
    fn token_provider(&self) -> Option<Arc<dyn TokenProvider>> {
        match &self.0.source {
            CredentialsSource::Provider(provider) => Some(Arc::clone(provider)),
            CredentialsSource::TokenFile(path) => Some(Arc::new(TokenFile::new(path.clone()))),
            CredentialsSource::Fixed(token) => {
                let token = token.clone();
                Some(Arc::new(move |_: &TokenRequest<'_>| Ok(AccessToken::from_secret(token.clone()))))
            }
            CredentialsSource::Anonymous | CredentialsSource::ApiKey(_) | CredentialsSource::Deferred(_) => {
                None
            }
        }
    }

    /// Returns whether requests are sent without credentials.
    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self.0.source, CredentialsSource::Anonymous)
    }

    /// Returns the project that the credentials file wants to be charged.
    pub(crate) fn quota_project(&self) -> Option<&str> {
        self.0.quota_project.as_deref()
    }

    /// Returns whether calls with these credentials and without a quota project
    /// are likely to be refused.
    pub(crate) fn wants_quota_project(&self) -> bool {
        self.0.wants_quota_project
    }

    /// Returns the universe of the credentials, if it is known before there is
    /// a token.
    pub(crate) fn universe_domain(&self) -> Option<&str> {
        self.0.universe_domain.as_deref()
    }

    /// Returns what messages call these credentials.
    fn label(&self) -> &str {
        &self.0.label
    }

    /// Creates the authorizer of one client, with a token cache of its own. The
    /// credentials have to be resolved.
    pub(crate) fn authorizer(
        &self,
        purpose: Purpose,
        clock: Arc<dyn Clock>,
        http: Arc<dyn HttpClient>,
    ) -> Authorizer {
        let cache = |provider: Arc<dyn TokenProvider>| {
            Box::new(TokenCache::new(self.0.label.clone(), provider, purpose, clock, http))
        };
        match &self.0.source {
            CredentialsSource::Anonymous => Authorizer::Anonymous,
            CredentialsSource::ApiKey(key) => Authorizer::Fixed(Authorization::api_key(key)),
            CredentialsSource::Deferred(_) => unreachable!("`resolve` comes before `authorizer`"),
            CredentialsSource::Fixed(token) => Authorizer::Fixed(Authorization::bearer(token.expose(), 0)),
            CredentialsSource::Provider(provider) => Authorizer::Cached(cache(Arc::clone(provider))),
            CredentialsSource::TokenFile(path) => {
                let file = Arc::new(TokenFile::new(path.clone()));
                Authorizer::Watched(cache(Arc::clone(&file) as _), file)
            }
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credentials").field(&format_args!("{}", self.0.label)).finish()
    }
}

#[cfg(test)]
mod tests;
