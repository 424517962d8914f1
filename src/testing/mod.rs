//! A fake service and a virtual clock, for the tests of programs that use this
//! crate.
//!
//! [`FakeServer`] speaks real HTTP/1.1 on a loopback port. So a test covers
//! everything between a program and its service, and clients in other languages
//! can use it too. It implements google.longrunning.Operations over REST for
//! every version prefix and every shape of name, sends [scripted
//! responses](Reply) with all sorts of faults, and [records
//! requests](RecordedRequest). Requests with `alt=proto` get protobuf
//! responses. [`on_start`](FakeServer::on_start) adds methods that start
//! operations.
//!
//! With the feature `grpc` it speaks gRPC on the same port, over HTTP/2 without
//! TLS: the same operations, scripts, faults and
//! [records](RecordedRequest::rpc). It serves the calls of one connection one
//! after the other.
//!
//! It also plays [the servers that issue tokens](FakeAuth), checks the requests
//! to them, and can require [tokens that it has
//! issued](FakeServer::require_issued_tokens).
//!
//! Time is virtual by default ([`real_time`](FakeServerBuilder::real_time)
//! changes that): it advances when the client sleeps, at once. A test of three
//! hours takes milliseconds and has the same result every time.
//!
//! ```
//! use std::time::Duration;
//!
//! use longrunning::testing::{FakeOperation, FakeServer, Reply};
//!
//! let server = FakeServer::start();
//! let report = FakeOperation::new("operations/42").done_after(Duration::from_secs(3 * 60 * 60));
//! server.on_start("POST", "/v1/{parent=projects/*}/reports", report);
//! server.reply_to("GET", "operations/42", Reply::status(503).header("retry-after", "7"));
//!
//! let report = server.client().start("/v1/projects/p/reports").send()?;
//! assert!(report.until_done()?.is_done());
//! assert_eq!(server.requests()[0].path(), "/v1/projects/p/reports");
//! assert!(server.sleeps().contains(&Duration::from_secs(7))); // the `retry-after` of the response
//! assert!(server.elapsed() >= Duration::from_secs(3 * 60 * 60)); // of virtual time
//! # Ok::<(), longrunning::Error>(())
//! ```
//!
//! The server is not made for load: each connection has a thread, and the log
//! keeps whole requests. It has no TLS, and it does not check `If-Match`, quotas or
//! IAM permissions.

// A request passes through these modules:
//
//     listener       accepts a connection; one thread serves it to its end
//     http1, http2   read a request, write its response with the faults of the reply
//     backend        records it in `log`, then chooses the reply:
//       guard          401 without a valid access token
//       script         the scripted reply, if one matches
//       auth           the token endpoints
//       rest_call      which method the request calls; `call` has the call
//       service        performs the call on the operations of `store`
//       start          or starts an operation
//     rpc_response, http_response, extended, error_body
//                    encode the response
//     pause          lets the time of `clock` pass, before and in a response
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
