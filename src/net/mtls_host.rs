//! The hosts of Google's services for mutual TLS ([AIP-4114](https://google.aip.dev/auth/4114)): the one rule for all
//! that go there or come from there.

/// Returns the host for mutual TLS: `x.mtls.googleapis.com` for
/// `x.googleapis.com`, `x.mtls.sandbox.googleapis.com` for
/// `x.sandbox.googleapis.com`. Other hosts have none.
pub(crate) fn to_mtls(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    DOMAINS.iter().find_map(|domain| {
        let service = host.strip_suffix(domain).filter(|name| !name.is_empty() && !name.contains('.'))?;
        Some([service, ".mtls", domain].concat())
    })
}

/// Returns the host without mutual TLS, if `host` is one with it.
pub(crate) fn from_mtls(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    DOMAINS.iter().find_map(|domain| {
        let service = host.strip_suffix(domain)?.strip_suffix(".mtls")?;
        Some([service, domain].concat())
    })
}

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
