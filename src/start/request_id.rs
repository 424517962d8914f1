//! Checks whether a service takes `requestId` in the query of a start
//! ([AIP-155](https://google.aip.dev/155)).
//!
//! Only services that are known not to take it are refused. For all others the
//! reference of the method decides, which the program has to read.

use crate::core::Origin;
use crate::error::Error;
use crate::transport::OperationService;

/// Returns an error for a service that is known to ignore or reject a request
/// id. If it were sent, a retry could start a second operation.
pub(super) fn check(origin: Option<&Origin>, path: &str) -> Result<(), Error> {
    // Only gRPC has no version of the API.
    if origin.is_some_and(|origin| origin.api_version.is_none()) {
        return Err(Error::config(
            "a request id is a field of the message over gRPC: set it there, and call `.idempotent(true)`",
        ));
    }
    // By the host first: a custom endpoint has the path of the service only.
    let by_host = origin.and_then(|origin| OperationService::of_endpoint(&origin.endpoint));
    let service = by_host.or_else(|| OperationService::of_prefix(path.trim_start_matches('/')));
    match service.and_then(|service| Some((service, instead(service)?))) {
        None => Ok(()),
        Some((service, instead)) => Err(Error::config(format!(
            "{} does not accept `requestId`, so a retry could start a second operation: {instead}",
            service.title()
        ))),
    }
}

/// Returns what to do without a request id, if the discovery document of the
/// service has no parameter `requestId`.
fn instead(service: OperationService) -> Option<&'static str> {
    match service {
        OperationService::CloudSql
        | OperationService::KubernetesEngine
        | OperationService::DeploymentManager => Some("leave it out"),
        OperationService::CloudDns => Some("use `.query(\"clientOperationId\", id).idempotent(true)`"),
        OperationService::ComputeEngine | OperationService::CloudStorage => None,
    }
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
