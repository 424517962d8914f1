//! The bodies of the fake server, of the fixtures and of the tests have only fields that Google's discovery documents have.

use longrunning::http::{HttpAgent, HttpClient, HttpMethod, HttpOptions, HttpRequest, ProxySetting, Roots};
use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Code, OperationForm, Status};
use serde_json::Value;

use super::table::ExtendedRow;
use super::types::check_body;
use crate::kit::secs;

/// The form of operations, the name of one, what is in front of it in the URL, how it is cancelled, and the document.
type Schema = (OperationForm, &'static str, &'static str, Option<&'static str>, &'static str);

const SCHEMAS: [Schema; 10] = [
    (OperationForm::ComputeEngine, "projects/p/zones/z/operations/o", "/compute/v1/", None, "compute.v1"),
    (OperationForm::ComputeEngine, "projects/p/regions/r/operations/o", "/compute/v1/", None, "compute.v1"),
    (OperationForm::ComputeEngine, "projects/p/global/operations/o", "/compute/v1/", None, "compute.v1"),
    (OperationForm::CloudSql, "projects/p/operations/o", "/v1/", Some("/cancel"), "sqladmin.v1"),
    (OperationForm::CloudSql, "projects/p/operations/o", "/sql/v1beta4/", Some("/cancel"), "sqladmin.v1"),
    (
        OperationForm::KubernetesEngine,
        "projects/p/locations/l/operations/o",
        "/v1/",
        Some(":cancel"),
        "container.v1",
    ),
    (
        OperationForm::KubernetesEngine,
        "projects/p/zones/z/operations/o",
        "/v1/",
        Some(":cancel"),
        "container.v1",
    ),
    (OperationForm::CloudDns, "projects/p/managedZones/z/operations/o", "/dns/v1/", None, "dns.v1"),
    (
        OperationForm::DeploymentManager,
        "projects/p/global/operations/o",
        "/deploymentmanager/v2/",
        None,
        "deploymentmanager.v2",
    ),
    (OperationForm::CloudStorage, "b/B/operations/o", "/storage/v1/", Some("/cancel"), "storage.v1"),
];

#[test]
fn bodies_of_the_fake_server() {
    for (form, name, prefix, cancel, document) in SCHEMAS {
        let server = FakeServer::start();
        let operation = |id: &str| FakeOperation::new(format!("{name}{id}")).form(form);
        server.insert(operation("-done").done_after(secs(5.0)));
        server
            .insert(operation("-failed").done_at_poll(0).fails(Status::new(Code::ResourceExhausted, "full")));
        server.insert(operation("-cancelled"));
        server.insert(operation("-running").done_after(secs(100.0)));
        server.advance(secs(40.0));
        if let Some(verb) = cancel {
            send(&server, HttpMethod::Post, &format!("{prefix}{name}-cancelled{verb}"));
        }
        let mut ended = 0;
        for id in ["done", "failed", "cancelled", "running"] {
            let body = send(&server, HttpMethod::Get, &format!("{prefix}{name}-{id}"));
            check_body(prefix, operation_of(document), &body);
            ended += usize::from(longrunning::Operation::from_json(&body).unwrap().is_done());
        }
        assert_eq!(ended, if cancel.is_some() { 3 } else { 2 }, "{prefix}");
        let list = format!("{prefix}{}", name.trim_end_matches("/o"));
        if form.is_extended() {
            server.set_unreachable(["zones/y"]);
        }
        for query in ["", "?maxResults=2"] {
            check_body(prefix, list_of(document), &send(&server, HttpMethod::Get, &format!("{list}{query}")));
        }
    }
}

#[test]
fn bodies_of_the_fake_server_for_all_scopes_and_for_organizations() {
    let server = FakeServer::start();
    server.set_unreachable(["zones/y"]);
    for scope in [
        "projects/p/zones/z",
        "projects/p/regions/r",
        "projects/p/global",
        "organizations/7/locations/global",
    ] {
        let name = format!("{scope}/operations/o");
        server.insert(FakeOperation::new(name).form(OperationForm::ComputeEngine).done_after(secs(9.0)));
    }
    let parent = "parentId=organizations%2F7";
    let rows = [
        (format!("/compute/v1/locations/global/operations/o?{parent}"), "compute.v1/Operation"),
        (format!("/compute/v1/locations/global/operations?{parent}"), "compute.v1/OperationList"),
        ("/compute/v1/projects/p/aggregated/operations".to_owned(), "compute.v1/OperationAggregatedList"),
    ];
    for (target, message) in rows {
        let body = send(&server, HttpMethod::Get, &target);
        check_body(&target, message, &body);
        assert!(body.contains("\"name\":\"o\""), "{target}: {body}");
    }
}

#[test]
fn bodies_of_the_fixture() {
    for row in ExtendedRow::all() {
        for body in [row.running, row.done] {
            check_body(row.service, row.message, body);
        }
        check_body(row.service, list_of(row.message.split('/').next().unwrap()), row.listing);
    }
}

/// Bodies that tests have as text, if they are whole.
#[test]
fn bodies_of_other_tests() {
    let mut checked = 0;
    let text = include_str!("../extended.rs");
    for body in text.split("r#\"").skip(1).filter_map(|rest| rest.split("\"#").next()) {
        let Ok(value) = serde_json::from_str::<Value>(body) else { continue };
        if let Some(document) = document_of(&value) {
            check_body("a test", operation_of(document), body);
            checked += 1;
        }
    }
    assert!(checked >= 8, "{checked}");
}

/// The document of an operation that says by its fields whose it is.
fn document_of(operation: &Value) -> Option<&'static str> {
    Some(match operation["kind"].as_str() {
        Some("compute#operation") => "compute.v1",
        Some("sql#operation") => "sqladmin.v1",
        Some("dns#operation") => "dns.v1",
        Some("deploymentmanager#operation") => "deploymentmanager.v2",
        Some("storage#operation") => "storage.v1",
        None if operation["operationType"].is_string() => "container.v1",
        _ => return None,
    })
}

fn operation_of(document: &str) -> &'static str {
    match document {
        "compute.v1" => "compute.v1/Operation",
        "sqladmin.v1" => "sqladmin.v1/Operation",
        "container.v1" => "container.v1/Operation",
        "dns.v1" => "dns.v1/Operation",
        "deploymentmanager.v2" => "deploymentmanager.v2/Operation",
        _ => "storage.v1/GoogleLongrunningOperation",
    }
}

fn list_of(document: &str) -> &'static str {
    match document {
        "compute.v1" => "compute.v1/OperationList",
        "sqladmin.v1" => "sqladmin.v1/OperationsListResponse",
        "container.v1" => "container.v1/ListOperationsResponse",
        "dns.v1" => "dns.v1/ManagedZoneOperationsListResponse",
        "deploymentmanager.v2" => "deploymentmanager.v2/OperationsListResponse",
        _ => "storage.v1/GoogleLongrunningListOperationsResponse",
    }
}

/// The body of the response to a request, as it was sent.
fn send(server: &FakeServer, method: HttpMethod, target: &str) -> String {
    let agent = HttpAgent::new(&HttpOptions::new().roots(Roots::None).proxy(ProxySetting::None)).unwrap();
    let url = format!("{}{target}", server.url());
    let response = agent.send(&HttpRequest::new(method, &url)).unwrap();
    let body = String::from_utf8(response.body).unwrap();
    assert_eq!(response.status, 200, "{target}: {body}");
    body
}
