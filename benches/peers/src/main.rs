//! Measures this crate and its peers side by side and prints Markdown tables.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- [--quick] [--pin] [--write]
//! ```
//!
//! One server process, and another for gRPC; each measurement is a client process of its own, so that CPU, memory and start belong
//! to that client alone. Rounds are interleaved, in random order; a figure is that of the best round, memory that of
//! the median one.
//! `--quick` does everything once with tiny counts and shows only that it works. `--pin` puts server and
//! clients on one core, which takes the wake-ups between cores out of the figures (needs `taskset`). `--write` puts the
//! tables into `docs/benchmarks.md`, and the ratios into `README.md`.

mod harness;
mod pages;
mod tables;

use harness::{GRPC, Harness, Measured, Plan, REST};
use tables::Tables;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn main() {
    let mut plan = Plan::FULL;
    let (mut pinned, mut write) = (false, false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "serve" => return peers::server::serve().expect("the server runs"),
            "serve-grpc" => return peers::tonic_server::serve().expect("the server runs"),
            "--quick" => plan = Plan::QUICK,
            "--pin" => pinned = true,
            "--write" => write = true,
            other => panic!("unknown argument `{other}`: expected --quick, --pin, --write"),
        }
    }
    let mut harness = Harness::start(pinned, &REST);
    let measured: Vec<Measured> = harness.rounds(&plan);
    let memory = harness.memory(&plan);
    drop(harness);
    let binary = Harness::start(pinned, &GRPC).rounds(&plan);
    let tables = Tables::new(&plan, pinned, [&measured, &binary], &memory);
    println!("{tables}");
    if write {
        pages::write(ROOT, "docs/benchmarks.md", "peers", &tables.to_string());
        pages::write(ROOT, "README.md", "ratios", &tables.summary);
    }
}
