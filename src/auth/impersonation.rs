//! Impersonation: the access token of a service account, fetched with the token
//! of a principal that may act as it ([generateAccessToken]).
//!
//! ```text
//! source credentials ─► token with scope auth/iam ─► POST …:generateAccessToken
//!                                                      └─► token of the service account
//! ```
//!
//! Three ways lead here: files of type `impersonated_service_account`, an
//! `external_account` with `service_account_impersonation_url`, and
//! [`Credentials::impersonate`]. Nothing is cached in between: the client
//! caches the last token, and a token of the source that was kept as well would
//! be just as old.
//!
//! [generateAccessToken]: https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::auth::key_file::KeyFile;
use crate::auth::scopes::scope_of;
use crate::auth::{
    AccessToken, Credentials, DEFAULT_UNIVERSE, TokenError, TokenProvider, TokenRequest, universe_domain,
};
use crate::auth::{loader, token_endpoint};
use crate::error::Error;
use crate::json::parse_timestamp;
use crate::util::excerpt::shown;
use crate::util::percent::encode;
use crate::util::redact::suspicion;
use crate::util::secret::Secret;

/// Reads a file of type `impersonated_service_account`, as `gcloud auth
/// application-default login --impersonate-service-account` writes it.
///
/// # Errors
///
/// `ErrorKind::Config`, if the file lacks its target or its source, or if the
/// source is impersonated itself: there, `delegates` names the chain.
pub(super) fn from_key_file(mut file: KeyFile) -> Result<Credentials, Error> {
    file.expect_type("impersonated_service_account")?;
    let Some(target) = ImpersonationTarget::take(&mut file)? else {
        return Err(file.error(format_args!("lacks `{URL}`")));
    };
    let Some(source) = file.object(SOURCE)? else {
        return Err(file.error(format_args!("lacks `{SOURCE}`")));
    };
    let kind = source.kind().unwrap_or_default().to_owned();
    if kind == "impersonated_service_account" {
        // The API resolves a chain of delegates in one request.
        return Err(source.error("is impersonated itself: expected `delegates` for a chain of accounts"));
    }
    let source = loader::load(source)?;
    let profile = CredentialsProfile {
        label: format!("impersonated service account `{}`", shown(&target.email)),
        quota_project: file.text("quota_project_id")?,
        universe_domain: file.text("universe_domain")?,
    };
    let impersonation = ImpersonationRequest {
        target,
        // The scopes of a login are fixed, and a request for others fails.
        scoped: !kind.ends_with("authorized_user"),
        scopes: file.texts("scopes")?,
    };
    Ok(impersonate(source, impersonation, profile))
}

impl Credentials {
    /// Returns credentials of a service account, whose access tokens are
    /// fetched with these credentials.
    ///
    /// `account` is its email address or its unique id. These credentials need
    /// the role *Service Account Token Creator* on it. Tokens come from the IAM
    /// Service Account Credentials API and are valid for an hour. The quota
    /// project stays that of these credentials. For a chain of delegates, use a
    /// file of type `impersonated_service_account`.
    ///
    /// ```
    /// use longrunning::Credentials;
    ///
    /// let credentials = Credentials::application_default().impersonate("robot@p.iam.gserviceaccount.com")?;
    /// # let _ = credentials;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if `account` cannot be
    /// one. Building a client fails with the same kind if these credentials are
    /// anonymous or an API key, which have no access token.
    pub fn impersonate(&self, account: impl AsRef<str>) -> Result<Self, Error> {
        let email = account.as_ref().to_owned();
        // The account becomes a part of a URL.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._@:".contains(&byte);
        if email.is_empty() || !email.bytes().all(plain) || suspicion(&email).is_some() {
            let shown = shown(&email);
            return Err(Error::config(format!(
                "service account `{shown}` cannot be impersonated: expected its e-mail address or unique id"
            )));
        }
        let source = self.clone();
        let label = format!("impersonated service account `{}`", shown(&email));
        Ok(Self::deferred(label.clone(), move |env| {
            let source = source.resolve(env)?;
            let universe = universe_domain(source.universe_domain(), env)?;
            let profile = CredentialsProfile {
                label: label.clone(),
                quota_project: source.quota_project().map(str::to_owned),
                universe_domain: Some(universe.clone()),
            };
            let target = ImpersonationTarget::in_universe(&universe, &email);
            // Without a scope, the source returns a token with its default
            // scopes, which suffice. The scopes of a login are fixed.
            let impersonation = ImpersonationRequest { target, scoped: false, scopes: Vec::new() };
            Ok(impersonate(source, impersonation, profile))
        }))
    }
}

/// Returns credentials of the service account, on top of credentials that may
/// act as it.
pub(super) fn impersonate(
    source: Credentials,
    impersonation: ImpersonationRequest,
    profile: CredentialsProfile,
) -> Credentials {
    let impersonation = Arc::new(impersonation);
    Credentials::deferred(profile.label.clone(), move |env| {
        let source = source.resolve(env)?;
        let Some(provider) = source.token_provider() else {
            return Err(Error::credentials(&profile.label, "has source credentials without access tokens"));
        };
        // The source is not cached by a cache of its own; see the module
        // documentation.
        let provider = ImpersonatedAccount { source: provider, impersonation: Arc::clone(&impersonation) };
        let universe_domain =
            profile.universe_domain.clone().or_else(|| source.universe_domain().map(str::to_owned));
        Ok(Credentials::of_source(profile.label.clone(), provider)
            .with_quota_project(profile.quota_project.clone())
            .with_universe_domain(universe_domain.unwrap_or_else(|| DEFAULT_UNIVERSE.to_owned())))
    })
}

/// What is known about the credentials besides their source of tokens.
pub(super) struct CredentialsProfile {
    /// What messages call the credentials.
    pub(super) label: String,
    /// The project that is charged.
    pub(super) quota_project: Option<String>,
    /// The universe; `None` takes that of the source.
    pub(super) universe_domain: Option<String>,
}

/// What is requested for every token.
pub(super) struct ImpersonationRequest {
    pub(super) target: ImpersonationTarget,
    /// Whether the source is requested with the scope [`IAM`]. False for
    /// logins, whose scopes are fixed.
    pub(super) scoped: bool,
    /// The scopes if the client has none.
    pub(super) scopes: Vec<String>,
}

/// The service account, and how its tokens are requested.
#[derive(Debug)]
pub(super) struct ImpersonationTarget {
    /// The URL of `generateAccessToken` for the account.
    url: String,
    /// Its email address or unique id, as the URL has it.
    pub(super) email: String,
    /// The chain of accounts between the source and the target; mostly empty.
    delegates: Vec<String>,
    /// How long tokens are valid, in seconds.
    lifetime: u64,
}

impl ImpersonationTarget {
    /// Returns the account at the API of a universe.
    fn in_universe(universe: &str, email: &str) -> Self {
        let account = encode(email);
        let url = format!(
            "https://iamcredentials.{universe}/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
        );
        Self { url, email: email.to_owned(), delegates: Vec::new(), lifetime: DEFAULT_LIFETIME }
    }

    /// Reads `service_account_impersonation_url` and its options; `None`
    /// without impersonation.
    pub(super) fn take(file: &mut KeyFile) -> Result<Option<Self>, Error> {
        let Some(url) = file.url(URL)? else { return Ok(None) };
        let Some(email) = email(&url).map(str::to_owned) else {
            return Err(file.error(format_args!(
                "names no service account in `{URL}`: expected `…/E-MAIL:generateAccessToken`"
            )));
        };
        let delegates = file.texts("delegates")?;
        let lifetime = match file.object("service_account_impersonation")? {
            Some(mut options) => lifetime(&mut options)?,
            None => DEFAULT_LIFETIME,
        };
        Ok(Some(Self { url, email, delegates, lifetime }))
    }
}

/// Returns the requested lifetime in seconds, from 600 to 43200, the limits of
/// Google's libraries. Default: an hour.
fn lifetime(options: &mut KeyFile) -> Result<u64, Error> {
    const NAME: &str = "token_lifetime_seconds";
    match options.number(NAME)? {
        None => Ok(DEFAULT_LIFETIME),
        Some(seconds) if (600..=43_200).contains(&seconds) => Ok(seconds),
        Some(seconds) => {
            Err(options.error(format_args!("has {seconds} as `{NAME}`: expected 600 to 43200 seconds")))
        }
    }
}

/// Returns the account that a URL names.
///
/// ```text
/// …/serviceAccounts/robot@p.iam.gserviceaccount.com:generateAccessToken
///                   └──────────────── email ─────┘
/// ```
fn email(url: &str) -> Option<&str> {
    let (path, _) = url.split_once(":generateAccessToken")?;
    path.rsplit_once('/').map(|(_, email)| email).filter(|email| !email.is_empty())
}

/// Fetches a token of `source`, and with it one of the service account. It
/// fetches both at every call: a client calls it about once an hour, when a
/// token of the source would be as old as its own.
struct ImpersonatedAccount {
    /// The tokens that may act as the account.
    source: Arc<dyn TokenProvider>,
    /// What is requested with them.
    impersonation: Arc<ImpersonationRequest>,
}

impl TokenProvider for ImpersonatedAccount {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let scopes = if self.impersonation.scoped { vec![IAM.to_owned()] } else { Vec::new() };
        // With the same deadline: both requests together have the time of one.
        let source = self.source.token(&TokenRequest { scopes: &scopes, ..*request })?;
        self.impersonation.token(request, &source)
    }
}

impl ImpersonationRequest {
    /// Sends the request, with the token of the source.
    fn token(&self, request: &TokenRequest<'_>, source: &AccessToken) -> Result<AccessToken, TokenError> {
        let ImpersonationTarget { url, delegates, lifetime, .. } = &self.target;
        let scope = scope_of(if request.scopes.is_empty() { &self.scopes } else { request.scopes });
        let scope: Vec<_> = scope.split(' ').collect();
        let mut body = json!({ "scope": scope, "lifetime": format!("{lifetime}s") });
        if !delegates.is_empty() {
            // The field is optional: absent rather than empty.
            body["delegates"] = delegates.as_slice().into();
        }
        // Not a header of the client's cache: this token is used once, and
        // wiped.
        let authorization = Zeroizing::new(["Bearer ", source.text()].concat());
        let headers = [("authorization", authorization.as_str())];
        let response = token_endpoint::post_json(request, url, body.to_string().as_bytes(), &headers)?;
        parse(&response, &token_endpoint::host_of(url), request.now)
    }
}

/// Reads the response. An expired token means that the clocks disagree, which
/// may pass: it is transient.
fn parse(body: &[u8], host: &str, now: SystemTime) -> Result<AccessToken, TokenError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ImpersonationReply {
        access_token: Option<Secret>,
        expire_time: Option<String>,
    }

    let reply: ImpersonationReply = serde_json::from_slice(body).map_err(|error| match error.is_eof() {
        true => TokenError::transient(format!("the response of {host} ends early")),
        false => TokenError::permanent(format!("the response of {host} is not that of generateAccessToken")),
    })?;
    let Some(text) = reply.access_token.filter(|text| !text.expose().is_empty()) else {
        return Err(TokenError::permanent(format!("the response of {host} lacks `accessToken`")));
    };
    let token = AccessToken::from_secret(text);
    match reply.expire_time.as_deref().and_then(time) {
        // With a negative lifetime the cache would take the token for one that
        // is valid for a second.
        Some(expiry) if expiry <= now => {
            let late = now.duration_since(expiry).unwrap_or_default().as_secs();
            Err(TokenError::transient(format!(
                "the token that {host} gave expired {late} s ago by the clock of this machine, which may be ahead"
            )))
        }
        Some(expiry) => Ok(token.expires_at(expiry)),
        // Without a valid time, the cache keeps the token for a few minutes.
        None => Ok(token),
    }
}

/// Reads a time of RFC 3339, with any fraction and offset, and also with
/// lowercase or blank separators.
fn time(text: &str) -> Option<SystemTime> {
    let text = text.trim().to_ascii_uppercase().replacen(' ', "T", 1);
    let timestamp = parse_timestamp(&text)?;
    let seconds = Duration::from_secs(timestamp.seconds.unsigned_abs());
    if timestamp.seconds < 0 {
        // Long past. Windows cannot represent all such times: it begins with
        // 1601.
        return Some(SystemTime::UNIX_EPOCH);
    }
    let fraction = Duration::from_nanos(u64::try_from(timestamp.nanos).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(seconds + fraction)
}

/// The field with the account.
const URL: &str = "service_account_impersonation_url";
/// The field with the credentials that may act as it.
const SOURCE: &str = "source_credentials";
/// The only scope that a token needs to request another token.
const IAM: &str = "https://www.googleapis.com/auth/iam";
/// The lifetime of tokens in seconds, if the file has none.
const DEFAULT_LIFETIME: u64 = 3600;

#[cfg(test)]
mod tests;
