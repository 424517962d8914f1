//! The one way in which methods take an operation.

use crate::core::Core;
use crate::error::Error;
use crate::name::OperationName;
use crate::pending::Pending;
use crate::types::Operation;

/// Names one operation, for every method that is about one.
///
/// All of these convert into it: a name (`&str`, `String`, [`OperationName`]), an [`Operation`] that was received, a
/// [`Pending`] that another process wrote, and an [`OperationHandle`](crate::OperationHandle); each by value or by
/// reference. For `list` and sweeps it is the parent.
///
/// A wait for an operation that is already done sends no request. A [`Pending`] of another service or version than the
/// client's is an error of [`ErrorKind::Config`](crate::ErrorKind::Config), and nothing is sent.
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
    /// Only a list may be without a name.
    is_unnamed: bool,
}

impl OperationRef {
    pub(crate) fn from_parts(name: Result<OperationName, Error>, seen: Option<Operation>) -> Self {
        Self { name, seen, pending: None, is_unnamed: false }
    }

    /// Refuses an operation of another service than that of the client.
    pub(crate) fn at(mut self, core: &Core) -> Self {
        if let Some(refused) = self.pending.as_deref().and_then(|pending| core.check_home(pending).err()) {
            self.name = Err(refused);
        }
        self
    }

    pub(crate) fn into_parts(self) -> (Result<OperationName, Error>, Option<Operation>) {
        (self.name, self.seen)
    }

    /// The name as that of a parent. It may be empty: gRPC sends what a program gives, and REST refuses it.
    pub(crate) fn into_parent(self) -> Result<OperationName, Error> {
        if self.is_unnamed { Ok(OperationName::unnamed()) } else { self.name }
    }

    fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        let is_unnamed = name.is_empty();
        Self { is_unnamed, ..Self::from_parts(name.try_into(), None) }
    }
}

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
