//! The Security Token Service: exchanges the token of another identity provider
//! for an access token ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693),
//! with Google's `options`).
//!
//! ```text
//! POST https://sts.googleapis.com/v1/token
//!     audience             the provider in a pool, from the file
//!     scope                of the client, or for impersonation
//!     subject_token        the token of the other provider
//!     subject_token_type   urn:ietf:params:oauth:token-type:jwt, …
//! ```

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use zeroize::Zeroizing;

use crate::auth::key_file::KeyFile;
use crate::auth::scopes::scope_of;
use crate::auth::{AccessToken, TokenError, TokenRequest, token_endpoint};
use crate::error::Error;
use crate::util::secret::Secret;

/// Where a subject token is exchanged, and for what.
#[derive(Debug)]
pub(super) struct TokenExchange {
    /// The URL of the service.
    pub(super) token_url: String,
    /// The full name of the identity provider in its pool.
    pub(super) audience: String,
    /// The URN of the type of subject token.
    pub(super) subject_token_type: String,
    /// The OAuth client, for workforce pools that have one.
    pub(super) client: Option<StsClientAuth>,
    /// The project that is charged for a user of a workforce pool.
    pub(super) user_project: Option<String>,
}

impl TokenExchange {
    /// Makes one exchange, for the scopes of `request`.
    pub(super) fn token(
        &self,
        request: &TokenRequest<'_>,
        subject_token: &Secret,
    ) -> Result<AccessToken, TokenError> {
        let scope = scope_of(request.scopes);
        let mut form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("audience", self.audience.as_str()),
            ("scope", scope.as_str()),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token", subject_token.expose()),
            ("subject_token_type", self.subject_token_type.as_str()),
        ];
        // A client has a project already, and the service rejects both
        // together.
        let project = self.user_project.as_ref().filter(|_| self.client.is_none());
        // Encoded once as JSON and once as a form field, as the clients for Go
        // and Rust do.
        let options = project.map(|project| json!({ "userProject": project }).to_string());
        form.extend(options.as_deref().map(|options| ("options", options)));
        let headers: Vec<_> = self.client.iter().map(StsClientAuth::header).collect();
        token_endpoint::post_form(request, &self.token_url, &form, &headers)
            .map(|response| response.into_token())
    }
}

/// The OAuth client, as the value of a header: HTTP basic authentication, [RFC
/// 6749 section 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1).
#[derive(Debug)]
pub(super) struct StsClientAuth(Secret);

impl StsClientAuth {
    /// Encodes id and secret, with the standard alphabet and padding (RFC
    /// 7617).
    pub(super) fn new(id: &str, secret: &str) -> Self {
        let pair = Zeroizing::new([id, ":", secret].concat());
        // Room for all of it, because a string that grows leaves a copy behind.
        let mut value = String::with_capacity("Basic ".len() + pair.len().div_ceil(3) * 4);
        value.push_str("Basic ");
        STANDARD.encode_string(pair.as_bytes(), &mut value);
        Self(Secret::new(value))
    }

    /// Takes `client_id` and `client_secret`; `None` without the first.
    pub(super) fn take(file: &mut KeyFile) -> Result<Option<Self>, Error> {
        // A public client has an id without a secret.
        let secret = file.text("client_secret")?.map(Zeroizing::new).unwrap_or_default();
        Ok(file.text("client_id")?.map(|id| Self::new(&id, &secret)))
    }

    /// Returns the header that authenticates the client.
    pub(super) fn header(&self) -> (&'static str, &str) {
        ("authorization", self.0.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_authentication_is_standard_base64_with_padding() {
        // Computed by Python's base64.b64encode; the alphabets differ in the first row,
        // the padding in all.
        let rows = [
            ("client~id", "se?cret>", "Basic Y2xpZW50fmlkOnNlP2NyZXQ+"),
            ("id", "s", "Basic aWQ6cw=="),
            ("id", "", "Basic aWQ6"),
            ("id", "é", "Basic aWQ6w6k="),
        ];
        for (id, secret, expected) in rows {
            let client = StsClientAuth::new(id, secret);
            assert_eq!(client.header(), ("authorization", expected), "{id}:{secret}");
            assert!(!format!("{client:?}").contains("Basic"));
        }
    }
}
