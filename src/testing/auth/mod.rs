//! The servers that issue tokens to Google's clients, as parts of the fake
//! server: OAuth, Security Token Service, IAM credentials, and the metadata
//! servers of Google Cloud and of AWS.
//!
//! | module | endpoint | documents |
//! |---|---|---|
//! | `oauth` | `/token` | RFC 6749 (refresh tokens), RFC 7523 (assertions) |
//! | `sts` | `/v1/token`, `/v1/oauthtoken`, `/subject-token` | RFC 8693 |
//! | `iam` | `…:generateAccessToken` | the IAM credentials API |
//! | `metadata` | `/computeMetadata/v1/…` | the metadata server of Google Cloud |
//! | `aws` | `/latest/…`, `/v2/credentials/…` | the metadata server of AWS, container credentials |
//!
//! `servers` decides which of them a request is for. They share one
//! `TokenIssuer`, so a token that one of them has issued is accepted by IAM
//! credentials and by the service. `files` writes credentials files that lead
//! to these endpoints. The servers are strict: a parameter that the real
//! endpoint does not know is an error, so that a test finds it.

mod aws;
mod fake_auth;
mod files;
mod form;
mod iam;
mod identities;
mod jwt;
mod metadata;
mod oauth;
mod servers;
mod signed_request;
mod sts;
mod tokens;

pub use fake_auth::FakeAuth;
pub use files::SubjectToken;
pub(super) use servers::TokenServers;

#[cfg(test)]
mod tests;
