//! The settings of a configuration for one method.

use std::time::Duration;

use crate::error::Error;
use crate::options::CallOptions;
use crate::retry::RetryPolicy;
use crate::transport::Rpc;

use super::node::ConfigNode;

/// The settings of one method; `None` is as without a configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct MethodSettings {
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) total_timeout: Option<Duration>,
}

impl MethodSettings {
    pub(super) fn over(&self, mut options: CallOptions) -> CallOptions {
        if let Some(retry) = &self.retry {
            options.retry = retry.clone();
        }
        options.attempt_timeout = self.attempt_timeout.unwrap_or(options.attempt_timeout);
        options.total_timeout = self.total_timeout.or(options.total_timeout);
        options
    }
}

/// Finds a method by the name that it has in the proto.
pub(super) fn method(node: &ConfigNode<'_>, name: &str) -> Result<Rpc, Error> {
    Rpc::by_name(name).ok_or_else(|| {
        let known = Rpc::names();
        node.error(&format!("{SERVICE} has no such method, only {known}"))
    })
}

pub(super) const SERVICE: &str = "google.longrunning.Operations";
