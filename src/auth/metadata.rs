//! The metadata server of Google Cloud: gives the tokens of the service account
//! that is attached there.

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
/// [Application default credentials](Credentials::application_default) end here
/// by themselves. Name it to rule out that a file is used instead, or to choose
/// among several service accounts.
///
/// The server speaks plain http on the link that only this machine is on. It is
/// asked without any secret, never through a proxy. Unless a variable names it,
/// its first response must carry the header by which it is known
/// (`Metadata-Flavor: Google`), so that the login page of a network is not
/// mistaken for it. The scopes of the client are passed on.
///
/// | variable | meaning |
/// |---|---|
/// | `GCE_METADATA_HOST`, else `GCE_METADATA_ROOT`, else `GCE_METADATA_IP` | host and maybe port; default `metadata.google.internal` |
/// | `GCE_METADATA_TIMEOUT` | seconds that the first response may take; default 3 |
/// | `GCE_METADATA_DETECT_RETRIES` | tries until there is no such server; default 1, as many as the retry policy of the call wants where there must be one |
/// | `GCE_METADATA_MTLS_MODE` | `none` or `default`; `strict` is refused |
///
/// There must be one where a variable names it, where this type is used by
/// name, and where the machine's firmware says that it is Google's. Such a
/// server may not be up yet, as on GKE in the first seconds of a pod: until
/// it has given its first token, a call with the default retry policy waits 12
/// seconds for it.
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
    account: Option<String>,
    http: Option<Arc<dyn HttpClient>>,
}

impl MetadataServer {
    /// Takes the default service account.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes another of the attached service accounts, by e-mail address. An
    /// empty one is the default account.
    #[must_use]
    pub fn service_account(mut self, email: impl Into<String>) -> Self {
        self.account = Some(email.into()).filter(|email| !email.is_empty());
        self
    }

    /// Sends requests with an HTTP client of your own, which must not use a
    /// proxy. Default: one without.
    #[must_use]
    pub fn http_client(mut self, client: impl HttpClient + 'static) -> Self {
        self.http = Some(Arc::new(client));
        self
    }

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

impl From<MetadataServer> for Credentials {
    fn from(server: MetadataServer) -> Self {
        Self::deferred(LABEL.into(), move |env| {
            let source = MetadataSource { is_expected: true, ..server.clone().resolve(env)? };
            Ok(Self::of_source(LABEL.into(), source))
        })
    }
}

/// Returns the credentials of the metadata server, the last source to be tried;
/// `absent` is the error message if there is no metadata server either.
pub(super) fn default_credentials(env: &dyn Env, absent: String) -> Result<Credentials, Error> {
    let source = MetadataSource { absent: Some(absent), ..MetadataServer::new().resolve(env)? };
    Ok(Credentials::of_source(LABEL.into(), source))
}

struct MetadataSource {
    host: String,
    account: String,
    detect_timeout: Duration,
    detect_tries: u32,
    /// Requests without a response, before the first response.
    misses: AtomicU32,
    /// Transient failures before the first token.
    failures: AtomicU32,
    has_served: AtomicBool,
    /// Whether a variable names the host, so that any response from there is
    /// that of the server.
    is_named: bool,
    /// Whether there should be a server, so that its absence is a matter of
    /// time.
    is_expected: bool,
    /// For default credentials: the message if there are none.
    absent: Option<String>,
    /// Known from the first response on.
    universe: OnceLock<String>,
    http: Option<Arc<dyn HttpClient>>,
    /// In place of `http`; made when it is needed.
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
    fn exchange(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let http = self.http()?;
        let universe = self.universe(&TokenRequest { http, ..*request })?;
        // Checked before a token is fetched, so that no token of one universe is sent
        // to another.
        if !universe.eq_ignore_ascii_case(request.universe_domain) {
            let why = universe::mismatch(LABEL, &universe, request.universe_domain);
            return Err(TokenError::permanent(why).worded(Wording::Whole));
        }
        self.fetch(&TokenRequest { http, ..*request })
    }

    /// Spreads the attempts of a call over the time that an expected server may
    /// need to start.
    fn starting(&self, error: TokenError) -> TokenError {
        if !self.is_expected || self.has_served.load(Ordering::Relaxed) || !error.is_transient() {
            return error;
        }
        // The server starts together with the machine or the pod. The pauses grow, so
        // that the attempts of one call cover that time.
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
        let response = self.get(request, "universe/universe-domain")?;
        if response.status == 404 && !self.is_server(&response) {
            // A server that does not know the path may not send `metadata-flavor` either:
            // the next response decides.
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
        // A response without `metadata-flavor` may come from something else, so it is
        // not stored.
        Ok(if has_flavor(&response) { self.universe.get_or_init(|| universe).clone() } else { universe })
    }

    fn fetch(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let mut path = format!("instance/service-accounts/{}/token", self.account);
        if !request.scopes.is_empty() {
            path = path + "?scopes=" + &encode(&request.scopes.join(","));
        }
        let response = self.get(request, &path)?;
        self.recognize(&response)?;
        match response.status {
            200..=299 => {}
            404 => return Err(self.no_account(&response)),
            _ => return Err(self.refusal(&response).into()),
        }
        let body = Zeroizing::new(response.body);
        let response = token_endpoint::parse(&body);
        response
            .map(TokenEndpointResponse::into_token)
            .map_err(|why| token_endpoint::unreadable(&self.host, why))
    }

    fn get(&self, request: &TokenRequest<'_>, path: &str) -> Result<HttpResponse, TokenError> {
        let url = format!("http://{}/computeMetadata/v1/{path}", self.host);
        // A server that has responded before gets all of the remaining time.
        let detected = deadline(Instant::now(), self.detect_timeout);
        let deadline = match self.universe.get() {
            Some(_) => request.deadline,
            None => request.deadline.min(detected),
        };
        // A caller with less time than detection needs proves nothing about the server,
        // so its timeout is not counted as a miss.
        let hurried = request.deadline < detected;
        let request = TokenRequest { deadline, ..*request };
        token_endpoint::send_anywhere(&request, HttpMethod::Get, &url, &[FLAVOR], None)
            .map_err(|error| if hurried && error.is_transient() { error } else { self.miss(error) })
    }

    /// Rejects a response that is not from a metadata server; one that is too
    /// busy need not identify itself.
    fn recognize(&self, response: &HttpResponse) -> Result<(), TokenError> {
        if self.is_server(response) || matches!(response.status, 408 | 429 | 500..=599) {
            return Ok(());
        }
        let why =
            format!("the server at {} is not a metadata server (no `metadata-flavor: Google`)", self.host);
        Err(self.miss(TokenError::permanent(why)))
    }

    /// Returns whether it is a response of the metadata server, which not all
    /// implementations mark as such. Captive portals, and name servers that
    /// know every name, are distinguished by the first response.
    fn is_server(&self, response: &HttpResponse) -> bool {
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

    /// Returns the error if no metadata server has responded.
    fn miss(&self, error: TokenError) -> TokenError {
        if self.universe.get().is_some() {
            return error;
        }
        let misses = self.misses.fetch_add(1, Ordering::Relaxed).saturating_add(1);
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

    fn no_account(&self, response: &HttpResponse) -> TokenError {
        let (account, refusal) = (shown(&self.account), self.refusal(response));
        TokenError::permanent(format!(
            "there is no service account `{account}`, attach one to the machine or the service: {refusal}"
        ))
        .worded(Wording::Composed)
    }

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

fn has_flavor(response: &HttpResponse) -> bool {
    let (name, value) = FLAVOR;
    response.header(name).is_some_and(|each| each.trim().eq_ignore_ascii_case(value))
}

fn is_domain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
}

fn is_html(response: &HttpResponse) -> bool {
    let starts = |text: &str, start: &str| {
        text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
    };
    let is_markup = || response.body.trim_ascii_start().starts_with(b"<");
    response.header("content-type").is_some_and(|value| starts(value, "text/html")) || is_markup()
}

fn host(env: &dyn Env) -> Result<Option<String>, Error> {
    let names = ["GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"];
    let Some((name, host)) = names.into_iter().find_map(|name| env.var(name).map(|host| (name, host))) else {
        return Ok(None);
    };
    if host.contains(['/', '?', '#']) || Url::parse(&format!("http://{host}")).is_err() {
        let host = shown(&host);
        return Err(Error::config(format!("{name} is `{host}`: expected a host and maybe a port")));
    }
    Ok(Some(host))
}

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

/// Returns whether the firmware is that of a machine of Google.
fn is_google() -> bool {
    cfg!(target_os = "linux")
        && fs::read_to_string("/sys/class/dmi/id/product_name").is_ok_and(|name| name.starts_with("Google"))
}

const LABEL: &str = "the metadata server";
const HOST: &str = "metadata.google.internal";
const FLAVOR: (&str, &str) = ("metadata-flavor", "Google");
/// The least delays before the retries of a call while an expected server
/// starts: 12 s in all for the default policy of five attempts. The last one is
/// repeated.
const STARTUP_PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_millis(1500), Duration::from_secs(4), Duration::from_secs(6)];

#[cfg(test)]
mod tests;
