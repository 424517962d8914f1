//! One HTTP/2 connection, driven by the thread that makes a call on it.
//!
//! h2 never sees the socket. It reads and writes a [`Pipe`] in memory, and
//! [`GrpcChannel::drive`] carries what is in the pipe to the socket and back,
//! within the deadline of the call. So a call costs one write, and one read if
//! the response arrives in one piece; between calls nothing runs.
//!
//! ```text
//!          drive                                   turn
//! call ◄── poll ── h2::client handles ◄────► h2::Connection
//!                                                │ read, write
//!                                                ▼
//!                                              Pipe ◄─ receive, flush ─► Connection (TCP, TLS)
//! ```
//!
//! The life of a channel:
//!
//! | state | how it ends |
//! |---|---|
//! | new | the first call, which no idle timeout of the server explains if it fails |
//! | used and idle | [`refresh`](GrpcChannel::refresh) before the next call |
//! | in a call | a response: idle again; anything else: over |
//! | over | dropped by its owner; it takes no call |
//!
//! An error distinguishes what the caller may do: send the request again
//! (nothing was processed), send it again unless it must be sent once (a pooled
//! connection was closed), or neither.

mod failure;
mod fault;

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{Builder, Connection as Http2, SendRequest};
use http::{HeaderMap, Request, StatusCode};

use crate::http::{HttpError, HttpErrorKind};
use crate::net::connect::Connector;
use crate::net::connection::{Connection, IoLimit};
use crate::net::error::ConnectionError;
use crate::net::peer::ServerAddress;

pub(super) use fault::ChannelFault;
use fault::improper;

use super::frame::{self, IncomingFrames};
use super::pipe::Pipe;
use super::watch::FrameWatch;

/// A response, read to its end, or to the end of what is kept of a page.
#[derive(Debug)]
pub(super) struct GrpcResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: IncomingFrames,
    /// Empty if the response has only a head, as a failure without a message
    /// does.
    pub(super) trailers: HeaderMap,
}

/// A connection, for one call at a time.
///
/// It has no `Debug`: bytes that are on their way contain tokens.
pub(super) struct GrpcChannel {
    /// The connection to the server, with TLS if there is any.
    stream: Box<dyn Connection>,
    server: ServerAddress,
    /// The bytes of the last read; the buffer is reused.
    input: Vec<u8>,
    pipe: Pipe,
    watch: FrameWatch,
    connection: Http2<Pipe, Bytes>,
    requests: SendRequest<Bytes>,
    /// The waker of h2.
    news: Arc<ChannelNews>,
    /// The error of a write. It is kept because the peer may have sent
    /// something before that, which is still to be read.
    broken: Option<HttpError>,
    /// Whether h2 has ended, or its input has.
    is_over: bool,
    /// Whether a call was made on it. A failure then may be that of a
    /// connection that the server has closed while it was idle.
    was_used: bool,
}

/// The waker that h2 calls if it can do more without new input. Relaxed order
/// is enough: h2 calls it on the thread that reads it.
#[derive(Debug, Default)]
struct ChannelNews(AtomicBool);

impl Wake for ChannelNews {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl GrpcChannel {
    /// Connects. Nothing is exchanged yet: our settings are sent with the first
    /// call.
    ///
    /// # Errors
    ///
    /// Those of DNS, TCP, proxy and TLS.
    pub(super) fn open(
        connector: &Connector,
        server: &ServerAddress,
        limit: IoLimit<'_>,
    ) -> Result<Self, HttpError> {
        let stream = connector.connect(&server.peer(), limit)?;
        let pipe = Pipe::default();
        let mut builder = Builder::new();
        builder
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME)
            .max_header_list_size(MAX_HEADERS)
            .enable_push(false);
        let mut handshake = Box::pin(builder.handshake(pipe.clone()));
        let (requests, connection) = match handshake.as_mut().poll(&mut idle()) {
            Poll::Ready(Ok(parts)) => parts,
            Poll::Ready(Err(error)) => return Err(improper(server).sent(false).with_source(error)),
            // It only writes, and the pipe takes everything at once.
            Poll::Pending => return Err(improper(server).sent(false)),
        };
        Ok(Self {
            stream,
            server: server.clone(),
            input: vec![0; INPUT],
            pipe,
            watch: FrameWatch::default(),
            connection,
            requests,
            news: Arc::default(),
            broken: None,
            is_over: false,
            was_used: false,
        })
    }

    /// Handles what arrived while the connection was idle: pings, settings, a
    /// `GOAWAY`. It reads what is there and waits for nothing.
    ///
    /// Returns false if the connection cannot be used any more.
    pub(super) fn refresh(&mut self, end: Instant) -> bool {
        for _ in 0..MOST_READS {
            // A pending end or GOAWAY is noticed here, where a new connection is all that
            // it costs, and not in the call.
            if self.is_over || self.stream.is_silent() {
                break;
            }
            let glance = IoLimit::new(end.min(Instant::now() + GLANCE), None);
            match self.receive(glance, false) {
                // Less than a record of TLS has come.
                Err(error) if error.kind() == HttpErrorKind::Timeout => break,
                Err(_) => return false,
                Ok(()) => self.turn(),
            };
            if self.flush(glance, false).is_err() || self.broken.is_some() {
                return false;
            }
        }
        !self.is_over()
    }

    /// Makes one call. The connection is of use for another if there is a
    /// response.
    ///
    /// `limit` is the largest response message in bytes.
    pub(super) fn call(
        &mut self,
        request: Request<()>,
        message: Bytes,
        limit: usize,
        io: IoLimit<'_>,
    ) -> Result<GrpcResponse, ChannelFault> {
        let result = self.exchange(request, message, limit, io);
        self.was_used = true;
        // Even if only the stream failed. A new connection costs less than one in an
        // unknown state.
        if result.is_err() {
            self.reset_stream();
        }
        result
    }

    /// Returns whether no more calls can be made on it.
    pub(super) fn is_over(&self) -> bool {
        self.is_over || self.broken.is_some() || self.takes_nothing()
    }

    /// Returns whether the peer allows no streams
    /// (`SETTINGS_MAX_CONCURRENT_STREAMS` is 0).
    ///
    /// h2 would keep a request back until the peer allows some again, which may
    /// be never.
    fn takes_nothing(&self) -> bool {
        self.requests.current_max_send_streams() == 0
    }

    /// Sends the request and reads the response to its end.
    ///
    /// The steps are those of HTTP/2: wait for a free stream, send headers and
    /// the one message, read the head, the data and the trailers. `begun` is
    /// true as soon as there is a head: a failure after that is not one of a
    /// connection that was idle.
    fn exchange(
        &mut self,
        request: Request<()>,
        message: Bytes,
        limit: usize,
        io: IoLimit<'_>,
    ) -> Result<GrpcResponse, ChannelFault> {
        // A clone, because `drive` borrows the channel while it polls.
        let mut requests = self.requests.clone();
        let ready = self.drive(io, false, |cx| requests.poll_ready(cx)).map_err(ChannelFault::unsent)?;
        ready.map_err(|error| self.not_sent(error))?;
        // Checked again after `refresh`, because settings may have arrived with
        // `poll_ready`.
        if self.takes_nothing() {
            return Err(ChannelFault::Unprocessed(
                self.unprocessed("accepts no calls (MAX_CONCURRENT_STREAMS is 0)"),
            ));
        }
        // The message follows at once: both are in the pipe before anything is
        // sent, so that they share one write.
        let sent = requests.send_request(request, false);
        let (mut response, mut sending) = sent.map_err(|error| self.not_sent(error))?;
        sending.send_data(message, true).map_err(|error| self.fault(error, false))?;
        let response = self.drive(io, false, |cx| Pin::new(&mut response).poll(cx))?;
        let (head, mut stream) = response.map_err(|error| self.fault(error, false))?.into_parts();
        let mut body = IncomingFrames::new(&head, limit);
        let taken = self.drive(io, true, |cx| take(&mut stream, &mut body, cx))?;
        taken.map_err(|broken| match broken {
            Broken::Frame(fault) => ChannelFault::Frame(fault),
            Broken::Stream(error) => self.fault(error, true),
        })?;
        // The rest of the body is not read. The stream is still open, so the connection
        // carries no other call.
        if body.is_enough() {
            self.is_over = true;
            return Ok(GrpcResponse {
                status: head.status,
                headers: head.headers,
                body,
                trailers: HeaderMap::new(),
            });
        }
        let trailers = self.drive(io, true, |cx| stream.poll_trailers(cx))?;
        let trailers = trailers.map_err(|error| self.fault(error, true))?.unwrap_or_default();
        Ok(GrpcResponse { status: head.status, headers: head.headers, body, trailers })
    }

    /// Lets h2 and the socket work in turns until `poll` is ready, and returns
    /// its result.
    ///
    /// `begun` says whether a response has begun, for the error.
    ///
    /// # Errors
    ///
    /// The failure of the connection, the end of the deadline in `io`, or a
    /// stop.
    fn drive<T>(
        &mut self,
        io: IoLimit<'_>,
        begun: bool,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Result<T, ChannelFault> {
        loop {
            // The call goes first: what it needs may have been read together with the
            // previous part.
            if let Poll::Ready(ready) = poll(&mut idle()) {
                return Ok(ready);
            }
            // Checked after the call, because the last bytes of a connection may complete a
            // response.
            if self.is_over {
                return Err(self.lost(self.closed(begun), begun));
            }
            // Sends before it blocks in `receive`: the peer may be waiting for what h2 has
            // just written, such as a window update.
            let was_fed = self.turn();
            self.flush(io, begun).map_err(ChannelFault::Failed)?;
            // h2 has woken itself, so it gets another turn before the next read. A peer
            // that keeps it busy outlasts neither the deadline nor a stop.
            let has_news = self.news.0.load(Ordering::Relaxed) && io.remaining().is_ok();
            if !(was_fed || has_news) {
                self.receive(io, begun).map_err(|error| self.lost(error, begun))?;
            }
        }
    }

    /// Lets h2 read what is in the pipe, and write; returns whether there was
    /// something to read, or the end.
    fn turn(&mut self) -> bool {
        let (was_fed, is_last) = self.pipe.lock().state();
        // Cleared before h2 runs, so that a wake from inside of it counts.
        self.news.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(self.news.clone());
        if !self.is_over {
            let polled = Pin::new(&mut self.connection).poll(&mut Context::from_waker(&waker));
            // Nothing comes after the end of the input, whether h2 has noticed that end or
            // not.
            self.is_over = polled.is_ready() || is_last;
        }
        was_fed || is_last
    }

    /// Sends what h2 has written.
    ///
    /// # Errors
    ///
    /// A timeout or a stop. Any other error is kept in `broken`.
    fn flush(&mut self, io: IoLimit<'_>, begun: bool) -> Result<(), HttpError> {
        let outgoing = mem::take(&mut self.pipe.lock().outgoing);
        if outgoing.is_empty() || self.broken.is_some() {
            return Ok(());
        }
        match self.stream.write(&outgoing, io) {
            Err(error @ (ConnectionError::Timeout | ConnectionError::Stopped)) => {
                return Err(self.failed(error, begun));
            }
            // Not returned yet: the peer may have sent a response or a GOAWAY before it closed, which
            // explains more than this error.
            Err(error) => self.broken = Some(self.failed(error, begun)),
            Ok(()) => {}
        }
        // The buffer goes back with its capacity, unless h2 has written
        // meanwhile.
        let mut ends = self.pipe.lock();
        if ends.outgoing.is_empty() {
            ends.outgoing = outgoing;
            ends.outgoing.clear();
        }
        Ok(())
    }

    /// Waits for bytes from the peer until the deadline, and puts them into the
    /// pipe. No bytes are the end.
    fn receive(&mut self, io: IoLimit<'_>, begun: bool) -> Result<(), HttpError> {
        match self.stream.read(&mut self.input, io) {
            Ok(amount) => {
                let mut ends = self.pipe.lock();
                ends.incoming.extend_from_slice(self.input.get(..amount).unwrap_or_default());
                ends.has_ended = amount == 0;
                let before = ends.incoming.len() - amount;
                self.watch.push(ends.incoming.get(before..).unwrap_or_default());
                Ok(())
            }
            // If sending failed before, that is the cause of this error too.
            Err(error) => Err(self.broken.take().unwrap_or_else(|| self.failed(error, begun))),
        }
    }

    /// Resets the stream of an abandoned call, if that is possible without
    /// blocking. So a server can stop working for a caller that has left.
    fn reset_stream(&mut self) {
        // All handles of the stream are gone, for which h2 resets it with CANCEL.
        self.turn();
        // Without the stop token: after a stop, nothing could be sent with it.
        let _ = self.flush(IoLimit::new(Instant::now() + GLANCE, None), false);
        self.is_over = true;
    }
}

/// The reason why a body could not be read.
enum Broken {
    Frame(frame::FrameFault),
    Stream(h2::Error),
}

/// Moves the data of a response from `stream` to `body`, until its end or until
/// enough of it is there.
///
/// The window of the stream is released as data is taken, so that the peer can
/// continue to send.
fn take(
    stream: &mut RecvStream,
    body: &mut IncomingFrames,
    cx: &mut Context<'_>,
) -> Poll<Result<(), Broken>> {
    loop {
        let data = match stream.poll_data(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => return Poll::Ready(Ok(())),
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Broken::Stream(error))),
            Poll::Ready(Some(Ok(data))) => data,
        };
        if let Err(fault) = body.push(&data) {
            return Poll::Ready(Err(Broken::Frame(fault)));
        }
        if body.is_enough() {
            return Poll::Ready(Ok(()));
        }
        if let Err(error) = stream.flow_control().release_capacity(data.len()) {
            return Poll::Ready(Err(Broken::Stream(error)));
        }
    }
}

/// Returns a context without a waker, for futures that are polled again anyway.
fn idle() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// Bytes that a peer may send without a window update. A list page of 5 MB
/// arrives without a pause.
const STREAM_WINDOW: u32 = 8 << 20;

/// As large as that of a stream, because a connection carries one call.
const CONNECTION_WINDOW: u32 = 8 << 20;

/// The size of one read in bytes: some frames of a large response.
const INPUT: usize = 64 << 10;

/// The largest frame that a peer may send, in bytes.
const FRAME: u32 = 64 << 10;

/// The limit of all headers of a response in bytes (RFC 9113 section 6.5.2).
const MAX_HEADERS: u32 = 64 << 10;

/// The time for I/O that must not delay a call: reading what is there already,
/// and sending a reset.
const GLANCE: Duration = Duration::from_millis(5);

/// Reads before a connection is used. More than this cannot accumulate on an
/// idle connection.
const MOST_READS: usize = 64;

#[cfg(test)]
mod tests;
