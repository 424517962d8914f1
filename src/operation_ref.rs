//! The one type by which methods take an operation.
//!
//! Users have an operation in many forms: a name, a URL, a received
//! [`Operation`], a [`Pending`] from a file. Methods take `impl
//! Into<OperationRef>`, and the conversions below keep what each form knows. A
//! conversion cannot fail, so an invalid name travels as an error inside the
//! value, and the method that sends the request returns it.
//!
//! ```text
//! name, URL ──┐ From                 at(&Core)            into_target()
//! Operation ──┼────► OperationRef ──► checked, with ─────► name, version
//! Pending ────┘                       its version          of a request
//! ```
//!
//! Each method calls [`OperationRef::at`] before it uses the name. There, an
//! operation of another service is refused.

use std::sync::Arc;
use std::time::Instant;

use crate::core::Core;
use crate::error::Error;
use crate::link::OperationLink;
use crate::name::OperationName;
use crate::pending::Pending;
use crate::types::Operation;

/// Names one operation, for every method that is about one.
///
/// All of these convert into it: a name (`&str`, `String`, [`OperationName`]),
/// an [`Operation`] that was received, a [`Pending`] that another process
/// wrote, and an [`OperationHandle`](crate::OperationHandle); each by value or
/// by reference. For `list` and sweeps it is the parent.
///
/// The URL of an operation, such as a `selfLink`, works in place of a name. Its
/// path and version are taken from it, and nothing is sent to its host: a URL
/// of another service than the client's is an error of
/// [`ErrorKind::Config`](crate::ErrorKind::Config). `www.googleapis.com` and
/// regional hosts of the service are known.
///
/// A wait for an operation that is already done sends no request. A [`Pending`]
/// of another service than the client's is an
/// error of [`ErrorKind::Config`](crate::ErrorKind::Config), and nothing is
/// sent. One of another version is polled at its own version.
///
/// ```
/// # let server = longrunning::testing::FakeServer::start();
/// # server.insert(longrunning::Operation::running("operations/42"));
/// # let client = server.client();
/// let handle = client.operation("operations/42");
/// let operation = client.get(&handle).send()?;
/// client.cancel(&operation).send()?;
/// client.poller(handle.to_pending()?).until_done()?;
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OperationRef {
    /// The name, or the error to return from the method that sends a request.
    pub(crate) name: Result<OperationName, Error>,
    /// The latest state that the caller has, done or not.
    pub(crate) seen: Option<Operation>,
    /// The record that an earlier process left. Boxed, like `link`, because
    /// most operations are plain names.
    pub(crate) pending: Option<Box<Pending>>,
    /// The URL that was given in place of a name, until [`at`](Self::at) has
    /// checked it.
    link: Option<Box<OperationLink>>,
    /// The version of the API for its requests; `None` means that of the
    /// client.
    pub(crate) version: Option<Arc<str>>,
    /// When this process started the operation; `None` if another one did. For
    /// a while after it, `NOT_FOUND` does not mean that the operation is gone.
    pub(crate) started: Option<Instant>,
    /// Whether the name is empty, which only a list accepts.
    is_unnamed: bool,
}

impl OperationRef {
    /// Creates a reference that knows no more than a name and a state.
    pub(crate) fn from_parts(name: Result<OperationName, Error>, seen: Option<Operation>) -> Self {
        Self { name, seen, pending: None, link: None, version: None, started: None, is_unnamed: false }
    }

    /// Sets the version for its requests, and when this process started it.
    pub(crate) fn with_start(mut self, version: Option<Arc<str>>, started: Option<Instant>) -> Self {
        (self.version, self.started) = (version, started);
        self
    }

    /// Fits the operation to a client: refuses one of another service, and
    /// decides the version for its requests.
    ///
    /// A refusal replaces the name by the error, so it comes out of the method
    /// that sends the request. A second call changes nothing.
    pub(crate) fn at(mut self, core: &Core) -> Self {
        // Taken, so that a second call does not check it again.
        if let Some(link) = self.link.take() {
            self.version = core.other_version(link.version.as_deref());
            if let Err(refused) = core.check_link(&link) {
                self.name = Err(refused);
            }
        }
        // Before the pending record, which says its version itself: an
        // operation that was seen and a pending one never come together.
        self.version = core.version_for(self.version, self.seen.as_ref());
        if let Some(pending) = self.pending.as_deref() {
            self.version = core.other_version(pending.api_version());
            if let Err(refused) = core.check_home(pending) {
                self.name = Err(refused);
            }
        }
        self
    }

    /// Returns the name, and the version for its requests.
    pub(crate) fn into_target(self) -> CallTarget {
        (self.name, self.version)
    }

    /// Returns the name as that of a parent.
    ///
    /// It may be empty, for all operations of a service. gRPC sends an empty
    /// name as it is, and REST refuses it.
    pub(crate) fn into_parent(self) -> Result<OperationName, Error> {
        if self.is_unnamed { Ok(OperationName::unnamed()) } else { self.name }
    }

    /// Returns the name as that of a parent, and the version for its requests.
    pub(crate) fn into_parent_target(self) -> CallTarget {
        // Before the name is taken, which moves `self`.
        let version = self.version.clone();
        (self.into_parent(), version)
    }

    /// Reads a name or a URL.
    fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        // Noted before the conversion, whose error does not say so.
        let is_unnamed = name.is_empty();
        match OperationLink::parse(&name) {
            // The name in a URL is checked like any other, after its escapes
            // were decoded.
            Some(link) => {
                let named = Self::from_parts(link.name.as_str().try_into(), None);
                Self { link: Some(Box::new(link)), ..named }
            }
            None => Self { is_unnamed, ..Self::from_parts(name.try_into(), None) },
        }
    }
}

/// The name of a request, and the version of the API if it is not that of the
/// client.
pub(crate) type CallTarget = (Result<OperationName, Error>, Option<Arc<str>>);

impl From<&str> for OperationRef {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

/// Accepts what an iterator over an array of names yields.
impl From<&&str> for OperationRef {
    fn from(name: &&str) -> Self {
        Self::named(*name)
    }
}

impl From<String> for OperationRef {
    fn from(name: String) -> Self {
        Self::named(name)
    }
}

impl From<&String> for OperationRef {
    fn from(name: &String) -> Self {
        Self::named(name)
    }
}

impl From<OperationName> for OperationRef {
    fn from(name: OperationName) -> Self {
        Self::from_parts(Ok(name), None)
    }
}

impl From<&OperationName> for OperationRef {
    fn from(name: &OperationName) -> Self {
        name.clone().into()
    }
}

impl From<Pending> for OperationRef {
    fn from(pending: Pending) -> Self {
        let named = Self::from(pending.name());
        Self { pending: Some(Box::new(pending)), ..named }
    }
}

impl From<&Pending> for OperationRef {
    fn from(pending: &Pending) -> Self {
        pending.clone().into()
    }
}

/// Keeps the state, so that no request is sent for an operation that is done.
impl From<Operation> for OperationRef {
    fn from(operation: Operation) -> Self {
        let named = Self::named(operation.name());
        Self { seen: Some(operation), ..named }
    }
}

impl From<&Operation> for OperationRef {
    fn from(operation: &Operation) -> Self {
        operation.clone().into()
    }
}
