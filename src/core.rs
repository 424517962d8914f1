//! What all clones of a client share, and all that its calls and waits need of it.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::clock::Clock;
use crate::error::Error;
use crate::name::OperationName;
use crate::options::CallOptions;
use crate::pending::Pending;
use crate::progress::Progress;
use crate::retry::RateLimit;
use crate::transport::{Rpc, Transport};
use crate::types::Operation;
use crate::wait_support::WaitSupport;

/// The inside of a client.
pub(crate) struct Core {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    /// In the order of [`Rpc::ALL`].
    pub(crate) defaults: [CallOptions; 5],
    /// Of all polls.
    pub(crate) rate: Option<Arc<RateLimit>>,
    pub(crate) wait_support: Arc<WaitSupport>,
    /// None with a transport of the user's.
    pub(crate) origin: Option<Origin>,
}

/// Where a service is, as its client was told.
pub(crate) struct Origin {
    pub(crate) endpoint: String,
    /// None over gRPC.
    pub(crate) api_version: Option<String>,
}

impl Core {
    /// The options that a call of `rpc` starts with.
    pub(crate) fn defaults(&self, rpc: Rpc) -> CallOptions {
        self.defaults[rpc as usize].clone()
    }

    /// Whether an operation is of the service, and the version of it, that this client asks.
    #[cfg(feature = "journal")]
    pub(crate) fn is_home_of(&self, pending: &Pending) -> bool {
        let origin = self.origin.as_ref();
        let version = origin.and_then(|origin| origin.api_version.as_deref());
        let other_version = pending.api_version().zip(version).is_some_and(|(its, ours)| its != ours);
        pending.endpoint() == origin.map(|origin| &*origin.endpoint) && !other_version
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
        let pending = Pending::new(name)?.with_started(started);
        let Some(origin) = &self.origin else { return Ok(pending) };
        let pending = pending.with_endpoint(&origin.endpoint);
        Ok(match &origin.api_version {
            Some(version) => pending.with_api_version(version),
            None => pending,
        })
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
