//! Options of the protocol: paths, versions, the form of messages.
//!
//! They belong to one transport each: `build` fails if the client has the other
//! one.

use crate::transport::rest::binding::Bindings;
use crate::transport::rest::format::DataFormat;

use super::OperationsClientBuilder;

/// Options of the protocol.
impl OperationsClientBuilder {
    /// Sets how methods map to URLs. Default: [`Bindings::default`], `/v1/…`.
    ///
    /// ```
    /// use longrunning::{Bindings, Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .bindings(Bindings::version("v2")?)
    ///     .credentials(Credentials::anonymous())
    ///     .build()?;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn bindings(self, bindings: Bindings) -> Self {
        // Remembered as set by the program, so that neither the host nor the
        // version replaces it.
        self.set_rest("bindings", |requested| {
            requested.rest.bindings = bindings;
            requested.has_bindings = true;
        })
    }

    /// Sets the version of the API, which is the path prefix of all requests:
    /// short for the bindings of [`Bindings::version`]. Default: `v1`.
    ///
    /// Operations that the client starts are polled at the version of the path
    /// they were started with, and a [`Pending`](crate::Pending) at its
    /// own. `build` fails with [`ErrorKind::Config`](crate::ErrorKind::Config)
    /// if [`bindings`](Self::bindings) of another version are set too.
    ///
    /// ```
    /// use longrunning::Operation;
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// server.insert(Operation::running("projects/p/locations/l/operations/42"));
    /// let client = server.client_builder().api_version("v2").build()?;
    /// client.get("projects/p/locations/l/operations/42").send()?;
    /// assert_eq!(server.requests()[0].path(), "/v2/projects/p/locations/l/operations/42");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn api_version(self, version: impl Into<String>) -> Self {
        self.set_rest("api_version", |requested| requested.api_version = Some(version.into()))
    }

    /// Sets the requested form of responses: JSON, the default, or protobuf
    /// bytes.
    ///
    /// The content type of a response determines how it is decoded. So a
    /// service that responds in JSON anyway, as many do for errors, works
    /// too. Requests are the same.
    ///
    /// ```
    /// use longrunning::transport::DataFormat;
    /// use longrunning::{Credentials, OperationsClient};
    ///
    /// let client = OperationsClient::builder("https://run.googleapis.com")
    ///     .data_format(DataFormat::Proto)
    ///     .credentials(Credentials::anonymous())
    ///     .build()?;
    /// # let _ = client;
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn data_format(self, data_format: DataFormat) -> Self {
        self.set_rest("data_format", |requested| requested.rest.data_format = data_format)
    }

    /// Requests enums as numbers (`$alt=json;enum-encoding=int`). Default: off.
    ///
    /// This crate decodes either form; the option is for response types that
    /// the caller decodes. Protobuf bytes
    /// ([`data_format`](Self::data_format)) always have numbers for enums, so
    /// it has no effect on them.
    ///
    /// ```
    /// use longrunning::testing::FakeServer;
    ///
    /// let server = FakeServer::start();
    /// let client = server.client_builder().enum_encoding_int(true).build()?;
    /// client.list("projects/p").send()?;
    /// assert_eq!(server.requests()[0].query("$alt").as_deref(), Some("json;enum-encoding=int"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn enum_encoding_int(self, enabled: bool) -> Self {
        self.set_rest("enum_encoding_int", |requested| requested.rest.enum_encoding_int = enabled)
    }

    /// Limits the size of response messages, before and after decompression.
    /// Default: 4 MiB, as usual with gRPC.
    ///
    /// A longer message is rejected before it is read. This is an option of
    /// gRPC; REST accepts operations of up to 32 MiB and list pages of up
    /// to 64 MiB.
    #[cfg(feature = "grpc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
    pub fn message_limit(self, bytes: usize) -> Self {
        self.set_grpc("message_limit", |grpc| grpc.message_limit = bytes)
    }
}
