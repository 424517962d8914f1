//! The tokens of a service account: signed by itself, or exchanged.
//!
//! ```text
//! claim   self-signed              assertion
//! iss     client_email             client_email
//! sub     client_email             subject, or absent
//! aud     https://HOST/            the token endpoint
//! scope   unless there is an aud   always
//! iat     10 s ago                 10 s ago
//! exp     iat + 3600               iat + 3600
//! ```

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::{JwtTarget, ServiceAccount};
use crate::auth::jwt::{self, AccessClaims, JwtAssertion, JwtClaims};
use crate::auth::policy::GOOGLE;
use crate::auth::provider::Wording;
use crate::auth::scopes::scope_of;
use crate::auth::token_endpoint::TOKEN_URI;
use crate::auth::url::Url;
use crate::auth::{
    AccessToken, Credentials, DEFAULT_UNIVERSE, TokenError, TokenProvider, TokenRequest, token_endpoint,
};
use crate::error::Error;
use crate::net::mtls_host;
use crate::util::excerpt::shown;
use crate::util::secret::Secret;
use crate::util::url::UrlParts;

/// Makes a new token at every call. A client calls it about once an hour.
impl TokenProvider for ServiceAccount {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        self.check().map_err(|error| TokenError::permanent(error.to_string()))?;
        let now = request.now.duration_since(SystemTime::UNIX_EPOCH).map_err(|error| {
            TokenError::transient("the clock of this machine is set before 1970").with_source(error)
        })?;
        // The validity of an hour counts from `iat`: a service rejects tokens
        // that are valid for longer.
        let iat = now.saturating_sub(BACKDATED).as_secs();
        let exp = iat + LIFETIME.as_secs();
        if self.exchanges() { self.exchanged(request, iat, exp) } else { self.self_signed(request, iat, exp) }
    }
}

impl ServiceAccount {
    /// Returns a JWT as the access token.
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
        let jwt = self.sign(&JwtClaims { iss: email, sub: email, iat, exp, access })?;
        Ok(AccessToken::from_secret(jwt).expires_at(SystemTime::UNIX_EPOCH + Duration::from_secs(exp)))
    }

    /// Exchanges an assertion for an access token.
    fn exchanged(&self, request: &TokenRequest<'_>, iat: u64, exp: u64) -> Result<AccessToken, TokenError> {
        // Already checked: `check` runs before each token.
        let url = self.endpoint();
        // Signed for the other endpoint alone, so its operator cannot use the
        // assertion with Google.
        let is_other = Url::parse(url).is_ok_and(|url| !GOOGLE.iter().any(|google| url.is_within(google)));
        let aud = if is_other { url } else { TOKEN_URI };
        let (iss, sub, scope) = (self.client_email(), self.subject.as_deref(), self.scope(request));
        let assertion = self.sign(&JwtAssertion { iss, sub, aud, scope: &scope, iat, exp })?;
        let form = [("grant_type", JWT_BEARER), ("assertion", assertion.expose())];
        let response = token_endpoint::exchange(request, url, &form, &[]).map_err(|refusal| {
            match (refusal.error.as_deref(), sub) {
                // With a subject, this code means that the delegation is
                // missing.
                (Some("unauthorized_client"), Some(_)) => {
                    TokenError::permanent(format!("{NOT_DELEGATED}: {refusal}")).worded(Wording::Composed)
                }
                _ => refusal.into(),
            }
        })?;
        Ok(response.into_token())
    }

    /// Signs claims with the key of the account.
    fn sign(&self, claims: &impl Serialize) -> Result<Secret, TokenError> {
        jwt::encode(claims, self.private_key_id(), &self.identity.key)
            .map_err(|error| TokenError::permanent("its private key cannot sign").with_source(error))
    }

    /// Returns the scopes of a token, joined by spaces.
    fn scope(&self, request: &TokenRequest<'_>) -> String {
        match &self.target {
            JwtTarget::Scopes(scopes) => scopes.clone(),
            _ => scope_of(request.scopes),
        }
    }

    /// Returns whether tokens are exchanged.
    fn exchanges(&self) -> bool {
        self.exchange || self.subject.is_some()
    }

    /// Returns the token endpoint.
    fn endpoint(&self) -> &str {
        let of_file = || self.identity.token_uri.as_ref().ok().and_then(Option::as_deref);
        self.token_uri.as_deref().or_else(of_file).unwrap_or(TOKEN_URI)
    }

    /// Checks that the options fit together.
    ///
    /// # Errors
    ///
    /// `ErrorKind::Config`, with a message that names the account.
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
            // The file names an endpoint that the policy rejects, and the
            // program names none.
            (None, Err(error)) => Err(error.clone()),
            (None, Ok(_)) => Ok(()),
        }
    }
}

/// Takes label, quota project and universe from the account. Options that do
/// not fit together become an error of the client builder, because this
/// conversion cannot fail.
impl From<ServiceAccount> for Credentials {
    fn from(account: ServiceAccount) -> Self {
        let label = format!("service account `{}`", shown(account.client_email()));
        if let Err(error) = account.check() {
            // The builder of the client returns the error.
            return Self::deferred(label, move |_| Err(error.clone()));
        }
        let quota_project = account.quota_project_id().map(str::to_owned);
        let universe_domain = account.universe_domain().to_owned();
        Self::of_source(label, account)
            .with_quota_project(quota_project)
            .with_universe_domain(universe_domain)
    }
}

/// Returns the audience of an endpoint, `https://HOST/`. That of the mTLS
/// endpoint of a service is the service.
///
/// ```text
/// run.googleapis.com                  https://run.googleapis.com/
/// https://run.mtls.googleapis.com     https://run.googleapis.com/
/// https://localhost:8080/path         https://localhost:8080/
/// ```
fn audience_of(endpoint: &str) -> Result<String, TokenError> {
    let authority = UrlParts::split_or("https", endpoint).map_or(endpoint, |url| url.authority);
    if authority.is_empty() {
        return Err(TokenError::permanent("there is no endpoint to take the audience from"));
    }
    let plain = mtls_host::from_mtls(authority);
    Ok(format!("https://{}/", plain.as_deref().unwrap_or(authority)))
}

/// The grant type of RFC 7523.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The advice for a refused delegation.
pub(super) const NOT_DELEGATED: &str =
    "an administrator of the domain has to allow the account these scopes (domain-wide delegation)";
/// How far tokens are dated back: clocks differ, and servers reject tokens from
/// the future.
const BACKDATED: Duration = Duration::from_secs(10);
/// How long tokens are valid, the most that services accept.
const LIFETIME: Duration = Duration::from_secs(3600);
