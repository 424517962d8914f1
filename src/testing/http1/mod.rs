//! HTTP/1.1: requests in, responses out, until one side closes the connection.

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

/// Serves a connection to its end.
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
        let close = request.closes() || served >= backend.requests_per_connection;
        let request = backend.record(into_parts(request, number, backend.clock.elapsed()));
        if is_doomed {
            return reader.accept();
        }
        let reply = backend.reply_to(&request);
        if !reply.resets() {
            reader.accept()?;
        }
        let exchange = Http1Exchange { stream, backend, request: &request, close, pauses: backend.pauses() };
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

enum AfterExchange {
    NextRequest,
    Close,
}

impl Http1Exchange<'_> {
    fn respond(mut self, reply: &Reply) -> Result<AfterExchange, ExchangeEnd> {
        let http = match &reply.content {
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
        let is_head = self.request.method() == "HEAD";
        let context = WriteContext { is_head, close, date: self.backend.date.header() };
        let mut stream = self.stream;
        send(reply, http, &context, &mut stream, |duration| self.pause(duration))?;
        let ends = close || reply.cut.is_some() || reply.after == AfterReply::Close;
        Ok(if ends { AfterExchange::Close } else { AfterExchange::NextRequest })
    }

    /// Returns the response of the server itself.
    fn usual(&mut self) -> Result<FakeResponse, ExchangeEnd> {
        let (backend, request) = (self.backend, self.request);
        Ok(match backend.respond(request, &mut |duration| self.pause(duration))? {
            UsualResponse::Http(response) => response,
            UsualResponse::Rpc(response) => FakeResponse::of_rpc(&response, DataForm::of(request), None),
        })
    }

    /// Runs what comes before the first byte of the response.
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

    fn pause(&mut self, duration: Duration) -> Result<(), ExchangeEnd> {
        let (shutdown, stream) = (&self.backend.shutdown, self.stream);
        self.pauses.pause(duration, |nap| match shutdown.wait(nap) || has_left(stream)? {
            true => Err(ExchangeEnd::Peer),
            false => Ok(()),
        })
    }
}

fn into_parts(request: ParsedRequest, connection: u64, at: Duration) -> RequestParts {
    let ParsedRequest { method, target, headers, body, .. } = request;
    RequestParts { method, target, headers, body, connection, at, call: None }
}

/// Responds to what is no request, and reads on for a while so that the
/// response is not lost to a reset.
fn refuse(mut stream: &TcpStream, status: u16, message: &str) -> io::Result<()> {
    let body = error_body(status, &Status::new(Code::from_http(status), message));
    let context = WriteContext { is_head: false, close: true, date: None };
    let reply = Reply::usual();
    if send(&reply, FakeResponse::new(status, body), &context, &mut stream, |_| Ok(())).is_ok() {
        stream.shutdown(Shutdown::Write)?;
        io::copy(&mut stream.take(DRAIN), &mut io::sink())?;
    }
    Ok(())
}

/// How much of a refused request is read.
const DRAIN: u64 = 64 * 1024 * 1024;
