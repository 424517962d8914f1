//! DNS lookups, cached for a minute, and never longer than the deadline.
//!
//! The standard library has no lookup with a deadline, so a thread of its own
//! makes it, and callers wait for the thread until their deadlines. Callers of
//! the same name share one lookup. A lookup that all callers have given up on
//! still ends in the cache, where the next attempt finds it.
//!
//! ```text
//!           no entry ── resolve ──► Running ── found ──► Known for 60 s
//!              ▲                       │                    │
//!              └── failed ─────────────┘                    │
//!              └── expired, or a connection failed ─────────┘
//! ```
//!
//! Failures are not cached. The time to live of the records is not known here,
//! because `getaddrinfo` does not return it. A minute is shorter than that of
//! most records, and long enough for a burst of connections.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::util::excerpt::shown;
use crate::util::url::bare;

use super::error::{NetError, NetErrorKind};
use crate::util::sync::{lock, recover};

/// The names that were looked up; clones share them.
#[derive(Clone)]
pub(crate) struct DnsCache(Arc<DnsShared>);

/// What the clones of a cache share.
struct DnsShared {
    /// The resolver: that of the operating system, except in tests.
    lookup: DnsLookup,
    /// By name, without the brackets of an address. Never locked during a
    /// lookup.
    hosts: Mutex<HashMap<String, DnsEntry>>,
}

/// Resolves a name, without a deadline. The ports of the addresses do not
/// matter.
type DnsLookup = Arc<dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// The state of a name in the diagram of this module.
enum DnsEntry {
    /// Resolved; used until `until`.
    Known { addresses: HostAddresses, until: Instant },
    /// A thread looks it up, and fills the slot.
    Running(Arc<DnsSlot>),
}

/// The addresses of a host in the order of the resolver (RFC 6724), at least
/// one.
type HostAddresses = Arc<[SocketAddr]>;
/// The result of a lookup. The error is shared, because each caller that waits
/// gets it.
type DnsResponse = Result<HostAddresses, Arc<io::Error>>;

/// Where the result of one lookup goes, shared by its thread and all callers
/// that wait for it.
#[derive(Default)]
struct DnsSlot {
    /// `None` while the lookup runs.
    response: Mutex<Option<DnsResponse>>,
    /// Notified when the result is there.
    ready: Condvar,
}

impl DnsCache {
    /// Creates a cache that uses the resolver of the operating system.
    pub(crate) fn new() -> Self {
        Self::with_lookup(|host| (host, 0).to_socket_addrs().map(Iterator::collect))
    }

    /// Creates a cache with another resolver.
    pub(crate) fn with_lookup(
        lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self::of(Arc::new(lookup))
    }

    /// Creates an empty cache.
    fn of(lookup: DnsLookup) -> Self {
        Self(Arc::new(DnsShared { lookup, hosts: Mutex::default() }))
    }

    /// Returns an empty cache for a forked child, in which the lookups of the
    /// parent do not run.
    pub(crate) fn inherited(&self) -> Self {
        Self::of(Arc::clone(&self.0.lookup))
    }

    /// Forgets the addresses of `host`, because a connection to one of them
    /// failed.
    pub(crate) fn forget(&self, host: &str) {
        let mut hosts = lock(&self.0.hosts);
        // A running lookup is newer than the address that failed, so it stays.
        if let Some(DnsEntry::Known { .. }) = hosts.get(bare(host)) {
            hosts.remove(bare(host));
        }
    }

    /// Resolves `host`, a name or an IP address with or without brackets, and
    /// returns its addresses with this port.
    ///
    /// # Errors
    ///
    /// `Resolve` if the lookup fails: permanent if the host does not exist,
    /// else transient. `Timeout` if it is not finished at `deadline`.
    pub(super) fn resolve(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<Vec<SocketAddr>, NetError> {
        let host = bare(host);
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        // Addresses are not resolved, and so not cached.
        let found = self.addresses(host, Instant::now(), deadline)?;
        let with_port = |address: &SocketAddr| {
            let mut address = *address;
            address.set_port(port);
            address
        };
        Ok(found.iter().map(with_port).collect())
    }

    /// Returns the addresses of a name, from the cache or a lookup. `now`
    /// decides what is expired.
    fn addresses(&self, host: &str, now: Instant, deadline: Instant) -> Result<HostAddresses, NetError> {
        let slot = match self.find(host, now) {
            DnsEntry::Known { addresses, .. } => return Ok(addresses),
            DnsEntry::Running(slot) => slot,
        };
        match slot.wait(deadline) {
            Some(Ok(addresses)) => Ok(addresses),
            Some(Err(error)) => Err(unresolved(host, error)),
            None => {
                let message = format!("timed out while looking up `{}`", shown(host));
                Err(NetError::new(NetErrorKind::Timeout, message))
            }
        }
    }

    /// Returns the addresses of `host` from the cache, or else the running
    /// lookup; starts one if there is none.
    fn find(&self, host: &str, now: Instant) -> DnsEntry {
        let mut hosts = lock(&self.0.hosts);
        match hosts.get(host) {
            Some(DnsEntry::Known { addresses, until }) if *until > now => {
                return DnsEntry::Known { addresses: addresses.clone(), until: *until };
            }
            Some(DnsEntry::Running(slot)) => return DnsEntry::Running(slot.clone()),
            _ => {}
        }
        // Expired names are removed here, so that a program which connects to ever new
        // hosts does not collect them.
        hosts.retain(|_, entry| !matches!(entry, DnsEntry::Known { until, .. } if *until <= now));
        let slot = Arc::<DnsSlot>::default();
        match self.start_lookup(host, slot.clone()) {
            Ok(_) => drop(hosts.insert(host.to_owned(), DnsEntry::Running(slot.clone()))),
            // The slot is not in the map, so the next caller tries to start a thread again.
            Err(error) => slot.fill(Err(Arc::new(error))),
        }
        DnsEntry::Running(slot)
    }

    /// Resolves `host` on a new thread, which ends with the lookup even if no
    /// caller waits any more.
    ///
    /// The caller holds the lock of the map, so the thread cannot finish before
    /// the entry of the lookup is in it.
    fn start_lookup(&self, host: &str, slot: Arc<DnsSlot>) -> io::Result<thread::JoinHandle<()>> {
        // The thread keeps the cache alive, so a dropped client does not
        // disturb it.
        let (names, host) = (self.clone(), host.to_owned());
        thread::Builder::new().name("resolve".to_owned()).spawn(move || {
            let response = names.0.look_up(&host);
            // First the map, then the slot: a caller that comes in between finds the
            // addresses, and starts no second lookup.
            let mut hosts = lock(&names.0.hosts);
            match &response {
                Ok(addresses) => {
                    let until = Instant::now() + KEEP;
                    hosts.insert(host, DnsEntry::Known { addresses: addresses.clone(), until });
                }
                Err(_) => drop(hosts.remove(&host)),
            }
            drop(hosts);
            slot.fill(response);
        })
    }
}

impl DnsShared {
    /// Resolves `host`, and tries a second time at once if it is not found.
    /// That error is permanent and ends a call, so one wrong response of a name
    /// server is not enough for it.
    fn look_up(&self, host: &str) -> DnsResponse {
        let once = || match (self.lookup)(host) {
            Ok(addresses) if addresses.is_empty() => Err(io::Error::from(io::ErrorKind::NotFound)),
            other => other,
        };
        let response = once().or_else(|error| if is_final(&error) { once() } else { Err(error) });
        response.map(Arc::from).map_err(Arc::new)
    }
}

impl DnsSlot {
    /// Sets the result and wakes all callers.
    fn fill(&self, response: DnsResponse) {
        *lock(&self.response) = Some(response);
        self.ready.notify_all();
    }

    /// Waits for the result; `None` at the deadline.
    fn wait(&self, deadline: Instant) -> Option<DnsResponse> {
        let response = lock(&self.response);
        // Computed under the lock, just before the wait.
        let budget = deadline.saturating_duration_since(Instant::now());
        let waited = self.ready.wait_timeout_while(response, budget, |response| response.is_none());
        recover(waited).0.clone()
    }
}

impl fmt::Debug for DnsCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DnsCache").finish_non_exhaustive()
    }
}

/// Returns the error for a failed lookup.
fn unresolved(host: &str, error: Arc<io::Error>) -> NetError {
    let is_final = is_final(&error);
    let what = if is_final { "failed to find" } else { "failed to look up" };
    let message = format!("{what} host `{}`", shown(host));
    NetError::new(NetErrorKind::Resolve, message).transient(!is_final).with_source(error)
}

/// Returns whether the operating system reports that the host does not exist.
/// All other errors may be transient: no response from a name server
/// (`EAI_AGAIN`), too many open files.
///
/// The standard library keeps the code of `getaddrinfo` on Windows only.
/// Elsewhere the text of `gai_strerror` is all there is. It is not translated
/// unless the program sets a locale.
///
/// ```text
/// Name or service not known               true     glibc
/// nodename nor servname provided, …       true     macOS
/// Temporary failure in name resolution    false    glibc
/// ```
fn is_final(error: &io::Error) -> bool {
    const WSAHOST_NOT_FOUND: i32 = 11001;
    const WSANO_DATA: i32 = 11004;
    if let Some(code) = error.raw_os_error() {
        return cfg!(windows) && matches!(code, WSAHOST_NOT_FOUND | WSANO_DATA);
    }
    let text = error.to_string();
    error.kind() == io::ErrorKind::NotFound || NOT_FOUND.iter().any(|known| text.contains(known))
}

/// How long addresses are used without a new lookup.
const KEEP: Duration = Duration::from_secs(60);

/// The texts of `EAI_NONAME` and `EAI_NODATA` of glibc, musl, macOS and the
/// BSDs.
const NOT_FOUND: [&str; 6] = [
    "Name or service not known",
    "No address associated with",
    "Name does not resolve",
    "Name has no usable address",
    "nodename nor servname provided",
    "no address associated with name",
];

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    /// Returns a cache with scripted lookups, and their count.
    fn scripted(responses: Vec<io::Result<&'static str>>) -> (DnsCache, Arc<AtomicUsize>) {
        let (responses, lookups_made) = (Mutex::new(responses.into_iter()), Arc::<AtomicUsize>::default());
        let counter = lookups_made.clone();
        let names = DnsCache::with_lookup(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            let addresses = lock(&responses).next().expect("a lookup in the script")?;
            Ok(addresses.split_whitespace().map(|each| SocketAddr::new(each.parse().unwrap(), 0)).collect())
        });
        (names, lookups_made)
    }

    fn failed(text: &str) -> io::Result<&'static str> {
        Err(io::Error::other(format!("failed to lookup address information: {text}")))
    }

    #[test]
    fn addresses_are_kept_for_a_minute() {
        let (names, lookups_made) = scripted(vec![Ok("10.0.0.1"), Ok("10.0.0.2"), Ok("10.0.0.3")]);
        let start = Instant::now();
        let rows = [
            ("a.test", 0, "10.0.0.1", 1),
            ("a.test", 59, "10.0.0.1", 1),
            ("a.test", 70, "10.0.0.2", 2),
            ("b.test", 140, "10.0.0.3", 3),
        ];
        for (host, after, address, lookups) in rows {
            let now = start + Duration::from_secs(after);
            let found = names.addresses(host, now, later()).unwrap();
            assert_eq!(
                (found[0].ip().to_string().as_str(), lookups_made.load(Ordering::SeqCst)),
                (address, lookups)
            );
        }
        // A lookup of another host removes expired names.
        assert_eq!(lock(&names.0.hosts).len(), 1);
    }

    #[test]
    fn addresses_are_not_used_at_their_end() {
        let (names, lookups_made) = scripted(vec![Ok("10.0.0.1"), Ok("10.0.0.2")]);
        names.addresses("a.test", Instant::now(), later()).unwrap();
        let DnsEntry::Known { until, .. } = lock(&names.0.hosts)["a.test"] else { panic!("no addresses") };
        for (now, lookups) in [(until - Duration::from_nanos(1), 1), (until, 2)] {
            names.addresses("a.test", now, later()).unwrap();
            assert_eq!(lookups_made.load(Ordering::SeqCst), lookups);
        }
    }

    #[test]
    fn failures_are_transient_unless_the_host_is_unknown() {
        const FINAL: &str = "failed to find host `a.test`";
        const TRANSIENT: &str = "failed to look up host `a.test`";
        let rows = [
            ("glibc", vec![failed(NOT_FOUND[0]), failed(NOT_FOUND[0])], Err((FINAL, false))),
            ("musl", vec![failed(NOT_FOUND[2]), failed(NOT_FOUND[2])], Err((FINAL, false))),
            ("macOS", vec![failed(NOT_FOUND[4]), failed(NOT_FOUND[4])], Err((FINAL, false))),
            ("no address", vec![Ok(""), Ok("")], Err((FINAL, false))),
            ("found the second time", vec![failed(NOT_FOUND[0]), Ok("10.0.0.1")], Ok("10.0.0.1")),
            ("no server", vec![failed("Temporary failure in name resolution")], Err((TRANSIENT, true))),
            ("no server, the second time", vec![Ok(""), failed("Try again")], Err((TRANSIENT, true))),
            ("no files", vec![Err(io::Error::from_raw_os_error(24))], Err((TRANSIENT, true))),
        ];
        for (name, responses, expected) in rows {
            let lookups = responses.len();
            let (names, lookups_made) = scripted(responses);
            let found = names.addresses("a.test", Instant::now(), later());
            let found = found.map(|found| found[0].ip().to_string());
            let found = found.map_err(|error| (error.to_string(), error.transient));
            let expected = expected.map(str::to_owned);
            assert_eq!(found, expected.map_err(|(text, transient)| (text.to_owned(), transient)), "{name}");
            assert_eq!(lookups_made.load(Ordering::SeqCst), lookups, "{name}");
            assert_eq!(
                lock(&names.0.hosts).len(),
                usize::from(found.is_ok()),
                "{name}: failures are not cached"
            );
        }
    }

    #[test]
    fn concurrent_lookups_of_a_host_are_shared() {
        let (release, released) = mpsc::channel::<()>();
        let (released, lookups_made) = (Mutex::new(released), Arc::<AtomicUsize>::default());
        let counter = lookups_made.clone();
        let names = DnsCache::with_lookup(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            let _ = lock(&released).recv_timeout(PATIENCE);
            Ok(vec![SocketAddr::from(([10, 0, 0, 1], 0))])
        });
        thread::scope(|scope| {
            let resolve = || names.addresses("a.test", Instant::now(), later()).unwrap();
            let callers: Vec<_> = (0..8).map(|_| scope.spawn(resolve)).collect();
            let deadline = Instant::now() + PATIENCE;
            while waiting(&names) < callers.len() && Instant::now() < deadline {
                thread::yield_now();
            }
            release.send(()).unwrap();
            for caller in callers {
                assert_eq!(caller.join().unwrap()[0].port(), 0);
            }
        });
        assert_eq!(lookups_made.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn abandoned_lookup_fills_the_cache() {
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let names = DnsCache::with_lookup(move |_| {
            lock(&released).recv_timeout(PATIENCE).map_err(io::Error::other)?;
            Ok(vec![SocketAddr::from(([10, 0, 0, 1], 0))])
        });
        let error = names
            .addresses("a.test", Instant::now(), Instant::now() + Duration::from_millis(20))
            .unwrap_err();
        assert_eq!(error.to_string(), "timed out while looking up `a.test`");
        assert_eq!(error.kind, NetErrorKind::Timeout);
        release.send(()).unwrap();
        // Joins the running lookup, or finds its result; a second lookup would find the
        // channel empty.
        names.addresses("a.test", Instant::now(), later()).unwrap();
    }

    /// Returns how many threads wait for the running lookup: all holders of its
    /// slot but the map and the lookup itself.
    fn waiting(names: &DnsCache) -> usize {
        lock(&names.0.hosts)
            .values()
            .map(|entry| match entry {
                DnsEntry::Running(slot) => Arc::strong_count(slot) - 2,
                DnsEntry::Known { .. } => 0,
            })
            .sum()
    }

    fn later() -> Instant {
        Instant::now() + PATIENCE
    }

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn codes_of_windows_mean_nothing_elsewhere() {
        for code in [11001, 11004] {
            assert_eq!(is_final(&io::Error::from_raw_os_error(code)), cfg!(windows), "{code}");
        }
        assert!(!is_final(&io::Error::from_raw_os_error(11002)), "WSATRY_AGAIN");
    }
}
