//! `POST /token`, as `https://oauth2.googleapis.com/token` answers it.

use std::time::Duration;

use serde_json::{Value, json};

use super::State;
use super::files::{CLIENT_ID, CLIENT_SECRET, RAPT};
use super::form::{Form, Refusal, respond};
use super::jwt::Claims;
use crate::testing::answer::Http;
use crate::testing::log::RecordedRequest;

/// The one user that has logged in.
#[derive(Default)]
pub(super) struct Login {
    /// How many refresh tokens were replaced.
    turn: usize,
    pub(super) rotates: bool,
    pub(super) is_revoked: bool,
    pub(super) wants_rapt: bool,
}

impl Login {
    /// The refresh token that is good now.
    pub(super) fn refresh_token(&self) -> String {
        format!("CANARY-refresh-token-{}", self.turn + 1)
    }

    pub(super) fn check(&self, form: &Form) -> Result<(), Refusal> {
        if form.require("refresh_token")? != self.refresh_token() || self.is_revoked {
            return Err(Refusal::invalid_grant("Token has been expired or revoked."));
        }
        match form.get("rapt") {
            Some(RAPT) => Ok(()),
            None if !self.wants_rapt => Ok(()),
            _ => Err(Refusal::invalid_grant("reauth related error (invalid_rapt)").subtype("invalid_rapt")),
        }
    }

    /// The refresh token to use from now on, where it is another one.
    pub(super) fn rotate(&mut self) -> Option<String> {
        self.turn += usize::from(self.rotates);
        self.rotates.then(|| self.refresh_token())
    }
}

pub(super) fn token(state: &mut State, request: &RecordedRequest, now: Duration) -> Http {
    respond(Form::read(request, &PARAMETERS).and_then(|form| match form.require("grant_type")? {
        "refresh_token" => refresh(state, &form, now),
        JWT_BEARER => assertion(state, request, &form, now),
        other => Err(Refusal::new("unsupported_grant_type", format!("Invalid grant_type: {other}"))),
    }))
}

fn refresh(state: &mut State, form: &Form, now: Duration) -> Result<Value, Refusal> {
    if form.require("client_id")? != CLIENT_ID || form.require("client_secret")? != CLIENT_SECRET {
        return Err(Refusal::invalid_client("The OAuth client was not found."));
    }
    state.login.check(form)?;
    let mut body = access_token(state, form.get("scope").unwrap_or_default(), now);
    if let Some(next) = state.login.rotate() {
        body["refresh_token"] = next.into();
    }
    Ok(body)
}

fn assertion(
    state: &mut State,
    request: &RecordedRequest,
    form: &Form,
    now: Duration,
) -> Result<Value, Refusal> {
    let claims = Claims::verify(form.require("assertion")?, &state.keys, now);
    let scope = claims.and_then(|claims| {
        claims.require("iss")?;
        claims.get("sub")?;
        let aud = claims.require("aud")?;
        let here = format!("http://{}/token", request.header("host").unwrap_or_default());
        if aud != GOOGLE && aud != here {
            return Err(format!("`aud` is `{aud}`: expected `{GOOGLE}` or `{here}`"));
        }
        claims.require("scope").map(str::to_owned)
    });
    let scope = scope.map_err(|why| Refusal::invalid_grant(format!("Invalid JWT: {why}")))?;
    Ok(access_token(state, &scope, now))
}

/// The answer that gives a new access token.
pub(super) fn access_token(state: &mut State, scope: &str, now: Duration) -> Value {
    let mut body = json!({
        "access_token": state.issue(now, scope),
        "expires_in": state.lifetime.as_secs(),
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
/// What assertions are made out to, whatever the `token_uri` of the file is.
const GOOGLE: &str = "https://oauth2.googleapis.com/token";
