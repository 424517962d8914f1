//! This crate's gRPC client against a server of tonic's.

use longrunning::rpc::ErrorInfo;
use longrunning::transport::{Compression, TransportKind};
use longrunning::{Code, Credentials, OperationsClient, OperationsClientBuilder};

fn client(compress: bool) -> OperationsClient {
    builder(compress).build().unwrap()
}

fn builder(compress: bool) -> OperationsClientBuilder {
    let address = peers::tonic_server::start(compress).unwrap();
    OperationsClient::builder(format!("http://{address}"))
        .transport(TransportKind::Grpc)
        .credentials(Credentials::anonymous())
}

#[test]
fn gets_and_lists_plain_and_compressed() {
    for compress in [false, true] {
        let client = client(compress);
        let compression = if compress { Compression::Gzip } else { Compression::Identity };
        let operation = client.get("operations/7").compression(compression).send().unwrap();
        assert_eq!((operation.name(), operation.is_done()), ("operations/00000007", true));
        let page = client.list("operations").compression(compression).send().unwrap();
        assert_eq!((page.operations.len(), page.next_page_token.as_str()), (1000, "00000000"));
        assert_eq!(page.operations[999].name(), "operations/00000999");
    }
}

#[test]
fn compressed_page_is_small_until_it_is_read() {
    // A tenth of the page, and more than its compressed form.
    for (compress, expected) in [(false, " bytes of 127.0.0.1"), (true, "response of 127.0.0.1")] {
        let client = builder(compress).message_limit(40_000).build().unwrap();
        let error = client.list("operations").send().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn errors_and_their_details() {
    let client = client(false);
    let error = client.get("operations/x").send().unwrap_err();
    let status = error.status().unwrap();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "no such operation"));
    assert_eq!(status.detail::<ErrorInfo>(), Some(ErrorInfo::new("NO_NUMBER", "example.com")));
    assert_eq!(client.cancel("operations/7").send().unwrap_err().code(), Some(Code::Unimplemented));
    // A method that takes no compressed requests says so.
    let gzip = client.get("operations/7").compression(Compression::Gzip).send().unwrap_err();
    assert_eq!(gzip.code(), Some(Code::Unimplemented));
}
