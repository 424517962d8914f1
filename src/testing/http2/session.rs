//! One HTTP/2 connection, driven by the thread that serves it.
//!
//! h2 is written for futures. Here no runtime polls it: h2 reads from and
//! writes to a pair of buffers, the [`Pipe`], and this module moves bytes
//! between those buffers and the socket. Each method that waits does so in a
//! loop: let h2 work, write what it has written, read from the socket, try
//! again.
//!
//! ```text
//! h2  <──> Pipe (incoming, outgoing)  <──pump, read──>  TcpStream
//! ```
//!
//! As over HTTP/1.1, the last bytes of a request stay in the socket until
//! [`accept`](Http2Session::accept), so that closing the connection can reset
//! it.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Builder, Connection, SendResponse};
use h2::{Ping, PingPong, RecvStream, SendStream};
use http::Request;

use crate::testing::pause::ExchangeEnd;
use crate::testing::socket::{ShutdownSignal, is_timeout};
use crate::transport::grpc::pipe::Pipe;

/// A stream that the client has opened.
pub(super) type OpenedStream = (Request<RecvStream>, SendResponse<Bytes>);

/// A connection, and the streams that wait to be served.
pub(super) struct Http2Session<'a> {
    line: SessionSocket<'a>,
    connection: Connection<Pipe, Bytes>,
    /// Streams that the client has opened, in order.
    arrived: VecDeque<OpenedStream>,
    /// Sends pings; `None` while one is under way.
    pings: Option<PingPong>,
}

impl<'a> Http2Session<'a> {
    /// Performs the handshake of HTTP/2: both sides send their settings.
    pub(super) fn open(socket: &'a TcpStream, stop: &'a ShutdownSignal) -> Result<Self, ExchangeEnd> {
        let mut line = SessionSocket {
            socket,
            stop,
            pipe: Pipe::default(),
            peeked: 0,
            scratch: vec![0; SCRATCH].into(),
        };
        let mut builder = Builder::new();
        builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
        let mut handshake = pin!(builder.handshake(line.pipe.clone()));
        loop {
            // The handshake writes its settings before it has read those of the
            // client, so flush whatever the result is.
            let polled = handshake.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            line.flush()?;
            match polled {
                Poll::Ready(Ok(mut connection)) => {
                    let pings = connection.ping_pong();
                    return Ok(Self { line, connection, arrived: VecDeque::new(), pings });
                }
                Poll::Ready(Err(_)) => return Err(ExchangeEnd::Peer),
                Poll::Pending => line.read(SHUTDOWN_CHECK)?,
            }
        }
    }

    /// Waits for the next stream. Fails if the client closes the connection or
    /// the server shuts down.
    pub(super) fn next(&mut self) -> Result<OpenedStream, ExchangeEnd> {
        loop {
            self.pump()?;
            match self.arrived.pop_front() {
                Some(stream) => return Ok(stream),
                None => self.line.read(SHUTDOWN_CHECK)?,
            }
        }
    }

    /// Moves bytes until `poll` is ready.
    pub(super) fn wait_for<T>(
        &mut self,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Result<T, ExchangeEnd> {
        loop {
            self.pump()?;
            // The waker does nothing: the loop polls again after each read.
            if let Poll::Ready(ready) = poll(&mut Context::from_waker(Waker::noop())) {
                return Ok(ready);
            }
            self.line.read(SHUTDOWN_CHECK)?;
        }
    }

    /// Waits for bytes for at most `patience`, and lets h2 process them.
    pub(super) fn listen(&mut self, patience: Duration) -> Result<(), ExchangeEnd> {
        self.line.read(patience)?;
        self.pump()
    }

    /// Lets h2 process what has arrived, and sends what it has written.
    pub(super) fn pump(&mut self) -> Result<(), ExchangeEnd> {
        // Sent even if h2 has failed: it may have written the `GOAWAY` that
        // says why.
        let drove = self.drive();
        self.line.flush()?;
        drove
    }

    /// Like [`pump`](Self::pump), but sends only the first `bytes` and drops the
    /// rest.
    pub(super) fn pump_at_most(&mut self, bytes: usize) -> Result<(), ExchangeEnd> {
        self.drive()?;
        // After all frames of h2 are in the buffer: a cut in the middle of a
        // frame is what a broken connection leaves.
        self.line.pipe.lock().outgoing.truncate(bytes);
        self.line.flush()
    }

    /// Lets h2 process what has arrived, and collects the streams that the
    /// client has opened.
    fn drive(&mut self) -> Result<(), ExchangeEnd> {
        loop {
            match self.connection.poll_accept(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(Ok(stream))) => self.arrived.push_back(stream),
                Poll::Ready(Some(Err(_)) | None) => return Err(ExchangeEnd::Peer),
                Poll::Pending => return Ok(()),
            }
        }
    }

    /// Reads the body of a request to its end.
    pub(super) fn body(&mut self, stream: &mut RecvStream) -> Result<Vec<u8>, ExchangeEnd> {
        let mut body = Vec::new();
        while let Some(data) = self.wait_for(|cx| stream.poll_data(cx))? {
            let data = data.map_err(|_| ExchangeEnd::Peer)?;
            body.extend_from_slice(&data);
            // Without this, the client may send only one window of bytes.
            stream.flow_control().release_capacity(data.len()).map_err(|_| ExchangeEnd::Peer)?;
            if body.len() > BODY_LIMIT {
                return Err(ExchangeEnd::Peer);
            }
        }
        Ok(body)
    }

    /// Sends a piece of a body as fast as the client's window allows. `is_last`
    /// ends the stream with it.
    pub(super) fn push(
        &mut self,
        stream: &mut SendStream<Bytes>,
        data: Vec<u8>,
        is_last: bool,
    ) -> Result<(), ExchangeEnd> {
        let mut data = Bytes::from(data);
        while !data.is_empty() {
            stream.reserve_capacity(data.len());
            let room = self.wait_for(|cx| match stream.capacity() {
                0 => match stream.poll_capacity(cx) {
                    Poll::Ready(Some(Ok(_))) if stream.capacity() > 0 => Poll::Ready(Ok(stream.capacity())),
                    Poll::Ready(None | Some(Err(_))) => Poll::Ready(Err(ExchangeEnd::Peer)),
                    Poll::Ready(Some(Ok(_))) | Poll::Pending => Poll::Pending,
                },
                room => Poll::Ready(Ok(room)),
            })??;
            let now = data.split_to(room.min(data.len()));
            stream.send_data(now, is_last && data.is_empty()).map_err(|_| ExchangeEnd::Peer)?;
        }
        Ok(())
    }

    /// Sends a ping, and waits until the client has acknowledged it.
    pub(super) fn ping(&mut self) -> Result<(), ExchangeEnd> {
        let Some(mut pings) = self.pings.take() else { return Ok(()) };
        pings.send_ping(Ping::opaque()).map_err(|_| ExchangeEnd::Peer)?;
        let pong = self.wait_for(|cx| pings.poll_pong(cx))?;
        self.pings = Some(pings);
        pong.map(drop).map_err(|_| ExchangeEnd::Peer)
    }

    /// Sends a GOAWAY frame with no error: streams after `last` are not served
    /// (RFC 9113 §6.8).
    pub(super) fn go_away(&mut self, last: u32) -> Result<(), ExchangeEnd> {
        // Written by hand, because h2 chooses the last stream itself. The frame
        // has length 8, type 7, no flags and stream 0, then the last stream and
        // the error code.
        let mut frame = vec![0, 0, 8, 7, 0, 0, 0, 0, 0];
        frame.extend(last.to_be_bytes());
        frame.extend(0u32.to_be_bytes());
        self.pump()?;
        self.raw(&frame)
    }

    /// Sends bytes as they are, past h2.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> Result<(), ExchangeEnd> {
        self.line.pipe.lock().outgoing.extend_from_slice(bytes);
        self.line.flush()
    }

    /// Takes the bytes out of the socket that h2 has already seen, so that
    /// closing the connection does not reset it.
    pub(super) fn accept(&mut self) -> Result<(), ExchangeEnd> {
        self.line.accept()
    }

    /// Ends the connection so that the client receives everything that was
    /// sent.
    ///
    /// It reads until the client closes its end, because a close with unread
    /// bytes is a reset. It never returns `Ok`.
    pub(super) fn close(mut self) -> Result<(), ExchangeEnd> {
        self.line.socket.shutdown(Shutdown::Write)?;
        loop {
            self.line.read(SHUTDOWN_CHECK)?;
        }
    }
}

/// The socket, and the buffers between it and h2.
struct SessionSocket<'a> {
    socket: &'a TcpStream,
    stop: &'a ShutdownSignal,
    pipe: Pipe,
    /// How many of the bytes that h2 has seen are still in the socket.
    peeked: usize,
    scratch: Box<[u8]>,
}

impl SessionSocket<'_> {
    /// Waits for bytes for at most `patience`, and hands them to h2. No bytes
    /// in that time are no error.
    fn read(&mut self, patience: Duration) -> Result<(), ExchangeEnd> {
        self.accept()?;
        if self.stop.is_set() {
            return Err(ExchangeEnd::Peer);
        }
        // A timeout of zero is invalid.
        self.socket.set_read_timeout(Some(patience.max(Duration::from_millis(1))))?;
        match self.socket.peek(&mut self.scratch) {
            Ok(0) => Err(ExchangeEnd::Peer),
            Ok(amount) => {
                self.pipe.lock().incoming.extend(self.scratch.iter().take(amount));
                self.peeked = amount;
                Ok(())
            }
            Err(error) if is_timeout(&error) => Ok(()),
            Err(_) => Err(ExchangeEnd::Peer),
        }
    }

    /// Takes the bytes out of the socket that were only peeked at.
    fn accept(&mut self) -> Result<(), ExchangeEnd> {
        let peeked = std::mem::take(&mut self.peeked);
        let mut socket = self.socket;
        Ok(socket.read_exact(self.scratch.get_mut(..peeked).unwrap_or_default())?)
    }

    /// Writes what h2 has written.
    fn flush(&mut self) -> Result<(), ExchangeEnd> {
        let outgoing = std::mem::take(&mut self.pipe.lock().outgoing);
        let mut socket = self.socket;
        Ok(socket.write_all(&outgoing)?)
    }
}

/// How often a thread that reads checks whether the server shuts down: a closed
/// socket does not wake its reader on every platform.
const SHUTDOWN_CHECK: Duration = Duration::from_millis(250);

/// The size of a read in bytes.
const SCRATCH: usize = 64 * 1024;
/// The flow-control windows of a stream and of the connection, in bytes.
const WINDOW: u32 = 1 << 20;
/// The largest body of a request, in bytes. A larger one ends its stream
/// without a response.
const BODY_LIMIT: usize = 32 * 1024 * 1024;
