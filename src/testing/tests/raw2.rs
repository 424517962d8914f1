//! A client with no opinions, over h2's.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use h2::client::{self, Connection, SendRequest};
use http::{HeaderMap, Request};
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::*;
use crate::proto::google::longrunning as pb;

/// A connection as h2 holds it; every wait is a loop.
pub(super) struct Raw2 {
    pub(super) requests: SendRequest<Bytes>,
    connection: Connection<Socket, Bytes>,
}

/// A socket that does not block.
struct Socket(TcpStream);

/// A whole response.
#[derive(Debug, Default)]
pub(super) struct Answer2 {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Absent where the response has its status in its head.
    pub(super) trailers: Option<HeaderMap>,
}

/// A whole response, or what came of it and how it ended.
type Exchanged = Result<Answer2, Box<(Answer2, Broken)>>;

/// What ended a response before its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Broken {
    /// An error code of HTTP/2 for the stream.
    Stream(u32),
    /// `GOAWAY`.
    GoAway,
    /// The end of the connection.
    Closed,
    Reset,
    Malformed,
}

impl Raw2 {
    pub(super) fn connect(server: &FakeServer) -> Self {
        let socket = TcpStream::connect(server.address()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut handshake = pin!(client::handshake(Socket(socket)));
        let (requests, connection) = wait_for(|cx| handshake.as_mut().poll(cx)).unwrap();
        Self { requests, connection }
    }

    pub(super) fn call(&mut self, method: &str, message: &impl Message) -> Exchanged {
        self.call_with(method, &[], &frame(0, &message.encode_to_vec()))
    }

    pub(super) fn get(&mut self, name: &str) -> Exchanged {
        self.call("GetOperation", &pb::GetOperationRequest { name: name.into() })
    }

    pub(super) fn call_with(&mut self, method: &str, headers: &[(&str, &str)], body: &[u8]) -> Exchanged {
        let path = format!("http://x/google.longrunning.Operations/{method}");
        let mut request = Request::post(path).header("te", "trailers");
        request = request.header("content-type", "application/grpc");
        request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.exchange(request.body(()).unwrap(), body)
    }

    pub(super) fn exchange(&mut self, request: Request<()>, body: &[u8]) -> Exchanged {
        let mut answer = Answer2::default();
        match self.try_exchange(request, body, &mut answer) {
            Ok(()) => Ok(answer),
            Err(error) => Err(Box::new((answer, broken(&error)))),
        }
    }

    fn try_exchange(
        &mut self,
        request: Request<()>,
        body: &[u8],
        answer: &mut Answer2,
    ) -> Result<(), h2::Error> {
        let mut requests = self.requests.clone();
        self.drive(|cx| requests.poll_ready(cx))?;
        let (mut response, mut sending) = requests.send_request(request, body.is_empty())?;
        if !body.is_empty() {
            sending.send_data(Bytes::copy_from_slice(body), true)?;
        }
        let (head, mut stream) = self.drive(|cx| Pin::new(&mut response).poll(cx))?.into_parts();
        (answer.status, answer.headers) = (head.status.as_u16(), head.headers);
        while let Some(data) = self.drive(|cx| stream.poll_data(cx)) {
            let data = data?;
            answer.body.extend_from_slice(&data);
            stream.flow_control().release_capacity(data.len())?;
        }
        answer.trailers = self.drive(|cx| stream.poll_trailers(cx))?;
        Ok(())
    }

    pub(super) fn drive<T>(&mut self, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
        let connection = &mut self.connection;
        wait_for(|cx| {
            let _ = Pin::new(&mut *connection).poll(cx);
            let polled = poll(cx);
            // The frames that were queued just now are written.
            let _ = Pin::new(&mut *connection).poll(cx);
            polled
        })
    }

    /// Returns how the connection ends after the last request.
    pub(super) fn end(mut self) -> Result<(), Broken> {
        drop(self.requests);
        let connection = &mut self.connection;
        wait_for(|cx| Pin::new(&mut *connection).poll(cx)).map_err(|error| broken(&error))
    }
}

impl Answer2 {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Where the status is: behind the response, or in its head.
    pub(super) fn said(&self, name: &str) -> Option<&str> {
        self.trailers.as_ref().unwrap_or(&self.headers).get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn message<M: Message + Default>(&self) -> M {
        assert_eq!((self.status, self.said("grpc-status")), (200, Some("0")), "{self:?}");
        let (prefix, message) = self.body.split_at(5);
        assert_eq!(prefix[0], 0);
        assert_eq!(prefix[1..], (message.len() as u32).to_be_bytes());
        M::decode(message).unwrap()
    }
}

fn wait_for<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let start = Instant::now();
    loop {
        if let Poll::Ready(ready) = poll(&mut Context::from_waker(Waker::noop())) {
            return ready;
        }
        // Only so that a broken server fails a test instead of hanging it.
        assert!(start.elapsed() < 20 * SECOND, "no answer");
        thread::yield_now();
    }
}

fn broken(error: &h2::Error) -> Broken {
    match error.get_io().map(io::Error::kind) {
        Some(ErrorKind::ConnectionReset) => Broken::Reset,
        // Inside a frame it is an error without a kind.
        Some(ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof | ErrorKind::Other) => Broken::Closed,
        Some(other) => panic!("{other}"),
        None if error.is_reset() => Broken::Stream(error.reason().unwrap().into()),
        None if error.is_go_away() && error.is_remote() => Broken::GoAway,
        None => Broken::Malformed,
    }
}

pub(super) fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut frame = vec![flag];
    frame.extend((message.len() as u32).to_be_bytes());
    frame.extend(message);
    frame
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        sink: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut bytes = [0; 4096];
        let room = sink.remaining().min(bytes.len());
        match self.0.read(&mut bytes[..room]) {
            Ok(amount) => {
                sink.put_slice(&bytes[..amount]);
                Poll::Ready(Ok(()))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
            written => Poll::Ready(written),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
