//! Options of the network: endpoint, client certificate, HTTP client.
//!
//! None of them opens a connection. Files of certificates are read by `build`.

use std::sync::Arc;

use crate::http::{ClientCertificate, HttpClient, HttpOptions};

use super::OperationsClientBuilder;

/// Options of the network.
impl OperationsClientBuilder {
    /// Sets the endpoint to which requests are sent, as it is: no environment
    /// variable changes it.
    ///
    /// The endpoint given to
    /// [`OperationsClient::builder`](crate::OperationsClient::builder) names the
    /// service. If it is just a host, with or without `https://`, and one of
    /// Google's, mutual TLS may replace it by the `mtls` endpoint of that host;
    /// see [`client_cert_source`](Self::client_cert_source). An endpoint with a
    /// port or a base path is explicit.
    ///
    /// ```
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("run.googleapis.com")
    ///     .api_endpoint("https://run-psc.example.com")
    ///     .environment([("GOOGLE_API_USE_MTLS_ENDPOINT", "always")])
    ///     .credentials(Credentials::anonymous())
    ///     .build()?;
    /// assert!(format!("{client:?}").contains("https://run-psc.example.com"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn api_endpoint(self, endpoint: impl Into<String>) -> Self {
        self.set_service("api_endpoint", |service| service.api_endpoint = Some(endpoint.into()))
    }

    /// Sets whether the endpoint may be plain http on another machine, such as
    /// an emulator in a container. Default: no.
    ///
    /// Plain http to this machine (`localhost`, `127.0.0.1`, `[::1]`) needs no
    /// permission. To another machine, the client has to be
    /// [anonymous](crate::Credentials::anonymous), because everything that is
    /// sent can be read on the way: `build` fails with any other credentials,
    /// the default ones included, and with a client certificate. A call with a
    /// header that [may be a credential](crate::http::is_sensitive) fails with
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), and nothing is sent.
    /// This applies to every transport.
    ///
    /// ```
    /// use longrunning::{Credentials, ErrorKind, OperationsClient};
    ///
    /// let emulator = || OperationsClient::builder("http://emulator:8080").allow_plain_http(true);
    /// let client = emulator().credentials(Credentials::anonymous()).build()?;
    /// # let _ = client;
    ///
    /// let error = emulator().credentials(Credentials::bearer("ya29.token")?).build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn allow_plain_http(self, allowed: bool) -> Self {
        self.set_service("allow_plain_http", |service| service.allows_plain_http = allowed)
    }

    /// Sets the client certificate to use if the environment enables it
    /// ([AIP-4114]).
    ///
    /// It is used if `GOOGLE_API_USE_CLIENT_CERTIFICATE` is `true`; otherwise a
    /// warning in the log says that it is not. To present a certificate
    /// whatever the environment says, set it in the
    /// [HTTP options](crate::http::HttpOptions::client_certificate). Without
    /// either, `true` selects the certificate of the machine, which is the first
    /// of these that exists:
    ///
    /// 1. the [configuration](ClientCertificate::from_config_file) that
    ///    `GOOGLE_API_CERTIFICATE_CONFIG` names,
    /// 2. the one that `CLOUDSDK_CONTEXT_AWARE_CERTIFICATE_CONFIG_FILE_PATH`
    ///    names,
    /// 3. `certificate_config.json` in gcloud's folder, which is
    ///    `CLOUDSDK_CONFIG`, else `~/.config/gcloud` (`%APPDATA%\gcloud` on
    ///    Windows),
    /// 4. the bundle that GKE mounts at
    ///    `/var/run/secrets/workload-spiffe-credentials`;
    ///
    /// If none exists, no certificate is presented. A configuration without a
    /// `workload` certificate is an error. If the first variable is unset,
    /// `CLOUDSDK_CONTEXT_AWARE_USE_CLIENT_CERTIFICATE` is read in its place.
    /// Unset, and any value but `true`, mean no. This follows the
    /// documentation; since version 2.43 of google-auth, Google's library for
    /// Python also presents a certificate if it finds a configuration.
    ///
    /// `GOOGLE_API_USE_MTLS_ENDPOINT` chooses between `run.googleapis.com`
    /// (`never`) and `run.mtls.googleapis.com` (`always`). `auto`, the default,
    /// is the latter if a client certificate is presented. Any other value is
    /// an error, except for another case (`ALWAYS`) and the empty value, which
    /// means `auto`; Google's library for Python rejects both. An explicit
    /// endpoint takes precedence, and the variable is not read then; see
    /// [`api_endpoint`](Self::api_endpoint).
    ///
    /// No cargo feature is needed for any of this.
    ///
    /// ```
    /// use longrunning::http::ClientCertificate;
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let error = OperationsClient::builder("run.googleapis.com")
    ///     .client_cert_source(ClientCertificate::from_files("client.crt", "client.key"))
    ///     .environment([("GOOGLE_API_USE_CLIENT_CERTIFICATE", "true")])
    ///     .credentials(Credentials::anonymous())
    ///     .build()
    ///     .unwrap_err();
    /// assert_eq!(error.to_string(), "client certificate file `client.crt` does not exist");
    /// ```
    ///
    /// [AIP-4114]: https://google.aip.dev/auth/4114
    pub fn client_cert_source(self, certificate: ClientCertificate) -> Self {
        self.set_service("client_cert_source", |service| service.client_cert_source = Some(certificate))
    }

    /// Sets trusted roots, client certificate, proxy and connection reuse of
    /// the built-in HTTP client.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::http::HttpOptions;
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .http_options(HttpOptions::new().idle_timeout(Duration::from_secs(30)))
    ///     .credentials(Credentials::anonymous())
    ///     .build()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn http_options(self, options: HttpOptions) -> Self {
        self.set_service("http_options", |service| service.http_options = options)
    }

    /// Sends requests with your own HTTP client.
    /// [`http_options`](Self::http_options) then do not apply.
    ///
    /// It has to handle proxies and client certificates itself: `build` fails
    /// if [`client_cert_source`](Self::client_cert_source), or the
    /// environment without an explicit endpoint, requires a certificate.
    ///
    /// ```
    /// use longrunning::http::{HttpClient, HttpError, HttpRequest, HttpResponse};
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// #[derive(Debug)]
    /// struct Canned;
    ///
    /// impl HttpClient for Canned {
    ///     fn send(&self, _: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
    ///         let response = HttpResponse::new(200, r#"{"name":"operations/42"}"#);
    ///         Ok(response.with_header("content-type", "application/json"))
    ///     }
    /// }
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .http_client(Canned)
    ///     .credentials(Credentials::anonymous())
    ///     .build()?;
    /// assert_eq!(client.get("operations/42").send()?.name(), "operations/42");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn http_client(self, client: impl HttpClient + 'static) -> Self {
        // Shared with the sources of tokens, which send their requests by it
        // too.
        let client = Some(Arc::new(client) as Arc<dyn HttpClient>);
        self.set_rest("http_client", |requested| requested.service.http_client = client)
    }
}
