//! A fake service and a virtual clock, for the tests of programs that use this crate.
//!
//! [`FakeServer`] speaks real HTTP/1.1 on a loopback port. So a test covers everything between a program
//! and its service, and clients in other languages can use it too. It implements
//! google.longrunning.Operations over REST for every version prefix and every shape of name, sends
//! [scripted responses](Reply) with all sorts of faults, and [records requests](RecordedRequest).
//! Requests with `alt=proto` get protobuf responses. [`on_start`](FakeServer::on_start) adds methods that start operations.
//!
//! With the feature `grpc` it speaks gRPC on the same port, over HTTP/2 without TLS: the same operations, scripts,
//! faults and [records](RecordedRequest::rpc). It serves the calls of one connection one after the other.
//!
//! It also plays [the servers that issue tokens](FakeAuth), checks the requests to them, and can require
//! [tokens that it has issued](FakeServer::require_issued_tokens).
//!
//! Time is virtual by default ([`real_time`](FakeServerBuilder::real_time) changes that): it advances when the
//! client sleeps, at once. A test of three hours takes milliseconds and has the same result every time.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use longrunning::testing::{FakeServer, Reply};
//! use longrunning::{Any, Operation};
//!
//! let server = FakeServer::start();
//! server.insert(Operation::running("operations/42"));
//! server.reply(Reply::status(503).header("retry-after", "3"));
//!
//! let get = |name: &str| {
//!     let mut response = String::new();
//!     let mut stream = TcpStream::connect(server.address())?;
//!     write!(stream, "GET /v1/{name} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
//!     stream.read_to_string(&mut response)?;
//!     Ok::<String, std::io::Error>(response)
//! };
//! assert!(get("operations/42")?.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
//! assert!(get("operations/42")?.ends_with(r#"{"name":"operations/42"}"#));
//! assert!(get("operations/43")?.contains(r#""status":"NOT_FOUND""#));
//! assert_eq!(server.requests().len(), 3);
//! # Ok::<(), std::io::Error>(())
//! ```

mod auth;
mod backend;
mod builder;
mod call;
mod clock;
mod date;
mod error_body;
mod extended;
mod guard;
mod gzip;
mod http1;
#[cfg(feature = "grpc")]
mod http2;
mod http_response;
mod listener;
mod log;
mod operation;
mod pause;
mod reply;
mod request;
mod rest_call;
mod rpc_response;
mod script;
mod server;
mod service;
mod socket;
mod start;
mod store;

pub use auth::{FakeAuth, SubjectToken};
pub use builder::FakeServerBuilder;
pub use operation::FakeOperation;
pub use reply::Reply;
pub use request::RecordedRequest;
pub use server::FakeServer;

pub use crate::transport::Rpc;

#[cfg(test)]
mod tests;
