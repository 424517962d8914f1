//! Connections to servers: DNS, TCP, proxies, TLS, and how many may be open.
//!
//! [`Connector::connect`](connect::Connector::connect) opens a
//! [`Connection`](connection::Connection) to a server, directly or through a
//! proxy. What the connection carries (HTTP/1.1, HTTP/2) is the business of the
//! layers above: of HTTP this module knows `CONNECT` alone. All blocking
//! operations take an [`IoLimit`](connection::IoLimit).

pub(crate) mod aws_hosts;
pub(crate) mod certificate;
pub(crate) mod connect;
pub(crate) mod connection;
pub(crate) mod dns;
pub(crate) mod error;
pub(crate) mod machine_certificate;
pub(crate) mod mtls_host;
pub(crate) mod options;
pub(crate) mod peer;
pub(crate) mod permits;
pub(crate) mod plain;
pub(crate) mod proxy;
mod sockets;
mod tcp;
pub(crate) mod tls;
mod tunnel;
