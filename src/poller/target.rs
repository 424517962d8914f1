//! What is waited for.

use crate::core::Core;
use crate::error::Error;
use crate::name::OperationName;
use crate::pending::Pending;
use crate::types::Operation;

/// What a [`Poller`](crate::Poller) waits for: a name, or an operation as it was when it was started.
///
/// An operation that is done already needs no poll. A [`Pending`] that is known to be of another service than the client
/// asks is not asked for: that is an error of [`ErrorKind::Config`](crate::ErrorKind::Config).
#[derive(Clone, Debug)]
pub struct Target {
    pub(crate) name: Result<OperationName, Error>,
    /// As it was seen before, done or not.
    pub(crate) seen: Option<Operation>,
    /// As an earlier process left it.
    pub(crate) pending: Option<Box<Pending>>,
}

impl Target {
    pub(crate) fn from_parts(name: Result<OperationName, Error>, seen: Option<Operation>) -> Self {
        Self { name, seen, pending: None }
    }

    /// The same, for a client that has to be one of its service.
    pub(crate) fn at(mut self, core: &Core) -> Self {
        if let Some(refused) = self.pending.as_deref().and_then(|pending| core.check_home(pending).err()) {
            self.name = Err(refused);
        }
        self
    }

    pub(crate) fn into_parts(self) -> (Result<OperationName, Error>, Option<Operation>) {
        (self.name, self.seen)
    }

    fn named(name: impl TryInto<OperationName, Error: Into<Error>>) -> Self {
        Self::from_parts(name.try_into().map_err(Into::into), None)
    }
}

impl From<&str> for Target {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

/// As an iterator over an array of names gives them.
impl From<&&str> for Target {
    fn from(name: &&str) -> Self {
        Self::named(*name)
    }
}

impl From<String> for Target {
    fn from(name: String) -> Self {
        Self::named(name)
    }
}

impl From<&String> for Target {
    fn from(name: &String) -> Self {
        Self::named(name)
    }
}

impl From<OperationName> for Target {
    fn from(name: OperationName) -> Self {
        Self::named(name)
    }
}

impl From<&OperationName> for Target {
    fn from(name: &OperationName) -> Self {
        Self::named(name)
    }
}

impl From<&Pending> for Target {
    fn from(pending: &Pending) -> Self {
        Self::from(pending.clone())
    }
}

impl From<Pending> for Target {
    fn from(pending: Pending) -> Self {
        Self { pending: Some(Box::new(pending.clone())), ..Self::named(pending.name()) }
    }
}

impl From<&Operation> for Target {
    fn from(operation: &Operation) -> Self {
        Self { seen: Some(operation.clone()), ..Self::named(operation) }
    }
}

impl From<Operation> for Target {
    fn from(operation: Operation) -> Self {
        Self::from(&operation)
    }
}
