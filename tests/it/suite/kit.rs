//! The kit of the other tests, with servers whose clients speak what this face speaks.

use std::ops::Deref;

use longrunning::testing::{self, FakeServerBuilder, Reply};
use longrunning::transport::DataFormat;
#[cfg(feature = "grpc")]
use longrunning::transport::TransportKind;
use longrunning::{Any, Bindings, Operation, Status, WaitBinding};

use super::super::FACE;
pub(super) use super::super::clients::{Builder, Client, TestPoller};
pub(super) use crate::kit::{Face, Method, NAME, any, running, secs, slept, told, unavailable};

/// A server whose clients speak what this face speaks.
#[derive(Debug)]
pub(super) struct FakeServer(testing::FakeServer);

impl FakeServer {
    pub(super) fn start() -> Self {
        Self(testing::FakeServer::start())
    }

    pub(super) fn with(options: impl FnOnce(FakeServerBuilder) -> FakeServerBuilder) -> Self {
        Self(options(testing::FakeServer::builder()).start().unwrap())
    }

    pub(super) fn client(&self) -> Client {
        self.client_builder().build().unwrap()
    }

    pub(super) fn client_builder(&self) -> Builder {
        let builder = self.0.client_builder();
        let builder = match FACE {
            Face::RestJson => builder,
            Face::RestProto => builder.data_format(DataFormat::Proto),
            #[cfg(feature = "grpc")]
            Face::Grpc => builder.transport(TransportKind::Grpc),
        };
        #[allow(clippy::useless_conversion, reason = "one of the faces has a builder of its own")]
        builder.into()
    }

    /// A client whose wait calls get to the server.
    pub(super) fn waiting_client(&self) -> Client {
        let builder = self.client_builder();
        let bindings = || Bindings::default().wait_by(WaitBinding::Body);
        if FACE.is_rest() { builder.bindings(bindings()).build().unwrap() } else { builder.build().unwrap() }
    }
}

impl Deref for FakeServer {
    type Target = testing::FakeServer;

    fn deref(&self) -> &testing::FakeServer {
        &self.0
    }
}

/// A server with one operation, which is done.
pub(super) fn server() -> FakeServer {
    let server = FakeServer::start();
    server.insert(done());
    server
}

/// What comes over the wire: JSON text or bytes.
pub(super) fn done() -> Operation {
    match FACE {
        Face::RestJson => {
            let duration = r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"9s"}"#;
            Operation::succeeded(NAME, any(duration))
        }
        _ => Operation::succeeded(NAME, Any::pack(&prost_types::Duration { seconds: 9, nanos: 0 })),
    }
}

/// A status that asks for patience the way this face can: this many seconds, in a header.
pub(super) fn hinted(status: impl Into<Reply>, seconds: u64) -> Reply {
    let reply = status.into();
    match FACE.is_rest() {
        true => reply.header("retry-after", seconds.to_string()),
        false => reply.header("grpc-retry-pushback-ms", seconds.saturating_mul(1000).to_string()),
    }
}

/// The response to a delete or cancel call, lost after it has begun.
///
/// One that ends sooner on a kept connection is asked for again without further ado.
pub(super) fn cut() -> Reply {
    match FACE {
        // An empty message in binary has nothing behind its head.
        Face::RestProto => Reply::from(()).truncate_head_at(9),
        _ => Reply::from(()).truncate_at(1),
    }
}

pub(super) fn status(code: longrunning::Code) -> Reply {
    Status::new(code, "no").into()
}
