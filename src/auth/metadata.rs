//! The metadata server of Google Cloud, which issues the tokens of the service
//! account that is attached to the machine or service.
//!
//! ```text
//! GET http://metadata.google.internal/computeMetadata/v1/
//!       universe/universe-domain                       once: is there a server?
//!       instance/service-accounts/default/token        for every token
//! ```
//!
//! The first request also detects whether there is a server at all. Until it
//! has responded, a failure is a *miss*: for default credentials it means that
//! there are none, unless a server is expected. It is expected if a variable or
//! the program names it, or if the firmware is Google's; then its absence is a
//! matter of time, and transient.
//!
//! The protocol is that of [the documentation of Compute
//! Engine](https://cloud.google.com/compute/docs/metadata/overview). Requests
//! carry no secret, so plain `http` is acceptable; responses do, so they must
//! not pass a proxy.

use std::fmt;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::auth::provider::Wording;
use crate::auth::token_endpoint::{self, Refusal, TokenEndpointResponse};
use crate::auth::url::Url;
use crate::auth::{
    AccessToken, Credentials, DEFAULT_UNIVERSE, TokenError, TokenProvider, TokenRequest, universe,
};
use crate::error::Error;
use crate::http::{
    HttpAgent, HttpClient, HttpError, HttpMethod, HttpOptions, HttpResponse, ProxySetting, Roots,
};
use crate::util::clock::deadline;
use crate::util::env::Env;
use crate::util::excerpt::shown;
use crate::util::percent::encode;

/// The service account of the place where the program runs: Compute Engine,
/// GKE, Cloud Run, Functions, ….
///
/// [Application default credentials](Credentials::application_default) use it
/// if there is no file. Use it by name to rule out that a file is used instead,
/// or to choose among several service accounts.
///
/// The server uses plain `http` on a link that only this machine has. Requests
/// to it contain no secret, and never go through a proxy. Unless a variable
/// names the server, its first response must have the header `Metadata-Flavor:
/// Google`, so that the login page of a network is not mistaken for it. The
/// scopes of the client are passed on.
///
/// | variable | meaning |
/// |---|---|
/// | `GCE_METADATA_HOST`, else `GCE_METADATA_ROOT`, else `GCE_METADATA_IP` | the host, and a port if it is not 80; default `metadata.google.internal` |
/// | `GCE_METADATA_TIMEOUT` | how many seconds the first response may take; default 3 |
/// | `GCE_METADATA_DETECT_RETRIES` | after how many tries there is no such server; default 1; without effect if a server is expected |
/// | `GCE_METADATA_MTLS_MODE` | `none` or `default`; `strict` is an error |
///
/// A server is expected if a variable names it, if this type is used by name,
/// and if the firmware of the machine is Google's. Such a server may not be up
/// yet, as on GKE in the first seconds of a pod. Until it has issued its first
/// token, a call with the default retry policy waits 12 seconds for it.
///
/// ```
/// use longrunning::OperationsClient;
/// use longrunning::auth::MetadataServer;
///
/// let client = OperationsClient::builder("https://run.googleapis.com")
///     .credentials(MetadataServer::new().service_account("worker@my-project.iam.gserviceaccount.com"))
///     .build()?;
/// # let _ = client;
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MetadataServer {
    /// The email address of the account; `None` is the default one.
    account: Option<String>,
    /// The client of the program, if it has set one.
    http: Option<Arc<dyn HttpClient>>,
}

impl MetadataServer {
    /// Uses the default service account.
    ///
    /// ```
    /// use longrunning::Credentials;
    /// use longrunning::auth::MetadataServer;
    ///
    /// let credentials = Credentials::from(MetadataServer::new());
    /// assert_eq!(format!("{credentials:?}"), "Credentials(the metadata server)");
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses another one of the attached service accounts, by email address. The
    /// empty text is the default account.
    ///
    /// ```
    /// use longrunning::OperationsClient;
    /// use longrunning::auth::MetadataServer;
    ///
    /// let error = OperationsClient::builder("https://run.googleapis.com")
    ///     .credentials(MetadataServer::new().service_account("not/an address"))
    ///     .build()
    ///     .unwrap_err();
    /// assert_eq!(error.to_string(), "service account `not/an address` is not an e-mail address");
    /// ```
    #[must_use]
    pub fn service_account(mut self, email: impl Into<String>) -> Self {
        self.account = Some(email.into()).filter(|email| !email.is_empty());
        self
    }

    /// Sends requests with your own HTTP client, which must not use a proxy.
    /// Default: one without a proxy and without trusted roots.
    ///
    /// ```
    /// use longrunning::auth::MetadataServer;
    /// use longrunning::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
    ///
    /// #[derive(Debug)]
    /// struct Offline;
    ///
    /// impl HttpClient for Offline {
    ///     fn send(&self, _: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
    ///         Err(HttpError::new(HttpErrorKind::Connect, "offline"))
    ///     }
    /// }
    ///
    /// let server = MetadataServer::new().http_client(Offline);
    /// # let _ = server;
    /// ```
    #[must_use]
    pub fn http_client(mut self, client: impl HttpClient + 'static) -> Self {
        self.http = Some(Arc::new(client));
        self
    }

    /// Reads the variables. No network I/O.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Config` if a variable or the account is invalid.
    fn resolve(self, env: &dyn Env) -> Result<MetadataSource, Error> {
        let account = self.account.unwrap_or_else(|| "default".into());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@.-_+:".contains(&byte);
        if !account.bytes().all(plain) {
            let account = shown(&account);
            return Err(Error::config(format!("service account `{account}` is not an e-mail address")));
        }
        refuse_mtls(env)?;
        let (host, is_named) = match host(env)? {
            Some(host) => (host, true),
            None => (HOST.to_owned(), false),
        };
        // An invalid number counts as unset, as in google-auth for Python.
        let number = |name| env.var(name).and_then(|value| value.parse().ok()).filter(|number| *number > 0);
        Ok(MetadataSource {
            host,
            account,
            detect_timeout: Duration::from_secs(number("GCE_METADATA_TIMEOUT").unwrap_or(3).into()),
            detect_tries: number("GCE_METADATA_DETECT_RETRIES").unwrap_or(1),
            misses: AtomicU32::new(0),
            failures: AtomicU32::new(0),
            has_served: AtomicBool::new(false),
            is_named,
            is_expected: is_named || is_google(),
            absent: None,
            universe: OnceLock::new(),
            http: self.http,
            agent: OnceLock::new(),
        })
    }
}

/// Uses the server by name, so it is expected.
impl From<MetadataServer> for Credentials {
    fn from(server: MetadataServer) -> Self {
        Self::deferred(LABEL.into(), move |env| {
            let source = MetadataSource { is_expected: true, ..server.clone().resolve(env)? };
            Ok(Self::of_source(LABEL.into(), source))
        })
    }
}

/// Returns the credentials of the metadata server as the last place of default
/// credentials. `absent` is the error message if there is no server either.
pub(super) fn default_credentials(env: &dyn Env, absent: String) -> Result<Credentials, Error> {
    let source = MetadataSource { absent: Some(absent), ..MetadataServer::new().resolve(env)? };
    Ok(Credentials::of_source(LABEL.into(), source))
}

/// The metadata server, as one set of credentials knows it. The counters are
/// shared by clones and threads, and approximate: they only space out attempts.
struct MetadataSource {
    /// Host and port.
    host: String,
    /// The email address, or `default`.
    account: String,
    /// How long the first response may take.
    detect_timeout: Duration,
    /// After how many misses there is no server.
    detect_tries: u32,
    /// How many requests had no response before the first one that had.
    misses: AtomicU32,
    /// How many transient failures there were before the first token.
    failures: AtomicU32,
    /// Whether the server has issued a token.
    has_served: AtomicBool,
    /// Whether a variable names the host, so that any response from there
    /// counts as one of the server.
    is_named: bool,
    /// Whether there should be a server, so that its absence is transient.
    is_expected: bool,
    /// The message if there is no server; only for default credentials.
    absent: Option<String>,
    /// Known from the first response on, which also proves that there is a
    /// server.
    universe: OnceLock<String>,
    /// The client of the program.
    http: Option<Arc<dyn HttpClient>>,
    /// Used without a client of the program; created with the first request.
    agent: OnceLock<Result<HttpAgent, HttpError>>,
}

impl TokenProvider for MetadataSource {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let result = self.exchange(request);
        match &result {
            Ok(_) => self.has_served.store(true, Ordering::Relaxed),
            Err(error) => return Err(self.starting(error.clone())),
        }
        result
    }
}

impl MetadataSource {
    /// Fetches a token, after the universe was checked.
    fn exchange(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let http = self.http()?;
        let universe = self.universe(&TokenRequest { http, ..*request })?;
        // Checked before a token is fetched, so that no token of one universe
        // is sent to another.
        if !universe.eq_ignore_ascii_case(request.universe_domain) {
            let why = universe::mismatch(LABEL, &universe, request.universe_domain);
            return Err(TokenError::permanent(why).worded(Wording::Whole));
        }
        self.fetch(&TokenRequest { http, ..*request })
    }

    /// Spaces out the attempts of a call over the time that an expected server
    /// may need to start.
    fn starting(&self, error: TokenError) -> TokenError {
        if !self.is_expected || self.has_served.load(Ordering::Relaxed) || !error.is_transient() {
            return error;
        }
        // The server starts together with the machine or the pod. The pauses
        // grow, so that the attempts of one call cover that time.
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) as usize;
        let pause = STARTUP_PAUSES[failures.min(STARTUP_PAUSES.len() - 1)];
        let retry_after = error.retry_after().max(Some(pause));
        error.with_retry_after(retry_after)
    }

    /// Fetches the universe domain, which also shows whether there is a server
    /// at all.
    fn universe(&self, request: &TokenRequest<'_>) -> Result<String, TokenError> {
        if let Some(known) = self.universe.get() {
            return Ok(known.clone());
        }
        // Before any token: this detects the server, and returns its universe.
        let response = self.get(request, "universe/universe-domain")?;
        // Emulators and older servers have no such path.
        if response.status == 404 && !self.is_server(&response) {
            // A server that does not know the path may not send
            // `metadata-flavor` either: the next response decides.
            return Ok(DEFAULT_UNIVERSE.to_owned());
        }
        self.recognize(&response)?;
        let universe = match response.status {
            200..=299 => String::from_utf8_lossy(&response.body).trim().to_owned(),
            404 => String::new(),
            _ => return Err(self.refusal(&response).into()),
        };
        let universe = if universe.is_empty() { DEFAULT_UNIVERSE.to_owned() } else { universe };
        if !is_domain(&universe) {
            let why = format!("the universe that {} names is not a domain", shown(&self.host));
            return Err(self.miss(TokenError::permanent(why)));
        }
        // A response without `metadata-flavor` may come from something else, so
        // it is not stored.
        Ok(if has_flavor(&response) { self.universe.get_or_init(|| universe).clone() } else { universe })
    }

    /// Fetches a token for the scopes of the request.
    fn fetch(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let mut path = format!("instance/service-accounts/{}/token", self.account);
        if !request.scopes.is_empty() {
            // Servers that know the parameter return a token for these scopes.
            path = path + "?scopes=" + &encode(&request.scopes.join(","));
        }
        let response = self.get(request, &path)?;
        self.recognize(&response)?;
        match response.status {
            200..=299 => {}
            // The path contains the account, so this is the only thing that can
            // be missing.
            404 => return Err(self.no_account(&response)),
            _ => return Err(self.refusal(&response).into()),
        }
        // The response holds the token in the clear.
        let body = Zeroizing::new(response.body);
        let response = token_endpoint::parse(&body);
        response
            .map(TokenEndpointResponse::into_token)
            .map_err(|why| token_endpoint::unreadable(&self.host, why))
    }

    /// Sends a request, for a path below `/computeMetadata/v1/`.
    fn get(&self, request: &TokenRequest<'_>, path: &str) -> Result<HttpResponse, TokenError> {
        let url = format!("http://{}/computeMetadata/v1/{path}", self.host);
        // Until it has responded once, the server gets a short time. After that
        // it gets all of the remaining time.
        let detected = deadline(Instant::now(), self.detect_timeout);
        let deadline = match self.universe.get() {
            Some(_) => request.deadline,
            None => request.deadline.min(detected),
        };
        // A caller with less time than detection needs proves nothing about the
        // server, so its timeout is not counted as a miss.
        let hurried = request.deadline < detected;
        let request = TokenRequest { deadline, ..*request };
        token_endpoint::send_anywhere(&request, HttpMethod::Get, &url, &[FLAVOR], None)
            .map_err(|error| if hurried && error.is_transient() { error } else { self.miss(error) })
    }

    /// Rejects a response that is not from a metadata server. One that is too
    /// busy need not identify itself.
    fn recognize(&self, response: &HttpResponse) -> Result<(), TokenError> {
        if self.is_server(response) || matches!(response.status, 408 | 429 | 500..=599) {
            return Ok(());
        }
        let why =
            format!("the server at {} is not a metadata server (no `metadata-flavor: Google`)", self.host);
        Err(self.miss(TokenError::permanent(why)))
    }

    /// Returns whether a response is from the metadata server.
    ///
    /// Not all implementations set the header on all responses. Captive
    /// portals, and name servers that resolve every name, are recognized by the
    /// first response.
    fn is_server(&self, response: &HttpResponse) -> bool {
        // A page with a success status is that of a portal, even from a named
        // host.
        let is_page = is_html(response) && (200..=299).contains(&response.status);
        (self.is_named || self.universe.get().is_some() || has_flavor(response)) && !is_page
    }

    /// Returns the refusal with the text of the server, which names the missing
    /// permission.
    fn refusal(&self, response: &HttpResponse) -> Refusal {
        let refusal = Refusal::of(&self.host, response);
        if is_html(response) || !self.is_server(response) {
            return refusal;
        }
        refusal.or_text(&String::from_utf8_lossy(&response.body))
    }

    /// Returns the error if no metadata server has responded, and counts it.
    fn miss(&self, error: TokenError) -> TokenError {
        if self.universe.get().is_some() {
            return error;
        }
        let misses = self.misses.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        // With detection, a server may be slow once. With an expected one, it
        // is a matter of time.
        let may_come = self.is_expected || misses < self.detect_tries;
        let make = match error.is_transient() && may_come {
            true => TokenError::transient,
            false => TokenError::permanent,
        };
        let missed = match &self.absent {
            Some(absent) => make(absent.clone()).worded(Wording::Whole),
            None => make(format!("no metadata server responded at {}", shown(&self.host))),
        };
        missed.with_source(error)
    }

    /// Returns the error for an account that is not attached.
    fn no_account(&self, response: &HttpResponse) -> TokenError {
        let (account, refusal) = (shown(&self.account), self.refusal(response));
        TokenError::permanent(format!(
            "there is no service account `{account}`, attach one to the machine or the service: {refusal}"
        ))
        .worded(Wording::Composed)
    }

    /// Returns the HTTP client. It uses neither proxy nor TLS.
    fn http(&self) -> Result<&dyn HttpClient, TokenError> {
        if let Some(client) = &self.http {
            return Ok(&**client);
        }
        let options = || HttpOptions::new().roots(Roots::None).proxy(ProxySetting::None);
        match self.agent.get_or_init(|| HttpAgent::new(&options())) {
            Ok(agent) => Ok(agent),
            Err(error) => Err(error.clone().into()),
        }
    }
}

impl fmt::Debug for MetadataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataServer")
            .field("host", &shown(&self.host))
            .field("account", &shown(&self.account))
            .finish_non_exhaustive()
    }
}

/// Returns whether a response has the header of the metadata server.
fn has_flavor(response: &HttpResponse) -> bool {
    let (name, value) = FLAVOR;
    response.header(name).is_some_and(|each| each.trim().eq_ignore_ascii_case(value))
}

/// Returns whether a text consists of the characters of a domain: it goes into
/// messages and URLs.
fn is_domain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
}

/// Returns whether a response is a page for people.
fn is_html(response: &HttpResponse) -> bool {
    let starts = |text: &str, start: &str| {
        text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
    };
    let is_markup = || response.body.trim_ascii_start().starts_with(b"<");
    response.header("content-type").is_some_and(|value| starts(value, "text/html")) || is_markup()
}

/// Returns the host that a variable names.
fn host(env: &dyn Env) -> Result<Option<String>, Error> {
    let names = ["GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"];
    let Some((name, host)) = names.into_iter().find_map(|name| env.var(name).map(|host| (name, host))) else {
        return Ok(None);
    };
    // Parsed as part of a URL, these would end the host.
    if host.contains(['/', '?', '#']) || Url::parse(&format!("http://{host}")).is_err() {
        let host = shown(&host);
        return Err(Error::config(format!("{name} is `{host}`: expected a host and maybe a port")));
    }
    Ok(Some(host))
}

/// Rejects the mode in which tokens are bound to certificates, which is not
/// supported.
fn refuse_mtls(env: &dyn Env) -> Result<(), Error> {
    const NAME: &str = "GCE_METADATA_MTLS_MODE";
    match env.var(NAME) {
        Some(mode) if !["none", "default"].contains(&mode.to_ascii_lowercase().as_str()) => {
            let mode = shown(&mode);
            Err(Error::config(format!(
                "{NAME} is `{mode}`, which is not supported: expected `none` or `default`"
            )))
        }
        _ => Ok(()),
    }
}

/// Returns whether the firmware is that of a machine of Google. Containers see
/// it too. Only Linux shows it in a file.
fn is_google() -> bool {
    cfg!(target_os = "linux")
        && fs::read_to_string("/sys/class/dmi/id/product_name").is_ok_and(|name| name.starts_with("Google"))
}

/// What messages call these credentials.
const LABEL: &str = "the metadata server";
/// The host name that Google Cloud resolves inside.
const HOST: &str = "metadata.google.internal";
/// The header of requests and responses: it proves that a request was made on
/// purpose.
const FLAVOR: (&str, &str) = ("metadata-flavor", "Google");
/// The least delays before the retries of a call while an expected server
/// starts: 12 s in all for the default policy of five attempts. The last one is
/// repeated.
const STARTUP_PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_millis(1500), Duration::from_secs(4), Duration::from_secs(6)];

#[cfg(test)]
mod tests;
