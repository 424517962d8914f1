//! Clients, one for each service that is named.

use longrunning::auth::CredentialsPolicy;
use longrunning::http::HttpClient;
use longrunning::{Credentials, OperationsClient, OperationsClientBuilder, RetryPolicy};

use crate::args::{Globals, Transport};
use crate::failure::Failure;
use crate::names::Service;

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
    pub(crate) fn of(&mut self, service: &Service) -> Result<OperationsClient, Failure> {
        if let Some((_, client)) = self.made.iter().find(|(made, _)| made == service) {
            return Ok(client.clone());
        }
        let client = builder(self.globals, service)?.credentials(credentials(self.globals)?).build()?;
        self.made.push((service.clone(), client.clone()));
        Ok(client)
    }
}

/// A client that sends nothing: its requests go to `recorder`, with a token that stands for the real one.
///
/// Credentials are looked for all the same, so that what is wrong with them is found; none is asked for a token.
pub(crate) fn pretend(
    globals: &Globals,
    service: &Service,
    recorder: impl HttpClient + 'static,
) -> Result<OperationsClient, Failure> {
    let real = credentials(globals)?;
    builder(globals, service)?.credentials(real).build()?;
    let token = match globals.anonymous {
        true => Credentials::anonymous(),
        false => Credentials::bearer("dry-run")?,
    };
    let builder = builder(globals, service)?.credentials(token).retry(RetryPolicy::never());
    Ok(builder.http_client(recorder).build()?)
}

fn builder(globals: &Globals, service: &Service) -> Result<OperationsClientBuilder, Failure> {
    if globals.transport == Some(Transport::Grpc) {
        return Err(Failure::usage("this `lro` was built without gRPC")
            .hint("leave --transport out, or install it with --features cli,grpc"));
    }
    let mut builder = OperationsClient::builder(&service.endpoint)
        .bindings(service.bindings()?)
        .user_agent(concat!("lro/", env!("CARGO_PKG_VERSION")));
    if let Some(project) = &globals.quota_project {
        builder = builder.quota_project(project);
    }
    for header in &globals.headers {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| Failure::usage("--header has no colon: expected `Name: value`"))?;
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

fn credentials(globals: &Globals) -> Result<Credentials, Failure> {
    match (&globals.credentials, &globals.access_token_file, globals.anonymous) {
        (None, None, false) => Ok(Credentials::application_default()),
        (Some(file), None, false) => {
            // Who types the command trusts the file as much as one that the environment names.
            Ok(Credentials::from_file_with(file, &CredentialsPolicy::trusting_the_file())?)
        }
        (None, Some(file), false) => Ok(Credentials::token_file(file)),
        (None, None, true) => Ok(Credentials::anonymous()),
        _ => Err(Failure::usage("--credentials, --access-token-file and --anonymous exclude each other")),
    }
}
