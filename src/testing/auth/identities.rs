//! The names and secrets that the token servers know: one project, one service
//! account, one OAuth client, one identity provider.
//!
//! Every secret starts with `CANARY-`, so that tests can search logs and
//! messages for that word.

/// The project of the service account.
pub(super) const PROJECT: &str = "fake-project";
/// The service account.
pub(super) const EMAIL: &str = "robot@fake-project.iam.gserviceaccount.com";
/// The OAuth client of users.
pub(super) const CLIENT_ID: &str = "fake-client.apps.googleusercontent.com";
/// The provider of a workload identity pool.
pub(super) const AUDIENCE: &str = "//iam.googleapis.com/projects/123456789012/locations/global/\
    workloadIdentityPools/fake-pool/providers/fake-provider";
/// The provider of a workforce pool, whose users log in.
pub(super) const WORKFORCE_AUDIENCE: &str =
    "//iam.googleapis.com/locations/global/workforcePools/fake-pool/providers/fake-provider";
pub(super) const CLIENT_SECRET: &str = "CANARY-client-secret";
/// The proof of a new login, which a user sends as `rapt` if reauthentication
/// is required.
pub(super) const RAPT: &str = "CANARY-rapt";
/// The bearer token that `GET /subject-token` requires.
pub(super) const REQUEST_TOKEN: &str = "CANARY-request-token";
/// The token of the identity provider.
pub(super) const SUBJECT_TOKEN: &str = "CANARY-subject-token";
