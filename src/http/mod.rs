//! The HTTP seam: what a call asks of an HTTP client, and the client it gets by default.
//!
//! [`HttpClient`] is one exchange: a request goes out, an answer or an [`HttpError`] comes back.
//! Retries, credentials and the meaning of a status code live above it. [`HttpAgent`] is the default;
//! bring your own to go through a stack that your program already has, or to answer without a network.
//!
//! ```
//! use longrunning::http::{HttpClient, HttpError, HttpMethod, HttpRequest, HttpResponse};
//!
//! #[derive(Debug)]
//! struct Canned;
//!
//! impl HttpClient for Canned {
//!     fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
//!         assert_eq!(request.method, HttpMethod::Get);
//!         Ok(HttpResponse::new(200, r#"{"name":"operations/42"}"#))
//!     }
//! }
//!
//! let answer = Canned.send(&HttpRequest::new(HttpMethod::Get, "https://example.com/v1/operations/42"))?;
//! assert_eq!(answer.status, 200);
//! # Ok::<(), HttpError>(())
//! ```

mod agent;
mod client;
mod date;
pub(crate) mod error;
pub(crate) mod options;
mod request;
mod response;
mod sensitive;
#[cfg(test)]
pub(crate) mod tests;
mod ureq;

pub use crate::net::certificate::ClientCertificate;
pub use crate::net::options::{ProxySetting, Roots};
pub use agent::HttpAgent;
pub use client::HttpClient;
#[cfg(test)]
pub(crate) use client::Unplugged;
pub use error::{HttpError, HttpErrorKind};
pub use options::HttpOptions;
pub use request::{HttpMethod, HttpRequest};
pub use response::HttpResponse;
pub use sensitive::is_sensitive;
