//! Long-running operations of Google APIs, from plain synchronous Rust: start
//! the work, wait for it, get its result.
//!
//! Many Google APIs start work that takes minutes or hours, and return an
//! [`Operation`]: a name, metadata about the progress, and finally a response
//! or an error. This crate starts it, polls it from the calling thread, with
//! the right credentials, through outages, at a considerate rate, and lists,
//! cancels and deletes operations ([`google.longrunning.Operations`]).
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use longrunning::{Error, OperationsClient};
//!
//! #[derive(serde::Deserialize)]
//! #[serde(rename_all = "camelCase")]
//! struct Execution {
//!     succeeded_count: u32,
//! }
//!
//! fn main() -> Result<(), Error> {
//!     let builder = OperationsClient::builder("https://run.googleapis.com").api_version("v2");
//!     let client = builder.build()?; // with Google's default credentials
//!
//!     let run = client.start("/v2/projects/p/locations/l/jobs/j:run").send()?;
//!     let done = run.poller().total_timeout(Duration::from_secs(3600)).until_done()?;
//!     let execution: Execution = done.into_response()?;
//!     println!("{} tasks succeeded", execution.succeeded_count);
//!     Ok(())
//! }
//! ```
//!
//! # Calls
//!
//! | method of [`OperationsClient`] | what it does | result |
//! |---|---|---|
//! | [`start`](OperationsClient::start) | sends the request that starts an operation of any service, never twice | an [`OperationHandle`] |
//! | [`get`](OperationsClient::get) | GetOperation | the latest state |
//! | [`list`](OperationsClient::list) | ListOperations | an iterator over operations or [`pages`](Call::pages), or one page |
//! | [`cancel`](OperationsClient::cancel) | CancelOperation; best effort | nothing |
//! | [`delete`](OperationsClient::delete) | DeleteOperation; does not cancel | nothing |
//! | [`wait`](OperationsClient::wait) | WaitOperation, which few services have | the latest state |
//!
//! Each returns a [`Call`] (or a [`StartCall`]) with the same options; `send`
//! sends it. A call makes up to five attempts within 60 s, each of at most 10
//! s. [`RetryPolicy`] decides which errors are retried; hints of the server
//! (`Retry-After`, `RetryInfo`) are lower bounds for the next delay. A start is
//! not retried, because it could start twice.
//!
//! # Waiting
//!
//! [`poller`](OperationsClient::poller) waits until an operation is done,
//! whether it succeeded or failed. Transient errors do not end a wait, and the
//! timeout is enforced; the default is 24 hours. A [`Poller`] is also an
//! iterator of snapshots. [`on_update`](Poller::on_update) reports each change,
//! with the [`Progress`] that it reads from metadata of any type, and why polls
//! fail while they do. A [`StopToken`] ends a wait at once.
//!
//! [`poll_many`](OperationsClient::poll_many) waits for thousands of operations
//! and yields them as they finish.
//! [`cancel_all`](OperationsClient::cancel_all) and
//! [`delete_done`](OperationsClient::delete_done) cancel and delete in bulk. An
//! [`OperationHandle`] is one operation to keep; a [`Pending`] continues the
//! wait in another process, and a [`Journal`] (feature `journal`) keeps those in
//! a file.
//!
//! # Results and errors
//!
//! [`Operation::outcome`] distinguishes running, succeeded, failed and
//! malformed. Metadata and response are [`Any`]s: JSON or protobuf
//! of a type that this crate need not know, unchanged.
//! [`Operation::into_response`] decodes with serde, [`Any::unpack`] returns a
//! prost message, the feature `reflect` converts between both. The [`Status`]
//! of a failure has a [`Code`] and [typed details](rpc).
//!
//! There is one error type, [`Error`]. Its [`kind`](Error::kind) is the
//! category, its [`code`](Error::code) the canonical code:
//!
//! ```
//! use longrunning::{Code, Error, ErrorKind};
//!
//! fn explain(err: &Error) -> String {
//!     match (err.kind(), err.code()) {
//!         (ErrorKind::Operation, _) => format!("the work itself failed: {err}"),
//!         (ErrorKind::Service, Some(Code::NotFound)) => "deleted or expired".into(),
//!         (ErrorKind::Timeout, _) => format!("still running: {}", err.name().unwrap_or_default()),
//!         _ => format!("request failed: {err:#}"),
//!     }
//! }
//! ```
//!
//! # Credentials and services
//!
//! [`OperationsClient::new`] uses [Application Default
//! Credentials](Credentials::application_default). A builder takes any other
//! [`Credentials`]: a key, a token, an API key, the identity of another
//! provider, or your own [`auth::TokenProvider`]. Tokens are cached, and renewed
//! before they expire.
//! [`authorization_headers`](OperationsClient::authorization_headers) returns
//! the headers for requests of your own, such as fetching the created resource.
//!
//! Operation names of all shapes work without configuration;
//! [`api_version`](OperationsClientBuilder::api_version) sets the version
//! and [`Bindings`] replace path templates. [`transport::TransportKind`]
//! selects gRPC (feature `grpc`), [`transport::DataFormat`] protobuf over REST.
//! With the feature `async`, [`OperationsAsyncClient`] returns futures for any
//! executor.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `gzip` | yes | compressed responses; the decoded size is limited |
//! | `webpki-roots` | yes | Mozilla's root certificates, compiled in |
//! | `platform-verifier` | | the trust store of the operating system |
//! | `grpc` | | gRPC beside REST: [`transport::TransportKind`] |
//! | `async` | | [`OperationsAsyncClient`]: futures for any executor, see [`aio`] |
//! | `reflect` | | JSON and bytes of your own message types, by their descriptors (prost-reflect) |
//! | `journal` | | [`Journal`]: pending operations in a file, so that a wait outlives its process |
//! | `testing` | | [`testing::FakeServer`], which speaks real HTTP on a loopback port, and a virtual clock: no test sleeps |
//! | `backoff` | | the delay policies of the crate `backoff` |
//!
//! Features are additive and change no default. Public dependencies (a major
//! release of one is a major release of this crate): `serde` and `serde_json`
//! 1, `prost` and `prost-types` 0.14, and with their features `backoff` 0.4 and
//! `prost-reflect` 0.16. The minimum Rust version is 1.88; raising it is a
//! minor release.
//!
//! # Threads and logging
//!
//! Clients are `Send`, `Sync` and cheap to clone. A call blocks its thread; in
//! an async program, make it inside `spawn_blocking`. A client starts a
//! short-lived thread to resolve a host name, and to read the output of an
//! `executable` credential source; a [`PollMany`] and a [`Sweep`] may start a
//! few, which end with them. Nothing is installed process-wide.
//!
//! The crate uses `log`. Tokens, keys and request bodies are never logged;
//! names, codes and hosts may be personal data.
//!
//! | level | what |
//! |---|---|
//! | `WARN` | what no return value reports, such as a credentials file that other users can read, or a token that could not be renewed |
//! | `DEBUG` | each attempt, retry and poll, with its outcome and delay; which credentials were found where |
//! | `TRACE` | nothing of this crate. ureq logs the bytes of responses, and of bodies of starts above 16 KiB, **unredacted** (target `ureq_proto`): leave that at `DEBUG` |
//!
//! [`google.longrunning.Operations`]: https://github.com/googleapis/googleapis/blob/master/google/longrunning/operations.proto

#![cfg_attr(docsrs, feature(doc_cfg))]
// Links to the items of a feature lead to the table of features without it.
#![cfg_attr(not(feature = "async"), doc = "[`OperationsAsyncClient`]: #features\n[`aio`]: #features")]
#![cfg_attr(not(feature = "journal"), doc = "[`Journal`]: #features")]
#![cfg_attr(not(feature = "testing"), doc = "[`testing::FakeServer`]: #features")]

pub mod auth;
mod call;
mod client;
mod client_config;
mod core;
mod error;
mod fault_class;
// The three modules of `tests/support` serve unit tests here and integration
// tests in `tests`.
#[cfg(test)]
#[path = "../tests/support/folder.rs"]
mod folder;
mod handle;
pub mod http;
#[cfg(feature = "journal")]
mod journal;
mod json;
mod link;
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

// Last, because rustdoc lists the methods of a type in the order of the modules:
// those that block come before those that return futures.
#[cfg(feature = "async")]
#[cfg_attr(docsrs, doc(cfg(feature = "async")))]
pub mod aio;

#[cfg(feature = "async")]
#[cfg_attr(docsrs, doc(cfg(feature = "async")))]
#[doc(inline)]
pub use aio::OperationsAsyncClient;
#[doc(inline)]
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
#[doc(inline)]
pub use transport::WaitBinding;
pub use transport::rest::binding::Bindings;
pub use transport::rest::method_binding::Binding;
pub use types::{
    Any, Code, MalformedReason, Operation, OperationForm, OperationPage, Outcome, Status, UnknownCode, rpc,
};
pub use util::stop::StopToken;

/// Doors for the fuzz targets; cargo-fuzz sets this `cfg`.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// Returns the end and the depth of the value at the start of a text, if
    /// the scanner of this crate takes it.
    pub fn scan(text: &str) -> Option<(usize, usize)> {
        crate::json::scan(text).map(|value| (value.end, value.depth))
    }
}

/// The snippets of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// So are those of the page about extended operations.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../docs/extended-operations.md")]
struct ExtendedOperationsPage;

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

    #[doc = include_str!("../docs/python.md")]
    struct PythonPage;

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
