//! The `client_config` of clients that were generated from the older GAPIC
//! configuration, such as the Python clients.
//!
//! An interface has named lists of codes and named parameters, and each method
//! refers to one of each:
//!
//! ```text
//! {"interfaces": {"google.longrunning.Operations": {
//!     "retry_codes": {"idempotent": ["UNAVAILABLE"]},
//!     "retry_params": {"default": {"total_timeout_millis": 600000, …}},
//!     "methods": {"GetOperation": {
//!         "retry_codes_name": "idempotent", "retry_params_name": "default"}}}}}
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::Error;
use crate::retry::{Backoff, RetryPolicy};
use crate::transport::RpcMap;
use crate::types::Code;
use crate::util::excerpt::shown;

use super::node::ConfigNode;
use super::settings::{MethodSettings, SERVICE, method};

/// Reads `interfaces`. Methods that are not listed keep their defaults.
///
/// # Errors
///
/// `ErrorKind::Config` if the interface of operations is missing, or anything
/// in it is invalid.
pub(super) fn read(interfaces: &ConfigNode<'_>) -> Result<RpcMap<MethodSettings>, Error> {
    let interface = interfaces.require(SERVICE)?;
    let codes = named(&interface, "retry_codes", ConfigNode::codes)?;
    let params = named(&interface, "retry_params", RetryParams::read)?;
    let mut methods = Vec::new();
    // An unknown method is an error: it is most likely misspelt.
    for (name, entry) in interface.require("methods")?.members()? {
        methods.push((method(&entry, name)?, method_config(&entry, &codes, &params)?));
    }
    let settings = |wanted| methods.iter().find(|(rpc, _)| *rpc == wanted).map(|(_, config)| config.clone());
    Ok(RpcMap::new(|rpc| settings(rpc).unwrap_or_default()))
}

/// One entry of `retry_params`.
struct RetryParams {
    backoff: Backoff,
    /// Of every attempt: there is no growth here.
    attempt_timeout: Duration,
    total_timeout: Duration,
}

impl RetryParams {
    /// Reads an entry, all fields of which are required. Times are
    /// milliseconds.
    fn read(node: &ConfigNode<'_>) -> Result<Self, Error> {
        let initial = node.require("initial_retry_delay_millis")?.millis(false)?;
        let factor = node.require("retry_delay_multiplier")?.number(1.0)?;
        let maximum = node.require("max_retry_delay_millis")?.millis(false)?;
        let first = node.require("initial_rpc_timeout_millis")?.millis(true)?;
        let growth = node.require("rpc_timeout_multiplier")?.number(1.0)?;
        let longest = node.require("max_rpc_timeout_millis")?.millis(true)?;
        Ok(Self {
            // Full jitter, because `google.api_core.retry`, which reads these
            // files in Python, draws its delays like that.
            backoff: Backoff::exponential(initial, maximum).factor(factor).full_jitter(),
            // A growing timeout becomes the longest one: a short first timeout
            // would be too short for all attempts here.
            attempt_timeout: if growth > 1.0 { longest } else { first.min(longest) },
            total_timeout: node.require("total_timeout_millis")?.millis(true)?,
        })
    }
}

/// Reads the entry of a method.
///
/// ```text
/// retry_params_name and retry_codes_name   retries within total_timeout_millis
/// neither                                  one attempt of timeout_millis
/// one of them                              an error
/// ```
fn method_config(
    node: &ConfigNode<'_>,
    codes: &BTreeMap<&str, Vec<Code>>,
    params: &BTreeMap<&str, RetryParams>,
) -> Result<MethodSettings, Error> {
    node.warn_of_others_than(&["timeout_millis", "retry_codes_name", "retry_params_name", "bundling"])?;
    let (params, codes) = match (node.get("retry_params_name")?, node.get("retry_codes_name")?) {
        (Some(params_name), Some(codes_name)) => {
            (defined(&params_name, "retry_params", params)?, defined(&codes_name, "retry_codes", codes)?)
        }
        (None, None) => {
            let timeout = Some(node.require("timeout_millis")?.millis(true)?);
            let retry = Some(RetryPolicy::never());
            return Ok(MethodSettings { retry, attempt_timeout: timeout, total_timeout: timeout });
        }
        (Some(_), None) => return Err(node.missing("retry_codes_name", "`retry_params_name` needs it")),
        (None, Some(_)) => return Err(node.missing("retry_params_name", "`retry_codes_name` needs it")),
    };
    // The number of attempts has no limit of its own: the total timeout ends
    // them.
    let attempts = if codes.is_empty() { 1 } else { u32::MAX };
    let retry = RetryPolicy::default().max_attempts(attempts).codes(codes.iter().copied());
    if let Some(unused) = node.get("timeout_millis")? {
        // Checked although it has no effect, so that a wrong file does not pass
        // by chance.
        unused.millis(true)?;
    }
    Ok(MethodSettings {
        retry: Some(retry.backoff(params.backoff.clone())),
        attempt_timeout: Some(params.attempt_timeout),
        total_timeout: Some(params.total_timeout),
    })
}

/// Reads all members of the object under `key`.
fn named<'a, T>(
    interface: &ConfigNode<'a>,
    key: &str,
    read: impl Fn(&ConfigNode<'a>) -> Result<T, Error>,
) -> Result<BTreeMap<&'a str, T>, Error> {
    let Some(object) = interface.get(key)? else { return Ok(BTreeMap::new()) };
    object.members()?.into_iter().map(|(name, node)| Ok((name, read(&node)?))).collect()
}

/// Returns the entry of `all` to which a name refers; `what` is where it should
/// be defined.
fn defined<'m, T>(name: &ConfigNode<'_>, what: &str, all: &'m BTreeMap<&str, T>) -> Result<&'m T, Error> {
    let wanted = name.string()?;
    all.get(wanted).ok_or_else(|| name.error(&format!("`{}` is not defined in `{what}`", shown(wanted))))
}
