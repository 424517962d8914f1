//! The messages of google.longrunning and google.rpc, as they come over the wire.

mod any;
mod code;
mod operation;
mod outcome;
mod page;
pub mod rpc;
mod status;
mod text;

pub use any::Any;
pub use code::Code;
pub use operation::Operation;
pub use outcome::Outcome;
pub use page::OperationPage;
pub use status::Status;
