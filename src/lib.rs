//! Blocking client for [`google.longrunning.Operations`]: look up, wait for, list, cancel and delete the
//! long-running operations of any Google API, without an async runtime.
//!
//! Many Google APIs start work that takes minutes or hours and answer with an [`Operation`]: a name, metadata
//! that say how far it is, and in the end a response or an error. This crate asks the service about it from the
//! calling thread, with the right credentials, through outages, without asking too often, and says truthfully
//! how it ended.
//!
//! # Quickstart
//!
//! ```
//! # let server = longrunning::testing::FakeServer::start();
//! # server.insert(longrunning::Operation::running("operations/42"));
//! # let endpoint = server.url();
//! use longrunning::{Credentials, OperationsClient};
//!
//! let client = OperationsClient::builder(&endpoint).credentials(Credentials::anonymous()).build()?;
//! let operation = client.get("operations/42").send()?;
//! println!("{}: {}", operation.name(), operation.outcome());
//! # Ok::<(), longrunning::Error>(())
//! ```
//!
//! An [`OperationsClient`] has five methods, one for each RPC, and each gives a [`Call`] with the same options:
//!
//! | method | RPC | gives |
//! |---|---|---|
//! | [`get`](OperationsClient::get) | GetOperation | the latest state |
//! | [`list`](OperationsClient::list) | ListOperations | an iterator over all pages, [`pages`](Call::pages), or one page |
//! | [`cancel`](OperationsClient::cancel) | CancelOperation | nothing; best effort |
//! | [`delete`](OperationsClient::delete) | DeleteOperation | nothing; does not cancel |
//! | [`wait`](OperationsClient::wait) | WaitOperation | the latest state, held back by the server; few services have it |
//!
//! Nothing is sent before `send`, iteration or `until_done`.
//!
//! # Waiting
//!
//! [`poller`](OperationsClient::poller) blocks until an operation is done, whether it succeeded or failed:
//!
//! ```
//! # use longrunning::testing::{FakeOperation, FakeServer};
//! # let server = FakeServer::start();
//! # let index = longrunning::Any::from_json(r#"{"@type": "type.googleapis.com/demo.Index", "rows": "9"}"#)?;
//! # server.insert(FakeOperation::new("operations/42").done_at_poll(3).responds(index));
//! # let client = server.client();
//! use std::time::Duration;
//!
//! #[derive(serde::Deserialize)]
//! struct Index {
//!     rows: String,
//! }
//!
//! let done = client.poller("operations/42").total_timeout(Duration::from_secs(900)).until_done()?;
//! let index: Index = done.into_response()?;
//! assert_eq!(index.rows, "9");
//! # Ok::<(), longrunning::Error>(())
//! ```
//!
//! A [`Poller`] is an iterator of snapshots too, and tells [`on_update`](Poller::on_update) what changed, as [`Progress`]
//! whatever the type of the metadata. Faults that may pass do not end a wait, and its time limit is kept, 24 hours unless
//! said otherwise; a wait that stops early says what it knows, and that it did not cancel the operation. A [`StopToken`]
//! ends it at once; [`long_poll`](Poller::long_poll) has the server wait where it can.
//!
//! [`operation`](OperationsClient::operation) gives an [`OperationHandle`]: one operation to keep, to wait for, to cancel, and
//! to pass on to another process as a [`Pending`]. With feature `journal`, a `Journal` keeps those in a file.
//!
//! # Many operations
//!
//! [`poll_many`](OperationsClient::poll_many) waits for thousands at once, by pages of their listing where that costs
//! less than one request each, and gives them as they finish:
//!
//! ```
//! # use longrunning::testing::{FakeOperation, FakeServer};
//! # let server = FakeServer::start();
//! # for n in 1..=100 {
//! #     server.insert(FakeOperation::new(format!("projects/p/operations/{n}")).done_after(std::time::Duration::from_secs(n)));
//! # }
//! # let client = server.client();
//! let names = (1..=100).map(|n| format!("projects/p/operations/{n}"));
//! let mut finished = 0;
//! for operation in client.poll_many(names) {
//!     println!("{}", operation?.name());
//!     finished += 1;
//! }
//! assert_eq!(finished, 100);
//! # Ok::<(), longrunning::Error>(())
//! ```
//!
//! [`all`](PollMany::all), [`any`](PollMany::any) and [`first_error`](PollMany::first_error) end it otherwise.
//! [`cancel_all`](OperationsClient::cancel_all) and [`delete_done`](OperationsClient::delete_done) clean up what a listing
//! gives, by filter and age.
//!
//! # Listing
//!
//! ```
//! # let server = longrunning::testing::FakeServer::start();
//! # server.insert(longrunning::Operation::running("projects/p/locations/l/operations/42"));
//! # let client = server.client();
//! for operation in client.list("projects/p/locations/l").filter("done = false").page_size(100) {
//!     println!("{}", operation?.name());
//! }
//! # Ok::<(), longrunning::Error>(())
//! ```
//!
//! Pages are asked for as they are needed. A listing that fails says where to go on
//! ([`Error::page_token`]); one whose server repeats a page token ends with an error.
//!
//! # Results
//!
//! [`Operation::outcome`] tells running, succeeded, failed and malformed apart. Metadata and response are
//! [`Any`]s: JSON text or protobuf bytes of a type that this crate need not know, kept as they came, decoded into
//! your own serde type ([`Any::decode`]) or prost message ([`Any::unpack`]). The [`Status`] of a failure has a
//! [`Code`] and [typed details](rpc). [`DataFormat::Proto`](transport::DataFormat::Proto) asks for bytes over REST
//! too; with feature `reflect`, a `DescriptorPool` turns messages of your own types from bytes to JSON and back.
//!
//! # Credentials
//!
//! [`OperationsClient::new`] takes those that the machine offers ([`Credentials::application_default`]): the file of
//! `GOOGLE_APPLICATION_CREDENTIALS`, a login with gcloud, the metadata server of Google Cloud. A builder takes any: a
//! service-account key ([`auth::ServiceAccount`]), a token, an API key, another identity provider's, or your own
//! [`auth::TokenProvider`]. The page of [`auth`] says which ones are used where, and why. Tokens are cached, renewed by
//! one caller before they expire, and renewed and replayed once after a 401.
//!
//! # Retries and time limits
//!
//! A call makes up to five attempts within 60 s, each of at most 10 s. [`RetryPolicy`] says what is retried; hints
//! of the server (`Retry-After`, `RetryInfo`) are a floor for the next delay. `attempt_timeout` and
//! `total_timeout` exist on the client, on a call and on a poller; both reach the socket. A [`ClientConfig`] gives
//! each method its own, from a service config of gRPC.
//!
//! # Errors
//!
//! There is one [`Error`]. Its [`kind`](Error::kind) says who failed, its [`code`](Error::code) how:
//!
//! ```
//! use longrunning::{Code, Error, ErrorKind};
//!
//! fn explain(err: &Error) -> String {
//!     match (err.kind(), err.code()) {
//!         (ErrorKind::Operation, _) => format!("the work itself failed: {err}"),
//!         (ErrorKind::Service, Some(Code::NotFound)) => "deleted or expired".into(),
//!         (ErrorKind::Timeout, _) => format!("still running: {:?}", err.operation().map(|op| op.name())),
//!         _ => format!("could not ask: {err:#}"),
//!     }
//! }
//! ```
//!
//! # Services and their URLs
//!
//! Names of all shapes work without configuration: `operations/42`, `projects/p/locations/l/operations/42`, ids of
//! several segments, bare ids. [`Bindings`] sets another version or replaces templates; names that could leave
//! their URL path are refused before anything is sent.
//!
//! # gRPC
//!
//! With feature `grpc` the same client speaks gRPC: `builder(…).transport(TransportKind::Grpc)`, or by name,
//! `.transport("grpc".parse()?)`. Calls, options, errors and retries are the same; `Any`s hold protobuf bytes. Names go as
//! they are given, for the methods of gRPC have no bindings. It is blocking too: [`transport::TransportKind`] says how.
//!
//! # Testing
//!
//! Feature `testing` has `testing::FakeServer`: real HTTP on a loopback port, scripted answers and faults, a
//! clock on which no test sleeps, and the servers that tokens come from, which check what they are sent.
//!
//! # Logging
//!
//! Through the `log` crate. Names, codes and hosts may be personal; tokens, keys and bodies that are sent never appear.
//! At `TRACE` ureq shows every byte of the wire under the target `ureq_proto`: secrets of a request are hidden there
//! too, an answer is not, and that of a token endpoint holds a token. Leave that target at `DEBUG`.
//!
//! | level | what |
//! |---|---|
//! | `WARN` | what nobody returns: a key file that other users can read; a token or client certificate that could not be renewed while the old one serves; a client certificate that is not used or not there; a login without a quota project; root certificates that cannot be used; keys of a client config that have no effect |
//! | `DEBUG` | each attempt, retry and poll, with its outcome and delay; which default credentials were found where; exchanges with token servers, by host and status; ureq's requests, with sensitive headers redacted |
//! | `TRACE` | nothing of this crate; ureq's connections, and the bytes of answers, **unredacted** |
//!
//! # Threads and async programs
//!
//! Clients are `Send`, `Sync` and cheap to clone. A call blocks its thread: in an async program, make it inside
//! `spawn_blocking`, or take the client with futures, for any executor: feature `async`, `OperationsAsyncClient`. Two
//! threads are ever started, and end soon: one looks up a host name that is not in the cache, the other reads what an
//! `executable` source of credentials prints. A [`PollMany`] and a [`Sweep`] may start a few, which end with them.
//! Nothing is installed process-wide.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `gzip` | yes | compressed answers; the decoded size stays capped |
//! | `webpki-roots` | yes | Mozilla's root certificates, compiled in |
//! | `platform-verifier` | | the trust store of the operating system |
//! | `grpc` | | gRPC beside REST: [`transport::TransportKind`] |
//! | `async` | | `OperationsAsyncClient`: futures for any executor, see `aio` |
//! | `reflect` | | JSON and bytes of your own message types, by their descriptors (prost-reflect) |
//! | `journal` | | `Journal`: pending operations in a file, so that a wait outlives its process |
//! | `testing` | | `FakeServer` and the virtual clock |
//! | `backoff` | | the delay policies of the crate `backoff` |
//!
//! Features are additive and change no default. Other crates that stand in the interface, so that a new
//! major version of one is a new major version of this: `serde` and `serde_json` 1 ([`Any::decode`]), `prost` and
//! `prost-types` 0.14 ([`Any::unpack`], [`rpc`], [`proto`]), and with their features `backoff` 0.4 and `prost-reflect` 0.16.
//!
//! # Minimum Rust version
//!
//! The minimum Rust version is 1.88; raising it is a minor release.
//!
//! [`google.longrunning.Operations`]: https://github.com/googleapis/googleapis/blob/master/google/longrunning/operations.proto

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "async")]
#[cfg_attr(docsrs, doc(cfg(feature = "async")))]
pub mod aio;
pub mod auth;
mod call;
mod client;
mod client_config;
mod clock;
mod core;
mod env;
mod error;
mod excerpt;
mod file;
#[cfg(test)]
mod folder;
mod handle;
pub mod http;
#[cfg(feature = "journal")]
mod journal;
mod json;
mod name;
mod net;
mod options;
mod pager;
mod pending;
mod poll_many;
mod poller;
pub mod printing;
mod process;
mod progress;
pub mod proto;
#[cfg(test)]
mod random;
mod redact;
pub mod resource;
mod retry;
mod secret;
mod stop;
mod sweep;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod threads;
pub mod transport;
mod types;
mod url;
mod wait_support;

#[cfg(feature = "async")]
#[cfg_attr(docsrs, doc(cfg(feature = "async")))]
pub use aio::OperationsAsyncClient;
pub use auth::Credentials;
pub use call::{Blocking, Call};
pub use client::{OperationsClient, OperationsClientBuilder};
pub use client_config::ClientConfig;
pub use error::{Error, ErrorKind};
pub use handle::OperationHandle;
#[cfg(feature = "journal")]
#[cfg_attr(docsrs, doc(cfg(feature = "journal")))]
pub use journal::Journal;
pub use name::OperationName;
pub use options::{LongPoll, OnTimeout};
pub use pager::{Operations, Pages};
pub use pending::Pending;
pub use poll_many::{Finished, Named, PollMany};
pub use poller::{PollFault, Poller, Snapshots, Target, Update};
pub use progress::Progress;
#[cfg(feature = "reflect")]
#[cfg_attr(docsrs, doc(cfg(feature = "reflect")))]
pub use prost_reflect::DescriptorPool;
pub use retry::{Backoff, Retry, RetryBudget, RetryPolicy};
pub use stop::StopToken;
pub use sweep::{Sweep, SweepReport};
pub use transport::rest::binding::{Binding, Bindings, WaitBinding};
pub use types::{Any, Code, Operation, OperationPage, Outcome, Status, UnknownCode, rpc};

/// The snippets of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// So are those of the page about transports and futures.
#[cfg(all(doctest, feature = "grpc", feature = "async"))]
#[doc = include_str!("../docs/transports.md")]
struct TransportsPage;
