//! Who and what the fake servers know: names, and secrets that start with
//! `CANARY-`.

pub(super) const PROJECT: &str = "fake-project";
pub(super) const EMAIL: &str = "robot@fake-project.iam.gserviceaccount.com";
pub(super) const CLIENT_ID: &str = "fake-client.apps.googleusercontent.com";
pub(super) const AUDIENCE: &str = "//iam.googleapis.com/projects/123456789012/locations/global/\
    workloadIdentityPools/fake-pool/providers/fake-provider";
pub(super) const WORKFORCE_AUDIENCE: &str =
    "//iam.googleapis.com/locations/global/workforcePools/fake-pool/providers/fake-provider";
pub(super) const CLIENT_SECRET: &str = "CANARY-client-secret";
pub(super) const RAPT: &str = "CANARY-rapt";
pub(super) const REQUEST_TOKEN: &str = "CANARY-request-token";
pub(super) const SUBJECT_TOKEN: &str = "CANARY-subject-token";
