//! What a call may take and carries along.

use std::fmt;
use std::time::Duration;

use crate::error::Error;
use crate::redact::Masked;
use crate::retry::RetryPolicy;
use crate::stop::StopToken;
use crate::transport::{Attempt, Compression, Header, HeadersObserver, check_quota_project};

/// The options of one call; the client's own are the defaults of its calls.
#[derive(Clone)]
pub(crate) struct CallOptions {
    pub(crate) attempt_timeout: Duration,
    /// None: [`TOTAL_TIMEOUT`], and the asked wait on top.
    pub(crate) total_timeout: Option<Duration>,
    pub(crate) retry: RetryPolicy,
    pub(crate) quota_project: Option<String>,
    pub(crate) headers: Vec<Header>,
    pub(crate) stop: Option<StopToken>,
    pub(crate) compression: Compression,
    pub(crate) on_headers: Option<HeadersObserver>,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            attempt_timeout: ATTEMPT_TIMEOUT,
            total_timeout: None,
            retry: RetryPolicy::default(),
            quota_project: None,
            headers: Vec::new(),
            stop: None,
            compression: Compression::default(),
            on_headers: None,
        }
    }
}

impl CallOptions {
    pub(crate) fn set_quota_project(&mut self, project: &str) -> Result<(), Error> {
        check_quota_project(project)?;
        self.quota_project = Some(project.to_owned());
        Ok(())
    }

    pub(crate) fn add_header(&mut self, name: &str, value: &str) -> Result<(), Error> {
        self.headers.push(Header::new(name, value)?);
        Ok(())
    }

    /// The limits of a call for which the server is asked to wait.
    pub(crate) fn limits(&self, server_wait: Duration) -> (Duration, Duration) {
        let total_timeout = self.total_timeout.unwrap_or(TOTAL_TIMEOUT.saturating_add(server_wait));
        (self.attempt_timeout.saturating_add(server_wait), total_timeout)
    }

    pub(crate) fn attempt(&self, timeout: Duration) -> Attempt<'_> {
        Attempt::new(timeout)
            .with(&self.headers, self.quota_project.as_deref())
            .compressed(self.compression)
            .stopped_by(self.stop.as_ref())
            .shown_to(self.on_headers.as_ref())
    }
}

/// A project may be a token given in its place.
impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallOptions")
            .field("attempt_timeout", &self.attempt_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("retry", &self.retry)
            .field("quota_project", &Masked(&self.quota_project))
            .field("headers", &self.headers)
            .field("stop", &self.stop)
            .field("compression", &self.compression)
            .field("on_headers", &self.on_headers)
            .finish()
    }
}

/// Google's service config of the RPCs: 10 s an attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Room for five attempts with the default delays between them.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
