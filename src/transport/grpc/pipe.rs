//! The pipe in memory that h2 reads and writes in place of a socket.
//!
//! h2 has an async interface only. A read from an empty pipe is pending, a
//! write never is. The fake server uses the same pipe for the server half of
//! h2.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::util::sync::lock;

/// Two buffers; clones share them.
///
/// No waker is ever called, because the thread that fills the pipe polls h2
/// afterwards. The lock is never contended, for the same reason; it makes the
/// pipe `Send`.
#[derive(Clone, Default)]
pub(crate) struct Pipe(Arc<Mutex<Ends>>);

/// Both directions of a pipe.
#[derive(Default)]
pub(crate) struct Ends {
    /// Bytes from the peer, of which h2 has read the first `taken`.
    pub(crate) incoming: Vec<u8>,
    taken: usize,
    /// Bytes for the peer.
    pub(crate) outgoing: Vec<u8>,
    /// Whether nothing follows the bytes from the peer.
    pub(crate) has_ended: bool,
}

impl Pipe {
    /// Locks both buffers. h2 locks them too, so the guard must not live while
    /// h2 runs.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Ends> {
        lock(&self.0)
    }
}

impl Ends {
    /// Returns whether there is something to be read, and whether it is the
    /// last.
    pub(super) fn state(&self) -> (bool, bool) {
        (!self.incoming.is_empty(), self.has_ended)
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut ends = self.lock();
        let rest = ends.incoming.get(ends.taken..).unwrap_or_default();
        if rest.is_empty() {
            return if ends.has_ended { Poll::Ready(Ok(())) } else { Poll::Pending };
        }
        let amount = rest.len().min(to.remaining());
        to.put_slice(rest.get(..amount).unwrap_or_default());
        // Cleared only when all is read: parts need not be moved, and the allocation
        // stays for the next read.
        ends.taken += amount;
        if ends.taken == ends.incoming.len() {
            ends.taken = 0;
            ends.incoming.clear();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // Never pending: the channel sends these bytes after every turn of h2, and flow
        // control limits their number.
        self.lock().outgoing.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
