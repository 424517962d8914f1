//! The transport that a builder describes, before it is made.
//!
//! Options are collected in any order. Which of them contradict each other is
//! known only at the end, so it is checked there.

use std::sync::Arc;

use crate::core::Origin;
use crate::error::Error;
#[cfg(feature = "grpc")]
use crate::transport::grpc::{GrpcOptions, GrpcTransport};
use crate::transport::rest::binding::Bindings;
use crate::transport::rest::{RestOptions, RestTransport};
use crate::transport::{ServiceOptions, ServiceParts, Transport, TransportKind};
use crate::util::clock::Clock;
use crate::util::env::Env;
use crate::util::excerpt::shown;

/// The requested transport of this crate.
#[derive(Clone, Debug)]
pub(super) struct RequestedTransport {
    pub(super) kind: TransportKind,
    pub(super) service: ServiceOptions,
    pub(super) rest: RestOptions,
    /// Whether the program has set bindings.
    pub(super) has_bindings: bool,
    /// The version, if it was set by itself.
    pub(super) api_version: Option<String>,
    #[cfg(feature = "grpc")]
    pub(super) grpc: GrpcOptions,
    /// The first option that was set and belongs to REST.
    pub(super) rest_only: Option<&'static str>,
    /// The first option that was set and belongs to gRPC.
    pub(super) grpc_only: Option<&'static str>,
}

impl RequestedTransport {
    /// Describes the default transport to a service.
    pub(super) fn new(endpoint: String) -> Self {
        Self {
            kind: TransportKind::default(),
            service: ServiceOptions::new(endpoint),
            rest: RestOptions::default(),
            has_bindings: false,
            api_version: None,
            #[cfg(feature = "grpc")]
            grpc: GrpcOptions::default(),
            rest_only: None,
            grpc_only: None,
        }
    }

    /// Makes the bindings of the version, if one is set.
    ///
    /// # Errors
    ///
    /// `Config` if bindings of another version are set too.
    pub(super) fn resolve_version(&mut self) -> Result<(), Error> {
        let Some(version) = &self.api_version else { return Ok(()) };
        let prefix = self.rest.bindings.prefix();
        // One of the two would be ignored, and the program could not know
        // which.
        if self.has_bindings && prefix != version {
            return Err(Error::config(format!(
                "version `{}` contradicts the bindings, which are those of version `{}`: set one of the two",
                shown(version),
                shown(prefix)
            )));
        }
        // Bindings of the same version stay: they may have more than the
        // version.
        if !self.has_bindings {
            self.rest.bindings = Bindings::version(version)?;
        }
        Ok(())
    }

    /// Returns what identifies the service, for `Pending`s: they belong to an
    /// endpoint and a version, not to a connection.
    pub(super) fn origin(&self) -> Origin {
        let rest = self.kind == TransportKind::Rest;
        Origin {
            endpoint: self.service.endpoint.clone(),
            api_endpoint: self.service.api_endpoint.clone(),
            // Over gRPC a name has no version: that is part of the method.
            api_version: rest.then(|| self.rest.bindings.prefix().to_owned()),
        }
    }

    /// Makes the transport.
    ///
    /// # Errors
    ///
    /// `Config` for an option of another transport, and those of
    /// [`ServiceParts::new`].
    pub(super) fn transport(self, clock: Arc<dyn Clock>, env: &dyn Env) -> Result<Arc<dyn Transport>, Error> {
        // Refused instead of ignored: a program that sets bindings relies on
        // them.
        if let Some(option) = self.rest_only.filter(|_| self.kind != TransportKind::Rest) {
            let kind = self.kind;
            return Err(Error::config(format!(
                "option `{option}` has no effect over {kind}: it belongs to the REST transport"
            )));
        }
        if let Some(option) = self.grpc_only.filter(|_| self.kind == TransportKind::Rest) {
            return Err(Error::config(format!(
                "option `{option}` has no effect over rest: it belongs to the gRPC transport"
            )));
        }
        let service = ServiceParts::new(self.service, clock, env)?;
        Ok(match self.kind {
            TransportKind::Rest => Arc::new(RestTransport::new(service, self.rest)),
            #[cfg(feature = "grpc")]
            TransportKind::Grpc => Arc::new(GrpcTransport::new(service, self.grpc, env)?),
        })
    }
}
