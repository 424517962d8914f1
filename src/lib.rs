//! Blocking client for [`google.longrunning.Operations`]: start, get, wait for, list, cancel and delete the long-running
//! operations of Google APIs, without an async runtime.
//!
//! Many Google APIs start work that takes minutes or hours, and return an [`Operation`]: a name, metadata about
//! its progress, and finally a response or an error. This crate polls it from the calling thread: with the right
//! credentials, through outages, at a considerate rate. It never confuses a request that failed with work that failed.
//!
//! # Quickstart
//!
//! ```
//! # use longrunning::testing::{FakeOperation, FakeServer};
//! # let server = FakeServer::start();
//! # let name = "projects/p/locations/l/operations/42";
//! # server.on_start("POST", "/v2/{name=projects/*/locations/*/jobs/*}:run", FakeOperation::new(name).done_at_poll(3));
//! # let endpoint = server.url();
//! use std::time::Duration;
//!
//! use longrunning::{Credentials, OperationsClient};
//!
//! // Without `credentials`, the client uses the default ones.
//! let builder = OperationsClient::builder(&endpoint).credentials(Credentials::anonymous());
//! let client = builder.api_version("v2").build()?;
//!
//! let run = client.start("/v2/projects/p/locations/l/jobs/j:run").send()?;
//! println!("started {}", run.name()); // started projects/p/locations/l/operations/42
//! let done = run.poller().total_timeout(Duration::from_secs(3600)).until_done()?;
//! println!("{}", done.outcome()); // succeeded
//!
//! let operation = client.get("projects/p/locations/l/operations/42").send()?;
//! assert!(operation.is_done());
//! # Ok::<(), longrunning::Error>(())
//! ```
//!
//! [`start`](OperationsClient::start) sends the request that starts an operation, of any service, and never sends it twice; see
//! [`StartCall`]. For requests that start nothing, such as fetching the created resource, use an HTTP client with
//! [`authorization_headers`](OperationsClient::authorization_headers).
//!
//! An [`OperationsClient`] has one method for each RPC. Each returns a [`Call`], with the same options:
//!
//! | method | RPC | result |
//! |---|---|---|
//! | [`get`](OperationsClient::get) | GetOperation | the latest state |
//! | [`list`](OperationsClient::list) | ListOperations | an iterator over all operations, over [`pages`](Call::pages), or one page |
//! | [`cancel`](OperationsClient::cancel) | CancelOperation | nothing; cancelling is best effort |
//! | [`delete`](OperationsClient::delete) | DeleteOperation | nothing; deleting does not cancel |
//! | [`wait`](OperationsClient::wait) | WaitOperation | the latest state, which the server holds back for a while; few services have it |
//!
//! No request is sent before `send`, iteration or `until_done`.
//!
//! # Waiting
//!
//! [`poller`](OperationsClient::poller) waits until an operation is done, whether it succeeded or failed:
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
//! Transient errors do not end a wait, and the timeout is enforced; the default is 24 hours. A wait that ends early
//! reports the last state of the operation, and that it did not cancel it. A [`Poller`] is also an iterator of
//! snapshots. [`on_update`](Poller::on_update) reports every change, and [`Progress`] reads percentages and times from any
//! metadata type. A [`StopToken`] ends the wait at once. [`long_poll`](Poller::long_poll) uses WaitOperation where the
//! service has it.
//!
//! [`operation`](OperationsClient::operation) returns an [`OperationHandle`]: one operation that a program can keep, wait for
//! and cancel, or hand to another process as a [`Pending`]. With the feature `journal`, a `Journal` stores those in a file.
//!
//! # Many operations
//!
//! [`poll_many`](OperationsClient::poll_many) waits for thousands of operations concurrently and yields them as they finish.
//! Operations with the same parent are polled by listing it, where that costs less than one request for each:
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
//! [`join_all`](PollMany::join_all), [`try_join_all`](PollMany::try_join_all) and [`race`](PollMany::race) collect them in
//! other ways.
//! [`cancel_all`](OperationsClient::cancel_all) and [`delete_done`](OperationsClient::delete_done) cancel or delete in bulk, by
//! filter and age.
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
//! Pages are fetched when the iterator needs them. After an error, [`Error::page_token`] says where to continue. A
//! server that repeats a page token causes an error, not an endless loop.
//!
//! # Results
//!
//! [`Operation::outcome`] distinguishes running, succeeded, failed and malformed. Metadata and response are [`Any`]s: JSON
//! text or protobuf bytes of a type that this crate need not know, unchanged. [`Any::decode`] deserializes them with
//! serde, [`Any::unpack`] returns a prost message. The [`Status`] of a failure has a [`Code`] and [typed details](rpc).
//! [`DataFormat::Proto`](transport::DataFormat::Proto) requests protobuf over REST too. With the feature `reflect`, a
//! `DescriptorPool` converts messages of your own types from bytes to JSON and back.
//!
//! # Credentials
//!
//! [`OperationsClient::new`] uses [Application Default Credentials](Credentials::application_default): the file that
//! `GOOGLE_APPLICATION_CREDENTIALS` names, a gcloud login, or the metadata server of Google Cloud. A builder takes any
//! others: a service account key ([`auth::ServiceAccount`]), a token, an API key, the identity of another provider, or
//! your own [`auth::TokenProvider`]. The module [`auth`] says which ones are used where. Tokens are
//! cached. One caller renews a token before it expires. After a 401, the client fetches a new token and repeats the request once.
//!
//! # Retries and timeouts
//!
//! A call makes up to five attempts within 60 s, each of at most 10 s. [`RetryPolicy`] decides which errors are retried. Hints
//! of the server (`Retry-After`, `RetryInfo`) are lower bounds for the next delay. `attempt_timeout` and `total_timeout` are
//! options of the client, of a call and of a poller; both are enforced on the socket. A [`ClientConfig`] sets them for
//! each method, from a service config of gRPC.
//!
//! # Errors
//!
//! There is one type, [`Error`]. Its [`kind`](Error::kind) is the category, its [`code`](Error::code) the canonical code:
//!
//! ```
//! use longrunning::{Code, Error, ErrorKind};
//!
//! fn explain(err: &Error) -> String {
//!     match (err.kind(), err.code()) {
//!         (ErrorKind::Operation, _) => format!("the work itself failed: {err}"),
//!         (ErrorKind::Service, Some(Code::NotFound)) => "deleted or expired".into(),
//!         (ErrorKind::Timeout, _) => format!("still running: {:?}", err.operation().map(|op| op.name())),
//!         _ => format!("request failed: {err:#}"),
//!     }
//! }
//! ```
//!
//! # Services and their URLs
//!
//! Names of all shapes work without configuration: `operations/42`, `projects/p/locations/l/operations/42`, ids of
//! several segments, bare ids. [`api_version`](OperationsClientBuilder::api_version) sets another version than `v1`, and
//! [`Bindings`] replace path templates. Operations that the client has started, and a [`Pending`], keep their own version. A
//! name that could leave its URL path is rejected before a request is sent.
//!
//! # gRPC
//!
//! With the feature `grpc`, the same client speaks gRPC: `builder(…).transport(TransportKind::Grpc)`, or by name,
//! `.transport("grpc".parse()?)`. Calls, options, errors and retries are the same; `Any`s contain protobuf bytes. Names are
//! sent as they are, because gRPC methods have no bindings. gRPC is blocking too: see [`transport::TransportKind`].
//!
//! # Testing
//!
//! The feature `testing` has `testing::FakeServer`: real HTTP on a loopback port, scripted responses and errors, and a virtual
//! clock, so that no test sleeps. It also plays the servers that issue tokens, and checks the requests to them.
//!
//! # Logging
//!
//! The crate uses `log`. Names, codes and hosts may be personal data. Tokens, keys and request bodies are never logged.
//! At `TRACE`, ureq logs every byte of the wire under the target `ureq_proto`. Secrets of requests are redacted there too,
//! but neither bodies of starts that are longer than 16 KiB nor responses, and the response of a token endpoint contains a
//! token. Leave that target at `DEBUG`.
//!
//! | level | what |
//! |---|---|
//! | `WARN` | what no return value reports: a credentials file that other users can read; a token or client certificate that could not be renewed while the old one is valid; a client certificate that is not used or missing; a login without a quota project; unusable root certificates; keys of a client config without effect; a result that could not be acknowledged in the journal |
//! | `DEBUG` | each attempt, retry and poll, with its outcome and delay; which default credentials were found where; requests to token servers, by host and status; ureq's requests, with sensitive headers redacted |
//! | `TRACE` | nothing of this crate; ureq's connections, and the bytes of responses, **unredacted** |
//!
//! # Threads and async programs
//!
//! Clients are `Send`, `Sync` and cheap to clone. A call blocks its thread. In an async program, make it inside
//! `spawn_blocking`, or use the client with futures, which runs on any executor: feature `async`, `OperationsAsyncClient`.
//!
//! A blocking client starts a short-lived thread to resolve a host name that is not in the cache, and to read the output of an
//! `executable` credential source. A [`PollMany`] and a [`Sweep`] may start a few, which end with them, and
//! [`OperationHandle::on_done`] starts one. Nothing is installed process-wide.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `gzip` | yes | compressed responses; the decoded size is limited |
//! | `webpki-roots` | yes | Mozilla's root certificates, compiled in |
//! | `platform-verifier` | | the trust store of the operating system |
//! | `grpc` | | gRPC beside REST: [`transport::TransportKind`] |
//! | `async` | | `OperationsAsyncClient`: futures for any executor, see `aio` |
//! | `reflect` | | JSON and bytes of your own message types, by their descriptors (prost-reflect) |
//! | `journal` | | `Journal`: pending operations in a file, so that a wait outlives its process |
//! | `testing` | | `FakeServer` and the virtual clock |
//! | `backoff` | | the delay policies of the crate `backoff` |
//!
//! Features are additive and change no default. Public dependencies (a major release of one is a major release of this
//! crate): `serde` and `serde_json` 1 ([`Any::decode`]), `prost` and `prost-types` 0.14 ([`Any::unpack`], [`rpc`], [`proto`]), and
//! with their features `backoff` 0.4 and `prost-reflect` 0.16.
//!
//! # Minimum Rust version
//!
//! The minimum Rust version is 1.88. Raising it is a minor release.
//!
//! [`google.longrunning.Operations`]: https://github.com/googleapis/googleapis/blob/master/google/longrunning/operations.proto

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod auth;
mod call;
mod client;
mod client_config;
mod core;
mod error;
mod fault_class;
#[cfg(test)]
#[path = "../tests/support/folder.rs"]
mod folder;
mod handle;
pub mod http;
#[cfg(feature = "journal")]
mod journal;
mod json;
mod name;
mod net;
mod operation_ref;
mod options;
mod pager;
mod pending;
mod poll_many;
mod poller;
pub mod printing;
mod progress;
pub mod proto;
#[cfg(test)]
#[path = "../tests/support/random.rs"]
mod random;
pub mod resource;
mod retry;
mod start;
mod sweep;
#[cfg(test)]
#[path = "../tests/support/system.rs"]
mod system;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
pub mod transport;
mod types;
mod util;
mod wait_support;

// Last, so that the documentation of a type that has both begins with what blocks.
#[cfg(feature = "async")]
#[cfg_attr(docsrs, doc(cfg(feature = "async")))]
pub mod aio;

#[cfg(feature = "async")]
#[cfg_attr(docsrs, doc(cfg(feature = "async")))]
pub use aio::OperationsAsyncClient;
pub use auth::Credentials;
pub use call::{Blocking, Call, CallRequest};
pub use client::{OperationsClient, OperationsClientBuilder};
pub use client_config::ClientConfig;
pub use error::{Error, ErrorKind};
pub use handle::OperationHandle;
#[cfg(feature = "journal")]
#[cfg_attr(docsrs, doc(cfg(feature = "journal")))]
pub use journal::Journal;
pub use name::OperationName;
pub use operation_ref::OperationRef;
pub use options::{LongPoll, OnTimeout};
pub use pager::{Operations, Pages};
pub use pending::Pending;
pub use poll_many::{Finished, Named, PollMany};
pub use poller::{PollFault, Poller, Snapshots, Update};
pub use progress::Progress;
#[cfg(feature = "reflect")]
#[cfg_attr(docsrs, doc(cfg(feature = "reflect")))]
pub use prost_reflect::DescriptorPool;
pub use retry::{Backoff, Retry, RetryBudget, RetryPolicy};
pub use start::StartCall;
pub use sweep::{Sweep, SweepReport};
pub use transport::WaitBinding;
pub use transport::rest::binding::{Binding, Bindings};
pub use types::{
    Any, Code, MalformedReason, Operation, OperationForm, OperationPage, Outcome, Status, UnknownCode, rpc,
};
pub use util::stop::StopToken;

/// Doors for the fuzz targets; cargo-fuzz sets this `cfg`.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// Returns the end and the depth of the value at the start of a text, if the scanner of this crate takes it.
    pub fn scan(text: &str) -> Option<(usize, usize)> {
        crate::json::scan(text).map(|value| (value.end, value.depth))
    }
}

/// The snippets of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// So are those of the page about transports and futures.
#[cfg(all(doctest, feature = "grpc", feature = "async"))]
#[doc = include_str!("../docs/transports.md")]
struct TransportsPage;

/// And those of the guides.
#[cfg(all(doctest, feature = "testing", feature = "reflect"))]
mod guides {
    #[doc = include_str!("../docs/credentials.md")]
    struct CredentialsPage;

    #[doc = include_str!("../docs/getting-started.md")]
    struct GettingStartedPage;

    #[doc = include_str!("../docs/services.md")]
    struct ServicesPage;

    #[doc = include_str!("../docs/testing.md")]
    struct TestingPage;

    #[doc = include_str!("../docs/troubleshooting.md")]
    struct TroubleshootingPage;

    #[doc = include_str!("../docs/typed-results.md")]
    struct TypedResultsPage;

    #[doc = include_str!("../docs/waiting.md")]
    struct WaitingPage;
}
