//! The metadata server of Google Cloud, `http://metadata.google.internal`: the
//! identity of a virtual machine.
//!
//! It requires the header `Metadata-Flavor: Google` and refuses requests
//! through a proxy. Both protect it from requests that another program is
//! tricked into.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::identities::{EMAIL, PROJECT};
use super::tokens::TokenIssuer;
use crate::testing::http_response::FakeResponse;
use crate::testing::request::RecordedRequest;
use crate::util::percent::decode;

/// The metadata server of one machine with one service account.
pub(super) struct FakeMetadataServer {
    /// The value at `universe/universe-domain`.
    pub(super) universe_domain: String,
    /// The current token for each list of scopes, which is returned again until
    /// it is about to expire.
    kept: BTreeMap<String, String>,
}

impl Default for FakeMetadataServer {
    fn default() -> Self {
        Self { universe_domain: "googleapis.com".into(), kept: BTreeMap::new() }
    }
}

impl FakeMetadataServer {
    /// Responds to a request. All responses have the header by which a client
    /// recognizes a metadata server.
    pub(super) fn respond(
        &mut self,
        issuer: &mut TokenIssuer,
        request: &RecordedRequest,
        now: Duration,
    ) -> FakeResponse {
        let mut http = if request.header(FLAVOR) != Some("Google") {
            FakeResponse::text(403, "Missing Metadata-Flavor:Google header.\n")
        } else if request.header("x-forwarded-for").is_some() {
            FakeResponse::text(403, "Requests with X-Forwarded-For are refused.\n")
        } else {
            self.look_up(issuer, request, now).unwrap_or_else(|| FakeResponse::text(404, "Not Found\n"))
        };
        // On errors too: that is how clients find out that this is a metadata
        // server.
        http.headers.push((FLAVOR.into(), "Google".into()));
        http.headers.push(("server".into(), "Metadata Server for VM".into()));
        http
    }

    /// Returns the value at a path; `None` for one that does not exist.
    fn look_up(
        &mut self,
        issuer: &mut TokenIssuer,
        request: &RecordedRequest,
        now: Duration,
    ) -> Option<FakeResponse> {
        let path = decode(request.path());
        if path == "/" {
            return Some(FakeResponse::text(200, "computeMetadata/\n"));
        }
        match path.strip_prefix("/computeMetadata/v1/")? {
            "project/project-id" => Some(FakeResponse::text(200, PROJECT)),
            "project/numeric-project-id" => Some(FakeResponse::text(200, "123456789012")),
            "universe/universe-domain" => Some(FakeResponse::text(200, self.universe_domain.as_str())),
            path => {
                let (account, field) = path.strip_prefix("instance/service-accounts/")?.split_once('/')?;
                (account == "default" || account == EMAIL).then_some(())?;
                self.of_account(issuer, field, request, now)
            }
        }
    }

    /// Returns a field of the service account; a directory if `field` is empty.
    fn of_account(
        &mut self,
        issuer: &mut TokenIssuer,
        field: &str,
        request: &RecordedRequest,
        now: Duration,
    ) -> Option<FakeResponse> {
        match field {
            "email" => Some(FakeResponse::text(200, EMAIL)),
            "scopes" => Some(FakeResponse::text(200, format!("{CLOUD_PLATFORM}\n"))),
            "token" => Some(self.token(issuer, request, now)),
            "" if request.query("recursive").as_deref() == Some("true") => {
                let account = json!({ "aliases": ["default"], "email": EMAIL, "scopes": [CLOUD_PLATFORM] });
                Some(FakeResponse::json(account.to_string()))
            }
            "" => Some(FakeResponse::text(200, "aliases\nemail\nscopes\ntoken\n")),
            _ => None,
        }
    }

    /// Returns the current token for the scopes in the query, or issues a new
    /// one.
    fn token(&mut self, issuer: &mut TokenIssuer, request: &RecordedRequest, now: Duration) -> FakeResponse {
        let scopes = request.query("scopes").unwrap_or_default().replace(',', " ");
        // A client that renews too early gets the same token again, and a test
        // notices.
        let kept = self.kept.get(&scopes).and_then(|token| {
            let left = issuer.left(token, now).filter(|left| *left > RENEWAL)?;
            Some((token.clone(), left))
        });
        let (token, left) = kept.unwrap_or_else(|| {
            let token = issuer.issue(now, &scopes);
            self.kept.insert(scopes, token.clone());
            (token, issuer.lifetime)
        });
        let body = json!({ "access_token": token, "expires_in": left.as_secs(), "token_type": "Bearer" });
        FakeResponse::json(body.to_string())
    }
}

pub(super) const FLAVOR: &str = "Metadata-Flavor";
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The remaining lifetime below which a new token is issued. The real server
/// does so four to five minutes before the old one expires.
const RENEWAL: Duration = Duration::from_secs(240);
