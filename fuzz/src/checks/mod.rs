//! One function for each fuzz target.

mod client_config;
mod credentials;
mod journal;
mod messages;
mod names;
mod operations;
mod responses;
mod scenario;
mod urls;

pub use client_config::client_config;
pub use credentials::credentials;
pub use journal::journal;
pub use names::names;
#[cfg(fuzzing)]
pub use operations::json_scan;
pub use operations::{operation_json, operation_proto};
pub use responses::{http_response, http2_response};
pub use scenario::scenario;
pub use urls::urls;

/// A check of one input.
pub type InputCheck = fn(&[u8]);

/// The targets that need no `cfg` of cargo-fuzz, by the name of their folder.
pub const ALL: [(&str, InputCheck); 10] = [
    ("client_config", client_config),
    ("credentials", credentials),
    ("http2_response", http2_response),
    ("http_response", http_response),
    ("journal", journal),
    ("names", names),
    ("operation_json", operation_json),
    ("operation_proto", operation_proto),
    ("scenario", scenario),
    ("urls", urls),
];
