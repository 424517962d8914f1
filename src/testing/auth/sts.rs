//! The Security Token Service, as `https://sts.googleapis.com` answers ([RFC 8693]), and a subject token.
//!
//! [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693

use std::time::Duration;

use serde_json::{Value, json};

use super::files::{AUDIENCE, REQUEST_TOKEN, SUBJECT_TOKEN};
use super::form::{Form, Refusal, client, respond};
use super::oauth::access_token;
use super::{State, authorization, signed_request, text};
use crate::testing::answer::Http;
use crate::testing::log::{RecordedRequest, percent_decode};

/// `POST /v1/token`: exchanges the token of another identity provider.
pub(super) fn token(state: &mut State, request: &RecordedRequest, now: Duration) -> Http {
    respond(exchange(state, request, now))
}

/// `POST /v1/oauthtoken`: takes the refresh token of a workforce user.
pub(super) fn refresh(state: &mut State, request: &RecordedRequest, now: Duration) -> Http {
    let mut refresh = || {
        let form = Form::read(request, &["grant_type", "refresh_token", "scope"])?;
        form.expect("grant_type", "refresh_token")?;
        client(request)?.ok_or_else(|| Refusal::invalid_client("client authentication is missing"))?;
        state.login.check(&form)?;
        let mut body = access_token(state, form.get("scope").unwrap_or_default(), now);
        if let Some(next) = state.login.rotate() {
            body["refresh_token"] = next.into();
        }
        Ok(body)
    };
    respond(refresh())
}

/// `GET /subject-token`: what the `url` of an external account points at.
pub(super) fn subject_token(request: &RecordedRequest) -> Http {
    match authorization(request, "bearer") {
        Some(REQUEST_TOKEN) => Http::json(json!({ "value": SUBJECT_TOKEN }).to_string()),
        _ => text(401, "the request token is missing or wrong"),
    }
}

fn exchange(state: &mut State, request: &RecordedRequest, now: Duration) -> Result<Value, Refusal> {
    let form = Form::read(request, &PARAMETERS)?;
    form.expect("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")?;
    form.expect("requested_token_type", ACCESS_TOKEN)?;
    let client = client(request)?;
    let audience = form.require("audience")?;
    if !is_workforce(audience) && audience != AUDIENCE {
        return Err(Refusal::new("invalid_target", format!("no provider of identities `{audience}`")));
    }
    check_options(&form, client.is_some())?;
    check_subject_token(&form, audience, now)?;
    let mut body = access_token(state, form.require("scope")?, now);
    body["issued_token_type"] = ACCESS_TOKEN.into();
    Ok(body)
}

/// `userProject` is for users of a workforce pool who come without a client.
fn check_options(form: &Form, has_client: bool) -> Result<(), Refusal> {
    let Some(options) = form.get("options") else { return Ok(()) };
    let invalid = |why: &str| Refusal::invalid_request(format!("Invalid options: {why}"));
    // google-auth for Python encodes twice.
    let options: Value =
        serde_json::from_str(&percent_decode(options)).map_err(|_| invalid("not a JSON object"))?;
    match options.as_object().map(|options| options.iter().collect::<Vec<_>>()).as_deref() {
        Some([(name, Value::String(_))]) if *name == "userProject" => {}
        _ => return Err(invalid("expected `userProject` and nothing else")),
    }
    if has_client || !form.get("audience").is_some_and(is_workforce) {
        return Err(invalid("`userProject` is for workforce pools without a client"));
    }
    Ok(())
}

fn check_subject_token(form: &Form, audience: &str, now: Duration) -> Result<(), Refusal> {
    let token = form.require("subject_token")?;
    match form.require("subject_token_type")? {
        AWS_REQUEST => signed_request::check(token, audience, now)
            .map_err(|why| Refusal::invalid_grant(format!("Invalid subject token: {why}"))),
        kind if !TOKEN_TYPES.contains(&kind) => {
            Err(Refusal::invalid_request(format!("Invalid subject_token_type: `{kind}`")))
        }
        _ if token != SUBJECT_TOKEN => {
            Err(Refusal::invalid_grant("The subject token is not of this provider."))
        }
        _ => Ok(()),
    }
}

fn is_workforce(audience: &str) -> bool {
    audience.starts_with("//iam.googleapis.com/locations/global/workforcePools/")
}

const PARAMETERS: [&str; 7] = [
    "audience",
    "grant_type",
    "options",
    "requested_token_type",
    "scope",
    "subject_token",
    "subject_token_type",
];
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
pub(super) const AWS_REQUEST: &str = "urn:ietf:params:aws:token-type:aws4_request";
const TOKEN_TYPES: [&str; 3] = [
    "urn:ietf:params:oauth:token-type:id_token",
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:saml2",
];
