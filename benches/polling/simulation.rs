//! When each kind of delays polls, and what that means for operations of some length.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use longrunning::http::{HttpClient, HttpError, HttpRequest, HttpResponse};
use longrunning::testing::FakeServer;
use longrunning::{Backoff, ErrorKind};

/// One kind of delays, and when its polls came in each of many waits, in seconds.
pub(crate) struct Waits {
    pub(crate) label: &'static str,
    polls: Vec<Vec<f64>>,
}

/// What waits for operations of some length came to, on average.
pub(crate) struct Figures {
    pub(crate) polls: f64,
    pub(crate) overshoot: f64,
    pub(crate) worst: f64,
}

/// Waits with each kind of delays; the same at every run.
pub(crate) fn run() -> Vec<Waits> {
    let kinds: [(&str, Option<Backoff>); 5] = [
        ("longrunning", None),
        ("Python", Some(Backoff::python())),
        ("Go", Some(Backoff::go())),
        ("google-cloud-rust", Some(Backoff::google_cloud_rust())),
        ("gcloud", Some(Backoff::gcloud())),
    ];
    let waits = kinds.into_iter().map(|(label, backoff)| {
        let polls = (0..SEEDS).map(|seed| polls(backoff.clone(), seed)).collect();
        Waits { label, polls }
    });
    waits.collect()
}

impl Waits {
    /// Looks what these waits make of operations of about this length, ±10 %.
    ///
    /// A poller does not know when an operation will end, so one wait says when the polls for all lengths come.
    pub(crate) fn figures(&self, length: f64) -> Figures {
        let mut chance = Chance(length.to_bits());
        let mut sum = Figures { polls: 0.0, overshoot: 0.0, worst: 0.0 };
        for polls in &self.polls {
            for _ in 0..LENGTHS {
                let end = length * (0.9 + 0.2 * chance.draw());
                let seen = polls.partition_point(|poll| *poll < end);
                let overshoot = polls[seen] - end;
                sum.polls += (seen + 1) as f64;
                sum.overshoot += overshoot;
                sum.worst = sum.worst.max(overshoot);
            }
        }
        let count = (self.polls.len() * LENGTHS) as f64;
        Figures { polls: sum.polls / count, overshoot: sum.overshoot / count, worst: sum.worst }
    }
}

/// When a poller asks for an operation that does not end.
fn polls(backoff: Option<Backoff>, seed: u64) -> Vec<f64> {
    let server = Arc::new(FakeServer::start());
    let service =
        Service { server: Arc::clone(&server), chance: Mutex::new(Chance(seed)), polls: Mutex::default() };
    let service = Arc::new(service);
    let client = server.client_builder().http_client(Shared(Arc::clone(&service))).build();
    let poller = client.expect("options of a loopback client are valid").poller("operations/42");
    let poller = poller.total_timeout(Duration::from_secs(LONGEST));
    let ended = match backoff {
        Some(backoff) => poller.backoff(backoff).until_done(),
        None => poller.until_done(),
    };
    assert!(ended.is_err_and(|error| error.kind() == ErrorKind::Timeout));
    service.polls.lock().expect("no one panics with it").clone()
}

/// Has an operation that does not end, notes when it is requested, and deals the chance of the delays.
#[derive(Debug)]
struct Service {
    server: Arc<FakeServer>,
    chance: Mutex<Chance>,
    polls: Mutex<Vec<f64>>,
}

#[derive(Debug)]
struct Shared(Arc<Service>);

impl HttpClient for Shared {
    fn send(&self, _: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let Service { server, chance, polls } = &*self.0;
        polls.lock().expect("no one panics with it").push(server.elapsed().as_secs_f64());
        server.set_chance(chance.lock().expect("no one panics with it").draw());
        Ok(HttpResponse::new(200, r#"{"name":"operations/42"}"#))
    }
}

/// Numbers that look like chance and are the same everywhere: SplitMix64.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Waits of each kind.
pub(crate) const SEEDS: u64 = 200;

/// Operations that end during each wait.
pub(crate) const LENGTHS: usize = 25;

/// Seconds; longer than an hour and a tenth, and the longest delay on top.
const LONGEST: u64 = 3600 + 360 + 300;
