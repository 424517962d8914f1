//! HTTP/2 without TLS: gRPC, and REST for clients that use it.
//!
//! ```text
//! Http2Session::next ──> ServerBackend::record, reply_to ──> Http2Exchange::respond ──> Http2Session::push
//!      (a stream)                                             (pauses)                   (frames)
//! ```
//!
//! Streams of one connection are served one after the other, in the order in
//! which they were opened. So a response that is held back holds up the later
//! streams of its connection. Faults mean the same as over HTTP/1.1, where
//! HTTP/2 has something alike: [`Reply`] has the table.

mod grpc;
mod session;

use std::io;
use std::net::TcpStream;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, request};

use grpc::{GrpcRequest, OutgoingResponse};
use session::Http2Session;

use super::backend::{ServerBackend, UsualResponse};
use super::http_response::FakeBody;
use super::pause::{AttemptPause, ExchangeEnd};
use super::reply::{AfterReply, CutPosition, Reply, ReplyContent, ReplyCut, StreamRefusal};
use super::request::{RecordedRequest, RequestParts};
use super::rpc_response::RpcResponse;
use super::socket::{ShutdownSignal, is_timeout};
use crate::types::Status;

/// Returns whether a connection begins with the preface of HTTP/2 (RFC 9113
/// §3.4), and leaves the bytes in the socket.
///
/// It waits until the bytes decide: a client that sends nothing keeps it
/// waiting, one that sends `G` does not.
pub(super) fn is_spoken(socket: &TcpStream, shutdown: &ShutdownSignal) -> io::Result<bool> {
    socket.set_read_timeout(Some(Duration::from_millis(250)))?;
    let mut start = [0; PREFACE.len()];
    loop {
        let seen = match socket.peek(&mut start) {
            Ok(0) => return Ok(false),
            Ok(amount) => start.get(..amount).unwrap_or_default(),
            Err(error) if is_timeout(&error) => &[],
            Err(error) => return Err(error),
        };
        if seen == PREFACE || !PREFACE.starts_with(seen) || shutdown.is_set() {
            return Ok(seen == PREFACE);
        }
        if !seen.is_empty() {
            // A peek does not wait for more than it has seen.
            shutdown.wait(Duration::from_millis(1));
        }
    }
}

/// Serves a connection until it ends. `number` is the one that
/// [`RecordedRequest::connection`] returns.
pub(super) fn serve(socket: &TcpStream, number: u64, backend: &ServerBackend) -> io::Result<()> {
    let Ok(mut session) = Http2Session::open(socket, &backend.shutdown) else { return Ok(()) };
    let (mut is_doomed, mut served) = (false, 0);
    while let Ok((request, respond)) = session.next() {
        let (head, mut body) = request.into_parts();
        // Without a whole request there is nothing to respond to.
        let Ok(body) = session.body(&mut body) else { continue };
        let grpc = GrpcRequest::read(
            head.uri.path(),
            text(&head.headers, CONTENT_TYPE.as_str()),
            text(&head.headers, "grpc-encoding"),
            body,
        );
        let (is_grpc, problem, may_start) = (grpc.is_grpc, grpc.problem.clone(), grpc.may_start);
        let request = backend.record(parts(&head, grpc, number, backend));
        // A method that is not of google.longrunning.Operations is no problem
        // if a test has added it.
        let problem = problem.filter(|_| !(may_start && backend.is_start(&request)));
        // As over HTTP/1.1: recorded, without a response and without an effect.
        if is_doomed {
            break;
        }
        served += 1;
        let reply = match backend.reply_to(&request) {
            reply if served >= backend.requests_per_connection => reply.then_go_away(),
            reply => reply,
        };
        if !reply.resets() && session.accept().is_err() {
            return Ok(());
        }
        let pauses = backend.pauses();
        let exchange = Http2Exchange {
            session: &mut session,
            backend,
            request: &request,
            is_grpc,
            problem,
            respond,
            pauses,
        };
        match exchange.respond(&reply) {
            Ok(AfterStream::Request) => is_doomed = reply.after == AfterReply::CloseOnNextRequest,
            Ok(AfterStream::Close) => break,
            Ok(AfterStream::Reset) => return Ok(()),
            // The stream is gone; whether the connection is too shows when the next one is awaited.
            Err(_) => {}
        }
    }
    // Errors here are the end that it waits for.
    let _ = session.close();
    Ok(())
}

/// What happens to the connection after a response.
enum AfterStream {
    /// The next stream is served.
    Request,
    /// The connection closes after the client has received everything.
    Close,
    /// The connection closes at once, with unread bytes: a reset.
    Reset,
}

/// One request and its response.
struct Http2Exchange<'s, 'a> {
    session: &'s mut Http2Session<'a>,
    backend: &'s ServerBackend,
    request: &'s RecordedRequest,
    /// Whether the content type is that of gRPC; else the request is REST.
    is_grpc: bool,
    /// The error of a gRPC request that is no valid call.
    problem: Option<Status>,
    respond: SendResponse<Bytes>,
    pauses: AttemptPause<'s>,
}

impl Http2Exchange<'_, '_> {
    /// Sends the reply. An error ends the stream; the connection may go on.
    fn respond(mut self, reply: &Reply) -> Result<AfterStream, ExchangeEnd> {
        if reply.after_ping {
            self.session.ping()?;
        }
        let begun = match self.begin(reply) {
            Ok(Some(outgoing)) => self.send(reply, outgoing),
            Ok(None) => return Ok(self.refuse(reply)),
            Err(ExchangeEnd::Deadline) => {
                // Headers say that the call has begun: without them, a client could take it
                // for one that the server has not seen, and send it again.
                let head = response(200, &[("content-type".into(), "application/grpc".into())]);
                let _stream = self.respond.send_response(head, false).map_err(|_| ExchangeEnd::Peer)?;
                self.session.pump()?;
                Err(ExchangeEnd::Deadline)
            }
            Err(gone) => Err(gone),
        };
        if begun == Err(ExchangeEnd::Deadline) {
            self.respond.send_reset(Reason::CANCEL);
            self.session.pump()?;
        }
        begun?;
        let ends = reply.closes() || reply.cut.is_some() || reply.after == AfterReply::Close;
        Ok(match ends {
            _ if reply.resets() => AfterStream::Reset,
            true => AfterStream::Close,
            false => AfterStream::Request,
        })
    }

    /// Returns what is sent, after everything that comes before the first byte:
    /// the effect of the request, and the delay. `None` if the reply has no
    /// response in terms of HTTP.
    fn begin(&mut self, reply: &Reply) -> Result<Option<OutgoingResponse>, ExchangeEnd> {
        let outgoing = match &reply.content {
            ReplyContent::Raw(_) => None,
            ReplyContent::Http(http) if self.is_grpc => {
                Some(OutgoingResponse::to_call_by_http(reply, http.clone()))
            }
            ReplyContent::Http(http) => Some(OutgoingResponse::http(reply, http.clone())),
            ReplyContent::Rpc(response, http) => Some(self.rpc(reply, response.clone(), *http)),
            ReplyContent::Usual => Some(self.usual(reply)?),
        };
        self.pause(reply, reply.delay)?;
        Ok(outgoing.map(|mut outgoing| {
            if let Some(date) = self.backend.date.header()
                && !reply.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("date"))
            {
                outgoing.headers.push(("date".into(), date));
            }
            outgoing
        }))
    }

    /// Encodes a response of the service for gRPC or for REST.
    fn rpc(&self, reply: &Reply, response: RpcResponse, http: Option<u16>) -> OutgoingResponse {
        match self.is_grpc {
            true => OutgoingResponse::to_call(reply, response),
            false => OutgoingResponse::to_rest(reply, self.request, response, http),
        }
    }

    /// Performs the request, and returns its response without faults.
    fn usual(&mut self, reply: &Reply) -> Result<OutgoingResponse, ExchangeEnd> {
        if let Some(problem) = self.problem.take() {
            return Ok(self.rpc(reply, RpcResponse::Error(problem), None));
        }
        let (backend, request) = (self.backend, self.request);
        Ok(match backend.respond(request, &mut |duration| self.pause(reply, duration))? {
            UsualResponse::Http(response) => OutgoingResponse::http(reply, response),
            UsualResponse::Rpc(response) => self.rpc(reply, response, None),
        })
    }

    /// Sends `RST_STREAM`, `GOAWAY`, bytes or nothing at all instead of a response.
    fn refuse(&mut self, reply: &Reply) -> AfterStream {
        let id = self.respond.stream_id().as_u32();
        match (reply.http2, &reply.content) {
            (Some(StreamRefusal::Reset(code)), _) => {
                self.respond.send_reset(Reason::from(code));
                let _ = self.session.pump();
                return AfterStream::Request;
            }
            // The last stream that is served is the one before this: clients
            // have odd numbers, so the client knows that its request had no
            // effect.
            (Some(StreamRefusal::GoAway), _) => drop(self.session.go_away(id.saturating_sub(2))),
            (None, ReplyContent::Raw(bytes)) => drop(self.raw(reply, bytes)),
            (None, _) => {}
        }
        if reply.resets() { AfterStream::Reset } else { AfterStream::Close }
    }

    /// Sends bytes that are no frames, in the pieces that the reply sets.
    fn raw(&mut self, reply: &Reply, bytes: &[u8]) -> Result<(), ExchangeEnd> {
        let (piece, interval) = reply.drip.unwrap_or((bytes.len().max(1), Duration::ZERO));
        for piece in bytes.chunks(piece) {
            self.pause(reply, interval)?;
            self.session.raw(piece)?;
        }
        Ok(())
    }

    /// Sends a response with the faults of `reply`, which may leave it
    /// incomplete.
    fn send(&mut self, reply: &Reply, outgoing: OutgoingResponse) -> Result<(), ExchangeEnd> {
        if reply.closes() {
            self.session.go_away(self.respond.stream_id().as_u32())?;
        }
        self.session.pump()?;
        let OutgoingResponse { status, headers, prefix, body, trailers } = outgoing;
        let length = body.len().saturating_add(prefix.len() as u64);
        // A response without a body ends with its headers, as gRPC's
        // trailers-only responses do.
        let is_all = length == 0 && trailers.is_none();
        let head = response(status, &headers);
        let mut stream = self.respond.send_response(head, is_all).map_err(|_| ExchangeEnd::Peer)?;
        let end = match reply.cut {
            Some(ReplyCut { at: CutPosition::Head(bytes), .. }) => return self.session.pump_at_most(bytes),
            Some(ReplyCut { at: CutPosition::Body(bytes), .. }) => length.min(bytes as u64),
            None => length,
        };
        // A response that is cut short does not end its stream: the client has
        // to notice that the rest is missing. Of an empty body, any cut counts.
        let is_whole = end == length && (length > 0 || reply.cut.is_none());
        let mut at = 0;
        while at < end {
            // A drip has pieces of its own; without one, pieces bound the
            // memory of a body of spaces.
            let next = end.min(at.saturating_add(reply.drip.map_or(PIECE, |(bytes, _)| bytes as u64)));
            if let Some((_, interval)) = reply.drip {
                self.session.pump()?;
                self.pause_in(&mut stream, interval)?;
            }
            let is_last = is_whole && next == end && trailers.is_none();
            self.session.push(&mut stream, piece(&prefix, &body, at, next), is_last)?;
            at = next;
        }
        if let Some(trailers) = trailers.filter(|_| is_whole) {
            stream.send_trailers(map(&trailers)).map_err(|_| ExchangeEnd::Peer)?;
        }
        self.session.pump()
    }

    /// Lets time pass before the response, unless the client cancels the stream
    /// or leaves.
    fn pause(&mut self, reply: &Reply, duration: Duration) -> Result<(), ExchangeEnd> {
        let Self { session, respond, backend, pauses, .. } = self;
        let keeps = reply.resets();
        pauses.pause(duration, |nap| {
            if keeps {
                // Read bytes cannot reset the connection any more.
                return if backend.shutdown.wait(nap) { Err(ExchangeEnd::Peer) } else { Ok(()) };
            }
            session.listen(nap)?;
            still_there(respond.poll_reset(&mut Context::from_waker(Waker::noop())))
        })
    }

    /// Lets time pass in the middle of the response, unless the client cancels
    /// the stream or leaves.
    fn pause_in(&mut self, stream: &mut SendStream<Bytes>, duration: Duration) -> Result<(), ExchangeEnd> {
        let Self { session, pauses, .. } = self;
        pauses.pause(duration, |nap| {
            session.listen(nap)?;
            still_there(stream.poll_reset(&mut Context::from_waker(Waker::noop())))
        })
    }
}

/// Returns an error if the client has reset the stream.
fn still_there(reset: Poll<Result<Reason, h2::Error>>) -> Result<(), ExchangeEnd> {
    if reset.is_ready() { Err(ExchangeEnd::Peer) } else { Ok(()) }
}

/// Returns the request in the form in which it is recorded. The authority,
/// which HTTP/2 has in place of `host`, becomes a header.
fn parts(head: &request::Parts, grpc: GrpcRequest, connection: u64, backend: &ServerBackend) -> RequestParts {
    let authority = head.uri.authority().map(|authority| (":authority".to_owned(), authority.to_string()));
    let sent = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    RequestParts {
        method: head.method.to_string(),
        target: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: authority.into_iter().chain(sent).collect(),
        body: grpc.body,
        connection,
        at: backend.clock.elapsed(),
        call: grpc.call,
    }
}

/// Returns the value of a header, empty if it is absent or not ASCII.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Returns the head of a response. An invalid status becomes 200.
fn response(status: u16, headers: &[(String, String)]) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    *response.headers_mut() = map(headers);
    response
}

/// Returns a header map, without the headers that HTTP/2 forbids and those that
/// are invalid.
fn map(headers: &[(String, String)]) -> HeaderMap {
    let fits = |(name, _): &&(String, String)| !OF_CONNECTIONS.contains(&name.as_str());
    let pairs = headers.iter().filter(fits).filter_map(|(name, value)| {
        let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    });
    pairs.fold(HeaderMap::new(), |mut map, (name, value)| {
        map.append(name, value);
        map
    })
}

/// Returns the bytes from `at` to `next` of the prefix and the body, which
/// follow each other.
fn piece(prefix: &[u8], body: &FakeBody, at: u64, next: u64) -> Vec<u8> {
    let split = prefix.len() as u64;
    let mut piece = prefix.get(at.min(split) as usize..next.min(split) as usize).unwrap_or_default().to_vec();
    let (from, to) = (at.saturating_sub(split), next.saturating_sub(split));
    match body {
        FakeBody::Bytes(bytes) => piece.extend(bytes.get(from as usize..to as usize).unwrap_or_default()),
        FakeBody::Spaces(_) => piece.resize(piece.len() + (to - from) as usize, b' '),
    }
    piece
}

/// The first bytes that a client sends over HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Headers that HTTP/2 forbids (RFC 9113 §8.2.2).
const OF_CONNECTIONS: [&str; 5] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// The number of bytes that are handed to h2 at once.
const PIECE: u64 = 64 * 1024;
