//! What is between a call and the wire.

pub(crate) mod rest;

/// The five methods of `google.longrunning.Operations`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rpc {
    Get,
    List,
    Cancel,
    Delete,
    Wait,
}

impl Rpc {
    pub(crate) const ALL: [Self; 5] = [Self::Get, Self::List, Self::Cancel, Self::Delete, Self::Wait];

    /// The method's name in the service.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GetOperation",
            Self::List => "ListOperations",
            Self::Cancel => "CancelOperation",
            Self::Delete => "DeleteOperation",
            Self::Wait => "WaitOperation",
        }
    }
}
