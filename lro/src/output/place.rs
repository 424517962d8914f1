//! Whether standard output and standard error end up in the same place.
//!
//! A result on one stream and a message on the other repeat each other only if
//! a reader sees both.

/// Returns whether both streams are the same terminal, pipe or file, as on a
/// terminal, after `2>&1`, or in the log of a build server.
#[cfg(unix)]
pub(crate) fn is_one_place() -> bool {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;

    // Device and inode name a terminal, a pipe or a file. Two terminals have
    // different ones, as after `2>/dev/pts/1`.
    let place = |stream: io::Result<std::os::fd::OwnedFd>| {
        let file = File::from(stream.ok()?).metadata().ok()?;
        Some((file.dev(), file.ino()))
    };
    let stdout = place(io::stdout().as_fd().try_clone_to_owned());
    stdout.is_some() && stdout == place(io::stderr().as_fd().try_clone_to_owned())
}

/// Whether both are terminals: there is one console.
#[cfg(windows)]
pub(crate) fn is_one_place() -> bool {
    use std::io::{self, IsTerminal};

    io::stdout().is_terminal() && io::stderr().is_terminal()
}
