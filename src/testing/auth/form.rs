//! What OAuth endpoints have in common: forms, client authentication, responses
//! and errors (RFC 6749).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::identities::{CLIENT_ID, CLIENT_SECRET};
use crate::testing::http_response::FakeResponse;
use crate::testing::request::RecordedRequest;
use crate::util::percent::decode_form;

/// The parameters of a request.
pub(super) struct TokenRequestForm(BTreeMap<String, String>);

impl TokenRequestForm {
    /// Reads a form that has no other parameters than these, and each once.
    pub(super) fn read(request: &RecordedRequest, known: &[&str]) -> Result<Self, TokenRefusal> {
        let media_type = request.header("content-type").unwrap_or_default();
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
            if fields.insert(name.clone(), decode_form(value)).is_some() {
                return Err(TokenRefusal::invalid_request(format!(
                    "Parameter not allowed to repeat: {name}"
                )));
            }
        }
        Ok(Self(fields))
    }

    /// Returns a parameter, which is none when it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn require(&self, name: &str) -> Result<&str, TokenRefusal> {
        self.get(name)
            .ok_or_else(|| TokenRefusal::invalid_request(format!("Missing required parameter: {name}")))
    }

    /// Returns a parameter that can have only this value.
    pub(super) fn expect(&self, name: &str, value: &str) -> Result<(), TokenRefusal> {
        match self.require(name)? {
            found if found == value => Ok(()),
            found => {
                Err(TokenRefusal::invalid_request(format!("Invalid {name}: `{found}`, expected `{value}`")))
            }
        }
    }
}

/// Reads basic authentication, where there is any: RFC 7617, so padded standard
/// base64.
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

/// An error response, RFC 6749 section 5.2.
#[derive(Debug)]
pub(super) struct TokenRefusal {
    status: u16,
    error: &'static str,
    subtype: Option<&'static str>,
    description: String,
}

impl TokenRefusal {
    pub(super) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { status: 400, error, subtype: None, description: description.into() }
    }

    pub(super) fn invalid_client(description: impl Into<String>) -> Self {
        Self { status: 401, ..Self::new("invalid_client", description) }
    }

    pub(super) fn invalid_grant(description: impl Into<String>) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(super) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) fn subtype(self, subtype: &'static str) -> Self {
        Self { subtype: Some(subtype), ..self }
    }

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
