//! An HTTP client with scripted responses, for the tests of token sources.
//!
//! The tests of a source look at the requests that it sends, to the byte. Those
//! of the cache and the transports are elsewhere.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::auth::{AccessToken, Credentials, CredentialsPolicy, TokenError, TokenRequest};
use crate::error::Error;
use crate::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use crate::util::percent::decode_form;
use crate::util::sync::lock;

/// Returns its responses in order, and records the requests. When no response
/// is left, every request fails to connect.
#[derive(Debug, Default)]
pub(super) struct ScriptedClient {
    responses: Mutex<VecDeque<Result<HttpResponse, HttpError>>>,
    sent: Mutex<Vec<SentRequest>>,
}

/// A request that was sent.
#[derive(Clone, Debug)]
pub(super) struct SentRequest {
    /// Method and URL.
    pub(super) line: String,
    /// Names are in lowercase.
    pub(super) headers: BTreeMap<String, String>,
    /// The body, which has to be UTF-8.
    pub(super) body: String,
    /// The remaining time of the request.
    pub(super) timeout: Duration,
    /// The largest body of a response.
    pub(super) limit: usize,
}

impl ScriptedClient {
    /// Creates a client with these outcomes.
    pub(super) fn new(responses: impl IntoIterator<Item = Result<HttpResponse, HttpError>>) -> Self {
        Self { responses: Mutex::new(responses.into_iter().collect()), sent: Mutex::default() }
    }

    /// Creates a client with responses of these statuses and bodies.
    pub(super) fn responses<B: Into<String>>(responses: impl IntoIterator<Item = (u16, B)>) -> Self {
        Self::new(responses.into_iter().map(|(status, body)| Ok(HttpResponse::new(status, body.into()))))
    }

    /// Creates a client with responses of these bodies and status 200.
    pub(super) fn json<const N: usize>(bodies: [&str; N]) -> Self {
        Self::responses(bodies.map(|body| (200, body)))
    }

    /// Removes and returns the requests that were sent.
    pub(super) fn take(&self) -> Vec<SentRequest> {
        std::mem::take(&mut *lock(&self.sent))
    }

    /// Returns a request to a provider, over this client.
    pub(super) fn request(&self) -> TokenRequest<'_> {
        TokenRequest::new(Duration::from_secs(10), self)
    }

    /// Fetches a token over this client.
    pub(super) fn token(
        &self,
        credentials: &Credentials,
        scopes: &[&str],
    ) -> Result<AccessToken, TokenError> {
        self.token_in(&[], credentials, scopes)
    }

    /// Fetches a token over this client, in an environment of these variables.
    pub(super) fn token_in(
        &self,
        env: &[(&str, &str)],
        credentials: &Credentials,
        scopes: &[&str],
    ) -> Result<AccessToken, TokenError> {
        let provider = credentials.resolve(&environment(env)).unwrap().token_provider().unwrap();
        let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        provider.token(&TokenRequest { scopes: &scopes, now: now(), ..self.request() })
    }
}

impl SentRequest {
    /// Returns the fields of a form, decoded.
    pub(super) fn form(&self) -> BTreeMap<String, String> {
        assert_eq!(self.headers["content-type"], "application/x-www-form-urlencoded");
        let pairs = self.body.split('&').map(|pair| pair.split_once('=').unwrap());
        pairs.map(|(name, value)| (decode_form(name), decode_form(value))).collect()
    }

    /// Returns the value of one field of a form.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        self.form().remove(name)
    }

    /// Returns the body as JSON.
    pub(super) fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_str(&self.body).unwrap()
    }
}

impl HttpClient for ScriptedClient {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let headers = request.headers.iter().map(|(name, value)| (name.to_lowercase(), value.to_string()));
        lock(&self.sent).push(SentRequest {
            line: format!("{} {}", request.method.as_str(), request.url),
            headers: headers.collect(),
            body: String::from_utf8(request.body.unwrap_or_default().to_vec()).unwrap(),
            timeout: request.remaining(),
            limit: request.limit,
        });
        let unplugged = || Err(HttpError::new(HttpErrorKind::Connect, "unplugged"));
        lock(&self.responses).pop_front().unwrap_or_else(unplugged)
    }
}

/// Returns a URL on this machine, for credentials files.
pub(super) fn local_url(path: &str) -> String {
    format!("http://127.0.0.1{path}")
}

/// Reads credentials under a policy that permits everything, this machine
/// included.
pub(super) fn load(file: &Value) -> Result<Credentials, Error> {
    let policy = CredentialsPolicy::trusting_the_file().host("127.0.0.1");
    Credentials::from_value_with(file.clone(), &policy)
}

/// Returns an environment of these variables.
pub(super) fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Returns the time of all tests: 2027-01-15T08:00:00Z.
pub(super) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A response of the Security Token Service.
pub(super) const STS_RESPONSE: &str = r#"{"access_token":"CANARY-sts-1","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3600}"#;
