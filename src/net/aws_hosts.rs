//! The fixed addresses of AWS at which a machine finds its metadata, and a
//! container its credentials.
//!
//! They are reached by plain `http`, and never through a proxy. URLs in
//! credentials files and variables are compared with them before a request is
//! sent. The addresses of IPv6 are unique local addresses, not link-local ones
//! as for IPv4, so no other rule covers them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The metadata server of a machine.
pub(crate) const METADATA: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), IpAddr::V6(unique_local(0x254))];

/// The sources of keys for containers: ECS, and the agent of EKS Pod Identity.
pub(crate) const CONTAINER: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(unique_local(0x23)),
];

/// Returns the address `fd00:ec2::LAST`.
const fn unique_local(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, last)
}
