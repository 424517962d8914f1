//! The settings of a configuration for one method: what both forms of the file
//! are converted into.

use std::time::Duration;

use crate::error::Error;
use crate::options::CallOptions;
use crate::retry::RetryPolicy;
use crate::transport::Rpc;

use super::node::ConfigNode;

/// The settings of one method. `None` keeps the default.
#[derive(Clone, Debug, Default)]
pub(crate) struct MethodSettings {
    /// Which errors are retried, how often, and after which delays.
    pub(crate) retry: Option<RetryPolicy>,
    /// The timeout of one attempt; greater than zero.
    pub(crate) attempt_timeout: Option<Duration>,
    /// The timeout of a call with all its attempts and delays; greater than
    /// zero.
    pub(crate) total_timeout: Option<Duration>,
}

impl MethodSettings {
    /// Returns `options` with these settings where there are any.
    pub(super) fn over(&self, mut options: CallOptions) -> CallOptions {
        if let Some(retry) = &self.retry {
            options.retry = retry.clone();
        }
        options.attempt_timeout = self.attempt_timeout.unwrap_or(options.attempt_timeout);
        // Here `None` is a value of its own: the default, which depends on how
        // long the server is to wait.
        options.total_timeout = self.total_timeout.or(options.total_timeout);
        options
    }
}

/// Returns the RPC with a name of the proto, such as `GetOperation`.
///
/// # Errors
///
/// `ErrorKind::Config`, with the path of the name and the known names.
pub(super) fn method(node: &ConfigNode<'_>, name: &str) -> Result<Rpc, Error> {
    Rpc::by_name(name).ok_or_else(|| {
        let known = Rpc::names();
        node.error(&format!("{SERVICE} has no such method, only {known}"))
    })
}

/// The service whose methods are configured; entries for others are ignored.
pub(super) const SERVICE: &str = "google.longrunning.Operations";
