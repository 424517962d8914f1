//! Certificates of clients: presented to services, and as a credential.

#[path = "../../../it/kit.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the other tests")]
mod kit;
mod network;
mod workload_certificate;
