//! The parts that both transports are built from.

use std::sync::Arc;

use crate::auth::{Authorizer, Credentials, Purpose, check_universe, universe_domain};
use crate::error::Error;
use crate::http::{HttpAgent, HttpClient, HttpOptions};
use crate::transport::{Attempt, Endpoint, Headers, ServiceOptions, check_quota_project, mtls, plain_http};
use crate::util::clock::{Clock, deadline};
use crate::util::env::Env;
use crate::util::excerpt::shown;

/// The checked parts that a transport is built from.
pub(crate) struct ServiceParts {
    pub(crate) endpoint: Endpoint,
    pub(crate) authorizer: Authorizer,
    /// That of the credentials, for calls that name none.
    pub(crate) quota_project: Option<String>,
    pub(crate) user_agent: String,
    /// Tokens of the program for `x-goog-api-client`.
    client_info: Option<String>,
    /// With the client certificate in it that is in use.
    #[cfg_attr(not(feature = "grpc"), expect(dead_code))]
    pub(crate) http_options: HttpOptions,
    /// The HTTP client for access tokens and REST calls.
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl ServiceParts {
    pub(crate) fn new(options: ServiceOptions, clock: Arc<dyn Clock>, env: &dyn Env) -> Result<Self, Error> {
        let mtls::EndpointChoice { endpoint, certificate } = mtls::choose(&options, env)?;
        let has_certificate = certificate.is_some() || options.http_options.has_client_certificate();
        // Before anything is looked for in files.
        plain_http::check_client(&endpoint, options.credentials.as_ref(), has_certificate)?;
        let credentials = options.credentials.unwrap_or_else(Credentials::application_default);
        let credentials = credentials.resolve(env)?;
        let universe_domain = universe_domain(options.universe_domain.as_deref(), env)?;
        check_universe(&universe_domain, endpoint.host(), &credentials)?;
        let purpose = Purpose { scopes: options.scopes, endpoint: endpoint.origin(), universe_domain };
        let quota_project = quota_project(env, &credentials)?;
        if credentials.wants_quota_project() && quota_project.is_none() && !options.has_quota_project {
            log::warn!("{NO_QUOTA_PROJECT}");
        }
        let http_options = match certificate {
            Some(certificate) => options.http_options.client_certificate(certificate),
            None => options.http_options,
        };
        let http = match options.http_client {
            Some(client) => client,
            None => {
                let agent = HttpAgent::with_env(&http_options, env).map_err(Error::http_options)?;
                agent.check(&endpoint.origin()).map_err(Error::http_options)?;
                Arc::new(agent)
            }
        };
        Ok(Self {
            endpoint,
            quota_project,
            authorizer: credentials.authorizer(purpose, Arc::clone(&clock), Arc::clone(&http)),
            user_agent: user_agent(options.user_agent.as_deref()),
            client_info: options.client_info,
            http_options,
            http,
            clock,
        })
    }

    /// Returns what authorizes a request of the program's own to this service.
    pub(crate) fn authorization_headers(&self, attempt: &Attempt<'_>) -> Result<Headers, Error> {
        let deadline = deadline(self.clock.now(), attempt.timeout());
        if matches!(self.authorizer, Authorizer::Anonymous) {
            return Ok(Headers::default());
        }
        if self.endpoint.is_plain() {
            return Err(Error::config(format!(
                "endpoint `{}` is not https: the headers that authorize a request are not for plain http",
                shown(&self.endpoint.to_string())
            )));
        }
        let authorization = self.authorizer.authorization(deadline, attempt.stop())?;
        let project = attempt.quota_project().or(self.quota_project.as_deref());
        let authorization = authorization.iter().map(|it| (it.header(), it.value()));
        Ok(authorization.chain(project.map(|project| ("x-goog-user-project", project))).collect())
    }

    /// Refuses what an attempt must not send to this endpoint.
    pub(crate) fn check(&self, attempt: &Attempt<'_>) -> Result<(), Error> {
        plain_http::check_headers(&self.endpoint, attempt)
    }

    /// Returns the value of `x-goog-api-client`, with the token of a transport
    /// in it.
    ///
    /// Google's test server refuses a line without such a token and a `gapic/`
    /// one.
    pub(crate) fn api_client(&self, transport: &str) -> String {
        let own = ["gl-rust/", env!("LONGRUNNING_RUSTC"), " ", transport, GAPIC].concat();
        self.client_info.as_deref().map_or_else(|| own.clone(), |tokens| format!("{own} {tokens}"))
    }
}

/// The environment goes before the credentials file; a call's own choice before
/// both.
fn quota_project(env: &dyn Env, credentials: &Credentials) -> Result<Option<String>, Error> {
    let of_env = env.var(QUOTA_PROJECT).map(|project| (project, QUOTA_PROJECT));
    let of_file = || credentials.quota_project().map(|project| (project.to_owned(), "quota_project_id"));
    let Some((project, place)) = of_env.or_else(of_file) else { return Ok(None) };
    check_quota_project(&project).map_err(|error| error.note(format_args!("it comes from `{place}`")))?;
    Ok(Some(project))
}

/// The word `gzip` is what Google's front ends look for besides
/// `accept-encoding`.
fn user_agent(product: Option<&str>) -> String {
    let gzip = if cfg!(feature = "gzip") { " (gzip)" } else { "" };
    let own = concat!("longrunning-rs/", env!("CARGO_PKG_VERSION"));
    product.map_or_else(|| format!("{own}{gzip}"), |product| format!("{product} {own}{gzip}"))
}

const GAPIC: &str = concat!(" gapic/", env!("CARGO_PKG_VERSION"));

const QUOTA_PROJECT: &str = "GOOGLE_CLOUD_QUOTA_PROJECT";

const NO_QUOTA_PROJECT: &str = "gcloud's login without a quota project: many services refuse it, \
    `gcloud auth application-default set-quota-project` sets one";
