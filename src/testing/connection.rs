//! One connection: requests in, answers out, until somebody closes it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::answer::{Context, Gone, Http, UNFINISHED, send, send_raw};
use super::auth;
#[cfg(feature = "grpc")]
use super::http2;
use super::inbox::{Inbox, NoRequest, Request, is_pause};
use super::log::{Parts, RecordedRequest};
use super::patience::Patience;
use super::reply::{After, Answer, Reply};
use super::said::{Form, error_body};
use super::server::Core;
use super::service;
use crate::types::{Code, Status};

/// Serves a connection to its end.
pub(super) fn serve(stream: &TcpStream, number: u64, core: &Core) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    #[cfg(feature = "grpc")]
    if http2::is_spoken(stream, &core.stop)? {
        return http2::serve(stream, number, core);
    }
    let mut inbox = Inbox::new(stream, &core.stop)?;
    let mut is_doomed = false;
    for served in 1.. {
        let request = match inbox.next() {
            Ok(request) => request,
            Err(NoRequest::Closed) => return Ok(()),
            Err(NoRequest::Refused(status, message)) => {
                inbox.accept()?;
                return refuse(stream, status, message);
            }
        };
        let close = request.closes() || served >= core.options.requests_per_connection;
        let request = core.record(request.into_parts(number, core.clock.elapsed()));
        if is_doomed {
            return inbox.accept();
        }
        let reply = core.reply_to(&request);
        if !reply.resets() {
            inbox.accept()?;
        }
        let exchange = Exchange { stream, core, request: &request, close, patience: Patience::of(core) };
        match exchange.answer(&reply) {
            Ok(Next::Request) => is_doomed = reply.after == After::CloseOnNextRequest,
            Ok(Next::Close) | Err(_) => return Ok(()),
        }
    }
    Ok(())
}

/// One request and its answer.
struct Exchange<'a> {
    stream: &'a TcpStream,
    core: &'a Core,
    request: &'a RecordedRequest,
    /// Whether the client asks for the end of the connection.
    close: bool,
    patience: Patience,
}

enum Next {
    Request,
    Close,
}

impl Exchange<'_> {
    fn answer(mut self, reply: &Reply) -> Result<Next, Gone> {
        let http = match &reply.answer {
            Answer::Raw(bytes) => {
                self.hold_back(|this| this.pause(reply.delay))?;
                let mut stream = self.stream;
                send_raw(reply, bytes, &mut stream, |duration| self.pause(duration))?;
                return Ok(Next::Close);
            }
            Answer::Http(http) => http.clone(),
            Answer::Said(said, http) => said.clone().into_http(Form::of(self.request), *http),
            Answer::Usual => self.hold_back(Self::usual)?,
        };
        self.hold_back(|this| this.pause(reply.delay))?;
        let close = self.close || reply.closes();
        let is_head = self.request.method() == "HEAD";
        let context = Context { is_head, close, date: self.core.date() };
        let mut stream = self.stream;
        send(reply, http, &context, &mut stream, |duration| self.pause(duration))?;
        let ends = close || reply.cut.is_some() || reply.after == After::Close;
        Ok(if ends { Next::Close } else { Next::Request })
    }

    /// The answer of the server itself.
    fn usual(&mut self) -> Result<Http, Gone> {
        let (core, request) = (self.core, self.request);
        if let Some(http) = auth::answer(core, request) {
            return Ok(http);
        }
        let said = match request.call() {
            Some(call) => service::answer(core, call, &mut |duration| self.pause(duration))?,
            None => service::no_method(request),
        };
        Ok(said.into_http(Form::of(request), None))
    }

    /// Runs what comes before the first byte of the answer.
    fn hold_back<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, Gone>) -> Result<T, Gone> {
        let result = step(self);
        if matches!(result, Err(Gone::Deadline)) {
            let mut stream = self.stream;
            stream.write_all(UNFINISHED)?;
        }
        result
    }

    fn pause(&mut self, duration: Duration) -> Result<(), Gone> {
        let (core, stream) = (self.core, self.stream);
        self.patience.pause(core, duration, |nap| match core.stop.wait(nap) || has_left(stream)? {
            true => Err(Gone::Peer),
            false => Ok(()),
        })
    }
}

impl Request {
    fn closes(&self) -> bool {
        self.has("connection", "close") || (self.is_old && !self.has("connection", "keep-alive"))
    }

    fn into_parts(self, connection: u64, at: Duration) -> Parts {
        let Self { method, target, headers, body, .. } = self;
        Parts { method, target, headers, body, connection, at, call: None }
    }
}

/// Whether the client has closed its end.
fn has_left(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(match peeked {
        Ok(count) => count == 0,
        Err(error) => !is_pause(&error),
    })
}

/// Answers what is not a request, and reads on for a while so that the answer is not lost to a reset.
fn refuse(mut stream: &TcpStream, status: u16, message: &str) -> io::Result<()> {
    let body = error_body(status, &Status::new(Code::from_http(status), message));
    let context = Context { is_head: false, close: true, date: None };
    let reply = Reply::usual();
    if send(&reply, Http::new(status, body), &context, &mut stream, |_| Ok(())).is_ok() {
        stream.shutdown(Shutdown::Write)?;
        io::copy(&mut stream.take(DRAIN), &mut io::sink())?;
    }
    Ok(())
}

/// How long a client may leave an answer unread.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of a refused request is read.
const DRAIN: u64 = 64 * 1024 * 1024;
