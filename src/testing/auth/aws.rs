//! The metadata server of AWS, `http://169.254.169.254`, version 2 (a session
//! token is required), and the endpoint from which containers fetch their keys.
//!
//! ```text
//! PUT /latest/api/token                                 a session token
//! GET /latest/meta-data/placement/availability-zone     us-east-2b
//! GET /latest/meta-data/iam/security-credentials        fake-role
//! GET /latest/meta-data/iam/security-credentials/fake-role
//!                                                       keys for six hours
//! ```
//!
//! All times count from 1970, by the date of the server.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;

use super::iam::timestamp;
use crate::testing::http_response::FakeResponse;
use crate::testing::request::RecordedRequest;

/// The session tokens that were issued, with the time at which each expires.
#[derive(Default)]
pub(super) struct AwsSessions(HashMap<String, Duration>);

/// Responds to a request for the metadata server.
///
/// Requests through a proxy are refused, as by the real server: it protects the
/// keys from requests that a proxy is tricked into.
pub(super) fn respond(sessions: &mut AwsSessions, request: &RecordedRequest, now: Duration) -> FakeResponse {
    if request.header("x-forwarded-for").is_some() {
        return FakeResponse::text(403, "requests through a proxy are refused");
    }
    match (request.method(), request.path()) {
        ("PUT", "/latest/api/token") => session(sessions, request, now),
        ("GET", path) => match check_session(sessions, request, now) {
            Ok(()) => look_up(path, now).unwrap_or_else(|| FakeResponse::text(404, "Not Found")),
            Err(why) => FakeResponse::text(401, why),
        },
        _ => FakeResponse::text(405, "expected PUT /latest/api/token or GET"),
    }
}

/// Issues a session token for the lifetime that the request names, 1 to 21,600
/// seconds.
fn session(sessions: &mut AwsSessions, request: &RecordedRequest, now: Duration) -> FakeResponse {
    let lifetime = request.header("x-aws-ec2-metadata-token-ttl-seconds").and_then(|text| text.parse().ok());
    // Six hours at most, as the documentation of AWS says.
    let Some(seconds @ 1..=21_600) = lifetime else {
        return FakeResponse::text(400, "x-aws-ec2-metadata-token-ttl-seconds: expected 1 to 21600");
    };
    // Numbered, so that each is new.
    let token = format!("CANARY-aws-session-{}", sessions.0.len() + 1);
    sessions.0.insert(token.clone(), now.saturating_add(Duration::from_secs(seconds)));
    FakeResponse::text(200, token)
}

/// Checks the session token of a request; the error is the text of the 401.
fn check_session(
    sessions: &AwsSessions,
    request: &RecordedRequest,
    now: Duration,
) -> Result<(), &'static str> {
    let token = request.header("x-aws-ec2-metadata-token").ok_or("x-aws-ec2-metadata-token is missing")?;
    match sessions.0.get(token) {
        Some(expiry) if *expiry > now => Ok(()),
        Some(_) => Err("the session token has expired"),
        None => Err("this server has not given the session token"),
    }
}

/// Returns the value at a path of the metadata, `None` for one that does not
/// exist.
fn look_up(path: &str, now: Duration) -> Option<FakeResponse> {
    let path = path.strip_prefix("/latest/meta-data/")?;
    match path.strip_prefix("iam/security-credentials") {
        Some("" | "/") => return Some(FakeResponse::text(200, ROLE)),
        Some(role) if role.strip_prefix('/') == Some(ROLE) => return Some(FakeResponse::json(keys(now))),
        Some(_) => return None,
        None => {}
    }
    match path {
        "placement/availability-zone" => Some(FakeResponse::text(200, format!("{REGION}b"))),
        "placement/region" => Some(FakeResponse::text(200, REGION)),
        _ => None,
    }
}

/// The endpoint for the keys of a container. It accepts only its current token.
#[derive(Default)]
pub(super) struct FakeContainerEndpoint {
    /// How often the token was replaced.
    rotations: usize,
}

impl FakeContainerEndpoint {
    /// Returns the current token.
    pub(super) fn token(&self) -> String {
        format!("CANARY-container-token-{}", self.rotations + 1)
    }

    /// Replaces the token; the old one is refused from now on.
    pub(super) fn rotate(&mut self) {
        self.rotations += 1;
    }

    /// Responds with the keys. The `authorization` header is the bare token,
    /// without a scheme, as AWS has it.
    pub(super) fn respond(&self, request: &RecordedRequest, now: Duration) -> FakeResponse {
        if request.header("x-forwarded-for").is_some() {
            return FakeResponse::text(403, "requests through a proxy are refused");
        }
        match request.header("authorization") {
            Some(token) if token == self.token() => FakeResponse::json(keys(now)),
            Some(_) => FakeResponse::text(401, "the authorization token is not the current one"),
            None => FakeResponse::text(401, "the authorization token is missing"),
        }
    }
}

/// Returns the keys of the role as JSON, with an expiration six hours ahead.
/// The keys are always the same.
fn keys(now: Duration) -> String {
    let time = |time: Duration| timestamp(time);
    let body = json!({
        "Code": "Success",
        "LastUpdated": time(now),
        "Type": "AWS-HMAC",
        "AccessKeyId": ACCESS_KEY_ID,
        "SecretAccessKey": SECRET_ACCESS_KEY,
        "Token": TOKEN,
        "Expiration": time(now.saturating_add(Duration::from_secs(6 * 3600))),
    });
    body.to_string()
}

pub(super) const CONTAINER_PATH: &str = "/v2/credentials/fake-task";
const ROLE: &str = "fake-role";
pub(super) const REGION: &str = "us-east-2";
pub(super) const ACCESS_KEY_ID: &str = "ASIAFAKEACCESSKEY";
pub(super) const SECRET_ACCESS_KEY: &str = "CANARY-aws-secret";
pub(super) const TOKEN: &str = "CANARY-aws-token";
