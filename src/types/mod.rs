//! The messages of google.longrunning and google.rpc, as services send them.
//!
//! Nothing that a service sends is lost: an [`Operation`] and an [`Any`] keep
//! the text or the bytes in which they arrived, and are interpreted when a
//! program reads them. So a program can store and pass on types and fields that
//! this crate does not know.
//!
//! ```text
//! JSON   ──> operation_fields ──> Operation ─┬─ LazyAny ──> Any ──> T (serde)
//!            extended, if the type is not    │                └───> M (prost), known types only
//!            google.longrunning              └─ Status ──> rpc::ErrorInfo, …
//! bytes  ──> wire, convert ─────> the same, with AnyBytes in place of text
//! ```
//!
//! Memory is shared: the operations of a page are parts of blocks of its text
//! ([`text`]), and a message is a part of its operation. Limits protect against
//! hostile responses: 127 levels of nesting, 1,024 details of an error, 262,144
//! operations on a page.
//!
//! What the modules do not do: they send nothing, and they do not decide
//! whether an error is retried.

mod any;
mod any_bytes;
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

#[cfg(test)]
mod tests;
