//! Retries and timeouts of each method, from the configuration files of gRPC
//! clients.
//!
//! The files have two forms, and one file one of them:
//!
//! ```text
//! {"methodConfig": [...]}  method_config ─┐   MethodSettings
//! {"interfaces": {...}}    gapic ─────────┴─► of each RPC ─► CallOptions
//! ```
//!
//! [`node`] walks through the JSON and knows the path for messages. Everything
//! is checked when the file is read, so a client that was built never fails
//! because of it.
//!
//! The options of a call come from four layers, each over the one before: the
//! defaults of the crate, this configuration, the options of the client
//! builder, and those of the call ([`ClientConfig::options`] makes the first
//! three).

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

/// Retries and timeouts of each method, read from a configuration for gRPC
/// clients.
///
/// [`OperationsClientBuilder::client_config`] takes it, for any transport. It
/// accepts the two forms that Google's clients come with. The options of the
/// builder (`retry`, `attempt_timeout`, `total_timeout`) override the
/// configuration, and the options of a call override both. What the
/// configuration does not mention keeps its default.
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
/// A file with `methodConfig`, such as
/// [`longrunning_grpc_service_config.json`]. A method uses the entry that names
/// it, else the entry that names only its service, else the entry for `{}`.
///
/// - `timeout` limits the whole call, retries included. It sets both the
///   attempt timeout and the total timeout.
/// - `retryPolicy` sets the [`RetryPolicy`]. As in gRPC, `maxAttempts` above 5
///   counts as 5. A `backoffMultiplier` below 1 is an error here.
/// - An entry without `retryPolicy` keeps the default policy.
///
/// # The `client_config` of GAPIC clients
///
/// A file with `interfaces`, one of which must be
/// `google.longrunning.Operations`. A method with `retry_params_name` makes as
/// many attempts as `total_timeout_millis` has room for, and retries the codes
/// of `retry_codes_name`. If that list is empty, it makes one attempt. A method
/// without both names makes one attempt of `timeout_millis`. A method with one
/// of the names and without the other is an error. Python takes codes without
/// parameters to mean that nothing is retried, so a misspelt key would turn
/// retries off.
///
/// All attempts have the same timeout here. If `rpc_timeout_multiplier` makes
/// the timeouts of attempts grow, it is `max_rpc_timeout_millis` from the
/// start; otherwise it is `initial_rpc_timeout_millis`.
///
/// # What both have in common
///
/// Other services and keys that are not listed here are ignored, as gRPC does
/// (`retryThrottling`, `waitForReady`, …), because such files get new ones.
/// Unknown keys in an entry for a method, such as a misspelt `timeout`, are
/// logged at `WARN` with their path.
///
/// If a method retries at all, errors that say nothing about the request are
/// retried as by [`RetryPolicy`], whatever the codes. A
/// [`Poller`](crate::Poller) uses the timeouts of `GetOperation`, but tolerates
/// errors by its own rules.
///
/// [`OperationsClientBuilder::client_config`]: crate::OperationsClientBuilder::client_config
/// [`longrunning_grpc_service_config.json`]: https://github.com/googleapis/googleapis/blob/master/google/longrunning/longrunning_grpc_service_config.json
#[derive(Clone, Debug, Default)]
pub struct ClientConfig {
    /// What the file says about each method.
    methods: RpcMap<MethodSettings>,
}

impl ClientConfig {
    /// Parses a configuration of either form.
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
    /// key that is wrong or missing: an undefined name, an unknown method or
    /// code, a negative number, a value of the wrong type. The JSON must have
    /// exactly one of `interfaces` and `methodConfig`.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let value: Value = serde_json::from_str(text)
            .map_err(|cause| Error::config("client config is not valid JSON").with_source(cause))?;
        let root = ConfigNode::root(&value);
        // A file with both forms would have to say which one wins.
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
        // `operations_v1` has no WaitOperation.
        let of = |rpc| if rpc == Rpc::Wait { MethodSettings::default() } else { method.clone() };
        Self { methods: RpcMap::new(of) }
    }

    /// Returns the options that the calls of each method start with:
    /// `explicit`, those of the builder, over this configuration.
    pub(crate) fn options(&self, explicit: &RequestOptions) -> RpcMap<CallOptions> {
        RpcMap::new(|rpc| explicit.over(&self.methods.get(rpc).over(CallOptions::default())))
    }
}

#[cfg(test)]
mod tests;
