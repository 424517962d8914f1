//! The interface of a source of access tokens: its requests, its results and
//! its errors.

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
/// A closure that takes a [`TokenRequest`] is a provider too. The client keeps
/// the token until shortly before it expires and never asks twice at the same
/// time, so a provider needs no cache and no lock of its own. A panic goes
/// through to the caller whose call ran the provider; for other callers it is a
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
    /// [`TokenError::transient`] when the same request may succeed later: the
    /// call is then retried like after any other transient error.
    /// [`TokenError::permanent`] when it cannot. In both cases calls without a
    /// token fail with the same error until the provider is called again:
    /// after 30 seconds if it is permanent; if it is transient after 0.25
    /// to 0.5 seconds, doubled with every failure in a row up to 30 seconds, or
    /// after the time given to [`TokenError::with_retry_after`], up to 60
    /// seconds.
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

/// The request to a [`TokenProvider`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'a> {
    /// When the provider must have returned: at the end of the calling attempt,
    /// at most 30 seconds from now. While the old token still works it is
    /// half of the remaining time, at most 10 seconds.
    pub deadline: Instant,
    /// The OAuth scopes that the client was built with; empty means the
    /// provider's own choice.
    pub scopes: &'a [String],
    /// The service that the client calls, `https://HOST`; empty where there is none.
    pub endpoint: &'a str,
    /// The cloud that the client works with: a token of another one must not be
    /// given.
    pub universe_domain: &'a str,
    /// The wall-clock time, for what has to be dated or signed.
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

    /// Returns the time until the [`deadline`](Self::deadline), which is zero
    /// once that has passed.
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

/// The purpose of the tokens of one client.
#[derive(Clone, Debug)]
pub(crate) struct Purpose {
    pub(crate) scopes: Vec<String>,
    /// `https://HOST`.
    pub(crate) endpoint: String,
    pub(crate) universe_domain: String,
}

impl Default for Purpose {
    fn default() -> Self {
        let universe_domain = DEFAULT_UNIVERSE.to_owned();
        Self { scopes: Vec::new(), endpoint: String::new(), universe_domain }
    }
}

/// An access token and its lifetime. `Debug` redacts it, dropping wipes it.
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

#[derive(Clone, Copy, Debug)]
enum TokenExpiry {
    Unknown,
    In(Duration),
    At(SystemTime),
}

impl AccessToken {
    /// Creates a token from the text after `Bearer ` in the header: visible
    /// ASCII characters only.
    pub fn new(text: impl Into<String>) -> Self {
        Self::from_secret(Secret::new(text.into()))
    }

    pub(super) fn from_secret(text: Secret) -> Self {
        Self { text, expiry: TokenExpiry::Unknown }
    }

    /// Sets the lifetime of the token, counted from the request for it.
    /// Default: unknown.
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
    pub fn text(&self) -> &str {
        self.text.expose()
    }

    /// Returns the lifetime of a token that was requested at `asked`, clamped
    /// to what a clock can hold and a server can mean.
    pub(super) fn lifetime(&self, asked: SystemTime) -> Duration {
        let lifetime = match self.expiry {
            TokenExpiry::Unknown => UNKNOWN_LIFETIME,
            TokenExpiry::In(lifetime) => lifetime,
            TokenExpiry::At(time) => time.duration_since(asked).unwrap_or_default(),
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
/// The message ends up in the error of the call, so it should say what to do
/// and must hold no secret; 200 bytes of it are shown.
///
/// ```
/// use longrunning::auth::TokenError;
///
/// let error = TokenError::permanent("the refresh token was revoked, log in again");
/// assert!(!error.is_transient());
/// ```
#[derive(Clone)]
pub struct TokenError {
    message: String,
    transient: bool,
    wording: Wording,
    /// Not the credentials failed: a setting is unusable.
    is_setting: bool,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The origin of the message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wording {
    /// Text from outside, for the end of the call's message.
    Foreign,
    /// The same, composed in this crate of parts that are short.
    Composed,
    /// The message of the call, as it is.
    Whole,
}

impl TokenError {
    /// Creates a transient error, such as for a token endpoint that cannot be
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

    /// Creates a permanent error, such as for a revoked key. No attempt is made
    /// again.
    ///
    /// ```
    /// use longrunning::auth::TokenError;
    ///
    /// assert!(!TokenError::permanent("the key was revoked").is_transient());
    /// ```
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(message.into(), false)
    }

    fn new(message: String, transient: bool) -> Self {
        Self {
            message: redacted(&message).into_owned(),
            transient,
            wording: Wording::Foreign,
            is_setting: false,
            retry_after: None,
            source: None,
        }
    }

    /// Sets the cause, which the error of the call returns as its
    /// [`source`](StdError::source).
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Sets the delay that the source requests, such as by `Retry-After`.
    ///
    /// For a [transient](Self::transient) error only: it is a lower bound for
    /// the delay before the next attempt of the
    /// call, and [`Error::retry_after`](crate::Error::retry_after) returns it.
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
    pub fn is_transient(&self) -> bool {
        self.transient
    }

    /// Returns the delay that the source requests.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(super) fn worded(mut self, wording: Wording) -> Self {
        self.wording = wording;
        self
    }

    pub(super) fn wording(&self) -> Wording {
        self.wording
    }

    /// Returns whether a setting is unusable, rather than the credentials.
    pub(super) fn is_setting(&self) -> bool {
        self.is_setting
    }

    pub(super) fn into_source(self) -> Option<Arc<dyn StdError + Send + Sync>> {
        self.source
    }
}

/// A failed exchange with a token server, for a [`TokenProvider`] of your own.
impl From<HttpError> for TokenError {
    fn from(error: HttpError) -> Self {
        let (message, transient) = (error.to_string(), error.is_transient());
        let is_setting = error.kind() == HttpErrorKind::Config;
        // The message is part of this error, so the chain continues with its source.
        let source = error.into_source();
        Self { message, transient, wording: Wording::Foreign, is_setting, retry_after: None, source }
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

/// Checks that a token can be sent in a header; the error contains no part of
/// it.
pub(super) fn check_token(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("is empty".into());
    }
    match text.bytes().position(|byte| !byte.is_ascii_graphic()) {
        Some(at) => Err(format!(
            "holds a space, line break or other character at byte {at} that no header can carry: expected visible ASCII only"
        )),
        None => Ok(()),
    }
}

/// The cloud that everything is in unless it says otherwise.
pub(crate) const DEFAULT_UNIVERSE: &str = "googleapis.com";
const MIN_LIFETIME: Duration = Duration::from_secs(1);
const MAX_LIFETIME: Duration = Duration::from_secs(12 * 3600);
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_clamped() {
        let asked = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let seconds = Duration::from_secs;
        let token = || AccessToken::new("t");
        let rows = [
            ("missing", token(), 300),
            ("zero", token().expires_in(Duration::ZERO), 1),
            ("an hour", token().expires_in(seconds(3600)), 3600),
            ("1e18 s", token().expires_in(seconds(1_000_000_000_000_000_000)), 43_200),
            ("the longest", token().expires_in(Duration::MAX), 43_200),
            ("at the same moment", token().expires_at(asked), 1),
            ("in the past", token().expires_at(asked - seconds(600)), 1),
            ("before 1970", token().expires_at(SystemTime::UNIX_EPOCH - seconds(9)), 1),
            ("in ten minutes", token().expires_at(asked + seconds(600)), 600),
            ("in a century", token().expires_at(asked + seconds(3_000_000_000)), 43_200),
            ("the last word counts", token().expires_in(seconds(60)).expires_at(asked + seconds(90)), 90),
        ];
        for (name, token, expected) in rows {
            assert_eq!(token.lifetime(asked), seconds(expected), "{name}");
        }
    }

    #[test]
    fn tokens_that_no_header_can_carry_are_refused() {
        let rows = [
            ("plain", "ya29.a0-_~+/=", None),
            ("empty", "", Some("is empty")),
            ("line break at the end", "CANARY\n", Some("at byte 6 ")),
            ("header injection", "CANARY\r\nx: y", Some("at byte 6 ")),
            ("space", " CANARY", Some("at byte 0 ")),
            ("delete", "CANARY\u{7f}", Some("at byte 6 ")),
            ("not ASCII", "CANARYé", Some("at byte 6 ")),
        ];
        for (name, text, expected) in rows {
            match (check_token(text), expected) {
                (Ok(()), None) => {}
                (Err(why), Some(part)) => {
                    assert!(why.contains(part) && !why.contains("CANARY"), "{name}: {why}")
                }
                (result, _) => panic!("{name}: {result:?}"),
            }
        }
    }
}
