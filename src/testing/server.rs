//! The listening socket, its threads, and what they share.

use std::collections::{HashMap, HashSet};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::auth;
use super::call::Call;
use super::clock::VirtualClock;
use super::connection;
use super::lock;
use super::log::{Log, Parts, RecordedRequest};
use super::reply::Reply;
use super::script::Script;
use super::service::Rpc;
use super::store::Store;
use crate::clock::Clock;
use crate::process::ProcessId;
use crate::types::{Any, Code, Status};

/// Everything that the threads of a server share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) clock: Arc<VirtualClock>,
    pub(super) options: Options,
    pub(super) store: Mutex<Store>,
    pub(super) script: Mutex<Script>,
    pub(super) log: Mutex<Log>,
    pub(super) guard: Mutex<Guard>,
    pub(super) auth: Mutex<auth::State>,
    /// Seconds between the `date` header and the clock's wall time; no header when absent.
    pub(super) date_offset: Mutex<Option<i64>>,
    pub(super) stop: Stop,
}

#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) rpcs: HashSet<Rpc>,
    pub(super) page_size: usize,
    pub(super) max_page_size: usize,
    pub(super) max_wait: Duration,
    pub(super) requests_per_connection: u64,
}

/// Who is let in.
#[derive(Default)]
pub(super) enum Guard {
    #[default]
    Open,
    /// Whose token passes a test.
    Checks(Box<TokenCheck>),
    /// Whose token the server has given.
    Issued,
}

type TokenCheck = dyn Fn(&str) -> bool + Send;

impl Guard {
    fn admits(&self, request: &RecordedRequest, core: &Core) -> Result<(), Denied> {
        if matches!(self, Self::Open) || auth::is_for(request) {
            return Ok(());
        }
        let (scheme, token) =
            request.header("authorization").and_then(|value| value.split_once(' ')).ok_or(Denied::Missing)?;
        let token = token.trim();
        match self {
            _ if !scheme.eq_ignore_ascii_case("bearer") => Err(Denied::Invalid(None)),
            Self::Checks(check) if !check(token) => Err(Denied::Invalid(None)),
            Self::Issued => auth::check_token(core, token).map_err(|why| Denied::Invalid(Some(why))),
            Self::Open | Self::Checks(_) => Ok(()),
        }
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Open) { "Guard(open)" } else { "Guard(token required)" })
    }
}

enum Denied {
    Missing,
    Invalid(Option<String>),
}

impl Core {
    pub(super) fn record(&self, parts: Parts) -> RecordedRequest {
        let mut request = RecordedRequest::new(parts);
        if request.call().is_none() && !auth::is_for(&request) {
            let call = Call::from_rest(self, &request);
            request = request.with_call(call);
        }
        lock(&self.log).push(request.clone());
        request
    }

    /// Tokens are checked first, then comes the script, then the operations.
    pub(super) fn reply_to(&self, request: &RecordedRequest) -> Reply {
        if let Err(denied) = lock(&self.guard).admits(request, self) {
            return unauthenticated(&denied);
        }
        lock(&self.script).take(request).unwrap_or_else(Reply::usual)
    }

    /// The value of the `date` header.
    pub(super) fn date(&self) -> Option<String> {
        let offset = (*lock(&self.date_offset))?;
        let date = self.shifted_wall(offset).clamp(UNIX_EPOCH, end_of_dates());
        Some(httpdate::fmt_http_date(date))
    }

    /// What the server takes for the time since 1970: what it says in the `date` header, where it says it.
    pub(super) fn server_time(&self) -> Duration {
        let offset = lock(&self.date_offset).unwrap_or_default();
        self.shifted_wall(offset).duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn shifted_wall(&self, offset: i64) -> SystemTime {
        let wall = self.clock.wall();
        let shift = Duration::from_secs(offset.unsigned_abs());
        let shifted = if offset < 0 { wall.checked_sub(shift) } else { wall.checked_add(shift) };
        shifted.unwrap_or(UNIX_EPOCH)
    }
}

fn unauthenticated(denied: &Denied) -> Reply {
    let (message, reason) = match denied {
        Denied::Missing => (MISSING.to_owned(), "CREDENTIALS_MISSING"),
        Denied::Invalid(None) => (INVALID.to_owned(), "ACCESS_TOKEN_INVALID"),
        Denied::Invalid(Some(why)) => (format!("{INVALID}: {why}"), "ACCESS_TOKEN_INVALID"),
    };
    let detail = format!(
        r#"{{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"{reason}","domain":"googleapis.com"}}"#
    );
    let status = Status::new(Code::Unauthenticated, message);
    let status = match Any::from_json(&detail) {
        Ok(detail) => status.with_detail(detail),
        Err(_) => status,
    };
    Reply::from(status).header("www-authenticate", r#"Bearer realm="https://accounts.google.com/""#)
}

const MISSING: &str = "request is missing required authentication credential";
const INVALID: &str = "request had invalid authentication credentials";

/// The HTTP date format ends with the year 9999.
fn end_of_dates() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(253_402_300_799)
}

/// A listening socket and the thread that accepts its connections. Dropping it ends both, and all connections.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    core: Arc<Core>,
    thread: Option<JoinHandle<()>>,
    owner: ProcessId,
}

impl Listener {
    pub(super) fn start(port: u16, core: Arc<Core>) -> std::io::Result<Self> {
        let socket = TcpListener::bind(("127.0.0.1", port))?;
        let address = socket.local_addr()?;
        let shared = core.clone();
        let thread =
            thread::Builder::new().name("fake-server".into()).spawn(move || accept_all(&socket, &shared))?;
        Ok(Self { address, core, thread: Some(thread), owner: ProcessId::current() })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        if !self.owner.is_current() {
            // In a forked child the thread does not exist; the server is the parent's and goes on.
            return std::mem::forget(thread);
        }
        self.core.stop.set();
        // Only a connection wakes a thread that accepts; without a free descriptor it has to be tried again.
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

fn accept_all(socket: &TcpListener, core: &Arc<Core>) {
    let connections = Arc::new(Connections::default());
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for number in 1.. {
        let accepted = socket.accept();
        if core.stop.is_set() {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: some must be given back first.
            core.stop.wait(Duration::from_millis(10));
            continue;
        };
        threads.extend(spawn(stream, number, core.clone(), connections.clone()));
    }
    connections.shut_down();
    for thread in threads {
        let _ = thread.join();
    }
}

fn spawn(
    stream: TcpStream,
    number: u64,
    core: Arc<Core>,
    connections: Arc<Connections>,
) -> Option<JoinHandle<()>> {
    let stream = Arc::new(stream);
    lock(&connections.0).insert(number, stream.clone());
    // The registry must let go of the socket for it to close, also when a closure of the user's panics.
    let registered = Registered { connections, number };
    let run = move || {
        let _ = connection::serve(&stream, number, &core);
        drop((stream, registered));
    };
    thread::Builder::new().name(format!("fake-server-{number}")).spawn(run).ok()
}

/// The open connections, to wake their threads at the end.
#[derive(Debug, Default)]
struct Connections(Mutex<HashMap<u64, Arc<TcpStream>>>);

impl Connections {
    fn shut_down(&self) {
        for stream in lock(&self.0).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

struct Registered {
    connections: Arc<Connections>,
    number: u64,
}

impl Drop for Registered {
    fn drop(&mut self) {
        lock(&self.connections.0).remove(&self.number);
    }
}

/// Tells all threads to end.
#[derive(Debug, Default)]
pub(super) struct Stop {
    flag: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Stop {
    pub(super) fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    fn set(&self) {
        let _lock = lock(&self.lock);
        self.flag.store(true, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Waits that long, or until it is set; says whether it is.
    pub(super) fn wait(&self, duration: Duration) -> bool {
        let waiting = self.changed.wait_timeout_while(lock(&self.lock), duration, |()| !self.is_set());
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
        self.is_set()
    }
}
