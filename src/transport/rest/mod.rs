//! REST: `google.api.http` bindings, ProtoJSON, HTTP/1.1.

pub(crate) mod binding;
mod decode;
mod exchange;
mod http_options;
mod route;
mod template;
#[cfg(test)]
mod vectors;

use std::fmt;
use std::sync::Arc;

use crate::auth::{Authorizer, Credentials, Purpose, check_universe, universe_domain};
use crate::clock::Clock;
use crate::env::Env;
use crate::error::Error;
use crate::http::{ClientCertificate, HttpAgent, HttpClient, HttpOptions};
use crate::proto::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    WaitOperationRequest,
};
use crate::transport::{Attempt, Endpoint, Rpc, Transport, check_quota_project, mtls};
use crate::types::{Operation, OperationPage};

use binding::Bindings;
use route::{Field, list_fields, wait_fields};

/// Everything the REST transport can be told.
#[derive(Clone, Debug)]
pub(crate) struct RestOptions {
    /// The service: a default host, to which the rules of mutual TLS apply.
    pub(crate) endpoint: String,
    /// Explicit, and taken as it is.
    pub(crate) api_endpoint: Option<String>,
    pub(crate) client_cert_source: Option<ClientCertificate>,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) scopes: Vec<String>,
    pub(crate) universe_domain: Option<String>,
    /// Whether calls name a quota project of their own.
    pub(crate) has_quota_project: bool,
    pub(crate) bindings: Bindings,
    pub(crate) user_agent: Option<String>,
    pub(crate) client_info: Option<String>,
    pub(crate) enum_encoding_int: bool,
    pub(crate) http_options: HttpOptions,
    pub(crate) http_client: Option<Arc<dyn HttpClient>>,
}

impl RestOptions {
    pub(crate) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            api_endpoint: None,
            client_cert_source: None,
            credentials: None,
            scopes: Vec::new(),
            universe_domain: None,
            has_quota_project: false,
            bindings: Bindings::default(),
            user_agent: None,
            client_info: None,
            enum_encoding_int: false,
            http_options: HttpOptions::default(),
            http_client: None,
        }
    }
}

/// The transport of [`OperationsClient::builder`](crate::OperationsClient::builder).
pub(crate) struct RestTransport {
    endpoint: Endpoint,
    bindings: Bindings,
    enum_encoding_int: bool,
    authorizer: Authorizer,
    /// That of the credentials, for calls that name none.
    quota_project: Option<String>,
    http: Arc<dyn HttpClient>,
    user_agent: String,
    api_client: String,
    clock: Arc<dyn Clock>,
}

impl RestTransport {
    pub(crate) fn new(options: RestOptions, clock: Arc<dyn Clock>, env: &dyn Env) -> Result<Self, Error> {
        let mtls::Choice { endpoint, certificate } = mtls::choose(&options, env)?;
        let credentials = options.credentials.unwrap_or_else(Credentials::application_default);
        let credentials = credentials.resolve(env)?;
        let universe_domain = universe_domain(options.universe_domain.as_deref(), env)?;
        check_universe(&universe_domain, endpoint.host(), &credentials)?;
        let purpose = Purpose { scopes: options.scopes, endpoint: endpoint.origin(), universe_domain };
        let quota_project = quota_project(env, &credentials)?;
        if credentials.wants_quota_project() && quota_project.is_none() && !options.has_quota_project {
            log::warn!("{NO_QUOTA_PROJECT}");
        }
        let http = match options.http_client {
            Some(client) => client,
            None => {
                let http_options = match certificate {
                    Some(certificate) => options.http_options.client_certificate(certificate),
                    None => options.http_options,
                };
                Arc::new(HttpAgent::with_env(&http_options, env).map_err(Error::http_options)?)
            }
        };
        Ok(Self {
            endpoint,
            quota_project,
            bindings: options.bindings,
            enum_encoding_int: options.enum_encoding_int,
            authorizer: credentials.authorizer(purpose, Arc::clone(&clock), Arc::clone(&http)),
            http,
            user_agent: user_agent(options.user_agent.as_deref()),
            api_client: api_client(options.client_info.as_deref()),
            clock,
        })
    }
}

impl RestTransport {
    /// Makes one attempt of a method and gives the text of its answer.
    fn attempt(
        &self,
        rpc: Rpc,
        name: &str,
        fields: Vec<Field>,
        attempt: &Attempt<'_>,
    ) -> Result<String, Error> {
        let limit = if rpc == Rpc::List { PAGE_LIMIT } else { OPERATION_LIMIT };
        match self.bindings.route(rpc, name, fields, self.enum_encoding_int)? {
            Some(route) => self.exchange(&route, name, attempt, limit),
            None => Err(Error::unbound(rpc.name())),
        }
    }
}

impl Transport for RestTransport {
    fn get_operation(
        &self,
        request: &GetOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        decode::operation(&self.attempt(Rpc::Get, &request.name, Vec::new(), attempt)?)
    }

    fn list_operations(
        &self,
        request: &ListOperationsRequest,
        attempt: &Attempt<'_>,
    ) -> Result<OperationPage, Error> {
        decode::page(&self.attempt(Rpc::List, &request.name, list_fields(request), attempt)?)
    }

    fn cancel_operation(&self, request: &CancelOperationRequest, attempt: &Attempt<'_>) -> Result<(), Error> {
        decode::empty(&self.attempt(Rpc::Cancel, &request.name, Vec::new(), attempt)?)
    }

    fn delete_operation(&self, request: &DeleteOperationRequest, attempt: &Attempt<'_>) -> Result<(), Error> {
        decode::empty(&self.attempt(Rpc::Delete, &request.name, Vec::new(), attempt)?)
    }

    fn wait_operation(
        &self,
        request: &WaitOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        decode::operation(&self.attempt(Rpc::Wait, &request.name, wait_fields(request), attempt)?)
    }
}

impl fmt::Debug for RestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestTransport")
            .field("endpoint", &self.endpoint.to_string())
            .field("authorizer", &self.authorizer)
            .finish_non_exhaustive()
    }
}

/// The environment goes before the credentials file; a call's own choice before both.
fn quota_project(env: &dyn Env, credentials: &Credentials) -> Result<Option<String>, Error> {
    let of_env = env.var(QUOTA_PROJECT).map(|project| (project, QUOTA_PROJECT));
    let of_file = || credentials.quota_project().map(|project| (project.to_owned(), "quota_project_id"));
    let Some((project, place)) = of_env.or_else(of_file) else { return Ok(None) };
    check_quota_project(&project).map_err(|error| error.note(format_args!("it comes from `{place}`")))?;
    Ok(Some(project))
}

/// The word `gzip` is what Google's front ends look for besides `accept-encoding`.
fn user_agent(product: Option<&str>) -> String {
    let gzip = if cfg!(feature = "gzip") { " (gzip)" } else { "" };
    let own = concat!("longrunning-rs/", env!("CARGO_PKG_VERSION"));
    product.map_or_else(|| format!("{own}{gzip}"), |product| format!("{product} {own}{gzip}"))
}

/// Google's test server refuses a line without a `rest/` and a `gapic/` token.
fn api_client(tokens: Option<&str>) -> String {
    let own = concat!(
        "gl-rust/",
        env!("LONGRUNNING_RUSTC"),
        " rest/",
        env!("CARGO_PKG_VERSION"),
        "-ureq gapic/",
        env!("CARGO_PKG_VERSION")
    );
    tokens.map_or_else(|| own.to_owned(), |tokens| format!("{own} {tokens}"))
}

/// Decoded bytes of one operation.
const OPERATION_LIMIT: usize = 32 << 20;

/// Decoded bytes of a list page.
const PAGE_LIMIT: usize = 64 << 20;

const QUOTA_PROJECT: &str = "GOOGLE_CLOUD_QUOTA_PROJECT";

const NO_QUOTA_PROJECT: &str = "gcloud's login without a quota project: many services refuse it, \
    `gcloud auth application-default set-quota-project` sets one";
