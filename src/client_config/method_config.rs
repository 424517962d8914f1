//! The service config of gRPC.
//!
//! Its schema is [`service_config.proto`], in the JSON form of protobuf; the
//! semantics of retries are those of [gRFC A6]. This reads `methodConfig` and
//! there `name`, `timeout` and `retryPolicy`.
//!
//! [`service_config.proto`]: https://github.com/grpc/grpc-proto/blob/master/grpc/service_config/service_config.proto
//! [gRFC A6]: https://github.com/grpc/proposal/blob/master/A6-client-retries.md

use std::collections::BTreeMap;

use crate::error::Error;
use crate::retry::{Backoff, RetryPolicy};
use crate::transport::{Rpc, RpcMap};

use super::node::ConfigNode;
use super::settings::{MethodSettings, SERVICE, method};

/// Reads the entries of `methodConfig`.
///
/// # Errors
///
/// `ErrorKind::Config` if an entry is invalid, if two entries have the same
/// name, or if no entry is for the operations service.
pub(super) fn read(entries: &ConfigNode<'_>) -> Result<RpcMap<MethodSettings>, Error> {
    let mut found = BTreeMap::new();
    for entry in entries.elements()? {
        let config = config(&entry)?;
        let mut is_ours = false;
        for name in entry.require("name")?.elements()? {
            let Some(scope) = scope(&name)? else { continue };
            is_ours = true;
            if found.insert(scope, config.clone()).is_some() {
                return Err(name.error("an earlier entry has the same name"));
            }
        }
        // Entries for other services may have any keys: they are the business
        // of other clients.
        if is_ours {
            entry.warn_of_others_than(&KEYS)?;
        }
    }
    if found.is_empty() {
        return Err(entries.error(&format!("no entry is for {SERVICE}")));
    }
    Ok(RpcMap::new(|rpc| {
        // From the most specific to the least: the first one that has an entry
        // is used, and entries are not merged.
        let scopes = [EntryScope::Method(rpc.name()), EntryScope::Service, EntryScope::All];
        scopes.iter().find_map(|scope| found.get(scope)).cloned().unwrap_or_default()
    }))
}

/// The methods that an entry applies to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EntryScope {
    /// `{}`: all methods of all services.
    All,
    /// All methods of the operations service.
    Service,
    /// One method, by its name in the proto.
    Method(&'static str),
}

/// Reads a name of an entry; `None` for the name of another service.
fn scope(name: &ConfigNode<'_>) -> Result<Option<EntryScope>, Error> {
    let text = |key| match name.get(key)? {
        Some(node) => node.string(),
        None => Ok(""),
    };
    Ok(match (text("service")?, text("method")?) {
        ("", "") => Some(EntryScope::All),
        ("", _) => return Err(name.error("a `method` needs its `service`")),
        (SERVICE, "") => Some(EntryScope::Service),
        (SERVICE, wanted) => {
            Some(EntryScope::Method(method(&name.require("method")?, wanted).map(Rpc::name)?))
        }
        _ => None,
    })
}

/// Reads the settings of an entry.
fn config(entry: &ConfigNode<'_>) -> Result<MethodSettings, Error> {
    let timeout = entry.get("timeout")?.map(|timeout| timeout.duration()).transpose()?;
    let retry = entry.get("retryPolicy")?.map(|policy| retry(&policy)).transpose()?;
    // The service config has no timeout for an attempt, so one attempt may use
    // the whole time, as in gRPC.
    Ok(MethodSettings { retry, attempt_timeout: timeout, total_timeout: timeout })
}

/// Reads a `retryPolicy`, all fields of which are required, as in gRPC.
fn retry(policy: &ConfigNode<'_>) -> Result<RetryPolicy, Error> {
    let attempts = policy.require("maxAttempts")?;
    let number = attempts.number(2.0)?;
    if number.fract() != 0.0 {
        return Err(attempts.error("expected an integer"));
    }
    let initial = policy.require("initialBackoff")?.duration()?;
    let maximum = policy.require("maxBackoff")?.duration()?;
    let factor = policy.require("backoffMultiplier")?.number(1.0)?;
    let codes = policy.require("retryableStatusCodes")?;
    let named = codes.codes()?;
    if named.is_empty() {
        return Err(codes.error("expected at least one code"));
    }
    Ok(RetryPolicy::default()
        .max_attempts(number.min(MOST_ATTEMPTS) as u32)
        .codes(named)
        .backoff(Backoff::exponential(initial, maximum).factor(factor)))
}

/// The keys of an entry that exist in gRPC. Those that are not for retries and
/// timeouts have no effect here, and no warning.
const KEYS: [&str; 7] = [
    "name",
    "timeout",
    "retryPolicy",
    "hedgingPolicy",
    "waitForReady",
    "maxRequestMessageBytes",
    "maxResponseMessageBytes",
];

/// The most attempts: gRPC takes greater numbers as this one, without an error
/// (gRFC A6).
const MOST_ATTEMPTS: f64 = 5.0;
