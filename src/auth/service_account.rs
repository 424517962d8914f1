//! Service-account keys: a JWT that the account signs itself is the access
//! token, or is exchanged for one.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::Value;

use crate::auth::jwt::{self, AccessClaims, Claims, JwtAssertion, Rs256};
use crate::auth::key_file::KeyFile;
use crate::auth::policy::GOOGLE;
use crate::auth::provider::Wording;
use crate::auth::url::Url;
use crate::auth::{
    AccessToken, Credentials, CredentialsPolicy, DEFAULT_UNIVERSE, TokenError, TokenProvider, TokenRequest,
    token_endpoint,
};
use crate::error::Error;
use crate::net::mtls_host;
use crate::util::excerpt::shown;
use crate::util::secret::Secret;
use crate::util::url::UrlParts;

/// A service account and its private key: signs its own access tokens, or
/// exchanges them.
///
/// The key file is the one that `gcloud iam service-accounts keys create`
/// writes. Only `client_email` and `private_key` have to be in it; empty fields
/// count as missing. The key may be PKCS#8 or PKCS#1 PEM and is parsed once;
/// its text is wiped then, and only the parsed key inside the crypto library
/// stays.
///
/// A token is good for what [`scopes`](Self::scopes) or an
/// [`audience`](Self::audience) say, else for the scopes of the client, else for `https://www.googleapis.com/auth/cloud-platform`. It lives for an hour and
/// is dated 10 seconds back, because servers refuse tokens from the future.
///
/// By default the token is a JWT that the account signs itself ([AIP-4111]),
/// without network I/O: what Google's Python client does with
/// `always_use_jwt_access`. With [`subject`](Self::subject) or
/// [`exchange_token`](Self::exchange_token) the JWT is sent to a token
/// endpoint, which gives an access token for it ([RFC 7523]). Accounts of
/// another universe than `googleapis.com` can only sign for themselves.
///
/// ```
/// use longrunning::auth::{Credentials, ServiceAccount};
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
/// let account = ServiceAccount::from_file(path)?;
/// assert_eq!(account.client_email(), "robot@test-project.iam.gserviceaccount.com");
/// let credentials = Credentials::from(account);
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// [AIP-4111]: https://google.aip.dev/auth/4111
/// [RFC 7523]: https://www.rfc-editor.org/rfc/rfc7523
#[derive(Clone)]
pub struct ServiceAccount {
    identity: Arc<AccountIdentity>,
    target: JwtTarget,
    subject: Option<String>,
    exchange: bool,
    token_uri: Option<String>,
}

struct AccountIdentity {
    client_email: String,
    private_key_id: Option<String>,
    project_id: Option<String>,
    quota_project_id: Option<String>,
    universe_domain: Option<String>,
    /// That of the file, or why it may not be used: which matters once
    /// something is sent there.
    token_uri: Result<Option<String>, Error>,
    key: Rs256,
}

/// The scopes or the audience of the tokens.
#[derive(Clone)]
enum JwtTarget {
    /// The scopes of the client, or the default one.
    Client,
    Scopes(String),
    Audience(String),
    /// The audience is the service that the client calls.
    Endpoint,
}

impl ServiceAccount {
    /// Reads a key file of at most 1 MiB. Symbolic links are followed.
    ///
    /// On Unix, the log warns of a file that other users can open.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?;
    /// assert_eq!(account.client_email(), "robot@test-project.iam.gserviceaccount.com");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the file cannot be
    /// read, is neither a regular file nor a pipe, or is rejected by
    /// [`from_json`](Self::from_json).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        KeyFile::read(path.as_ref(), &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    /// Reads the text of a key file, for keys that come from a vault or a
    /// variable.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// let error = ServiceAccount::from_json(r#"{"type": "authorized_user"}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "credentials JSON is of type `authorized_user`: expected `service_account`");
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the text is not a
    /// JSON object, has another type, lacks a field (the message names
    /// all), or if its key is not RSA.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        KeyFile::parse(json.as_bytes(), &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    /// Reads a key file that is parsed already.
    ///
    /// # Errors
    ///
    /// As for [`from_json`](Self::from_json).
    pub fn from_value(value: Value) -> Result<Self, Error> {
        KeyFile::from_value(value, &CredentialsPolicy::default()).and_then(Self::from_key_file)
    }

    pub(super) fn from_key_file(mut file: KeyFile) -> Result<Self, Error> {
        file.expect_type("service_account")?;
        let [client_email, private_key] = file.require(["client_email", "private_key"])?;
        let key = Rs256::from_pem(&private_key)
            .map_err(|why| file.error(format_args!("cannot be used: `private_key` {why}")))?;
        let identity = AccountIdentity {
            client_email: client_email.to_string(),
            private_key_id: file.text("private_key_id")?,
            project_id: file.text("project_id")?,
            quota_project_id: file.text("quota_project_id")?,
            universe_domain: file.text("universe_domain")?,
            token_uri: file.url("token_uri"),
            key,
        };
        let identity = Arc::new(identity);
        Ok(Self { identity, target: JwtTarget::Client, subject: None, exchange: false, token_uri: None })
    }

    /// Sets the OAuth scopes, in place of an audience and of the scopes of the
    /// client.
    ///
    /// An empty list restores the scopes of the client.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?.scopes(["https://www.googleapis.com/auth/cloud-platform"]);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn scopes<S: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = join(scopes);
        self.target = if scopes.is_empty() { JwtTarget::Client } else { JwtTarget::Scopes(scopes) };
        self
    }

    /// Signs tokens for one service, `https://HOST/` with the slash at the end, in place of scopes.
    ///
    /// An empty audience restores the scopes of the client.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?.audience("https://run.googleapis.com/");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        let audience = audience.into();
        self.target = if audience.is_empty() { JwtTarget::Client } else { JwtTarget::Audience(audience) };
        self
    }

    /// Signs tokens for the service that the client calls, `https://HOST/` of its endpoint, in place of scopes.
    ///
    /// The mTLS endpoint of a service counts as the service.
    ///
    /// ```
    /// use longrunning::OperationsClient;
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?.audience_of_endpoint();
    /// let client = OperationsClient::builder("europe-west1-run.googleapis.com").credentials(account).build()?;
    /// # let _ = client;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn audience_of_endpoint(mut self) -> Self {
        self.target = JwtTarget::Endpoint;
        self
    }

    /// Acts on behalf of a user, by domain-wide delegation; implies
    /// [`exchange_token`](Self::exchange_token).
    ///
    /// An administrator of the domain has to grant the scopes to the account.
    /// An empty subject means none.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?.subject("user@example.com");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn subject(mut self, email: impl Into<String>) -> Self {
        self.subject = Some(email.into()).filter(|email| !email.is_empty());
        self
    }

    /// Exchanges a signed assertion for an access token at the token endpoint,
    /// which costs a request an hour.
    ///
    /// This is for services that do not accept self-signed tokens. `build`
    /// rejects an exchange for an audience, and for an account of another
    /// universe than `googleapis.com`.
    ///
    /// ```
    /// use longrunning::auth::ServiceAccount;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/keys/service_account.json");
    /// let account = ServiceAccount::from_file(path)?.exchange_token();
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn exchange_token(mut self) -> Self {
        self.exchange = true;
        self
    }

    /// Sets the token endpoint. Default: `token_uri` of the file, else `https://oauth2.googleapis.com/token`.
    ///
    /// It must be https, or http to loopback. Assertions are signed for `https://oauth2.googleapis.com/token`
    /// if the endpoint is one of Google's hosts, and for the endpoint itself if
    /// you or the [policy](crate::auth::CredentialsPolicy) of the file
    /// allow another one.
    #[must_use]
    pub fn token_uri(mut self, url: impl Into<String>) -> Self {
        self.token_uri = Some(url.into());
        self
    }

    /// Returns the name of the account, an email address.
    pub fn client_email(&self) -> &str {
        &self.identity.client_email
    }

    /// Returns the id of the key, which is not a secret.
    pub fn private_key_id(&self) -> Option<&str> {
        self.identity.private_key_id.as_deref()
    }

    /// Returns the project that the account belongs to.
    pub fn project_id(&self) -> Option<&str> {
        self.identity.project_id.as_deref()
    }

    /// Returns the project that is charged if the client sets none.
    pub fn quota_project_id(&self) -> Option<&str> {
        self.identity.quota_project_id.as_deref()
    }

    /// Returns the universe domain of the account: `googleapis.com` if the file
    /// has none.
    pub fn universe_domain(&self) -> &str {
        self.identity.universe_domain.as_deref().unwrap_or(DEFAULT_UNIVERSE)
    }
}

/// Makes a new token at every call; a client calls it about once an hour.
impl TokenProvider for ServiceAccount {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        self.check().map_err(|error| TokenError::permanent(error.to_string()))?;
        let now = request.now.duration_since(SystemTime::UNIX_EPOCH).map_err(|error| {
            TokenError::transient("the clock of this machine is set before 1970").with_source(error)
        })?;
        let iat = now.saturating_sub(BACKDATED).as_secs();
        let exp = iat + LIFETIME.as_secs();
        if self.exchanges() { self.exchanged(request, iat, exp) } else { self.self_signed(request, iat, exp) }
    }
}

impl ServiceAccount {
    fn self_signed(&self, request: &TokenRequest<'_>, iat: u64, exp: u64) -> Result<AccessToken, TokenError> {
        let made;
        let access = match &self.target {
            JwtTarget::Audience(audience) => AccessClaims::Aud(audience),
            JwtTarget::Endpoint => {
                made = audience_of(request.endpoint)?;
                AccessClaims::Aud(&made)
            }
            JwtTarget::Client | JwtTarget::Scopes(_) => {
                made = self.scope(request);
                AccessClaims::Scope(&made)
            }
        };
        let email = self.client_email();
        let jwt = self.sign(&Claims { iss: email, sub: email, iat, exp, access })?;
        Ok(AccessToken::from_secret(jwt).expires_at(SystemTime::UNIX_EPOCH + Duration::from_secs(exp)))
    }

    fn exchanged(&self, request: &TokenRequest<'_>, iat: u64, exp: u64) -> Result<AccessToken, TokenError> {
        let url = self.endpoint();
        // The operator of another endpoint cannot use the assertion with Google.
        let foreign = Url::parse(url).is_ok_and(|url| !GOOGLE.iter().any(|google| url.is_within(google)));
        let aud = if foreign { url } else { TOKEN_URI };
        let (iss, sub, scope) = (self.client_email(), self.subject.as_deref(), self.scope(request));
        let assertion = self.sign(&JwtAssertion { iss, sub, aud, scope: &scope, iat, exp })?;
        let form = [("grant_type", JWT_BEARER), ("assertion", assertion.expose())];
        let response = token_endpoint::exchange(request, url, &form, &[]).map_err(|refusal| {
            match (refusal.error.as_deref(), sub) {
                (Some("unauthorized_client"), Some(_)) => {
                    TokenError::permanent(format!("{NOT_DELEGATED}: {refusal}")).worded(Wording::Composed)
                }
                _ => refusal.into(),
            }
        })?;
        Ok(response.into_token())
    }

    fn sign(&self, claims: &impl Serialize) -> Result<Secret, TokenError> {
        jwt::encode(claims, self.private_key_id(), &self.identity.key)
            .map_err(|error| TokenError::permanent("its private key cannot sign").with_source(error))
    }

    fn scope(&self, request: &TokenRequest<'_>) -> String {
        match &self.target {
            JwtTarget::Scopes(scopes) => scopes.clone(),
            _ => scope_of(request.scopes),
        }
    }

    fn exchanges(&self) -> bool {
        self.exchange || self.subject.is_some()
    }

    fn endpoint(&self) -> &str {
        let of_file = || self.identity.token_uri.as_ref().ok().and_then(Option::as_deref);
        self.token_uri.as_deref().or_else(of_file).unwrap_or(TOKEN_URI)
    }

    /// Checks that the options fit together.
    fn check(&self) -> Result<(), Error> {
        if !self.exchanges() {
            return Ok(());
        }
        let wrong = |why: fmt::Arguments<'_>| {
            let email = shown(self.client_email());
            Err(Error::config(format!("service account `{email}` cannot exchange its tokens: {why}")))
        };
        if self.universe_domain() != DEFAULT_UNIVERSE {
            let universe = shown(self.universe_domain());
            return wrong(format_args!("in the universe `{universe}` it can only sign them itself"));
        }
        if let JwtTarget::Audience(_) | JwtTarget::Endpoint = self.target {
            return wrong(format_args!("an audience is for self-signed ones, expected scopes"));
        }
        match (&self.token_uri, &self.identity.token_uri) {
            (Some(url), _) => match Url::parse(url).map(|url| url.is_private()) {
                Ok(true) => Ok(()),
                Ok(false) => {
                    wrong(format_args!("`token_uri` is not https (plain http is accepted for loopback only)"))
                }
                Err(why) => wrong(format_args!("`token_uri` {why}")),
            },
            (None, Err(error)) => Err(error.clone()),
            (None, Ok(_)) => Ok(()),
        }
    }
}

impl From<ServiceAccount> for Credentials {
    fn from(account: ServiceAccount) -> Self {
        let label = format!("service account `{}`", shown(account.client_email()));
        if let Err(error) = account.check() {
            return Self::deferred(label, move |_| Err(error.clone()));
        }
        let quota_project = account.quota_project_id().map(str::to_owned);
        let universe_domain = account.universe_domain().to_owned();
        Self::of_source(label, account)
            .with_quota_project(quota_project)
            .with_universe_domain(universe_domain)
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("client_email", &self.client_email())
            .field("private_key_id", &self.private_key_id())
            .finish_non_exhaustive()
    }
}

/// `https://HOST/` of an endpoint; one over mTLS has the audience of the plain one.
fn audience_of(endpoint: &str) -> Result<String, TokenError> {
    let authority = UrlParts::split_or("https", endpoint).map_or(endpoint, |url| url.authority);
    if authority.is_empty() {
        return Err(TokenError::permanent("there is no endpoint to take the audience from"));
    }
    let plain = mtls_host::from_mtls(authority);
    Ok(format!("https://{}/", plain.as_deref().unwrap_or(authority)))
}

/// Returns the scopes of the client, joined by spaces, or the default one.
pub(super) fn scope_of(scopes: &[String]) -> String {
    let joined = join(scopes);
    if joined.is_empty() { CLOUD_PLATFORM.to_owned() } else { joined }
}

pub(super) fn join<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> String {
    let mut joined = String::new();
    for scope in scopes {
        let gap = if joined.is_empty() || scope.as_ref().is_empty() { "" } else { " " };
        joined.push_str(gap);
        joined.push_str(scope.as_ref());
    }
    joined
}

const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
pub(super) const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const NOT_DELEGATED: &str =
    "an administrator of the domain has to allow the account these scopes (domain-wide delegation)";
const BACKDATED: Duration = Duration::from_secs(10);
const LIFETIME: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests;
