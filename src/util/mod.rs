//! What every part of the crate stands on: the clock, the environment, files, locks, secrets, and text for messages.

pub(crate) mod clock;
pub(crate) mod env;
pub(crate) mod excerpt;
pub(crate) mod file;
pub(crate) mod percent;
pub(crate) mod secret;
pub(crate) mod sync;
