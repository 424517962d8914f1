//! Connections to servers: DNS, TCP, proxies, TLS, and how many may be open.
//!
//! [`Connector::connect`](connect::Connector::connect) opens a
//! [`Connection`](connection::Connection) to a server, directly or through a
//! proxy. The layers stack, and each one is a `Connection` itself:
//!
//! ```text
//! https server                TlsConnection
//! https server over a proxy   TlsConnection over a CONNECT tunnel over
//!                             PlainConnection or TlsConnection to the proxy
//! http server                 PlainConnection
//! below all                   TcpConnection to an address of the DNS cache
//! ```
//!
//! What the connection carries (HTTP/1.1, HTTP/2) is the business of the layers
//! above: of HTTP, this module knows only `CONNECT`. It keeps no idle
//! connections either; the pools of `http` and of gRPC do.
//!
//! The rules that hold everywhere in it:
//!
//! - Every blocking operation takes an [`IoLimit`](connection::IoLimit), and
//!   ends at its deadline, or soon after its stop token is stopped.
//! - Errors name host and port, never a URL with credentials.
//! - A forked child touches no socket, session or lookup of its parent: each
//!   part has an `inherited` that returns a fresh one.

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
