//! What a configuration sets for one method.

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
    Rpc::ALL.into_iter().find(|rpc| rpc.name() == name).ok_or_else(|| {
        let known = Rpc::ALL.map(Rpc::name).join(", ");
        node.error(&format!("{SERVICE} has no such method, only {known}"))
    })
}

pub(super) const SERVICE: &str = "google.longrunning.Operations";

/// Reads the settings of all methods, in the order of [`Rpc::ALL`].
pub(super) fn of_all_methods(
    method: impl FnMut(Rpc) -> Result<Option<MethodSettings>, Error>,
) -> Result<[MethodSettings; 5], Error> {
    let methods = Rpc::ALL.into_iter().map(method).collect::<Result<Vec<_>, _>>()?;
    let mut methods = methods.into_iter();
    Ok(Rpc::ALL.map(|_| methods.next().flatten().unwrap_or_default()))
}
