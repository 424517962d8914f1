//! The options that both transports have in common.

use std::sync::Arc;

use crate::auth::Credentials;
use crate::http::{ClientCertificate, HttpClient, HttpOptions};

/// The endpoint, the credentials and the network of a client, before they are
/// checked.
#[derive(Clone, Debug)]
pub(crate) struct ServiceOptions {
    /// The service: a default host, to which the rules of mutual TLS apply.
    pub(crate) endpoint: String,
    /// Explicit, and taken as it is.
    pub(crate) api_endpoint: Option<String>,
    /// Whether an anonymous client may use plain http beyond loopback.
    pub(crate) allows_plain_http: bool,
    pub(crate) client_cert_source: Option<ClientCertificate>,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) scopes: Vec<String>,
    pub(crate) universe_domain: Option<String>,
    /// Whether calls name a quota project of their own.
    pub(crate) has_quota_project: bool,
    pub(crate) user_agent: Option<String>,
    pub(crate) client_info: Option<String>,
    pub(crate) http_options: HttpOptions,
    pub(crate) http_client: Option<Arc<dyn HttpClient>>,
}

impl ServiceOptions {
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
