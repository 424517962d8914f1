//! What all clones of a client share, and all that its calls and waits need of it.

use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::options::CallOptions;
use crate::retry::RateLimit;
use crate::transport::{Rpc, Transport};
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
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationsClient")
            .field("transport", &self.transport)
            .field("defaults", &self.defaults)
            .finish_non_exhaustive()
    }
}
