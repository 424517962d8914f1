//! The basis of every part of the crate: the clock, the environment, files,
//! locks, threads, `fork`, stop tokens, secrets, redaction, URLs, and text for
//! messages.

pub(crate) mod clock;
pub(crate) mod env;
pub(crate) mod excerpt;
pub(crate) mod file;
pub(crate) mod percent;
pub(crate) mod process;
pub(crate) mod redact;
pub(crate) mod secret;
pub(crate) mod stop;
pub(crate) mod sync;
pub(crate) mod threads;
pub(crate) mod url;
