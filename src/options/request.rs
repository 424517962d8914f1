//! The options of requests: those that were set, and the complete ones of a
//! call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::retry::RetryPolicy;
#[cfg(feature = "grpc")]
use crate::transport::Compression;
use crate::transport::{Attempt, Header, HeadersObserver, check_quota_project};
use crate::util::redact::Masked;
use crate::util::stop::StopToken;

/// The options that were set on a builder. What is not set comes from the
/// client, and there from [`CallOptions`].
#[derive(Clone, Default)]
pub(crate) struct RequestOptions {
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) total_timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) quota_project: Option<String>,
    /// The version of the operation, if it is not that of the client.
    pub(crate) api_version: Option<Arc<str>>,
    /// Headers that are sent after those of the client.
    pub(crate) headers: Vec<Header>,
    pub(crate) stop: Option<StopToken>,
    #[cfg(feature = "grpc")]
    pub(crate) compression: Option<Compression>,
    pub(crate) on_headers: Option<HeadersObserver>,
    /// The first option that cannot be used. Setters return the builder, so
    /// that it is reported later.
    error: Option<Error>,
}

impl RequestOptions {
    /// Creates options of which only the version of the API is set.
    pub(crate) fn at_version(api_version: Option<Arc<str>>) -> Self {
        Self { api_version, ..Self::default() }
    }

    /// Sets the quota project, unless it is invalid.
    pub(crate) fn set_quota_project(&mut self, project: &str) {
        match check_quota_project(project) {
            Ok(()) => self.quota_project = Some(project.to_owned()),
            Err(error) => self.refuse(error),
        }
    }

    /// Adds a header, unless it is invalid or one that the client sets itself.
    pub(crate) fn add_header(&mut self, name: &str, value: &str) {
        match Header::new(name, value) {
            Ok(header) => self.headers.push(header),
            Err(error) => self.refuse(error),
        }
    }

    /// Keeps the error of an option, unless an earlier one failed: the first
    /// error is the one that the reader of the expression looks for.
    pub(crate) fn refuse(&mut self, error: Error) {
        // Later errors may only be consequences of this one.
        self.error.get_or_insert(error);
    }

    /// Returns the error of the first option that cannot be used.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.error.clone().map_or(Ok(()), Err)
    }

    /// Returns the complete options: these, and `defaults` where nothing was
    /// set. Headers of both are sent, those of `defaults` first.
    pub(crate) fn over(&self, defaults: &CallOptions) -> CallOptions {
        CallOptions {
            attempt_timeout: self.attempt_timeout.unwrap_or(defaults.attempt_timeout),
            // May still be unset: only `limits` knows how long the server is
            // requested to wait.
            total_timeout: self.total_timeout.or(defaults.total_timeout),
            server_hold: defaults.server_hold,
            // Replaced as a whole: a policy that is a mixture of two is
            // neither.
            retry: self.retry.as_ref().unwrap_or(&defaults.retry).clone(),
            quota_project: self.quota_project.as_ref().or(defaults.quota_project.as_ref()).cloned(),
            api_version: self.api_version.as_ref().or(defaults.api_version.as_ref()).cloned(),
            // Added and not replaced, because a header may occur several times.
            headers: defaults.headers.iter().chain(&self.headers).cloned().collect(),
            // The token of the call replaces that of the client; headers of
            // both are sent.
            stop: self.stop.as_ref().or(defaults.stop.as_ref()).cloned(),
            #[cfg(feature = "grpc")]
            compression: self.compression.unwrap_or(defaults.compression),
            on_headers: self.on_headers.as_ref().or(defaults.on_headers.as_ref()).cloned(),
        }
    }
}

/// The complete options of one call.
#[derive(Clone)]
pub(crate) struct CallOptions {
    pub(crate) attempt_timeout: Duration,
    /// `None` for [`TOTAL_TIMEOUT`], extended by the time for which the server
    /// is requested to wait.
    pub(crate) total_timeout: Option<Duration>,
    /// How long the server may hold the response, whatever the request says.
    pub(crate) server_hold: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) quota_project: Option<String>,
    /// Of the operation, if it is not that of the client.
    pub(crate) api_version: Option<Arc<str>>,
    pub(crate) headers: Vec<Header>,
    pub(crate) stop: Option<StopToken>,
    #[cfg(feature = "grpc")]
    pub(crate) compression: Compression,
    pub(crate) on_headers: Option<HeadersObserver>,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            attempt_timeout: ATTEMPT_TIMEOUT,
            total_timeout: None,
            server_hold: Duration::ZERO,
            retry: RetryPolicy::default(),
            quota_project: None,
            api_version: None,
            headers: Vec::new(),
            stop: None,
            #[cfg(feature = "grpc")]
            compression: Compression::default(),
            on_headers: None,
        }
    }
}

impl CallOptions {
    /// Returns the default options of a start.
    ///
    /// An attempt may take as long as the call: a service may need more than a
    /// moment to accept work, and a timeout leaves open whether it has.
    pub(crate) fn of_start() -> Self {
        Self { attempt_timeout: TOTAL_TIMEOUT, ..Self::default() }
    }

    /// Returns the timeouts of an attempt and of the whole call, if the server
    /// is requested to wait for `server_wait`.
    ///
    /// The wait of the server extends the attempt, which otherwise would always
    /// time out, and the call unless its timeout was set.
    pub(crate) fn limits(&self, server_wait: Duration) -> (Duration, Duration) {
        // Whichever is longer: a service that decides itself ignores the
        // request.
        let server_wait = server_wait.max(self.server_hold);
        let total_timeout = self.total_timeout.unwrap_or(TOTAL_TIMEOUT.saturating_add(server_wait));
        (self.attempt_timeout.saturating_add(server_wait), total_timeout)
    }

    /// Shortens the total timeout to `limit`, if it is longer. The maximum is
    /// no limit.
    pub(crate) fn limit(&mut self, limit: Duration) {
        // Unset stays unset for calls without a limit: a set timeout would not
        // be extended by the wait of the server.
        if limit < Duration::MAX {
            self.total_timeout = Some(self.total_timeout.unwrap_or(TOTAL_TIMEOUT).min(limit));
        }
    }

    /// Returns the options of one attempt.
    pub(crate) fn attempt(&self, timeout: Duration) -> Attempt<'_> {
        let attempt = Attempt::new(timeout)
            .with(&self.headers, self.quota_project.as_deref())
            .at_version(self.api_version.as_deref())
            .stopped_by(self.stop.as_ref())
            .observed_by(self.on_headers.as_ref());
        #[cfg(feature = "grpc")]
        let attempt = attempt.compressed(self.compression);
        attempt
    }
}

/// The set and the complete options have the same fields. The project is
/// masked: it may be a token in the wrong place.
macro_rules! impl_debug {
    ($($options:ident),*) => {$(
        impl fmt::Debug for $options {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut shown = f.debug_struct(stringify!($options));
                shown
                    .field("attempt_timeout", &self.attempt_timeout)
                    .field("total_timeout", &self.total_timeout)
                    .field("retry", &self.retry)
                    .field("quota_project", &Masked(&self.quota_project))
                    .field("api_version", &self.api_version)
                    .field("headers", &self.headers)
                    .field("stop", &self.stop)
                    .field("on_headers", &self.on_headers);
                #[cfg(feature = "grpc")]
                shown.field("compression", &self.compression);
                shown.finish_non_exhaustive()
            }
        }
    )*};
}

impl_debug!(RequestOptions, CallOptions);

/// The timeout of an attempt in Google's service config of the RPCs.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The timeout of a call: room for five attempts with the default delays
/// between them.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
