//! The interface of a source of access tokens: its requests, its results and
//! its errors.
//!
//! Every source implements [`TokenProvider`], those of this crate and those of
//! programs. A provider fetches; it does not cache, retry or lock. The token
//! cache calls it when a token is needed, one call at a time, and the retry
//! loop of the calls decides about further attempts.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::http::{HttpClient, HttpError, HttpErrorKind};
use crate::util::clock::deadline;
use crate::util::redact::redacted;
use crate::util::secret::Secret;
use crate::util::stop::StopToken;

/// Provides access tokens. Implement it for a source that this crate does not
/// know.
///
/// A closure that takes a [`TokenRequest`] is a provider too. The client caches
/// the token until shortly before it expires, and never calls the provider
/// twice at the same time, so a provider needs no cache and no lock of its own.
/// A panic continues in the call that ran the provider. For other calls it is a
/// transient failure.
///
/// ```
/// use std::fs;
/// use std::path::PathBuf;
/// use std::time::Duration;
/// use longrunning::auth::{AccessToken, Credentials, TokenError, TokenProvider, TokenRequest};
///
/// /// A token that another process writes to a file every ten minutes.
/// struct TokenFile(PathBuf);
///
/// impl TokenProvider for TokenFile {
///     fn token(&self, _: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
///         let text = fs::read_to_string(&self.0)
///             .map_err(|error| TokenError::transient("cannot read the token file").with_source(error))?;
///         Ok(AccessToken::new(text.trim()).expires_in(Duration::from_secs(600)))
///     }
/// }
///
/// let credentials = Credentials::provider(TokenFile("/run/secrets/token".into()));
/// ```
pub trait TokenProvider: Send + Sync {
    /// Returns a token that is valid now, before [`TokenRequest::deadline`].
    ///
    /// # Errors
    ///
    /// [`TokenError::transient`] if the same request may succeed later; the
    /// call is then retried as after any other transient error.
    /// [`TokenError::permanent`] if it cannot.
    ///
    /// In both cases, calls without a token fail with the same error until the
    /// provider is called again. That is after 30 seconds for a permanent
    /// error. For a transient one it is after 0.25 to 0.5 seconds, doubled with
    /// every failure in a row up to 30 seconds, or after the delay of
    /// [`TokenError::with_retry_after`], up to 60 seconds.
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError>;
}

impl<F> TokenProvider for F
where
    F: Fn(&TokenRequest<'_>) -> Result<AccessToken, TokenError> + Send + Sync,
{
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        self(request)
    }
}

/// What a [`TokenProvider`] is called with.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'a> {
    /// When the provider must have returned: at the end of the attempt that
    /// needs the token, at most 30 seconds from now. While the old token still
    /// works, it is after half of the remaining time, at most 10 seconds from
    /// now.
    pub deadline: Instant,
    /// The OAuth scopes of the client. If it is empty, the provider decides.
    pub scopes: &'a [String],
    /// The service that the client calls, `https://HOST`; empty if there is
    /// none.
    pub endpoint: &'a str,
    /// The universe of the client. A token of another one must not be returned.
    pub universe_domain: &'a str,
    /// The wall-clock time of the client, for what has to be dated or signed.
    pub now: SystemTime,
    /// The HTTP client of the calls, for a token that has to be fetched.
    pub http: &'a dyn HttpClient,
    /// Stops the call that needs the token, if it has a stop token. A provider
    /// passes it on to its requests
    /// ([`HttpRequest::stop`](crate::http::HttpRequest::stop)), and returns
    /// early if it waits for anything else.
    pub stop: Option<&'a StopToken>,
}

impl<'a> TokenRequest<'a> {
    /// Creates a request without scopes and endpoint, at the current time, to
    /// call a provider directly.
    ///
    /// Its deadline is `timeout` from now, at most a year.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::auth::{AccessToken, TokenProvider, TokenRequest};
    /// use longrunning::http::{HttpAgent, HttpOptions, Roots};
    ///
    /// let http = HttpAgent::new(&HttpOptions::new().roots(Roots::None))?;
    /// let provider = |_: &TokenRequest<'_>| Ok(AccessToken::new("from-my-vault"));
    /// let token = provider.token(&TokenRequest::new(Duration::from_secs(10), &http)).unwrap();
    /// assert_eq!(token.text(), "from-my-vault");
    /// # Ok::<(), longrunning::http::HttpError>(())
    /// ```
    pub fn new(timeout: Duration, http: &'a dyn HttpClient) -> Self {
        let (endpoint, universe_domain) = ("", DEFAULT_UNIVERSE);
        let deadline = deadline(Instant::now(), timeout);
        Self { deadline, scopes: &[], endpoint, universe_domain, now: SystemTime::now(), http, stop: None }
    }

    /// Returns the time until the [`deadline`](Self::deadline); zero if that
    /// has passed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::auth::TokenRequest;
    /// use longrunning::http::{HttpAgent, HttpOptions, Roots};
    ///
    /// let http = HttpAgent::new(&HttpOptions::new().roots(Roots::None))?;
    /// let request = TokenRequest::new(Duration::from_secs(10), &http);
    /// assert!(request.remaining() <= Duration::from_secs(10));
    /// # Ok::<(), longrunning::http::HttpError>(())
    /// ```
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// What the tokens of one client are for.
#[derive(Clone, Debug)]
pub(crate) struct Purpose {
    /// The OAuth scopes of the client; may be empty.
    pub(crate) scopes: Vec<String>,
    /// The service, `https://HOST`; empty if there is none.
    pub(crate) endpoint: String,
    /// The universe of the client.
    pub(crate) universe_domain: String,
}

impl Default for Purpose {
    fn default() -> Self {
        let universe_domain = DEFAULT_UNIVERSE.to_owned();
        Self { scopes: Vec::new(), endpoint: String::new(), universe_domain }
    }
}

/// An access token and its lifetime. `Debug` redacts it, and dropping it wipes
/// it.
///
/// A lifetime counts as at least 1 second and at most 12 hours. A token without
/// one is renewed within 5 minutes.
///
/// ```
/// use std::time::Duration;
/// use longrunning::auth::AccessToken;
///
/// let token = AccessToken::new("ya29.secret").expires_in(Duration::from_secs(3600));
/// assert_eq!(token.text(), "ya29.secret");
/// assert!(!format!("{token:?}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct AccessToken {
    text: Secret,
    expiry: TokenExpiry,
}

/// When a token expires, as its source says it.
#[derive(Clone, Copy, Debug)]
enum TokenExpiry {
    /// The source does not say.
    Unknown,
    /// After this time from the request.
    In(Duration),
    /// At this time of the wall clock.
    At(SystemTime),
}

impl AccessToken {
    /// Creates a token from the text after `Bearer ` in the header: visible
    /// ASCII characters only. Other text is an error of the call that uses it.
    ///
    /// ```
    /// use longrunning::auth::AccessToken;
    ///
    /// assert_eq!(AccessToken::new("ya29.secret").text(), "ya29.secret");
    /// ```
    pub fn new(text: impl Into<String>) -> Self {
        Self::from_secret(Secret::new(text.into()))
    }

    /// Creates a token from text that is a secret already, without a copy.
    pub(super) fn from_secret(text: Secret) -> Self {
        Self { text, expiry: TokenExpiry::Unknown }
    }

    /// Sets the lifetime of the token, counted from the request for it.
    /// Default: unknown.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::auth::AccessToken;
    ///
    /// let token = AccessToken::new("ya29.secret").expires_in(Duration::from_secs(3599));
    /// # let _ = token;
    /// ```
    #[must_use]
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expiry = TokenExpiry::In(lifetime);
        self
    }

    /// Sets when the token expires, by the wall clock. Default: unknown.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use longrunning::auth::AccessToken;
    ///
    /// let token = AccessToken::new("ya29.secret").expires_at(SystemTime::now() + Duration::from_secs(3600));
    /// ```
    #[must_use]
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expiry = TokenExpiry::At(time);
        self
    }

    /// Returns the token itself, which is a secret.
    ///
    /// ```
    /// use longrunning::auth::AccessToken;
    ///
    /// let token = AccessToken::new("ya29.secret");
    /// let header = format!("Bearer {}", token.text());
    /// assert_eq!(header, "Bearer ya29.secret");
    /// ```
    pub fn text(&self) -> &str {
        self.text.expose()
    }

    /// Returns the lifetime of a token that was requested at `requested`, from
    /// 1 s to 12 h: a server may send zero, or a number that no clock can hold.
    pub(super) fn lifetime(&self, requested: SystemTime) -> Duration {
        let lifetime = match self.expiry {
            TokenExpiry::Unknown => UNKNOWN_LIFETIME,
            TokenExpiry::In(lifetime) => lifetime,
            // An expired token has lifetime zero, which the clamp makes a
            // second.
            TokenExpiry::At(time) => time.duration_since(requested).unwrap_or_default(),
        };
        lifetime.clamp(MIN_LIFETIME, MAX_LIFETIME)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("text", &self.text).field("expiry", &self.expiry).finish()
    }
}

/// Why a [`TokenProvider`] has no token.
///
/// The message becomes a part of the error of the call. It should say what to
/// do, and must not contain a secret. At most 200 bytes of it are shown.
///
/// ```
/// use longrunning::auth::TokenError;
///
/// let error = TokenError::permanent("the refresh token was revoked, log in again");
/// assert!(!error.is_transient());
/// ```
#[derive(Clone)]
pub struct TokenError {
    /// What `Display` prints.
    message: String,
    transient: bool,
    /// How the message becomes that of the call.
    wording: Wording,
    /// Whether an option is invalid, such as the proxy, rather than the
    /// credentials.
    is_setting: bool,
    /// The delay that the source requests.
    retry_after: Option<Duration>,
    /// The cause.
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// Where a message comes from, which decides how much of it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wording {
    /// Text from outside, which is cut to 200 bytes.
    External,
    /// Text that this crate composed of parts that are short. It is cut to 1
    /// KiB, because advice must not be lost.
    Composed,
    /// The complete message of the call.
    Whole,
}

impl TokenError {
    /// Creates a transient error, for instance if a token endpoint cannot be
    /// reached.
    ///
    /// ```
    /// use longrunning::auth::TokenError;
    ///
    /// assert!(TokenError::transient("failed to connect to the vault").is_transient());
    /// ```
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(message.into(), true)
    }

    /// Creates a permanent error, for instance for a revoked key. The call is
    /// not retried.
    ///
    /// ```
    /// use longrunning::auth::TokenError;
    ///
    /// assert!(!TokenError::permanent("the key was revoked").is_transient());
    /// ```
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(message.into(), false)
    }

    /// Creates an error with a redacted message.
    fn new(message: String, transient: bool) -> Self {
        Self {
            message: redacted(&message).into_owned(),
            transient,
            wording: Wording::External,
            is_setting: false,
            retry_after: None,
            source: None,
        }
    }

    /// Sets the cause, which the error of the call returns as its
    /// [`source`](StdError::source).
    ///
    /// ```
    /// use std::error::Error;
    /// use longrunning::auth::TokenError;
    ///
    /// let cause = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    /// let error = TokenError::permanent("cannot read the token").with_source(cause);
    /// assert!(error.source().is_some());
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Sets the delay that the source requests, for instance by `Retry-After`.
    /// It has an effect on [transient](Self::transient) errors only.
    ///
    /// The next attempt of the call comes after this delay at the earliest, and
    /// [`Error::retry_after`](crate::Error::retry_after) returns it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::auth::TokenError;
    ///
    /// let hint = Duration::from_secs(7);
    /// let error = TokenError::transient("the vault is sealed").with_retry_after(hint);
    /// assert_eq!(error.retry_after(), Some(hint));
    /// ```
    #[must_use]
    pub fn with_retry_after(mut self, delay: impl Into<Option<Duration>>) -> Self {
        self.retry_after = delay.into();
        self
    }

    /// Returns whether the same request may succeed later without any change.
    ///
    /// ```
    /// use longrunning::auth::TokenError;
    ///
    /// assert!(TokenError::transient("the vault is sealed").is_transient());
    /// ```
    pub fn is_transient(&self) -> bool {
        self.transient
    }

    /// Returns the delay that the source requests; `None` if it requests none.
    ///
    /// ```
    /// use longrunning::auth::TokenError;
    ///
    /// assert_eq!(TokenError::transient("the vault is sealed").retry_after(), None);
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Sets where the message comes from.
    pub(super) fn worded(mut self, wording: Wording) -> Self {
        self.wording = wording;
        self
    }

    /// Returns where the message comes from.
    pub(super) fn wording(&self) -> Wording {
        self.wording
    }

    /// Returns whether an option is invalid, rather than the credentials. The
    /// error of the call is then of kind `Config`.
    pub(super) fn is_setting(&self) -> bool {
        self.is_setting
    }

    /// Returns the cause, for the error of the call.
    pub(super) fn into_source(self) -> Option<Arc<dyn StdError + Send + Sync>> {
        self.source
    }
}

/// Converts the error of an exchange with a token server, for a
/// [`TokenProvider`] of your own. It is transient if the error is.
impl From<HttpError> for TokenError {
    fn from(error: HttpError) -> Self {
        // The message of the HTTP error is redacted already.
        let (message, transient) = (error.to_string(), error.is_transient());
        let is_setting = error.kind() == HttpErrorKind::Config;
        // The message is a part of this error, so the chain continues with its
        // source.
        let source = error.into_source();
        Self { message, transient, wording: Wording::External, is_setting, retry_after: None, source }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenError")
            .field("message", &self.message)
            .field("transient", &self.transient)
            .finish_non_exhaustive()
    }
}

impl StdError for TokenError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

/// Checks that a token can stand in a header. The error contains no part of it,
/// only the position of the first wrong byte.
pub(super) fn check_token(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("is empty".into());
    }
    // The position helps to find a line break; the character itself could be a
    // part of the secret.
    match text.bytes().position(|byte| !byte.is_ascii_graphic()) {
        Some(at) => Err(format!(
            "holds a space, line break or other character at byte {at} that no header can carry: expected visible ASCII only"
        )),
        None => Ok(()),
    }
}

/// The universe of everything that names no other.
pub(crate) const DEFAULT_UNIVERSE: &str = "googleapis.com";
/// The shortest lifetime: a token that has just been issued is worth one try.
const MIN_LIFETIME: Duration = Duration::from_secs(1);
/// The longest lifetime: the longest that Google issues.
const MAX_LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// The lifetime of a token whose source does not say: most live longer.
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests;
