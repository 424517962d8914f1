//! Starts the server and, one after the other, the measured programs.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use peers::report::Report;

/// The clients: their program, and what they are called in the tables.
pub(crate) const CLIENTS: [(&str, &str); 5] = [
    ("client-raw", "raw TCP, nothing parsed"),
    ("client-ureq", "ureq + serde_json"),
    ("client-ureq-timeout", "ureq + serde_json, global timeout"),
    ("client-google", "google-cloud-longrunning"),
    ("client-ours", "**longrunning**"),
];

/// Over gRPC, where the server is one of tonic's.
pub(crate) const GRPC_CLIENTS: [(&str, &str); 2] =
    [("client-tonic", "tonic, current-thread runtime"), ("client-ours-grpc", "**longrunning**, gRPC")];

/// A server and its clients.
pub(crate) struct Field {
    serve: &'static str,
    features: &'static str,
    clients: &'static [(&'static str, &'static str)],
}

pub(crate) const REST: Field = Field { serve: "serve", features: "", clients: &CLIENTS };
pub(crate) const GRPC: Field = Field { serve: "serve-grpc", features: "grpc", clients: &GRPC_CLIENTS };

/// How much is measured.
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// A round: gets and listed operations.
    pub(crate) gets: usize,
    pub(crate) operations: usize,
    /// The two listings whose memory is compared.
    pub(crate) memory: [usize; 2],
}

impl Plan {
    pub(crate) const FULL: Self =
        Self { rounds: 30, gets: 1_000, operations: 10_000, memory: [10_000, 1_000_000] };
    pub(crate) const QUICK: Self = Self { rounds: 1, gets: 10, operations: 1_000, memory: [1_000, 2_000] };
}

/// What the rounds found for one client.
#[derive(Default)]
pub(crate) struct Measured {
    pub(crate) gets: Vec<Report>,
    pub(crate) lists: Vec<Report>,
}

pub(crate) struct Harness {
    programs: PathBuf,
    pinned: bool,
    clients: &'static [(&'static str, &'static str)],
    server: Child,
    url: String,
}

impl Harness {
    pub(crate) fn start(pinned: bool, field: &Field) -> Self {
        let own = std::env::current_exe().expect("a program knows its path");
        let programs = own.parent().expect("a program is in a folder").to_owned();
        let names = field.clients.iter().map(|(name, _)| *name);
        build(&programs, names, field.features);
        let mut server = command(&own, pinned);
        let server = server.arg(field.serve).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut server = server.expect("the server starts");
        let url = first_line(&mut server);
        Self { programs, pinned, clients: field.clients, server, url }
    }

    pub(crate) fn rounds(&mut self, plan: &Plan) -> Vec<Measured> {
        let mut measured: Vec<Measured> = self.clients.iter().map(|_| Measured::default()).collect();
        for round in 1..=plan.rounds {
            eprintln!("round {round} of {}", plan.rounds);
            for (client, workload) in shuffled(self.clients.len()) {
                let found = &mut measured[client];
                match workload {
                    Workload::Get => found.gets.push(self.measure(client, "get", plan.gets)),
                    Workload::List => found.lists.push(self.measure(client, "list", plan.operations)),
                }
            }
        }
        measured
    }

    /// Peak memory of this crate's client, for a short and a long listing.
    pub(crate) fn memory(&mut self, plan: &Plan) -> [f64; 2] {
        eprintln!("listing {} operations", plan.memory[1]);
        let mut peak = |operations| self.measure(self.clients.len() - 1, "list", operations).memory.anonymous;
        plan.memory.map(|operations| {
            let mut peaks: Vec<f64> = (0..plan.rounds.min(5)).map(|_| peak(operations)).collect();
            peaks.sort_by(f64::total_cmp);
            peaks[peaks.len() / 2]
        })
    }

    /// Runs a client; gives its report.
    fn measure(&mut self, client: usize, workload: &str, count: usize) -> Report {
        let mut command = command(&self.programs.join(self.clients[client].0), self.pinned);
        command.args([&self.url, workload, &count.to_string()]).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the client starts");
        let line = first_line(&mut child);
        assert!(child.wait().expect("the client ends").success(), "`{}` failed", self.clients[client].0);
        line.parse().expect("the client reports")
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        // It ends with its input; waiting keeps it from outliving the tables.
        drop(self.server.wait());
    }
}

#[derive(Clone, Copy)]
enum Workload {
    Get,
    List,
}

/// Everything that one round does, in random order.
fn shuffled(clients: usize) -> Vec<(usize, Workload)> {
    let mut round = Vec::new();
    for client in 0..clients {
        round.extend([(client, Workload::Get), (client, Workload::List)]);
    }
    let hasher = RandomState::new();
    let mut number = 0_usize;
    round.sort_by_cached_key(|_| {
        number += 1;
        hasher.hash_one(number)
    });
    round
}

/// Builds the clients, each a program of its own: `cargo run` builds only this one. Those over REST have no gRPC in them.
fn build(programs: &Path, names: impl Iterator<Item = &'static str>, features: &str) {
    let mut cargo = Command::new(env!("CARGO"));
    // What `cargo run` tells of this package would have some build scripts run again, and all that depends on them.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|prefix| name.starts_with(prefix)) {
            cargo.env_remove(&*name);
        }
    }
    cargo.args([
        "build",
        "--quiet",
        "--no-default-features",
        "--features",
        features,
        "--manifest-path",
        MANIFEST,
    ]);
    for name in names {
        cargo.args(["--bin", name]);
    }
    cargo.arg("--target-dir").arg(programs.parent().expect("profiles have folders of their own"));
    if programs.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo runs").success(), "the clients do not build");
}

fn command(program: &Path, pinned: bool) -> Command {
    if !pinned {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0"]).arg(program);
    command
}

fn first_line(child: &mut Child) -> String {
    let output = child.stdout.as_mut().expect("the output is piped");
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).expect("the output is text");
    line.trim_end().to_owned()
}

pub(crate) const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
