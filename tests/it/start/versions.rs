//! The version of an operation is that of the path by which it was started.

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Bindings, ErrorKind, WaitBinding};

use super::{PATH, server};
use crate::kit::NAME;

fn paths(server: &FakeServer) -> Vec<String> {
    server.take_requests().iter().map(|request| request.path().to_owned()).collect()
}

#[test]
fn a_handle_asks_at_the_version_of_its_path() {
    for client in ["v1", "v2", "v3"] {
        let server = server();
        let client = server.client_builder().api_version(client).build().unwrap();
        let handle = client.start(PATH).send().unwrap();
        let pending = handle.to_pending().unwrap();
        assert_eq!(pending.api_version(), Some("v2"));
        handle.refresh().unwrap();
        handle.cancel().unwrap();
        handle.until_done().unwrap();
        client.operation(&pending).until_done().unwrap();
        client.poll_many([&handle]).join_all().unwrap();
        client.poll_many([pending]).join_all().unwrap();
        handle.delete().unwrap();
        let paths = paths(&server);
        assert!(paths.iter().all(|path| path.starts_with("/v2/")), "{paths:?}");
        assert_eq!(paths.len(), 7, "{paths:?}");
    }
}

#[test]
fn versions_with_two_segments() {
    let rows = [
        ("compute/v1", "projects/p/zones/z/operations/1"),
        ("compute/beta", "projects/p/global/operations/1"),
        ("sql/v1beta4", "projects/p/operations/1"),
        ("dns/v1", "projects/p/managedZones/z/operations/1"),
        ("storage/v1", "b/bucket/operations/1"),
        ("deploymentmanager/v2", "projects/p/global/operations/1"),
        ("v1/admin", "projects/p/locations/l/operations/1"),
    ];
    for (prefix, name) in rows {
        let server = FakeServer::start();
        server.on_start("POST", "/**", FakeOperation::new(name).done_at_poll(1));
        let handle = server.client().start(format!("/{prefix}/projects/p/things")).send().unwrap();
        assert_eq!(handle.to_pending().unwrap().api_version(), Some(prefix));
        let _ = handle.refresh();
        assert_eq!(paths(&server)[1], format!("/{prefix}/{name}"));
    }
    let server = FakeServer::start();
    server.on_start("POST", "/**", FakeOperation::new(NAME).done_at_poll(1));
    let handle = server.client().start("/photoSequence").send().unwrap();
    assert_eq!(handle.to_pending().unwrap().api_version(), Some("v1"), "that of the client");
}

#[test]
fn the_version_of_a_client_is_that_of_its_bindings() {
    let server = server();
    let client = |version: &str| server.client_builder().api_version(version);
    let error = client("../x").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let same =
        client("v2").bindings(Bindings::version("v2").unwrap().wait_by(WaitBinding::Body)).build().unwrap();
    same.list("operations").send().unwrap();
    assert_eq!(paths(&server), ["/v2/operations"]);
    let error = client("v2").bindings(Bindings::default()).build().unwrap_err();
    let message =
        "version `v2` contradicts the bindings, which are those of version `v1`: set one of the two";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Config, message));
    #[cfg(feature = "grpc")]
    {
        let grpc = client("v2").transport(longrunning::transport::TransportKind::Grpc).build().unwrap_err();
        assert_eq!(grpc.kind(), ErrorKind::Config);
    }
    let custom = longrunning::OperationsClient::over(std::sync::Arc::clone(same.transport()));
    assert_eq!(custom.api_version("v2").build().unwrap_err().kind(), ErrorKind::Config);
}

#[cfg(feature = "async")]
#[test]
fn futures_keep_the_version_too() {
    let server = server();
    let client = longrunning::OperationsAsyncClient::from(server.client());
    pollster::block_on(async {
        let handle = client.start(PATH).send().await.unwrap();
        handle.until_done().await.unwrap();
        client.operation(handle.to_pending().unwrap()).until_done().await.unwrap();
    });
    assert_eq!(paths(&server), [PATH, "/v2/operations/42", "/v2/operations/42", "/v2/operations/42"]);
}
