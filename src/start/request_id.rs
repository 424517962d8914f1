//! Services that take no `requestId` in the query of a start.

use crate::core::Origin;
use crate::error::Error;
use crate::net::mtls_host;
use crate::util::url::UrlParts;

/// Refuses a request id for a service that is known to ignore or refuse it. If it were sent, a retry would start twice.
pub(super) fn check(origin: Option<&Origin>, path: &str) -> Result<(), Error> {
    if origin.is_some_and(|origin| origin.api_version.is_none()) {
        return Err(Error::config(
            "a request id is a field of the message over gRPC: set it there, and call `.idempotent(true)`",
        ));
    }
    let host = origin.map(|origin| host(&origin.endpoint)).unwrap_or_default();
    match SERVICES.iter().find(|service| service.is_at(&host, path)) {
        None => Ok(()),
        Some(Service { name, instead, .. }) => Err(Error::config(format!(
            "{name} takes no `requestId`, so a retry could start a second operation: {instead}"
        ))),
    }
}

struct Service {
    name: &'static str,
    host: &'static str,
    /// The first segment of its paths, if that tells it apart.
    prefix: &'static str,
    instead: &'static str,
}

impl Service {
    fn is_at(&self, host: &str, path: &str) -> bool {
        let segment = path.trim_start_matches('/').split('/').next();
        let is_regional = || host.strip_suffix(self.host).is_some_and(|region| region.ends_with('-'));
        host == self.host || is_regional() || !self.prefix.is_empty() && segment == Some(self.prefix)
    }
}

/// From the discovery documents: no parameter of theirs is called `requestId`.
const SERVICES: [Service; 4] = [
    Service { name: "Cloud SQL", host: "sqladmin.googleapis.com", prefix: "sql", instead: "leave it out" },
    Service {
        name: "Kubernetes Engine",
        host: "container.googleapis.com",
        prefix: "",
        instead: "leave it out",
    },
    Service {
        name: "Deployment Manager",
        host: "deploymentmanager.googleapis.com",
        prefix: "deploymentmanager",
        instead: "leave it out",
    },
    Service {
        name: "Cloud DNS",
        host: "dns.googleapis.com",
        prefix: "dns",
        instead: "use `.query(\"clientOperationId\", id).idempotent(true)`",
    },
];

/// Returns the host of an endpoint, also if it is the one for mutual TLS.
fn host(endpoint: &str) -> String {
    let host =
        UrlParts::split_or("https", endpoint).map(|url| url.host.to_ascii_lowercase()).unwrap_or_default();
    mtls_host::from_mtls(&host).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_without_request_ids() {
        let rows = [
            ("run.googleapis.com", "/v2/x", None),
            ("https://compute.googleapis.com", "/compute/v1/x", None),
            ("https://sqladmin.googleapis.com", "/v1/x", Some("Cloud SQL")),
            ("http://127.0.0.1:9", "/sql/v1beta4/x", Some("Cloud SQL")),
            ("SQLADMIN.googleapis.com:443", "/v1/x", Some("Cloud SQL")),
            ("sqladmin.mtls.googleapis.com", "/v1/x", Some("Cloud SQL")),
            ("container.googleapis.com", "/v1/x", Some("Kubernetes Engine")),
            ("europe-west1-container.googleapis.com", "/v1/x", Some("Kubernetes Engine")),
            ("www.googleapis.com", "/deploymentmanager/v2/x", Some("Deployment Manager")),
            ("dns.googleapis.com", "/dns/v1/x", Some("clientOperationId")),
        ];
        for (endpoint, path, refused) in rows {
            let origin = Origin {
                endpoint: endpoint.to_owned(),
                api_endpoint: None,
                api_version: Some("v1".to_owned()),
            };
            let message = check(Some(&origin), path).err().map(|error| error.to_string());
            assert_eq!(message.is_some(), refused.is_some(), "{endpoint}{path}");
            assert!(message.unwrap_or_default().contains(refused.unwrap_or_default()), "{endpoint}{path}");
        }
        assert!(check(None, "/sql/v1/x").is_err());
        let grpc = Origin { endpoint: "h".into(), api_endpoint: None, api_version: None };
        assert!(check(Some(&grpc), "a.B/C").is_err());
    }
}
