//! One HTTP/2 connection, driven by the thread that serves it: h2 and the
//! socket work in turns.

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

/// A connection and the streams that wait for their turn on it.
pub(super) struct Http2Session<'a> {
    line: SessionSocket<'a>,
    connection: Connection<Pipe, Bytes>,
    arrived: VecDeque<OpenedStream>,
    pings: Option<PingPong>,
}

impl<'a> Http2Session<'a> {
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
            let polled = handshake.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            line.flush()?;
            match polled {
                Poll::Ready(Ok(mut connection)) => {
                    let pings = connection.ping_pong();
                    return Ok(Self { line, connection, arrived: VecDeque::new(), pings });
                }
                Poll::Ready(Err(_)) => return Err(ExchangeEnd::Peer),
                Poll::Pending => line.read(LOOK_AROUND)?,
            }
        }
    }

    /// Waits for the next stream.
    pub(super) fn next(&mut self) -> Result<OpenedStream, ExchangeEnd> {
        loop {
            self.turn()?;
            match self.arrived.pop_front() {
                Some(stream) => return Ok(stream),
                None => self.line.read(LOOK_AROUND)?,
            }
        }
    }

    /// Lets h2 and the socket work in turns until `poll` has what it waits for.
    pub(super) fn wait_for<T>(
        &mut self,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Result<T, ExchangeEnd> {
        loop {
            self.turn()?;
            if let Poll::Ready(ready) = poll(&mut Context::from_waker(Waker::noop())) {
                return Ok(ready);
            }
            self.line.read(LOOK_AROUND)?;
        }
    }

    /// Takes in what comes within this time.
    pub(super) fn listen(&mut self, patience: Duration) -> Result<(), ExchangeEnd> {
        self.line.read(patience)?;
        self.turn()
    }

    /// Sends what h2 has to say.
    pub(super) fn turn(&mut self) -> Result<(), ExchangeEnd> {
        let drove = self.drive();
        self.line.flush()?;
        drove
    }

    /// Sends no more than these many bytes of what h2 has to say.
    pub(super) fn turn_short(&mut self, bytes: usize) -> Result<(), ExchangeEnd> {
        self.drive()?;
        self.line.pipe.lock().outgoing.truncate(bytes);
        self.line.flush()
    }

    fn drive(&mut self) -> Result<(), ExchangeEnd> {
        loop {
            match self.connection.poll_accept(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(Ok(stream))) => self.arrived.push_back(stream),
                Poll::Ready(Some(Err(_)) | None) => return Err(ExchangeEnd::Peer),
                Poll::Pending => return Ok(()),
            }
        }
    }

    /// Reads the body of a request.
    pub(super) fn body(&mut self, stream: &mut RecvStream) -> Result<Vec<u8>, ExchangeEnd> {
        let mut body = Vec::new();
        while let Some(data) = self.wait_for(|cx| stream.poll_data(cx))? {
            let data = data.map_err(|_| ExchangeEnd::Peer)?;
            body.extend_from_slice(&data);
            stream.flow_control().release_capacity(data.len()).map_err(|_| ExchangeEnd::Peer)?;
            if body.len() > BODY_LIMIT {
                return Err(ExchangeEnd::Peer);
            }
        }
        Ok(body)
    }

    /// Sends a piece of a body as fast as the client has room for it.
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

    /// Sends a ping and waits until it comes back.
    pub(super) fn ping(&mut self) -> Result<(), ExchangeEnd> {
        let Some(mut pings) = self.pings.take() else { return Ok(()) };
        pings.send_ping(Ping::opaque()).map_err(|_| ExchangeEnd::Peer)?;
        let pong = self.wait_for(|cx| pings.poll_pong(cx))?;
        self.pings = Some(pings);
        pong.map(drop).map_err(|_| ExchangeEnd::Peer)
    }

    /// Sends a GOAWAY: streams after this one are not served any more (RFC 9113
    /// §6.8).
    pub(super) fn go_away(&mut self, last: u32) -> Result<(), ExchangeEnd> {
        let mut frame = vec![0, 0, 8, 7, 0, 0, 0, 0, 0];
        frame.extend(last.to_be_bytes());
        frame.extend(0u32.to_be_bytes());
        self.turn()?;
        self.raw(&frame)
    }

    /// Sends bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> Result<(), ExchangeEnd> {
        self.line.pipe.lock().outgoing.extend_from_slice(bytes);
        self.line.flush()
    }

    /// Takes out of the socket what was only looked at: it does not end in a
    /// reset then.
    pub(super) fn accept(&mut self) -> Result<(), ExchangeEnd> {
        self.line.accept()
    }

    /// Ends the connection so that the client gets all that was sent: a socket
    /// that is closed with unread bytes resets its connection, so they are
    /// read.
    pub(super) fn close(mut self) -> Result<(), ExchangeEnd> {
        self.line.socket.shutdown(Shutdown::Write)?;
        loop {
            self.line.read(LOOK_AROUND)?;
        }
    }
}

/// The socket, and the pipe to h2.
struct SessionSocket<'a> {
    socket: &'a TcpStream,
    stop: &'a ShutdownSignal,
    pipe: Pipe,
    /// How many of the bytes that h2 has are still in the socket.
    peeked: usize,
    scratch: Box<[u8]>,
}

impl SessionSocket<'_> {
    /// Hands h2 what comes first within this time.
    fn read(&mut self, patience: Duration) -> Result<(), ExchangeEnd> {
        self.accept()?;
        if self.stop.is_set() {
            return Err(ExchangeEnd::Peer);
        }
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

    fn accept(&mut self) -> Result<(), ExchangeEnd> {
        let peeked = std::mem::take(&mut self.peeked);
        let mut socket = self.socket;
        Ok(socket.read_exact(self.scratch.get_mut(..peeked).unwrap_or_default())?)
    }

    fn flush(&mut self) -> Result<(), ExchangeEnd> {
        let outgoing = std::mem::take(&mut self.pipe.lock().outgoing);
        let mut socket = self.socket;
        Ok(socket.write_all(&outgoing)?)
    }
}

/// A closed socket does not wake its reader on every platform, so it looks
/// around now and then.
const LOOK_AROUND: Duration = Duration::from_millis(250);

const SCRATCH: usize = 64 * 1024;
const WINDOW: u32 = 1 << 20;
const BODY_LIMIT: usize = 32 * 1024 * 1024;
