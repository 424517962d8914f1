//! One exchange with a server that issues tokens: within a deadline, without
//! redirects, and without secrets in errors.
//!
//! ```text
//! post_form, post_json, exchange ──► send (https or loopback only)
//!                                      └► send_anywhere ──► HttpClient
//! response ──► 2xx: parse ──► TokenEndpointResponse
//!          └─► else: Refusal, with all of the response that may be shown
//! ```
//!
//! There is no retry here. A transient failure fails the attempt of the call,
//! and the one retry loop of the crate decides about the next one.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::auth::provider::Wording;
use crate::auth::url::Url;
use crate::auth::{AccessToken, TokenError, TokenRequest};
use crate::http::{HttpMethod, HttpRequest, HttpResponse};
use crate::util::excerpt::shown;
use crate::util::percent::push_encoded;
use crate::util::secret::Secret;

/// The response of a token endpoint, [RFC 6749 section
/// 5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1).
#[derive(Debug)]
pub(super) struct TokenEndpointResponse {
    /// The token, not empty.
    pub(super) access_token: Secret,
    /// The lifetime as it came; it is clamped where it is used.
    pub(super) expires_in: Option<Duration>,
    /// A new refresh token in place of the one that was used.
    pub(super) refresh_token: Option<Secret>,
}

impl TokenEndpointResponse {
    /// Returns the access token with its lifetime.
    pub(super) fn into_token(self) -> AccessToken {
        let token = AccessToken::from_secret(self.access_token);
        match self.expires_in {
            Some(lifetime) => token.expires_in(lifetime),
            None => token,
        }
    }
}

/// Posts a form, percent-encoded, and returns the access token in the response.
pub(super) fn post_form(
    request: &TokenRequest<'_>,
    url: &str,
    form: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> Result<TokenEndpointResponse, TokenError> {
    exchange(request, url, form, headers).map_err(TokenError::from)
}

/// Does the same as [`post_form`], for callers that have advice for some of the
/// refusals.
#[expect(clippy::result_large_err, reason = "a refusal is rare and taken apart at once")]
pub(super) fn exchange(
    request: &TokenRequest<'_>,
    url: &str,
    form: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> Result<TokenEndpointResponse, Refusal> {
    let body = encode_form(form);
    let mut all = vec![("content-type", FORM)];
    all.extend(headers);
    let response = send(request, HttpMethod::Post, url, &all, Some(body.as_bytes()))?;
    let host = host_of(url);
    parse(&accepted(&host, response)?).map_err(|why| unreadable(&host, why).into())
}

/// Posts JSON, and returns the body of a 2xx response.
pub(super) fn post_json(
    request: &TokenRequest<'_>,
    url: &str,
    json: &[u8],
    headers: &[(&str, &str)],
) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    let mut all = vec![("content-type", "application/json")];
    all.extend(headers);
    let response = send(request, HttpMethod::Post, url, &all, Some(json))?;
    accepted(&host_of(url), response).map_err(TokenError::from)
}

/// Makes one exchange within the deadline of `request`, and returns the
/// response, whatever its status.
///
/// # Errors
///
/// Permanent if the URL is plain http to another machine: nothing is sent then.
/// Otherwise the error of the HTTP client.
pub(super) fn send(
    request: &TokenRequest<'_>,
    method: HttpMethod,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Result<HttpResponse, TokenError> {
    let target = Url::parse(url).map_err(|why| TokenError::permanent(format!("its token URL {why}")))?;
    if !target.is_private() {
        let host = shown(target.host);
        return Err(TokenError::permanent(format!(
            "its token URL at {host} is not https (plain http is accepted for loopback only)"
        )));
    }
    send_anywhere(request, method, url, headers, body)
}

/// Does the same as [`send`] without the check, for link-local servers that use
/// plain http. The request must not contain a secret of Google's.
pub(super) fn send_anywhere(
    request: &TokenRequest<'_>,
    method: HttpMethod,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Result<HttpResponse, TokenError> {
    // Headers of the caller replace these, for servers that return other types
    // than JSON.
    let own = [("user-agent", USER_AGENT), ("accept", "application/json")];
    let own = own.into_iter().filter(|(name, _)| !headers.iter().any(|(each, _)| each == name));
    let headers: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        own.chain(headers.iter().copied()).map(|(name, value)| (Cow::from(name), Cow::from(value))).collect();
    let mut exchange =
        HttpRequest::new(method, url).headers(&headers).deadline(request.deadline).limit(MAX_LEN);
    (exchange.body, exchange.stop) = (body, request.stop);
    let response = request.http.send(&exchange)?;
    // Host and status only: path and query may name accounts, and headers hold
    // tokens.
    log::debug!("{} {}: {}", method.as_str(), host_of(url), response.status);
    Ok(response)
}

/// Returns the body of a 2xx response; any other response is a refusal.
#[expect(clippy::result_large_err, reason = "a refusal is rare and taken apart at once")]
fn accepted(host: &str, response: HttpResponse) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    match response.status {
        200..=299 => Ok(Zeroizing::new(response.body)),
        _ => Err(Refusal::of(host, &response)),
    }
}

/// A response with an error status: all of it that may be shown.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The host of the server, for messages.
    host: String,
    /// The HTTP status; zero if there was no response.
    status: u16,
    /// The error code: `invalid_grant`, `PERMISSION_DENIED`.
    pub(super) error: Option<String>,
    /// The code of Google within the error code: `invalid_rapt`.
    pub(super) subtype: Option<String>,
    /// The text for people.
    description: Option<String>,
    /// The host to which a redirect leads.
    location: Option<String>,
    /// The `Retry-After` of the response.
    retry_after: Option<Duration>,
    /// The error if there was no response.
    failed: Option<TokenError>,
}

impl Refusal {
    /// Reads a response, in the form of RFC 6749 or in that of Google's APIs.
    ///
    /// ```text
    /// {"error": "invalid_grant", "error_description": "Bad Request"}
    /// {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "…"}}
    /// ```
    pub(super) fn of(host: &str, response: &HttpResponse) -> Self {
        // A redirect is the usual sign of a wrong URL, so its host is named.
        let location = response.header("location").filter(|_| response.status / 100 == 3).map(host_of);
        let mut refusal = Self {
            host: shown(host),
            status: response.status,
            error: None,
            subtype: None,
            description: None,
            location,
            // Without a clock: a date counts only if the server sends its own
            // time.
            retry_after: response.retry_after(None),
            failed: None,
        };
        let Ok(Value::Object(body)) = serde_json::from_slice(&response.body) else { return refusal };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).and_then(printable);
        match body.get("error") {
            // The form of Google's APIs.
            Some(Value::Object(error)) => {
                refusal.error = text(error.get("status"));
                refusal.description = text(error.get("message"));
            }
            // RFC 6749 section 5.2.
            error => {
                refusal.error = text(error);
                refusal.subtype = text(body.get("error_subtype"));
                refusal.description = text(body.get("error_description"));
            }
        }
        refusal
    }

    /// Uses the text of the response as its description, unless it has one.
    pub(super) fn or_text(mut self, text: &str) -> Self {
        // Structured text is better than the body.
        if self.error.is_none() && self.description.is_none() {
            self.description = printable(text.trim());
        }
        self
    }

    /// Returns whether the same request may succeed later.
    ///
    /// It is so for 408, 429 and 5xx, and for the error texts that Google's
    /// libraries retry. Other 4xx are permanent.
    pub(super) fn is_transient(&self) -> bool {
        let is_transient =
            |text: &Option<String>| text.as_deref().is_some_and(|text| TRANSIENT.contains(&text));
        match &self.failed {
            Some(failed) => failed.is_transient(),
            None => {
                // All 5xx: gateways in front of token endpoints respond with
                // several of them.
                matches!(self.status, 408 | 429 | 500..=599)
                    || is_transient(&self.error)
                    || is_transient(&self.description)
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failed) = &self.failed {
            return failed.fmt(f);
        }
        write!(f, "{} responded with {}", self.host, self.status)?;
        if let Some(host) = &self.location {
            write!(f, ", a redirect to {host}, which is not followed")?;
        }
        [&self.error, &self.subtype, &self.description]
            .into_iter()
            .flatten()
            .try_for_each(|part| write!(f, ": {part}"))
    }
}

/// Carries an error from before the response.
impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self {
            host: String::new(),
            status: 0,
            error: None,
            subtype: None,
            description: None,
            location: None,
            retry_after: None,
            failed: Some(error),
        }
    }
}

/// Makes the error of the provider, with the hint of the server.
impl From<Refusal> for TokenError {
    fn from(refusal: Refusal) -> Self {
        let make = if refusal.is_transient() { Self::transient } else { Self::permanent };
        let message = refusal.to_string();
        refusal
            .failed
            .unwrap_or_else(|| make(message).worded(Wording::Composed).with_retry_after(refusal.retry_after))
    }
}

/// Returns the host of a URL, for messages: never its path or query.
pub(super) fn host_of(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "the token endpoint".to_owned(), |url| shown(url.host))
}

/// What is wrong with the body of a response. The parser's own messages are not
/// used, because they quote text that may be secret.
pub(super) enum UnreadableResponse {
    /// The JSON ends early. That is how a body is noticed whose end is missing.
    Cut,
    /// It is not JSON, or of other types.
    NotJson,
    /// A field is missing or empty.
    Lacks(&'static str),
}

/// Returns the error for an invalid response of `host`. Only a cut one is
/// transient.
pub(super) fn unreadable(host: &str, why: UnreadableResponse) -> TokenError {
    match why {
        UnreadableResponse::Cut => TokenError::transient(format!("the response of {host} ends early")),
        UnreadableResponse::NotJson => {
            TokenError::permanent(format!("the response of {host} is not the JSON of a token endpoint"))
        }
        UnreadableResponse::Lacks(field) => {
            TokenError::permanent(format!("the response of {host} lacks `{field}`"))
        }
    }
}

/// Parses the JSON of a token endpoint.
pub(super) fn parse(body: &[u8]) -> Result<TokenEndpointResponse, UnreadableResponse> {
    #[derive(Deserialize)]
    struct TokenReply {
        access_token: Option<Secret>,
        expires_in: Option<Value>,
        refresh_token: Option<Secret>,
    }

    let reply: TokenReply = serde_json::from_slice(body).map_err(|error| match error.is_eof() {
        true => UnreadableResponse::Cut,
        false => UnreadableResponse::NotJson,
    })?;
    // An empty token is a missing one.
    let given = |secret: &Secret| !secret.expose().is_empty();
    Ok(TokenEndpointResponse {
        access_token: reply.access_token.filter(given).ok_or(UnreadableResponse::Lacks("access_token"))?,
        expires_in: reply.expires_in.as_ref().and_then(seconds),
        refresh_token: reply.refresh_token.filter(given),
    })
}

/// Returns a number of seconds, or a string with one, as some servers send it.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }?;
    // `None` if it is too large for a `Duration` or not a number: the cache
    // knows what to do with a token without a lifetime.
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

/// Encodes a form. The body holds secrets, so it is wiped.
fn encode_form(form: &[(&str, &str)]) -> Zeroizing<String> {
    // Room for all of it, because a string that grows leaves a copy behind.
    // Each byte takes at most three.
    let room = form.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut body = Zeroizing::new(String::with_capacity(room));
    for (name, value) in form {
        if !body.is_empty() {
            body.push('&');
        }
        push_encoded(&mut body, name);
        body.push('=');
        push_encoded(&mut body, value);
    }
    body
}

/// Makes text of a server fit for a message: one line, no control characters,
/// at most 256 characters; `None` if nothing is left.
fn printable(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let words = words.join(" ");
    let mut chars = words.chars().filter(|c| !c.is_control());
    let mut text: String = chars.by_ref().take(256).collect();
    if chars.next().is_some() {
        text.push('…');
    }
    (!text.is_empty()).then_some(text)
}

/// Google's token endpoint, and the audience of assertions.
pub(super) const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// The content type of forms.
const FORM: &str = "application/x-www-form-urlencoded";
/// The name of this crate, as token endpoints see it.
const USER_AGENT: &str = concat!("longrunning-rs/", env!("CARGO_PKG_VERSION"));
/// The largest response in bytes, after decoding.
const MAX_LEN: usize = 1 << 20;
/// Errors that may succeed later, whatever the status: those that Google's
/// libraries retry.
const TRANSIENT: [&str; 3] = ["internal_failure", "server_error", "temporarily_unavailable"];

#[cfg(test)]
mod tests;
