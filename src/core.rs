//! The state that all clones of a client share, and that its calls and waits
//! need.

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

/// The inside of a client.
pub(crate) struct Core {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) defaults: RpcMap<CallOptions>,
    /// The default options of starts.
    pub(crate) start: CallOptions,
    /// The default options of waits.
    pub(crate) poll: PollOptions,
    /// Of all polls.
    pub(crate) rate: Option<Arc<RateLimit>>,
    pub(crate) wait_support: Arc<WaitSupport>,
    /// None with a transport of the user's.
    pub(crate) origin: Option<Origin>,
}

/// The service of a client, as it is configured.
pub(crate) struct Origin {
    pub(crate) endpoint: String,
    /// Where it is asked in place of that.
    pub(crate) api_endpoint: Option<String>,
    /// None over gRPC.
    pub(crate) api_version: Option<String>,
}

impl Core {
    /// Returns the options that a call of `rpc` starts with.
    pub(crate) fn defaults(&self, rpc: Rpc) -> &CallOptions {
        self.defaults.get(rpc)
    }

    /// Returns whether an operation is recorded as one of the service, and the
    /// version of it, that this client asks.
    #[cfg(feature = "journal")]
    pub(crate) fn is_home_of(&self, pending: &Pending) -> bool {
        pending.endpoint().is_some() == self.origin.is_some() && self.check_home(pending).is_ok()
    }

    /// Refuses an operation that is known to be of another service than this
    /// client asks.
    pub(crate) fn check_home(&self, pending: &Pending) -> Result<(), Error> {
        let Some(origin) = &self.origin else { return Ok(()) };
        let name = pending.name().as_str();
        let ours = [Some(&origin.endpoint), origin.api_endpoint.as_ref()];
        let is_ours =
            |its: &str| ours.into_iter().flatten().any(|our| same_endpoint(our) == same_endpoint(its));
        match pending.endpoint() {
            Some(its) if !is_ours(its) => Err(Error::foreign_operation(name, its, &origin.endpoint)),
            _ => Ok(()),
        }
    }

    /// Returns what another process needs to continue with an operation, which
    /// was started when `seen` says, or else at `since`.
    pub(crate) fn pending(
        &self,
        name: OperationName,
        version: Option<&str>,
        seen: Option<&Operation>,
        since: SystemTime,
    ) -> Result<Pending, Error> {
        let progress = seen.map(Progress::of).unwrap_or_default();
        let started = progress.create_time().or(progress.start_time()).unwrap_or(since);
        let pending = Pending::new(name)?.with_started(started);
        Ok(self.at_home(match version {
            Some(version) => pending.with_api_version(version),
            None => pending,
        }))
    }

    /// Adds the endpoint of this client, unless one is set, and then its
    /// version, unless one is set.
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

    fn own_version(&self) -> Option<&str> {
        self.origin.as_ref()?.api_version.as_deref()
    }

    /// Returns the version if it differs from that of this client, whose
    /// requests have theirs anyway.
    pub(crate) fn other_version(&self, version: Option<&str>) -> Option<Arc<str>> {
        version.filter(|version| self.own_version() != Some(version)).map(Arc::from)
    }

    /// Returns the version of requests about an operation, which names the
    /// service if only the operation does: `sql/v1`.
    ///
    /// Extended operations of emulators are so: their host says nothing, and
    /// cancelling differs between services.
    pub(crate) fn version_for(
        &self,
        version: Option<Arc<str>>,
        seen: Option<&Operation>,
    ) -> Option<Arc<str>> {
        let service = seen.and_then(|operation| OperationService::of_form(operation.form()));
        let service = service.filter(|service| self.service(version.as_deref()) != Some(*service));
        match (service, version.as_deref().or(self.own_version())) {
            (Some(service), Some(asked)) if OperationService::of_prefix(asked).is_none() => {
                Some(service.qualified(asked).into())
            }
            _ => version,
        }
    }

    /// Returns the service with bindings of its own that requests at a version,
    /// or else those of this client, go to.
    fn service(&self, version: Option<&str>) -> Option<OperationService> {
        let origin = self.origin.as_ref()?;
        let by_version = OperationService::of_prefix(version.or(origin.api_version.as_deref())?);
        by_version.or_else(|| OperationService::of_endpoint(&origin.endpoint))
    }

    /// Returns how long a service holds back a response to WaitOperation,
    /// whatever the request says.
    pub(crate) fn server_hold(&self, rpc: Rpc, version: Option<&str>) -> Duration {
        let holds = rpc == Rpc::Wait && self.service(version) == Some(OperationService::ComputeEngine);
        if holds { OperationService::HOLD } else { Duration::ZERO }
    }

    /// Refuses a URL of another service.
    pub(crate) fn check_link(&self, link: &OperationLink) -> Result<(), Error> {
        let Some(origin) = &self.origin else { return Ok(()) };
        let ours = [Some(&origin.endpoint), origin.api_endpoint.as_ref()];
        match ours.into_iter().flatten().any(|our| link.is_of(our)) {
            true => Ok(()),
            false => Err(Error::foreign_operation(&link.name, &link.endpoint, &origin.endpoint)),
        }
    }

    /// Returns for how much longer `NOT_FOUND` is tolerated for an operation
    /// that was started at `started`.
    pub(crate) fn start_grace(&self, started: Option<Instant>) -> Duration {
        let elapsed = started.map(|started| self.clock.now().saturating_duration_since(started));
        elapsed.map_or(Duration::ZERO, |elapsed| START_GRACE.saturating_sub(elapsed))
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationsClient")
            .field("transport", &self.transport)
            .field("defaults", &self.defaults)
            .finish_non_exhaustive()
    }
}

/// How long after a start its operation may be unknown to the service.
///
/// The request that reads it may reach another replica than the one that stored
/// it. Compute Engine and Cloud SQL take up to some seconds; a wrong name is
/// reported a little later for it.
pub(crate) const START_GRACE: Duration = Duration::from_secs(30);
