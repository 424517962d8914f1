//! What others say: Google's own client, protobuf and JWT libraries for Python, against this crate.
//!
//! The tests make a virtual environment with pinned packages under the target folder and leave the rest of the
//! machine alone. Where Python or the packages cannot be had, they say `SKIPPED` on standard error and pass,
//! unless `CI=true` or `LONGRUNNING_WITNESS=require` is set.

mod client;
mod client_config;
#[cfg(feature = "reflect")]
mod descriptors;
mod extended;
mod google_auth;
#[cfg(feature = "grpc")]
mod grpc;
mod jwt;
mod openssl;
mod protobuf;
mod python;
mod python_members;
mod services;
mod token_requests;
