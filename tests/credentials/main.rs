//! Every kind of credentials, with servers that check what they are sent, and the holes that other clients have.

mod adc;
mod containers;
mod holes;
mod kinds;
mod kit;
#[cfg(target_os = "linux")]
mod memory;
mod metadata;
mod secrets;
mod stops;
mod storms;
