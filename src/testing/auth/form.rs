//! What the OAuth endpoints have in common: forms, client authentication,
//! responses and errors (RFC 6749).
//!
//! A form is read strictly. The real endpoints ignore some mistakes; here an
//! unknown parameter, a repeated one, or a parameter in the URL is an error,
//! because secrets do not belong into URLs, which servers log.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::identities::{CLIENT_ID, CLIENT_SECRET};
use crate::testing::http_response::FakeResponse;
use crate::testing::request::RecordedRequest;
use crate::util::percent::decode_form;

/// The parameters of a request by name, decoded.
pub(super) struct TokenRequestForm(BTreeMap<String, String>);

impl TokenRequestForm {
    /// Reads a form. `known` has the names of the parameters that the endpoint
    /// accepts, each at most once.
    ///
    /// # Errors
    ///
    /// `invalid_request` with the parameter or the content type at fault.
    pub(super) fn read(request: &RecordedRequest, known: &[&str]) -> Result<Self, TokenRefusal> {
        let media_type = request.header("content-type").unwrap_or_default();
        // Parameters such as `charset` are allowed.
        if media_type.split(';').next().unwrap_or_default().trim() != FORM {
            return Err(TokenRefusal::invalid_request(format!(
                "content-type is `{media_type}`: expected `{FORM}`"
            )));
        }
        if let Some((_, query)) = request.target().split_once('?') {
            return Err(TokenRefusal::invalid_request(format!("parameters in the URL: `{query}`")));
        }
        let body = String::from_utf8_lossy(request.body());
        let mut fields = BTreeMap::new();
        for pair in body.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode_form(name);
            if !known.contains(&name.as_str()) {
                return Err(TokenRefusal::invalid_request(format!("Unknown parameter: {name}")));
            }
            // RFC 6749 §3.2: parameters must not be included more than once.
            if fields.insert(name.clone(), decode_form(value)).is_some() {
                return Err(TokenRefusal::invalid_request(format!(
                    "Parameter not allowed to repeat: {name}"
                )));
            }
        }
        Ok(Self(fields))
    }

    /// Returns a parameter. An empty one counts as absent (RFC 6749 §3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns a parameter, or the error for a missing one.
    pub(super) fn require(&self, name: &str) -> Result<&str, TokenRefusal> {
        self.get(name)
            .ok_or_else(|| TokenRefusal::invalid_request(format!("Missing required parameter: {name}")))
    }

    /// Checks that a parameter is there and has this value.
    pub(super) fn expect(&self, name: &str, value: &str) -> Result<(), TokenRefusal> {
        match self.require(name)? {
            found if found == value => Ok(()),
            found => {
                Err(TokenRefusal::invalid_request(format!("Invalid {name}: `{found}`, expected `{value}`")))
            }
        }
    }
}

/// Checks basic authentication of the client; `None` if the request has none.
///
/// RFC 7617 has padded standard base64. RFC 6749 wants both parts form-encoded
/// before that, which changes nothing in the ones used here.
pub(super) fn client(request: &RecordedRequest) -> Result<Option<()>, TokenRefusal> {
    if request.header("authorization").is_none() {
        return Ok(None);
    }
    let pair = request.authorization("basic").and_then(|text| STANDARD.decode(text).ok());
    let expected = format!("{CLIENT_ID}:{CLIENT_SECRET}");
    match pair {
        None => {
            Err(TokenRefusal::invalid_client("the authorization header is not `Basic` and padded base64"))
        }
        Some(pair) if pair != expected.as_bytes() => {
            Err(TokenRefusal::invalid_client("The OAuth client was not found."))
        }
        Some(_) => Ok(Some(())),
    }
}

/// An error response (RFC 6749 §5.2).
#[derive(Debug)]
pub(super) struct TokenRefusal {
    /// 400, or 401 for a client that is not authenticated.
    status: u16,
    /// The error code, such as `invalid_grant`.
    error: &'static str,
    /// `error_subtype`, which Google adds if a user has to log in again.
    subtype: Option<&'static str>,
    description: String,
}

impl TokenRefusal {
    /// Creates an error with the HTTP status 400.
    pub(super) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { status: 400, error, subtype: None, description: description.into() }
    }

    /// The client is unknown, or its authentication failed.
    pub(super) fn invalid_client(description: impl Into<String>) -> Self {
        Self { status: 401, ..Self::new("invalid_client", description) }
    }

    /// The token or assertion in the request is not valid (any more).
    pub(super) fn invalid_grant(description: impl Into<String>) -> Self {
        Self::new("invalid_grant", description)
    }

    /// The request is malformed.
    pub(super) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    /// Adds `error_subtype`.
    pub(super) fn subtype(self, subtype: &'static str) -> Self {
        Self { subtype: Some(subtype), ..self }
    }

    /// Writes the response.
    pub(super) fn into_http(self) -> FakeResponse {
        let mut body = json!({ "error": self.error, "error_description": self.description });
        if let Some(subtype) = self.subtype {
            body["error_subtype"] = subtype.into();
        }
        FakeResponse::new(self.status, body.to_string().into_bytes())
    }
}

/// Returns a 200 response with the result, or an error response.
pub(super) fn respond(result: Result<Value, TokenRefusal>) -> FakeResponse {
    result.map_or_else(TokenRefusal::into_http, |body| FakeResponse::json(body.to_string()))
}

const FORM: &str = "application/x-www-form-urlencoded";
