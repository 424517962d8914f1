//! Blocking client for `google.longrunning.Operations`.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod auth;
mod clock;
mod error;
mod secret;
pub mod types;

pub use error::{Error, ErrorKind};
pub use types::{Any, Code, Operation, Outcome, Status};
