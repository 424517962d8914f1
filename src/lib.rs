//! Blocking client for `google.longrunning.Operations`.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod auth;
mod clock;
mod error;
mod json;
mod name;
pub mod proto;
pub mod resource;
pub mod http;
mod secret;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;
mod types;

pub use error::{Error, ErrorKind};
pub use name::OperationName;
pub use transport::rest::binding::{Binding, Bindings, WaitBinding};
pub use types::{Any, Code, Operation, OperationPage, Outcome, Status, rpc};
