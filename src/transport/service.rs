//! The parts that both transports are built from.
//!
//! ```text
//! ServiceOptions   what the builder was given, unchecked
//!       │  + environment
//!       ▼
//! mtls → plain_http → credentials → universe → quota project → HTTP client
//!       │  the first check that fails is the error of `build`
//!       ▼
//! ServiceParts     what every attempt uses
//! ```
//!
//! Nothing is sent here. Access tokens are fetched at the first call.

use std::sync::Arc;

use crate::auth::{Authorizer, Credentials, Purpose, check_universe, universe_domain};
use crate::error::Error;
use crate::http::{HttpAgent, HttpClient, HttpOptions};
use crate::transport::{Attempt, Endpoint, Headers, ServiceOptions, check_quota_project, mtls, plain_http};
use crate::util::clock::{Clock, deadline};
use crate::util::env::Env;
use crate::util::excerpt::shown;

/// The checked parts that a transport is built from.
///
/// Options do not change after `build`, so attempts on several threads share
/// one value without a lock.
pub(crate) struct ServiceParts {
    pub(crate) endpoint: Endpoint,
    pub(crate) authorizer: Authorizer,
    /// That of the credentials, for calls that name none.
    pub(crate) quota_project: Option<String>,
    /// The product of the program, if there is one, and that of this crate.
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
    /// Checks the options, and reads the credentials and the environment.
    ///
    /// # Errors
    ///
    /// `Config` for an option or a variable that cannot be used, and for
    /// credentials of another universe; those of [`Credentials::resolve`].
    pub(crate) fn new(options: ServiceOptions, clock: Arc<dyn Clock>, env: &dyn Env) -> Result<Self, Error> {
        let mtls::EndpointChoice { endpoint, certificate } = mtls::choose(&options, env)?;
        let has_certificate = certificate.is_some() || options.http_options.has_client_certificate();
        // Before credentials are searched in files: a client that must not have
        // any fails for that reason, and not because a file is missing.
        plain_http::check_client(&endpoint, options.credentials.as_ref(), has_certificate)?;
        let credentials = options.credentials.unwrap_or_else(Credentials::application_default);
        let credentials = credentials.resolve(env)?;
        // A token of one universe must not be sent to a host of another, which
        // could use it.
        let universe_domain = universe_domain(options.universe_domain.as_deref(), env)?;
        check_universe(&universe_domain, endpoint.host(), &credentials)?;
        // Self-signed tokens are for the origin, whatever the base path is.
        let purpose = Purpose { scopes: options.scopes, endpoint: endpoint.origin(), universe_domain };
        let quota_project = quota_project(env, &credentials)?;
        if credentials.wants_quota_project() && quota_project.is_none() && !options.has_quota_project {
            log::warn!("{NO_QUOTA_PROJECT}");
        }
        // From here on the options have the certificate that was chosen, for
        // REST and gRPC alike.
        let http_options = match certificate {
            Some(certificate) => options.http_options.client_certificate(certificate),
            None => options.http_options,
        };
        let http = match options.http_client {
            Some(client) => client,
            None => {
                let agent = HttpAgent::with_env(&http_options, env).map_err(Error::http_options)?;
                // Roots, proxies and certificates that cannot be used fail
                // `build`, and not the first call.
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

    /// Returns what authorizes a request of the program's own to this service:
    /// `authorization` or `x-goog-api-key`, and `x-goog-user-project`.
    ///
    /// They are empty for anonymous credentials.
    ///
    /// # Errors
    ///
    /// `Config` for plain http, loopback included: the program could send them
    /// to another endpoint. `Auth` and `Timeout` of the token source.
    pub(crate) fn authorization_headers(&self, attempt: &Attempt<'_>) -> Result<Headers, Error> {
        let deadline = deadline(self.clock.now(), attempt.timeout());
        if matches!(self.authorizer, Authorizer::Anonymous) {
            return Ok(Headers::default());
        }
        // Stricter than an attempt, which may use loopback: the program takes
        // the headers away, and may send them anywhere.
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

    /// Refuses an attempt that must not be sent to this endpoint: one with
    /// headers that may be credentials, over plain http.
    pub(crate) fn check(&self, attempt: &Attempt<'_>) -> Result<(), Error> {
        plain_http::check_headers(&self.endpoint, attempt)
    }

    /// Returns the value of `x-goog-api-client`, with the token of a transport
    /// in it.
    ///
    /// Google's test server refuses a line without such a token and a `gapic/`
    /// one.
    ///
    /// ```text
    /// "rest/0.1.0-ureq"   gl-rust/1.88.0 rest/0.1.0-ureq gapic/0.1.0
    ///                     … my-tool/2.3            with `client_info`
    /// ```
    pub(crate) fn api_client(&self, transport: &str) -> String {
        let own = ["gl-rust/", env!("LONGRUNNING_RUSTC"), " ", transport, GAPIC].concat();
        self.client_info.as_deref().map_or_else(|| own.clone(), |tokens| format!("{own} {tokens}"))
    }
}

/// Returns the project that calls without one of their own are charged to.
///
/// The environment goes before the credentials file; the choice of a call
/// before both.
///
/// # Errors
///
/// `Config` if it is not a project id or number; the message says where it
/// comes from.
fn quota_project(env: &dyn Env, credentials: &Credentials) -> Result<Option<String>, Error> {
    let of_env = env.var(QUOTA_PROJECT).map(|project| (project, QUOTA_PROJECT));
    let of_file = || credentials.quota_project().map(|project| (project.to_owned(), "quota_project_id"));
    let Some((project, place)) = of_env.or_else(of_file) else { return Ok(None) };
    check_quota_project(&project).map_err(|error| error.note(format_args!("it comes from `{place}`")))?;
    Ok(Some(project))
}

/// Returns the value of `user-agent`.
///
/// The word `gzip` is what Google's front ends look for besides
/// `accept-encoding`.
///
/// ```text
/// None              longrunning-rs/0.1.0 (gzip)
/// Some("tool/2")    tool/2 longrunning-rs/0.1.0 (gzip)
/// ```
fn user_agent(product: Option<&str>) -> String {
    let gzip = if cfg!(feature = "gzip") { " (gzip)" } else { "" };
    let own = concat!("longrunning-rs/", env!("CARGO_PKG_VERSION"));
    product.map_or_else(|| format!("{own}{gzip}"), |product| format!("{product} {own}{gzip}"))
}

/// The token of a generated client, which this crate is a replacement for.
const GAPIC: &str = concat!(" gapic/", env!("CARGO_PKG_VERSION"));

const QUOTA_PROJECT: &str = "GOOGLE_CLOUD_QUOTA_PROJECT";

const NO_QUOTA_PROJECT: &str = "gcloud's login without a quota project: many services refuse it, \
    `gcloud auth application-default set-quota-project` sets one";
