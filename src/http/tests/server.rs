//! A server that does to each connection what its script says, byte by byte.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

/// What happens next on a connection; at the end of its script it is closed.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Reads one whole request and records it.
    Read,
    /// Waits for a request without reading it.
    Peek,
    Send(Vec<u8>),
    /// Sends a byte every 10 ms until the client is gone.
    Drip(Vec<u8>),
    /// Sends these bytes over and over until the client is gone.
    Flood(Vec<u8>),
    /// Closes; after [`Act::Peek`] the bytes left unread make the kernel send a
    /// reset.
    Reset,
    /// Takes nothing until the client has filled all buffers between.
    Fill,
    /// Waits until the client is gone.
    Hang,
    /// Waits until as many connections as the barrier counts have come this
    /// far.
    Meet(Arc<Barrier>),
    /// Answers every request with `{}` until the client is gone.
    Serve,
}

pub(super) fn send(bytes: impl AsRef<[u8]>) -> Act {
    Act::Send(bytes.as_ref().to_vec())
}

/// A good answer with this body.
pub(super) fn ok(body: &str) -> Act {
    send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
}

pub(super) struct Server {
    pub(super) port: u16,
    requests: Arc<Mutex<Vec<Seen>>>,
}

struct Seen {
    connection: usize,
    session: Session,
    request: String,
}

/// The TLS session that a request came in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Session {
    /// Whether it is the one of an earlier connection.
    pub(super) resumed: bool,
    /// The certificate of the client, as DER.
    pub(super) client: Option<Vec<u8>>,
}

impl Server {
    /// Takes one connection for each script, and no more.
    pub(super) fn start(scripts: Vec<Vec<Act>>) -> Self {
        Self::listen("127.0.0.1:0", scripts, None).unwrap()
    }

    pub(super) fn start_tls(scripts: Vec<Vec<Act>>, config: ServerConfig) -> Self {
        Self::listen("127.0.0.1:0", scripts, Some(Arc::new(config))).unwrap()
    }

    pub(super) fn listen(
        address: &str,
        scripts: Vec<Vec<Act>>,
        tls: Option<Arc<ServerConfig>>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let port = listener.local_addr()?.port();
        let requests = Arc::<Mutex<Vec<_>>>::default();
        let seen = requests.clone();
        thread::spawn(move || {
            for (index, script) in scripts.into_iter().enumerate() {
                let Ok((stream, _)) = listener.accept() else { return };
                let (seen, tls) = (seen.clone(), tls.clone());
                thread::spawn(move || {
                    let record = |session, request| {
                        seen.lock().unwrap().push(Seen { connection: index, session, request })
                    };
                    // A client that goes away is part of many scripts.
                    let _ = match tls {
                        Some(config) => ServerConnection::new(config)
                            .map_err(io::Error::other)
                            .and_then(|tls| play(StreamOwned::new(tls, stream), script, record)),
                        None => play(stream, script, record),
                    };
                });
            }
        });
        Ok(Self { port, requests })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1/operations/42", self.port)
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|seen| seen.request.clone()).collect()
    }

    /// For each request, which connection it came on.
    pub(super) fn connections(&self) -> Vec<usize> {
        self.requests.lock().unwrap().iter().map(|seen| seen.connection).collect()
    }

    pub(super) fn sessions(&self) -> Vec<Session> {
        self.requests.lock().unwrap().iter().map(|seen| seen.session.clone()).collect()
    }
}

trait Wire: Read + Write {
    fn tcp(&self) -> &TcpStream;
    fn session(&self) -> Session;
}

impl Wire for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }

    fn session(&self) -> Session {
        Session::default()
    }
}

impl Wire for StreamOwned<ServerConnection, TcpStream> {
    fn tcp(&self) -> &TcpStream {
        &self.sock
    }

    fn session(&self) -> Session {
        let resumed = self.conn.handshake_kind() == Some(HandshakeKind::Resumed);
        let client = self.conn.peer_certificates().and_then(|chain| chain.first());
        Session { resumed, client: client.map(|certificate| certificate.to_vec()) }
    }
}

fn play(mut wire: impl Wire, script: Vec<Act>, record: impl Fn(Session, String)) -> io::Result<()> {
    for act in script {
        match act {
            Act::Read => match read(&mut wire)? {
                Some(request) => record(wire.session(), request),
                None => return Ok(()),
            },
            Act::Peek => drop(wire.tcp().peek(&mut [0])?),
            Act::Fill => fill(wire.tcp())?,
            Act::Send(bytes) => wire.write_all(&bytes)?,
            Act::Drip(bytes) => {
                wire.tcp().set_read_timeout(Some(Duration::from_millis(10)))?;
                for byte in bytes {
                    wire.write_all(&[byte])?;
                    if let Ok(0) = wire.read(&mut [0; 4096]) {
                        return Ok(());
                    }
                }
            }
            Act::Flood(bytes) => loop {
                wire.write_all(&bytes)?;
            },
            Act::Reset => return Ok(()),
            Act::Meet(barrier) => drop(barrier.wait()),
            Act::Serve => {
                while let Some(request) = read(&mut wire)? {
                    record(wire.session(), request);
                    wire.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")?;
                }
            }
            Act::Hang => while wire.read(&mut [0; 4096])? > 0 {},
        }
    }
    wire.tcp().shutdown(Shutdown::Both)
}

/// Waits until nothing more arrives, however often another thread is let go
/// first.
fn fill(stream: &TcpStream) -> io::Result<()> {
    let (mut room, mut arrived, mut unchanged) = (vec![0; 8 << 20], 0, 0);
    while unchanged < 100 {
        thread::yield_now();
        let now = stream.peek(&mut room)?;
        unchanged = if now == arrived { unchanged + 1 } else { 0 };
        arrived = now;
    }
    Ok(())
}

/// One request, or nothing when the client has closed the connection.
fn read(wire: &mut impl Wire) -> io::Result<Option<String>> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if wire.read(&mut byte)? == 0 {
            return Ok(None);
        }
        request.extend(byte);
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    wire.read_exact(&mut body)?;
    request.extend(body);
    Ok(Some(String::from_utf8_lossy(&request).into_owned()))
}
