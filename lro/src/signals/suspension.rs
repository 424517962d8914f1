//! What Ctrl-Z means for a display.
//!
//! It is a type of its own so that displays and screens need not know signals.

use std::sync::mpsc::SyncSender;

/// Ctrl-Z, as far as a display is concerned: `Suspended`, then `Resumed` after
/// `fg` or `bg`.
#[cfg_attr(windows, allow(dead_code, reason = "Windows has no such signal"))]
pub(crate) enum Suspension {
    /// The program is about to be stopped, and waits for a reply until the
    /// screen is tidy.
    Suspended(SyncSender<()>),
    /// It goes on.
    Resumed,
}
