//! Bytes in place of a response, over a socket.

use std::sync::OnceLock;
use std::time::Duration;

use longrunning::http::{HttpOptions, ProxySetting};
use longrunning::testing::{FakeServer, Reply};
use longrunning::transport::TransportKind;
use longrunning::{Credentials, Operation, OperationsClient, RetryPolicy};

use super::messages::{check_error, within};

/// A server that sends what it is given, and a client of it.
struct ResponseBench {
    server: FakeServer,
    client: OperationsClient,
}

impl ResponseBench {
    fn start(kind: TransportKind) -> Self {
        let server = FakeServer::builder().real_time().keep_requests(1).start().expect("a port is free");
        let client = OperationsClient::builder(server.url())
            .transport(kind)
            .credentials(Credentials::anonymous())
            .http_options(HttpOptions::new().proxy(ProxySetting::None))
            .build()
            .expect("the options are valid");
        Self { server, client }
    }

    /// The call ends in time, with an operation that can be written, or an error that can be printed.
    fn check(&self, data: &[u8]) {
        self.server.clear_replies();
        // Once more for a connection that ended before the first byte.
        self.server.reply(Reply::raw(data).times(2));
        let call = self.client.get("operations/1").retry(RetryPolicy::never()).attempt_timeout(TIMEOUT);
        match within(TIMEOUT * 10, || call.send()) {
            Err(error) => check_error(&error),
            Ok(operation) => {
                let written = operation.to_json();
                assert_eq!(Operation::from_json(&written).expect("it was written so").to_json(), written);
            }
        }
    }
}

pub fn http_response(data: &[u8]) {
    static BENCH: OnceLock<ResponseBench> = OnceLock::new();
    BENCH.get_or_init(|| ResponseBench::start(TransportKind::Rest)).check(data);
}

pub fn http2_response(data: &[u8]) {
    static BENCH: OnceLock<ResponseBench> = OnceLock::new();
    BENCH.get_or_init(|| ResponseBench::start(TransportKind::Grpc)).check(data);
}

const TIMEOUT: Duration = Duration::from_secs(1);
