//! `generateAccessToken`, as `https://iamcredentials.googleapis.com` responds
//! to it: exchanges the token of a caller for one of a service account
//! ("impersonation").
//!
//! ```text
//! POST /v1/projects/-/serviceAccounts/robot@fake-project.iam.gserviceaccount.com:generateAccessToken
//! {"scope":["https://www.googleapis.com/auth/cloud-platform"],"lifetime":"3600s"}
//! => {"accessToken":"CANARY-access-token-2","expireTime":"2027-01-01T01:00:00Z"}
//! ```
//!
//! Every service account exists and may be impersonated by every caller.

use std::time::Duration;

use prost_types::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::tokens::TokenIssuer;
use crate::json::{parse_duration, timestamp_text};
use crate::testing::http_response::FakeResponse;
use crate::testing::request::RecordedRequest;
use crate::types::{Code, Status};
use crate::util::percent::decode;

/// Responds to a request; `now` counts from 1970.
pub(super) fn generate_access_token(
    issuer: &mut TokenIssuer,
    request: &RecordedRequest,
    now: Duration,
) -> FakeResponse {
    match generate(issuer, request, now) {
        Ok(body) => FakeResponse::json(body),
        Err(status) => FakeResponse::error(&status),
    }
}

/// The body of a request. An unknown field is an error, as in the API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenRequestBody {
    /// At least one; each without spaces.
    scope: Vec<String>,
    /// The chain of service accounts between the caller and the one in the
    /// path.
    delegates: Option<Vec<String>>,
    /// Such as `3600s`.
    lifetime: Option<String>,
}

/// Checks the request and issues the token.
fn generate(issuer: &mut TokenIssuer, request: &RecordedRequest, now: Duration) -> Result<String, Status> {
    check_caller(issuer, request, now)?;
    let path = decode(request.path());
    let name = path.strip_prefix("/v1/").and_then(|path| path.strip_suffix(":generateAccessToken"));
    if !name.is_some_and(is_account) {
        return Err(Status::new(
            Code::NotFound,
            format!("`{path}` is not a service account: expected {ACCOUNT}"),
        ));
    }
    let body: TokenRequestBody = serde_json::from_slice(request.body())
        .map_err(|error| invalid(format!("Invalid JSON payload received. {error}")))?;
    if body.scope.is_empty() || body.scope.iter().any(|scope| scope.is_empty() || scope.contains(' ')) {
        return Err(invalid(format!("scope is {:?}: expected a list of scopes", body.scope)));
    }
    if let Some(delegate) = body.delegates.iter().flatten().find(|delegate| !is_account(delegate)) {
        return Err(invalid(format!("delegate `{delegate}`: expected {ACCOUNT}")));
    }
    // The lifetime that the test has set stands for the default of the API, an
    // hour.
    let lifetime = lifetime(body.lifetime.as_deref())?.unwrap_or(issuer.lifetime);
    let expiry = now.saturating_add(lifetime);
    let token = issuer.issue_until(expiry, &body.scope.join(" "));
    Ok(json!({ "accessToken": token, "expireTime": timestamp(expiry) }).to_string())
}

/// Checks the caller: its token was issued by this server, or is a JWT of a
/// trusted key, and its scopes include this API. A token without scopes has all
/// of them.
fn check_caller(issuer: &TokenIssuer, request: &RecordedRequest, now: Duration) -> Result<(), Status> {
    let refuse = |why: &str| {
        Status::new(Code::Unauthenticated, format!("Request had invalid authentication credentials: {why}"))
    };
    let token = request.authorization("bearer").ok_or_else(|| refuse("no access token"))?;
    let scope = issuer.scope_of(token, now).map_err(|why| refuse(&why))?;
    // An empty scope is a token for all of them, such as a self-signed JWT with
    // an audience.
    if scope.is_empty() || scope.split(' ').any(|scope| SUFFICIENT.contains(&scope)) {
        return Ok(());
    }
    let message =
        format!("Request had insufficient authentication scopes: `{scope}`, expected one of {SUFFICIENT:?}");
    Err(Status::new(Code::PermissionDenied, message))
}

/// Returns whether a name is `projects/-/serviceAccounts/{email}`.
fn is_account(name: &str) -> bool {
    name.strip_prefix("projects/-/serviceAccounts/")
        .is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
}

/// Reads `lifetime`, one second to twelve hours. Without one, tokens have the
/// lifetime that the test has set.
fn lifetime(text: Option<&str>) -> Result<Option<Duration>, Status> {
    let Some(text) = text else { return Ok(None) };
    let lifetime = parse_duration(text).and_then(|duration| Duration::try_from(duration).ok());
    match lifetime.filter(|lifetime| (1..=43_200).contains(&lifetime.as_secs())) {
        Some(lifetime) => Ok(Some(lifetime)),
        None => Err(invalid(format!("lifetime is `{text}`: expected `1s` to `43200s`"))),
    }
}

/// Returns a time since 1970 as a timestamp of ProtoJSON, without fractions.
pub(super) fn timestamp(time: Duration) -> Option<String> {
    let seconds = i64::try_from(time.as_secs()).ok()?;
    timestamp_text(&Timestamp { seconds, nanos: 0 })
}

fn invalid(message: impl Into<String>) -> Status {
    Status::new(Code::InvalidArgument, message)
}

const ACCOUNT: &str = "`projects/-/serviceAccounts/{email}`";
/// The scopes of which a caller needs one.
const SUFFICIENT: [&str; 2] =
    ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/iam"];
