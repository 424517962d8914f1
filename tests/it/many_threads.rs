//! Many threads on one client: one token, and no more sockets than the options allow.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use longrunning::auth::{AccessToken, TokenError, TokenProvider, TokenRequest};
use longrunning::http::{HttpOptions, ProxySetting, Roots};
use longrunning::testing::FakeServer;
use longrunning::transport::TransportKind;
use longrunning::{Credentials, Operation};

const THREADS: usize = 1000;

const SOCKETS: usize = 16;

#[test]
fn a_thousand_threads_share_a_token_and_a_few_sockets() {
    let transports = [
        TransportKind::Rest,
        #[cfg(feature = "grpc")]
        TransportKind::Grpc,
    ];
    for transport in transports {
        let server = FakeServer::builder().real_time().start().unwrap();
        server.insert(Operation::running("operations/42"));
        let fetched = Arc::new(AtomicUsize::new(0));
        let options = HttpOptions::new().roots(Roots::None).proxy(ProxySetting::None);
        let client = server
            .client_builder()
            .transport(transport)
            .credentials(Credentials::provider(Slow(Arc::clone(&fetched))))
            .http_options(options.max_connections(SOCKETS).idle_per_host(SOCKETS))
            // Far above what it takes: a thread waits for its turn within this.
            .attempt_timeout(Duration::from_secs(600))
            .total_timeout(Duration::from_secs(600))
            .build()
            .unwrap();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let call = || client.get("operations/42").send().map(drop);
                // The stacks of a thousand threads are not to fill a small machine.
                let thread = thread::Builder::new().stack_size(512 << 10);
                thread.spawn_scoped(scope, move || call().unwrap()).unwrap();
            }
        });
        assert_eq!(fetched.load(Ordering::SeqCst), 1, "{transport:?}");
        assert_eq!(server.request_count(), THREADS as u64, "{transport:?}");
        let connections: BTreeSet<_> = server.requests().iter().map(|request| request.connection()).collect();
        assert!(connections.len() <= SOCKETS, "{transport:?}: {} connections", connections.len());
    }
}

/// Gives a token after a while, in which all threads come to need it.
struct Slow(Arc<AtomicUsize>);

impl TokenProvider for Slow {
    fn token(&self, _: &TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(50));
        Ok(AccessToken::new("token").expires_in(Duration::from_secs(3600)))
    }
}
