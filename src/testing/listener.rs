//! The listening socket, and the threads of its connections.
//!
//! One thread accepts connections; each connection has a thread that serves it
//! to its end. Dropping the listener ends all of them before it returns: the
//! threads poll the [`ShutdownSignal`](super::socket::ShutdownSignal), and
//! closed sockets wake those that read.

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::backend::ServerBackend;
use super::http1;
#[cfg(feature = "grpc")]
use super::http2;
use crate::util::process::ProcessId;
use crate::util::sync::lock;

/// A listening socket and the thread that accepts its connections. Dropping it
/// ends both, and all connections.
#[derive(Debug)]
pub(super) struct ServerListener {
    address: SocketAddr,
    backend: Arc<ServerBackend>,
    thread: Option<JoinHandle<()>>,
    /// The process that has started the server. A forked child has a copy of
    /// this value, but no thread.
    owner: ProcessId,
}

impl ServerListener {
    /// Listens on this port of `127.0.0.1`; zero selects a free one.
    pub(super) fn start(port: u16, backend: Arc<ServerBackend>) -> std::io::Result<Self> {
        let socket = TcpListener::bind(("127.0.0.1", port))?;
        let address = socket.local_addr()?;
        let shared = backend.clone();
        let thread =
            thread::Builder::new().name("fake-server".into()).spawn(move || accept_all(&socket, &shared))?;
        Ok(Self { address, backend, thread: Some(thread), owner: ProcessId::current() })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for ServerListener {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        if !self.owner.is_current() {
            // In a forked child the thread does not exist; the server is the parent's and
            // goes on.
            return std::mem::forget(thread);
        }
        self.backend.shutdown.set();
        // Only a connection wakes a thread that accepts; without a free descriptor it
        // has to be tried again.
        for _ in 0..1000 {
            if thread.is_finished()
                || TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok()
            {
                let _ = thread.join();
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Accepts connections until the server shuts down, then ends their threads.
fn accept_all(socket: &TcpListener, backend: &Arc<ServerBackend>) {
    let connections = Arc::new(OpenConnections::default());
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for number in 1.. {
        let accepted = socket.accept();
        // The last connection is the one that `drop` opens to wake this thread.
        if backend.shutdown.is_set() {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: some must be given back first.
            backend.shutdown.wait(Duration::from_millis(10));
            continue;
        };
        threads.extend(spawn(stream, number, backend.clone(), connections.clone()));
    }
    // Threads that read end now; those that wait see the signal. So every join
    // returns.
    connections.shut_down();
    for thread in threads {
        let _ = thread.join();
    }
}

/// Serves a connection on a thread of its own. If the thread cannot be created,
/// the connection closes.
fn spawn(
    stream: TcpStream,
    number: u64,
    backend: Arc<ServerBackend>,
    connections: Arc<OpenConnections>,
) -> Option<JoinHandle<()>> {
    let stream = Arc::new(stream);
    // Registered before the thread runs: a shutdown in between would miss the
    // connection, and wait for it.
    lock(&connections.0).insert(number, stream.clone());
    // The registry must let go of the socket for it to close, also when a closure
    // of the user's panics.
    let registered = RegisteredConnection { connections, number };
    let run = move || {
        let _ = serve(&stream, number, &backend);
        drop((stream, registered));
    };
    thread::Builder::new().name(format!("fake-server-{number}")).spawn(run).ok()
}

/// The open connections by number. At the end they are shut down, which wakes
/// the threads that read from them.
#[derive(Debug, Default)]
struct OpenConnections(Mutex<HashMap<u64, Arc<TcpStream>>>);

impl OpenConnections {
    fn shut_down(&self) {
        for stream in lock(&self.0).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Removes a connection from the registry when its thread ends.
struct RegisteredConnection {
    connections: Arc<OpenConnections>,
    number: u64,
}

impl Drop for RegisteredConnection {
    fn drop(&mut self) {
        lock(&self.connections.0).remove(&self.number);
    }
}

/// Serves a connection to its end, as HTTP/2 if it begins with the preface of
/// HTTP/2, else as HTTP/1.1.
fn serve(stream: &TcpStream, number: u64, backend: &ServerBackend) -> std::io::Result<()> {
    // Nagle's algorithm would delay small responses.
    stream.set_nodelay(true)?;
    // Without a limit, a client that does not read would keep the thread, and
    // `drop` waits for the thread.
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    #[cfg(feature = "grpc")]
    if http2::is_spoken(stream, &backend.shutdown)? {
        return http2::serve(stream, number, backend);
    }
    http1::serve(stream, number, backend)
}

/// How long a client may leave a response unread before its connection closes,
/// in real time.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
