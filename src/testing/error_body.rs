//! The JSON bodies of error responses.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::types::{Any, Code, Status};

/// Writes the body of an error response, as Google's front ends do.
///
/// `code` is the HTTP status there, not the number of the canonical code.
pub(super) fn error_body(http: u16, status: &Status) -> Vec<u8> {
    let details = status.details().iter().filter_map(raw).collect();
    let name = match status.code() {
        Code::Other(_) => None,
        code => Some(code.to_string()),
    };
    let error = ErrorJson { code: http, message: status.message(), status: name, details };
    serde_json::to_vec(&ErrorBody { error }).unwrap_or_default()
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorJson<'a>,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    code: u16,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Box<RawValue>>,
}

fn raw(any: &Any) -> Option<Box<RawValue>> {
    RawValue::from_string(any.json().ok()?.into_owned()).ok()
}
