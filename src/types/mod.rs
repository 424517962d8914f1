//! The messages of google.longrunning and google.rpc, as they come over the
//! wire.

mod any;
mod code;
mod convert;
mod error_body;
mod extended;
mod known;
mod lazy_any;
mod message;
mod operation;
mod operation_fields;
mod outcome;
mod packed;
mod page;
#[cfg(feature = "reflect")]
#[cfg_attr(docsrs, doc(cfg(feature = "reflect")))]
mod reflect;
pub mod rpc;
mod status;
mod text;
mod well_known;
mod wire;

pub use any::Any;
pub use code::{Code, UnknownCode};
pub(crate) use error_body::ParsedErrorBody;
pub use extended::OperationForm;
pub(crate) use extended::link as resource_link;
pub use operation::Operation;
pub use outcome::{MalformedReason, Outcome};
pub use page::OperationPage;
pub use status::Status;
