//! One connection: requests in, answers out, until somebody closes it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::answer::{Context, Gone, Http, UNFINISHED, send, send_raw};
use super::auth;
use super::inbox::{Inbox, NoRequest, Request, is_pause};
use super::log::{Parts, RecordedRequest};
use super::reply::{After, Answer, Reply};
use super::said::{Form, error_body};
use super::server::Core;
use super::service;
use crate::types::{Code, Status};

/// Serves a connection to its end.
pub(super) fn serve(stream: &TcpStream, number: u64, core: &Core) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    let mut inbox = Inbox::new(stream, &core.stop)?;
    let mut is_doomed = false;
    loop {
        let request = match inbox.next() {
            Ok(request) => request,
            Err(NoRequest::Closed) => return Ok(()),
            Err(NoRequest::Refused(status, message)) => {
                inbox.accept()?;
                return refuse(stream, status, message);
            }
        };
        let close = request.closes();
        let request = core.record(request.into_parts(number, core.clock.elapsed()));
        if is_doomed {
            return inbox.accept();
        }
        let reply = core.reply_to(&request);
        if !reply.resets() {
            inbox.accept()?;
        }
        let exchange = Exchange { stream, core, request: &request, close, left: core.clock.budget() };
        match exchange.answer(&reply) {
            Ok(Next::Request) => is_doomed = reply.after == After::CloseOnNextRequest,
            Ok(Next::Close) | Err(_) => return Ok(()),
        }
    }
}

/// One request and its answer.
struct Exchange<'a> {
    stream: &'a TcpStream,
    core: &'a Core,
    request: &'a RecordedRequest,
    /// Whether the client asks for the end of the connection.
    close: bool,
    /// What is left of the client's time, where it runs on the server's clock.
    left: Option<Duration>,
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

    /// Lets time pass: the clock's where the client runs on it too or need not notice, else real time.
    fn pause(&mut self, duration: Duration) -> Result<(), Gone> {
        let clock = &self.core.clock;
        match self.left {
            _ if duration.is_zero() => Ok(()),
            Some(left) if clock.is_virtual() && duration >= left => {
                clock.advance(left);
                Err(Gone::Deadline)
            }
            _ if clock.is_virtual() && duration < Duration::MAX => {
                clock.advance(duration);
                self.left = self.left.map(|left| left - duration);
                Ok(())
            }
            _ => self.really_wait(duration),
        }
    }

    fn really_wait(&self, duration: Duration) -> Result<(), Gone> {
        let start = Instant::now();
        while start.elapsed() < duration {
            let left = duration.saturating_sub(start.elapsed());
            if self.core.stop.wait(left.min(LOOK_AROUND)) || has_left(self.stream)? {
                return Err(Gone::Peer);
            }
        }
        Ok(())
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

/// How often a thread that waits in real time looks whether the client is still there.
const LOOK_AROUND: Duration = Duration::from_millis(50);

/// How much of a refused request is read.
const DRAIN: u64 = 64 * 1024 * 1024;
