//! What every other part of the crate stands on. Nothing here knows HTTP,
//! credentials or operations.
//!
//! - time: [`clock`], with sleeps and jitter
//! - the process: [environment variables](mod@env), [`threads`], [`sync`] and
//!   [`process`] (locks and `fork`)
//! - input: [`mod@file`], [`url`], [`percent`]
//! - secrets: [`secret`] holds them, [`redact`] finds them, [`excerpt`] keeps
//!   them out of messages
//! - ends: [`stop`] tokens
//!
//! Clock and environment are traits, so that no test sleeps or changes
//! variables of its process.

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
