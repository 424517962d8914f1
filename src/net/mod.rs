//! Connections: TCP, DNS, proxies, TLS.

pub(crate) mod certificate;
pub(crate) mod connect;
pub(crate) mod dns;
pub(crate) mod permits;
pub(crate) mod proxy;
pub(crate) mod sockets;
#[cfg(feature = "grpc")]
pub(crate) mod stream;
pub(crate) mod tcp;
pub(crate) mod tls;
pub(crate) mod tunnel;
