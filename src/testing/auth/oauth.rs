//! `POST /token`, as `https://oauth2.googleapis.com/token` responds to it.
//!
//! | `grant_type` | checked | RFC |
//! |---|---|---|
//! | `refresh_token` | client id and secret, refresh token, `rapt` if it is required | 6749 §6 |
//! | `urn:ietf:params:oauth:grant-type:jwt-bearer` | signature, times, `iss`, `aud`, `scope` of the assertion | 7523 |

use std::time::Duration;

use serde_json::{Value, json};

use super::form::{TokenRefusal, TokenRequestForm, respond};
use super::identities::{CLIENT_ID, CLIENT_SECRET, RAPT};
use super::jwt::VerifiedClaims;
use super::tokens::TokenIssuer;
use crate::testing::http_response::FakeResponse;
use crate::testing::request::RecordedRequest;

/// The one user that has logged in.
#[derive(Default)]
pub(super) struct UserLogin {
    /// How many refresh tokens were replaced.
    rotations: usize,
    /// Whether each refresh replaces the refresh token.
    pub(super) rotates: bool,
    /// Whether refresh tokens are rejected.
    pub(super) is_revoked: bool,
    /// Whether a refresh needs the proof of a new login.
    pub(super) wants_rapt: bool,
}

impl UserLogin {
    /// Returns the current refresh token; all earlier ones are invalid.
    pub(super) fn refresh_token(&self) -> String {
        format!("CANARY-refresh-token-{}", self.rotations + 1)
    }

    /// Checks the refresh token and `rapt` of a request.
    pub(super) fn check(&self, form: &TokenRequestForm) -> Result<(), TokenRefusal> {
        if form.require("refresh_token")? != self.refresh_token() || self.is_revoked {
            return Err(TokenRefusal::invalid_grant("Token has been expired or revoked."));
        }
        match form.get("rapt") {
            Some(RAPT) => Ok(()),
            None if !self.wants_rapt => Ok(()),
            _ => {
                Err(TokenRefusal::invalid_grant("reauth related error (invalid_rapt)")
                    .subtype("invalid_rapt"))
            }
        }
    }

    /// Replaces the refresh token if tokens rotate, and returns the new one.
    pub(super) fn rotate(&mut self) -> Option<String> {
        self.rotations += usize::from(self.rotates);
        self.rotates.then(|| self.refresh_token())
    }
}

/// Responds to a request.
pub(super) fn token(
    login: &mut UserLogin,
    issuer: &mut TokenIssuer,
    request: &RecordedRequest,
    now: Duration,
) -> FakeResponse {
    respond(TokenRequestForm::read(request, &PARAMETERS).and_then(|form| match form.require("grant_type")? {
        "refresh_token" => refresh(login, issuer, &form, now),
        JWT_BEARER => assertion(issuer, request, &form, now),
        other => Err(TokenRefusal::new("unsupported_grant_type", format!("Invalid grant_type: {other}"))),
    }))
}

/// Exchanges a refresh token.
fn refresh(
    login: &mut UserLogin,
    issuer: &mut TokenIssuer,
    form: &TokenRequestForm,
    now: Duration,
) -> Result<Value, TokenRefusal> {
    if form.require("client_id")? != CLIENT_ID || form.require("client_secret")? != CLIENT_SECRET {
        return Err(TokenRefusal::invalid_client("The OAuth client was not found."));
    }
    login.check(form)?;
    let mut body = access_token(issuer, form.get("scope").unwrap_or_default(), now);
    if let Some(next) = login.rotate() {
        body["refresh_token"] = next.into();
    }
    Ok(body)
}

/// Exchanges an assertion. Its audience is Google's token endpoint or this one.
fn assertion(
    issuer: &mut TokenIssuer,
    request: &RecordedRequest,
    form: &TokenRequestForm,
    now: Duration,
) -> Result<Value, TokenRefusal> {
    let claims = VerifiedClaims::verify(form.require("assertion")?, issuer.keys(), now);
    let scope = claims.and_then(|claims| {
        claims.require("iss")?;
        claims.get("sub")?;
        let aud = claims.require("aud")?;
        // A test reaches this server under its own address; Google's clients
        // sign for Google's.
        let here = format!("http://{}/token", request.header("host").unwrap_or_default());
        if aud != GOOGLE && aud != here {
            return Err(format!("`aud` is `{aud}`: expected `{GOOGLE}` or `{here}`"));
        }
        claims.require("scope").map(str::to_owned)
    });
    let scope = scope.map_err(|why| TokenRefusal::invalid_grant(format!("Invalid JWT: {why}")))?;
    Ok(access_token(issuer, &scope, now))
}

/// Issues an access token, and returns the body of the response.
pub(super) fn access_token(issuer: &mut TokenIssuer, scope: &str, now: Duration) -> Value {
    let mut body = json!({
        "access_token": issuer.issue(now, scope),
        "expires_in": issuer.lifetime.as_secs(),
        "token_type": "Bearer",
    });
    if !scope.is_empty() {
        body["scope"] = scope.into();
    }
    body
}

const PARAMETERS: [&str; 7] =
    ["assertion", "client_id", "client_secret", "grant_type", "rapt", "refresh_token", "scope"];
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The audience of assertions that are made for Google, whatever the
/// `token_uri` of the file is.
const GOOGLE: &str = "https://oauth2.googleapis.com/token";
