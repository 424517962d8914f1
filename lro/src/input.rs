//! Texts that other programs write: files, pipes and standard input, which may
//! never end.
//!
//! A name file may be a FIFO, and a credentials file may be `/dev/zero` by
//! mistake. So reading has a timeout and a size limit, and happens on a thread
//! that can be left behind.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Reads all of standard input, until `timeout` if there is one.
///
/// Without one it takes as long as the program at the other end of the pipe
/// does, or the person at the terminal.
pub(crate) fn standard_input(timeout: Option<Duration>) -> io::Result<String> {
    read_within(timeout, || text_of(io::stdin().lock()))
}

/// Reads a file or a pipe until `timeout`, which also covers opening it: to
/// open a pipe blocks until there is a writer.
pub(crate) fn file(path: &Path, timeout: Duration) -> io::Result<String> {
    let path = path.to_owned();
    read_within(Some(timeout), move || text_of(fs::File::open(path)?))
}

/// Returns the whole text, which has to end within 64 MiB: devices such as
/// `/dev/zero` do not end.
fn text_of(reader: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    // One byte more than is allowed shows that there is more, without reading
    // it.
    reader.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MAX_LEN {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 64 MiB")),
        false => decoded(bytes),
    }
}

/// Decodes UTF-8, or UTF-16 with a byte order mark, as Windows PowerShell
/// writes what is redirected to a file.
fn decoded(bytes: Vec<u8>) -> io::Result<String> {
    let not_text = || io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8");
    let Some(units) = bytes.strip_prefix(b"\xff\xfe") else {
        return String::from_utf8(bytes).map_err(|_| not_text());
    };
    let (units, []) = units.as_chunks::<2>() else { return Err(not_text()) };
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
    char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| not_text())
}

/// Reads on a thread of its own, since neither a terminal nor the opening of a
/// pipe has a timeout.
///
/// After the timeout the thread is left behind: the program is about to end.
/// The main thread does not block, so that signals end the program as they do
/// elsewhere.
fn read_within(
    timeout: Option<Duration>,
    read: impl FnOnce() -> io::Result<String> + Send + 'static,
) -> io::Result<String> {
    let (sender, receiver) = mpsc::sync_channel(1);
    // The name shows up in debuggers and in `ps -L`.
    thread::Builder::new().name("lro-input".into()).spawn(move || drop(sender.send(read())))?;
    // The sender lives in the thread, so a thread that panics ends the wait,
    // too.
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

/// More than any scenario, and than the names of all operations that one
/// command can wait for.
const MAX_LEN: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf_8_or_marked_as_utf_16() {
        let rows: [(&[u8], Option<&str>); 6] = [
            (b"a\xc3\xa9", Some("aé")),
            (b"\xff\xfea\0\xe9\0", Some("aé")),
            (b"\xff\xfe\x3d\xd8\0\xde", Some("\u{1f600}")),
            (b"\xff\xfea", None),
            (b"\xff\xfe\0\xde", None),
            (b"\xff", None),
        ];
        for (bytes, text) in rows {
            assert_eq!(decoded(bytes.to_vec()).ok().as_deref(), text, "{bytes:?}");
        }
    }

    #[test]
    fn an_input_that_does_not_end_is_left() {
        let (_open, never) = mpsc::channel::<()>();
        let read = move || never.recv().map(|()| String::new()).map_err(io::Error::other);
        let error = read_within(Some(Duration::from_millis(10)), read).unwrap_err();
        assert_eq!(error.to_string(), "it did not end within the timeout");
        assert_eq!(read_within(None, || Ok("text".to_owned())).unwrap(), "text");
        assert_eq!(read_within(Some(Duration::MAX), || Ok("text".to_owned())).unwrap(), "text");
    }

    #[test]
    fn an_endless_input_is_refused() {
        let error = text_of(io::repeat(b'a')).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 64 MiB");
        assert_eq!(text_of(&b"text"[..]).unwrap(), "text");
    }
}
