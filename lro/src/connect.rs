//! Clients, one for each service that is named.

use longrunning::auth::CredentialsPolicy;
use longrunning::printing::suspicion_of_path;
use longrunning::transport::TransportKind;
use longrunning::{Credentials, OperationsClient, OperationsClientBuilder, RetryPolicy};

use crate::args::{Globals, TransportArg};
use crate::failure::CommandFailure;
use crate::place::Service;

/// The clients that were needed so far.
pub(crate) struct Clients<'g> {
    globals: &'g Globals,
    made: Vec<(Service, OperationsClient)>,
}

impl<'g> Clients<'g> {
    pub(crate) fn new(globals: &'g Globals) -> Self {
        Self { globals, made: Vec::new() }
    }

    /// The client of a service; the same one every time, so that connections and tokens are shared.
    pub(crate) fn of(&mut self, service: &Service) -> Result<OperationsClient, CommandFailure> {
        if let Some((_, client)) = self.made.iter().find(|(made, _)| made == service) {
            return Ok(client.clone());
        }
        let client = builder(self.globals, service)?.credentials(credentials(self.globals)?).build()?;
        self.made.push((service.clone(), client.clone()));
        Ok(client)
    }
}

/// Makes a client as [`Clients`] does, but for one that shows its requests: with a token that stands for the real one.
///
/// Credentials are loaded all the same, so that their errors are found; no token is fetched.
pub(crate) fn pretend(
    globals: &Globals,
    service: &Service,
) -> Result<OperationsClientBuilder, CommandFailure> {
    let credentials = credentials(globals)?.with_token("dry-run")?;
    Ok(builder(globals, service)?.credentials(credentials).retry(RetryPolicy::never()))
}

fn builder(globals: &Globals, service: &Service) -> Result<OperationsClientBuilder, CommandFailure> {
    let builder = OperationsClient::builder(&service.endpoint);
    let mut builder = match globals.transport {
        Some(TransportArg::Grpc) => builder.transport(grpc(globals)?),
        Some(TransportArg::Rest) | None => builder.bindings(service.bindings()?),
    };
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

/// gRPC, where nothing speaks against it.
fn grpc(globals: &Globals) -> Result<TransportKind, CommandFailure> {
    if globals.api_version.is_some() {
        return Err(CommandFailure::usage(
            "--api-version is part of URLs, which --transport grpc has none of",
        ));
    }
    Ok(TransportKind::Grpc)
}

fn credentials(globals: &Globals) -> Result<Credentials, CommandFailure> {
    let files =
        [("--credentials", &globals.credentials), ("--access-token-file", &globals.access_token_file)];
    for (option, path) in files {
        let misplaced = path.as_ref().filter(|path| !path.exists()).and_then(|path| suspicion_of_path(path));
        if let Some(what) = misplaced {
            return Err(CommandFailure::usage(format!(
                "{option} contains {what}; it must be the path of a file"
            )));
        }
    }
    match (&globals.credentials, &globals.access_token_file, globals.anonymous) {
        (None, None, false) => Ok(Credentials::application_default_with(&policy(globals))),
        // The user trusts a file on the command line as much as one that the environment names.
        (Some(file), None, false) => Ok(Credentials::from_file_with(file, &policy(globals))?),
        (None, Some(file), false) => Ok(Credentials::token_file(file)),
        (None, None, true) => Ok(Credentials::anonymous()),
        _ => Err(CommandFailure::usage(
            "--credentials, --access-token-file and --anonymous exclude each other",
        )),
    }
}

/// Trusts files, and reads those that are pipes within the total timeout.
fn policy(globals: &Globals) -> CredentialsPolicy {
    let policy = CredentialsPolicy::trusting_the_file();
    match globals.total_timeout {
        Some(timeout) => policy.read_timeout(timeout),
        None => policy,
    }
}
