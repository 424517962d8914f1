//! `HttpOptions::max_connections` over REST, with a server that counts its open connections.

use std::cell::{Cell, RefCell};
use std::io::{Error, ErrorKind, Read};
use std::mem;
use std::net::{TcpListener, TcpStream};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use longrunning::http::{HttpOptions, ProxySetting, Roots};
use longrunning::transport::TransportKind;
use longrunning::{Backoff, Credentials, OperationsClient, RetryPolicy};
use smol::channel::{Receiver, Sender};
use smol::io::AsyncWriteExt;
use smol::{Async, LocalExecutor};

use super::process::ProcessCounts;
use super::{THREADS, alone, scaled};

const LIMIT: usize = 8;

#[test]
fn a_client_never_has_more_connections_than_its_limit() {
    let _alone = alone();
    let before = ProcessCounts::now();
    // With pooled connections, and with a new one for each request.
    for idle in [LIMIT, 0] {
        let server = CountingServer::start();
        let client = client(&server.url, idle);
        let calls = scaled(5, 100);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..calls {
                        client.get("operations/1").send().expect("a retry succeeds");
                    }
                });
            }
        });
        // Every permit has returned: the server responds only when `LIMIT` requests are waiting.
        server.is_gathering.store(true, Ordering::SeqCst);
        thread::scope(|scope| {
            for _ in 0..3 * LIMIT {
                let call = client.get("operations/1").retry(RetryPolicy::never());
                scope.spawn(|| {
                    call.attempt_timeout(Duration::from_secs(60)).send().expect("a permit is free")
                });
            }
        });
        let (most, requests) = server.stop();
        assert_eq!(most, LIMIT, "connections, with {idle} idle ones");
        assert!(requests > THREADS * calls, "faults are retried: {requests}");
    }
    let enough = |now: &ProcessCounts| now.files <= before.files + 4 && now.threads <= before.threads + 4;
    let after = ProcessCounts::when(enough);
    assert!(enough(&after), "{before:?} {after:?}");
}

fn client(url: &str, idle: usize) -> OperationsClient {
    let options = HttpOptions::new().roots(Roots::None).proxy(ProxySetting::None);
    let backoff = Backoff::exponential(Duration::from_millis(1), Duration::from_millis(10));
    OperationsClient::builder(url)
        .transport(TransportKind::Rest)
        .credentials(Credentials::anonymous())
        .http_options(options.max_connections(LIMIT).idle_per_host(idle))
        // Far above what it takes, except for a server that hangs; a request waits for its permit within this.
        .attempt_timeout(Duration::from_secs(5))
        .total_timeout(Duration::from_secs(600))
        .retry(RetryPolicy::default().max_attempts(100).backoff(backoff))
        .build()
        .unwrap()
}

/// What happens in place of a response.
#[derive(Clone, Copy, PartialEq)]
enum ServerFault {
    Unavailable,
    Close,
    Cut,
    Hang,
}

impl ServerFault {
    /// One request in seven fails; one in three hundred gets no response.
    fn of(request: u64) -> Option<Self> {
        match request % 20 {
            3 => Some(Self::Unavailable),
            7 => Some(Self::Close),
            11 => Some(Self::Cut),
            _ => (request % 300 == 150).then_some(Self::Hang),
        }
    }
}

struct CountingServer {
    url: String,
    /// Respond to `LIMIT` requests at a time, and to none before.
    is_gathering: Arc<AtomicBool>,
    stop: Sender<()>,
    thread: JoinHandle<(usize, u64)>,
}

impl CountingServer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let is_gathering = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = smol::channel::bounded(1);
        let state = Arc::clone(&is_gathering);
        let thread = thread::spawn(move || serve(listener, state, &stopped));
        Self { url, is_gathering, stop, thread }
    }

    /// Returns the largest number of connections that were open at the same time, and the number of requests.
    fn stop(self) -> (usize, u64) {
        drop(self.stop);
        self.thread.join().unwrap()
    }
}

/// Everything happens on one thread, so that nothing is sent while connections are counted.
fn serve(listener: TcpListener, is_gathering: Arc<AtomicBool>, stopped: &Receiver<()>) -> (usize, u64) {
    let listener = Async::new(listener).unwrap();
    let server = Rc::new(ServerState { is_gathering, ..ServerState::default() });
    let executor = LocalExecutor::new();
    smol::block_on(executor.run(async {
        let accept = || async { Some(listener.accept().await.unwrap().0) };
        let stop = || async {
            stopped.recv().await.ok();
            None
        };
        while let Some(connection) = smol::future::or(stop(), accept()).await {
            let connection = Rc::new(ServerConnection::new(connection));
            server.count(&connection);
            let server = Rc::clone(&server);
            executor.spawn(async move { drop(server.respond(&connection).await) }).detach();
        }
    }));
    (server.most.get(), server.requests.get())
}

/// A connection, and what was received on it and is not read yet.
struct ServerConnection {
    stream: Async<TcpStream>,
    received: RefCell<Vec<u8>>,
    is_closed: Cell<bool>,
    /// Wakes the task that waits for a request which `count` has received.
    wake: (Sender<()>, Receiver<()>),
}

impl ServerConnection {
    fn new(stream: Async<TcpStream>) -> Self {
        let wake = smol::channel::bounded(1);
        Self { stream, received: RefCell::default(), is_closed: Cell::default(), wake }
    }

    /// Receives what has arrived, without waiting: only then can a close be seen that is behind it.
    fn receive(&self) {
        let mut part = [0; 1024];
        loop {
            match self.stream.get_ref().read(&mut part) {
                Ok(0) => return self.is_closed.set(true),
                Ok(length) => self.received.borrow_mut().extend_from_slice(&part[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.is_closed.set(true),
            }
        }
    }

    /// Waits for a request, which has no body; returns `false` if there is none.
    async fn next_request(&self) -> Result<bool, Error> {
        loop {
            self.receive();
            if self.is_closed.get() {
                return Ok(false);
            }
            if self.received.borrow().ends_with(b"\r\n\r\n") {
                self.received.take();
                return Ok(true);
            }
            let woken = async {
                self.wake.1.recv().await.ok();
                Ok(())
            };
            smol::future::or(woken, self.stream.readable()).await?;
        }
    }

    async fn send(&self, response: &[u8]) -> Result<(), Error> {
        let mut stream = &self.stream;
        stream.write_all(response).await
    }
}

#[derive(Default)]
struct ServerState {
    is_gathering: Arc<AtomicBool>,
    open: RefCell<Vec<Weak<ServerConnection>>>,
    waiting: RefCell<Vec<Rc<ServerConnection>>>,
    most: Cell<usize>,
    requests: Cell<u64>,
}

impl ServerState {
    /// Counts a new connection, without those that the client has closed before.
    fn count(&self, connection: &Rc<ServerConnection>) {
        let mut open = self.open.borrow_mut();
        open.push(Rc::downgrade(connection));
        // A close may arrive a little late, from another processor. Connections in use stay: no response is sent.
        for _ in 0..100 {
            open.retain(|connection| {
                connection.upgrade().is_some_and(|connection| {
                    connection.receive();
                    connection.wake.0.try_send(()).ok();
                    !connection.is_closed.get()
                })
            });
            if open.len() <= LIMIT {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        self.most.set(self.most.get().max(open.len()));
    }

    async fn respond(&self, connection: &Rc<ServerConnection>) -> Result<(), Error> {
        while connection.next_request().await? {
            self.requests.set(self.requests.get() + 1);
            if self.is_gathering.load(Ordering::SeqCst) {
                self.gather(connection).await?;
                continue;
            }
            match ServerFault::of(self.requests.get()) {
                None => connection.send(&response("200 OK", OPERATION)).await?,
                Some(ServerFault::Unavailable) => {
                    connection.send(&response("503 Service Unavailable", UNAVAILABLE)).await?;
                }
                Some(ServerFault::Cut) => {
                    let whole = response("200 OK", OPERATION);
                    return connection.send(&whole[..whole.len() - 3]).await;
                }
                Some(ServerFault::Close) => return Ok(()),
                // Until the client closes.
                Some(ServerFault::Hang) => drop(connection.next_request().await?),
            }
        }
        Ok(())
    }

    /// Responds to `LIMIT` requests as soon as all of them wait.
    async fn gather(&self, connection: &Rc<ServerConnection>) -> Result<(), Error> {
        let mut waiting = mem::take(&mut *self.waiting.borrow_mut());
        waiting.push(Rc::clone(connection));
        if waiting.len() < LIMIT {
            self.waiting.replace(waiting);
            return Ok(());
        }
        for connection in waiting {
            connection.send(&response("200 OK", OPERATION)).await?;
        }
        Ok(())
    }
}

fn response(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

const OPERATION: &str = r#"{"name":"operations/1"}"#;

const UNAVAILABLE: &str = r#"{"error":{"code":503,"status":"UNAVAILABLE"}}"#;
