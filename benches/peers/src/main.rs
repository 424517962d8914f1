//! Measures this crate and its peers side by side and prints Markdown tables.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- [--quick] [--pin]
//! ```
//!
//! One server process, and another for gRPC; each measurement is a client process of its own, so that CPU, memory and start belong
//! to that client alone. Rounds are interleaved, in random order; a figure is that of the best round, p99 and
//! memory that of the median one.
//! `--quick` does everything once with tiny counts and shows only that it works. `--pin` puts server and
//! clients on one core, which takes the wake-ups between cores out of the figures (needs `taskset`).

mod harness;
mod tables;

use harness::{GRPC, Harness, Measured, Plan, REST};

fn main() {
    let mut plan = Plan::FULL;
    let mut pinned = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "serve" => return peers::server::serve().expect("the server runs"),
            "serve-grpc" => return peers::tonic_server::serve().expect("the server runs"),
            "--quick" => plan = Plan::QUICK,
            "--pin" => pinned = true,
            other => panic!("unknown argument `{other}`: expected --quick, --pin"),
        }
    }
    let mut harness = Harness::start(pinned, &REST);
    let measured: Vec<Measured> = harness.rounds(&plan);
    let memory = harness.memory(&plan);
    drop(harness);
    tables::print(&plan, pinned, &measured, &memory);
    tables::print_grpc(&measured, &Harness::start(pinned, &GRPC).rounds(&plan));
}
