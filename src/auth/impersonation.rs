//! Acts as a service account: its access token is asked for with the token of somebody who may do that.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::auth::key_file::KeyFile;
use crate::auth::service_account::scope_of;
use crate::auth::{AccessToken, Credentials, TokenError, TokenProvider, TokenRequest};
use crate::auth::{loader, token_endpoint};
use crate::error::Error;
use crate::json::parse_timestamp;
use crate::secret::Secret;

/// Reads a file of type `impersonated_service_account`, as `gcloud auth application-default login
/// --impersonate-service-account` writes it.
pub(super) fn from_key_file(mut file: KeyFile) -> Result<Credentials, Error> {
    file.expect_type("impersonated_service_account")?;
    let Some(target) = Target::take(&mut file)? else {
        return Err(file.error(format_args!("lacks `{URL}`")));
    };
    let Some(source) = file.object(SOURCE)? else {
        return Err(file.error(format_args!("lacks `{SOURCE}`")));
    };
    let kind = source.kind().unwrap_or_default().to_owned();
    if kind == "impersonated_service_account" {
        return Err(source.error("is impersonated itself: expected `delegates` for a chain of accounts"));
    }
    let source = loader::load(source)?;
    let file_says = About {
        label: format!("impersonated service account `{}`", target.email.escape_debug()),
        quota_project: file.text("quota_project_id")?,
        universe_domain: file.text("universe_domain")?,
    };
    let asked = Asked { target, scoped: !kind.ends_with("authorized_user"), scopes: file.texts("scopes")? };
    Ok(impersonate(source, asked, file_says))
}

/// Credentials of the service account, on top of those that may act as it.
pub(super) fn impersonate(source: Credentials, asked: Asked, about: About) -> Credentials {
    let asked = Arc::new(asked);
    Credentials::deferred(about.label.clone(), move |env| {
        let source = source.resolve(env)?;
        let Some(provider) = source.token_provider() else {
            return Err(Error::credentials(&about.label, "has source credentials without access tokens"));
        };
        let provider = Impersonated { source: provider, asked: Arc::clone(&asked) };
        let universe_domain = about.universe_domain.clone().or_else(|| source.0.universe_domain.clone());
        Ok(Credentials::of_source(about.label.clone(), provider)
            .with_quota_project(about.quota_project.clone())
            .with_universe_domain(universe_domain.unwrap_or_else(|| UNIVERSE.to_owned())))
    })
}

/// What the file says next to where tokens come from.
pub(super) struct About {
    /// How messages call the credentials.
    pub(super) label: String,
    pub(super) quota_project: Option<String>,
    pub(super) universe_domain: Option<String>,
}

/// What is asked for.
pub(super) struct Asked {
    pub(super) target: Target,
    /// Whether the source has to be asked for a scope: users gave theirs when they logged in.
    pub(super) scoped: bool,
    /// For clients that ask for none.
    pub(super) scopes: Vec<String>,
}

/// The service account to act as, and how it is asked for.
#[derive(Debug)]
pub(super) struct Target {
    url: String,
    pub(super) email: String,
    delegates: Vec<String>,
    lifetime: u64,
}

impl Target {
    /// Takes `service_account_impersonation_url` and what belongs to it; `None` where nobody is impersonated.
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

/// What stands between the last `/` and `:generateAccessToken`.
fn email(url: &str) -> Option<&str> {
    let (path, _) = url.split_once(":generateAccessToken")?;
    path.rsplit_once('/').map(|(_, email)| email).filter(|email| !email.is_empty())
}

/// Asks `source` for a token, and with it for one of the service account; both at every call, because a
/// client calls it about once an hour, when a kept token of the source would be as old as its own.
struct Impersonated {
    source: Arc<dyn TokenProvider>,
    asked: Arc<Asked>,
}

impl TokenProvider for Impersonated {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let start = Instant::now();
        let scopes = if self.asked.scoped { vec![IAM.to_owned()] } else { Vec::new() };
        let source = self.source.token(&TokenRequest { scopes: &scopes, ..*request })?;
        self.asked.token(&request.since(start), &source)
    }
}

impl Asked {
    /// Calls [generateAccessToken].
    ///
    /// [generateAccessToken]: https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
    fn token(&self, request: &TokenRequest<'_>, source: &AccessToken) -> Result<AccessToken, TokenError> {
        let Target { url, delegates, lifetime, .. } = &self.target;
        let scope = scope_of(if request.scopes.is_empty() { &self.scopes } else { request.scopes });
        let scope: Vec<_> = scope.split(' ').collect();
        let mut body = json!({ "scope": scope, "lifetime": format!("{lifetime}s") });
        if !delegates.is_empty() {
            body["delegates"] = delegates.as_slice().into();
        }
        let authorization = Zeroizing::new(["Bearer ", source.text()].concat());
        let headers = [("authorization", authorization.as_str())];
        let answer = token_endpoint::post_json(request, url, body.to_string().as_bytes(), &headers)?;
        parse(&answer, token_endpoint::host_of(url), request.now)
    }
}

fn parse(body: &[u8], host: &str, now: SystemTime) -> Result<AccessToken, TokenError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Reply {
        access_token: Option<Secret>,
        expire_time: Option<String>,
    }

    let reply: Reply = serde_json::from_slice(body).map_err(|error| match error.is_eof() {
        true => TokenError::transient(format!("the answer of {host} ends early")),
        false => TokenError::permanent(format!("the answer of {host} is not that of generateAccessToken")),
    })?;
    let Some(text) = reply.access_token.filter(|text| !text.expose().is_empty()) else {
        return Err(TokenError::permanent(format!("the answer of {host} lacks `accessToken`")));
    };
    let token = AccessToken::from_secret(text);
    match reply.expire_time.as_deref().and_then(time) {
        Some(expiry) if expiry <= now => {
            let late = now.duration_since(expiry).unwrap_or_default().as_secs();
            Err(TokenError::transient(format!(
                "the token that {host} gave expired {late} s ago by the clock of this machine, which may be ahead"
            )))
        }
        Some(expiry) => Ok(token.expires_at(expiry)),
        // Without a time that can be read the cache keeps it for a few minutes.
        None => Ok(token),
    }
}

/// RFC 3339 with any fraction and offset, and with lowercase or blank separators.
fn time(text: &str) -> Option<SystemTime> {
    let text = text.trim().to_ascii_uppercase().replacen(' ', "T", 1);
    let timestamp = parse_timestamp(&text)?;
    let seconds = Duration::from_secs(timestamp.seconds.unsigned_abs());
    if timestamp.seconds < 0 {
        return SystemTime::UNIX_EPOCH.checked_sub(seconds);
    }
    let fraction = Duration::from_nanos(u64::try_from(timestamp.nanos).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(seconds + fraction)
}

const URL: &str = "service_account_impersonation_url";
const SOURCE: &str = "source_credentials";
/// All that a token needs to be good for to ask for another one.
const IAM: &str = "https://www.googleapis.com/auth/iam";
const UNIVERSE: &str = "googleapis.com";
const DEFAULT_LIFETIME: u64 = 3600;
