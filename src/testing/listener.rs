//! The listening socket, and the threads of its connections.

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
    owner: ProcessId,
}

impl ServerListener {
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

fn accept_all(socket: &TcpListener, backend: &Arc<ServerBackend>) {
    let connections = Arc::new(OpenConnections::default());
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for number in 1.. {
        let accepted = socket.accept();
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
    connections.shut_down();
    for thread in threads {
        let _ = thread.join();
    }
}

fn spawn(
    stream: TcpStream,
    number: u64,
    backend: Arc<ServerBackend>,
    connections: Arc<OpenConnections>,
) -> Option<JoinHandle<()>> {
    let stream = Arc::new(stream);
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

/// The open connections, to wake their threads at the end.
#[derive(Debug, Default)]
struct OpenConnections(Mutex<HashMap<u64, Arc<TcpStream>>>);

impl OpenConnections {
    fn shut_down(&self) {
        for stream in lock(&self.0).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

struct RegisteredConnection {
    connections: Arc<OpenConnections>,
    number: u64,
}

impl Drop for RegisteredConnection {
    fn drop(&mut self) {
        lock(&self.connections.0).remove(&self.number);
    }
}

/// Serves a connection to its end.
fn serve(stream: &TcpStream, number: u64, backend: &ServerBackend) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    #[cfg(feature = "grpc")]
    if http2::is_spoken(stream, &backend.shutdown)? {
        return http2::serve(stream, number, backend);
    }
    http1::serve(stream, number, backend)
}

/// How long a client may leave a response unread.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
