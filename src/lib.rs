//! Blocking client for `google.longrunning.Operations`.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod auth;
mod call;
mod client;
mod clock;
mod env;
mod error;
pub mod http;
mod json;
mod name;
mod pager;
mod poller;
pub mod proto;
pub mod resource;
mod retry;
mod secret;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;
mod types;

pub use auth::Credentials;
pub use call::Call;
pub use client::{OperationsClient, OperationsClientBuilder};
pub use error::{Error, ErrorKind};
pub use name::OperationName;
pub use pager::{Operations, Pages};
pub use poller::{Poller, Snapshots, Target};
pub use retry::{Backoff, Retry, RetryPolicy};
pub use transport::rest::binding::{Binding, Bindings, WaitBinding};
pub use types::{Any, Code, Operation, OperationPage, Outcome, Status, UnknownCode, rpc};
