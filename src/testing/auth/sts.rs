//! The Security Token Service, as `https://sts.googleapis.com` responds ([RFC
//! 8693]), and the endpoint of an identity provider.
//!
//! ```text
//! GET  /subject-token    a subject token, for a bearer token
//! POST /v1/token         exchanges the subject token for an access token
//! POST /v1/oauthtoken    exchanges the refresh token of a workforce user
//! ```
//!
//! Two audiences exist: the provider of a workload identity pool, and those of
//! workforce pools.
//!
//! [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::form::{TokenRefusal, TokenRequestForm, client, respond};
use super::identities::{AUDIENCE, REQUEST_TOKEN, SUBJECT_TOKEN};
use super::oauth::{UserLogin, access_token};
use super::signed_request;
use super::tokens::TokenIssuer;
use crate::testing::http_response::FakeResponse;
use crate::testing::request::RecordedRequest;
use crate::util::percent::decode;

/// Responds to `POST /v1/token`, which exchanges the token of another identity
/// provider.
pub(super) fn token(issuer: &mut TokenIssuer, request: &RecordedRequest, now: Duration) -> FakeResponse {
    respond(exchange(issuer, request, now))
}

/// Responds to `POST /v1/oauthtoken`, which exchanges the refresh token of a
/// workforce user.
pub(super) fn refresh(
    login: &mut UserLogin,
    issuer: &mut TokenIssuer,
    request: &RecordedRequest,
    now: Duration,
) -> FakeResponse {
    let mut refresh = || {
        let form = TokenRequestForm::read(request, &["grant_type", "refresh_token", "scope"])?;
        form.expect("grant_type", "refresh_token")?;
        client(request)?.ok_or_else(|| TokenRefusal::invalid_client("client authentication is missing"))?;
        login.check(&form)?;
        let mut body = access_token(issuer, form.get("scope").unwrap_or_default(), now);
        if let Some(next) = login.rotate() {
            body["refresh_token"] = next.into();
        }
        Ok(body)
    };
    respond(refresh())
}

/// Responds to `GET /subject-token`, the `url` of an external account.
pub(super) fn subject_token(request: &RecordedRequest) -> FakeResponse {
    match request.authorization("bearer") {
        Some(REQUEST_TOKEN) => FakeResponse::json(json!({ "value": SUBJECT_TOKEN }).to_string()),
        _ => FakeResponse::text(401, "the request token is missing or wrong"),
    }
}

/// Checks the request and issues an access token.
fn exchange(
    issuer: &mut TokenIssuer,
    request: &RecordedRequest,
    now: Duration,
) -> Result<Value, TokenRefusal> {
    let form = TokenRequestForm::read(request, &PARAMETERS)?;
    form.expect("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")?;
    form.expect("requested_token_type", ACCESS_TOKEN)?;
    // Optional here: workload identity federation has no client.
    let client = client(request)?;
    let audience = form.require("audience")?;
    if !is_workforce(audience) && audience != AUDIENCE {
        return Err(TokenRefusal::new("invalid_target", format!("no provider of identities `{audience}`")));
    }
    check_options(&form, client.is_some())?;
    check_subject_token(&form, audience, now)?;
    // Last, because a rejected request must not count as an issued token.
    let mut body = access_token(issuer, form.require("scope")?, now);
    body["issued_token_type"] = ACCESS_TOKEN.into();
    Ok(body)
}

/// Checks `options`, JSON with a `userProject`: the project that is billed for
/// users of a workforce pool without a client.
fn check_options(form: &TokenRequestForm, has_client: bool) -> Result<(), TokenRefusal> {
    let Some(options) = form.get("options") else { return Ok(()) };
    let invalid = |why: &str| TokenRefusal::invalid_request(format!("Invalid options: {why}"));
    // google-auth for Python encodes twice.
    let options: Value = serde_json::from_str(&decode(options)).map_err(|_| invalid("not a JSON object"))?;
    match options.as_object().map(|options| options.iter().collect::<Vec<_>>()).as_deref() {
        Some([(name, Value::String(_))]) if *name == "userProject" => {}
        _ => return Err(invalid("expected `userProject` and nothing else")),
    }
    if has_client || !form.get("audience").is_some_and(is_workforce) {
        return Err(invalid("`userProject` is for workforce pools without a client"));
    }
    Ok(())
}

/// Checks the token by its type. Only the signed request of AWS and the
/// certificate chain have content that can be checked; any other token has to
/// be the one of this provider.
fn check_subject_token(form: &TokenRequestForm, audience: &str, now: Duration) -> Result<(), TokenRefusal> {
    let token = form.require("subject_token")?;
    match form.require("subject_token_type")? {
        AWS_REQUEST => signed_request::check(token, audience, now)
            .map_err(|why| TokenRefusal::invalid_grant(format!("Invalid subject token: {why}"))),
        CERTIFICATE_CHAIN => check_chain(token).ok_or_else(|| {
            TokenRefusal::invalid_grant("Invalid subject token: not a JSON array of certificates")
        }),
        kind if !TOKEN_TYPES.contains(&kind) => {
            Err(TokenRefusal::invalid_request(format!("Invalid subject_token_type: `{kind}`")))
        }
        _ if token != SUBJECT_TOKEN => {
            Err(TokenRefusal::invalid_grant("The subject token is not of this provider."))
        }
        _ => Ok(()),
    }
}

/// Checks a JSON array of certificates, each as base64 of its DER; at least
/// one.
fn check_chain(token: &str) -> Option<()> {
    let chain: Vec<String> = serde_json::from_str(token).ok()?;
    // Every certificate is a DER sequence, whose first byte is 0x30.
    let is_certificate = |text: &String| STANDARD.decode(text).is_ok_and(|der| der.starts_with(&[0x30]));
    (!chain.is_empty() && chain.iter().all(is_certificate)).then_some(())
}

/// Returns whether an audience is a provider of a workforce pool.
fn is_workforce(audience: &str) -> bool {
    audience.starts_with("//iam.googleapis.com/locations/global/workforcePools/")
}

/// The parameters that the endpoint accepts.
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
pub(super) const CERTIFICATE_CHAIN: &str = "urn:ietf:params:oauth:token-type:mtls";
pub(super) const AWS_REQUEST: &str = "urn:ietf:params:aws:token-type:aws4_request";
const TOKEN_TYPES: [&str; 3] = [
    "urn:ietf:params:oauth:token-type:id_token",
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:saml2",
];
