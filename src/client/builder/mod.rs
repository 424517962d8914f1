//! The options of a client; everything is checked in `build`.
//!
//! ```text
//! OperationsClientBuilder
//!    ├── options, poll, config, rate     of calls and waits: kept in `Core`
//!    └── source
//!          ├── RequestedTransport        of this crate: made in `build`
//!          └── a transport of the program: made already
//! ```
//!
//! The setters are in three files by what they are about: `identity` (who
//! sends), `network` (how the service is reached), `protocol` (what is sent).
//! The first option that cannot be used is kept, and `build` returns it.

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
    /// The transport, made or described.
    source: TransportSource,
    /// The options of all calls. They override `config`, in any order.
    options: RequestOptions,
    /// The options of all waits.
    poll: PollOptions,
    /// The options of each method.
    config: ClientConfig,
    /// The limit on polls of all waits together.
    rate: Option<Arc<RateLimit>>,
    /// The real clock, or the virtual one of a fake server.
    clock: Arc<dyn Clock>,
    /// The environment of the process, or the variables of a test.
    env: Arc<dyn Env>,
}

/// The transport of the client to be.
#[derive(Clone)]
enum TransportSource {
    /// One of this crate, which is made in `build`.
    Service(Box<RequestedTransport>),
    /// One of the program. Options of transports do not apply to it.
    Custom(Arc<dyn Transport>),
}

impl OperationsClientBuilder {
    /// Creates the builder of a client for a service.
    pub(super) fn service(endpoint: String) -> Self {
        Self::new(TransportSource::Service(Box::new(RequestedTransport::new(endpoint))))
    }

    /// Creates the builder of a client over a transport of the program.
    pub(super) fn custom(transport: Arc<dyn Transport>) -> Self {
        Self::new(TransportSource::Custom(transport))
    }

    /// Creates a builder in which nothing is set.
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
        // Before the transport is made, which may read files: the first mistake
        // in the expression is the one that is reported.
        self.options.check()?;
        let (transport, origin) = match self.source {
            TransportSource::Service(mut requested) => {
                requested.resolve_version()?;
                // Known only here, since both kinds of options may be set in
                // any order.
                requested.service.has_quota_project = self.options.quota_project.is_some();
                let origin = requested.origin();
                (requested.transport(Arc::clone(&self.clock), &*self.env)?, Some(origin))
            }
            // A transport of the program does not say where it leads, so its
            // operations have no endpoint.
            TransportSource::Custom(transport) => (transport, None),
        };
        // What was set for all calls overrides the configuration of methods,
        // because it is nearer to the program.
        let defaults = self.config.options(&self.options);
        // A start is no method of the configuration, so that has no part in it.
        let start = self.options.over(&CallOptions::of_start());
        let core = Core {
            transport,
            defaults,
            start,
            poll: self.poll,
            rate: self.rate,
            clock: self.clock,
            // Starts empty: what a service can do is found out by the first
            // wait.
            wait_support: Arc::default(),
            origin,
        };
        // From here on nothing changes: clones share the core without a lock.
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
        // Replaced as a whole: a test must not depend on the machine it runs
        // on.
        self.env = Arc::new(variables.collect::<BTreeMap<String, String>>());
        self
    }

    /// Replaces the clock, for clients of a fake server.
    #[cfg(feature = "testing")]
    pub(crate) fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets an option of REST. `build` fails with it if the client has another
    /// transport, because it would have no effect.
    fn set_rest(self, option: &'static str, set: impl FnOnce(&mut RequestedTransport)) -> Self {
        self.set(option, |requested| {
            // Only noted: `transport` may be called after this.
            requested.rest_only = requested.rest_only.or(Some(option));
            set(requested);
        })
    }

    /// Sets an option of gRPC, likewise.
    #[cfg(feature = "grpc")]
    fn set_grpc(self, option: &'static str, set: impl FnOnce(&mut GrpcOptions)) -> Self {
        self.set(option, |requested| {
            requested.grpc_only = requested.grpc_only.or(Some(option));
            set(&mut requested.grpc);
        })
    }

    /// Sets an option that both transports have.
    fn set_service(self, option: &str, set: impl FnOnce(&mut ServiceOptions)) -> Self {
        // Both transports have it, so nothing is noted about it.
        self.set(option, |requested| set(&mut requested.service))
    }

    /// Sets an option of the transports of this crate. A transport of the
    /// program has its own options, so it is an error there.
    fn set(mut self, option: &str, set: impl FnOnce(&mut RequestedTransport)) -> Self {
        match &mut self.source {
            TransportSource::Service(requested) => {
                set(requested);
                self
            }
            // An error and not ignored: a program that sets credentials relies
            // on them.
            TransportSource::Custom(_) => self.check(Err(Error::config(format!(
                "option `{option}` has no effect on a transport of your own"
            )))),
        }
    }

    /// Keeps the first option that cannot be used.
    fn check(mut self, set: Result<(), Error>) -> Self {
        set.err().into_iter().for_each(|error| self.options.refuse(error));
        self
    }
}

/// Prints the options without the environment, and without what may be a secret
/// given in the wrong place.
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
