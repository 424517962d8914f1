//! What h2 reads and writes in place of a socket.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::testing::lock;

/// Two buffers; clones share them.
///
/// No waker is ever called: who fills the pipe polls h2 afterwards.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipe(Arc<Mutex<Ends>>);

#[derive(Debug, Default)]
pub(super) struct Ends {
    /// What has come from the client and h2 has not read.
    pub(super) incoming: VecDeque<u8>,
    /// What is to go to the client.
    pub(super) outgoing: Vec<u8>,
}

impl Pipe {
    pub(super) fn ends(&self) -> MutexGuard<'_, Ends> {
        lock(&self.0)
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, sink: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let incoming = &mut self.ends().incoming;
        let (front, _) = incoming.as_slices();
        let amount = front.len().min(sink.remaining());
        if amount == 0 {
            return Poll::Pending;
        }
        sink.put_slice(front.get(..amount).unwrap_or_default());
        incoming.drain(..amount);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.ends().outgoing.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
