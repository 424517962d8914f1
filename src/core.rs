//! The state that all clones of a client share, and that its calls and waits
//! need.
//!
//! `OperationsClientBuilder::build` makes one [`Core`]. The client, its calls,
//! pollers, handles, `poll_many` and sweeps each hold an `Arc` of it, so they
//! do not borrow the client and may outlive it. Nothing in it changes after
//! `build`, except behind the locks of its parts (the rate limit,
//! [`WaitSupport`], the pools of the transport).
//!
//! The second half of this module decides where an operation belongs. An
//! operation comes with a service and a version of its own (as a URL, as a
//! [`Pending`] of another process, from the path of its start), and the client
//! has both too:
//!
//! ```text
//! service     request
//! the same    is sent, at the version of the operation
//! unknown     is sent, at the version of the client
//! another     is refused with ErrorKind::Config; nothing is sent
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::error::Error;
use crate::link::OperationLink;
use crate::name::OperationName;
use crate::options::{CallOptions, PollOptions};
use crate::pending::{Pending, same_endpoint};
use crate::progress::Progress;
use crate::retry::RateLimit;
use crate::transport::{OperationService, Rpc, RpcMap, Transport};
use crate::types::Operation;
use crate::util::clock::Clock;
use crate::wait_support::WaitSupport;

/// What a client is made of: a transport, a clock and the default options.
pub(crate) struct Core {
    /// Sends one attempt of an RPC; REST, gRPC or an implementation of the
    /// user.
    pub(crate) transport: Arc<dyn Transport>,
    /// The source of all times and sleeps; virtual in tests.
    pub(crate) clock: Arc<dyn Clock>,
    /// The default options of the calls of each RPC. They can differ by RPC
    /// only through `client_config`.
    pub(crate) defaults: RpcMap<CallOptions>,
    /// The default options of starts, which are not RPCs of the interface
    /// `google.longrunning.Operations`.
    pub(crate) start: CallOptions,
    /// The default options of waits.
    pub(crate) poll: PollOptions,
    /// The limit that all polls of the client share; `None` means no limit.
    pub(crate) rate: Option<Arc<RateLimit>>,
    /// What the client has found out about WaitOperation of its service.
    pub(crate) wait_support: Arc<WaitSupport>,
    /// The service of the client. `None` with a transport of the user, which
    /// may send requests anywhere: such a client refuses no operation.
    pub(crate) origin: Option<Origin>,
}

/// The service that a client is configured for.
pub(crate) struct Origin {
    /// The endpoint of the service, as it was given to the builder.
    pub(crate) endpoint: String,
    /// Where requests are sent instead, for example an emulator or a private
    /// endpoint. Operations of either endpoint belong to the client.
    pub(crate) api_endpoint: Option<String>,
    /// The prefix of the default bindings, such as `v1`. `None` over gRPC,
    /// whose methods have their version in their package.
    pub(crate) api_version: Option<String>,
}

impl Core {
    /// Returns the options of a call of `rpc`, which the options of the call
    /// itself override.
    pub(crate) fn defaults(&self, rpc: Rpc) -> &CallOptions {
        self.defaults.get(rpc)
    }

    /// Returns whether an operation in a journal is one that this client
    /// resumes.
    ///
    /// This is stricter than [`check_home`](Self::check_home): without an
    /// endpoint it belongs only to a client with a transport of the user. The
    /// version does not matter, because each operation is polled at its own.
    #[cfg(feature = "journal")]
    pub(crate) fn is_home_of(&self, pending: &Pending) -> bool {
        pending.endpoint().is_some() == self.origin.is_some() && self.check_home(pending).is_ok()
    }

    /// Checks that an operation is not known to belong to another service.
    ///
    /// An operation without an endpoint passes, and so does every operation if
    /// the transport is one of the user.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Config`, with a message that names both endpoints.
    pub(crate) fn check_home(&self, pending: &Pending) -> Result<(), Error> {
        let Some(origin) = &self.origin else { return Ok(()) };
        let name = pending.name().as_str();
        // Operations that were started at the real service may be polled
        // through another endpoint, and the other way round.
        let ours = [Some(&origin.endpoint), origin.api_endpoint.as_ref()];
        let is_ours =
            |its: &str| ours.into_iter().flatten().any(|our| same_endpoint(our) == same_endpoint(its));
        match pending.endpoint() {
            Some(its) if !is_ours(its) => Err(Error::foreign_operation(name, its, &origin.endpoint)),
            _ => Ok(()),
        }
    }

    /// Returns what another process needs to continue with an operation.
    ///
    /// `since` is when this process first saw the operation. It counts as the
    /// start, unless the metadata of `seen` has a creation or start time.
    /// `version` is that of the operation, and `None` means the version of the
    /// client.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Pending::new`].
    pub(crate) fn pending(
        &self,
        name: OperationName,
        version: Option<&str>,
        seen: Option<&Operation>,
        since: SystemTime,
    ) -> Result<Pending, Error> {
        let progress = seen.map(Progress::of).unwrap_or_default();
        // The service's own time, if it says one: this process may have found
        // the operation long after its start.
        let started = progress.create_time().or(progress.start_time()).unwrap_or(since);
        let pending = Pending::new(name)?.with_started(started);
        Ok(self.at_home(match version {
            Some(version) => pending.with_api_version(version),
            None => pending,
        }))
    }

    /// Adds the endpoint of this client, unless one is set, and then its
    /// version, unless one is set.
    ///
    /// An operation that has an endpoint is left as it is: its missing version
    /// may be another than that of this client.
    pub(crate) fn at_home(&self, pending: Pending) -> Pending {
        let Some(origin) = self.origin.as_ref().filter(|_| pending.endpoint().is_none()) else {
            return pending;
        };
        let pending = pending.with_endpoint(&origin.endpoint);
        match &origin.api_version {
            Some(version) if pending.api_version().is_none() => pending.with_api_version(version),
            _ => pending,
        }
    }

    /// Returns the version of requests that set none.
    fn own_version(&self) -> Option<&str> {
        self.origin.as_ref()?.api_version.as_deref()
    }

    /// Returns the version if it differs from that of this client, whose
    /// requests have that version anyway.
    pub(crate) fn other_version(&self, version: Option<&str>) -> Option<Arc<str>> {
        version.filter(|version| self.own_version() != Some(version)).map(Arc::from)
    }

    /// Returns the version for requests about an operation, with the name of
    /// the service in front if only the operation reveals the service.
    ///
    /// ```text
    /// version  seen                        result
    /// v1       operation of Cloud SQL      sql/v1
    /// v1       google.longrunning          v1
    /// None     google.longrunning          None
    /// ```
    ///
    /// Emulators need this. Their host does not name a service, and extended
    /// operations differ in how they are cancelled.
    pub(crate) fn version_for(
        &self,
        version: Option<Arc<str>>,
        seen: Option<&Operation>,
    ) -> Option<Arc<str>> {
        let service = seen.and_then(|operation| OperationService::of_form(operation.form()));
        // If the version or the endpoint names the service already, the
        // bindings are right without help.
        let service = service.filter(|service| self.service(version.as_deref()) != Some(*service));
        match (service, version.as_deref().or(self.own_version())) {
            (Some(service), Some(asked)) if OperationService::of_prefix(asked).is_none() => {
                Some(service.qualified(asked).into())
            }
            _ => version,
        }
    }

    /// Returns the service whose own bindings a request at `version` gets;
    /// `None` means the version of this client. The version goes before the
    /// endpoint, because emulators serve several services on one host.
    fn service(&self, version: Option<&str>) -> Option<OperationService> {
        let origin = self.origin.as_ref()?;
        let by_version = OperationService::of_prefix(version.or(origin.api_version.as_deref())?);
        // `v1` alone says nothing about the service.
        by_version.or_else(|| OperationService::of_endpoint(&origin.endpoint))
    }

    /// Returns how long the service holds back a response to WaitOperation,
    /// whatever the request says. The attempt timeout is extended by it.
    ///
    /// It is zero for all RPCs but WaitOperation, and for all services but
    /// Compute Engine, whose `wait` has no parameter for a timeout.
    pub(crate) fn server_hold(&self, rpc: Rpc, version: Option<&str>) -> Duration {
        let holds = rpc == Rpc::Wait && self.service(version) == Some(OperationService::ComputeEngine);
        if holds { OperationService::HOLD } else { Duration::ZERO }
    }

    /// Checks that a URL belongs to the service of this client.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Config`, with a message that names both endpoints.
    pub(crate) fn check_link(&self, link: &OperationLink) -> Result<(), Error> {
        let Some(origin) = &self.origin else { return Ok(()) };
        let ours = [Some(&origin.endpoint), origin.api_endpoint.as_ref()];
        match ours.into_iter().flatten().any(|our| link.is_of(our)) {
            true => Ok(()),
            false => Err(Error::foreign_operation(&link.name, &link.endpoint, &origin.endpoint)),
        }
    }

    /// Returns for how much longer `NOT_FOUND` is tolerated for an operation
    /// that this process started at `started`: [`START_GRACE`] minus the
    /// elapsed time. It is zero for an operation that this process did not
    /// start.
    pub(crate) fn start_grace(&self, started: Option<Instant>) -> Duration {
        let elapsed = started.map(|started| self.clock.now().saturating_duration_since(started));
        elapsed.map_or(Duration::ZERO, |elapsed| START_GRACE.saturating_sub(elapsed))
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Builders and handles print their core, so it has the name of the
        // public type.
        f.debug_struct("OperationsClient")
            .field("transport", &self.transport)
            .field("defaults", &self.defaults)
            .finish_non_exhaustive()
    }
}

/// How long after its start an operation may be unknown to the service.
///
/// The poll may reach another replica than the start did. Compute Engine and
/// Cloud SQL take up to some seconds until all replicas know an operation. The
/// price is that a wrong name is reported later, and only for operations that
/// this process started.
pub(crate) const START_GRACE: Duration = Duration::from_secs(30);
