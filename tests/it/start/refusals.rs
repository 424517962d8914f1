//! What is refused before anything is sent.

use longrunning::ErrorKind;
use longrunning::http::HttpMethod;
#[cfg(feature = "grpc")]
use longrunning::transport::TransportKind;

use super::{PATH, server};

#[test]
fn paths_that_could_lead_elsewhere_are_not_sent() {
    let paths = [
        "",
        "v2/projects/p",
        "https://run.googleapis.com/v2/projects/p",
        "/",
        "/v2//x",
        "/v2/x/",
        "/v2/./x",
        "/v2/../x",
        "/v2/%2e%2e/x",
        "/v2/a%2F..%2Fb",
        "/v2/a\\b",
        "/v2/a%5cb",
        "/v2/a\r\nb",
        "/v2/a%0ab",
        "/v2/x?y=z",
        "/v2/x#y",
        "/v2/%",
    ];
    for path in paths {
        let server = server();
        let error = server.client().start(path).send().unwrap_err();
        assert_eq!((error.kind(), server.request_count()), (ErrorKind::Binding, 0), "{path}: {error}");
        assert!(!error.may_have_started(), "{path}");
    }
}

#[test]
fn options_that_cannot_be_used_are_not_sent() {
    #[derive(serde::Serialize)]
    struct Odd {
        map: std::collections::HashMap<(u8, u8), u8>,
    }
    let odd = Odd { map: [((1, 2), 3)].into() };
    let server = server();
    let client = server.client();
    let start = || client.start(PATH);
    let rows = [
        ("no JSON", start().json_text("{"), "not valid JSON"),
        ("two documents", start().json_text("{} {}"), "not valid JSON"),
        ("no JSON for it", start().json(&odd), "cannot be written as JSON"),
        ("GET with a body", start().method(HttpMethod::Get).json_text("{}"), "a GET request has no body"),
        ("a message", start().message(&()), "needs `.data_format(DataFormat::Proto)`"),
        ("a header", start().header("authorization", "x"), "authorization"),
        (
            "an id",
            client.start("/sql/v1beta4/projects/p/instances").request_id("x"),
            "Cloud SQL does not accept `requestId`",
        ),
        ("an id", client.start("/dns/v1/projects/p/managedZones").request_id("x"), "clientOperationId"),
    ];
    for (row, call, why) in rows {
        let error = call.send().unwrap_err();
        assert_eq!((error.kind(), server.request_count()), (ErrorKind::Config, 0), "{row}: {error}");
        assert!(error.to_string().contains(why), "{row}: {error}");
    }
}

#[cfg(feature = "grpc")]
#[test]
fn over_grpc_a_start_is_a_message() {
    const RPC: &str = "google.cloud.run.v2.Jobs/RunJob";
    let server = server();
    server.on_start_rpc(RPC, longrunning::Operation::running("operations/1"));
    let client = server.client_builder().transport(TransportKind::Grpc).build().unwrap();
    let start = || client.start(RPC);
    let rows = [
        ("a path", client.start(PATH), ErrorKind::Binding, "is no gRPC method"),
        ("JSON", start().json_text("{}"), ErrorKind::Config, "no JSON body"),
        ("a query", start().query("a", 1), ErrorKind::Config, "no query"),
        ("a method", start().method(HttpMethod::Delete), ErrorKind::Config, "no HTTP method"),
        ("an id", start().request_id("x"), ErrorKind::Config, "a field of the message"),
    ];
    for (row, call, kind, why) in rows {
        let error = call.send().unwrap_err();
        assert_eq!((error.kind(), server.request_count()), (kind, 0), "{row}: {error}");
        assert!(error.to_string().contains(why), "{row}: {error}");
    }
    let message = prost_types::Duration { seconds: 9, nanos: 0 };
    start().message(&message).routing("name", "projects/p/x y").routing("b", "c").send().unwrap();
    start().send().unwrap();
    let requests = server.requests();
    assert_eq!((requests[0].path(), requests[0].body()), ("/google.cloud.run.v2.Jobs/RunJob", &[8, 9][..]));
    assert_eq!(requests[0].header("x-goog-request-params"), Some("name=projects/p/x%20y&b=c"));
    assert_eq!((requests[1].body(), requests[1].header("x-goog-request-params")), (&[][..], None));
}
