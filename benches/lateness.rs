//! How late a limit or a stop takes effect, in real time over loopback sockets.
//!
//! ```text
//! cargo bench --features grpc --bench lateness
//! ```
//!
//! Late is what passes after the limit, or after the stop, until the call or the wait is back in the caller's hands. A
//! bare sleep stands beside it: what the machine itself adds to a wake-up.

use std::thread;
use std::time::{Duration, Instant};

use longrunning::testing::{FakeServer, Reply};
use longrunning::{Backoff, Error, ErrorKind, Operation, OperationsClient, StopToken};

const NAME: &str = "operations/42";
const LIMIT: Duration = Duration::from_millis(200);
const HOUR: Duration = Duration::from_secs(3600);

fn main() -> Result<(), Error> {
    // Without `--bench` it is a test run of cargo that got here.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 50 } else { 1 };
    println!("Milliseconds late, of {rounds} each.\n");
    println!("| | median | most |");
    println!("|---|---:|---:|");
    report("a bare sleep", rounds, || {
        let start = Instant::now();
        thread::sleep(LIMIT);
        start.elapsed() - LIMIT
    });
    for (face, client) in faces()? {
        for (what, measure) in MEASURES {
            report(&format!("{what}, {face}"), rounds, || measure(&client));
        }
    }
    Ok(())
}

type Measure = fn(&Faced) -> Duration;

const MEASURES: [(&str, Measure); 5] = [
    ("limit of a call without a response", |faced| {
        faced.server.reply(Reply::hang());
        late(LIMIT, ErrorKind::Timeout, || faced.client.get(NAME).total_timeout(LIMIT).send())
    }),
    ("limit of a wait without a response", |faced| {
        faced.server.reply(Reply::hang());
        late(LIMIT, ErrorKind::Timeout, || faced.client.poller(NAME).total_timeout(LIMIT).until_done())
    }),
    ("limit of a wait that sleeps", |faced| {
        let poller = faced.client.poller(NAME).total_timeout(LIMIT);
        late(LIMIT, ErrorKind::Timeout, || poller.until_done())
    }),
    ("stop of a wait that sleeps", |faced| {
        let sleeps = Backoff::from_fn(|_| Some(HOUR));
        stopped(|token| faced.client.poller(NAME).forever().backoff(sleeps).stop(token).until_done())
    }),
    ("stop of a call without a response", |faced| {
        faced.server.reply(Reply::hang());
        stopped(|token| faced.client.get(NAME).attempt_timeout(HOUR).stop(token).send())
    }),
];

struct Faced {
    server: FakeServer,
    client: OperationsClient,
}

fn faces() -> Result<Vec<(&'static str, Faced)>, Error> {
    let faced = |choose: fn(longrunning::OperationsClientBuilder) -> longrunning::OperationsClientBuilder| {
        let server = FakeServer::builder().real_time().start()?;
        server.insert(Operation::running(NAME));
        let client = choose(server.client_builder()).build()?;
        Ok::<_, Error>(Faced { server, client })
    };
    Ok(vec![
        ("REST", faced(|builder| builder)?),
        #[cfg(feature = "grpc")]
        ("gRPC", faced(|builder| builder.transport(longrunning::transport::TransportKind::Grpc))?),
    ])
}

/// How long after `limit` the work ends. A wait that sleeps may end before it, when there is no time for another poll.
fn late<T>(limit: Duration, kind: ErrorKind, work: impl FnOnce() -> Result<T, Error>) -> Duration {
    let start = Instant::now();
    let error = work().err().expect("it does not end well");
    let elapsed = start.elapsed();
    assert_eq!(error.kind(), kind, "{error}");
    elapsed.saturating_sub(limit)
}

/// How long after a stop the work ends.
fn stopped<T>(work: impl FnOnce(&StopToken) -> Result<T, Error>) -> Duration {
    let token = StopToken::new();
    let stopper = token.clone();
    let stop = thread::spawn(move || {
        thread::sleep(LIMIT / 4);
        let at = Instant::now();
        stopper.stop();
        at
    });
    let error = work(&token).err().expect("it does not end well");
    let end = Instant::now();
    assert_eq!(error.kind(), ErrorKind::Stopped, "{error}");
    end - stop.join().expect("it only sleeps")
}

fn report(what: &str, rounds: usize, mut measure: impl FnMut() -> Duration) {
    let mut late: Vec<f64> = (0..rounds).map(|_| measure().as_secs_f64() * 1e3).collect();
    late.sort_by(f64::total_cmp);
    println!("| {what} | {:.1} | {:.1} |", late[rounds / 2], late[rounds - 1]);
}
