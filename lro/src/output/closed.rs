//! Standard streams that were closed when the program started, as by `>&-`.
//!
//! The runtime of Rust opens `/dev/null` in their place before `main`, so that
//! no other file gets their numbers. What is written there counts as written,
//! although it is lost. So closed streams are detected before.

use std::sync::atomic::{AtomicBool, Ordering};

static STDOUT: AtomicBool = AtomicBool::new(false);
static STDERR: AtomicBool = AtomicBool::new(false);

/// Returns whether standard output was closed when the program started.
pub(super) fn stdout() -> bool {
    STDOUT.load(Ordering::Relaxed)
}

/// Returns whether standard error was closed when the program started.
pub(super) fn stderr() -> bool {
    STDERR.load(Ordering::Relaxed)
}

#[cfg(unix)]
ctor::declarative::ctor! {
    /// Runs before `main`, where nothing of the standard library may be used but what needs no start.
    #[ctor(unsafe)]
    fn find_out() {
        let closed = |stream| rustix::io::fcntl_getfd(stream).is_err();
        STDOUT.store(closed(rustix::stdio::stdout()), Ordering::Relaxed);
        STDERR.store(closed(rustix::stdio::stderr()), Ordering::Relaxed);
    }
}
