//! The fixed addresses of AWS: where a machine finds its metadata, and a
//! container its credentials.
//!
//! Those of IPv6 are unique local addresses, not link-local ones as for IPv4,
//! so no other rule covers them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where the metadata server listens.
pub(crate) const METADATA: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), IpAddr::V6(unique_local(0x254))];

/// Where containers get their keys: from ECS, or from the agent of EKS Pod
/// Identity.
pub(crate) const CONTAINER: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(unique_local(0x23)),
];

/// `fd00:ec2::LAST`.
const fn unique_local(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, last)
}
