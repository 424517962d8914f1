//! The properties of every transport: each runs once per transport.

#[path = "../../../../it/suite/kit.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the other tests")]
mod kit;
mod properties;
mod token_windows;
