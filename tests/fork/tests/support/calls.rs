//! A server with operations, a client of it, and the calls that both processes make.

use std::ops::Range;

use longrunning::http::{HttpOptions, ProxySetting, Roots};
use longrunning::testing::FakeServer;
use longrunning::transport::TransportKind;
use longrunning::{Credentials, Operation, OperationsClient, OperationsClientBuilder};

pub(crate) const TRANSPORTS: [TransportKind; 2] = [TransportKind::Rest, TransportKind::Grpc];

/// A server with `operations/0` to `operations/99`.
pub(crate) fn server() -> FakeServer {
    let server = FakeServer::builder().real_time().start().unwrap();
    for n in 0..100 {
        server.insert(Operation::running(format!("operations/{n}")));
    }
    server
}

pub(crate) fn client_at(url: &str, transport: TransportKind, roots: Roots) -> OperationsClientBuilder {
    OperationsClient::builder(url)
        .transport(transport)
        .credentials(Credentials::anonymous())
        .http_options(options(roots))
        .environment(std::iter::empty::<(String, String)>())
}

pub(crate) fn options(roots: Roots) -> HttpOptions {
    HttpOptions::new().roots(roots).proxy(ProxySetting::None)
}

/// Gets operations one after the other; returns the names in the responses, or the errors.
pub(crate) fn names(client: &OperationsClient, numbers: Range<u32>) -> String {
    let get = |n| match client.get(format!("operations/{n}")).send() {
        Ok(operation) => operation.name().to_owned() + " ",
        Err(error) => format!("{error:#} "),
    };
    numbers.map(get).collect()
}

pub(crate) fn expected(numbers: Range<u32>) -> String {
    numbers.map(|n| format!("operations/{n} ")).collect()
}
