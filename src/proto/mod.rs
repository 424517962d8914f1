//! The protobuf messages of `google.longrunning` and `google.rpc`, as [prost] generates them.
//!
//! The `.proto` files lie in `proto/`; `tests/heavy/tests/proto_drift.rs` writes the code here and fails when the two
//! differ. The well-known types are those of [`prost_types`].

/// The packages under `google`.
#[rustfmt::skip] // and with it the generated files
pub mod google {
    /// The requests and answers of the service `google.longrunning.Operations`.
    pub mod longrunning;

    /// The error model: `Status`, `Code` and the error details.
    pub mod rpc;
}
