//! A relay between client and server that counts bytes.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use longrunning::testing::FakeServer;

pub(crate) fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Stands between client and server, and counts what each connection sends.
pub(crate) struct Relay {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<Passed>>>,
    upstream: Sender<SocketAddr>,
}

#[derive(Default)]
struct Passed {
    bytes: usize,
    ended: bool,
}

impl Relay {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, connections) = (listener.local_addr().unwrap(), Arc::default());
        let (upstream, named) = channel();
        let passed = Arc::clone(&connections);
        thread::spawn(move || relay_all(&listener, &named, &passed));
        Self { address, connections, upstream }
    }

    pub(crate) fn url(&self, server: &FakeServer) -> String {
        self.to(server.address())
    }

    /// The URL that leads to this address.
    pub(crate) fn to(&self, upstream: SocketAddr) -> String {
        self.upstream.send(upstream).unwrap();
        format!("http://{}", self.address)
    }

    /// The number of connections so far.
    pub(crate) fn count(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    pub(crate) fn sent(&self, connection: usize) -> usize {
        self.connections.lock().unwrap()[connection].bytes
    }

    pub(crate) fn has_ended(&self, connection: usize) -> bool {
        self.connections.lock().unwrap()[connection].ended
    }
}

fn relay_all(listener: &TcpListener, upstream: &Receiver<SocketAddr>, passed: &Arc<Mutex<Vec<Passed>>>) {
    let upstream = upstream.recv().unwrap();
    for (number, client) in listener.incoming().enumerate() {
        let (client, server) = (client.unwrap(), TcpStream::connect(upstream).unwrap());
        passed.lock().unwrap().push(Passed::default());
        let (from, mut to, passed) =
            (client.try_clone().unwrap(), server.try_clone().unwrap(), Arc::clone(passed));
        thread::spawn(move || {
            copy(from, |bytes| {
                passed.lock().unwrap()[number].bytes += bytes.len();
                to.write_all(bytes).is_ok()
            });
            passed.lock().unwrap()[number].ended = true;
        });
        let mut back = client;
        thread::spawn(move || copy(server, |bytes| back.write_all(bytes).is_ok()));
    }
}

fn copy(mut from: TcpStream, mut take: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 4096];
    while let Ok(amount @ 1..) = from.read(&mut buffer) {
        if !take(&buffer[..amount]) {
            return;
        }
    }
}
