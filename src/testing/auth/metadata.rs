//! The metadata server of Google Cloud, `http://metadata.google.internal`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::files::{EMAIL, PROJECT};
use super::{State, text};
use crate::testing::answer::Http;
use crate::testing::log::{RecordedRequest, percent_decode};

/// The tokens of machines, by their scopes.
#[derive(Default)]
pub(super) struct Kept(BTreeMap<String, String>);

pub(super) fn answer(state: &mut State, request: &RecordedRequest, now: Duration) -> Http {
    let mut http = if request.header(FLAVOR) != Some("Google") {
        text(403, "Missing Metadata-Flavor:Google header.\n")
    } else if request.header("x-forwarded-for").is_some() {
        text(403, "Requests with X-Forwarded-For are refused.\n")
    } else {
        look_up(state, request, now).unwrap_or_else(|| text(404, "Not Found\n"))
    };
    http.headers.push((FLAVOR.into(), "Google".into()));
    http.headers.push(("server".into(), "Metadata Server for VM".into()));
    http
}

fn look_up(state: &mut State, request: &RecordedRequest, now: Duration) -> Option<Http> {
    let path = percent_decode(request.path());
    if path == "/" {
        return Some(text(200, "computeMetadata/\n"));
    }
    match path.strip_prefix("/computeMetadata/v1/")? {
        "project/project-id" => Some(text(200, PROJECT)),
        "project/numeric-project-id" => Some(text(200, "123456789012")),
        "universe/universe-domain" => Some(text(200, state.universe_domain.as_str())),
        path => {
            let (account, field) = path.strip_prefix("instance/service-accounts/")?.split_once('/')?;
            (account == "default" || account == EMAIL).then_some(())?;
            of_account(state, field, request, now)
        }
    }
}

fn of_account(state: &mut State, field: &str, request: &RecordedRequest, now: Duration) -> Option<Http> {
    match field {
        "email" => Some(text(200, EMAIL)),
        "scopes" => Some(text(200, format!("{CLOUD_PLATFORM}\n"))),
        "token" => Some(token(state, request, now)),
        "" if request.query("recursive").as_deref() == Some("true") => {
            let account = json!({ "aliases": ["default"], "email": EMAIL, "scopes": [CLOUD_PLATFORM] });
            Some(Http::json(account.to_string()))
        }
        "" => Some(text(200, "aliases\nemail\nscopes\ntoken\n")),
        _ => None,
    }
}

fn token(state: &mut State, request: &RecordedRequest, now: Duration) -> Http {
    let scopes = request.query("scopes").unwrap_or_default().replace(',', " ");
    let kept = state.metadata.0.get(&scopes).and_then(|token| {
        let left = state.issued.left(token, now).filter(|left| *left > RENEWAL)?;
        Some((token.clone(), left))
    });
    let (token, left) = kept.unwrap_or_else(|| {
        let token = state.issue(now, &scopes);
        state.metadata.0.insert(scopes, token.clone());
        (token, state.lifetime)
    });
    let body = json!({ "access_token": token, "expires_in": left.as_secs(), "token_type": "Bearer" });
    Http::json(body.to_string())
}

pub(super) const FLAVOR: &str = "Metadata-Flavor";
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The real one gives the same token until four to five minutes before it expires.
const RENEWAL: Duration = Duration::from_secs(240);
