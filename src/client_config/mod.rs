//! Retries and timeouts of each method, from the configuration files of gRPC
//! clients.

mod gapic;
mod method_config;
mod node;
mod settings;

use std::time::Duration;

use serde_json::Value;

use crate::error::Error;
use crate::options::{CallOptions, RequestOptions};
use crate::retry::{Backoff, RetryPolicy};
use crate::transport::{Rpc, RpcMap};
use crate::types::Code;

use node::ConfigNode;

pub(crate) use settings::MethodSettings;

/// Retries and time limits for each of the methods, read from a configuration
/// for gRPC clients.
///
/// Takes the two forms that Google's clients come with, and gives them to
/// [`OperationsClientBuilder::client_config`]; they hold on every transport.
/// What is given to the builder itself (`retry`, `attempt_timeout`,
/// `total_timeout`) wins over the configuration, the options of a call over
/// both; what the configuration does not say stays as it is by default.
///
/// ```
/// use longrunning::{ClientConfig, Credentials, OperationsClient};
///
/// let config = ClientConfig::from_json(
///     r#"{"methodConfig": [{
///         "name": [{"service": "google.longrunning.Operations", "method": "GetOperation"}],
///         "timeout": "60s",
///         "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.5s", "maxBackoff": "10s",
///                         "backoffMultiplier": 2.0, "retryableStatusCodes": ["UNAVAILABLE"]}}]}"#,
/// )?;
/// let client = OperationsClient::builder("https://run.googleapis.com")
///     .credentials(Credentials::anonymous())
///     .client_config(config)
///     .build()?;
/// # let _ = client;
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// # The gRPC service config
///
/// `methodConfig`, as in [`longrunning_grpc_service_config.json`]. The entry
/// for the method counts, else the one for the service, else the one for `{}`.
///
/// - `timeout` limits the whole call, retries included: both time limits are
///   set to it.
/// - `retryPolicy` is the [`RetryPolicy`]. As gRPC has it, `maxAttempts` above
///   5 counts as 5. A `backoffMultiplier` below 1 is an error here.
/// - An entry without `retryPolicy` leaves retries as they are by default.
///
/// # The `client_config` of GAPIC clients
///
/// `interfaces`, of which the one for `google.longrunning.Operations` must be
/// there. A method with `retry_params_name` makes as many attempts as
/// `total_timeout_millis` has room for, with the codes of `retry_codes_name`;
/// without codes it makes one. A method that names neither makes one attempt,
/// of `timeout_millis`. Each of the two names needs the other: Python takes
/// codes without parameters to mean that nothing is retried, so that a misspelt
/// key switches retries off; here it is an error.
///
/// An attempt always takes up to the same time here. If
/// `rpc_timeout_multiplier` has it grow, it is `max_rpc_timeout_millis` from
/// the start; else it is `initial_rpc_timeout_millis`.
///
/// # What both have in common
///
/// Keys that are not named here are ignored, as by gRPC (`retryThrottling`,
/// `waitForReady`, …), and so are other services: such files grow. Unknown keys
/// in an entry for a method, such as a misspelt `timeout`, are logged at
/// `WARN`, with their path. If retries are made at all, errors that say nothing
/// about the request are retried as by [`RetryPolicy`], whatever the codes. A
/// [`Poller`](crate::Poller) uses the timeouts of
/// `GetOperation`, but tolerates errors by its own rules.
///
/// [`OperationsClientBuilder::client_config`]: crate::OperationsClientBuilder::client_config
/// [`longrunning_grpc_service_config.json`]: https://github.com/googleapis/googleapis/blob/master/google/longrunning/longrunning_grpc_service_config.json
#[derive(Clone, Debug, Default)]
pub struct ClientConfig {
    methods: RpcMap<MethodSettings>,
}

impl ClientConfig {
    /// Parses either form.
    ///
    /// ```
    /// use longrunning::ClientConfig;
    ///
    /// let config = ClientConfig::from_json(r#"{"methodConfig": [{"name": [{}], "timeout": "30s"}]}"#)?;
    /// assert!(ClientConfig::from_json("{}").is_err());
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with the path of the
    /// key that is wrong or missing: an undefined name, an unknown method
    /// or code, a negative number, a value of the wrong type.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let value: Value = serde_json::from_str(text)
            .map_err(|cause| Error::config("client config is not valid JSON").with_source(cause))?;
        let root = ConfigNode::root(&value);
        let methods = match (root.get("interfaces")?, root.get("methodConfig")?) {
            (Some(interfaces), None) => gapic::read(&interfaces),
            (None, Some(entries)) => method_config::read(&entries),
            _ => Err(root.error("expected either `interfaces` or `methodConfig`")),
        };
        methods.map(|methods| Self { methods })
    }

    /// Returns the defaults of Python's gRPC client, `OperationsClient` of
    /// `google.api_core.operations_v1`.
    ///
    /// Get, list, cancel and delete: `DEADLINE_EXCEEDED` and `UNAVAILABLE` are
    /// retried for up to 600 s, with delays from 0.1 s to 60 s, factor 1.3,
    /// and attempts of up to 20 s. Wait keeps its defaults.
    ///
    /// ```
    /// use longrunning::{ClientConfig, Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .credentials(Credentials::anonymous())
    ///     .client_config(ClientConfig::python_grpc())
    ///     .build()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn python_grpc() -> Self {
        let method = MethodSettings {
            retry: Some(
                RetryPolicy::default()
                    .max_attempts(u32::MAX)
                    .codes([Code::DeadlineExceeded, Code::Unavailable])
                    .backoff(
                        Backoff::exponential(Duration::from_millis(100), Duration::from_secs(60))
                            .factor(1.3)
                            .full_jitter(),
                    ),
            ),
            attempt_timeout: Some(Duration::from_secs(20)),
            total_timeout: Some(Duration::from_secs(600)),
        };
        let of = |rpc| if rpc == Rpc::Wait { MethodSettings::default() } else { method.clone() };
        Self { methods: RpcMap::new(of) }
    }

    /// Returns the options that the methods start with.
    pub(crate) fn options(&self, explicit: &RequestOptions) -> RpcMap<CallOptions> {
        RpcMap::new(|rpc| explicit.over(&self.methods.get(rpc).over(CallOptions::default())))
    }
}

#[cfg(test)]
mod tests;
