//! The one way in which methods take an operation.

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
    pub(crate) name: Result<OperationName, Error>,
    /// As it was seen before, done or not.
    pub(crate) seen: Option<Operation>,
    /// As an earlier process left it.
    pub(crate) pending: Option<Box<Pending>>,
    /// The URL that was given in place of a name.
    link: Option<Box<OperationLink>>,
    /// The version of the API, if it is not that of the client.
    pub(crate) version: Option<Arc<str>>,
    /// When this process started the operation.
    pub(crate) started: Option<Instant>,
    /// Only a list may be without a name.
    is_unnamed: bool,
}

impl OperationRef {
    pub(crate) fn from_parts(name: Result<OperationName, Error>, seen: Option<Operation>) -> Self {
        Self { name, seen, pending: None, link: None, version: None, started: None, is_unnamed: false }
    }

    /// Sets the version of its requests, and when it was started.
    pub(crate) fn with_start(mut self, version: Option<Arc<str>>, started: Option<Instant>) -> Self {
        (self.version, self.started) = (version, started);
        self
    }

    /// Refuses an operation of another service than that of the client, and
    /// takes the version of a URL and of a pending one.
    pub(crate) fn at(mut self, core: &Core) -> Self {
        if let Some(link) = self.link.take() {
            self.version = core.other_version(link.version.as_deref());
            if let Err(refused) = core.check_link(&link) {
                self.name = Err(refused);
            }
        }
        self.version = core.version_for(self.version, self.seen.as_ref());
        if let Some(pending) = self.pending.as_deref() {
            self.version = core.other_version(pending.api_version());
            if let Err(refused) = core.check_home(pending) {
                self.name = Err(refused);
            }
        }
        self
    }

    /// Returns the name, and the version of its requests.
    pub(crate) fn into_target(self) -> CallTarget {
        (self.name, self.version)
    }

    /// Returns the name as that of a parent. It may be empty: gRPC sends what a
    /// program gives, and REST refuses it.
    pub(crate) fn into_parent(self) -> Result<OperationName, Error> {
        if self.is_unnamed { Ok(OperationName::unnamed()) } else { self.name }
    }

    /// The same for a listing.
    pub(crate) fn into_parent_target(self) -> CallTarget {
        let version = self.version.clone();
        (self.into_parent(), version)
    }

    fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        let is_unnamed = name.is_empty();
        match OperationLink::parse(&name) {
            Some(link) => {
                let named = Self::from_parts(link.name.as_str().try_into(), None);
                Self { link: Some(Box::new(link)), ..named }
            }
            None => Self { is_unnamed, ..Self::from_parts(name.try_into(), None) },
        }
    }
}

/// The name of a request, and the version of the API, if it is not that of the
/// client.
pub(crate) type CallTarget = (Result<OperationName, Error>, Option<Arc<str>>);

impl From<&str> for OperationRef {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

/// As an iterator over an array of names gives them.
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
