//! The protobuf messages of `google.longrunning` and `google.rpc`, as [prost] generates them.
//!
//! The `.proto` files are in `proto/`. The test
//! `tests/heavy/tests/proto_drift.rs` generates the code again and fails if it
//! differs. Nothing here is edited by hand but the setters. The well-known
//! types are those of [`prost_types`].
//!
//! A program creates a message with its setters, so that a field which Google adds is no breaking change:
//!
//! ```
//! use longrunning::proto::google::longrunning::ListOperationsRequest;
//!
//! let request = ListOperationsRequest::default().name("projects/p").page_size(50);
//! assert_eq!(request.page_size, 50);
//! ```

/// The packages under `google`.
#[rustfmt::skip] // and with it the generated files
pub mod google {
    /// The requests and responses of the service `google.longrunning.Operations`.
    pub mod longrunning;

    /// The error model: `Status`, `Code` and the error details.
    pub mod rpc;
}

mod setters;
