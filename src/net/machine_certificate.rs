//! The client certificate of this machine: where to look for it
//! ([AIP-4114](https://google.aip.dev/auth/4114)).
//!
//! ```text
//! 1  GOOGLE_API_CERTIFICATE_CONFIG                         the named file
//! 2  CLOUDSDK_CONTEXT_AWARE_CERTIFICATE_CONFIG_FILE_PATH   must exist
//! 3  certificate_config.json in the folder of gcloud       if it exists
//! 4  the bundle that GKE mounts into a pod                 if it exists
//! ```
//!
//! The certificate provider commands of Endpoint Verification are not
//! supported, because they run a program.

use std::path::Path;

use crate::util::env::{Env, gcloud_folder};
use crate::util::file::is_absent;

use super::certificate::ClientCertificate;

/// Returns the certificate of the first place that is named or exists; `None`
/// if there is no such place.
///
/// It does not open the certificate. If that cannot be used, building the
/// client fails: there is no fallback to the next place.
pub(crate) fn machine_certificate(env: &dyn Env, bundle: &Path) -> Option<ClientCertificate> {
    for variable in [CONFIG, CONFIG_OF_GCLOUD] {
        if let Some(path) = env.var(variable) {
            return Some(ClientCertificate::from_config_of(path, variable));
        }
    }
    let config = gcloud_folder(env, cfg!(windows)).map(|folder| folder.join("certificate_config.json"));
    if let Some(path) = config.filter(|path| !is_absent(path)) {
        return Some(ClientCertificate::from_config_file(path));
    }
    (!is_absent(bundle)).then(|| ClientCertificate::from_files(bundle, bundle))
}

/// The variable of all Google clients.
pub(crate) const CONFIG: &str = "GOOGLE_API_CERTIFICATE_CONFIG";
/// The variable of gcloud.
pub(crate) const CONFIG_OF_GCLOUD: &str = "CLOUDSDK_CONTEXT_AWARE_CERTIFICATE_CONFIG_FILE_PATH";

/// Where GKE mounts certificate and key of a workload.
pub(crate) const BUNDLE: &str =
    "/var/run/secrets/workload-spiffe-credentials/x509.credential-bundle.private-key.pem";
