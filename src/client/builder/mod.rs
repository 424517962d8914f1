//! The options of a client; everything is checked in `build`.

mod identity;
mod network;
mod protocol;
mod requested_transport;

#[cfg(feature = "testing")]
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::client_config::ClientConfig;
use crate::core::Core;
use crate::error::Error;
use crate::options::{
    CallOptions, PollOptions, RequestOptions, call_timeout_options, poll_options, rate_option,
    request_options,
};
use crate::retry::RateLimit;
#[cfg(feature = "grpc")]
use crate::transport::grpc::GrpcOptions;
use crate::transport::{ServiceOptions, Transport, TransportKind};
use crate::util::clock::{Clock, SystemClock};
use crate::util::env::{Env, SystemEnv};
use crate::util::redact::Masked;

use super::OperationsClient;
use requested_transport::RequestedTransport;

/// Builds an [`OperationsClient`]; created by [`OperationsClient::builder`].
///
/// No option does any I/O, and [`build`](Self::build) reports the first that
/// cannot be used. A client without [`credentials`](Self::credentials) takes
/// the [default ones](crate::Credentials::application_default).
///
/// ```
/// use std::time::Duration;
///
/// use longrunning::{Bindings, Credentials, OperationsClient, RetryPolicy};
///
/// let client = OperationsClient::builder("https://example.googleapis.com")
///     .credentials(Credentials::bearer("ya29.token")?)
///     .bindings(Bindings::version("v2")?)
///     .quota_project("billing-project")
///     .user_agent("nightly-import/1.4")
///     .retry(RetryPolicy::default().max_attempts(8))
///     .total_timeout(Duration::from_secs(120))
///     .build()?;
/// # let _ = client;
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "`build` makes the client"]
pub struct OperationsClientBuilder {
    source: TransportSource,
    /// Of all calls; they win over `config`, whichever was given first.
    options: RequestOptions,
    /// Of all waits.
    poll: PollOptions,
    config: ClientConfig,
    rate: Option<Arc<RateLimit>>,
    clock: Arc<dyn Clock>,
    env: Arc<dyn Env>,
}

#[derive(Clone)]
enum TransportSource {
    Service(Box<RequestedTransport>),
    Custom(Arc<dyn Transport>),
}

impl OperationsClientBuilder {
    pub(super) fn service(endpoint: String) -> Self {
        Self::new(TransportSource::Service(Box::new(RequestedTransport::new(endpoint))))
    }

    pub(super) fn custom(transport: Arc<dyn Transport>) -> Self {
        Self::new(TransportSource::Custom(transport))
    }

    fn new(source: TransportSource) -> Self {
        Self {
            source,
            options: RequestOptions::default(),
            poll: PollOptions::default(),
            config: ClientConfig::default(),
            rate: None,
            clock: Arc::new(SystemClock),
            env: Arc::new(SystemEnv),
        }
    }

    /// Sets the protocol. Default: [`TransportKind::Rest`].
    ///
    /// Methods, options and errors are the same for all. Options of REST alone
    /// ([`bindings`](Self::bindings), [`data_format`](Self::data_format),
    /// [`enum_encoding_int`](Self::enum_encoding_int),
    /// [`http_client`](Self::http_client)) make `build` fail with another
    /// transport.
    ///
    /// ```
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("run.googleapis.com")
    ///     .transport("rest".parse()?)
    ///     .credentials(Credentials::anonymous())
    ///     .build()?;
    /// # let _ = client;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn transport(self, kind: TransportKind) -> Self {
        self.set("transport", |requested| requested.kind = kind)
    }

    /// Sets retries and timeouts for each method, from a configuration for gRPC
    /// clients.
    ///
    /// [`retry`](Self::retry), [`attempt_timeout`](Self::attempt_timeout) and
    /// [`total_timeout`](Self::total_timeout) override it, in any order.
    pub fn client_config(mut self, config: ClientConfig) -> Self {
        self.config = config;
        self
    }

    request_options!();
    call_timeout_options!();
    poll_options!();
    rate_option!();

    /// Checks all options and creates the client. It does no network I/O, but
    /// reads the file of default credentials.
    ///
    /// ```
    /// use longrunning::{Credentials, ErrorKind, OperationsClient};
    ///
    /// let error = OperationsClient::builder("http://example.com")
    ///     .credentials(Credentials::anonymous())
    ///     .build()
    ///     .unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config, "plain http is for loopback only");
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with a message that
    /// names the option, variable or file;
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth) if there are no default
    /// credentials.
    pub fn build(self) -> Result<OperationsClient, Error> {
        self.options.check()?;
        let (transport, origin) = match self.source {
            TransportSource::Service(mut requested) => {
                requested.resolve_version()?;
                requested.service.has_quota_project = self.options.quota_project.is_some();
                let origin = requested.origin();
                (requested.transport(Arc::clone(&self.clock), &*self.env)?, Some(origin))
            }
            TransportSource::Custom(transport) => (transport, None),
        };
        let defaults = self.config.options(&self.options);
        let start = self.options.over(&CallOptions::of_start());
        let core = Core {
            transport,
            defaults,
            start,
            poll: self.poll,
            rate: self.rate,
            clock: self.clock,
            wait_support: Arc::default(),
            origin,
        };
        Ok(OperationsClient { core: Arc::new(core) })
    }

    /// Replaces the environment variables that the client looks at; all others
    /// count as unset.
    ///
    /// ```
    /// use longrunning::OperationsClient;
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .environment([("GOOGLE_CLOUD_QUOTA_PROJECT", "billing-project")]);
    /// # let _ = client;
    /// ```
    #[cfg(feature = "testing")]
    #[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
    pub fn environment<K, V>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.env = Arc::new(variables.collect::<BTreeMap<String, String>>());
        self
    }

    #[cfg(feature = "testing")]
    pub(crate) fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    fn set_rest(self, option: &'static str, set: impl FnOnce(&mut RequestedTransport)) -> Self {
        self.set(option, |requested| {
            requested.rest_only = requested.rest_only.or(Some(option));
            set(requested);
        })
    }

    #[cfg(feature = "grpc")]
    fn set_grpc(self, option: &'static str, set: impl FnOnce(&mut GrpcOptions)) -> Self {
        self.set(option, |requested| {
            requested.grpc_only = requested.grpc_only.or(Some(option));
            set(&mut requested.grpc);
        })
    }

    fn set_service(self, option: &str, set: impl FnOnce(&mut ServiceOptions)) -> Self {
        self.set(option, |requested| set(&mut requested.service))
    }

    fn set(mut self, option: &str, set: impl FnOnce(&mut RequestedTransport)) -> Self {
        match &mut self.source {
            TransportSource::Service(requested) => {
                set(requested);
                self
            }
            TransportSource::Custom(_) => self.check(Err(Error::config(format!(
                "option `{option}` has no effect on a transport of your own"
            )))),
        }
    }

    /// Keeps the first thing that is wrong.
    fn check(mut self, set: Result<(), Error>) -> Self {
        set.err().into_iter().for_each(|error| self.options.refuse(error));
        self
    }
}

/// Without the environment, and without what may be a secret given in a wrong
/// place.
impl fmt::Debug for OperationsClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationsClientBuilder")
            .field("source", &self.source)
            .field("options", &self.options)
            .field("poll", &self.poll)
            .field("config", &self.config)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TransportSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(requested) => Masked(requested).fmt(f),
            Self::Custom(transport) => transport.fmt(f),
        }
    }
}
