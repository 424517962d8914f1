//! The options of a client; everything is checked in `build`.

#[cfg(feature = "testing")]
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::auth::Credentials;
use crate::client_config::ClientConfig;
use crate::core::{Core, Origin};
use crate::error::Error;
use crate::http::{ClientCertificate, HttpClient, HttpOptions};
use crate::options::{
    CallOptions, PollOptions, RequestOptions, call_timeout_options, poll_options, rate_option,
    request_options,
};
use crate::retry::RateLimit;
#[cfg(feature = "grpc")]
use crate::transport::grpc::{GrpcOptions, GrpcTransport};
use crate::transport::rest::binding::Bindings;
use crate::transport::rest::format::DataFormat;
use crate::transport::rest::{RestOptions, RestTransport};
use crate::transport::{ServiceOptions, ServiceParts, Transport, TransportKind};
use crate::util::clock::{Clock, SystemClock};
use crate::util::env::{Env, SystemEnv};
use crate::util::excerpt::shown;
use crate::util::redact::Masked;

use super::OperationsClient;

/// Builds an [`OperationsClient`]; created by [`OperationsClient::builder`].
///
/// No option does any I/O, and [`build`](Self::build) reports the first that
/// cannot be used. A client without [`credentials`](Self::credentials) takes
/// the [default ones](Credentials::application_default).
///
/// ```
/// use std::time::Duration;
///
/// use longrunning::{Bindings, Credentials, OperationsClient, RetryPolicy};
///
/// let client = OperationsClient::builder("https://example.googleapis.com")
///     .credentials(Credentials::bearer("ya29.token")?)
///     .bindings(Bindings::version("v2")?)
///     .quota_project("billing-project")
///     .user_agent("nightly-import/1.4")
///     .retry(RetryPolicy::default().max_attempts(8))
///     .total_timeout(Duration::from_secs(120))
///     .build()?;
/// # let _ = client;
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "`build` makes the client"]
pub struct OperationsClientBuilder {
    source: TransportSource,
    /// Of all calls; they win over `config`, whichever was given first.
    options: RequestOptions,
    /// Of all waits.
    poll: PollOptions,
    config: ClientConfig,
    rate: Option<Arc<RateLimit>>,
    clock: Arc<dyn Clock>,
    env: Arc<dyn Env>,
}

#[derive(Clone)]
enum TransportSource {
    Service(Box<RequestedTransport>),
    Custom(Arc<dyn Transport>),
}

/// The requested transport of this crate.
#[derive(Clone, Debug)]
struct RequestedTransport {
    kind: TransportKind,
    service: ServiceOptions,
    rest: RestOptions,
    /// Whether the program has set bindings.
    has_bindings: bool,
    api_version: Option<String>,
    #[cfg(feature = "grpc")]
    grpc: GrpcOptions,
    /// The first option that means nothing to another transport than REST.
    rest_only: Option<&'static str>,
    /// The same for gRPC.
    grpc_only: Option<&'static str>,
}

impl RequestedTransport {
    /// Makes bindings of the version, if one is set.
    fn resolve_version(&mut self) -> Result<(), Error> {
        let Some(version) = &self.api_version else { return Ok(()) };
        let prefix = self.rest.bindings.prefix();
        if self.has_bindings && prefix != version {
            return Err(Error::config(format!(
                "version `{}` contradicts the bindings, which are those of version `{}`: set one of the two",
                shown(version),
                shown(prefix)
            )));
        }
        if !self.has_bindings {
            self.rest.bindings = Bindings::version(version)?;
        }
        Ok(())
    }

    fn origin(&self) -> Origin {
        let rest = self.kind == TransportKind::Rest;
        Origin {
            endpoint: self.service.endpoint.clone(),
            api_endpoint: self.service.api_endpoint.clone(),
            api_version: rest.then(|| self.rest.bindings.prefix().to_owned()),
        }
    }
}

impl OperationsClientBuilder {
    pub(super) fn service(endpoint: String) -> Self {
        Self::new(TransportSource::Service(Box::new(RequestedTransport {
            kind: TransportKind::default(),
            service: ServiceOptions::new(endpoint),
            rest: RestOptions::default(),
            has_bindings: false,
            api_version: None,
            #[cfg(feature = "grpc")]
            grpc: GrpcOptions::default(),
            rest_only: None,
            grpc_only: None,
        })))
    }

    pub(super) fn custom(transport: Arc<dyn Transport>) -> Self {
        Self::new(TransportSource::Custom(transport))
    }

    fn new(source: TransportSource) -> Self {
        Self {
            source,
            options: RequestOptions::default(),
            poll: PollOptions::default(),
            config: ClientConfig::default(),
            rate: None,
            clock: Arc::new(SystemClock),
            env: Arc::new(SystemEnv),
        }
    }

    /// Sets the protocol. Default: [`TransportKind::Rest`].
    ///
    /// Methods, options and errors are the same for all. Options of REST alone
    /// ([`bindings`](Self::bindings), [`data_format`](Self::data_format),
    /// [`enum_encoding_int`](Self::enum_encoding_int),
    /// [`http_client`](Self::http_client)) make `build` fail with another
    /// transport.
    ///
    /// ```
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("run.googleapis.com")
    ///     .transport("rest".parse()?)
    ///     .credentials(Credentials::anonymous())
    ///     .build()?;
    /// # let _ = client;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn transport(self, kind: TransportKind) -> Self {
        self.set("transport", |asked| asked.kind = kind)
    }

    /// Sets the credentials. Default: [`Credentials::application_default`].
    ///
    /// They can be a [`ServiceAccount`](crate::auth::ServiceAccount), a fixed
    /// token, a provider of your own, or [`Credentials::anonymous`].
    ///
    /// ```
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .credentials(Credentials::bearer("ya29.secret")?)
    ///     .build()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn credentials(self, credentials: impl Into<Credentials>) -> Self {
        self.set_service("credentials", |service| service.credentials = Some(credentials.into()))
    }

    /// Sets the scopes of access tokens. Default: those of the credentials,
    /// `cloud-platform`.
    ///
    /// ```
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .scopes(["https://www.googleapis.com/auth/cloud-platform.read-only"])
    ///     .credentials(Credentials::application_default());
    /// ```
    pub fn scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.set_service("scopes", |service| service.scopes = scopes.into_iter().map(Into::into).collect())
    }

    /// Sets the universe domain. Default: `GOOGLE_CLOUD_UNIVERSE_DOMAIN`, else
    /// `googleapis.com`.
    ///
    /// `build` rejects credentials and endpoints of another one, so that no
    /// token is sent there.
    pub fn universe_domain(self, domain: impl Into<String>) -> Self {
        self.set_service("universe_domain", |service| service.universe_domain = Some(domain.into()))
    }

    /// Sets how methods map to URLs. Default: [`Bindings::default`], `/v1/…`.
    ///
    /// ```
    /// use longrunning::{Bindings, Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .bindings(Bindings::version("v2")?)
    ///     .credentials(Credentials::anonymous())
    ///     .build()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn bindings(self, bindings: Bindings) -> Self {
        self.set_rest("bindings", |asked| {
            asked.rest.bindings = bindings;
            asked.has_bindings = true;
        })
    }

    /// Sets the version of the API, which is the path prefix of all requests:
    /// short for the bindings of [`Bindings::version`]. Default: `v1`.
    ///
    /// Operations that the client starts are polled at the version of the path
    /// they were started with, and a [`Pending`](crate::Pending) at its
    /// own. `build` fails with [`ErrorKind::Config`](crate::ErrorKind::Config)
    /// if [`bindings`](Self::bindings) of another version are set too.
    ///
    /// ```
    /// use longrunning::Operation;
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("projects/p/locations/l/operations/42"));
    /// let client = server.client_builder().api_version("v2").build()?;
    /// client.get("projects/p/locations/l/operations/42").send()?;
    /// assert_eq!(server.requests()[0].path(), "/v2/projects/p/locations/l/operations/42");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn api_version(self, version: impl Into<String>) -> Self {
        self.set_rest("api_version", |asked| asked.api_version = Some(version.into()))
    }

    /// Adds a product such as `tool/1.0` to the `user-agent` header, before the
    /// product of this crate.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// let client = server.client_builder().user_agent("tool/1.0").build()?;
    /// client.list("projects/p").send()?;
    /// assert!(server.requests()[0].header("user-agent").unwrap().starts_with("tool/1.0 "));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn user_agent(self, product: &str) -> Self {
        self.check_product("user agent", product)
            .set_service("user_agent", |service| service.user_agent = Some(product.to_owned()))
    }

    /// Adds tokens such as `gccl/1.2.0` to the `x-goog-api-client` header.
    pub fn client_info(self, tokens: &str) -> Self {
        self.check_product("client info", tokens)
            .set_service("client_info", |service| service.client_info = Some(tokens.to_owned()))
    }

    /// Sets the requested form of responses: JSON, the default, or protobuf
    /// bytes.
    ///
    /// The content type of a response determines how it is decoded. So a
    /// service that responds in JSON anyway, as many do for errors, works
    /// too. Requests are the same.
    ///
    /// ```
    /// use longrunning::transport::DataFormat;
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .data_format(DataFormat::Proto)
    ///     .credentials(Credentials::anonymous())
    ///     .build()?;
    /// # let _ = client;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn data_format(self, data_format: DataFormat) -> Self {
        self.set_rest("data_format", |asked| asked.rest.data_format = data_format)
    }

    /// Requests enums as numbers (`$alt=json;enum-encoding=int`). Default: off.
    ///
    /// This crate decodes either form; the option is for response types that
    /// the caller decodes. Protobuf bytes
    /// ([`data_format`](Self::data_format)) always have numbers for enums, so
    /// it has no effect on them.
    pub fn enum_encoding_int(self, enabled: bool) -> Self {
        self.set_rest("enum_encoding_int", |asked| asked.rest.enum_encoding_int = enabled)
    }

    /// Sets the endpoint that is asked, as it is: no environment variable
    /// changes it.
    ///
    /// The endpoint given to [`OperationsClient::builder`] names the service.
    /// If it is just a host, with or without `https://`, and one of Google's, mutual TLS may turn it into that host's `mtls` endpoint; see
    /// [`client_cert_source`](Self::client_cert_source). An endpoint with a
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
    /// permission. To another machine, the client
    /// has to be [anonymous](Credentials::anonymous), because everything that
    /// is sent can be read on the way: with any other credentials, the
    /// default ones included, and with a client certificate `build` fails. A
    /// call with a header that [may be a
    /// credential](crate::http::is_sensitive) fails with
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), and nothing is
    /// sent. This applies to every transport.
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
    /// It is used when `GOOGLE_API_USE_CLIENT_CERTIFICATE` is `true`; else it
    /// is not, which is written to the log as a warning. To show a
    /// certificate whatever the environment says, put it into the
    /// [HTTP options](crate::http::HttpOptions::client_certificate). Without
    /// either, `true` takes the certificate of the machine: the first of
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
    /// and goes on without one when there is none of them. A configuration
    /// without a `workload` certificate is an
    /// error. `CLOUDSDK_CONTEXT_AWARE_USE_CLIENT_CERTIFICATE` counts where the
    /// first variable is unset. Any value but `true` is no, unset is
    /// no: this follows the documentation, while Google's library for Python
    /// has since version 2.43 of google-auth switched itself on where it
    /// finds a configuration.
    ///
    /// `GOOGLE_API_USE_MTLS_ENDPOINT` chooses between `run.googleapis.com` and
    /// `run.mtls.googleapis.com`: `never` and `always` mean what they say,
    /// `auto`, the default, takes the latter when a client certificate is in
    /// use, and any other value is an error. Two values are accepted that
    /// Google's library for Python refuses: the words in another case
    /// (`ALWAYS`), and the empty value, which means `auto`. An explicit
    /// endpoint wins, and the variable is not looked at then:
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
        let client = Some(Arc::new(client) as Arc<dyn HttpClient>);
        self.set_rest("http_client", |asked| asked.service.http_client = client)
    }

    /// Limits the size of response messages, before and after decompression.
    /// Default: 4 MiB, as usual with gRPC.
    ///
    /// A longer message is rejected before it is read. This is an option of
    /// gRPC; REST accepts operations of up to 32 MiB and list pages of up
    /// to 64 MiB.
    #[cfg(feature = "grpc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
    pub fn message_limit(self, bytes: usize) -> Self {
        self.set_grpc("message_limit", |grpc| grpc.message_limit = bytes)
    }

    /// Sets retries and timeouts for each method, from a configuration for gRPC
    /// clients.
    ///
    /// [`retry`](Self::retry), [`attempt_timeout`](Self::attempt_timeout) and
    /// [`total_timeout`](Self::total_timeout) override it, in any order.
    pub fn client_config(mut self, config: ClientConfig) -> Self {
        self.config = config;
        self
    }

    request_options!();
    call_timeout_options!();
    poll_options!();
    rate_option!();

    /// Checks all options and creates the client. It does no network I/O, but
    /// reads the file of default credentials.
    ///
    /// ```
    /// use longrunning::{Credentials, ErrorKind, OperationsClient};
    ///
    /// let error = OperationsClient::builder("http://example.com")
    ///     .credentials(Credentials::anonymous())
    ///     .build()
    ///     .unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config, "plain http is for loopback only");
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with a message that
    /// names the option, variable or file;
    /// [`ErrorKind::Auth`](crate::ErrorKind::Auth) if there are no default
    /// credentials.
    pub fn build(self) -> Result<OperationsClient, Error> {
        self.options.check()?;
        let (transport, origin) = match self.source {
            TransportSource::Service(mut asked) => {
                asked.resolve_version()?;
                asked.service.has_quota_project = self.options.quota_project.is_some();
                let origin = asked.origin();
                (asked.transport(Arc::clone(&self.clock), &*self.env)?, Some(origin))
            }
            TransportSource::Custom(transport) => (transport, None),
        };
        let defaults = self.config.options(&self.options);
        let start = self.options.over(&CallOptions::of_start());
        let core = Core {
            transport,
            defaults,
            start,
            poll: self.poll,
            rate: self.rate,
            clock: self.clock,
            wait_support: Arc::default(),
            origin,
        };
        Ok(OperationsClient { core: Arc::new(core) })
    }

    /// Replaces the environment variables that the client looks at; all others
    /// count as unset.
    ///
    /// ```
    /// use longrunning::OperationsClient;
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .environment([("GOOGLE_CLOUD_QUOTA_PROJECT", "billing-project")]);
    /// # let _ = client;
    /// ```
    #[cfg(feature = "testing")]
    #[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
    pub fn environment<K, V>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.env = Arc::new(variables.collect::<BTreeMap<String, String>>());
        self
    }

    #[cfg(feature = "testing")]
    pub(crate) fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    fn set_rest(self, option: &'static str, set: impl FnOnce(&mut RequestedTransport)) -> Self {
        self.set(option, |asked| {
            asked.rest_only = asked.rest_only.or(Some(option));
            set(asked);
        })
    }

    #[cfg(feature = "grpc")]
    fn set_grpc(self, option: &'static str, set: impl FnOnce(&mut GrpcOptions)) -> Self {
        self.set(option, |asked| {
            asked.grpc_only = asked.grpc_only.or(Some(option));
            set(&mut asked.grpc);
        })
    }

    fn set_service(self, option: &str, set: impl FnOnce(&mut ServiceOptions)) -> Self {
        self.set(option, |asked| set(&mut asked.service))
    }

    fn set(mut self, option: &str, set: impl FnOnce(&mut RequestedTransport)) -> Self {
        match &mut self.source {
            TransportSource::Service(asked) => {
                set(asked);
                self
            }
            TransportSource::Custom(_) => self.check(Err(Error::config(format!(
                "option `{option}` has no effect on a transport of your own"
            )))),
        }
    }

    fn check_product(self, what: &str, product: &str) -> Self {
        let plain = |byte: u8| (b' '..=b'~').contains(&byte);
        let valid = !product.trim().is_empty() && product.bytes().all(plain);
        let shown = shown(product);
        self.check(valid.then_some(()).ok_or_else(|| {
            Error::config(format!("{what} `{shown}` is not printable ASCII such as `name/1.0`"))
        }))
    }

    /// Keeps the first thing that is wrong.
    fn check(mut self, set: Result<(), Error>) -> Self {
        set.err().into_iter().for_each(|error| self.options.refuse(error));
        self
    }
}

impl RequestedTransport {
    fn transport(self, clock: Arc<dyn Clock>, env: &dyn Env) -> Result<Arc<dyn Transport>, Error> {
        if let Some(option) = self.rest_only.filter(|_| self.kind != TransportKind::Rest) {
            let kind = self.kind;
            return Err(Error::config(format!(
                "option `{option}` has no effect over {kind}: it belongs to the REST transport"
            )));
        }
        if let Some(option) = self.grpc_only.filter(|_| self.kind == TransportKind::Rest) {
            return Err(Error::config(format!(
                "option `{option}` has no effect over rest: it belongs to the gRPC transport"
            )));
        }
        let service = ServiceParts::new(self.service, clock, env)?;
        Ok(match self.kind {
            TransportKind::Rest => Arc::new(RestTransport::new(service, self.rest)),
            #[cfg(feature = "grpc")]
            TransportKind::Grpc => Arc::new(GrpcTransport::new(service, self.grpc, env)?),
        })
    }
}

/// Without the environment, and without what may be a secret given in a wrong
/// place.
impl fmt::Debug for OperationsClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationsClientBuilder")
            .field("source", &self.source)
            .field("options", &self.options)
            .field("poll", &self.poll)
            .field("config", &self.config)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TransportSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(asked) => Masked(asked).fmt(f),
            Self::Custom(transport) => transport.fmt(f),
        }
    }
}
