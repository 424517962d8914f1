//! The server's half of h2 on a loopback port, with a script for each request.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{fmt, mem, thread};

use bytes::Bytes;
use h2::server::{Builder, Connection, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, Request, Response};
use prost::Message;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::super::frame;
use super::super::pipe::Pipe;
use crate::transport::Compression;

/// A step of the response to one request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Headers, and whether they are all.
    Head(u16, Vec<(&'static str, String)>, bool),
    Data(Vec<u8>),
    Trailers(Vec<(&'static str, String)>),
    Reset(Reason),
    /// `GOAWAY` as a server sends it that shuts down in order.
    ShutDown,
    /// Bytes as they are, between frames.
    Raw(Vec<u8>),
    Run(Hook),
    Close,
    Silence,
}

/// What a test does between the steps of the server.
#[derive(Clone)]
pub(super) struct Hook(Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

pub(super) fn run(hook: impl Fn() + Send + Sync + 'static) -> Act {
    Act::Run(Hook(Arc::new(hook)))
}

pub(super) fn head(status: u16, headers: &[(&'static str, &str)], ends: bool) -> Act {
    Act::Head(status, owned(headers), ends)
}

pub(super) fn trailers(headers: &[(&'static str, &str)]) -> Act {
    Act::Trailers(owned(headers))
}

fn owned(headers: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

pub(super) const GRPC: (&str, &str) = ("content-type", "application/grpc");

/// A usual answer.
pub(super) fn ok(message: &impl Message) -> Vec<Act> {
    data(frame::encode(message, Compression::Identity).to_vec())
}

/// A response that ends well, with these bytes in it.
pub(super) fn data(bytes: Vec<u8>) -> Vec<Act> {
    vec![head(200, &[GRPC], false), Act::Data(bytes), trailers(&[("grpc-status", "0")])]
}

/// An error without a message.
pub(super) fn error(headers: &[(&'static str, &str)]) -> Vec<Act> {
    let mut all = vec![GRPC];
    all.extend(headers);
    vec![head(200, &all, true)]
}

/// A frame of HTTP/2 on stream 0.
pub(super) fn raw(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, 0, 0, 0, 0, 0], payload].concat()
}

/// What came of one request.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) connection: usize,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

pub(super) struct Server {
    pub(super) port: u16,
    notes: Arc<Notes>,
}

#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<Seen>>,
    /// All bytes from the client, of each connection.
    bytes: Mutex<Vec<Vec<u8>>>,
    grown: Condvar,
}

/// For each connection in turn: for each request on it, the acts.
pub(super) type Scripts = Vec<Vec<Vec<Act>>>;

impl Server {
    pub(super) fn start(scripts: Scripts) -> Self {
        Self::listen(scripts, None)
    }

    pub(super) fn start_tls(scripts: Scripts, mut config: ServerConfig, alpn: &[&[u8]]) -> Self {
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Self::listen(scripts, Some(Arc::new(config)))
    }

    fn listen(scripts: Scripts, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let notes =
            Arc::new(Notes { bytes: Mutex::new(vec![Vec::new(); scripts.len()]), ..Notes::default() });
        let shared = notes.clone();
        thread::spawn(move || {
            for (number, script) in scripts.into_iter().enumerate() {
                let Ok((stream, _)) = listener.accept() else { return };
                let (tls, notes) = (tls.clone(), shared.clone());
                let plain = stream.try_clone().unwrap();
                thread::spawn(move || {
                    let socket: Box<dyn Socket> = match tls {
                        Some(config) => {
                            Box::new(StreamOwned::new(ServerConnection::new(config).unwrap(), stream))
                        }
                        None => Box::new(stream),
                    };
                    Peer { socket, plain, pipe: Pipe::default(), number, notes, held: Vec::new() }
                        .serve(script.into())
                });
            }
        });
        Self { port, notes }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.notes.seen.lock().unwrap().clone()
    }

    /// The connection of each request.
    pub(super) fn connections(&self) -> Vec<usize> {
        self.seen().iter().map(|seen| seen.connection).collect()
    }

    /// All that the client has sent on a connection.
    pub(super) fn bytes(&self, connection: usize) -> Vec<u8> {
        self.notes.bytes.lock().unwrap()[connection].clone()
    }

    /// Waits until the client has sent these bytes on a connection.
    pub(super) fn await_bytes(&self, connection: usize, wanted: &[u8]) {
        let is_missing = |bytes: &mut Vec<Vec<u8>>| {
            !bytes[connection].windows(wanted.len()).any(|window| window == wanted)
        };
        let bytes = self.notes.bytes.lock().unwrap();
        let waited = self.notes.grown.wait_timeout_while(bytes, HANGING, is_missing).unwrap();
        assert!(!waited.1.timed_out(), "{wanted:?} did not come");
    }
}

/// Far above what anything takes here.
const HANGING: Duration = Duration::from_secs(60);

trait Socket: Read + Write + Send {}
impl<S: Read + Write + Send> Socket for S {}

struct Peer {
    socket: Box<dyn Socket>,
    /// The socket below TLS.
    plain: TcpStream,
    pipe: Pipe,
    number: usize,
    notes: Arc<Notes>,
    /// Streams that must not end because a handle is gone.
    held: Vec<(SendResponse<Bytes>, Option<SendStream<Bytes>>)>,
}

type Open = (Request<RecvStream>, SendResponse<Bytes>, Vec<u8>);

impl Peer {
    fn serve(mut self, mut script: VecDeque<Vec<Act>>) {
        let mut handshake = Box::pin(Builder::new().handshake::<_, Bytes>(self.pipe.clone()));
        let mut connection = loop {
            match handshake.as_mut().poll(&mut idle()) {
                Poll::Ready(Ok(connection)) => break connection,
                Poll::Ready(Err(_)) => return,
                Poll::Pending if self.exchange().is_err() => return,
                Poll::Pending => {}
            }
        };
        let mut open: Option<Open> = None;
        loop {
            match connection.poll_accept(&mut idle()) {
                Poll::Ready(Some(Ok((request, respond)))) => open = Some((request, respond, Vec::new())),
                Poll::Ready(_) => {
                    let _ = self.flush();
                    return;
                }
                Poll::Pending => {}
            }
            if let Some(mut request) = open.take() {
                if is_whole(&mut request) {
                    self.note(&request);
                    let acts = script.pop_front().unwrap_or_default();
                    if self.act(acts, request.1, &mut connection).is_err() {
                        return;
                    }
                    continue;
                }
                open = Some(request);
            }
            if self.exchange().is_err() {
                return;
            }
        }
    }

    fn note(&self, (request, _, body): &Open) {
        let path = request.uri().path().to_owned();
        let (connection, headers, body) = (self.number, request.headers().clone(), body.clone());
        self.notes.seen.lock().unwrap().push(Seen { connection, path, headers, body });
    }

    fn act(
        &mut self,
        acts: Vec<Act>,
        mut respond: SendResponse<Bytes>,
        connection: &mut Connection<Pipe, Bytes>,
    ) -> io::Result<()> {
        let mut body = None;
        for act in acts {
            match act {
                Act::Head(status, headers, ends) => {
                    let mut response = Response::new(());
                    *response.status_mut() = status.try_into().unwrap();
                    *response.headers_mut() = map(headers);
                    body = respond.send_response(response, ends).ok();
                }
                Act::Data(bytes) => drop(body.as_mut().unwrap().send_data(bytes.into(), false)),
                Act::Trailers(headers) => drop(body.as_mut().unwrap().send_trailers(map(headers))),
                Act::Reset(reason) => respond.send_reset(reason),
                Act::ShutDown => connection.graceful_shutdown(),
                Act::Silence => {}
                Act::Run(hook) => (hook.0)(),
                Act::Raw(bytes) => {
                    self.settle(connection)?;
                    self.socket.write_all(&bytes)?;
                    self.socket.flush()?;
                }
                Act::Close => {
                    self.settle(connection)?;
                    self.close()?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
        }
        self.held.push((respond, body));
        Ok(())
    }

    /// Lets h2 write what it has, and sends it.
    fn settle(&mut self, connection: &mut Connection<Pipe, Bytes>) -> io::Result<()> {
        let _ = connection.poll_closed(&mut idle());
        self.flush()
    }

    /// Closes so that what was sent still comes through: a socket closed over
    /// unread bytes is reset instead.
    fn close(&mut self) -> io::Result<()> {
        self.plain.shutdown(Shutdown::Write)?;
        io::copy(&mut self.plain, &mut io::sink()).map(drop)
    }

    fn exchange(&mut self) -> io::Result<()> {
        self.flush()?;
        let mut bytes = [0; 16 * 1024];
        let amount = self.socket.read(&mut bytes).unwrap_or(0);
        self.notes.bytes.lock().unwrap()[self.number].extend(&bytes[..amount]);
        self.notes.grown.notify_all();
        let mut ends = self.pipe.lock();
        ends.incoming.extend(&bytes[..amount]);
        ends.has_ended = amount == 0;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let outgoing = mem::take(&mut self.pipe.lock().outgoing);
        self.socket.write_all(&outgoing)?;
        self.socket.flush()
    }
}

/// Reads what there is of the request.
fn is_whole((request, _, body): &mut Open) -> bool {
    loop {
        match request.body_mut().poll_data(&mut idle()) {
            Poll::Ready(Some(Ok(data))) => {
                let _ = request.body_mut().flow_control().release_capacity(data.len());
                body.extend_from_slice(&data);
            }
            Poll::Ready(_) => return true,
            Poll::Pending => return false,
        }
    }
}

fn map(headers: Vec<(&'static str, String)>) -> HeaderMap {
    let pair =
        |(name, value): (&'static str, String)| (HeaderName::from_static(name), value.parse().unwrap());
    headers.into_iter().map(pair).collect()
}

fn idle() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// A server of something else than HTTP/2: answers the first bytes with these,
/// and closes.
pub(super) fn other(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let answer = |mut stream: TcpStream| {
            let _ = stream.read(&mut [0; 4096])?;
            stream.write_all(answer)?;
            stream.shutdown(Shutdown::Write)?;
            io::copy(&mut stream, &mut io::sink())
        };
        while let Ok((stream, _)) = listener.accept() {
            let _ = answer(stream);
        }
    });
    port
}
