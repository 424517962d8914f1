//! The clients, each as its users would write it.

mod google;
mod ours;
mod raw;
#[cfg(feature = "grpc")]
mod tonic;
mod ureq;

pub use google::Google;
pub use ours::Ours;
pub use raw::Raw;
#[cfg(feature = "grpc")]
pub use tonic::Tonic;
pub use ureq::Ureq;
