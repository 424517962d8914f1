//! Blocking client for `google.longrunning.Operations`.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod error;
mod json;
mod name;
pub mod proto;
pub mod resource;
mod secret;
mod types;

pub use error::{Error, ErrorKind};
pub use name::OperationName;
pub use types::{Any, Code, Operation, OperationPage, Outcome, Status, rpc};
