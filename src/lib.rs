//! Blocking client for `google.longrunning.Operations`.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod error;
mod json;
pub mod proto;
mod secret;
mod types;

pub use error::{Error, ErrorKind};
pub use types::{Any, Code, Operation, OperationPage, Outcome, Status, UnknownCode, rpc};
