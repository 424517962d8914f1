//! The JSON bodies of error responses, as [AIP-193](https://google.aip.dev/193)
//! has them:
//!
//! ```text
//! {"error":{"code":404,"message":"operation `operations/42` was not found","status":"NOT_FOUND"}}
//! ```

use serde::Serialize;
use serde_json::value::RawValue;

use crate::types::{Any, Code, Status};

/// Writes the body of an error response, as Google's front ends do.
///
/// `code` in the body is the HTTP status, not the number of the canonical code.
/// Details that have no JSON form are left out, as is the name of a code that
/// google.rpc.Code does not have.
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

/// Default values are left out, as in ProtoJSON.
#[derive(Serialize)]
struct ErrorJson<'a> {
    code: u16,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Box<RawValue>>,
}

/// Returns the JSON of a detail as it is, so that unknown fields reach the
/// client.
fn raw(any: &Any) -> Option<Box<RawValue>> {
    RawValue::from_string(any.json().ok()?.into_owned()).ok()
}
