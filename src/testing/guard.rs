//! The check of the access token that each request to the service carries.
//!
//! A missing token and an invalid one both get 401 and `UNAUTHENTICATED`;
//! `google.rpc.ErrorInfo` says which of them it was, as Google's front ends say
//! it. Tokens are taken from the `authorization` header alone: API keys are not
//! checked.

use std::fmt;

use super::reply::Reply;
use super::request::RecordedRequest;
use crate::types::{Any, Code, Status};

/// Which requests to the service are accepted.
#[derive(Default)]
pub(super) enum TokenGuard {
    /// All, with or without a token. The default.
    #[default]
    Open,
    /// Those whose token a closure of the test accepts.
    Checks(Box<TokenCheck>),
    /// Those whose token the server has issued, or a trusted key has signed.
    Issued,
}

type TokenCheck = dyn Fn(&str) -> bool + Send;

impl TokenGuard {
    /// Returns the response to a request without a valid token, or `None` if
    /// the request is accepted.
    ///
    /// `check_issued` returns an error with the reason if this server has not
    /// issued the token. It is called only for [`Issued`](Self::Issued).
    pub(super) fn deny(
        &self,
        request: &RecordedRequest,
        check_issued: impl FnOnce(&str) -> Result<(), String>,
    ) -> Option<Reply> {
        self.check(request, check_issued).err().map(|denial| unauthenticated(&denial))
    }

    fn check(
        &self,
        request: &RecordedRequest,
        check_issued: impl FnOnce(&str) -> Result<(), String>,
    ) -> Result<(), TokenDenial> {
        if matches!(self, Self::Open) {
            return Ok(());
        }
        let (scheme, token) = request
            .header("authorization")
            .and_then(|value| value.split_once(' '))
            .ok_or(TokenDenial::Missing)?;
        let token = token.trim();
        match self {
            // RFC 9110 §11.1: the case of the scheme does not count.
            _ if !scheme.eq_ignore_ascii_case("bearer") => Err(TokenDenial::Invalid(None)),
            Self::Checks(check) if !check(token) => Err(TokenDenial::Invalid(None)),
            Self::Issued => check_issued(token).map_err(|why| TokenDenial::Invalid(Some(why))),
            Self::Open | Self::Checks(_) => Ok(()),
        }
    }
}

/// Without the token, which a closure may have captured.
impl fmt::Debug for TokenGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Open) {
            "TokenGuard(open)"
        } else {
            "TokenGuard(token required)"
        })
    }
}

/// Why a request is denied.
enum TokenDenial {
    /// There is no `authorization` header.
    Missing,
    /// The token is not accepted, with the reason if it is known.
    Invalid(Option<String>),
}

/// Writes the 401 for a denial.
fn unauthenticated(denied: &TokenDenial) -> Reply {
    let (message, reason) = match denied {
        TokenDenial::Missing => (MISSING.to_owned(), "CREDENTIALS_MISSING"),
        TokenDenial::Invalid(None) => (INVALID.to_owned(), "ACCESS_TOKEN_INVALID"),
        TokenDenial::Invalid(Some(why)) => (format!("{INVALID}: {why}"), "ACCESS_TOKEN_INVALID"),
    };
    let detail = format!(
        r#"{{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"{reason}","domain":"googleapis.com"}}"#
    );
    let status = Status::new(Code::Unauthenticated, message);
    // The JSON is written above, so it is valid.
    let status = match Any::from_json(&detail) {
        Ok(detail) => status.with_detail(detail),
        Err(_) => status,
    };
    Reply::from(status).header("www-authenticate", r#"Bearer realm="https://accounts.google.com/""#)
}

const MISSING: &str = "request is missing required authentication credential";
const INVALID: &str = "request had invalid authentication credentials";
