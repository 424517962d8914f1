//! The options that both transports have in common.
//!
//! The builder of a client collects them; `ServiceParts` checks them. Options
//! of one transport alone are in `rest` and `grpc`.

use std::sync::Arc;

use crate::auth::Credentials;
use crate::http::{ClientCertificate, HttpClient, HttpOptions};

/// The endpoint, the credentials and the network of a client, before they are
/// checked.
///
/// Nothing that is set here is read or tried before `build`, so the setters of
/// the builder cannot fail.
#[derive(Clone, Debug)]
pub(crate) struct ServiceOptions {
    /// The endpoint of the service: a default, to which the rules of mutual TLS
    /// apply.
    pub(crate) endpoint: String,
    /// An endpoint that replaces that of the service and is used as it is, also
    /// with a client certificate.
    pub(crate) api_endpoint: Option<String>,
    /// Whether an anonymous client may use plain http beyond loopback.
    pub(crate) allows_plain_http: bool,
    /// The certificate that is presented if the environment turns client
    /// certificates on.
    pub(crate) client_cert_source: Option<ClientCertificate>,
    /// Without them, the client uses Application Default Credentials.
    pub(crate) credentials: Option<Credentials>,
    /// The scopes of access tokens; empty for those of the credentials.
    pub(crate) scopes: Vec<String>,
    /// The domain that endpoint and credentials must have. Without it, that of
    /// the environment counts, else `googleapis.com`.
    pub(crate) universe_domain: Option<String>,
    /// Whether calls name a quota project of their own, so that credentials
    /// without one need no warning.
    pub(crate) has_quota_project: bool,
    /// The product of the program, which goes before that of this crate.
    pub(crate) user_agent: Option<String>,
    /// Tokens that are appended to `x-goog-api-client`.
    pub(crate) client_info: Option<String>,
    pub(crate) http_options: HttpOptions,
    /// An HTTP client of the program, which has its own network options.
    pub(crate) http_client: Option<Arc<dyn HttpClient>>,
}

impl ServiceOptions {
    /// Creates the options of a client for which nothing but the endpoint is
    /// set.
    pub(crate) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            api_endpoint: None,
            allows_plain_http: false,
            client_cert_source: None,
            credentials: None,
            scopes: Vec::new(),
            universe_domain: None,
            has_quota_project: false,
            user_agent: None,
            client_info: None,
            http_options: HttpOptions::default(),
            http_client: None,
        }
    }
}
