//! The transport against a server of HTTP/2 that does as it is told.

mod answers;
mod calls;
mod connections;
mod deadlines;
mod hostile;
mod server;
mod timing;
mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{GrpcOptions, GrpcTransport};
use crate::auth::Credentials;
use crate::error::{Error, ErrorKind};
use crate::http::{HttpOptions, ProxySetting, Roots};
use crate::proto::google::longrunning::{GetOperationRequest, Operation as Proto};
use crate::transport::{Attempt, ServiceOptions, ServiceParts, Transport};
use crate::types::{Code, Operation};
use crate::util::clock::{Clock, SystemClock};

use server::Server;

const NAME: &str = "operations/42";

fn options(port: u16) -> ServiceOptions {
    let mut options = ServiceOptions::new(format!("http://127.0.0.1:{port}"));
    options.credentials = Some(Credentials::anonymous());
    options.http_options = HttpOptions::new().proxy(ProxySetting::None).roots(Roots::None);
    options
}

fn built(options: ServiceOptions, grpc: GrpcOptions) -> Result<GrpcTransport, Error> {
    timed(options, grpc, Arc::new(SystemClock))
}

fn timed(options: ServiceOptions, grpc: GrpcOptions, clock: Arc<dyn Clock>) -> Result<GrpcTransport, Error> {
    let env = BTreeMap::<String, String>::new();
    GrpcTransport::new(ServiceParts::new(options, clock, &env)?, grpc, &env)
}

fn transport(server: &Server) -> GrpcTransport {
    built(options(server.port), GrpcOptions::default()).unwrap()
}

fn attempt<'a>() -> Attempt<'a> {
    // Only keeps a test that fails from hanging.
    Attempt::new(Duration::from_secs(20))
}

fn get(transport: &GrpcTransport) -> Result<Operation, Error> {
    transport.get_operation(&GetOperationRequest { name: NAME.into() }, &attempt())
}

fn proto() -> Proto {
    Proto { name: NAME.into(), ..Proto::default() }
}

/// What the layers above judge an error by: kind, code, whether it may pass,
/// whether the server may have acted.
fn facts(error: &Error) -> (ErrorKind, Option<Code>, bool, bool) {
    (error.kind(), error.code(), error.is_transient(), error.was_sent())
}

/// The message without the port of this run.
fn message(error: &Error, port: u16) -> String {
    error.to_string().replace(&port.to_string(), "PORT")
}
