//! One HTTP/2 connection, driven by the thread that makes a call on it.
//!
//! h2 never sees the socket. It reads and writes a [`Pipe`] in memory, and
//! [`GrpcChannel::drive`] carries what is in the pipe to the socket and back,
//! within the deadline of the call. So a call costs one write, and one read
//! where the response comes in one piece; between calls nothing runs.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::{Builder, Connection as Http2, SendRequest};
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, StatusCode};

use crate::http::{HttpError, HttpErrorKind};
use crate::net::connect::Connector;
use crate::net::connection::{Connection, IoLimit};
use crate::net::error::ConnectionError;
use crate::net::peer::ServerAddress;

use super::frame::{self, IncomingFrames};
use super::pipe::Pipe;
use super::watch::FrameWatch;

/// A response, read to its end.
#[derive(Debug)]
pub(super) struct GrpcResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: IncomingFrames,
    pub(super) trailers: HeaderMap,
}

/// Why there is no response.
#[derive(Debug)]
pub(super) enum ChannelFault {
    /// The connection failed, or time ran out.
    Failed(HttpError),
    /// The response is not exactly one message, or too large.
    Frame(frame::FrameFault),
    /// The server gave the call up.
    Reset(Reason),
    /// A pooled connection was closed before a response began.
    Stale(HttpError),
    /// The server says that it has done nothing about the request.
    Unprocessed(HttpError),
}

impl ChannelFault {
    /// For what fails before the request is handed over.
    fn unsent(self) -> Self {
        match self {
            Self::Failed(error) => Self::Failed(error.sent(false)),
            fault => fault,
        }
    }

    /// Changes the error of the connection, if it is one.
    pub(super) fn map(self, change: impl FnOnce(HttpError) -> HttpError) -> Self {
        match self {
            Self::Failed(error) => Self::Failed(change(error)),
            Self::Stale(error) => Self::Stale(change(error)),
            Self::Unprocessed(error) => Self::Unprocessed(change(error)),
            fault => fault,
        }
    }
}

/// A connection, for one call at a time. What is on its way is not to be
/// printed.
pub(super) struct GrpcChannel {
    stream: Box<dyn Connection>,
    server: ServerAddress,
    /// The bytes of the last read; the buffer is reused.
    input: Vec<u8>,
    pipe: Pipe,
    watch: FrameWatch,
    connection: Http2<Pipe, Bytes>,
    requests: SendRequest<Bytes>,
    news: Arc<ChannelNews>,
    /// Sending failed; what the peer had to say before that can still be read.
    broken: Option<HttpError>,
    is_over: bool,
    was_used: bool,
}

/// Set when a call has left something to do for the connection.
#[derive(Debug, Default)]
struct ChannelNews(AtomicBool);

impl Wake for ChannelNews {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl GrpcChannel {
    /// Connects. Nothing is exchanged yet: our settings go out with the first
    /// call.
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
    /// GOAWAY.
    ///
    /// Returns false if the connection cannot be used any more.
    pub(super) fn refresh(&mut self, end: Instant) -> bool {
        for _ in 0..MOST_READS {
            // Bytes on an idle connection are pings, settings or a GOAWAY. They are handled
            // before a call depends on the connection.
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
            self.part();
        }
        result
    }

    /// Returns whether no more calls can be made on it.
    pub(super) fn is_over(&self) -> bool {
        self.is_over || self.broken.is_some() || self.takes_nothing()
    }

    /// Returns whether the peer allows no streams
    /// (`SETTINGS_MAX_CONCURRENT_STREAMS` is 0). h2 would keep a request
    /// back until it allows some again, which may be never.
    fn takes_nothing(&self) -> bool {
        self.requests.current_max_send_streams() == 0
    }

    fn exchange(
        &mut self,
        request: Request<()>,
        message: Bytes,
        limit: usize,
        io: IoLimit<'_>,
    ) -> Result<GrpcResponse, ChannelFault> {
        let mut requests = self.requests.clone();
        let ready = self.drive(io, false, |cx| requests.poll_ready(cx)).map_err(ChannelFault::unsent)?;
        ready.map_err(|error| self.not_sent(error))?;
        // Again after `refresh`, because settings may have arrived with `poll_ready`.
        if self.takes_nothing() {
            return Err(ChannelFault::Unprocessed(
                self.unprocessed("accepts no calls (MAX_CONCURRENT_STREAMS is 0)"),
            ));
        }
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

    /// Lets h2 and the socket work in turns until `poll` has what it waits for.
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
            // that keeps it busy does not outlast the deadline.
            let has_news = self.news.0.load(Ordering::Relaxed) && Instant::now() < io.deadline;
            if !(was_fed || has_news) {
                self.receive(io, begun).map_err(|error| self.lost(error, begun))?;
            }
        }
    }

    /// Lets h2 read what is in the pipe, and write; returns whether there was
    /// something to read.
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
        // Its room is worth keeping.
        let mut ends = self.pipe.lock();
        if ends.outgoing.is_empty() {
            ends.outgoing = outgoing;
            ends.outgoing.clear();
        }
        Ok(())
    }

    /// Waits for something from the peer, and puts it into the pipe.
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
    /// blocking.
    fn part(&mut self) {
        // All handles of the stream are gone, for which h2 resets it with CANCEL.
        self.turn();
        let _ = self.flush(IoLimit::new(Instant::now() + GLANCE, None), false);
        self.is_over = true;
    }

    /// Returns the fault when h2 does not take a request.
    fn not_sent(&self, error: h2::Error) -> ChannelFault {
        // h2 has sent nothing, so another connection may carry the request. If none of
        // this holds, h2 rejects the request itself, and would do so again.
        if self.was_used || error.is_io() || error.is_go_away() || error.is_reset() {
            return ChannelFault::Unprocessed(self.closed(false).sent(false).with_source(error));
        }
        let message = format!("cannot send this request to {}", self.server.peer());
        ChannelFault::Failed(HttpError::new(HttpErrorKind::Request, message).with_source(error))
    }

    /// Returns the fault when a call fails that was sent.
    fn fault(&self, error: h2::Error, begun: bool) -> ChannelFault {
        let reason = error.reason().unwrap_or(Reason::NO_ERROR);
        if error.is_reset() && error.is_remote() {
            return match reason {
                Reason::REFUSED_STREAM if !begun => ChannelFault::Unprocessed(
                    self.unprocessed("refused the call: it takes no more at a time"),
                ),
                reason => ChannelFault::Reset(reason),
            };
        }
        // h2 reports this for streams above the last one that the peer will process.
        // When the connection has ended, it reports it for streams below that
        // too.
        if error.is_go_away() && error.is_remote() && !begun && !self.pipe.lock().has_ended {
            let what = match reason {
                Reason::NO_ERROR => "is closing the connection",
                _ => "closed the connection",
            };
            return ChannelFault::Unprocessed(self.with_farewell(self.unprocessed(what)));
        }
        if error.is_io() {
            return self.lost(self.closed(begun).with_source(error), begun);
        }
        if error.is_go_away() && error.is_remote() {
            // Not as the source: h2 prints all of the debug data.
            return self.lost(self.closed(begun), begun);
        }
        ChannelFault::Failed(self.improper().with_source(error))
    }

    /// Returns the error for a call that the peer has certainly not acted on.
    fn unprocessed(&self, what: &str) -> HttpError {
        HttpError::new(HttpErrorKind::Interrupted, format!("{} {what}", self.server.peer())).sent(false)
    }

    fn improper(&self) -> HttpError {
        let error = improper(&self.server);
        if !self.watch.is_http1() {
            return error;
        }
        error.note(
            "the server responds in HTTP/1.1, and gRPC needs HTTP/2 (of a port with TLS, use `https://`)",
        )
    }

    /// Adds what the peer said when it closed the connection.
    fn with_farewell(&self, error: HttpError) -> HttpError {
        match self.watch.go_away() {
            Some(go_away) => error.note(&go_away.to_string()),
            None => error,
        }
    }

    /// Returns the error for a connection that the peer has closed in the
    /// middle of a call.
    fn closed(&self, begun: bool) -> HttpError {
        self.failed(ConnectionError::closed(), begun)
    }

    /// Returns the error of an exchange for that of the connection; `begun`
    /// says whether a response has begun.
    fn failed(&self, error: ConnectionError, begun: bool) -> HttpError {
        let peer = self.server.peer();
        if begun { HttpError::cut_short(error, &peer) } else { HttpError::unanswered(error, &peer) }
    }

    fn lost(&self, error: HttpError, begun: bool) -> ChannelFault {
        let is_closed = error.kind() == HttpErrorKind::Interrupted;
        let error = if is_closed { self.with_farewell(error) } else { error };
        // Servers close idle connections at any time. That explains a loss only on a
        // reused connection and before the response.
        match self.was_used && !begun && error.kind() == HttpErrorKind::Interrupted {
            true => ChannelFault::Stale(error),
            false => ChannelFault::Failed(error),
        }
    }
}

/// Returns the error for a peer that breaks the rules of HTTP/2.
fn improper(server: &ServerAddress) -> HttpError {
    let message = format!("response of {} is not valid HTTP/2", server.peer());
    HttpError::new(HttpErrorKind::Protocol, message)
}

enum Broken {
    Frame(frame::FrameFault),
    Stream(h2::Error),
}

/// Moves the data of a response from `stream` to `body`.
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

/// For what is polled again anyway.
fn idle() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// A list page of 5 MB comes without a pause for window updates.
const STREAM_WINDOW: u32 = 8 << 20;

/// As large, because a connection carries one call.
const CONNECTION_WINDOW: u32 = 8 << 20;

/// The size of one read: some frames of a large response.
const INPUT: usize = 64 << 10;

const FRAME: u32 = 64 << 10;

const MAX_HEADERS: u32 = 64 << 10;

/// How long what has come may take to be read, and a farewell to be sent.
const GLANCE: Duration = Duration::from_millis(5);

/// More than this cannot accumulate on an idle connection.
const MOST_READS: usize = 64;
