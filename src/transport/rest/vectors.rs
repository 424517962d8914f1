//! What Google's Python client sent for a matrix of inputs, against what this
//! crate sends.

use serde::Deserialize;

use crate::proto::google::longrunning::ListOperationsRequest;
use crate::transport::Rpc;
use crate::transport::rest::binding::Bindings;
use crate::transport::rest::route::{HttpRoute, list_fields};
use crate::transport::routing::routing_header;

/// Recorded with google-api-core 2.44.0, `AbstractOperationsClient` over REST,
/// on a loopback server.
const RECORDED: &str = include_str!("../../../tests/fixtures/python-requests.json");

/// Method and name, what is sent instead (`None`: refused), and why.
const DIFFERENCES: [(&str, &str, Option<&str>, &str); 11] = [
    ("get", "abc", Some("GET /v1/operations/abc"), "bare ids are names too"),
    (
        "get",
        "projects/p/operations/a/b",
        Some("GET /v1/projects/p/operations/a/b"),
        "ids have several segments",
    ),
    ("get", "projects/p/operations/a\nb", None, "control characters are refused"),
    ("get", "projects//operations/1", None, "empty segments are refused"),
    ("get", "http://evil/operations/1", None, "empty segments are refused"),
    (
        "cancel",
        "projects/p/operations/a b",
        Some("POST /v1/projects/p/operations/a%20b:cancel {}"),
        "cancel has a body",
    ),
    ("delete", "operations/abc", Some("DELETE /v1/operations/abc"), "a name needs no parent"),
    ("cancel", "operations/abc", Some("POST /v1/operations/abc:cancel {}"), "a name needs no parent"),
    ("list", "projects/p/operations", Some("GET /v1/projects/p/operations"), "a collection is not doubled"),
    ("list", "projects/p/", None, "empty segments are refused"),
    ("list", "/projects/p", None, "a leading `/` is refused"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    method: String,
    name: Option<String>,
    filter: Option<String>,
    page_size: Option<i64>,
    page_token: Option<String>,
    sent: Option<Sent>,
    refused: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    verb: String,
    target: String,
    #[serde(rename = "x-goog-request-params")]
    routing: String,
    body: String,
}

#[test]
fn recorded_requests_are_the_same_or_differ_on_purpose() {
    let cases: Vec<Case> = serde_json::from_str(RECORDED).expect("the recorded cases");
    assert_eq!(cases.len(), 49);
    let mut differences = Vec::new();
    for case in &cases {
        let (method, name) = (case.method.as_str(), case.name.as_deref().unwrap_or_default());
        assert_ne!(case.sent.is_some(), case.refused.is_some(), "{method} {name}");
        let ours = ours(case).ok();
        if ours != case.sent.as_ref().map(theirs) {
            differences.push((method, name, ours));
        }
        if let Some(sent) = &case.sent {
            assert_eq!(routing_header(name), space(&sent.routing), "{method} {name}");
        }
    }
    let intended = DIFFERENCES.map(|(method, name, ours, _)| (method, name, ours.map(str::to_owned)));
    assert_eq!(differences, intended);
}

fn theirs(sent: &Sent) -> String {
    format!("{} {} {}", sent.verb, space(&sent.target), sent.body).trim_end().into()
}

/// A space in a query may be written either way; `+` itself is always `%2B`.
fn space(encoded: &str) -> String {
    encoded.replace('+', "%20")
}

fn ours(case: &Case) -> Result<String, Box<dyn std::error::Error>> {
    let rpc = match case.method.as_str() {
        "get" => Rpc::Get,
        "list" => Rpc::List,
        "cancel" => Rpc::Cancel,
        "delete" => Rpc::Delete,
        other => panic!("unknown method {other}"),
    };
    let request = ListOperationsRequest {
        name: case.name.clone().unwrap_or_default(),
        filter: case.filter.clone().unwrap_or_default(),
        page_size: case.page_size.unwrap_or_default().try_into()?,
        page_token: case.page_token.clone().unwrap_or_default(),
        return_partial_success: false,
    };
    let route = Bindings::default().route(rpc, &request.name, list_fields(&request), None)?;
    let HttpRoute { verb, target, body } = route.ok_or("no binding")?;
    Ok(format!("{} {target} {}", verb.as_str(), body.unwrap_or_default()).trim_end().into())
}
