//! Blocking client for `google.longrunning.Operations`.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod error;
pub mod http;
mod secret;
pub mod types;

pub use error::{Error, ErrorKind};
pub use types::{Any, Code, Operation, Outcome, Status};
