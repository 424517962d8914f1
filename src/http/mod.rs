//! HTTP: the trait for HTTP clients, and the default client.
//!
//! [`HttpClient`] makes one exchange: it sends a request, and returns a
//! response or an [`HttpError`]. Retries, credentials and the meaning of a
//! status code are in the layers above. [`HttpAgent`] is the default. Implement
//! your own client to use the HTTP stack of your program, or to respond without
//! a network.
//!
//! ```text
//! transport/rest, auth   HttpRequest ──► HttpClient::send ──► HttpResponse
//! HttpAgent              checks the URL, takes a permit
//! HttpLibrary (ureq)     HTTP/1.1, the pool of idle connections
//! net                    DNS, TCP, proxies, TLS
//! ```
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
//! let response = Canned.send(&HttpRequest::new(HttpMethod::Get, "https://example.com/v1/operations/42"))?;
//! assert_eq!(response.status, 200);
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
#[cfg(feature = "grpc")]
pub(crate) use client::MOST_IDLE_BEFORE_ONCE;
#[cfg(test)]
pub(crate) use client::Unplugged;
pub use error::{HttpError, HttpErrorKind};
pub use options::HttpOptions;
pub use request::{HttpMethod, HttpRequest};
pub use response::HttpResponse;
pub use sensitive::is_sensitive;
