//! The hosts of Google's services for mutual TLS
//! ([AIP-4114](https://google.aip.dev/auth/4114)): the one rule for both
//! directions.
//!
//! A client that presents a certificate sends its requests to the host with
//! `mtls`. Two endpoints that differ only in this are the same service.

/// Returns the host of a service for mutual TLS, in lower case; `None` for
/// hosts that have none.
///
/// ```text
/// run.googleapis.com            run.mtls.googleapis.com
/// run.sandbox.googleapis.com    run.mtls.sandbox.googleapis.com
/// a.b.googleapis.com            None
/// localhost                     None
/// ```
pub(crate) fn to_mtls(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    DOMAINS.iter().find_map(|domain| {
        let service = host.strip_suffix(domain).filter(|name| !name.is_empty() && !name.contains('.'))?;
        Some([service, ".mtls", domain].concat())
    })
}

/// Returns the host without mutual TLS, in lower case; `None` if `host` is not
/// one for mutual TLS.
pub(crate) fn from_mtls(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    DOMAINS.iter().find_map(|domain| {
        let service = host.strip_suffix(domain)?.strip_suffix(".mtls")?;
        Some([service, domain].concat())
    })
}

/// The domains of Google's services, the longer one first because it ends like
/// the other.
const DOMAINS: [&str; 2] = [".sandbox.googleapis.com", ".googleapis.com"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_of_google_have_two_hosts() {
        for (plain, mtls) in [
            ("run.googleapis.com", "run.mtls.googleapis.com"),
            ("run.sandbox.googleapis.com", "run.mtls.sandbox.googleapis.com"),
        ] {
            assert_eq!(to_mtls(plain).as_deref(), Some(mtls));
            assert_eq!(from_mtls(mtls).as_deref(), Some(plain));
            assert_eq!((to_mtls(mtls), from_mtls(plain)), (None, None));
        }
        assert_eq!(to_mtls("Run.GoogleAPIs.com").as_deref(), Some("run.mtls.googleapis.com"));
        for other in
            ["run.example.com", "googleapis.com", "us.run.googleapis.com", "run.mtls.example.com", ""]
        {
            assert_eq!((to_mtls(other), from_mtls(other)), (None, None), "{other}");
        }
    }
}
