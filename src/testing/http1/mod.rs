//! HTTP/1.1: requests in, responses out, until one side closes the connection.
//!
//! The thread of a connection reads a request, lets the
//! [backend](super::backend) choose the reply, and writes the response with the
//! faults of that reply. Then it reads the next one. Pipelined requests are
//! served in their order.
//!
//! ```text
//! RequestReader::next ──> ServerBackend::record, reply_to ──> Http1Exchange::respond ──> writer::send
//!      (peeks)                                                 (pauses)                  (cuts, drips)
//! ```

mod reader;
mod writer;

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::backend::{ServerBackend, UsualResponse};
use super::error_body::error_body;
use super::http_response::{DataForm, FakeResponse};
use super::pause::{AttemptPause, ExchangeEnd};
use super::reply::{AfterReply, Reply, ReplyContent};
use super::request::{RecordedRequest, RequestParts};
use super::socket::has_left;
use crate::types::{Code, Status};

use reader::{ParsedRequest, RequestEnd, RequestReader};
use writer::{UNFINISHED, WriteContext, send, send_raw};

/// Serves a connection until it ends. `number` is the one that
/// [`RecordedRequest::connection`] returns.
pub(super) fn serve(stream: &TcpStream, number: u64, backend: &ServerBackend) -> io::Result<()> {
    let mut reader = RequestReader::new(stream, &backend.shutdown)?;
    let mut is_doomed = false;
    for served in 1.. {
        let request = match reader.next() {
            Ok(request) => request,
            Err(RequestEnd::Closed) => return Ok(()),
            Err(RequestEnd::Refused(status, message)) => {
                reader.accept()?;
                return refuse(stream, status, message);
            }
        };
        // The response to the last request announces the end, as servers with a
        // limit do.
        let close = request.closes() || served >= backend.requests_per_connection;
        let request = backend.record(into_parts(request, number, backend.clock.elapsed()));
        // The request is in the log, but gets no response and has no effect.
        // `accept` takes it out of the socket, so that the connection closes
        // without a reset.
        if is_doomed {
            return reader.accept();
        }
        let reply = backend.reply_to(&request);
        // Unread bytes in a socket turn its close into a reset, which is what a
        // reply that resets needs.
        if !reply.resets() {
            reader.accept()?;
        }
        let exchange = Http1Exchange { stream, backend, request: &request, close, pauses: backend.pauses() };
        // An error needs no report: the client sees how the connection ends.
        match exchange.respond(&reply) {
            Ok(AfterExchange::NextRequest) => is_doomed = reply.after == AfterReply::CloseOnNextRequest,
            Ok(AfterExchange::Close) | Err(_) => return Ok(()),
        }
    }
    Ok(())
}

/// One request and its response.
struct Http1Exchange<'a> {
    stream: &'a TcpStream,
    backend: &'a ServerBackend,
    request: &'a RecordedRequest,
    /// Whether the connection closes after the response.
    close: bool,
    pauses: AttemptPause<'a>,
}

/// What happens to the connection after an exchange.
enum AfterExchange {
    NextRequest,
    Close,
}

impl Http1Exchange<'_> {
    /// Sends the reply. Errors end the connection.
    fn respond(mut self, reply: &Reply) -> Result<AfterExchange, ExchangeEnd> {
        let http = match &reply.content {
            // Without a status line: the client cannot know where such a
            // response ends, so the connection closes.
            ReplyContent::Raw(bytes) => {
                self.hold_back(|this| this.pause(reply.delay))?;
                let mut stream = self.stream;
                send_raw(reply, bytes, &mut stream, |duration| self.pause(duration))?;
                return Ok(AfterExchange::Close);
            }
            ReplyContent::Http(http) => http.clone(),
            ReplyContent::Rpc(response, http) => {
                FakeResponse::of_rpc(response, DataForm::of(self.request), *http)
            }
            ReplyContent::Usual => self.hold_back(Self::usual)?,
        };
        self.hold_back(|this| this.pause(reply.delay))?;
        let close = self.close || reply.closes();
        // A response to HEAD has the headers of a GET without its body (RFC
        // 9110 §9.3.2).
        let is_head = self.request.method() == "HEAD";
        let context = WriteContext { is_head, close, date: self.backend.date.header() };
        let mut stream = self.stream;
        send(reply, http, &context, &mut stream, |duration| self.pause(duration))?;
        let ends = close || reply.cut.is_some() || reply.after == AfterReply::Close;
        Ok(if ends { AfterExchange::Close } else { AfterExchange::NextRequest })
    }

    /// Performs the request, and returns its response without faults.
    fn usual(&mut self) -> Result<FakeResponse, ExchangeEnd> {
        let (backend, request) = (self.backend, self.request);
        Ok(match backend.respond(request, &mut |duration| self.pause(duration))? {
            UsualResponse::Http(response) => response,
            UsualResponse::Rpc(response) => FakeResponse::of_rpc(&response, DataForm::of(request), None),
        })
    }

    /// Runs a step that comes before the first byte of the response. If the
    /// client's attempt times out meanwhile, it sends the beginning of a
    /// response that never ends.
    fn hold_back<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, ExchangeEnd>,
    ) -> Result<T, ExchangeEnd> {
        let result = step(self);
        if matches!(result, Err(ExchangeEnd::Deadline)) {
            let mut stream = self.stream;
            stream.write_all(UNFINISHED)?;
        }
        result
    }

    /// Lets time pass, unless the client leaves.
    fn pause(&mut self, duration: Duration) -> Result<(), ExchangeEnd> {
        let (shutdown, stream) = (&self.backend.shutdown, self.stream);
        self.pauses.pause(duration, |nap| match shutdown.wait(nap) || has_left(stream)? {
            true => Err(ExchangeEnd::Peer),
            false => Ok(()),
        })
    }
}

/// Returns the request in the form in which it is recorded.
fn into_parts(request: ParsedRequest, connection: u64, at: Duration) -> RequestParts {
    let ParsedRequest { method, target, headers, body, .. } = request;
    RequestParts { method, target, headers, body, connection, at, call: None }
}

/// Responds to bytes that are no valid request, then closes the connection.
///
/// It reads what the client still sends, up to a limit: a close with unread
/// bytes is a reset, which could discard the response before the client has
/// read it.
fn refuse(mut stream: &TcpStream, status: u16, message: &str) -> io::Result<()> {
    let body = error_body(status, &Status::new(Code::from_http(status), message));
    let context = WriteContext { is_head: false, close: true, date: None };
    let reply = Reply::usual();
    if send(&reply, FakeResponse::new(status, body), &context, &mut stream, |_| Ok(())).is_ok() {
        // The client gets the end of the response, while this side still reads.
        stream.shutdown(Shutdown::Write)?;
        io::copy(&mut stream.take(DRAIN), &mut io::sink())?;
    }
    Ok(())
}

/// The number of bytes that are read of a refused request.
const DRAIN: u64 = 64 * 1024 * 1024;
