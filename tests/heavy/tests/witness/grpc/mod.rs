//! Servers of grpcio's are called over gRPC.

mod answers;
mod calls;
mod connections;
mod google;
mod nginx;
mod tls;

use std::time::Duration;

use longrunning::http::{HttpOptions, ProxySetting, Roots};
use longrunning::transport::TransportKind;
use longrunning::{Backoff, Credentials, OperationsClient, OperationsClientBuilder, RetryPolicy};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::python::{Python, Server};

/// A process with `grpc_server.py`.
struct GrpcServer {
    _process: Server,
    port: u16,
}

impl GrpcServer {
    fn start(python: &Python, order: &Value) -> Self {
        #[derive(Deserialize)]
        struct Said {
            port: u16,
        }
        let (process, Said { port }) = python.serve_with("grpc_server.py", &[order.to_string()]);
        Self { _process: process, port }
    }

    fn client(&self) -> OperationsClient {
        self.builder().build().unwrap()
    }

    fn builder(&self) -> OperationsClientBuilder {
        builder(&format!("http://127.0.0.1:{}", self.port), Roots::None)
    }

    /// All calls so far.
    fn calls(&self) -> Vec<Seen> {
        #[derive(Deserialize)]
        struct Calls {
            calls: Vec<Seen>,
        }
        let told = self.client().get("operations/calls").send().unwrap();
        let Calls { mut calls } = told.metadata().unwrap().decode().unwrap();
        // The last is this one.
        calls.pop();
        calls
    }
}

/// A client that is kept away from what the machine has set.
fn builder(url: &str, roots: Roots) -> OperationsClientBuilder {
    OperationsClient::builder(url)
        .transport(TransportKind::Grpc)
        .credentials(Credentials::anonymous())
        .http_options(HttpOptions::new().roots(roots).proxy(ProxySetting::None))
        .environment([("", "")])
        // A machine with much to do is no reason to fail.
        .attempt_timeout(Duration::from_secs(60))
        .retry(RetryPolicy::never())
}

/// As many attempts as this, one right after the other.
fn attempts(most: u32) -> RetryPolicy {
    let moment = Duration::from_millis(1);
    RetryPolicy::default().max_attempts(most).backoff(Backoff::exponential(moment, moment))
}

/// How the server was asked.
#[derive(Clone, Debug, Deserialize)]
struct Seen {
    method: String,
    name: String,
    /// Seconds since the server started.
    at: f64,
    ended: Option<f64>,
    peer: String,
    /// Seconds until the deadline.
    remaining: Option<f64>,
    metadata: Vec<(String, String)>,
    auth: Value,
    timeout: Option<f64>,
    list: Option<(String, f64, String)>,
}

impl Seen {
    fn all(&self, name: &str) -> Vec<&str> {
        self.metadata.iter().filter(|(of, _)| of == name).map(|(_, value)| value.as_str()).collect()
    }
}

fn plain() -> Value {
    json!({})
}
