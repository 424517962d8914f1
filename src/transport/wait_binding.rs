//! The HTTP rules for WaitOperation.
//!
//! The proto has no rule for this RPC, so services chose their own. A `timeout`
//! of the request is a Duration in ProtoJSON: seconds with `s`.

/// The HTTP rule by which a service binds WaitOperation; most services do not
/// bind it.
///
/// The name of an operation does not say which rule its service has, so a
/// program has to choose one, or [`LongPoll::Auto`](crate::LongPoll::Auto)
/// tries them.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitBinding {
    /// `POST /v1/{name}:wait` with the body `{"timeout": "3.5s"}`.
    ///
    /// Cloud Run v2, Translate v3, AutoML v1, Vertex AI v1beta1, Runtime
    /// Configurator, Route Optimization.
    Body,
    /// `POST /v1/{name}:wait?timeout=3.5s` with an empty body.
    ///
    /// Vertex AI v1, On-Demand Scanning.
    Query,
    /// `GET /v1/{name}:wait?timeout=3.5s`.
    ///
    /// Colab.
    Get,
}
