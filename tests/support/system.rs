//! What tests know about the system that they run on.

/// Whether Wine runs this program in place of Windows. It ends a connection before it resets it, and has no trust store.
pub(crate) fn is_wine() -> bool {
    cfg!(windows) && std::env::var_os("WINEPREFIX").is_some()
}
