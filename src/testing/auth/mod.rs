//! The servers that Google's clients get tokens from, as parts of the same
//! fake: OAuth, Security Token Service, IAM credentials, and the metadata
//! servers of Google Cloud and of AWS.

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
