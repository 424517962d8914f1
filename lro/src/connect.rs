//! Clients, one for each service that is named.
//!
//! A client takes its options from everything that `lro` knows: the global
//! options, the bindings (`bindings`), trusted certificates and proxy
//! (`network`), and credentials (`credentials`). No connection is opened here.

use std::mem;

use longrunning::transport::TransportKind;
use longrunning::{OperationsClient, OperationsClientBuilder, RetryPolicy};

use crate::args::{Globals, TransportArg};
use crate::failure::CommandFailure;
use crate::place::Service;
use crate::{bindings, credentials, network};

/// The clients that were needed so far.
///
/// Names on one command line may belong to several services. A client is
/// created when the first of its names is reached, so credentials that are not
/// needed are not loaded.
pub(crate) struct Clients<'g> {
    globals: &'g Globals,
    made: Vec<(Service, OperationsClient)>,
}

impl<'g> Clients<'g> {
    /// Creates no client yet.
    pub(crate) fn new(globals: &'g Globals) -> Self {
        Self { globals, made: Vec::new() }
    }

    /// The client of a service; the same one every time, so that connections
    /// and tokens are shared.
    pub(crate) fn of(&mut self, service: &Service) -> Result<OperationsClient, CommandFailure> {
        // A handful of services at most, so a list does.
        if let Some((_, client)) = self.made.iter().find(|(made, _)| made == service) {
            return Ok(client.clone());
        }
        let client =
            builder(self.globals, service)?.credentials(credentials::of(self.globals, service)?).build()?;
        self.made.push((service.clone(), client.clone()));
        // Never dropped: the program ends when its clients do, and the system takes
        // memory and sockets back faster.
        mem::forget(client.clone());
        Ok(client)
    }
}

/// Returns the builder of a client that shows its requests, with a token that
/// stands for the real one.
///
/// Credentials are loaded all the same, so that their errors are found; no
/// token is fetched. It never retries: one request is enough.
pub(crate) fn pretend(
    globals: &Globals,
    service: &Service,
) -> Result<OperationsClientBuilder, CommandFailure> {
    let credentials = credentials::of(globals, service)?.with_token("dry-run")?;
    Ok(builder(globals, service)?.credentials(credentials).retry(RetryPolicy::never()))
}

/// Applies every option but the credentials.
///
/// `--retries N` means N + 1 attempts. `--total-timeout` limits calls here;
/// listings and waits read it themselves, because their defaults differ.
fn builder(globals: &Globals, service: &Service) -> Result<OperationsClientBuilder, CommandFailure> {
    let builder = OperationsClient::builder(&service.endpoint);
    let mut builder = match globals.transport {
        Some(TransportArg::Grpc) => builder.transport(grpc(globals)?),
        Some(TransportArg::Rest) | None => builder.bindings(bindings::of(globals, service)?),
    };
    builder = builder.http_options(network::options(globals)?).allow_plain_http(globals.allow_plain_http);
    builder = builder.user_agent(concat!("lro/", env!("CARGO_PKG_VERSION")));
    if let Some(project) = &globals.quota_project {
        builder = builder.quota_project(project);
    }
    for header in &globals.headers {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| CommandFailure::usage("--header has no colon: expected `Name: value`"))?;
        builder = builder.header(name.trim(), value.trim());
    }
    if let Some(timeout) = globals.attempt_timeout {
        builder = builder.attempt_timeout(timeout);
    }
    if let Some(timeout) = globals.total_timeout {
        builder = builder.total_timeout(timeout);
    }
    if let Some(retries) = globals.retries {
        builder = builder.retry(RetryPolicy::default().max_attempts(retries.saturating_add(1)));
    }
    Ok(builder)
}

/// Returns the kind of transport, or an error for options that are parts of
/// URLs: gRPC would ignore them silently.
fn grpc(globals: &Globals) -> Result<TransportKind, CommandFailure> {
    let of_urls =
        [("--api-version", globals.api_version.is_some()), ("--binding", !globals.bindings.is_empty())];
    match of_urls.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(CommandFailure::usage(format!(
            "{option} is part of URLs, which --transport grpc has none of"
        ))),
        None => Ok(TransportKind::Grpc),
    }
}
