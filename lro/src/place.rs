//! An operation and the service it belongs to.

use longrunning::{Bindings, Error};

/// An operation, or a parent of operations, at a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OperationPlace {
    /// As the user gave it: what to say again in a command.
    pub(crate) given: String,
    pub(crate) service: Service,
    pub(crate) name: String,
}

impl OperationPlace {
    /// Whether both are the same operation, however they were given.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.service, &self.name) == (&other.service, &other.name)
    }
}

/// Where to ask, and under which path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Service {
    pub(crate) endpoint: String,
    pub(crate) version: Option<String>,
}

impl Service {
    /// How methods map to URLs at this service.
    pub(crate) fn bindings(&self) -> Result<Bindings, Error> {
        let bindings = self.version.as_deref().map(Bindings::version).transpose()?;
        Ok(bindings.unwrap_or_default())
    }
}

/// Whether this is the name of an operation, which has none below it.
pub(crate) fn is_operation(name: &str) -> bool {
    let mut segments = name.rsplit('/');
    segments.next().is_some_and(|id| !id.is_empty() && id != "-") && segments.next() == Some("operations")
}
