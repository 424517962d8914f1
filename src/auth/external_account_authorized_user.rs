//! A user of a workforce pool who logged in with gcloud
//! (`external_account_authorized_user`): a refresh token, exchanged at the
//! Security Token Service.
//!
//! It is the [`authorized_user`](super::authorized_user) of identities that
//! Google does not manage. The client authenticates with HTTP basic
//! authentication instead of form fields, and no scopes are requested: those of
//! the login apply.

use crate::auth::key_file::KeyFile;
use crate::auth::provider::Wording;
use crate::auth::refresh_token::RefreshToken;
use crate::auth::sts::StsClientAuth;
use crate::auth::token_endpoint::{self, Refusal};
use crate::auth::{AccessToken, Credentials, DEFAULT_UNIVERSE, TokenError, TokenProvider, TokenRequest};
use crate::error::Error;
use crate::util::secret::Secret;

/// Reads a file of this type, as `gcloud auth application-default login
/// --login-config` writes it.
///
/// # Errors
///
/// `ErrorKind::Config`, if a field is missing or the policy rejects the token
/// URL.
pub(super) fn from_key_file(mut file: KeyFile) -> Result<Credentials, Error> {
    file.expect_type(TYPE)?;
    let universe_domain = file.text("universe_domain")?.unwrap_or_else(|| DEFAULT_UNIVERSE.to_owned());
    let token_url = file.url("token_url")?;
    let [client_id, client_secret, mut refresh_token] =
        file.require(["client_id", "client_secret", "refresh_token"])?;
    let provider = WorkforceLogin {
        token_url: token_url.unwrap_or_else(|| format!("https://sts.{universe_domain}/v1/oauthtoken")),
        client: StsClientAuth::new(&client_id, &client_secret),
        refresh_token: RefreshToken::new(Secret::new(std::mem::take(&mut *refresh_token))),
    };
    Ok(Credentials::of_source("external account user".into(), provider)
        .with_quota_project(file.text("quota_project_id")?)
        .with_universe_domain(universe_domain))
}

/// The contents of the file.
#[derive(Debug)]
struct WorkforceLogin {
    /// Where tokens are fetched; by default
    /// `https://sts.UNIVERSE/v1/oauthtoken`.
    token_url: String,
    /// The OAuth client of the login.
    client: StsClientAuth,
    /// The last refresh token that the server issued.
    refresh_token: RefreshToken,
}

/// Sends a request to the token endpoint at every call.
impl TokenProvider for WorkforceLogin {
    fn token(&self, request: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let current = self.refresh_token.current();
        let form = [("grant_type", "refresh_token"), ("refresh_token", current.expose())];
        let mut response = token_endpoint::exchange(request, &self.token_url, &form, &[self.client.header()])
            .map_err(explain)?;
        // The old one may stop working with this response.
        if let Some(next) = response.refresh_token.take() {
            self.refresh_token.replace(next);
        }
        Ok(response.into_token())
    }
}

/// Adds what the user can do. It comes first, because the end of a long message
/// is cut.
fn explain(refusal: Refusal) -> TokenError {
    match refusal.error.as_deref() {
        Some("invalid_grant") => {
            TokenError::permanent(format!("the login has expired or was revoked, run `{LOGIN}`: {refusal}"))
                .worded(Wording::Composed)
        }
        _ => refusal.into(),
    }
}

/// The `type` of such files.
const TYPE: &str = "external_account_authorized_user";
/// The command that makes a new login; `FILE` is the login configuration of the
/// pool.
const LOGIN: &str = "gcloud auth application-default login --login-config=FILE";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::auth::scripted::{ScriptedClient, environment, load, local_url, now};

    #[test]
    fn a_refresh_token_is_exchanged_and_its_successor_kept() {
        let server = ScriptedClient::responses([
            (200, r#"{"access_token":"CANARY-1","expires_in":"3599","refresh_token":"CANARY-next-2"}"#),
            (200, r#"{"access_token":"CANARY-3","expires_in":60}"#),
            (200, r#"{"access_token":"CANARY-4"}"#),
        ]);
        let credentials = load(&file()).unwrap();
        assert_eq!(credentials.quota_project(), Some("billing"));
        let tokens = [0; 3].map(|_| server.token(&credentials, &["not", "sent"]).unwrap());
        let lifetimes = tokens.each_ref().map(|token| (token.text(), token.lifetime(now()).as_secs()));
        assert_eq!(lifetimes, [("CANARY-1", 3599), ("CANARY-3", 60), ("CANARY-4", 300)]);
        let received = server.take();
        for (request, refresh_token) in
            received.iter().zip(["CANARY-first-1", "CANARY-next-2", "CANARY-next-2"])
        {
            assert_eq!(request.line, "POST http://127.0.0.1/v1/oauthtoken");
            assert_eq!(request.headers["authorization"], "Basic Y2xpZW50fmlkOnNlP2NyZXQ+");
            let expected = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
            assert_eq!(request.form(), environment(&expected));
        }
        assert_eq!(received.len(), 3);
        assert!(!format!("{credentials:#?} {tokens:#?}").contains("CANARY"));
    }

    #[test]
    fn a_login_that_is_over_says_how_to_renew_it() {
        let rows = [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"expired","refresh_token":"CANARY-5"}"#,
                "the login has expired or was revoked, run `gcloud auth application-default login \
                 --login-config=FILE`: 127.0.0.1 responded with 400: invalid_grant: expired",
                false,
            ),
            (401, r#"{"error":"invalid_client"}"#, "127.0.0.1 responded with 401: invalid_client", false),
            (500, "CANARY-6", "127.0.0.1 responded with 500", true),
        ];
        for (status, body, message, transient) in rows {
            let server = ScriptedClient::responses([(status, body)]);
            let error = server.token(&load(&file()).unwrap(), &[]).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.is_transient()), (message, transient));
            assert!(!format!("{error:#?}").contains("CANARY"));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let file = json!({"type": "external_account_authorized_user", "client_id": "CANARY-7"});
        let error = load(&file).unwrap_err();
        assert_eq!(error.to_string(), "credentials JSON lacks `client_secret` and `refresh_token`");
        assert!(!format!("{error:?}").contains("CANARY"));
    }

    fn file() -> Value {
        json!({
            "type": "external_account_authorized_user",
            "audience": "//iam.googleapis.com/locations/global/workforcePools/p/providers/q",
            "client_id": "client~id",
            "client_secret": "se?cret>",
            "refresh_token": "CANARY-first-1",
            "token_url": local_url("/v1/oauthtoken"),
            "quota_project_id": "billing",
        })
    }
}
