//! What all clones of a client share, and all that its calls and waits need of it.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::error::Error;
use crate::name::OperationName;
use crate::options::{CallOptions, PollOptions};
use crate::pending::{Pending, same_endpoint};
use crate::progress::Progress;
use crate::retry::RateLimit;
use crate::transport::{Rpc, RpcMap, Transport};
use crate::types::Operation;
use crate::util::clock::Clock;
use crate::wait_support::WaitSupport;

/// The inside of a client.
pub(crate) struct Core {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) defaults: RpcMap<CallOptions>,
    /// What waits start with.
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
    /// The options that a call of `rpc` starts with.
    pub(crate) fn defaults(&self, rpc: Rpc) -> &CallOptions {
        self.defaults.get(rpc)
    }

    /// Whether an operation is recorded as one of the service, and the version of it, that this client asks.
    #[cfg(feature = "journal")]
    pub(crate) fn is_home_of(&self, pending: &Pending) -> bool {
        pending.endpoint().is_some() == self.origin.is_some() && self.check_home(pending).is_ok()
    }

    /// Refuses an operation that is known to be of another service, or of another version of it, than this client asks.
    pub(crate) fn check_home(&self, pending: &Pending) -> Result<(), Error> {
        let Some(origin) = &self.origin else { return Ok(()) };
        let name = pending.name().as_str();
        let ours = [Some(&origin.endpoint), origin.api_endpoint.as_ref()];
        let is_ours =
            |its: &str| ours.into_iter().flatten().any(|our| same_endpoint(our) == same_endpoint(its));
        match (pending.endpoint(), pending.api_version(), &origin.api_version) {
            (Some(its), ..) if !is_ours(its) => Err(Error::foreign_operation(name, its, &origin.endpoint)),
            (_, Some(its), Some(our)) if its != our => {
                Err(Error::other_version(name, its, our, &origin.endpoint))
            }
            _ => Ok(()),
        }
    }

    /// What another process needs to go on with an operation, which was started when `seen` says, or else at `since`.
    pub(crate) fn pending(
        &self,
        name: OperationName,
        seen: Option<&Operation>,
        since: SystemTime,
    ) -> Result<Pending, Error> {
        let progress = seen.map(Progress::of).unwrap_or_default();
        let started = progress.create_time().or(progress.start_time()).unwrap_or(since);
        Ok(self.at_home(Pending::new(name)?.with_started(started)))
    }

    /// Adds the endpoint and the version of this client, unless an endpoint is set.
    pub(crate) fn at_home(&self, pending: Pending) -> Pending {
        let Some(origin) = self.origin.as_ref().filter(|_| pending.endpoint().is_none()) else {
            return pending;
        };
        let pending = pending.with_endpoint(&origin.endpoint);
        match &origin.api_version {
            Some(version) => pending.with_api_version(version),
            None => pending,
        }
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
