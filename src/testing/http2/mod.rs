//! HTTP/2 without TLS: gRPC, and REST for those who ask for that.
//!
//! Streams of one connection are served one after the other, in the order in which they were opened.

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

use grpc::{Outgoing, Question};
use session::Session;

use super::answer::{Body, Gone};
use super::auth;
use super::inbox::is_pause;
use super::log::{Parts, RecordedRequest};
use super::patience::Patience;
use super::reply::{After, Answer, Cut, Http2, Position, Reply};
use super::said::Said;
use super::server::{Core, Stop};
use super::service;

/// Looks whether a connection begins as one of HTTP/2 does, and leaves the bytes in the socket.
pub(super) fn is_spoken(socket: &TcpStream, stop: &Stop) -> io::Result<bool> {
    socket.set_read_timeout(Some(Duration::from_millis(250)))?;
    let mut start = [0; PREFACE.len()];
    loop {
        let seen = match socket.peek(&mut start) {
            Ok(0) => return Ok(false),
            Ok(amount) => start.get(..amount).unwrap_or_default(),
            Err(error) if is_pause(&error) => &[],
            Err(error) => return Err(error),
        };
        if seen == PREFACE || !PREFACE.starts_with(seen) || stop.is_set() {
            return Ok(seen == PREFACE);
        }
        if !seen.is_empty() {
            // A peek does not wait for more than it has seen.
            stop.wait(Duration::from_millis(1));
        }
    }
}

/// Serves a connection to its end.
pub(super) fn serve(socket: &TcpStream, number: u64, core: &Core) -> io::Result<()> {
    let Ok(mut session) = Session::open(socket, &core.stop) else { return Ok(()) };
    let (mut is_doomed, mut served) = (false, 0);
    while let Ok((request, respond)) = session.next() {
        let (head, mut body) = request.into_parts();
        // Without a whole request there is nothing to answer.
        let Ok(body) = session.body(&mut body) else { continue };
        let question = Question::read(
            head.uri.path(),
            text(&head.headers, CONTENT_TYPE.as_str()),
            text(&head.headers, "grpc-encoding"),
            body,
        );
        let (is_grpc, problem) = (question.is_grpc, question.problem.clone());
        let request = core.record(parts(&head, question, number, core));
        if is_doomed {
            break;
        }
        served += 1;
        let reply = match core.reply_to(&request) {
            reply if served >= core.options.requests_per_connection => reply.then_go_away(),
            reply => reply,
        };
        if !reply.resets() && session.accept().is_err() {
            return Ok(());
        }
        let said = problem.map(Said::Error);
        let patience = Patience::of(core);
        let exchange =
            Exchange { session: &mut session, core, request: &request, is_grpc, said, respond, patience };
        match exchange.answer(&reply) {
            Ok(Next::Request) => is_doomed = reply.after == After::CloseOnNextRequest,
            Ok(Next::Close) => break,
            Ok(Next::Reset) => return Ok(()),
            // The stream is gone; whether the connection is too shows when the next one is awaited.
            Err(_) => {}
        }
    }
    let _ = session.close();
    Ok(())
}

enum Next {
    Request,
    Close,
    Reset,
}

/// One request and its answer.
struct Exchange<'s, 'a> {
    session: &'s mut Session<'a>,
    core: &'s Core,
    request: &'s RecordedRequest,
    is_grpc: bool,
    /// What is to be said of a request that is none.
    said: Option<Said>,
    respond: SendResponse<Bytes>,
    patience: Patience,
}

impl Exchange<'_, '_> {
    fn answer(mut self, reply: &Reply) -> Result<Next, Gone> {
        if reply.after_ping {
            self.session.ping()?;
        }
        let answered = match self.begin(reply) {
            Ok(Some(outgoing)) => self.send(reply, outgoing),
            Ok(None) => return Ok(self.turned_away(reply)),
            Err(Gone::Deadline) => {
                // Something that no client takes for a call which was not begun, and would make again.
                let head = response(200, &[("content-type".into(), "application/grpc".into())]);
                let _stream = self.respond.send_response(head, false).map_err(|_| Gone::Peer)?;
                self.session.turn()?;
                Err(Gone::Deadline)
            }
            Err(gone) => Err(gone),
        };
        if answered == Err(Gone::Deadline) {
            self.respond.send_reset(Reason::CANCEL);
            self.session.turn()?;
        }
        answered?;
        let ends = reply.closes() || reply.cut.is_some() || reply.after == After::Close;
        Ok(match ends {
            _ if reply.resets() => Next::Reset,
            true => Next::Close,
            false => Next::Request,
        })
    }

    /// What comes before the first byte of the answer; `None` when there is none in the words of HTTP.
    fn begin(&mut self, reply: &Reply) -> Result<Option<Outgoing>, Gone> {
        let outgoing = match &reply.answer {
            Answer::Raw(_) => None,
            Answer::Http(http) if self.is_grpc => Some(Outgoing::to_call_by_http(reply, http.clone())),
            Answer::Http(http) => Some(Outgoing::http(reply, http.clone())),
            Answer::Said(said, http) => Some(self.said(reply, said.clone(), *http)),
            Answer::Usual => Some(self.usual(reply)?),
        };
        self.pause(reply, reply.delay)?;
        Ok(outgoing.map(|mut outgoing| {
            if let Some(date) = self.core.date()
                && !reply.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("date"))
            {
                outgoing.headers.push(("date".into(), date));
            }
            outgoing
        }))
    }

    fn said(&self, reply: &Reply, said: Said, http: Option<u16>) -> Outgoing {
        match self.is_grpc {
            true => Outgoing::to_call(reply, said),
            false => Outgoing::to_rest(reply, self.request, said, http),
        }
    }

    /// The answer of the server itself.
    fn usual(&mut self, reply: &Reply) -> Result<Outgoing, Gone> {
        if !self.is_grpc
            && let Some(http) = auth::answer(self.core, self.request)
        {
            return Ok(Outgoing::http(reply, http));
        }
        let said = match (self.said.take(), self.request.call()) {
            (Some(said), _) => said,
            (None, Some(call)) => {
                service::answer(self.core, call, &mut |duration| self.pause(reply, duration))?
            }
            (None, None) => service::no_method(self.request),
        };
        Ok(self.said(reply, said, None))
    }

    /// Bytes, a reset, or nothing at all instead of an answer.
    fn turned_away(&mut self, reply: &Reply) -> Next {
        let id = self.respond.stream_id().as_u32();
        match (reply.http2, &reply.answer) {
            (Some(Http2::Reset(code)), _) => {
                self.respond.send_reset(Reason::from(code));
                let _ = self.session.turn();
                return Next::Request;
            }
            (Some(Http2::GoAway), _) => drop(self.session.go_away(id.saturating_sub(2))),
            (None, Answer::Raw(bytes)) => drop(self.raw(reply, bytes)),
            (None, _) => {}
        }
        if reply.resets() { Next::Reset } else { Next::Close }
    }

    fn raw(&mut self, reply: &Reply, bytes: &[u8]) -> Result<(), Gone> {
        let (piece, interval) = reply.drip.unwrap_or((bytes.len().max(1), Duration::ZERO));
        for piece in bytes.chunks(piece) {
            self.pause(reply, interval)?;
            self.session.raw(piece)?;
        }
        Ok(())
    }

    /// Sends an answer with the faults of `reply`, which may leave it incomplete.
    fn send(&mut self, reply: &Reply, outgoing: Outgoing) -> Result<(), Gone> {
        if reply.closes() {
            self.session.go_away(self.respond.stream_id().as_u32())?;
        }
        self.session.turn()?;
        let Outgoing { status, headers, prefix, body, trailers } = outgoing;
        let length = body.len().saturating_add(prefix.len() as u64);
        let is_all = length == 0 && trailers.is_none();
        let head = response(status, &headers);
        let mut stream = self.respond.send_response(head, is_all).map_err(|_| Gone::Peer)?;
        let end = match reply.cut {
            Some(Cut { at: Position::Head(bytes), .. }) => return self.session.turn_short(bytes),
            Some(Cut { at: Position::Body(bytes), .. }) => length.min(bytes as u64),
            None => length,
        };
        let is_whole = end == length && (length > 0 || reply.cut.is_none());
        let mut at = 0;
        while at < end {
            let next = end.min(at.saturating_add(reply.drip.map_or(PIECE, |(bytes, _)| bytes as u64)));
            if let Some((_, interval)) = reply.drip {
                self.session.turn()?;
                self.pause_in(&mut stream, interval)?;
            }
            let is_last = is_whole && next == end && trailers.is_none();
            self.session.push(&mut stream, piece(&prefix, &body, at, next), is_last)?;
            at = next;
        }
        if let Some(trailers) = trailers.filter(|_| is_whole) {
            stream.send_trailers(map(&trailers)).map_err(|_| Gone::Peer)?;
        }
        self.session.turn()
    }

    /// Lets time pass before the answer.
    fn pause(&mut self, reply: &Reply, duration: Duration) -> Result<(), Gone> {
        let Self { session, respond, core, patience, .. } = self;
        let keeps = reply.resets();
        patience.pause(core, duration, |nap| {
            if keeps {
                // Read bytes cannot reset the connection any more.
                return if core.stop.wait(nap) { Err(Gone::Peer) } else { Ok(()) };
            }
            session.listen(nap)?;
            still_there(respond.poll_reset(&mut Context::from_waker(Waker::noop())))
        })
    }

    /// Lets time pass in the middle of the answer.
    fn pause_in(&mut self, stream: &mut SendStream<Bytes>, duration: Duration) -> Result<(), Gone> {
        let Self { session, core, patience, .. } = self;
        patience.pause(core, duration, |nap| {
            session.listen(nap)?;
            still_there(stream.poll_reset(&mut Context::from_waker(Waker::noop())))
        })
    }
}

fn still_there(reset: Poll<Result<Reason, h2::Error>>) -> Result<(), Gone> {
    if reset.is_ready() { Err(Gone::Peer) } else { Ok(()) }
}

fn parts(head: &request::Parts, question: Question, connection: u64, core: &Core) -> Parts {
    let authority = head.uri.authority().map(|authority| (":authority".to_owned(), authority.to_string()));
    let sent = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Parts {
        method: head.method.to_string(),
        target: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: authority.into_iter().chain(sent).collect(),
        body: question.body,
        connection,
        at: core.clock.elapsed(),
        call: question.call,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn response(status: u16, headers: &[(String, String)]) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    *response.headers_mut() = map(headers);
    response
}

/// What has no place in HTTP/2 is left out.
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

/// The bytes from `at` to `next` of a body behind its prefix.
fn piece(prefix: &[u8], body: &Body, at: u64, next: u64) -> Vec<u8> {
    let split = prefix.len() as u64;
    let mut piece = prefix.get(at.min(split) as usize..next.min(split) as usize).unwrap_or_default().to_vec();
    let (from, to) = (at.saturating_sub(split), next.saturating_sub(split));
    match body {
        Body::Bytes(bytes) => piece.extend(bytes.get(from as usize..to as usize).unwrap_or_default()),
        Body::Spaces(_) => piece.resize(piece.len() + (to - from) as usize, b' '),
    }
    piece
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Headers that HTTP/2 forbids (RFC 9113 §8.2.2).
const OF_CONNECTIONS: [&str; 5] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// How much is handed to h2 at once.
const PIECE: u64 = 64 * 1024;
