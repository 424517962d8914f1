//! Texts that other programs write: files, pipes and standard input, which may never end.

use std::io::{self, Read};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Reads all of standard input.
pub(crate) fn standard_input(timeout: Option<Duration>) -> io::Result<String> {
    read_within(timeout, || {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    })
}

/// Reads on a thread of its own, since neither a terminal nor the opening of a pipe has a timeout.
///
/// After the timeout the thread is left behind: the program is about to end.
pub(crate) fn read_within(
    timeout: Option<Duration>,
    read: impl FnOnce() -> io::Result<String> + Send + 'static,
) -> io::Result<String> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new().name("lro-input".into()).spawn(move || drop(sender.send(read())))?;
    let received = match timeout {
        Some(timeout) => receiver.recv_timeout(timeout),
        None => receiver.recv().map_err(RecvTimeoutError::from),
    };
    received.map_err(|error| match error {
        RecvTimeoutError::Timeout => {
            io::Error::new(io::ErrorKind::TimedOut, "it did not end within the timeout")
        }
        RecvTimeoutError::Disconnected => io::Error::other("the thread that reads it has ended"),
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_that_does_not_end_is_left() {
        let (_open, never) = mpsc::channel::<()>();
        let read = move || never.recv().map(|()| String::new()).map_err(io::Error::other);
        let error = read_within(Some(Duration::from_millis(10)), read).unwrap_err();
        assert_eq!(error.to_string(), "it did not end within the timeout");
        assert_eq!(read_within(None, || Ok("text".to_owned())).unwrap(), "text");
        assert_eq!(read_within(Some(Duration::MAX), || Ok("text".to_owned())).unwrap(), "text");
    }
}
