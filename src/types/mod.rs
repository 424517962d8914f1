//! The messages of google.longrunning and google.rpc, as they come over the wire.

mod code;

pub use code::Code;

/// Placeholder.
#[derive(Clone, Debug, PartialEq)]
pub struct Any;

/// Placeholder.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation;

/// Placeholder.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {}

/// Placeholder.
#[derive(Clone, Debug, PartialEq)]
pub struct Status;

impl Status {
    /// Placeholder.
    pub fn new(_code: Code, _message: impl Into<String>) -> Self {
        Self
    }

    /// Placeholder.
    pub fn code(&self) -> Code {
        Code::Ok
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
