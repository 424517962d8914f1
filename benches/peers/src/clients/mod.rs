//! The clients, each as its users would write it.

mod google;
mod ours;
mod raw;
mod ureq;

pub use google::Google;
pub use ours::Ours;
pub use raw::Raw;
pub use ureq::Ureq;
