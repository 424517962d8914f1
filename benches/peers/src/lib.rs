//! What the measured programs have in common: each is one client and runs one workload.

pub mod clients;
pub mod payload;
pub mod report;
pub mod server;
#[cfg(feature = "grpc")]
pub mod tonic_server;

#[cfg(feature = "grpc")]
#[path = "../../decode/binary.rs"]
#[allow(dead_code, reason = "the other user reads what this one only makes")]
mod binary;
mod probe;

use std::time::Instant;

use payload::PAGE_SIZE;
use report::Report;

/// A client under measurement. Failures end the program: there is nothing to measure then.
pub trait Peer {
    /// Gets an operation of about 600 bytes.
    fn get(&mut self);

    /// Lists the given number of operations, in pages of [`PAGE_SIZE`].
    fn list(&mut self, operations: usize);
}

/// The main function of a measured program: `PROGRAM URL get|list COUNT` prints a [`Report`].
pub fn run<P: Peer>(connect: impl FnOnce(&str) -> P) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, workload, count] = arguments.as_slice() else { panic!("expected URL get|list COUNT") };
    let count = count.parse().expect("COUNT is a number");
    let mut peer = connect(url);
    let report = match workload.as_str() {
        "get" => gets(&mut peer, count),
        "list" => pages(&mut peer, count),
        other => panic!("unknown workload `{other}`"),
    };
    println!("{report}");
}

/// A count of 1 is a cold start: one get and nothing before it.
fn gets(peer: &mut impl Peer, count: usize) -> Report {
    for _ in 0..count / 10 {
        peer.get();
    }
    let (threads, cpu) = (probe::threads_started(), probe::cpu());
    let mut latencies: Vec<f64> = (0..count)
        .map(|_| {
            let start = Instant::now();
            peer.get();
            start.elapsed().as_secs_f64()
        })
        .collect();
    let cpu = probe::cpu() - cpu;
    latencies.sort_by(f64::total_cmp);
    Report {
        p50: latencies[count / 2] * 1e6,
        p99: latencies[count * 99 / 100] * 1e6,
        cpu: cpu / count as f64 * 1e6,
        rate: count as f64 / latencies.iter().sum::<f64>(),
        threads: (probe::threads_started() - threads - 1) as f64 / count as f64,
        memory: probe::peak_memory(),
    }
}

fn pages(peer: &mut impl Peer, operations: usize) -> Report {
    peer.list(PAGE_SIZE);
    let (threads, cpu) = (probe::threads_started(), probe::cpu());
    let start = Instant::now();
    peer.list(operations);
    let elapsed = start.elapsed().as_secs_f64();
    let cpu = probe::cpu() - cpu;
    let pages = operations as f64 / PAGE_SIZE as f64;
    Report {
        p50: elapsed / pages * 1e6,
        p99: elapsed / pages * 1e6,
        cpu: cpu / pages * 1e6,
        rate: operations as f64 / elapsed,
        threads: (probe::threads_started() - threads - 1) as f64 / pages,
        memory: probe::peak_memory(),
    }
}
